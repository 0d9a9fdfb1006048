#pragma once
/*
 * What is known of a call when the dialplan is asked: plain data that the
 * caller of tl_dialplan_decide() lends for the call.
 */
#include <stddef.h>
#include <stdint.h>
#include "dialplan/settings.h"

enum tl_source_kind {
	TL_SOURCE_TRUNK,
	TL_SOURCE_EXTENSION,
	_TL_SOURCE_MAX,
	_TL_SOURCE_INVALID = -22,
};
const char *tl_source_kind_name(enum tl_source_kind kind); /* "trunk", "extension" */

/* What an offer asks for: a bit 1u << kind each. A line with port 0 asks for nothing. */
enum tl_offered {
	TL_OFFERED_AUDIO, /* m=audio */
	TL_OFFERED_FAX,   /* m=image with udptl or t38 (T.38) */
	TL_OFFERED_VIDEO, /* m=video */
	_TL_OFFERED_MAX,
	_TL_OFFERED_INVALID = -22,
};
const char *tl_offered_name(enum tl_offered kind); /* "audio", "fax", "video" */

/* A header field of the INVITE: long form of its name (From, not f), value unfolded. */
struct tl_fact_header {
	const char *name, *value;
};

struct tl_facts {
	enum tl_source_kind source;
	const char *source_name; /* the section's name: carrier, 1001 */
	const char *caller;      /* number as received; "" when withheld */
	const char *callee;      /* number dialled: user part of the Request-URI */
	int64_t at_s;            /* the moment of the call, Unix time */
	enum tl_transport transport;

	/* All header fields of the INVITE in their order, several of one name included.
	 * Names compare without case. NULL, 0: none is known. */
	const struct tl_fact_header *headers;
	size_t n_headers;
	/* Bits of enum tl_offered. 0: the INVITE has no offer; it counts as audio, which
	 * our own offer will be. */
	unsigned offered;
	/* A random number drawn for this call: where a route shares calls out by weight
	 * it decides, so that the same facts always lead to the same decision. */
	uint32_t lot;
};
