#pragma once
/*
 * Which SIP headers a route may name. Headers that make dialogs, routes, bodies
 * and identities belong to the gateway, whatever anybody asks: it writes them
 * itself, on each leg for itself. All others are free to be added, dropped or
 * carried from one leg to the other. Pure; any thread.
 */
#include <stdbool.h>

enum { TL_HEADER_NAME_BYTES = 64 }; /* a longer name is not taken */

/* A token (RFC 3261 25.1) of sane length. */
bool tl_header_name_ok(const char *name);
/* A good name, and none of the gateway's own; compact forms (RFC 3261 7.3.3) included. */
bool tl_header_is_free(const char *name);
/* A free header that crosses when nobody says anything: X-…, User-to-User (RFC 7433),
 * Alert-Info, Call-Info. */
bool tl_header_crosses(const char *name);
