#pragma once
/*
 * OPTIONS to telephones that can only be reached where they registered from:
 * it keeps the way through a NAT open, and shows whether there is still
 * somebody. A telephone that has answered and then does not twice in a row is
 * unreachable, until it answers or registers again; one that never answered at
 * all is none that knows OPTIONS, and nothing is said of it. Follows the
 * location's changes by itself. Signalling thread.
 */
#include "b2bua/registrar/location.h"

struct tl_stack;
struct tl_pings;

enum tl_reach {
	TL_REACH_UNKNOWN,
	TL_REACH_REACHABLE,
	TL_REACH_UNREACHABLE,
	_TL_REACH_MAX,
	_TL_REACH_INVALID = -22,
};
const char *tl_reach_name(enum tl_reach reach); /* "unknown" … */

/* Lends both till it is freed. interval_s: 0: nobody is asked. Never NULL. */
struct tl_pings *tl_pings_new(struct tl_stack *stack, struct tl_location *location,
			      unsigned interval_s);
void tl_pings_free(struct tl_pings *pings); /* before either; NULL ok */
void tl_pings_configure(struct tl_pings *pings, unsigned interval_s);

/* What is known of a binding; *ret_rtt_ms: of the last answer, 0 when there was none. */
enum tl_reach tl_pings_state(struct tl_pings *pings, const char *extension, const char *contact,
			     unsigned *ret_rtt_ms);
/* The connection to it is known to be gone. */
void tl_pings_mark_lost(struct tl_pings *pings, const char *extension, const char *contact);
