/*
 * media = direct: the peers send to each other. What one says of media goes to the
 * other as it is, and nothing is opened here:
 *
 *   a ── INVITE, SDP ──► ── INVITE, the same but for o= ──► b
 *   a ◄── 200, SDP ───── ◄── 200, SDP ───────────────────── b      re-INVITEs likewise, both ways
 *
 * An INVITE without an offer goes through the gateway: there is nothing to pass.
 */
#include "b2bua/call/call_priv.h"

bool tl_call_is_direct(const struct tl_call *call)
{
	return call->decision && call->decision->media == TL_MEDIA_DIRECT &&
	       call->decision->verdict == TL_VERDICT_RING && call->a.have_remote && !call->session;
}

void tl_call_direct_offer(struct tl_branch *branch, struct tl_target *target)
{
	branch->media.local = branch->call->a.remote;
	branch->media.have_local = true;
	target->sdp_of = branch->call->leg_a;
}

int tl_call_direct_answer(struct tl_call *call)
{
	const struct tl_branch *from = call->b ? call->b : call->newsmaker;

	if (!from || !from->media.have_remote)
		return 488;
	call->a.local = from->media.remote;
	call->a.have_local = true;
	tl_leg_pass_sdp(call->leg_a, from->leg);
	return 0;
}

static struct tl_leg *other_leg(const struct tl_call *call, const struct tl_call_media *m)
{
	return m == &call->a ? call->b->leg : call->leg_a;
}

void tl_call_direct_reoffered(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			      const struct tl_media_desc *offer)
{
	struct tl_leg *other;

	if (call->state != TL_CALL_TALKING || !call->b || call->direct_asker) {
		(void)tl_leg_decline(leg, call->direct_asker ? 491 : 500);
		return;
	}
	if (!offer) { /* the other one can't be asked in its name */
		(void)tl_leg_decline(leg, 488);
		return;
	}
	other = other_leg(call, m);
	tl_leg_pass_sdp(other, leg);
	if (tl_leg_offer(other, offer) < 0) {
		(void)tl_leg_decline(leg, 491);
		return;
	}
	m->remote = *offer;
	call->direct_asker = leg;
}

void tl_call_direct_reanswered(struct tl_call *call, struct tl_call_media *m,
			       const struct tl_media_desc *answer)
{
	struct tl_leg *asker = call->direct_asker;
	struct tl_call_media *other = m == &call->a ? &call->b->media : &call->a;

	call->direct_asker = NULL;
	m->remote = *answer;
	if (!asker)
		return;
	m->local = other->remote;
	other->local = *answer;
	tl_leg_pass_sdp(asker, other_leg(call, other));
	(void)tl_leg_accept(asker, answer);
}

void tl_call_direct_refused(struct tl_call *call)
{
	if (call->direct_asker)
		(void)tl_leg_decline(call->direct_asker, 488);
	call->direct_asker = NULL;
}
