/*
 * media = direct: the peers send to each other. What one says of media goes to the
 * other as it is, and nothing is opened here:
 *
 *   a ── INVITE, SDP ──► ── INVITE, the same but for o= ──► b
 *   a ◄── 200, SDP ───── ◄── 200, SDP ───────────────────── b      re-INVITEs likewise, both ways
 *
 * An INVITE without an offer asks the other for one, in a call or before it (RFC 3261 14.1,
 * RFC 3725 4.1): its ACK waits meanwhile.
 *
 *   a ── INVITE ───────► ── INVITE ───────► b
 *   a ◄── 200, offer ─── ◄── 200, offer ─── b
 *   a ── ACK, answer ──► ── ACK, answer ──► b
 *
 * Before the answer an offer is passed on by UPDATE, once the first one has been answered reliably:
 *
 *   a ◄── 183, SDP, RSeq ── ◄── 183, SDP, RSeq ── b   each acknowledged by its PRACK
 *   a ── UPDATE, offer ──► ── UPDATE, offer ───► b    or a's PRACK offers; b's UPDATE likewise
 *   a ◄── 200, answer ──── ◄── 200, answer ────── b
 *
 * The caller has one early dialog, so one telephone speaks to it before the answer: the first that
 * says something of media while it alone is rung. When another one answers in the end, it is asked
 * for an offer as soon as the caller's ACK has come (RFC 3725 4.1).
 *
 * A transfer has no caller's offer at hand, either: whoever is called is asked for one, which the
 * party that stays gets in a re-INVITE. Such a call stays direct where the route lets it.
 */
#include "b2bua/call/call_priv.h"
#include <errno.h>

/* Does the route want something heard, changed or recorded by us? */
static bool needs_media(const struct tl_decision *d)
{
	return d->n_play || d->record != TL_RECORD_OFF || d->ringback == TL_RINGBACK_FILE ||
	       d->n_codecs || (int)d->dtmf >= 0 || (int)d->srtp >= 0;
}

bool tl_call_is_direct(const struct tl_call *call)
{
	const struct tl_decision *d = call->decision;

	if (call->session)
		return false;
	if (!d)
		return call->direct_stays;
	return d->verdict == TL_VERDICT_RING &&
	       (d->media == TL_MEDIA_DIRECT || (call->direct_stays && !needs_media(d)));
}

void tl_call_direct_note(struct tl_call *call)
{
	bool direct = tl_call_is_direct(call);

	if (call->leg_a)
		tl_leg_take_any(call->leg_a, direct);
	for (guint i = 0; i < call->branches->len; i++) {
		const struct tl_branch *branch = call->branches->pdata[i];

		if (branch->leg)
			tl_leg_take_any(branch->leg, direct);
	}
}

void tl_call_direct_offer(struct tl_branch *branch, struct tl_target *target)
{
	const struct tl_call *call = branch->call;

	if (!call->a.have_remote || call->a_answered)
		return;
	branch->media.local = call->a.remote;
	branch->media.have_local = true;
	target->sdp_of = call->leg_a;
}

/* The one that stays is told of the one who was called, who waits for its answer. */
static int offer_to_a(struct tl_call *call)
{
	tl_leg_pass_sdp(call->leg_a, call->b->leg);
	if (tl_leg_offer(call->leg_a, &call->b->media.remote) < 0)
		return 491;
	call->direct_waits = call->b->leg;
	return 0;
}

/* The caller holds another's answer for good: its next description of this one is an offer. */
static bool is_taken(const struct tl_call *call)
{
	return !call->a_answered && tl_leg_is_settled(call->leg_a);
}

int tl_call_direct_answer(struct tl_call *call)
{
	const struct tl_branch *from = call->b ? call->b : call->newsmaker;

	bool is_new;

	if (!from || !from->media.have_remote)
		return 488;
	if (!call->b && is_taken(call))
		return 491;
	if (call->a_answered && call->b)
		return offer_to_a(call);
	if (!call->a.have_remote)
		call->direct_waits = call->b ? call->b->leg : NULL;
	call->a.local = from->media.remote;
	call->a.have_local = true;
	is_new = tl_leg_pass_sdp(call->leg_a, from->leg);
	call->direct_unsettled = is_new && is_taken(call);
	return 0;
}

void tl_call_direct_settle(struct tl_call *call)
{
	if (!call->direct_unsettled || !call->b)
		return;
	call->direct_unsettled = false;
	if (tl_leg_offer(call->b->leg, NULL) < 0)
		g_message("call=%s leg=b could not be asked for an offer", call->id);
}

void tl_call_direct_early(struct tl_call *call)
{
	struct tl_leg *leg = call->newsmaker->leg;

	tl_leg_choose(leg);
	if (call->news->reliable)
		tl_leg_rely(call->leg_a);
}

int tl_call_direct_join(struct tl_call *call)
{
	struct tl_leg *b = call->b->leg;

	if (call->a_answered)
		return tl_leg_offer(b, NULL) < 0 ? 491 : 0;
	tl_leg_pass_sdp(b, call->leg_a);
	return tl_leg_offer(b, &call->a.remote) < 0 ? 491 : 0;
}

/* Who is at the other end, or will be as far as the caller knows; or NULL. */
static struct tl_branch *partner(const struct tl_call *call)
{
	return call->b ? call->b : call->early;
}

static struct tl_leg *other_leg(const struct tl_call *call, const struct tl_call_media *m)
{
	return m == &call->a ? partner(call)->leg : call->leg_a;
}

static struct tl_call_media *other_media(struct tl_call *call, const struct tl_call_media *m)
{
	return m == &call->a ? &partner(call)->media : &call->a;
}

/* What the asker wanted has come of the other leg: it answers that in its ACK. When it has given
 * up asking, all stays as it was. */
static void pass_wanted_offer(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			      const struct tl_media_desc *offer)
{
	struct tl_leg *asker = g_steal_pointer(&call->direct_asker);

	m->remote = *offer;
	if (tl_leg_is_asked(asker)) {
		tl_leg_pass_sdp(asker, leg);
		(void)tl_leg_accept(asker, offer);
		call->direct_waits = leg;
	} else {
		tl_leg_pass_sdp(leg, asker);
		(void)tl_leg_accept(leg, &other_media(call, m)->remote);
	}
}

/* Before the answer only those two that the caller knows of have something to say. */
static bool takes_offers(const struct tl_call *call, const struct tl_leg *leg)
{
	if (call->state == TL_CALL_RINGING)
		return call->early && (leg == call->leg_a || leg == call->early->leg);
	return (call->state == TL_CALL_TALKING || call->state == TL_CALL_JOINING) && call->b;
}

void tl_call_direct_reoffered(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			      const struct tl_media_desc *offer)
{
	struct tl_leg *other;
	int r;

	if (call->direct_asker && call->direct_asker != leg && offer && call->b) {
		pass_wanted_offer(call, leg, m, offer);
		return;
	}
	if (!takes_offers(call, leg) || call->direct_asker) {
		(void)tl_leg_decline(leg, call->direct_asker ? 491 : 500);
		return;
	}
	other = other_leg(call, m);
	if (offer)
		tl_leg_pass_sdp(other, leg);
	r = offer && tl_leg_state(other) == TL_LEG_EARLY ? tl_leg_offer_early(other, offer)
							 : tl_leg_offer(other, offer);
	if (r < 0) {
		if (offer)
			tl_leg_unpass_sdp(other);
		(void)tl_leg_decline(leg, r == -EAGAIN ? 500 : 491);
		return;
	}
	if (offer)
		m->remote = *offer;
	call->direct_asker = leg;
	call->direct_offers = offer != NULL;
}

static void answer(struct tl_call *call, struct tl_leg *to, struct tl_call_media *from)
{
	struct tl_call_media *m = other_media(call, from);

	m->local = from->remote;
	from->local = m->remote;
	m->have_local = from->have_local = true;
	tl_leg_pass_sdp(to, other_leg(call, m));
	(void)tl_leg_accept(to, &from->remote);
}

void tl_call_direct_reanswered(struct tl_call *call, struct tl_call_media *m,
			       const struct tl_media_desc *said)
{
	struct tl_leg *asker = g_steal_pointer(&call->direct_asker);
	struct tl_leg *waits = g_steal_pointer(&call->direct_waits);

	m->remote = *said;
	m->have_remote = true;
	if ((asker || waits) && partner(call))
		answer(call, asker ? asker : waits, m);
}

void tl_call_direct_unanswered(struct tl_call *call)
{
	struct tl_leg *waits = g_steal_pointer(&call->direct_waits);

	if (waits && call->b)
		answer(call, waits, waits == call->leg_a ? &call->b->media : &call->a);
}

/* What the other leg has said of an offer, for the one who made it. */
static int status_for_asker(int status)
{
	switch (status) {
	case 491: /* they have met */
	case 500:
	case 580: /* RFC 3312 8 */
		return status;
	default:
		return 488;
	}
}

void tl_call_direct_refused(struct tl_call *call, int status)
{
	struct tl_leg *asker = g_steal_pointer(&call->direct_asker);

	if (asker && partner(call) && call->direct_offers)
		tl_leg_unpass_sdp(asker == call->leg_a ? partner(call)->leg : call->leg_a);
	if (asker && call->state == TL_CALL_JOINING) /* whom we asked: what it knew holds */
		(void)tl_leg_accept(asker, &call->b->media.local);
	else if (asker)
		(void)tl_leg_decline(asker, status_for_asker(status));
}

void tl_call_direct_forget(const struct tl_branch *branch)
{
	struct tl_call *call = branch->call;

	if (!call->direct_asker || call->state == TL_CALL_LENT)
		return;
	if (call->direct_asker == branch->leg)
		call->direct_asker = NULL;
	else if (call->early == branch && call->direct_asker == call->leg_a)
		(void)tl_leg_decline(g_steal_pointer(&call->direct_asker), 500);
}
