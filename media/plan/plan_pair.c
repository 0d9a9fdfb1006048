#include "media/plan/plan_priv.h"

#include <glib.h>

bool tl_plan_pt_usable(unsigned pt, bool rtcp_mux)
{
	/* RFC 5761 4: with RTCP on the same port 64-95 are its own; without, only what RFC
	 * 3551 6 reserves, since SR is 200 = marker bit and 72, and so on. */
	if (rtcp_mux && pt >= 64 && pt <= 95)
		return false;
	return pt <= 127 && (pt < 72 || pt > 76);
}

bool tl_plan_allows(const struct tl_media_policy *policy, const struct tl_codec *codec)
{
	for (size_t i = 0; i < policy->n_codecs; i++)
		if (policy->codecs[i] == codec)
			return true;
	return false;
}

const struct tl_event_format *tl_plan_event(const struct tl_media_desc *desc, unsigned clock_hz)
{
	const struct tl_event_format *best = NULL;

	for (size_t i = 0; i < desc->n_events; i++) {
		const struct tl_event_format *event = &desc->events[i];

		if (!tl_plan_pt_usable(event->pt, desc->rtcp_mux))
			continue;
		if (event->clock_hz == clock_hz)
			return event;
		if (!best || (event->clock_hz == 8000 && best->clock_hz != 8000))
			best = event;
	}
	return best;
}

/* RFC 3389 1: for codecs that know no silence of their own. */
static bool knows_silence(const struct tl_codec *codec)
{
	return g_str_equal(codec->name, "opus") || g_str_equal(codec->name, "G729") ||
	       g_str_equal(codec->name, "G723") || g_str_has_prefix(codec->name, "AMR");
}

const struct tl_noise_format *tl_plan_noise(const struct tl_media_desc *desc,
					    const struct tl_codec *codec)
{
	for (size_t i = 0; i < desc->n_noises && !knows_silence(codec); i++)
		if (desc->noises[i].clock_hz == codec->clock_hz &&
		    tl_plan_pt_usable(desc->noises[i].pt, desc->rtcp_mux))
			return &desc->noises[i];
	return NULL;
}

unsigned tl_plan_ptime(const struct tl_format *format, unsigned wished_ms, unsigned max_ms)
{
	const struct tl_codec *codec = format->codec;
	unsigned frame_ms = tl_format_frame_ms(format);
	unsigned ptime = wished_ms ? wished_ms : tl_format_ptime_ms(format);

	ptime = MIN(ptime, TL_PTIME_MAX_MS);
	if (max_ms)
		ptime = MIN(ptime, max_ms);
	if (codec->frame_bytes)
		ptime = MIN(ptime, TL_PAYLOAD_BYTES / codec->frame_bytes * frame_ms);
	ptime -= ptime % frame_ms;
	return MAX(ptime, frame_ms);
}

bool tl_plan_relays(const struct tl_format *in, unsigned in_ptime_ms, const struct tl_format *out,
		    unsigned out_ptime_ms, unsigned out_max_ms)
{
	if (!tl_format_compatible(in, out))
		return false;
	/* RFC 8866 6.4: a limit, unlike packet time. What comes longer without having said so is
	 * found as it comes. */
	if (out_max_ms && in_ptime_ms > out_max_ms && tl_format_can_transcode(in))
		return false;
	if (!in_ptime_ms || !out_ptime_ms || in_ptime_ms == out_ptime_ms)
		return true;
	/*
	 * Packet time is a wish (RFC 4566 6), granted where that costs little. A codec that
	 * can't be decoded here goes as it comes; so does Opus, whose packets tell their own
	 * length and whose re-encoding would cost the most of all and some of the voice.
	 */
	return !tl_format_can_transcode(in) || !in->codec->frame_bytes;
}

long tl_plan_pair_worth(const struct tl_format *a, const struct tl_format *b)
{
	const struct tl_codec *x = a->codec, *y = b->codec;
	long quality = MIN(x->quality, y->quality) / 10;
	long cost = x->decode_cost + y->encode_cost + y->decode_cost + x->encode_cost;

	if (!tl_format_can_transcode(a) || !tl_format_can_transcode(b))
		return -1;
	/* A step of quality outweighs any cost, which stays below 1000 µs. */
	return quality * 1000 + MAX(0, 999 - cost);
}
