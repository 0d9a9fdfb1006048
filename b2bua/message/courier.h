#pragma once
/*
 * A request of ours outside any dialog: sent to one target, with credentials when the
 * target asks for them, to its next server when one says nothing or 503, and its final answer.
 * Signalling thread.
 */
#include <glib.h>
#include <sofia-sip/sip.h>
#include "b2bua/leg/leg.h"

struct tl_stack;
struct tl_courier;

struct tl_errand { /* lent for the call; content for as long as the courier lives */
	sip_method_t method;
	const char *method_name;
	const char *request_uri;
	const char *route;   /* next hop, as struct tl_target has it, or NULL */
	GPtrArray *hops;     /* servers of a trunk in the order to try them, as tl_trunk_hops() has
			      * them; route is the Route header then. Referenced. NULL: as route says */
	unsigned silence_ms; /* so long one of hops may say nothing */
	void (*on_failed)(const char *client, const char *hop,
			  void *user); /* one of hops; NULL ok */
	void *failed_user;             /* of on_failed() */
	struct tl_party from, to;
	const char *domain, *user_agent;       /* ours */
	const char *auth_user, *auth_password; /* for 401/407, or NULL */
	const char *client;                    /* as struct tl_target has it, or NULL */
	const char *headers;                   /* "Name: value\r\n…", or NULL */
	const char *content_type;              /* NULL: no body */
	const sip_payload_t *body;
	unsigned max_forwards;
};

/* status: of the final response, 408 or 503 without one; phrase is lent. Called once, never from
 * within tl_courier_send(). */
typedef void tl_courier_fn(struct tl_courier *courier, int status, const char *phrase, void *user);

/* 0; -EINVAL: the target's URI can't be used; -EIO: could not be sent. */
int tl_courier_send(struct tl_stack *stack, const struct tl_errand *errand, tl_courier_fn *fn,
		    void *user, struct tl_courier **ret_courier);
/* Waits no longer. NULL ok. */
void tl_courier_free(struct tl_courier *courier);
