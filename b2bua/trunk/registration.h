#pragma once
/*
 * Our registration with one trunk (RFC 3261 10.2): REGISTER, refreshed when half
 * of its time has passed, tried again with back-off when it fails. It stays with one server, and
 * goes to another when that one fails, is down, or isn't found any more; the way there is kept
 * open (keeper.h), and calls take it (service_route.h). Signalling thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include "b2bua/trunk/servers.h"
#include "b2bua/trunk/trunk.h"

struct tl_registration;

/* Sends the first REGISTER. Copies what it needs of cfg, whose user must not be NULL; servers and
 * resolver (sres_resolver_t) are lent till the end. instance: for outbound.h. */
struct tl_registration *tl_registration_new(struct tl_stack *stack, struct tl_servers *servers,
					    void *resolver, const struct tl_trunk_cfg *cfg,
					    const char *user_agent, const char *instance);
/* Forgets it; a REGISTER under way is left to its fate. NULL ok. */
void tl_registration_free(struct tl_registration *registration);
/* Whether cfg asks for the same registration, so that a reload need not touch it. */
bool tl_registration_fits(const struct tl_registration *registration,
			  const struct tl_trunk_cfg *cfg);
/* The registrar may think that more time has passed than we do: sends a REGISTER soon if
 * registered. */
void tl_registration_renew(struct tl_registration *registration);
/* Sends Expires: 0 when registered; nobody waits for the answer. */
void tl_registration_stop(struct tl_registration *registration);

enum tl_trunk_state tl_registration_state(const struct tl_registration *registration);
/* "403 Forbidden"; "" when all is well. Lent. */
const char *tl_registration_reason(const struct tl_registration *registration);
/* Where calls are to go, as tl_servers_list(): by its Service-Route, else the server that we are
 * registered with comes first. */
GPtrArray *tl_registration_hops(const struct tl_registration *registration);
/* Their Route set, or NULL. Lent till the loop goes on. */
const char *tl_registration_route(const struct tl_registration *registration);

/* Unix time that it expires at; 0: not registered. */
int64_t tl_registration_expires_s(const struct tl_registration *registration);
