/*
 * Two legs of other calls meet: an attended transfer (one of them is re-INVITEd to
 * the other's session) or an INVITE with Replaces (RFC 3891; it is answered from
 * there). call_transfer.h draws both.
 */
#include "b2bua/call/call_transfer.h"
#include "b2bua/sip/stack.h"
#include <errno.h>

/* While the leg has an offer of its own under way, or its ACK has still to come: for as long as
 * that may take (RFC 3261 13.3.1.4). */
enum { RETRY_MS = 300, RETRIES = 32000 / RETRY_MS };

/* --- leg a moves to the session that leg b is in --- */

static void on_retry(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

/* 0, or the status that ends it. */
static int move_a(struct tl_call *call)
{
	struct tl_media_desc there = { 0 };
	struct sockaddr_storage ip;
	int status, r;

	tl_leg_local_ip(call->leg_a, &ip);
	status = tl_call_media_open(call, TL_SIDE_A, (struct sockaddr *)&ip,
				    (struct sockaddr *)&call->a.peer, &there);
	if (status == 0)
		status = tl_call_media_place(call, TL_SIDE_A, &call->a.remote, &there);
	if (status)
		return status;
	tl_plan_renew_keys(&call->a.policy, NULL);
	r = tl_call_media_reoffer(call, call->leg_a, &call->a, &there.rtp);
	if (r == -EBUSY && call->retries++ < RETRIES) {
		tl_call_start_timer(call, &call->hold_timer, RETRY_MS, on_retry);
		return 0;
	}
	return r == 0 ? 0 : r == -EBUSY ? 491 : r == -ENOENT ? 488 : 500;
}

static void refuse(struct tl_call *call, int status)
{
	tl_call_raise(call, tl_call_refuse(call, &(struct tl_cause) { .status = status }));
}

static void on_retry(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_call *call = (struct tl_call *)arg;
	int status;

	tl_timer_stop(&call->hold_timer);
	if (call->state == TL_CALL_JOINING) {
		status = move_a(call);
		if (status)
			refuse(call, status);
	} else {
		tl_call_move(call);
	}
}

void tl_call_move(struct tl_call *call)
{
	int status;

	call->a.have_remote = false; /* it is not there before it has answered */
	status = move_a(call);
	if (status) {
		tl_kept_cause_set(&call->end, &(struct tl_cause) { .status = status });
		tl_call_raise(call, TL_CALL_EV_STOP);
	}
}

int tl_call_join(struct tl_call *call)
{
	int status;

	tl_call_identify(call, TL_SIDE_A); /* read in the re-INVITE, or in the 200 */
	call->moved = call->a_answered;
	if (tl_call_is_direct(call))
		return tl_call_direct_join(call);
	if (call->a_answered)
		return move_a(call);
	status = tl_call_media_answer(call);
	if (status == 0)
		tl_call_raise(call, TL_CALL_EV_JOINED);
	return status;
}

/* Leg b has taken what the newcomer offers: he is answered. */
static void answer_newcomer(struct tl_call *call)
{
	int status = tl_call_media_answer(call);

	if (status)
		refuse(call, status);
	else
		tl_call_raise(call, TL_CALL_EV_JOINED);
}

void tl_call_reanswered(struct tl_call *call, struct tl_call_media *m,
			const struct tl_media_desc *answer)
{
	int status = answer ? tl_call_media_answered(call, m, answer) : 0;

	if (answer && call->state == TL_CALL_JOINING && !call->a_answered && m != &call->a) {
		answer_newcomer(call);
		return;
	}
	if (!answer || m != &call->a || !call->transfer)
		return;
	if (call->state == TL_CALL_JOINING && status)
		refuse(call, status);
	else if (call->state == TL_CALL_JOINING)
		tl_call_raise(call, TL_CALL_EV_JOINED);
	else if (call->state == TL_CALL_TALKING && status == 0)
		tl_call_transfer_done(call);
	else if (call->state == TL_CALL_RINGING && status == 0)
		tl_call_media_ring_back(call);
}

void tl_call_not_moved(struct tl_call *call, const struct tl_call_media *m, int status)
{
	if ((m != &call->a && !tl_call_is_direct(call)) || !call->transfer)
		return;
	if (call->state == TL_CALL_JOINING)
		refuse(call, status);
	else if (!call->a.have_remote || (m == &call->a && call->direct_waits))
		tl_call_stop(call, "transfer refused");
}

/* --- INVITE with Replaces --- */

/* 0, or the status of RFC 3891 3. */
static int find_replaced(struct tl_call *call, struct tl_call **ret_replaced,
			 enum tl_side *ret_side)
{
	const struct tl_replaces *names = &tl_leg_info(call->leg_a)->replaces;
	struct tl_leg *leg = tl_leg_find(call->app->stack, names);
	struct tl_call *replaced;

	if (!leg)
		return 481;
	if (tl_leg_state(leg) == TL_LEG_CLOSING || tl_leg_state(leg) == TL_LEG_OVER)
		return 603;
	replaced = tl_call_of_leg(leg, ret_side);
	if (!replaced || replaced->state != TL_CALL_TALKING)
		return replaced && replaced->state == TL_CALL_LENT ? 491 : 481;
	if (names->early_only)
		return 486;
	*ret_replaced = replaced;
	return 0;
}

/* This is between us and him: nothing that a callee had said. */
static enum tl_call_event refuse_newcomer(struct tl_call *call, int status)
{
	tl_leg_close(call->leg_a, &(struct tl_cause) { .status = status });
	return tl_call_refuse(call, &(struct tl_cause) { .status = status });
}

enum tl_call_event tl_call_replace(struct tl_call *call)
{
	struct tl_call *replaced;
	enum tl_side side;
	int status;

	if (tl_leg_info(call->leg_a)->needs_preconditions)
		return tl_call_refuse_preconditions(call);
	if (tl_call_pick_up(call, &tl_leg_info(call->leg_a)->replaces, &status))
		return status ? refuse_newcomer(call, status) : TL_CALL_EV_A_GONE;
	status = find_replaced(call, &replaced, &side);
	if (status == 0 && !tl_call_may_replace(call, replaced, side))
		status = 403;
	if (status == 0 && !replaced->session && !call->a.have_remote)
		status = 488; /* neither has an offer for the other */
	if (status == 0 && (replaced->direct_asker || replaced->direct_waits))
		status = 491;
	if (status == 0 && replaced->transfers >= TL_CALL_TRANSFERS)
		status = 603;
	if (status)
		return refuse_newcomer(call, status);
	g_message("call=%s leg=a source=%s replaces leg=%s of call=%s", call->id, call->source,
		  tl_side_name(side), replaced->id);
	call->transfers = replaced->transfers + 1;
	call->linked = g_strdup(replaced->id);
	call->asker = tl_call_label(replaced, side);
	call->dp_too = tl_dialplan_ref(replaced->dp);
	call->transfer = g_new0(struct tl_call_transfer, 1);
	call->direct_stays = !replaced->session;
	tl_call_lend(replaced, tl_side_other(side), call, TL_SIDE_B, replaced->session != NULL);
	return TL_CALL_EV_JOIN;
}
