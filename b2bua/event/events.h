#pragma once
/*
 * SUBSCRIBE, NOTIFY and PUBLISH: what the rest of the gateway sees of this
 * room. Watches calls and registrations for those who have subscribed.
 * Signalling thread.
 */
#include <jansson.h>
#include "b2bua/sip/request.h"
#include "dialplan/dialplan.h"

struct tl_events;
struct tl_stack;
struct tl_access;
struct tl_registrar;
struct tl_board;
struct tl_archive;

struct tl_events_cfg { /* all lent till free; dp: referenced */
	struct tl_stack *stack;
	struct tl_access *access;
	struct tl_registrar *registrar;
	struct tl_board *board;
	struct tl_archive *archive; /* of subscriptions */
	struct tl_dialplan *dp;
};

/* Never NULL. */
struct tl_events *tl_events_new(const struct tl_events_cfg *cfg);
/* Before the registrar, the board and the stack. NULL ok. */
void tl_events_free(struct tl_events *events);
void tl_events_configure(struct tl_events *events, struct tl_dialplan *dp);
/* Tells every watcher that it is over, without waiting. */
void tl_events_stop(struct tl_events *events);

/* SUBSCRIBE, PUBLISH or NOTIFY outside any dialog. */
void tl_events_on_request(struct tl_events *events, struct tl_request *request);

/* What `subscriptions` prints; a new reference. */
json_t *tl_events_json(const struct tl_events *events);
unsigned tl_events_count(const struct tl_events *events);
