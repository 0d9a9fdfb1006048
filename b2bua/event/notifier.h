#pragma once
/*
 * The notifier (RFC 6665): who may watch what, and all the subscriptions there
 * are. Any extension may watch another's presence and calls unless that one
 * says `watchable = no`; its messages and registrations only itself. A trunk's
 * users watch the same where it says `may-watch = yes`. Signalling thread.
 */
#include <jansson.h>
#include "b2bua/event/package.h"
#include "b2bua/registrar/access.h"
#include "b2bua/sip/request.h"

enum { TL_SUBSCRIPTIONS_EACH = 256 }; /* of one watcher */

struct tl_notifier;

struct tl_notifier_cfg { /* all lent till free */
	struct tl_access *access;
	struct tl_registrar *registrar;
	struct tl_board *board;
	struct tl_publications *publications;
	struct tl_archive *archive;
	struct tl_stack *stack;
	struct tl_dialplan *dp; /* referenced */
};

/* Goes on with what the archive has kept. */
struct tl_notifier *tl_notifier_new(const struct tl_notifier_cfg *cfg);
/* Forgets the subscriptions without a word. NULL ok. */
void tl_notifier_free(struct tl_notifier *notifier);
/* After a reload; takes a reference. Who may not watch any more is told so. */
void tl_notifier_configure(struct tl_notifier *notifier, struct tl_dialplan *dp);
/* A last NOTIFY to every watcher, so that it asks anew; no answer is waited for. */
void tl_notifier_stop(struct tl_notifier *notifier);

/* A SUBSCRIBE outside dialogs. */
void tl_notifier_on_subscribe(struct tl_notifier *notifier, struct tl_request *request);
/* Something of an extension's has changed: bits of enum tl_event_origin. event: of a
 * publication; NULL: not that. */
void tl_notifier_touch(struct tl_notifier *notifier, const char *extension, unsigned origins,
		       const char *event);

/* The Expires that a SUBSCRIBE or PUBLISH gets; -1: refused with 423. */
int64_t tl_event_grant(const struct tl_gateway *gateway, struct tl_request *request);
/* 489 with what there is. */
void tl_event_refuse_event(struct tl_request *request);

unsigned tl_notifier_count(const struct tl_notifier *notifier);
/* A new reference: an array of {"event", "extension", "watcher", "source", "state",
 * "expires_in_s", "notifies"}. */
json_t *tl_notifier_json(const struct tl_notifier *notifier);
