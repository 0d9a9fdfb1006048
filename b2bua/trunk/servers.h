#pragma once
/*
 * The servers of one trunk: found by DNS ahead of calls and again when what was found has run out,
 * asked whether they live when the trunk wants that (OPTIONS, RFC 3261 11), and put in the order
 * that a call is to try them in. A server that was silent or refused with 503 stands last for a
 * while; one that doesn't answer OPTIONS isn't named at all. When DNS fails, what was found last
 * goes on. Signalling thread.
 */
#include <stdbool.h>
#include <glib.h>
#include "dialplan/settings.h"

struct sockaddr;
struct tl_stack;
struct tl_servers;

/* Copies what it needs of cfg. resolver: sres_resolver_t, lent. */
struct tl_servers *tl_servers_new(struct tl_stack *stack, void *resolver,
				  const struct tl_trunk_cfg *cfg, const char *user_agent);
void tl_servers_free(struct tl_servers *servers); /* NULL ok */
/* Whether cfg asks for the same, so that a reload need not touch it. */
bool tl_servers_fit(const struct tl_servers *servers, const struct tl_trunk_cfg *cfg);

/* "sip:192.0.2.1:5060;transport=udp", the first to try first; a new array that owns its texts.
 * Empty: none is known, or all are down. */
GPtrArray *tl_servers_list(struct tl_servers *servers);
/* "192.0.2.1:5060;transport=udp up": all that are known and how they do, the preferred first: up,
 * down, failed (a moment ago) or known (nobody has asked). A new array that owns its texts. */
GPtrArray *tl_servers_describe(const struct tl_servers *servers);
/* Which of the trunk's hosts has led to the server at this address, its port included; NULL: none.
 * Lent. */
const char *tl_servers_host(const struct tl_servers *servers, const struct sockaddr *addr);
/* A call or a registration there had no answer, or 503. */
void tl_servers_blame(struct tl_servers *servers, const char *hop);

enum tl_servers_state {
	TL_SERVERS_UNKNOWN, /* nobody has asked */
	TL_SERVERS_UP,      /* one at least answers OPTIONS */
	TL_SERVERS_DOWN,    /* none does, or the name can't be resolved */
};
enum tl_servers_state tl_servers_state(const struct tl_servers *servers);
