#pragma once
/*
 * One subscription (RFC 6665): its dialog, its time, and its NOTIFYs, one at a
 * time, each with the whole state, and no faster than the package allows: what
 * changes in between is told at once when its turn comes.
 *
 *   SUBSCRIBE ──► active ──► (Expires: 0, time out, end()) ──► last NOTIFY ──► over
 *                   └── a NOTIFY that says the watcher is gone ─────────────────┘
 *
 * Signalling thread. The owner is called back, never from within a verb of its own.
 */
#include <jansson.h>
#include "b2bua/event/package.h"
#include "b2bua/sip/request.h"

struct tl_subscription;

struct tl_subscription_owner {
	/* The state now, to be freed with g_free(). */
	char *(*write)(const struct tl_subscription *sub, unsigned version, void *user);
	/* A SUBSCRIBE in the dialog: seconds granted, or -1: it has been answered. */
	int64_t (*admit)(const struct tl_subscription *sub, struct tl_request *request, void *user);
	/* A SUBSCRIBE in the dialog was granted, or has ended it. */
	void (*on_refreshed)(struct tl_subscription *sub, void *user);
	/* It has ended; free it. */
	void (*on_over)(struct tl_subscription *sub, void *user);
	void *user;
};

struct tl_subscription_cfg { /* copied, but for package and owner */
	const struct tl_package *package;
	const char *extension; /* watched */
	const char *watcher;   /* "1002", "trunk:carrier" */
	const char *event;     /* "dialog;id=7" */
	const char *user_agent;
	const struct tl_subscription_owner *owner; /* lent as long as the subscription lives */
};

/* Takes the request and answers it; the first NOTIFY follows. expires_s 0: it is the only one.
 * -EBADMSG, -ENOMEM: there is none, and the request has been refused. */
int tl_subscription_new(struct tl_request *request, const struct tl_subscription_cfg *cfg,
			int64_t expires_s, struct tl_subscription **ret_sub);
/* What another process needs to go on with it, a new reference; NULL: it is ending. */
json_t *tl_subscription_save(const struct tl_subscription *sub);
/* From that; cfg as when it was new. Its state is told in delay_ms, whatever was told before.
 * -EBADMSG: it can't be used. */
int tl_subscription_restore(struct tl_stack *stack, const struct tl_subscription_cfg *cfg,
			    const json_t *saved, int64_t expires_s, unsigned delay_ms,
			    struct tl_subscription **ret_sub);
const char *tl_subscription_id(const struct tl_subscription *sub);
/* Forgets it without a word. NULL ok. */
void tl_subscription_free(struct tl_subscription *sub);

/* The state may have changed: says so soon, if it has. */
void tl_subscription_touch(struct tl_subscription *sub);
/* Ends it with a last NOTIFY. reason: a word of RFC 6665 4.1.3. */
void tl_subscription_end(struct tl_subscription *sub, const char *reason);

const struct tl_package *tl_subscription_package(const struct tl_subscription *sub);
const char *tl_subscription_extension(const struct tl_subscription *sub);
const char *tl_subscription_watcher(const struct tl_subscription *sub);
const char *tl_subscription_event(const struct tl_subscription *sub);

struct tl_subscription_info {
	bool ended;
	int64_t expires_in_s;
	unsigned notifies; /* sent */
	char source[56];   /* where the SUBSCRIBE came from */
};
void tl_subscription_info(const struct tl_subscription *sub, struct tl_subscription_info *ret_info);
