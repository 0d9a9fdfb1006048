#pragma once
/*
 * Connections that telephones registered over (RFC 5626): such a telephone is
 * called by that very connection, and when it closes there is no other way to it.
 * A flow is named by the next hop of its bindings, "sip:192.0.2.1:40000;transport=tcp":
 * Sofia finds an open connection by its peer's address. Signalling thread.
 */
#include <sofia-sip/msg_types.h>

struct tl_stack;
struct tl_flows;

/* The connection behind hop has closed. hop is lent. */
typedef void tl_flow_closed_fn(const char *hop, void *user);

struct tl_flows *tl_flows_new(struct tl_stack *stack, tl_flow_closed_fn *on_closed, void *user);
void tl_flows_free(struct tl_flows *flows); /* before its stack; tells nobody; NULL ok */
/* From now on till it closes; a message that came by UDP is passed over. Such a connection is not
 * closed for being idle. */
void tl_flows_watch(struct tl_flows *flows, msg_t *msg, const char *hop);
