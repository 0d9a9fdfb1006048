#include "b2bua/call/call_fsm.h"

static const char *const state_names[_TL_CALL_MAX] = {
	[TL_CALL_NEW] = "new",         [TL_CALL_PLAYING] = "playing", [TL_CALL_RINGING] = "ringing",
	[TL_CALL_TALKING] = "talking", [TL_CALL_SERVING] = "serving", [TL_CALL_ENDED] = "ended",
	[TL_CALL_JOINING] = "joining", [TL_CALL_LENT] = "lent",
};

static const char *const event_names[_TL_CALL_EVENT_MAX] = {
	[TL_CALL_EV_ROUTE_PLAY] = "route-play",
	[TL_CALL_EV_ROUTE_RING] = "route-ring",
	[TL_CALL_EV_ROUTE_SERVE] = "route-serve",
	[TL_CALL_EV_ROUTE_REFUSE] = "route-refuse",
	[TL_CALL_EV_PLAYED] = "played",
	[TL_CALL_EV_PROGRESS] = "progress",
	[TL_CALL_EV_ANSWERED] = "answered",
	[TL_CALL_EV_EXHAUSTED] = "exhausted",
	[TL_CALL_EV_NO_ANSWER] = "no-answer",
	[TL_CALL_EV_A_GONE] = "a-gone",
	[TL_CALL_EV_B_GONE] = "b-gone",
	[TL_CALL_EV_STOP] = "stop",
	[TL_CALL_EV_JOIN] = "join",
	[TL_CALL_EV_JOINED] = "joined",
	[TL_CALL_EV_TAKE] = "take",
	[TL_CALL_EV_LEND] = "lend",
	[TL_CALL_EV_RETURNED] = "returned",
	[TL_CALL_EV_LEFT] = "left",
};

const char *tl_call_state_name(enum tl_call_state state)
{
	return state >= 0 && state < _TL_CALL_MAX ? state_names[state] : "invalid";
}

const char *tl_call_event_name(enum tl_call_event event)
{
	return event < _TL_CALL_EVENT_MAX ? event_names[event] : "invalid";
}

struct transition {
	enum tl_call_state next;
	struct tl_call_actions actions;
};

#define GO(state, ...)                                                                             \
	{                                                                                          \
		state,                                                                             \
		{                                                                                  \
			sizeof((enum tl_call_action[]) { __VA_ARGS__ }) /                          \
				sizeof(enum tl_call_action),                                       \
			{                                                                          \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
	}

/* What is not listed is ignored: its n is 0 and its next state NEW (0). */
static const struct transition table[_TL_CALL_MAX][_TL_CALL_EVENT_MAX] = {
	[TL_CALL_NEW] = {
		[TL_CALL_EV_ROUTE_PLAY] = GO(TL_CALL_PLAYING, TL_CALL_DO_PLAY),
		[TL_CALL_EV_ROUTE_RING] = GO(TL_CALL_RINGING, TL_CALL_DO_RING),
		[TL_CALL_EV_ROUTE_SERVE] = GO(TL_CALL_SERVING, TL_CALL_DO_SERVE),
		[TL_CALL_EV_ROUTE_REFUSE] =
			GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_JOIN] = GO(TL_CALL_JOINING, TL_CALL_DO_JOIN),
		[TL_CALL_EV_TAKE] = GO(TL_CALL_RINGING, TL_CALL_DO_MOVE),
		[TL_CALL_EV_A_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_FINISH),
		[TL_CALL_EV_STOP] = GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
	},
	[TL_CALL_PLAYING] = {
		[TL_CALL_EV_PLAYED] = GO(TL_CALL_RINGING, TL_CALL_DO_RING),
		[TL_CALL_EV_A_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_FINISH),
		[TL_CALL_EV_ROUTE_REFUSE] =
			GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_STOP] = GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
	},
	[TL_CALL_RINGING] = {
		[TL_CALL_EV_PROGRESS] = GO(TL_CALL_RINGING, TL_CALL_DO_PROGRESS),
		[TL_CALL_EV_ANSWERED] =
			GO(TL_CALL_TALKING, TL_CALL_DO_DROP_TARGETS, TL_CALL_DO_BRIDGE),
		[TL_CALL_EV_EXHAUSTED] = GO(TL_CALL_RINGING, TL_CALL_DO_NEXT),
		[TL_CALL_EV_NO_ANSWER] =
			GO(TL_CALL_RINGING, TL_CALL_DO_DROP_TARGETS, TL_CALL_DO_NEXT),
		/* a follow-up route has spoken */
		[TL_CALL_EV_ROUTE_PLAY] = GO(TL_CALL_PLAYING, TL_CALL_DO_PLAY),
		[TL_CALL_EV_ROUTE_RING] = GO(TL_CALL_RINGING, TL_CALL_DO_RING),
		[TL_CALL_EV_ROUTE_SERVE] = GO(TL_CALL_SERVING, TL_CALL_DO_SERVE),
		[TL_CALL_EV_ROUTE_REFUSE] =
			GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_A_GONE] =
			GO(TL_CALL_ENDED, TL_CALL_DO_DROP_TARGETS, TL_CALL_DO_FINISH),
		[TL_CALL_EV_STOP] = GO(TL_CALL_ENDED, TL_CALL_DO_DROP_TARGETS,
				       TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_LEND] = GO(TL_CALL_LENT, TL_CALL_DO_LEND),
	},
	[TL_CALL_TALKING] = {
		[TL_CALL_EV_LEND] = GO(TL_CALL_LENT, TL_CALL_DO_LEND),
		[TL_CALL_EV_A_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_B, TL_CALL_DO_FINISH),
		[TL_CALL_EV_B_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_STOP] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_A, TL_CALL_DO_CLOSE_B,
				       TL_CALL_DO_FINISH),
	},
	[TL_CALL_SERVING] = {
		[TL_CALL_EV_PLAYED] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_A_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_FINISH),
		[TL_CALL_EV_ROUTE_REFUSE] =
			GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_STOP] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_A, TL_CALL_DO_FINISH),
	},
	[TL_CALL_JOINING] = {
		[TL_CALL_EV_JOINED] = GO(TL_CALL_TALKING, TL_CALL_DO_JOINED),
		[TL_CALL_EV_ROUTE_REFUSE] = GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A,
					       TL_CALL_DO_CLOSE_B, TL_CALL_DO_FINISH),
		[TL_CALL_EV_A_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_B, TL_CALL_DO_FINISH),
		[TL_CALL_EV_B_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_FINISH),
		[TL_CALL_EV_STOP] = GO(TL_CALL_ENDED, TL_CALL_DO_REFUSE_A, TL_CALL_DO_CLOSE_B,
				       TL_CALL_DO_FINISH),
	},
	[TL_CALL_LENT] = {
		[TL_CALL_EV_RETURNED] = GO(TL_CALL_TALKING, TL_CALL_DO_RESUME),
		[TL_CALL_EV_LEFT] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_A, TL_CALL_DO_CLOSE_B,
				       TL_CALL_DO_FINISH),
		/* the transferor's leg; the others are elsewhere */
		[TL_CALL_EV_A_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_FINISH),
		[TL_CALL_EV_B_GONE] = GO(TL_CALL_ENDED, TL_CALL_DO_FINISH),
		[TL_CALL_EV_STOP] = GO(TL_CALL_ENDED, TL_CALL_DO_CLOSE_A, TL_CALL_DO_CLOSE_B,
				       TL_CALL_DO_FINISH),
	},
};

enum tl_call_state tl_call_fsm_step(enum tl_call_state state, enum tl_call_event event,
				    struct tl_call_actions *ret_actions)
{
	const struct transition *t = &table[state][event];

	*ret_actions = t->actions;
	return t->actions.n ? t->next : state;
}
