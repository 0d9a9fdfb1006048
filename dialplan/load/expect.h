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
 *   header X-… = VALUE     ; the call has this header
 *   offers, transport      ; what it offers and how it comes, as in a route
 *   caller-name, privacy, codecs, media, dtmf, srtp, record   ; what the route then states
 *
 * A call without `at` has no time; when a route's hours would decide, that is a mistake.
 */
#include "dialplan/keys/keys.h"

struct tl_expect {
	const char *name;
	struct tl_place at;
	/* values as written; text NULL: not said */
	struct tl_value call, route, rings, plays, rejects, redirects, dials, shows;
	struct tl_value offers, transport, caller_name, privacy, codecs, media, dtmf, srtp, record;
	const struct tl_fact_header *headers; /* of the call: keys "header NAME" */
	size_t n_headers;
};

/* Asks the finished dialplan; what differs becomes a mistake at the key that says so. */
void tl_expect_run(struct tl_parse *p, const struct tl_expect *expect);
