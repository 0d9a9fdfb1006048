#pragma once
/*
 * Who a request says is calling, beside From: P-Asserted-Identity (RFC 3325),
 * Remote-Party-ID, Privacy (RFC 3323), Diversion (RFC 5806), History-Info
 * (RFC 7044). What is read is bounded and clean; whether it is believed is for the
 * call to say, by the peer that it came from. Allocated from home. Signalling thread.
 */
#include <glib.h>
#include <sofia-sip/sip.h>
#include "b2bua/leg/leg.h"

void tl_identity_read(su_home_t *home, const sip_t *sip, struct tl_identity *ret_identity);

/* Appends the header line that tells a trunk who it is, address as "\"Alice\"
 * <sip:+4930@pbx.test>". Nothing where From says it all, and where a trunk that is not trusted may
 * not know (RFC 3325 5). */
void tl_identity_append(GString *lines, enum tl_identity_mode mode, bool trusted,
			const char *address, bool withheld);
