#pragma once
/*
 * What makes a registration of ours one flow of RFC 5626: a server that speaks outbound calls us by
 * the connection that the REGISTER came on, and takes a new connection in the place of the one that
 * was lost, whatever either looks like from outside. Others pass over both parameters.
 *
 *     Contact: <sip:4930@192.0.2.1;transport=tls>;reg-id=1;+sip.instance="<urn:uuid:…>"
 *     Supported: path, outbound
 *
 * Over UDP it would take STUN to keep such a flow (RFC 5626 4.4.2), so there it isn't asked for.
 */

/* The parameters, with the first semicolon; to free. instance: the gateway's own UUID. Each trunk
 * has one derived from it (as RFC 4122 4.3 does), since two trunks may have one account. */
char *tl_outbound_params(const char *instance, const char *trunk);
