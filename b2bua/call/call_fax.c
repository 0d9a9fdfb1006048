/*
 * Fax in a call. Each leg is on audio or on T.38, and changes by a re-INVITE in
 * either direction; what the two legs have is joined by the media layer: T.38 is
 * passed on, and T.38 meets G.711 in a gateway.
 *
 *   leg a                   Twinleg                    leg b
 *     │ re-INVITE m=image      │                          │
 *     ├───────────────────────►│ re-INVITE m=image        │   its own, first: so that
 *     │                        ├─────────────────────────►│   fax goes through as it is
 *     │                        │◄───────────── 200 or 488 ┤
 *     │◄─────────── 200 m=image┤
 *     │◄═ T.38 ═══════════════►│◄═ T.38, or G.711 ═══════►│
 *
 * A leg that asks for T.38 gets it, whatever the other one says, where the other one speaks or
 * comes to speak G.711. One that goes back to audio takes the other one with it. A leg that is to
 * be asked by its configuration (t38 = offer) is so when a fax is heard on either leg: by the
 * calling tone, or by the flags of V.21, since an answering tone alone may be a data modem's. A leg
 * that refuses stays as it was, and is not asked again. Where none is to be asked, tones of modems
 * are minded in calls whose audio is decoded: their delays stand still from then on.
 */
#include "b2bua/call/call_priv.h"
#include <string.h>

static struct tl_call_media *other_of(struct tl_call *call, const struct tl_call_media *m)
{
	return m != &call->a ? &call->a : call->b ? &call->b->media : NULL;
}

static struct tl_leg *leg_of(const struct tl_call *call, const struct tl_call_media *m)
{
	return m == &call->a ? call->leg_a : call->b ? call->b->leg : NULL;
}

static const char *name_of(const struct tl_call *call, const struct tl_call_media *m)
{
	return m == &call->a ? "a" : "b";
}

static bool is_up(const struct tl_call_media *m)
{
	return m && m->have_local && m->have_remote;
}

static bool has_t38(const struct tl_call_media *m)
{
	return is_up(m) && m->local.t38.on;
}

/* Does it speak what a fax modem can be heard through? */
static bool has_g711(const struct tl_call_media *m)
{
	return is_up(m) && !m->local.t38.on && tl_plan_hears_modems(&m->local, &m->remote);
}

/* A re-INVITE; TL_LEG_REANSWERED or TL_LEG_OFFER_REFUSED follow. */
static bool ask(struct tl_call *call, struct tl_call_media *m, struct tl_media_desc *offer)
{
	struct tl_leg *leg = leg_of(call, m);

	offer->rtp = m->local.rtp;
	memset(&offer->rtcp, 0, sizeof(offer->rtcp));
	if (!leg || tl_leg_offer(leg, offer) < 0)
		return false;
	g_message("call=%s leg=%s offer=%s", call->id, name_of(call, m),
		  offer->t38.on ? "T.38" : "audio");
	g_free(m->reoffer);
	m->reoffer = g_memdup2(offer, sizeof(*offer));
	return true;
}

/* peer: what it is to go with, or NULL. */
static bool ask_t38(struct tl_call *call, struct tl_call_media *m, const struct tl_media_desc *peer)
{
	struct tl_media_desc offer;

	if (m->refuses_t38 || has_t38(m) || tl_plan_offer_t38(peer, &m->policy, &offer) < 0)
		return false;
	return ask(call, m, &offer);
}

/* What it spoke before the fax, or what it may. */
static bool ask_audio(struct tl_call *call, struct tl_call_media *m)
{
	struct tl_media_desc offer;

	if (m->voice) {
		offer = *m->voice;
		offer.direction = tl_call_hold_direction(call, m);
	} else if (tl_plan_offer(NULL, &m->policy, &offer) < 0) {
		return false;
	}
	return ask(call, m, &offer);
}

static bool ask_g711(struct tl_call *call, struct tl_call_media *m)
{
	struct tl_media_desc offer;

	if (m->refuses_g711 || has_t38(m) || has_g711(m) ||
	    tl_plan_offer_g711(&m->policy, &offer) < 0)
		return false;
	return ask(call, m, &offer);
}

/* What is to be asked of m first, now that the other leg offers that. False: nothing, or no more.
 */
static bool ask_for(struct tl_call *call, struct tl_call_media *m,
		    const struct tl_media_desc *theirs)
{
	if (call->state != TL_CALL_TALKING || !is_up(m) || m->held_offer)
		return false;
	if (!theirs->t38.on)
		return has_t38(m) && !m->refuses_audio && ask_audio(call, m);
	return !has_t38(m) && (ask_t38(call, m, theirs) || ask_g711(call, m));
}

bool tl_call_fax_ask(struct tl_call *call, struct tl_call_media *m,
		     const struct tl_media_desc *offer)
{
	struct tl_call_media *other = other_of(call, m);

	if (offer->t38.on && !m->policy.t38)
		return false;            /* it will be refused */
	if (offer->t38.on || has_t38(m)) /* what it wants now, whatever it wanted before */
		m->refuses_t38 = !offer->t38.on;
	if (other)
		other->refuses_audio = other->refuses_g711 = false;
	return other && ask_for(call, other, offer);
}

void tl_call_fax_note(struct tl_call_media *m, const struct tl_media_desc *next)
{
	if (!next->t38.on || m->local.t38.on || !m->have_local)
		return;
	g_free(m->voice);
	m->voice = g_new0(struct tl_media_desc, 1);
	tl_plan_common(&m->local, &m->remote, m->voice);
}

struct tl_media_desc *tl_call_fax_repeat(const struct tl_call_media *m)
{
	struct tl_media_desc *offer;

	if (!has_t38(m))
		return NULL;
	offer = g_memdup2(&m->local, sizeof(m->local));
	offer->direction = TL_DIR_SENDRECV;
	return offer;
}

bool tl_call_fax_refused(struct tl_call *call, struct tl_call_media *m)
{
	struct tl_call_media *other = other_of(call, m);

	if (!m->reoffer)
		return false;
	if (m->reoffer->t38.on)
		m->refuses_t38 = true;
	else if (has_t38(m))
		m->refuses_audio = true;
	else
		m->refuses_g711 = true;
	return other && other->held_offer && ask_for(call, m, other->held_offer);
}

/* Should it be asked for T.38 now, nobody else having done so? */
static bool wants_t38(struct tl_call *call, struct tl_call_media *m)
{
	struct tl_call_media *other = other_of(call, m);

	if (!is_up(m) || !is_up(other) || has_t38(m) || m->reoffer || other->reoffer)
		return false;
	if (has_t38(other))
		return !other->refuses_audio;
	return call->fax_heard && m->t38 == TL_T38_OFFER && has_g711(other);
}

void tl_call_fax_follow(struct tl_call *call)
{
	struct tl_call_media *b = call->b ? &call->b->media : NULL;

	if (call->state != TL_CALL_TALKING || !b || tl_call_is_direct(call))
		return;
	if (wants_t38(call, b) && ask_t38(call, b, has_t38(&call->a) ? &call->a.remote : NULL))
		return;
	if (wants_t38(call, &call->a))
		(void)ask_t38(call, &call->a, has_t38(b) ? &b->remote : NULL);
}

/* Is there one that would change to T.38 for a fax that is heard? */
static bool is_offered(const struct tl_call_media *m)
{
	return is_up(m) && m->t38 == TL_T38_OFFER && !m->refuses_t38 && !has_t38(m);
}

void tl_call_fax_plan(const struct tl_call *call, const struct tl_call_media *b,
		      struct tl_plan *plan)
{
	bool talking = call->state == TL_CALL_TALKING && b;
	bool listen = talking && (is_offered(&call->a) || is_offered(b));
	bool mind = talking && !listen && !call->modems && has_g711(&call->a) && has_g711(b);

	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		bool audio = plan->side[side].open && !plan->side[side].t38.on;

		plan->side[side].fax_tones = listen && audio;
		plan->side[side].modem_tones = mind && audio && plan->path[side] == TL_PATH_CHAIN;
	}
	plan->modems = call->modems;
}

void tl_call_fax_heard(struct tl_call *call, enum tl_side side, enum tl_fax_tone tone)
{
	static const char *const names[_TL_FAX_TONE_MAX] = {
		[TL_FAX_TONE_CNG] = "calling",
		[TL_FAX_TONE_CED] = "answering",
		[TL_FAX_TONE_PREAMBLE] = "V.21",
	};

	if (call->state != TL_CALL_TALKING)
		return;
	g_message("call=%s leg=%s fax tone=%s", call->id, tl_side_name(side), names[tone]);
	if (tone != TL_FAX_TONE_CED)
		call->fax_heard = true;
	if (!call->modems) {
		call->modems = true;
		(void)tl_call_media_apply(call);
	}
	tl_call_fax_follow(call);
}
