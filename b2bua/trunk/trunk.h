#pragma once
/*
 * The trunks of the running configuration: registers with those that want it
 * (`register = yes`), counts the calls on each against its max-calls, and says
 * how each of them does. Trunks are named, never pointed at: a reload replaces
 * their settings, while counts and registrations of a name that stays go on.
 * Signalling thread.
 */
#include <glib.h>
#include "dialplan/dialplan.h"

struct tl_stack;
struct tl_trunks;
struct json_t; /* of jansson */

/* How a trunk does, as far as we know. */
enum tl_trunk_state {
	TL_TRUNK_IDLE,        /* nothing is known: it doesn't register, nobody asked */
	TL_TRUNK_REGISTERING, /* the first REGISTER is under way */
	TL_TRUNK_UP,          /* registered, or its servers answer OPTIONS */
	TL_TRUNK_DOWN,        /* refused or unreachable; tried again with back-off */
	_TL_TRUNK_MAX,
	_TL_TRUNK_INVALID = -22,
};
const char *tl_trunk_state_name(enum tl_trunk_state state); /* "idle", "registering", … */

/* Takes a reference on dp and starts to register. instance: the gateway's own UUID (outbound.h). */
int tl_trunks_new(struct tl_stack *stack, struct tl_dialplan *dp, const char *instance,
		  struct tl_trunks **ret_trunks);
/* Forgets the registrations without a word to the trunks: use tl_trunks_stop() first in
 * an orderly end. NULL ok. Before tl_stack_free(). */
void tl_trunks_free(struct tl_trunks *trunks);
/* After a reload. Takes a reference. Trunks that are gone, or no longer register, are
 * unregistered (Expires: 0); changed ones register anew; the others notice nothing. */
void tl_trunks_configure(struct tl_trunks *trunks, struct tl_dialplan *dp);
/* Sends Expires: 0 to each trunk that we are registered with; the answers are not waited for. */
void tl_trunks_stop(struct tl_trunks *trunks);

/*
 * The trunk's servers in the order that a call is to try them in, as next hops with literal
 * addresses ("sip:192.0.2.1:5060;transport=udp"); a new array that owns its texts. Empty: all are
 * down, or its name has not been resolved.
 */
GPtrArray *tl_trunk_hops(struct tl_trunks *trunks, const char *name);
/* The Route set that its registrar wants on calls and messages (Service-Route, RFC 3608),
 * "<sip:…;lr>, …"; NULL: none. Lent till the loop goes on. */
const char *tl_trunk_route(struct tl_trunks *trunks, const char *name);
/* A server has not answered a call, or with 503: others come first for a while. */
void tl_trunk_blame(struct tl_trunks *trunks, const char *name, const char *hop);

/* A call on a trunk begins. 0: counted, to be given back by tl_trunk_give().
 * -EBUSY: max-calls or calls-per-second are up (SIP 503 to the caller, or the next target). A name
 * that is not configured (any more) is counted without limit. */
int tl_trunk_take(struct tl_trunks *trunks, const char *name);
/* It has ended, also when the trunk has left the configuration meanwhile. */
void tl_trunk_give(struct tl_trunks *trunks, const char *name);

enum tl_trunk_state tl_trunk_state(const struct tl_trunks *trunks, const char *name);

/* A new reference: an array of objects, in the order of the configuration: {"name", "host",
 * "state", "reason", "registered_for_s", "servers" (tl_servers_describe()), "calls", "max_calls"}.
 */
struct json_t *tl_trunks_json(const struct tl_trunks *trunks);
