#pragma once
/*
 * The state machine of a call: (state, event) -> (state, actions). Pure: it
 * sees no leg, no clock and no memory, so that every crossing of two legs'
 * events can be walked in a test. call.c turns news into events and carries
 * the actions out, in their order.
 *
 *            route: play            announcement ended
 *   NEW ───────────────► PLAYING ──────────────────────► RINGING ──► TALKING
 *    │  route: ring ──────────────────────────────────────▲ │ ▲        │
 *    │                                                      └─┘ next    │
 *    ├─ route: serve ──► SERVING (announcement, echo test)              │
 *    └─ route: refuse, or anything that ends it ──► ENDED ◄─────────────┘
 *
 * A transfer (call_transfer.c) is a second call, which borrows legs of the first:
 *
 *   TALKING ── lend ──► LENT ── given back ──► TALKING      the call of the transferor
 *                        └───── its own leg ends, or the others stay away ──► ENDED
 *   NEW ── route: as above, from the leg borrowed           the new call, blind
 *   NEW ── join ──► JOINING ── joined ──► TALKING           the new call, attended
 *   NEW ── take ──► RINGING                                 the same, before the answer
 */
#include <stddef.h>

enum tl_call_state {
	TL_CALL_NEW,     /* the INVITE is admitted, the dialplan has not spoken */
	TL_CALL_PLAYING, /* announcements before ringing */
	TL_CALL_RINGING, /* one step of targets is being called */
	TL_CALL_TALKING, /* two legs joined */
	TL_CALL_SERVING, /* one leg, answered by Twinleg itself */
	TL_CALL_JOINING, /* two legs of other calls; the media of one is being moved */
	TL_CALL_LENT,    /* the transferor's leg alone: the others try another call */
	TL_CALL_ENDED,   /* legs released; waits for the media's last word */
	_TL_CALL_MAX,
	_TL_CALL_INVALID = -22,
};
const char *tl_call_state_name(enum tl_call_state state);

enum tl_call_event {
	TL_CALL_EV_ROUTE_PLAY,   /* the route plays, then rings */
	TL_CALL_EV_ROUTE_RING,   /* the route rings */
	TL_CALL_EV_ROUTE_SERVE,  /* the route answers by itself */
	TL_CALL_EV_ROUTE_REFUSE, /* refused, redirected, or no route */
	TL_CALL_EV_PLAYED,       /* the caller's announcements have ended */
	TL_CALL_EV_PROGRESS,     /* a target rings or sends early media */
	TL_CALL_EV_ANSWERED,     /* a target answered */
	TL_CALL_EV_EXHAUSTED,    /* the last target of the step refused */
	TL_CALL_EV_NO_ANSWER,    /* the step's time is over */
	TL_CALL_EV_A_GONE,       /* the caller hung up, cancelled or got lost */
	TL_CALL_EV_B_GONE,       /* the callee hung up or got lost */
	TL_CALL_EV_JOIN,         /* both legs are there, of other calls */
	TL_CALL_EV_TAKE,         /* the targets of another call ring on for this one */
	TL_CALL_EV_JOINED,       /* and have agreed on the media */
	TL_CALL_EV_LEND,         /* another call takes all legs but the transferor's */
	TL_CALL_EV_RETURNED,     /* that call has failed: they are back */
	TL_CALL_EV_LEFT,         /* they won't come back */
	TL_CALL_EV_STOP,         /* operator, duration limit, dead media, shutdown */
	_TL_CALL_EVENT_MAX,
};
const char *tl_call_event_name(enum tl_call_event event);

enum tl_call_action {
	TL_CALL_DO_PLAY,     /* answer the caller (early or 200) and start the announcements */
	TL_CALL_DO_RING,     /* invite the targets of the current step */
	TL_CALL_DO_NEXT,     /* go to the next step, or follow the route's on-… */
	TL_CALL_DO_PROGRESS, /* tell the caller 180 or 183 */
	TL_CALL_DO_BRIDGE,   /* keep the winner, answer the caller, join the media */
	TL_CALL_DO_SERVE,    /* answer the caller, play or echo */
	TL_CALL_DO_JOIN,     /* answer the one, or offer to it anew, so that it meets the other */
	TL_CALL_DO_MOVE,     /* offer to leg a anew, so that it meets whoever answers */
	TL_CALL_DO_JOINED,   /* join the media; the calls that lent the legs hear of it */
	TL_CALL_DO_LEND,     /* nothing is to be done while they are away */
	TL_CALL_DO_RESUME,   /* join the media of the legs that are back */
	TL_CALL_DO_DROP_TARGETS, /* cancel whoever still rings */
	TL_CALL_DO_REFUSE_A,     /* the caller gets the refusal (or BYE, if answered) */
	TL_CALL_DO_CLOSE_A,      /* BYE to the caller */
	TL_CALL_DO_CLOSE_B,      /* BYE to the callee */
	TL_CALL_DO_FINISH,       /* release legs and timers, close the media, write the record */
	_TL_CALL_ACTION_MAX,
};

enum { TL_CALL_ACTIONS = 4 };

struct tl_call_actions {
	size_t n;
	enum tl_call_action v[TL_CALL_ACTIONS];
};

/* An event that means nothing in a state leaves it, with no action. */
enum tl_call_state tl_call_fsm_step(enum tl_call_state state, enum tl_call_event event,
				    struct tl_call_actions *ret_actions);
