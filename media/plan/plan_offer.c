#include <errno.h>

#include <glib.h>

#include "media/plan/plan_priv.h"

enum { FIRST_DYNAMIC_PT = 96, LAST_PT = 127, EVENT_PT = 101 };

/* Payload types of one description. */
struct numbers {
	bool taken[LAST_PT + 1];    /* given out */
	bool reserved[LAST_PT + 1]; /* not for us: the peer means something else by it */
	bool agreed;                /* the peer is who is offered to: it knows its numbers */
};

/* The peer's numbers keep their meaning even where the format is not offered on, so that a person
 * who compares both legs is not misled. 101 is telephone-event to many a phone, whatever we say. */
static void reserve(struct numbers *numbers, const struct tl_media_desc *peer)
{
	numbers->reserved[EVENT_PT] = true;
	for (size_t i = 0; peer && i < peer->n_formats; i++)
		numbers->reserved[peer->formats[i].pt & LAST_PT] = true;
	for (size_t i = 0; peer && i < peer->n_events; i++)
		numbers->reserved[peer->events[i].pt & LAST_PT] = true;
}

static uint8_t take(struct numbers *numbers, int pt)
{
	numbers->taken[pt] = true;
	return (uint8_t)pt;
}

/* A free dynamic number, RFC 3551 6. There are 32, more than formats and events together; when
 * those reserved don't leave enough they are used too. */
static uint8_t take_dynamic(struct numbers *numbers)
{
	int pt = FIRST_DYNAMIC_PT;

	while (pt <= LAST_PT && (numbers->taken[pt] || numbers->reserved[pt]))
		pt++;
	if (pt > LAST_PT)
		for (pt = FIRST_DYNAMIC_PT; pt < LAST_PT && numbers->taken[pt]; pt++)
			;
	return take(numbers, pt);
}

/* The peer's own number, so that a relayed call maps nothing, unless it is in use or belongs to
 * another codec by RFC 3551 6. A codec that has a number there goes by that, whatever another leg
 * calls it: many a phone knows PCMA as 8 alone. */
static uint8_t take_peers(struct numbers *numbers, const struct tl_codec *codec, unsigned pt)
{
	bool has_own = codec && codec->static_pt >= 0;
	bool dynamic = pt >= 35 && tl_plan_pt_usable(pt, true);

	if (dynamic && (!has_own || numbers->agreed) && !numbers->taken[pt])
		return take(numbers, (int)pt);
	if (has_own && !numbers->taken[codec->static_pt])
		return take(numbers, codec->static_pt);
	return take_dynamic(numbers);
}

static uint8_t take_ours(struct numbers *numbers, const struct tl_codec *codec)
{
	if (codec->static_pt >= 0 && !numbers->taken[codec->static_pt])
		return take(numbers, codec->static_pt);
	return take_dynamic(numbers);
}

/* The place for a further format, or NULL: it stands there already, or the list is full. */
static struct tl_format *append(struct tl_media_desc *offer, const struct tl_format *format)
{
	if (offer->n_formats == TL_DESC_FORMATS)
		return NULL;
	for (size_t i = 0; i < offer->n_formats; i++)
		if (tl_format_compatible(&offer->formats[i], format))
			return NULL;
	offer->formats[offer->n_formats] = *format;
	return &offer->formats[offer->n_formats++];
}

/* What both the peer and the policy have: it may be relayed. */
static void append_common(struct tl_media_desc *offer, const struct tl_media_desc *peer,
			  const struct tl_media_policy *policy, struct numbers *numbers)
{
	for (size_t i = 0; i < peer->n_formats; i++) {
		const struct tl_format *theirs = &peer->formats[i];
		struct tl_format *added;

		if (!tl_plan_allows(policy, theirs->codec))
			continue;
		added = append(offer, theirs);
		if (added)
			added->pt = take_peers(numbers, theirs->codec, theirs->pt);
	}
}

/* A peer that speaks nothing that we can decode can't be transcoded to anything. */
static bool can_decode_any(const struct tl_media_desc *peer)
{
	for (size_t i = 0; i < peer->n_formats; i++)
		if (tl_format_can_transcode(&peer->formats[i]))
			return true;
	return false;
}

static void append_ours(struct tl_media_desc *offer, const struct tl_codec *codec, const char *fmtp,
			struct numbers *numbers)
{
	struct tl_format format = { .codec = codec };
	struct tl_format *added;

	g_strlcpy(format.fmtp, fmtp ? fmtp : "", sizeof format.fmtp);
	added = append(offer, &format);
	if (added)
		added->pt = take_ours(numbers, codec);
}

static void append_transcoded(struct tl_media_desc *offer, const struct tl_media_policy *policy,
			      struct numbers *numbers)
{
	for (size_t i = 0; i < policy->n_codecs; i++) {
		const struct tl_codec *codec = policy->codecs[i];

		if (!tl_codec_can_transcode(codec))
			continue;
		/* G.729 Annex B leaves silence out: RFC 7261 3 */
		append_ours(offer, codec,
			    policy->silence && g_str_equal(codec->name, "G729") ? "annexb=yes"
										: codec->fmtp,
			    numbers);
		if (codec->fmtp_too)
			append_ours(offer, codec, codec->fmtp_too, numbers);
	}
}

static const struct tl_event_format *event_at(const struct tl_media_desc *desc, unsigned clock_hz)
{
	for (size_t i = 0; desc && i < desc->n_events; i++)
		if (desc->events[i].clock_hz == clock_hz)
			return &desc->events[i];
	return NULL;
}

/* RFC 4733 2.1: events run on the clock of the audio beside them. */
static void append_event(struct tl_media_desc *offer, unsigned clock_hz,
			 const struct tl_media_desc *peer, struct numbers *numbers)
{
	const struct tl_event_format *theirs = event_at(peer, clock_hz);
	struct tl_event_format event = { .clock_hz = clock_hz };

	if (offer->n_events == TL_DESC_EVENTS || event_at(offer, clock_hz))
		return;
	if (theirs)
		event.pt = take_peers(numbers, NULL, theirs->pt);
	else if (clock_hz == 8000 && !numbers->taken[EVENT_PT])
		event.pt = take(numbers, EVENT_PT);
	else
		event.pt = take_dynamic(numbers);
	offer->events[offer->n_events++] = event;
}

/* At each clock that is offered, and at 8000 Hz, the only one that some phones know, even beside
 * Opus. */
static void append_events(struct tl_media_desc *offer, const struct tl_media_desc *peer,
			  struct numbers *numbers)
{
	for (size_t i = 0; i < offer->n_formats; i++)
		append_event(offer, offer->formats[i].codec->clock_hz, peer, numbers);
	append_event(offer, 8000, peer, numbers);
}

/* Comfort noise where the peer has it, for it is passed on, or where what we encode leaves silence
 * out: beside the formats of that clock which need it. */
static void append_noises(struct tl_media_desc *offer, const struct tl_media_desc *peer,
			  const struct tl_media_policy *policy, struct numbers *numbers)
{
	struct tl_media_desc wish = { .n_noises = 1, .noises = { { 13, 8000 } } };
	const struct tl_media_desc *from = peer && peer->n_noises ? peer : &wish;

	if (from == &wish && !policy->silence)
		return;
	for (size_t i = 0; i < from->n_noises; i++) {
		struct tl_noise_format noise = from->noises[i];
		struct tl_media_desc one = { .n_noises = 1, .noises = { noise } };
		bool used = false;

		for (size_t f = 0; f < offer->n_formats; f++)
			used = used || tl_plan_noise(&one, offer->formats[f].codec);
		if (!used)
			continue;
		noise.pt = noise.pt == 13 && !numbers->taken[13] ? take(numbers, 13)
								 : take_dynamic(numbers);
		offer->noises[offer->n_noises++] = noise;
	}
}

static int make_offer(const struct tl_media_desc *peer, bool agreed,
		      const struct tl_media_policy *policy, struct tl_media_desc *ret_offer)
{
	struct tl_media_desc offer = { .direction = TL_DIR_SENDRECV, .rtcp_xr = true };
	struct numbers numbers = { .agreed = agreed };

	if (peer && peer->t38.on)
		return tl_plan_offer_g711(policy, ret_offer);
	reserve(&numbers, peer);
	if (peer)
		append_common(&offer, peer, policy, &numbers);
	if (!peer || can_decode_any(peer))
		append_transcoded(&offer, policy, &numbers);
	if (!offer.n_formats)
		return -ENOENT;
	if (policy->telephone_event)
		append_events(&offer, peer, &numbers);
	append_noises(&offer, peer, policy, &numbers);
	tl_plan_offer_crypto(policy, &offer);
	if (peer) {
		/* What the peer says of itself is what we can be to the other side: a leg on
		 * hold (sendonly) lets us be sendonly there (RFC 3264 8.4). */
		offer.direction = peer->direction;
		offer.maxptime_ms = peer->maxptime_ms;
	}
	offer.ptime_ms =
		tl_plan_ptime(&offer.formats[0], peer ? peer->ptime_ms : 0, offer.maxptime_ms);
	*ret_offer = offer;
	return 0;
}

int tl_plan_offer(const struct tl_media_desc *peer, const struct tl_media_policy *policy,
		  struct tl_media_desc *ret_offer)
{
	return make_offer(peer, false, policy, ret_offer);
}

int tl_plan_offer_again(const struct tl_media_desc *spoken, const struct tl_media_policy *policy,
			struct tl_media_desc *ret_offer)
{
	return make_offer(spoken, true, policy, ret_offer);
}
