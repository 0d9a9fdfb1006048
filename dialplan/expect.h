#pragma once
/*
 * [expect TEXT]: a test of the dialplan that lives beside it. Private to dialplan/.
 *
 *   call      = SOURCE CALLER CALLEE [at DATE TIME [ZONE]]   ; CALLER may be "withheld"
 *   route     = NAME      ; or none, also when an extension calls another without one
 *   rings     = as `ring` of a route, or none
 *   plays     = as `play` of a route, or none
 *   rejects   = 486
 *   redirects = sip:…
 *   dials     = the number that targets are dialled with
 *   shows     = the caller's number that they see, or withheld
 *
 * A call without `at` has no time; when a route's hours would decide, that is a mistake.
 */
#include "dialplan/keys.h"

struct tl_expect {
	const char *name;
	struct tl_place at;
	/* values as written; text NULL: not said */
	struct tl_value call, route, rings, plays, rejects, redirects, dials, shows;
};

/* Asks the finished dialplan; what differs becomes a mistake at the key that says so. */
void tl_expect_run(struct tl_parse *p, const struct tl_expect *expect);
