#pragma once
/*
 * [expect TEXT]: a test of the dialplan that lives beside it. Private to dialplan/.
 *
 *   call      = SOURCE CALLER CALLEE [at DATE TIME [ZONE]]   ; CALLER may be "withheld"
 *   header X-… = VALUE     ; the call has this header
 *   offers, transport      ; what it offers and how it comes, as in a route
 *   route     = NAME       ; or none, also when an extension calls another without one
 *
 * All other keys are facts of the decision: decide/said.h. "none" stands for nothing.
 *
 * A call without `at` has no time; when a route's hours would decide, that is a mistake.
 */
#include "dialplan/keys/keys.h"

struct tl_expect {
	const char *name;
	struct tl_place at;
	struct tl_value call, route, offers, transport; /* as written; text NULL: not said */
	const struct tl_value *said;                    /* the facts, as written */
	size_t n_said;
	const struct tl_fact_header *headers; /* of the call: keys "header NAME" */
	size_t n_headers;
};

/* Asks the finished dialplan; what differs becomes a mistake at the key that says so. */
void tl_expect_run(struct tl_parse *p, const struct tl_expect *expect);
