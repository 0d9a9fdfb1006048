#pragma once
/*
 * What is known of a call when the dialplan is asked: plain data that the
 * caller of tl_dialplan_decide() lends for the call.
 */
#include <stdbool.h>
#include <stdint.h>
#include "dialplan/settings.h"

enum tl_source_kind {
	TL_SOURCE_TRUNK,
	TL_SOURCE_EXTENSION,
	_TL_SOURCE_MAX,
	_TL_SOURCE_INVALID = -22,
};
const char *tl_source_kind_name(enum tl_source_kind kind); /* "trunk", "extension" */

struct tl_facts {
	enum tl_source_kind source;
	const char *source_name; /* the section's name: carrier, 1001 */
	const char *caller;      /* number as received; "" when withheld */
	const char *callee;      /* number dialled: user part of the Request-URI */
	int64_t at_s;            /* the moment of the call, Unix time */
	enum tl_transport transport;
};
