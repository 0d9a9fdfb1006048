#pragma once
/*
 * The Service-Route that a registrar gave us (RFC 3608): requests of ours outside dialogs bear it
 * as their Route, and go where its first entry says, which is looked up ahead. Signalling thread.
 */
#include <glib.h>
#include <sofia-sip/sip.h>

struct tl_service_route;

/* resolver: sres_resolver_t, lent. name: the trunk's, for the log; copied. */
struct tl_service_route *tl_service_route_new(void *resolver, const char *name);
void tl_service_route_free(struct tl_service_route *route); /* NULL ok */

/* Takes what a 2xx to REGISTER says: each replaces the one before, and none is none (RFC 3608 6.1).
 * One that can't be followed is logged and counts as none. */
void tl_service_route_take(struct tl_service_route *route, const sip_t *sip);
/* No registration any more. */
void tl_service_route_clear(struct tl_service_route *route);

/* "<sip:edge.example.net;lr>, <sip:…;lr>" or NULL. Lent till the next take. */
const char *tl_service_route_text(const struct tl_service_route *route);
/* Where its first entry is, as next hops with literal addresses, the first to try first; a new
 * array that owns its texts. Empty: it isn't known (yet), or there is no route. */
GPtrArray *tl_service_route_hops(const struct tl_service_route *route);
