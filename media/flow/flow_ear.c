#include <errno.h>
#include <glib.h>

#include "media/elements/g711.h"
#include "media/fetch.h"
#include "media/flow/flow_priv.h"

enum { STEADY_MS = 100 }; /* the delay of a line with modems */
enum { RATE_WIDE_HZ = 16000 };
enum { NOISE_MS = 10 };
enum { JOIN_US = 300000 }; /* more than a jitter buffer's usual delay */

/* Who gets what the chain encodes, or NULL. */
static struct tl_flow_end *hearer(struct tl_flow_end *end)
{
	struct tl_flow_end *to = tl_flow_target(end);

	return to && to->plan->send && !to->plan->t38.on ? to : NULL;
}

/* Does somebody here hear what is decoded? */
static bool is_tapped(struct tl_flow_end *end)
{
	return end->pair->recorder || tl_flow_listens(end) || tl_flow_fax_listens(end);
}

bool tl_ear_is_steady(const struct tl_flow_end *end)
{
	const struct tl_plan *plan = end->pair->plan;

	return plan->modems || plan->path[end->side] == TL_PATH_FAX;
}

TL_HOT(chain)
static void on_packet(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	struct tl_flow_end *end = user, *to = hearer(end);

	if (!to)
		return;
	if (tl_flow_is_taken(to))
		return;
	tl_flow_send_audio(to, TL_FEEDER_CHAIN, payload, bytes, duration, end,
			   end->ear->arrived_us);
}

static void on_noise(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	struct tl_flow_end *end = user, *to = hearer(end);

	if (to && !tl_flow_is_taken(to))
		tl_flow_send_noise(to, payload, bytes, duration);
}

TL_HOT(chain)
static void on_pcm(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
	struct tl_flow_end *end = user;

	tl_flow_fax_hear(end, pcm, samples, rate_hz, concealed);
	tl_flow_sound_hear(end, pcm, samples, rate_hz, concealed);
	tl_flow_tone_hear(end, pcm, samples, rate_hz);
	tl_flow_sound_level(end, pcm, samples, rate_hz);
	/* While an announcement plays to the other side, that is what it hears from here. */
	if (!tl_flow_other(end)->player.order)
		tl_flow_hear(end, pcm, samples, rate_hz, end->ear->at_us);
	tl_flow_sound_tell(tl_flow_other(end), pcm, samples, rate_hz);
}

static struct tl_ear *open_ear(struct tl_flow_end *end, const struct tl_format *format)
{
	struct tl_jitter_cfg cfg = {
		.clock_hz = format->codec->clock_hz,
		.frame_ms = format->codec->ptime_ms,
		.min_ms = end->pair->cfg.jitter_min_ms,
		.max_ms = end->pair->cfg.jitter_max_ms,
	};
	struct tl_ear *ear = g_new0(struct tl_ear, 1);

	ear->steady = tl_ear_is_steady(end);
	if (ear->steady) /* a modem hears each change of the delay as one of phase */
		cfg.min_ms = cfg.max_ms = CLAMP(STEADY_MS, cfg.min_ms, cfg.max_ms);
	ear->jitter = tl_jitter_new(&cfg);
	ear->stale = true;
	return ear;
}

void tl_ear_drop(struct tl_flow_end *end)
{
	struct tl_flow_end *to = tl_flow_target(end);

	tl_tape_drop(end);
	if (!end->ear)
		return;
	tl_flow_tone_stop(end);
	if (to)
		tl_pack_pause(&to->out);
	tl_chain_free(end->ear->chain);
	tl_tone_ear_free(end->ear->tones);
	tl_jitter_free(end->ear->jitter, end->pair->env->pool);
	g_free(end->ear);
	end->ear = NULL;
}

static void count_refused(struct tl_flow_end *end, int why)
{
	if (why == -ETIME)
		tl_counter_add(&end->counters->late_pkts, 1);
}

/* What this end asks of the audio that it is sent, to whoever is encoded for it. */
static void pass_request(struct tl_flow_end *end, const uint8_t *payload, size_t bytes,
			 const struct tl_format *format)
{
	unsigned mode = tl_format_request(format, payload, bytes);
	struct tl_flow_end *speaker = tl_flow_other(end);

	if (mode + 1 == end->mode_asked)
		return;
	end->mode_asked = (uint8_t)(mode + 1);
	if (tl_flow_target(speaker) == end && speaker->ear && speaker->ear->chain)
		tl_chain_set_request(speaker->ear->chain, mode);
}

TL_HOT(chain)
void tl_ear_put(struct tl_flow_end *end, struct tl_packet *packet, const struct tl_format *format)
{
	struct tl_pool *pool = end->pair->env->pool;
	uint32_t units =
		tl_format_duration(format, tl_packet_payload(packet), packet->rtp.payload_bytes);
	unsigned clock_hz = format->codec->clock_hz;
	int64_t due_us;
	int r;

	if (units == 0) {
		tl_pool_give(pool, packet); /* not of this codec: a hole */
		return;
	}
	if (!end->ear)
		end->ear = open_ear(end, format);
	pass_request(end, tl_packet_payload(packet), packet->rtp.payload_bytes, format);
	if (tl_jitter_clock_hz(end->ear->jitter) != clock_hz) {
		tl_ear_play_rest(end);
		tl_jitter_reset(end->ear->jitter, clock_hz, pool);
	}
	r = tl_jitter_put(end->ear->jitter, packet, units);
	if (r == -ENOBUFS) {
		tl_jitter_reset(end->ear->jitter, clock_hz, pool);
		r = tl_jitter_put(end->ear->jitter, packet, units);
	}
	if (r < 0) {
		count_refused(end, r);
		tl_pool_give(pool, packet);
	}
	due_us = tl_jitter_due_us(end->ear->jitter);
	tl_flow_want(end, due_us);
}

/* Its length is not said: the audio after it tells, by its timestamp. */
void tl_ear_put_noise(struct tl_flow_end *end, struct tl_packet *packet)
{
	const struct tl_format *format = &end->plan->receive_formats[0];
	struct tl_pool *pool = end->pair->env->pool;

	tl_tape_finish(end);
	if (!end->ear)
		end->ear = open_ear(end, format);
	if (tl_jitter_clock_hz(end->ear->jitter) != format->codec->clock_hz ||
	    tl_jitter_put(end->ear->jitter, packet, format->codec->clock_hz / 1000 * NOISE_MS) < 0)
		tl_pool_give(pool, packet);
	tl_flow_want(end, tl_jitter_due_us(end->ear->jitter));
}

void tl_ear_restart(struct tl_flow_end *end)
{
	tl_tape_finish(end);
	if (end->ear)
		tl_jitter_reset(end->ear->jitter, tl_jitter_clock_hz(end->ear->jitter),
				end->pair->env->pool);
}

void tl_ear_pass(struct tl_flow_end *end, uint16_t seq)
{
	tl_tape_finish(end);
	if (end->ear)
		tl_jitter_pass(end->ear->jitter, seq);
}

/* Does what comes in this format have to be encoded for somebody? */
static bool must_encode(struct tl_flow_end *end, const struct tl_format *format)
{
	size_t i = (size_t)(format - end->plan->receive_formats);

	return hearer(end) && !(end->relayable & 1u << i);
}

static bool fits(const struct tl_flow_end *end, const struct tl_format *in,
		 const struct tl_flow_end *to)
{
	const struct tl_ear *ear = end->ear;

	if (ear->in.codec != in->codec || ear->in.pt != in->pt ||
	    !g_str_equal(ear->in.fmtp, in->fmtp) || ear->encodes != (to != NULL))
		return false;
	return !to || (ear->out.codec == to->plan->send_format.codec &&
		       ear->silence == to->plan->silence &&
		       g_str_equal(ear->out.fmtp, to->plan->send_format.fmtp) &&
		       ear->out_ptime_ms == to->plan->send_ptime_ms);
}

static int build_chain(struct tl_flow_end *end, const struct tl_format *in,
		       const struct tl_flow_end *to)
{
	struct tl_ear *ear = end->ear;
	struct tl_chain_cfg cfg = {
		.in = in,
		.out = to ? &to->plan->send_format : NULL,
		.out_ptime_ms = to ? to->plan->send_ptime_ms : 0,
		.opus_complexity = end->pair->cfg.opus_complexity,
		.silence = to && to->plan->silence,
		.on_packet = on_packet,
		.user = end,
	};
	int r;

	tl_chain_free(ear->chain);
	ear->chain = NULL;
	tl_jitter_expect_copies(ear->jitter, in->codec->copies && !ear->steady);
	ear->in = *in;
	ear->encodes = to != NULL;
	ear->silence = cfg.silence;
	if (to)
		ear->out = to->plan->send_format;
	ear->out_ptime_ms = cfg.out_ptime_ms;
	if (cfg.silence && to->plan->noise_send_pt >= 0)
		cfg.on_noise = on_noise;
	r = tl_chain_new(&cfg, &ear->chain);
	if (r >= 0 && !tl_flow_can_cancel_at(end, tl_chain_rate_hz(ear->chain))) {
		tl_chain_free(ear->chain);
		ear->chain = NULL;
		cfg.rate_hz = RATE_WIDE_HZ;
		r = tl_chain_new(&cfg, &ear->chain);
	}
	if (r >= 0)
		tl_chain_set_loss(ear->chain, ear->loss);
	if (r >= 0 && to && to->mode_asked)
		tl_chain_set_request(ear->chain, to->mode_asked - 1u);
	return r;
}

bool tl_ear_is_idle(const struct tl_flow_end *end)
{
	return !end->ear || tl_jitter_due_us(end->ear->jitter) == INT64_MAX;
}

unsigned tl_ear_delay_ms(const struct tl_flow_end *end)
{
	return end->ear ? tl_jitter_target_ms(end->ear->jitter) : 0;
}

void tl_ear_set_loss(struct tl_flow_end *end, unsigned percent)
{
	if (!end->ear || end->ear->loss == percent)
		return;
	end->ear->loss = percent;
	if (end->ear->chain)
		tl_chain_set_loss(end->ear->chain, percent);
}

TL_ASIDE static void fail(struct tl_flow_end *end)
{
	g_autofree char *text = g_strdup_printf("no way from %s%s%s", end->ear->in.codec->name,
						end->ear->encodes ? " to " : "",
						end->ear->encodes ? end->ear->out.codec->name : "");

	tl_chain_free(end->ear->chain);
	end->ear->chain = NULL;
	end->ear->broken = true;
	tl_flow_tell(end, TL_MEDIA_CHAIN_FAILED, text);
}

/* The meter reads G.711 without. */
static bool needs_pcm(struct tl_flow_end *end, const struct tl_format *format)
{
	return is_tapped(end) || tl_flow_changes_sound(end) || !tl_g711_is(format->codec);
}

/* For another format, or a new plan. False: there is none. */
TL_ASIDE static bool change_chain(struct tl_flow_end *end, uint8_t pt)
{
	struct tl_ear *ear = end->ear;
	const struct tl_format *format;
	struct tl_flow_end *to;

	format = tl_flow_format(end, pt);
	if (!format)
		return false; /* a plan before the present one knew it */
	to = must_encode(end, format) ? hearer(end) : NULL;
	if (!to && !is_tapped(end))
		return false;
	if (ear->stale)
		ear->broken = false;
	ear->stale = false;
	if (!ear->chain || !fits(end, format, to) ||
	    !tl_flow_can_cancel_at(end, tl_chain_rate_hz(ear->chain))) {
		if (ear->broken)
			return false;
		if (build_chain(end, format, to) < 0) {
			fail(end);
			return false;
		}
	}
	tl_chain_set_tap(ear->chain, needs_pcm(end, format) ? on_pcm : NULL);
	return true;
}

/* The chain for a packet's format. False: there is none. */
TL_HOT(chain) static bool ready_chain(struct tl_flow_end *end, uint8_t pt)
{
	const struct tl_ear *ear = end->ear;

	return !ear->stale && ear->in.pt == pt ? ear->chain != NULL : change_chain(end, pt);
}

static void expect_silence(struct tl_ear *ear, bool silence)
{
	ear->quiet = silence;
	tl_jitter_expect_silence(ear->jitter, silence);
}

TL_ASIDE static void push_noise(struct tl_flow_end *end, const struct tl_slot *slot, unsigned ms)
{
	const struct tl_packet *packet = slot->packet;
	int r = tl_chain_noise(end->ear->chain, tl_packet_payload(packet),
			       packet->rtp.payload_bytes, ms);

	if (r == -EBADMSG)
		r = tl_chain_conceal(end->ear->chain, ms);
	expect_silence(end->ear, true);
	if (r < 0)
		fail(end);
}

static void push(struct tl_flow_end *end, const struct tl_rtp *rtp, const uint8_t *payload,
		 int64_t arrived_us, unsigned ms)
{
	struct tl_ear *ear = end->ear;
	int r;

	tl_flow_sound_place(end, rtp->ts, tl_jitter_clock_hz(ear->jitter));
	ear->arrived_us = arrived_us;
	r = tl_chain_push(ear->chain, payload, rtp->payload_bytes);
	ear->arrived_us = 0;
	expect_silence(ear, tl_format_ends_in_silence(&ear->in, payload, rtp->payload_bytes));
	if (r == -EBADMSG) {
		r = tl_chain_conceal(ear->chain, ms);
		tl_counter_add(&end->counters->concealed_us, (uint64_t)ms * 1000);
	}
	if (r < 0)
		fail(end);
}

/* Nothing goes out for a time: whoever hears this end gets a new talk spurt afterwards. */
static void pause_output(struct tl_flow_end *end)
{
	struct tl_flow_end *to = hearer(end);

	if (to && end->ear->encodes && to->out.feeder == TL_FEEDER_CHAIN)
		tl_pack_pause(&to->out);
}

/* Made up, or taken from the copy that the packet after it may carry. */
TL_ASIDE static void fill_hole(struct tl_flow_end *end, const struct tl_slot *slot, unsigned ms)
{
	struct tl_ear *ear = end->ear;
	const struct tl_packet *next = slot->next;
	int r;

	if (slot->kind == TL_SLOT_HOLE)
		tl_counter_add(&end->counters->concealed_us, (uint64_t)ms * 1000);
	if (next && next->rtp.pt == ear->in.pt)
		r = tl_chain_recover(ear->chain, ms, tl_packet_payload(next),
				     next->rtp.payload_bytes);
	else if (slot->kind == TL_SLOT_SILENCE && !ear->quiet)
		r = tl_chain_wait(ear->chain, ms);
	else
		r = tl_chain_conceal(ear->chain, ms);
	if (r < 0)
		fail(end);
}

TL_HOT(chain) static void play_slot(struct tl_flow_end *end, const struct tl_slot *slot)
{
	struct tl_ear *ear = end->ear;
	unsigned ms = slot->units * 1000 / tl_jitter_clock_hz(ear->jitter);
	bool digit = tl_dtmf_is_coming(&end->digits_in, tl_flow_now(end));

	ear->at_us = slot->at_us;
	/* A digit is being sent as an event: no audio, and none made up, goes beside it. */
	if ((slot->resumed && slot->at_us > ear->joined_us) || digit)
		pause_output(end);
	if (digit)
		return;
	if (slot->packet && tl_flow_format(end, slot->packet->rtp.pt)) {
		if (!ready_chain(end, slot->packet->rtp.pt))
			return;
		if (slot->holed)
			tl_chain_lose(ear->chain);
		push(end, &slot->packet->rtp, tl_packet_payload(slot->packet),
		     slot->packet->arrived_us, ms);
		return;
	}
	if (slot->packet) {
		if (ready_chain(end, ear->chain ? ear->in.pt : end->plan->receive_formats[0].pt))
			push_noise(end, slot, ms);
		return;
	}
	if (!ear->chain || ear->broken || ear->stale)
		return;
	fill_hole(end, slot, ms);
}

TL_HOT(chain) static void take_slot(struct tl_flow_end *end, const struct tl_slot *slot)
{
	if (slot->kind != TL_SLOT_SURPLUS)
		play_slot(end, slot);
	else if (end->ear->chain)
		tl_chain_cut(end->ear->chain);
	tl_pool_give(end->pair->env->pool, slot->packet);
}

TL_HOT(chain) void tl_ear_tick(struct tl_flow_end *end)
{
	struct tl_slot slot = { 0 };
	int64_t due_us = INT64_MAX;

	if (!end->ear)
		return;
	while (tl_jitter_take(end->ear->jitter, tl_flow_now(end), &slot, &due_us) > 0)
		take_slot(end, &slot);
	tl_flow_want(end, due_us);
}

bool tl_ear_hurry(struct tl_flow_end *end, const struct tl_rtp *rtp, const uint8_t *payload,
		  int64_t arrived_us)
{
	const struct tl_format *format = tl_flow_format(end, rtp->pt);
	struct tl_ear *ear = end->ear;
	uint32_t units = format ? tl_format_duration(format, payload, rtp->payload_bytes) : 0;

	if (!ear || !units || tl_jitter_clock_hz(ear->jitter) != format->codec->clock_hz ||
	    tl_dtmf_is_coming(&end->digits_in, arrived_us) ||
	    !tl_jitter_hurry(ear->jitter, rtp, units, arrived_us, &ear->at_us))
		return false;
	pass_request(end, payload, rtp->payload_bytes, format);
	if (ready_chain(end, rtp->pt))
		push(end, rtp, payload, arrived_us, units * 1000 / format->codec->clock_hz);
	return true;
}

void tl_ear_play_next(struct tl_flow_end *end)
{
	struct tl_slot slot = { 0 };

	while (end->ear && tl_jitter_take_next(end->ear->jitter, &slot) > 0)
		take_slot(end, &slot);
}

void tl_ear_play_rest(struct tl_flow_end *end)
{
	struct tl_slot slot = { 0 };

	tl_tape_finish(end);
	if (!end->ear)
		return;
	while (tl_jitter_take_rest(end->ear->jitter, &slot) > 0)
		take_slot(end, &slot);
	end->ear->joined_us = tl_flow_now(end) + JOIN_US;
}
