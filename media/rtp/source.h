#pragma once
/*
 * From which address a side's packets are taken, and where to send: symmetric
 * RTP (RFC 4961). The first valid packet latches its source; from then on
 * strangers are refused. What the description announced goes first: when it
 * begins to send within the first moments, it takes the latch over, so that a
 * stray packet can't steal a call. Pure. Private to media/.
 */
#include "media/address.h"

struct tl_source {
	union tl_address announced, latched; /* family 0: none */
	union tl_address left;               /* latched before the announcement changed */
	int64_t latched_us, announced_us;
};

enum tl_source_verdict {
	TL_SOURCE_STRANGER,
	TL_SOURCE_KNOWN,
	TL_SOURCE_LATCHED, /* by this packet */
};

/* A description came. Another address than before opens the latch; a wildcard (hold) or none
 * changes nothing. */
void tl_source_announce(struct tl_source *source, const union tl_address *address, int64_t now_us);
/* A valid packet came. */
enum tl_source_verdict tl_source_check(struct tl_source *source, const union tl_address *from,
				       int64_t now_us);
/* Nobody else than who is latched can be, until the next announcement. */
bool tl_source_is_settled(const struct tl_source *source, int64_t now_us);
/* Where to send. NULL: not known yet. */
const union tl_address *tl_source_destination(const struct tl_source *source);
