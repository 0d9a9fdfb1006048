/* REFER becomes a call, and its end is told: call_transfer.h draws it. */
#include "b2bua/call/call_transfer.h"
#include "b2bua/clock.h"
#include "b2bua/log.h"
#include <string.h>

/* --- who may --- */

static enum tl_transfer_mode mode_of(const struct tl_call *call, enum tl_side side)
{
	g_autofree char *label = tl_call_label(call, side);
	const struct tl_extension_cfg *extension;
	const struct tl_trunk_cfg *trunk;
	enum tl_source_kind kind;
	const char *name;

	if (tl_source_parse(label, &kind, &name) < 0)
		return TL_TRANSFER_OFF;
	trunk = kind == TL_SOURCE_TRUNK ? tl_dialplan_trunk(call->dp, name) : NULL;
	extension = kind == TL_SOURCE_TRUNK ? NULL : tl_dialplan_extension(call->dp, name);
	if (!trunk && !extension)
		return TL_TRANSFER_OFF;
	return trunk ? trunk->transfer : extension->transfer;
}

/* What is to become of a REFER from that side: its own section forbids, the route says how. */
static enum tl_transfer_mode wanted_mode(const struct tl_call *call, enum tl_side side)
{
	enum tl_transfer_mode mode = mode_of(call, side);
	enum tl_transfer_mode route =
		call->decision ? call->decision->transfer : _TL_TRANSFER_INVALID;

	return mode == TL_TRANSFER_OFF || route == _TL_TRANSFER_INVALID ? mode : route;
}

bool tl_call_may_replace(const struct tl_call *call, const struct tl_call *replaced,
			 enum tl_side side)
{
	g_autofree char *label = tl_call_label(replaced, side);

	if (mode_of(call, TL_SIDE_A) == TL_TRANSFER_OFF ||
	    wanted_mode(replaced, side) == TL_TRANSFER_OFF)
		return false;
	/* a trunk has business with its own calls alone */
	return call->facts.source == TL_SOURCE_EXTENSION || strcmp(call->source, label) == 0;
}

/* --- the new call --- */

static struct tl_call *new_call(struct tl_call *call, enum tl_side side, struct tl_leg *asker,
				const struct tl_refer *refer)
{
	struct tl_call *fresh = tl_call_alloc(call->app, call->dp);
	enum tl_source_kind kind = TL_SOURCE_EXTENSION;
	const char *name = "";

	fresh->asker = tl_call_label(call, side);
	(void)tl_source_parse(fresh->asker, &kind, &name);
	fresh->asker_name = g_strdup(name);
	fresh->asker_number = g_strdup(kind == TL_SOURCE_EXTENSION
					       ? name
					       : tl_leg_info(tl_call_leg(call, side))->from.user);
	fresh->callee = g_strdup(refer->callee);
	fresh->linked = g_strdup(call->id);
	fresh->referred_by = g_strdup(refer->referred_by);
	fresh->transfers = call->transfers + 1;
	fresh->facts = (struct tl_facts) {
		.source = kind,
		.source_name = fresh->asker_name,
		.caller = fresh->asker_number,
		.callee = fresh->callee,
		.at_s = tl_clock_to_wall_ms(fresh->started_ms) / 1000,
		.transport = tl_leg_info(tl_call_leg(call, side))->transport,
	};
	fresh->transfer = g_new0(struct tl_call_transfer, 1);
	fresh->transfer->asker = asker;
	return fresh;
}

static void log_refer(const struct tl_call *call, enum tl_side side, const struct tl_call *fresh,
		      const struct tl_refer *refer, const char *how)
{
	char to[128];

	g_message("call=%s leg=%s refer to=\"%s\" %s becomes call=%s", call->id, tl_side_name(side),
		  tl_log_quote(refer->uri, to, sizeof(to)), how, fresh->id);
}

static void transfer_blind(struct tl_call *call, enum tl_side side, struct tl_leg *asker,
			   const struct tl_refer *refer)
{
	struct tl_call *fresh = new_call(call, side, asker, refer);

	log_refer(call, side, fresh, refer, "blind");
	if (refer->has_replaces) /* a dialog that others have with each other */
		fresh->replaces = tl_replaces_format(&refer->replaces);
	fresh->direct_stays = !call->session;
	tl_call_lend(call, tl_side_other(side), fresh, TL_SIDE_A, call->session != NULL);
	tl_leg_refer_accept(fresh->transfer->asker);
	(void)tl_call_media_apply(fresh);
	tl_call_raise(fresh, tl_call_route(fresh));
}

/* The other call has been answered: its other leg meets ours. */
static void transfer_attended(struct tl_call *call, enum tl_side side, struct tl_leg *asker,
			      struct tl_call *other, enum tl_side other_side,
			      const struct tl_refer *refer)
{
	struct tl_call *fresh = new_call(call, side, asker, refer);

	log_refer(call, side, fresh, refer, "attended");
	fresh->dp_too = tl_dialplan_ref(other->dp);
	fresh->transfers = MAX(call->transfers, other->transfers) + 1;
	fresh->direct_stays = !call->session;
	tl_call_lend(call, tl_side_other(side), fresh, TL_SIDE_A, false);
	tl_call_lend(other, tl_side_other(other_side), fresh, TL_SIDE_B, other->session != NULL);
	tl_leg_refer_accept(fresh->transfer->asker);
	tl_call_raise(fresh, TL_CALL_EV_JOIN);
}

/* The same before the answer: whoever answers there meets our leg. */
static void transfer_ringing(struct tl_call *call, enum tl_side side, struct tl_leg *asker,
			     struct tl_call *other, const struct tl_refer *refer)
{
	struct tl_call *fresh = new_call(call, side, asker, refer);

	log_refer(call, side, fresh, refer, "ringing");
	tl_dialplan_unref(fresh->dp);
	fresh->dp = tl_dialplan_ref(other->dp);
	fresh->dp_too = tl_dialplan_ref(call->dp);
	tl_call_lend(call, tl_side_other(side), fresh, TL_SIDE_A, false);
	tl_call_lend_targets(other, fresh);
	tl_leg_refer_accept(fresh->transfer->asker);
	if (fresh->a_ringing)
		tl_call_transfer_progress(fresh, 180);
	tl_call_raise(fresh, TL_CALL_EV_TAKE);
}

/* --- REFER --- */

/* The call that Replaces names, when it is ours. */
static struct tl_call *find_other(const struct tl_call *call, const struct tl_refer *refer,
				  enum tl_side *ret_side)
{
	struct tl_leg *leg =
		refer->has_replaces ? tl_leg_find(call->app->stack, &refer->replaces) : NULL;

	return leg ? tl_call_of_leg(leg, ret_side) : NULL;
}

/* 0, or the status that refuses it. */
static int check(const struct tl_call *call, enum tl_side side, const struct tl_call *other,
		 enum tl_side other_side, const struct tl_refer *refer)
{
	if (wanted_mode(call, side) == TL_TRANSFER_OFF)
		return 603;
	if (call->state == TL_CALL_LENT || call->state == TL_CALL_JOINING || call->transfer)
		return 491;
	if (call->state != TL_CALL_TALKING || call->transfers >= TL_CALL_TRANSFERS)
		return 603;
	if (call->direct_asker || call->direct_waits ||
	    (other && (other->direct_asker || other->direct_waits)))
		return 491;
	/* media that is ours and media that is not don't meet */
	if ((!call->session && !tl_call_is_direct(call)) ||
	    (other && !call->session != !other->session))
		return 603;
	if (!other)
		return 0;
	if (other == call || other->transfers >= TL_CALL_TRANSFERS)
		return 603;
	if (other->state == TL_CALL_LENT || other->state == TL_CALL_JOINING || other->transfer)
		return 491;
	if (other->state == TL_CALL_RINGING && other_side == TL_SIDE_A && !other->a_answered &&
	    other->session)
		return wanted_mode(other, other_side) == TL_TRANSFER_OFF ? 603 : 0;
	if (other->state != TL_CALL_TALKING)
		return 603;
	if (refer->replaces.early_only)
		return 486; /* what the INVITE with Replaces would get */
	return wanted_mode(other, other_side) == TL_TRANSFER_OFF ? 603 : 0;
}

static bool pass(struct tl_call *call, enum tl_side side, struct tl_call *other,
		 enum tl_side other_side, const struct tl_refer *refer)
{
	g_autofree char *label = tl_call_label(call, side);
	struct tl_facts facts = { .callee = refer->callee,
				  .at_s = g_get_real_time() / G_USEC_PER_SEC,
				  .transport = call->facts.transport };

	if (tl_source_parse(label, &facts.source, &facts.source_name) < 0)
		return false;
	facts.caller = facts.source == TL_SOURCE_EXTENSION
			       ? facts.source_name
			       : tl_leg_info(tl_call_leg(call, side))->from.user;
	return tl_call_pass_refer(call, side, &facts, other, other_side, refer);
}

void tl_call_referred(struct tl_call *call, enum tl_side side, struct tl_leg *asker,
		      const struct tl_refer *refer)
{
	enum tl_side other_side = TL_SIDE_A;
	struct tl_call *other = find_other(call, refer, &other_side);
	int status = check(call, side, other, other_side, refer);

	/* what came outside the call can't be told what becomes of it there */
	bool passed = status == 0 && asker == tl_call_leg(call, side) &&
		      wanted_mode(call, side) == TL_TRANSFER_PASS &&
		      pass(call, side, other, other_side, refer);

	if (passed)
		return;
	if (status) {
		g_message("call=%s leg=%s refer refused status=%d", call->id, tl_side_name(side),
			  status);
		tl_leg_refer_decline(asker, status, NULL);
	} else if (other && other->state == TL_CALL_RINGING) {
		transfer_ringing(call, side, asker, other, refer);
	} else if (other) {
		transfer_attended(call, side, asker, other, other_side, refer);
	} else {
		transfer_blind(call, side, asker, refer);
	}
}

/* --- how it goes on --- */

void tl_call_transfer_progress(struct tl_call *call, int status)
{
	if (call->transfer && call->transfer->asker)
		tl_leg_refer_tell(call->transfer->asker, status);
}

/*
 * Whoever lent a leg that does not come back is left with the transferor's, which
 * gets a BYE; when it is still to be told how it went, after that.
 */
static void release_lenders(struct tl_call *call, int status)
{
	static const struct tl_cause transferred = {
		.reason = "SIP;cause=200;text=\"Transferred\"",
	};
	struct tl_call_transfer *transfer = g_steal_pointer(&call->transfer);
	bool tells = transfer->asker && tl_leg_refer_end(transfer->asker, status);

	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++) {
		struct tl_call *lender = transfer->loan[side].from;
		enum tl_side own = tl_side_other(transfer->loan[side].side);

		if (!lender)
			continue;
		lender->lent_to = NULL;
		lender->ended_by = tl_side_name(own);
		tl_kept_cause_set(&lender->end, status < 300 ? &transferred : &call->end.cause);
		if (!lender->linked)
			lender->linked = g_strdup(call->id);
		if (!tells || tl_call_leg(lender, own) != transfer->asker)
			tl_call_raise(lender, TL_CALL_EV_LEFT);
	}
	g_free(transfer);
}

void tl_call_refer_done(struct tl_call *call)
{
	if (!call->lent_to)
		tl_call_raise(call, TL_CALL_EV_LEFT);
}

void tl_call_transfer_done(struct tl_call *call)
{
	struct tl_call *lender = call->transfer ? call->transfer->loan[TL_SIDE_B].from : NULL;

	if (!call->transfer)
		return;
	g_message("call=%s transferred by=%s target=%s", call->id, call->asker,
		  call->target ? call->target : "-");
	if (!call->answered_ms)
		call->answered_ms = tl_clock_ms();
	if (!call->decision && lender)
		call->decision = g_steal_pointer(&lender->decision);
	if (!call->route && lender)
		call->route = g_strdup(lender->route);
	tl_call_limit_duration(call);
	if (call->session)
		tl_call_media_record(call);
	release_lenders(call, 200);
	tl_call_tell_identities(call, call->moved);
}

static int final_status(const struct tl_call *call)
{
	int status = tl_cause_for_caller(&call->end.cause).status;

	return status >= 300 ? status : 487;
}

static void break_loan(struct tl_call *lender)
{
	struct tl_call_transfer *transfer = lender->lent_to->transfer;

	for (enum tl_side side = TL_SIDE_A; transfer && side < _TL_SIDE_MAX; side++)
		if (transfer->loan[side].from == lender)
			transfer->loan[side].from = NULL;
	lender->lent_to = NULL;
}

void tl_call_transfer_forget(struct tl_call *call)
{
	if (call->passing) /* whoever does it has hung up without a last word: it has left */
		tl_call_refer_news(call, 200);
	if (call->lent_to)
		break_loan(call);
	if (call->transfer)
		release_lenders(call, final_status(call));
}

void tl_call_rest(struct tl_call *call)
{
	tl_timer_stop(&call->ring_timer);
	tl_timer_stop(&call->hold_timer);
}

void tl_call_resume(struct tl_call *call)
{
	int status;

	if (!call->b || !call->leg_a || !call->session)
		return;
	g_message("call=%s resumed", call->id);
	call->a.hears_music = call->b->media.hears_music = false;
	tl_session_play_stop(call->session, TL_SIDE_A);
	tl_session_play_stop(call->session, TL_SIDE_B);
	status = tl_call_media_apply(call);
	if (status) {
		tl_call_stop(call, "media");
		return;
	}
	tl_call_hold_follow(call);
}
