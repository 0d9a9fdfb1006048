#pragma once
/*
 * Where extensions can be reached now: the bindings of the location service,
 * in memory. A table and nothing more; who may bind what is for the
 * registrar. Signalling thread; time comes in as now_s (Unix time).
 */
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

struct tl_location;

struct tl_location_binding { /* strings are its own; route may be NULL */
	char *extension, *contact, *route, *call_id, *user_agent;
	char *instance;  /* +sip.instance of RFC 5626, or NULL */
	uint32_t reg_id; /* of several flows of an instance; 0: none */
	bool received;   /* route is where the REGISTER came from, and the only way there */
	uint32_t cseq;
	double q;
	int64_t expires_s;
};

/* What becomes of a binding; the words of RFC 3680 5.1 in brackets. */
enum tl_location_event {
	TL_LOCATION_ADDED,     /* [created] */
	TL_LOCATION_REFRESHED, /* [refreshed, shortened]: anything but its contact may have changed
				*/
	TL_LOCATION_REMOVED,   /* [unregistered] by its telephone */
	TL_LOCATION_EXPIRED,   /* [expired] */
	TL_LOCATION_WITHDRAWN, /* [deactivated] by us: extension gone, connection closed */
	_TL_LOCATION_EVENT_MAX,
	_TL_LOCATION_EVENT_INVALID = -22,
};
const char *tl_location_event_name(enum tl_location_event event); /* "added" … */

struct tl_location *tl_location_new(void);
void tl_location_free(struct tl_location *location); /* NULL ok */

/* The bindings of an extension (struct tl_location_binding), or NULL when there are none.
 * May hold some that have just expired. Lent until the next change. */
const GPtrArray *tl_location_find(struct tl_location *location, const char *extension);
/* Copies. Takes the place of the binding with the same contact text. */
void tl_location_put(struct tl_location *location, const struct tl_location_binding *binding);
/* why: what observers are told. */
void tl_location_remove(struct tl_location *location, const char *extension, const char *contact,
			enum tl_location_event why);
unsigned tl_location_count(const struct tl_location *location);

/* True: away with it. */
typedef bool tl_location_fn(const struct tl_location_binding *binding, void *user);
/* Asks fn about each binding; why: what observers are told of those that go. */
void tl_location_filter(struct tl_location *location, tl_location_fn *fn,
			enum tl_location_event why, void *user);

/*
 * Observers hear of every change when it is made: find() shows it already, and binding is lent
 * for the call (of one that has gone, too). One REGISTER may make several changes one after
 * another: whoever tells others should gather them until the loop's next turn. An observer
 * changes nothing in the table from within.
 */
typedef void tl_location_observer_fn(enum tl_location_event event,
				     const struct tl_location_binding *binding, void *user);
void tl_location_observe(struct tl_location *location, tl_location_observer_fn *fn, void *user);
/* Takes back one tl_location_observe() with the same arguments; never from within an observer. */
void tl_location_unobserve(struct tl_location *location, tl_location_observer_fn *fn, void *user);
