#include <errno.h>

#include <glib.h>

#include "media/plan/plan_priv.h"

/* The formats of an offer that count: allowed, with a number that can be used, which none before
 * it has. */
static void list_allowed(const struct tl_media_desc *desc, const struct tl_media_policy *policy,
			 struct tl_plan_list *list)
{
	bool seen[128] = { false };

	for (size_t i = 0; i < desc->n_formats; i++) {
		const struct tl_format *format = &desc->formats[i];

		if (!tl_plan_pt_usable(format->pt, desc->rtcp_mux) || seen[format->pt])
			continue;
		seen[format->pt] = true;
		if (tl_plan_allows(policy, format->codec))
			list->v[list->n++] = format;
	}
}

/* What the other leg speaks or may come to speak, by its own preference. */
struct other {
	size_t n;
	struct tl_format v[MAX(TL_DESC_FORMATS, TL_CODECS_MAX)];
	bool known; /* it has said so itself */
};

static void list_other(const struct tl_media_desc *peer, const struct tl_media_policy *policy,
		       struct other *other)
{
	if (peer) {
		other->known = true;
		for (size_t i = 0; i < peer->n_formats; i++)
			other->v[other->n++] = peer->formats[i];
		return;
	}
	for (size_t i = 0; policy && i < policy->n_codecs; i++) {
		struct tl_format *format = &other->v[other->n++];

		*format = (struct tl_format) { .codec = policy->codecs[i] };
		if (format->codec->fmtp)
			g_strlcpy(format->fmtp, format->codec->fmtp, sizeof format->fmtp);
	}
}

/*
 * A pair that is relayed. A leg that has spoken chooses by its own order; one
 * that has not leaves it to the offerer's, and must then leave us able to play
 * announcements meanwhile.
 */
static const struct tl_format *choose_relayed(const struct tl_plan_list *offered,
					      const struct other *other,
					      const struct tl_format **ret_other)
{
	size_t n_outer = other->known ? other->n : offered->n;
	size_t n_inner = other->known ? offered->n : other->n;

	for (size_t i = 0; i < n_outer; i++) {
		for (size_t j = 0; j < n_inner; j++) {
			const struct tl_format *ours = offered->v[other->known ? j : i];
			const struct tl_format *theirs = &other->v[other->known ? i : j];

			if (!tl_plan_relays(ours, 0, theirs, 0, 0))
				continue;
			if (!other->known && !tl_format_can_transcode(ours))
				continue;
			*ret_other = theirs;
			return ours;
		}
	}
	return NULL;
}

/* The best pair by quality, then cost, then the offerer's order. A leg that has spoken will use
 * the first of its formats that we can decode. */
static const struct tl_format *choose_transcoded(const struct tl_plan_list *offered,
						 const struct other *other)
{
	const struct tl_format *best = NULL;
	long best_worth = -1;

	for (size_t j = 0; j < other->n; j++) {
		if (!tl_format_can_transcode(&other->v[j]))
			continue;
		for (size_t i = 0; i < offered->n; i++) {
			long worth = tl_plan_pair_worth(offered->v[i], &other->v[j]);

			if (worth > best_worth) {
				best_worth = worth;
				best = offered->v[i];
			}
		}
		if (other->known)
			break;
	}
	return best;
}

/* Nobody is on the other side yet and nothing is known of who may be: we play to this leg
 * ourselves, or it hears its own echo. */
static const struct tl_format *choose_playable(const struct tl_plan_list *offered)
{
	for (size_t i = 0; i < offered->n; i++)
		if (tl_format_can_transcode(offered->v[i]))
			return offered->v[i];
	return NULL;
}

static const struct tl_format *choose(const struct tl_plan_list *offered, const struct other *other,
				      const struct tl_format **ret_relayed)
{
	const struct tl_format *chosen = choose_relayed(offered, other, ret_relayed);

	if (!chosen)
		chosen = choose_transcoded(offered, other);
	if (!chosen && !other->known)
		chosen = choose_playable(offered);
	return chosen;
}

/*
 * Parameters of the answer. Those that both sides must share (AMR's layout,
 * iLBC's mode) repeat the offer; those in which each side describes itself
 * (Opus) are the other leg's when its packets are relayed, else our own.
 */
static void answer_fmtp(const struct tl_format *offered, const struct tl_format *relayed,
			char fmtp[TL_FMTP_BYTES])
{
	const char *value = offered->fmtp;

	if (g_str_equal(offered->codec->name, "opus"))
		value = relayed && relayed->fmtp[0] ? relayed->fmtp : offered->codec->fmtp;
	else if (g_str_equal(offered->codec->name, "G729") && relayed && relayed->fmtp[0])
		value = relayed->fmtp; /* annexb=no of either binds both, RFC 4856 2.1.9 */
	g_strlcpy(fmtp, value, TL_FMTP_BYTES);
}

/* RFC 3264 6.1, and RFC 2543's hold: an offer of 0.0.0.0 wants nothing sent (RFC 3264 8.4). */
static enum tl_direction answer_direction(const struct tl_media_desc *offer)
{
	enum tl_direction theirs = offer->direction;

	if (tl_plan_is_any_address(&offer->rtp))
		theirs &= TL_DIR_SENDONLY;
	return tl_direction_mirror(theirs);
}

/* May the offerer send comfort noise? Where its audio is relayed, only to who takes noise too: it
 * would have to be decoded for nothing else. */
static bool takes_noise(const struct tl_media_policy *policy, const struct tl_media_desc *peer,
			const struct tl_format *relayed)
{
	if (policy->silence)
		return true;
	if (!peer)
		return false;
	return !relayed || tl_plan_noise(peer, relayed->codec);
}

/* Of limits, 0 being none. */
static unsigned least_said(unsigned a, unsigned b)
{
	return a && b ? MIN(a, b) : MAX(a, b);
}

int tl_plan_answer(const struct tl_media_desc *offer, const struct tl_media_policy *policy,
		   const struct tl_media_desc *peer, const struct tl_media_policy *peer_policy,
		   struct tl_media_desc *ret_answer)
{
	struct tl_media_desc answer = { 0 };
	struct tl_plan_list offered = { 0 };
	struct other other = { 0 };
	const struct tl_format *chosen, *relayed = NULL;
	const struct tl_event_format *event;
	const struct tl_noise_format *noise;

	if (offer->t38.on)
		return tl_plan_answer_t38(offer, policy, peer, ret_answer);
	list_allowed(offer, policy, &offered);
	list_other(peer, peer_policy, &other);
	chosen = peer && peer->t38.on ? tl_plan_find_g711(&offered)
				      : choose(&offered, &other, &relayed);
	if (!chosen)
		return -ENOENT;

	if (tl_plan_answer_crypto(offer, policy, &answer) < 0)
		return -ENOENT;
	answer.n_formats = 1;
	answer.formats[0] = *chosen;
	answer_fmtp(chosen, relayed, answer.formats[0].fmtp);
	event = policy->telephone_event ? tl_plan_event(offer, chosen->codec->clock_hz) : NULL;
	if (event && event->pt != chosen->pt)
		answer.events[answer.n_events++] = *event;
	noise = tl_plan_noise(offer, chosen->codec);
	if (noise && noise->pt != chosen->pt && takes_noise(policy, peer, relayed))
		answer.noises[answer.n_noises++] = *noise;
	answer.direction = answer_direction(offer);
	answer.rtcp_mux = offer->rtcp_mux;
	answer.rtcp_xr = offer->rtcp_xr;
	answer.maxptime_ms =
		least_said(offer->maxptime_ms, relayed && peer ? peer->maxptime_ms : 0);
	answer.ptime_ms = tl_plan_ptime(
		chosen, offer->ptime_ms || !relayed || !peer ? offer->ptime_ms : peer->ptime_ms,
		answer.maxptime_ms);
	*ret_answer = answer;
	return 0;
}
