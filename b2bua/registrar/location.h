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
	char *instance; /* +sip.instance of RFC 5626, or NULL */
	uint32_t cseq;
	double q;
	int64_t expires_s;
};

struct tl_location *tl_location_new(void);
void tl_location_free(struct tl_location *location); /* NULL ok */

/* The bindings of an extension (struct tl_location_binding), or NULL when there are none.
 * May hold some that have just expired. Lent until the next change. */
const GPtrArray *tl_location_find(struct tl_location *location, const char *extension);
/* Copies. Takes the place of the binding with the same contact text. */
void tl_location_put(struct tl_location *location, const struct tl_location_binding *binding);
void tl_location_remove(struct tl_location *location, const char *extension, const char *contact);
unsigned tl_location_count(const struct tl_location *location);

/* True: away with it. */
typedef bool tl_location_fn(const struct tl_location_binding *binding, void *user);
/* Asks fn about each binding. */
void tl_location_filter(struct tl_location *location, tl_location_fn *fn, void *user);
