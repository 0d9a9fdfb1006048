#pragma once
/*
 * Connections that are registered over (RFC 5626): a telephone's, which is called by that very
 * connection, and when it closes there is no other way to it; and ours to a trunk, where it is we
 * who are called by it. A flow is named by the next hop of its bindings,
 * "sip:192.0.2.1:40000;transport=tcp": Sofia finds an open connection by its peer's address.
 * Signalling thread.
 */
#include <sofia-sip/msg_types.h>
#include <sofia-sip/nta.h>

struct tl_stack;
struct tl_flows;

/* The connection behind hop has closed. hop is lent. */
typedef void tl_flow_closed_fn(const char *hop, void *user);

struct tl_flows *tl_flows_new(struct tl_stack *stack, tl_flow_closed_fn *on_closed, void *user);
void tl_flows_free(struct tl_flows *flows); /* before its stack; tells nobody; NULL ok */
/* From now on till it closes; a message that came by UDP is passed over. Such a connection is not
 * closed for being idle. */
void tl_flows_watch(struct tl_flows *flows, msg_t *msg, const char *hop);
/* The same for one that a request of ours went out by; after its answer. */
void tl_flows_watch_sent(struct tl_flows *flows, nta_outgoing_t *orq, const char *hop);
