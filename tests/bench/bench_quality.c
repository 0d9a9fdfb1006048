/*
 * What is left of a voice behind a bad path: encoded, lost and jittered on its
 * way, then through a jitter buffer and a chain as in a call, and heard. Time
 * is simulated, so that the figures are the same on every machine. Prints a
 * table; judges nothing.
 *
 *   bench_quality [IN OUT]    one pair of codecs; else the usual pairs
 *
 *   lsd    how far the spectrum heard is from that behind a perfect path: dB
 *          (root mean square over a talking frame's bands; 0 none, 1 hardly heard)
 *   snr    of the wave itself, behind a perfect path as the signal (segmental, dB; at most 35)
 *          Of the perfect path itself both are to what was said, as they are for each of the two
 *          codecs between phones without a gateway.
 *   delay  from arrival of the fastest packet to playing: mean, and of the last second
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <spandsp.h>

#include "media/chain/chain.h"
#include "media/rtp/jitter.h"
#include "rig.h"
#include "rig_score.h"

enum {
	LOOPS = 5, /* of the four seconds that the rig says */
	PACKETS = LOOPS * RIG_LOOP_FRAMES,
	FRAME_US = RIG_FRAME_MS * 1000,
	PAYLOAD_MAX = 700,
	JITTER_MIN_MS = 0, /* as the configuration has it */
	JITTER_MAX_MS = 200,
	COMPLEXITY = 5,
	STALL_US = 150000,
	FIRST_STALL_US = 3000000,
};

struct payload {
	size_t bytes;
	uint8_t v[PAYLOAD_MAX];
};

struct path {
	const char *name;
	double loss, burst; /* share of packets; mean length of a loss */
	unsigned jitter_ms; /* a packet comes up to so much later */
	unsigned
		every_s; /* the path stands still for STALL_US, first in the 3rd second; 0: never */
};

static const struct path paths[] = {
	{ "perfect", 0, 1, 0, 0 },        { "loss 1 %", 0.01, 1, 0, 0 },
	{ "loss 5 %", 0.05, 1, 0, 0 },    { "loss 10 %", 0.10, 1, 0, 0 },
	{ "bursts 1 %", 0.01, 3, 0, 0 },  { "bursts 5 %", 0.05, 3, 0, 0 },
	{ "bursts 10 %", 0.10, 3, 0, 0 }, { "jitter 20 ms", 0, 1, 20, 0 },
	{ "jitter 40 ms", 0, 1, 40, 0 },  { "jitter 80 ms", 0, 1, 80, 0 },
	{ "5 %, 40 ms", 0.05, 1, 40, 0 }, { "one stall", 0, 1, 0, 100 },
	{ "stalls, 6 s", 0, 1, 0, 6 },    { "stalls, 2 s", 0, 1, 0, 2 },
};

struct sender {
	struct payload *payloads;
	size_t n;
};

static void keep_payload(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	struct sender *sender = user;

	if (sender->n == PACKETS || bytes > PAYLOAD_MAX)
		return;
	sender->payloads[sender->n].bytes = bytes;
	memcpy(sender->payloads[sender->n++].v, payload, bytes);
}

/* The rig's voice again and again, as one phone says it. loss: what the far end reports. */
static struct sender *speak(const struct tl_format *format, unsigned loss_percent)
{
	unsigned rate_hz = MIN(format->codec->rate_hz, 16000u);
	size_t loop = (size_t)rate_hz * RIG_FRAME_MS / 1000 * RIG_LOOP_FRAMES;
	g_autofree int16_t *pcm = g_new(int16_t, loop);
	struct sender *sender = g_new0(struct sender, 1);
	struct tl_chain *chain;
	const struct tl_chain_cfg cfg = {
		.out = format,
		.out_ptime_ms = RIG_FRAME_MS,
		.rate_hz = rate_hz,
		.opus_complexity = COMPLEXITY,
		.on_packet = keep_payload,
		.user = sender,
	};

	sender->payloads = g_new(struct payload, PACKETS);
	if (tl_chain_new(&cfg, &chain) < 0) {
		g_free(sender->payloads);
		g_free(sender);
		return NULL;
	}
	tl_chain_set_loss(chain, loss_percent);
	rig_voice(pcm, rate_hz);
	for (int i = 0; i < LOOPS; i++)
		tl_chain_push_pcm(chain, pcm, loop);
	tl_chain_free(chain);
	return sender;
}

static void free_sender(struct sender *sender)
{
	g_free(sender->payloads);
	g_free(sender);
}

static void keep_pcm(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
	struct rig_voice *voice = user;

	if (voice->n + samples > voice->room) {
		voice->room = 2 * voice->room + samples + PACKETS * 160;
		voice->pcm = g_renew(int16_t, voice->pcm, voice->room);
	}
	memcpy(voice->pcm + voice->n, pcm, samples * sizeof *pcm);
	voice->n += samples;
}

static void decode_again(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	tl_chain_push(user, payload, bytes);
}

/* What the gateway runs for one direction, and the far phone's decoder behind it. */
struct gateway {
	struct tl_pool pool;
	struct tl_jitter *jitter;
	struct tl_chain *chain, *phone;
	struct tl_format in;
	struct rig_voice voice;
	double delay_us, late_delay_us;
	unsigned played, late_played, concealed, refused;
};

static bool open_gateway(struct gateway *gw, const struct tl_format *in,
			 const struct tl_format *out)
{
	const struct tl_jitter_cfg jitter = { in->codec->clock_hz, RIG_FRAME_MS, JITTER_MIN_MS,
					      JITTER_MAX_MS };
	const struct tl_chain_cfg phone = {
		.in = out,
		.rate_hz = RIG_HEARD_HZ,
		.on_pcm = keep_pcm,
		.user = &gw->voice,
	};
	struct tl_chain_cfg chain = {
		.in = in,
		.out = out,
		.out_ptime_ms = RIG_FRAME_MS,
		.opus_complexity = COMPLEXITY,
		.on_packet = decode_again,
	};

	memset(gw, 0, sizeof *gw);
	gw->in = *in;
	if (tl_chain_new(&phone, &gw->phone) < 0)
		return false;
	chain.user = gw->phone;
	if (tl_chain_new(&chain, &gw->chain) < 0) {
		tl_chain_free(gw->phone);
		return false;
	}
	gw->jitter = tl_jitter_new(&jitter);
	return true;
}

static void close_gateway(struct gateway *gw)
{
	tl_jitter_free(gw->jitter, &gw->pool);
	tl_pool_done(&gw->pool);
	tl_chain_free(gw->chain);
	tl_chain_free(gw->phone);
	g_free(gw->voice.pcm);
}

static void play(struct gateway *gw, int64_t now_us)
{
	struct tl_slot slot = { 0 };
	int64_t due_us;

	while (tl_jitter_take(gw->jitter, now_us, &slot, &due_us) > 0) {
		if (slot.kind == TL_SLOT_PACKET) {
			int64_t sent_us =
				(int64_t)(slot.packet->rtp.ts / (gw->in.codec->clock_hz / 1000)) *
				1000;

			tl_chain_push(gw->chain, tl_packet_payload(slot.packet),
				      slot.packet->rtp.payload_bytes);
			gw->delay_us += (double)(slot.at_us - sent_us);
			gw->played++;
			if (sent_us > (PACKETS - 50) * (int64_t)FRAME_US) {
				gw->late_delay_us += (double)(slot.at_us - sent_us);
				gw->late_played++;
			}
		} else if (slot.kind == TL_SLOT_SURPLUS) {
			tl_chain_cut(gw->chain);
		} else if (slot.next) {
			tl_chain_recover(gw->chain, RIG_FRAME_MS, tl_packet_payload(slot.next),
					 slot.next->rtp.payload_bytes);
			gw->concealed++;
		} else {
			tl_chain_conceal(gw->chain, RIG_FRAME_MS);
			gw->concealed++;
		}
		tl_pool_give(&gw->pool, slot.packet);
	}
}

static void arrive(struct gateway *gw, const struct payload *payload, unsigned n, int64_t at_us)
{
	struct tl_packet *packet = tl_pool_take(&gw->pool);
	unsigned clock_hz = gw->in.codec->clock_hz;

	packet->arrived_us = at_us;
	packet->rtp = (struct tl_rtp) { .seq = (uint16_t)n,
					.ts = n * (clock_hz / 1000 * RIG_FRAME_MS),
					.payload_at = TL_RTP_HEADER_BYTES,
					.payload_bytes = (uint16_t)payload->bytes };
	memcpy(packet->data + TL_RTP_HEADER_BYTES, payload->v, payload->bytes);
	if (tl_jitter_put(gw->jitter, packet, clock_hz / 1000 * RIG_FRAME_MS) < 0) {
		tl_pool_give(&gw->pool, packet);
		gw->refused++;
	}
}

/* A number from 0 to 1, the same ones for every pair of codecs. */
static double chance(void)
{
	return (double)rand() / RAND_MAX;
}

/* Two states (Gilbert): so that losses are as many as asked, and as long on average. */
static bool is_lost(const struct path *path, bool *losing)
{
	double leave = 1 / path->burst, enter = path->loss / (1 - path->loss) * leave;

	*losing = *losing ? chance() > leave : chance() < enter;
	return *losing;
}

/* What a path that stands still from time to time makes of an arrival. */
static int64_t after_stall(const struct path *path, int64_t at_us)
{
	int64_t in_us = at_us - FIRST_STALL_US;

	if (!path->every_s || in_us < 0)
		return at_us;
	in_us %= path->every_s * (int64_t)G_USEC_PER_SEC;
	return in_us < STALL_US ? at_us - in_us + STALL_US : at_us;
}

static void travel(struct gateway *gw, const struct sender *sender, const struct path *path)
{
	int64_t arrivals_us[PACKETS];
	bool losing = false;

	srand(4711);
	for (unsigned n = 0; n < sender->n; n++) {
		arrivals_us[n] = (int64_t)n * FRAME_US;
		arrivals_us[n] += (int64_t)(pow(chance(), 3) * path->jitter_ms * 1000);
		arrivals_us[n] = after_stall(path, arrivals_us[n]);
		if (is_lost(path, &losing))
			arrivals_us[n] = INT64_MAX;
	}
	for (int64_t now_us = 0; now_us < PACKETS * (int64_t)FRAME_US; now_us += 1000) {
		unsigned from = (unsigned)MAX(now_us / FRAME_US - 10, 0);

		for (unsigned n = from; n < MIN(from + 20, (unsigned)sender->n); n++)
			if (arrivals_us[n] / 1000 == now_us / 1000)
				arrive(gw, &sender->payloads[n], n, now_us);
		play(gw, now_us);
	}
}

/* The same losses, filled by spandsp's concealment: what the gateway's own has to be better than.
 */
static void fill_by_spandsp(const struct sender *sender, const struct path *path,
			    struct rig_voice *voice)
{
	plc_state_t *plc = plc_init(NULL);
	bool losing = false;

	srand(4711);
	for (size_t n = 0; n < sender->n; n++) {
		int16_t pcm[160];

		chance(); /* of its jitter */
		if (is_lost(path, &losing)) {
			plc_fillin(plc, pcm, 160);
		} else {
			for (size_t i = 0; i < 160; i++)
				pcm[i] = alaw_to_linear(sender->payloads[n].v[i]);
			plc_rx(plc, pcm, 160);
		}
		keep_pcm(pcm, 160, RIG_HEARD_HZ, false, voice);
	}
	plc_free(plc);
}

static void measure_spandsp(void)
{
	struct tl_format pcma = { .codec = tl_codec_by_name("PCMA"), .pt = 8 };
	struct sender *sender = speak(&pcma, 0);
	struct rig_voice perfect = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct rig_voice voice = { 0 };
		struct rig_score score;

		if (paths[i].jitter_ms || paths[i].every_s)
			continue;
		fill_by_spandsp(sender, &paths[i], i ? &voice : &perfect);
		if (i == 0)
			continue;
		score = rig_compare(&perfect, &voice);
		printf("%-8s %-8s %-13s %6.2f %6.1f\n", "PCMA", "spandsp", paths[i].name, score.lsd,
		       score.snr);
		g_free(voice.pcm);
	}
	g_free(perfect.pcm);
	free_sender(sender);
}

static bool set_format(const char *name, uint8_t pt, struct tl_format *ret_format)
{
	const struct tl_codec *codec = tl_codec_by_name(name);

	if (!codec || !tl_codec_can_transcode(codec))
		return false;
	*ret_format = (struct tl_format) { .codec = codec, .pt = pt };
	if (strcmp(codec->name, "iLBC") == 0)
		g_strlcpy(ret_format->fmtp, "mode=20", sizeof ret_format->fmtp);
	else if (codec->fmtp)
		g_strlcpy(ret_format->fmtp, codec->fmtp, sizeof ret_format->fmtp);
	return tl_format_ptime_ms(ret_format) == RIG_FRAME_MS;
}

/* What a format alone leaves of the voice: from one phone to another, no gateway between them. */
static void phone_to_phone(const struct tl_format *format, struct rig_voice *voice)
{
	struct sender *sender = speak(format, 0);
	const struct tl_chain_cfg cfg = {
		.in = format, .rate_hz = RIG_HEARD_HZ, .on_pcm = keep_pcm, .user = voice
	};
	struct tl_chain *phone;

	if (!sender || tl_chain_new(&cfg, &phone) < 0)
		g_error("%s can't be coded", format->codec->name);
	for (size_t i = 0; i < sender->n; i++)
		tl_chain_push(phone, sender->payloads[i].v, sender->payloads[i].bytes);
	tl_chain_free(phone);
	free_sender(sender);
}

/* To the voice as who speaks this format has said it. */
static struct rig_score compare_to_said(const struct tl_format *format,
					const struct rig_voice *heard)
{
	bool wide = MIN(format->codec->rate_hz, 16000u) == 16000;
	struct tl_format plain = { .codec = tl_codec_by_name(wide ? "L16/16000" : "L16") };
	struct rig_voice said = { 0 };
	struct rig_score score;

	phone_to_phone(&plain, &said);
	score = rig_compare(&said, heard);
	g_free(said.pcm);
	return score;
}

static void show_alone(const struct tl_format *format)
{
	struct rig_voice voice = { 0 };
	struct rig_score score;

	phone_to_phone(format, &voice);
	score = compare_to_said(format, &voice);
	printf("%-8s %-8s %-13s %6.2f %6.1f\n", format->codec->name, "itself", "no gateway",
	       score.lsd, score.snr);
	g_free(voice.pcm);
}

static void measure(const char *from, const char *to)
{
	struct tl_format in, out;
	struct gateway perfect;

	if (!set_format(from, 96, &in) || !set_format(to, 97, &out)) {
		printf("%-8s %-8s this machine can't\n", from, to);
		return;
	}
	show_alone(&in);
	show_alone(&out);
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct sender *sender = speak(&in, (unsigned)lrint(100 * paths[i].loss));
		struct gateway gw;
		struct rig_score score;

		if (!sender || !open_gateway(&gw, &in, &out))
			g_error("no chain from %s to %s", from, to);
		travel(&gw, sender, &paths[i]);
		free_sender(sender);
		if (i == 0)
			perfect = gw;
		score = i ? rig_compare(&perfect.voice, &gw.voice)
			  : compare_to_said(&in, &gw.voice);
		printf("%-8s %-8s %-13s %6.2f %6.1f %7.1f %7.1f %9.1f %%\n", from, to,
		       paths[i].name, score.lsd, score.snr, gw.delay_us / gw.played / 1000,
		       gw.late_delay_us / MAX(gw.late_played, 1u) / 1000,
		       100.0 * gw.concealed / PACKETS);
		fflush(stdout);
		if (i > 0)
			close_gateway(&gw);
	}
	close_gateway(&perfect);
}

int main(int argc, char **argv)
{
	static const char *const pairs[][2] = {
		{ "PCMA", "PCMU" }, { "PCMU", "G722" },   { "G722", "PCMA" },
		{ "opus", "PCMA" }, { "opus", "G722" },   { "PCMA", "opus" },
		{ "GSM", "PCMA" },  { "speex", "PCMA" },  { "G726-32", "PCMA" },
		{ "G729", "PCMA" }, { "AMR", "PCMA" },    { "AMR-WB", "PCMA" },
		{ "iLBC", "PCMA" }, { "AMR-WB", "opus" },
	};

	if (tl_codec_init() < 0)
		return 1;
	printf("%-8s %-8s %-13s %6s %6s %7s %7s %11s\n", "from", "to", "path", "lsd dB", "snr dB",
	       "delay", "at end", "made up");
	if (argc == 3) {
		measure(argv[1], argv[2]);
		return 0;
	}
	measure_spandsp();
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
		measure(pairs[i][0], pairs[i][1]);
	return 0;
}
