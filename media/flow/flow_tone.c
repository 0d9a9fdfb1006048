#include <glib.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"

enum { SILENCE_US = 100000 }; /* nothing was decoded for so long: a digit is over */

TL_HOT(packet) bool tl_flow_listens(struct tl_flow_end *end)
{
	struct tl_flow_end *to = tl_flow_target(end);

	return end->plan->tones && to && to != end && !to->plan->tones;
}

static void begin(struct tl_flow_end *end, char digit)
{
	struct tl_flow_end *to = tl_flow_target(end);

	end->ear->digit = digit;
	end->ear->digit_us = tl_flow_now(end);
	if (to->plan->event_send_pt >= 0 && to->plan->send &&
	    tl_dtmf_hold(&to->digits_out, (uint8_t)tl_dtmf_event(digit)) == 0)
		tl_flow_want(to, tl_flow_now(to));
}

static void finish(struct tl_flow_end *end, unsigned duration_ms)
{
	if (!end->ear->digit)
		return;
	tl_dtmf_release(&tl_flow_other(end)->digits_out, duration_ms);
	tl_flow_tell_digit(end, end->ear->digit, duration_ms);
	end->ear->digit = '\0';
}

static bool ready_ear(struct tl_flow_end *end, unsigned rate_hz)
{
	struct tl_ear *ear = end->ear;

	if (ear->tones && ear->tones_hz == rate_hz)
		return true;
	tl_tone_ear_free(ear->tones);
	ear->tones = NULL;
	ear->tones_hz = rate_hz;
	return tl_tone_ear_new(rate_hz, &ear->tones) == 0;
}

TL_ASIDE static void hear(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz)
{
	struct tl_tone_news news[TL_TONE_NEWS];
	size_t n;

	if (!ready_ear(end, rate_hz))
		return;
	end->ear->tones_us = tl_flow_now(end);
	n = tl_tone_ear_hear(end->ear->tones, pcm, samples, news);
	for (size_t i = 0; i < n; i++) {
		finish(end, news[i].duration_ms);
		if (news[i].digit)
			begin(end, news[i].digit);
	}
}

void tl_flow_tone_stop(struct tl_flow_end *end)
{
	if (!end->ear || !end->ear->digit)
		return;
	tl_tone_ear_stop(end->ear->tones);
	finish(end, (unsigned)((end->ear->tones_us - end->ear->digit_us) / 1000));
}

TL_HOT(chain)
void tl_flow_tone_hear(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz)
{
	if (tl_flow_listens(end))
		hear(end, pcm, samples, rate_hz);
}

TL_HOT(chain) void tl_flow_tone_expire(struct tl_flow_end *end)
{
	if (!end->ear || !end->ear->digit)
		return;
	if (tl_flow_now(end) - end->ear->tones_us >= SILENCE_US)
		tl_flow_tone_stop(end);
	else
		tl_flow_want(end, end->ear->tones_us + SILENCE_US);
}

static void on_packet(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	tl_flow_send_audio(user, TL_FEEDER_TONES, payload, bytes, duration, NULL, 0);
}

static bool ready_mouth(struct tl_flow_end *end)
{
	struct tl_chain_cfg cfg = {
		.out = &end->plan->send_format,
		.out_ptime_ms = end->plan->send_ptime_ms,
		.rate_hz = TL_TONE_HZ,
		.opus_complexity = end->pair->cfg.opus_complexity,
		.on_packet = on_packet,
		.user = end,
	};

	if (end->mouth.chain)
		return true;
	if (tl_chain_new(&cfg, &end->mouth.chain) == 0)
		return true;
	tl_flow_tell(end, TL_MEDIA_CHAIN_FAILED, "no way to send tones");
	return false;
}

/*
 * A queued digit is taken in steps, as an event is; the repeats of its end are the silence between
 * two digits.
 */
static void speak(struct tl_flow_end *end, const struct tl_dtmf_packet *packet)
{
	int16_t pcm[TL_TONE_STEP];

	if (packet->first) {
		tl_tone_mouth_set(&end->mouth.tone, tl_dtmf_digit(packet->event.event));
		end->mouth.ended = false;
	}
	if (end->mouth.ended)
		tl_tone_mouth_set(&end->mouth.tone, '\0');
	end->mouth.ended = packet->event.end;
	tl_tone_mouth_speak(&end->mouth.tone, pcm);
	if (tl_chain_push_pcm(end->mouth.chain, pcm, TL_TONE_STEP) < 0)
		tl_flow_tone_drop(end);
	if (packet->last)
		tl_pack_pause(&end->out);
}

void tl_flow_tone_tick(struct tl_flow_end *end)
{
	struct tl_dtmf_packet packet;
	int64_t due_us;

	if (!ready_mouth(end)) {
		end->digits_out = (struct tl_dtmf_tx) { 0 };
		return;
	}
	while (end->mouth.chain &&
	       tl_dtmf_take(&end->digits_out, TL_TONE_HZ, tl_flow_now(end), &packet, &due_us))
		speak(end, &packet);
	tl_flow_want(end, due_us);
}

void tl_flow_tone_drop(struct tl_flow_end *end)
{
	tl_chain_free(end->mouth.chain);
	end->mouth.chain = NULL;
}
