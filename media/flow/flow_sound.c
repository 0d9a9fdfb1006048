/* What is done to an end's sound beside coding it: its line's echo, its loudness, its meter. */
#include <errno.h>
#include <stdlib.h>

#include <glib.h>

#include "media/chain/echo.h"
#include "media/elements/g711.h"
#include "media/fetch.h"
#include "media/flow/flow_priv.h"

enum {
	METER_EVERY = 8, /* packets of G.711: it costs next to nothing, and they are alike */
	METER_SAMPLES = TL_PAYLOAD_MAX_MS * 8,
};

/* A place on an RTP stream, without wrapping. */
struct place {
	bool any;
	uint32_t ts;
	int64_t units;
};

/* The line behind an end. What is sent to it is decoded again: that is what the far side hears,
 * whoever made it, and its timestamps say when. */
struct tl_line {
	struct tl_sound sound;
	struct tl_echo *echo;
	struct tl_chain *decoder; /* of what is sent; NULL: not yet, or it can't be */
	struct tl_format format;
	struct place sent, heard;
	int64_t sent_at, heard_at; /* places of the next samples, at the canceller's rate */
};

static void follow(struct place *place, uint32_t ts)
{
	if (place->any)
		place->units += (int32_t)(ts - place->ts);
	place->ts = ts;
	place->any = true;
}

static int64_t to_samples(const struct place *place, const struct tl_line *line, unsigned clock_hz)
{
	return place->units * (int64_t)tl_echo_rate_hz(line->echo) / (int64_t)clock_hz;
}

static void close_decoder(struct tl_line *line)
{
	tl_chain_free(line->decoder);
	line->decoder = NULL;
	line->format = (struct tl_format) { 0 };
}

static void close_line(struct tl_flow_end *end)
{
	if (!end->line)
		return;
	close_decoder(end->line);
	tl_echo_free(end->line->echo);
	g_free(end->line);
	end->line = NULL;
}

void tl_flow_sound_drop(struct tl_flow_end *end)
{
	close_line(end);
}

void tl_flow_sound_replan(struct tl_flow_end *end)
{
	const struct tl_sound *sound = &end->plan->sound;
	struct tl_line *line = end->line;

	if (!line)
		return;
	if (!end->plan->open || sound->echo != line->sound.echo ||
	    sound->echo_tail_ms != line->sound.echo_tail_ms)
		close_line(end);
	else
		close_decoder(line);
}

bool tl_flow_changes_sound(const struct tl_flow_end *end)
{
	return end->pair->plan->path[end->side] == TL_PATH_CHAIN &&
	       tl_plan_changes_sound(end->pair->plan, end->side);
}

bool tl_flow_can_cancel_at(const struct tl_flow_end *end, unsigned rate_hz)
{
	return end->plan->sound.echo == TL_ECHO_OFF || rate_hz == 8000 || rate_hz == 16000;
}

/* The line's canceller at this rate; NULL: none is wanted. */
static struct tl_line *line_of(struct tl_flow_end *end, unsigned rate_hz)
{
	const struct tl_sound *sound = &end->plan->sound;
	struct tl_line *line = end->line;

	if (sound->echo == TL_ECHO_OFF)
		return NULL;
	if (line && tl_echo_rate_hz(line->echo) == rate_hz)
		return line;
	close_line(end);
	line = g_new0(struct tl_line, 1);
	line->sound = *sound;
	if (tl_echo_new(sound->echo, rate_hz, sound->echo_tail_ms, &line->echo) < 0) {
		g_free(line);
		return NULL;
	}
	end->line = line;
	return line;
}

static void on_sent_pcm(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
	struct tl_line *line = user;

	tl_echo_sent(line->echo, line->sent_at, pcm, samples);
	line->sent_at += (int64_t)samples;
}

/* The same codec as the end hears; asked for once a plan, whether it can be had or not. */
static struct tl_chain *decoder_of(struct tl_flow_end *end)
{
	struct tl_line *line = end->line;
	struct tl_chain_cfg cfg = {
		.in = &end->plan->send_format,
		.rate_hz = tl_echo_rate_hz(line->echo),
		.on_pcm = on_sent_pcm,
		.user = line,
	};

	if (line->format.codec)
		return line->decoder;
	line->format = end->plan->send_format;
	if (tl_chain_new(&cfg, &line->decoder) < 0)
		line->decoder = NULL;
	return line->decoder;
}

void tl_flow_sound_sent(struct tl_flow_end *to, const struct tl_packet *packet)
{
	struct tl_chain *decoder;
	struct tl_rtp rtp;

	if (!to->line || tl_rtp_parse(packet->data + packet->at, packet->bytes, &rtp) < 0 ||
	    rtp.pt != to->plan->send_format.pt)
		return;
	decoder = decoder_of(to);
	if (!decoder)
		return;
	follow(&to->line->sent, rtp.ts);
	to->line->sent_at =
		to_samples(&to->line->sent, to->line, to->plan->send_format.codec->clock_hz);
	if (tl_chain_push(decoder, packet->data + packet->at + rtp.payload_at, rtp.payload_bytes) ==
	    -EPIPE)
		close_decoder(to->line);
}

void tl_flow_sound_place(struct tl_flow_end *end, uint32_t ts, unsigned clock_hz)
{
	if (!end->line)
		return;
	follow(&end->line->heard, ts);
	end->line->heard_at = to_samples(&end->line->heard, end->line, clock_hz);
}

static void cancel(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz,
		   bool concealed)
{
	struct tl_line *line = line_of(end, rate_hz);

	if (!line)
		return;
	if (tl_ear_is_steady(end)) /* modems talk */
		return;
	if (concealed)
		tl_echo_made_up(line->echo, pcm, samples);
	else if (line->heard.any)
		tl_echo_heard(line->echo, line->heard_at, pcm, samples);
	line->heard_at += (int64_t)samples;
}

TL_ASIDE static void read_meter(struct tl_flow_end *end, const int16_t *pcm, size_t n)
{
	struct tl_side_counters *counters = end->counters;
	uint32_t peak = tl_counter_get(&counters->level_peak), now;
	uint64_t energy = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		int32_t v = pcm[i];

		energy += (uint32_t)(v * v);
		peak = MAX(peak, (uint32_t)abs(v));
	}
	now = tl_counter_get(&counters->level_now);
	tl_counter_set(&counters->level_peak, peak);
	tl_counter_add(&counters->level_energy, energy);
	tl_counter_add(&counters->level_samples, n);
	tl_counter_set(&counters->level_now, now - now / 8 + (uint32_t)(energy / n / 8));
}

TL_ASIDE static void meter_g711(struct tl_flow_end *end, const struct tl_packet *packet,
				const struct tl_codec *codec)
{
	int16_t pcm[METER_SAMPLES];
	size_t n = MIN(packet->rtp.payload_bytes, (size_t)METER_SAMPLES);

	tl_g711_decode(codec, tl_packet_payload(packet), n, pcm);
	read_meter(end, pcm, n);
}

TL_HOT(packet)
void tl_flow_sound_meter(struct tl_flow_end *end, const struct tl_packet *packet,
			 const struct tl_format *format)
{
	if (packet->rtp.seq % METER_EVERY == 0 && tl_g711_is(format->codec))
		meter_g711(end, packet, format->codec);
}

TL_HOT(chain)
void tl_flow_sound_hear(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz,
			bool concealed)
{
	if (!tl_g711_is(end->ear->in.codec))
		read_meter(end, pcm, samples);
	cancel(end, pcm, samples, rate_hz, concealed);
}

TL_HOT(chain)
void tl_flow_sound_level(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz)
{
	const struct tl_sound *sound = &end->plan->sound;

	if ((sound->rx_gain_db || sound->agc_dbm0) && !tl_ear_is_steady(end))
		tl_gain_apply(&end->rx_gain, pcm, samples, rate_hz, sound->rx_gain_db,
			      sound->agc_dbm0);
}

void tl_flow_sound_tell(struct tl_flow_end *to, int16_t *pcm, size_t samples, unsigned rate_hz)
{
	const struct tl_sound *sound = &to->plan->sound;

	if (sound->tx_gain_db)
		tl_gain_apply(&to->tx_gain, pcm, samples, rate_hz, sound->tx_gain_db, 0);
}
