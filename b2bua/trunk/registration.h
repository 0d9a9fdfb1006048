#pragma once
/*
 * Our registration with one trunk (RFC 3261 10.2): REGISTER, refreshed when half
 * of its time has passed, tried again with back-off when it fails. Signalling thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include "b2bua/trunk/servers.h"
#include "b2bua/trunk/trunk.h"

struct tl_registration;

/* Sends the first REGISTER. Copies what it needs of cfg, whose user must not be NULL; servers is
 * lent till the end. */
struct tl_registration *tl_registration_new(struct tl_stack *stack, struct tl_servers *servers,
					    const struct tl_trunk_cfg *cfg, const char *user_agent);
/* Forgets it; a REGISTER under way is left to its fate. NULL ok. */
void tl_registration_free(struct tl_registration *registration);
/* Whether cfg asks for the same registration, so that a reload need not touch it. */
bool tl_registration_fits(const struct tl_registration *registration,
			  const struct tl_trunk_cfg *cfg);
/* Sends Expires: 0 when registered; nobody waits for the answer. */
void tl_registration_stop(struct tl_registration *registration);

enum tl_trunk_state tl_registration_state(const struct tl_registration *registration);
/* "403 Forbidden"; "" when all is well. Lent. */
const char *tl_registration_reason(const struct tl_registration *registration);
/* Unix time that it expires at; 0: not registered. */
int64_t tl_registration_expires_s(const struct tl_registration *registration);
