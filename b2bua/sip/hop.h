#pragma once
/*
 * The first hop of requests of ours, where a URI alone would not say it rightly: a peer
 * reached by TCP whose Contact doesn't say so, one behind a NAT whose Contact leads
 * nowhere. Texts are allocated from home. Signalling thread.
 */
#include <stdbool.h>
#include <sofia-sip/sip.h>
#include "dialplan/settings.h"

/* Can requests of ours follow this message's Contact and Record-Route? we_called: it is a
 * response. 0 or -EBADMSG. */
int tl_target_check(const sip_t *sip, bool we_called);

/* "sip:192.0.2.1:5060;transport=tcp" for a literal host; NULL for a name, or when url says it. A
 * literal host without a transport means UDP (RFC 3263 4.1), yet a peer that called by
 * TCP is reached by TCP. */
char *tl_hop_explicit(su_home_t *home, const url_t *url, enum tl_transport transport);

/*
 * A client that sends straight to us (one Via, no Record-Route) and writes another
 * address in its Via than the one that we see stands behind a NAT, and its
 * Contact leads nowhere: everything goes to where the request came from. By TCP
 * the source port is always another one, so only the host counts. By TLS the
 * connection that it has made is the way back at all times: telephones have no
 * certificate that would hold. NULL: no NAT.
 */
char *tl_hop_through_nat(su_home_t *home, const sip_t *sip, const struct sockaddr *source,
			 enum tl_transport transport);
