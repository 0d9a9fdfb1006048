/* Legs go from one call to another, and back: call_transfer.h says when. */
#include "b2bua/call/call_transfer.h"
#include "b2bua/trunk/trunk.h"
#include <string.h>

char *tl_call_label(const struct tl_call *call, enum tl_side side)
{
	const char *name;

	if (side == TL_SIDE_A)
		return g_strdup(call->source);
	name = call->b ? call->b->name : "";
	return g_str_has_prefix(name, "trunk:") ? g_strdup(name)
						: g_strconcat("extension:", name, NULL);
}

struct tl_leg *tl_call_leg(const struct tl_call *call, enum tl_side side)
{
	if (side == TL_SIDE_A)
		return call->leg_a;
	return call->b ? call->b->leg : NULL;
}

struct tl_call *tl_call_of_leg(struct tl_leg *leg, enum tl_side *ret_side)
{
	struct tl_call *call = tl_leg_owner(leg, tl_call_on_leg_a);
	struct tl_branch *branch;

	*ret_side = TL_SIDE_A;
	if (call)
		return call;
	branch = tl_leg_owner(leg, tl_branch_on_leg);
	*ret_side = TL_SIDE_B;
	return branch && branch->call->b == branch ? branch->call : NULL;
}

static void take_a(struct tl_call *call, struct tl_call_party *party)
{
	party->number = g_strdup(call->caller);
	party->name = g_strdup(call->caller_name);
	party->withheld = call->withheld;
	party->anonymous = call->anonymous;
	party->leg = g_steal_pointer(&call->leg_a);
	party->trunk = g_steal_pointer(&call->trunk);
	party->media = call->a;
	memset(&call->a, 0, sizeof(call->a));
}

static void take_b(struct tl_call *call, struct tl_call_party *party)
{
	struct tl_branch *b = g_steal_pointer(&call->b);

	party->number = g_strdup(tl_leg_info(b->leg)->from.user);
	party->name = g_strdup(tl_leg_info(b->leg)->from.name);
	party->leg = g_steal_pointer(&b->leg);
	party->trunk = g_steal_pointer(&b->trunk);
	party->media = b->media;
	memset(&b->media, 0, sizeof(b->media));
	g_ptr_array_remove(call->branches, b); /* frees it */
}

static void seat_a(struct tl_call *call, struct tl_call_party *party)
{
	if (!call->source) { /* who is back is known there */
		call->source = g_steal_pointer(&party->label);
		call->caller = g_steal_pointer(&party->number);
		call->caller_name = g_steal_pointer(&party->name);
		call->withheld = party->withheld;
		call->anonymous = party->anonymous;
		call->call_id_a = g_strdup(tl_leg_call_id(party->leg));
	}
	g_free(party->label);
	g_free(party->number);
	g_free(party->name);
	call->leg_a = party->leg;
	call->trunk = party->trunk;
	call->a = party->media;
	call->a_answered = true;
	tl_leg_set_owner(party->leg, tl_call_on_leg_a, call);
}

static void seat_b(struct tl_call *call, struct tl_call_party *party)
{
	const char *name = g_str_has_prefix(party->label, "extension:")
				   ? party->label + strlen("extension:")
				   : party->label;
	struct tl_branch *b = tl_branch_new(call, "", name);

	g_free(call->target);
	g_free(call->call_id_b);
	call->target = g_strdup(name);
	call->call_id_b = g_strdup(tl_leg_call_id(party->leg));
	b->leg = party->leg;
	b->trunk = party->trunk;
	b->media = party->media;
	g_ptr_array_add(call->branches, b);
	call->b = b;
	tl_leg_set_owner(party->leg, tl_branch_on_leg, b);
	g_free(party->label);
	g_free(party->number);
	g_free(party->name);
}

static void move(struct tl_call *from, enum tl_side from_side, struct tl_call *to,
		 enum tl_side side)
{
	struct tl_call_party party = { .label = tl_call_label(from, from_side) };
	char id[40];

	if (from_side == TL_SIDE_A)
		take_a(from, &party);
	else
		take_b(from, &party);
	g_snprintf(id, sizeof(id), "call=%s leg=%s", to->id, tl_side_name(side));
	tl_leg_set_id(party.leg, id);
	if (side == TL_SIDE_A)
		seat_a(to, &party);
	else
		seat_b(to, &party);
}

void tl_call_seat_answerer(struct tl_call *from, struct tl_call *to)
{
	move(from, TL_SIDE_A, to, TL_SIDE_B);
}

/* Its counters go on; a record holds what they have grown by. */
static void move_session(struct tl_call *from, struct tl_call *to, bool swap)
{
	tl_session_stats(from->session, &from->kept_stats);
	to->session = g_steal_pointer(&from->session);
	tl_session_hand_over(to->session, swap, tl_call_on_media, to);
	tl_session_stats(to->session, &to->base_stats);
	if (!to->recording)
		to->recording = g_strdup(from->recording);
}

void tl_call_lend(struct tl_call *from, enum tl_side from_side, struct tl_call *to,
		  enum tl_side side, bool session)
{
	struct tl_call_loan *loan = &to->transfer->loan[side];

	move(from, from_side, to, side);
	loan->from = from;
	loan->side = from_side;
	loan->session = session;
	loan->media = side == TL_SIDE_A ? to->a : to->b->media;
	if (session)
		move_session(from, to, from_side != side);
	from->lent_to = to;
	tl_call_raise(from, TL_CALL_EV_LEND);
}

void tl_call_lend_targets(struct tl_call *from, struct tl_call *to)
{
	struct tl_call_loan *loan = &to->transfer->loan[TL_SIDE_B];

	*loan = (struct tl_call_loan) { .from = from, .side = TL_SIDE_B, .for_good = true };
	for (guint i = 0; i < from->branches->len; i++) {
		struct tl_branch *branch = from->branches->pdata[i];

		branch->call = to;
		tl_hunt_move(branch->hunt, to);
	}
	g_ptr_array_unref(to->branches);
	to->branches = from->branches;
	from->branches = g_ptr_array_new_with_free_func((GDestroyNotify)tl_branch_free);
	to->early = g_steal_pointer(&from->early);
	to->decision = g_steal_pointer(&from->decision);
	to->step = from->step;
	to->follows = from->follows;
	to->redirects = from->redirects;
	to->ringing_ms = from->ringing_ms;
	to->a_ringing = from->a_ringing;
	to->rung = true;
	to->best = from->best;
	to->best_by_b = from->best_by_b;
	from->best = (struct tl_kept_cause) { 0 };
	to->declined = g_steal_pointer(&from->declined);
	to->route = g_strdup(from->route);
	to->target = g_strdup(from->target);
	to->call_id_b = g_strdup(from->call_id_b);
	move_session(from, to, false);
	from->lent_to = to;
	tl_call_raise(from, TL_CALL_EV_LEND);
	tl_call_start_ring_timer(to);
}

/* Its media is as it was between it and its own session; where it has been told another one's
 * ports, it is told those again. */
static void restore_media(struct tl_call_media *m, struct tl_leg *leg,
			  const struct tl_call_media *before)
{
	struct tl_media_desc again, *held = m->held_offer;
	bool moved = m->local.rtp.ss_family &&
		     memcmp(&m->local.rtp, &before->local.rtp, sizeof(m->local.rtp)) != 0;
	struct tl_media_desc *voice = m->voice;

	g_free(m->offered);
	g_free(m->reoffer);
	*m = *before;
	m->offered = m->reoffer = NULL;
	m->voice = voice;
	m->held_offer = held; /* of its own, that it still waits for */
	if (!moved)
		return;
	again = m->local;
	tl_plan_renew_keys(&m->policy, &again);
	if (tl_leg_offer(leg, &again) == 0)
		m->reoffer = g_memdup2(&again, sizeof(again));
}

bool tl_call_give_back(struct tl_call *call, enum tl_side side)
{
	struct tl_call_loan *loan = call->transfer ? &call->transfer->loan[side] : NULL;
	struct tl_call *home = loan ? loan->from : NULL;
	struct tl_call_media *m = side == TL_SIDE_A ? &call->a : call->b ? &call->b->media : NULL;
	struct tl_leg *leg = tl_call_leg(call, side);

	if (!home || !leg || loan->for_good)
		return false;
	loan->from = NULL;
	home->lent_to = NULL;
	if (!loan->session)
		restore_media(m, leg, &loan->media);
	tl_leg_identify(leg, &(struct tl_party) { 0 });
	move(call, side, home, loan->side);
	if (loan->session) {
		struct tl_session_stats base = home->base_stats;

		move_session(call, home, loan->side != side);
		home->base_stats = base;
	}
	tl_call_raise(home, TL_CALL_EV_RETURNED);
	return true;
}
