#include "b2bua/call/call_fsm.h"
#include <criterion/criterion.h>

/* A story: what happens to a call, and what must have been done, in order. */
static const struct {
	const char *why;
	enum tl_call_event events[6];
	size_t n_events;
	enum tl_call_state state;
	const char *done; /* actions, by letter */
} stories[] = {
	{ "a plain call, ended by the callee",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_PROGRESS, TL_CALL_EV_ANSWERED, TL_CALL_EV_B_GONE },
	  4,
	  TL_CALL_ENDED,
	  "RpDBaF" },
	{ "announced, then answered, ended by the caller",
	  { TL_CALL_EV_ROUTE_PLAY, TL_CALL_EV_PLAYED, TL_CALL_EV_ANSWERED, TL_CALL_EV_A_GONE },
	  4,
	  TL_CALL_ENDED,
	  "PRDBbF" },
	{ "cancelled while ringing: every target is cancelled, the caller needs nothing",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_PROGRESS, TL_CALL_EV_A_GONE },
	  3,
	  TL_CALL_ENDED,
	  "RpDF" },
	{ "cancelled during the announcement: nobody has been called",
	  { TL_CALL_EV_ROUTE_PLAY, TL_CALL_EV_A_GONE },
	  2,
	  TL_CALL_ENDED,
	  "PF" },
	{ "no answer, next step, answered",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_NO_ANSWER, TL_CALL_EV_ROUTE_RING,
	    TL_CALL_EV_ANSWERED },
	  4,
	  TL_CALL_TALKING,
	  "RDNRDB" },
	{ "all busy, the follow-up announces itself and hangs up",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_EXHAUSTED, TL_CALL_EV_ROUTE_SERVE,
	    TL_CALL_EV_PLAYED },
	  4,
	  TL_CALL_ENDED,
	  "RNSaF" },
	{ "all busy, refused",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_EXHAUSTED, TL_CALL_EV_ROUTE_REFUSE },
	  3,
	  TL_CALL_ENDED,
	  "RNXF" },
	{ "BYE crosses BYE: the second one finds the call ended",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_ANSWERED, TL_CALL_EV_A_GONE, TL_CALL_EV_B_GONE },
	  4,
	  TL_CALL_ENDED,
	  "RDBbF" },
	{ "CANCEL crosses 200: the answer comes too late",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_A_GONE, TL_CALL_EV_ANSWERED },
	  3,
	  TL_CALL_ENDED,
	  "RDF" },
	{ "the end of an announcement in a bridged call means nothing",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_ANSWERED, TL_CALL_EV_PLAYED },
	  3,
	  TL_CALL_TALKING,
	  "RDB" },
	{ "transferred away: the transferor alone is left, and is released",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_ANSWERED, TL_CALL_EV_LEND, TL_CALL_EV_LEFT },
	  4,
	  TL_CALL_ENDED,
	  "RDBlabF" },
	{ "the transferor hangs up: nothing is to be done to those who are away",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_ANSWERED, TL_CALL_EV_LEND, TL_CALL_EV_B_GONE },
	  4,
	  TL_CALL_ENDED,
	  "RDBlF" },
	{ "a transfer that failed: they are back, and the call ends like any other",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_ANSWERED, TL_CALL_EV_LEND, TL_CALL_EV_RETURNED,
	    TL_CALL_EV_A_GONE },
	  5,
	  TL_CALL_ENDED,
	  "RDBlrbF" },
	{ "two legs meet",
	  { TL_CALL_EV_JOIN, TL_CALL_EV_JOINED, TL_CALL_EV_B_GONE },
	  3,
	  TL_CALL_ENDED,
	  "jJaF" },
	{ "a leg is moved to targets that ring, and one answers",
	  { TL_CALL_EV_TAKE, TL_CALL_EV_PROGRESS, TL_CALL_EV_ANSWERED, TL_CALL_EV_A_GONE },
	  4,
	  TL_CALL_ENDED,
	  "mpDBbF" },
	{ "two legs can't meet: each goes back, or ends",
	  { TL_CALL_EV_JOIN, TL_CALL_EV_ROUTE_REFUSE },
	  2,
	  TL_CALL_ENDED,
	  "jXbF" },
	{ "an operator hangs up",
	  { TL_CALL_EV_ROUTE_RING, TL_CALL_EV_ANSWERED, TL_CALL_EV_STOP },
	  3,
	  TL_CALL_ENDED,
	  "RDBabF" },
};

static const char letters[_TL_CALL_ACTION_MAX] = {
	[TL_CALL_DO_PLAY] = 'P',         [TL_CALL_DO_RING] = 'R',     [TL_CALL_DO_NEXT] = 'N',
	[TL_CALL_DO_PROGRESS] = 'p',     [TL_CALL_DO_BRIDGE] = 'B',   [TL_CALL_DO_SERVE] = 'S',
	[TL_CALL_DO_DROP_TARGETS] = 'D', [TL_CALL_DO_REFUSE_A] = 'X', [TL_CALL_DO_CLOSE_A] = 'a',
	[TL_CALL_DO_CLOSE_B] = 'b',      [TL_CALL_DO_FINISH] = 'F',   [TL_CALL_DO_LEND] = 'l',
	[TL_CALL_DO_RESUME] = 'r',       [TL_CALL_DO_JOIN] = 'j',     [TL_CALL_DO_JOINED] = 'J',
	[TL_CALL_DO_MOVE] = 'm',
};

Test(call_fsm, tells_stories)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		enum tl_call_state state = TL_CALL_NEW;
		char done[64] = "";
		size_t n = 0;

		for (size_t j = 0; j < stories[i].n_events; j++) {
			struct tl_call_actions actions;

			state = tl_call_fsm_step(state, stories[i].events[j], &actions);
			for (size_t k = 0; k < actions.n; k++)
				done[n++] = letters[actions.v[k]];
		}
		cr_expect_eq(state, stories[i].state, "%s: %s", stories[i].why,
			     tl_call_state_name(state));
		cr_expect_str_eq(done, stories[i].done, "%s", stories[i].why);
	}
}

static size_t count(const struct tl_call_actions *actions, enum tl_call_action action)
{
	size_t n = 0;

	for (size_t i = 0; i < actions->n; i++)
		n += actions->v[i] == action;
	return n;
}

/* Whatever comes: a call is finished exactly when it enters ENDED, and never leaves it. */
Test(call_fsm, ends_once_and_for_good)
{
	for (int s = 0; s < _TL_CALL_MAX; s++) {
		for (int e = 0; e < _TL_CALL_EVENT_MAX; e++) {
			struct tl_call_actions actions;
			enum tl_call_state next = tl_call_fsm_step((enum tl_call_state)s,
								   (enum tl_call_event)e, &actions);
			bool enters = s != TL_CALL_ENDED && next == TL_CALL_ENDED;

			cr_expect_eq(count(&actions, TL_CALL_DO_FINISH), enters, "%s in %s",
				     tl_call_event_name((enum tl_call_event)e),
				     tl_call_state_name((enum tl_call_state)s));
			if (s == TL_CALL_ENDED)
				cr_expect_eq(next, TL_CALL_ENDED);
		}
	}
}

/* In every living state, the caller's going and a stop end the call. */
Test(call_fsm, never_outlives_its_caller)
{
	for (int s = 0; s < TL_CALL_ENDED; s++) {
		struct tl_call_actions actions;

		cr_expect_eq(tl_call_fsm_step((enum tl_call_state)s, TL_CALL_EV_A_GONE, &actions),
			     TL_CALL_ENDED);
		cr_expect_eq(tl_call_fsm_step((enum tl_call_state)s, TL_CALL_EV_STOP, &actions),
			     TL_CALL_ENDED);
	}
}
