#pragma once
/*
 * Where the servers of a domain are (RFC 3263 4): NAPTR says by which transports, SRV which hosts
 * and in which order, A and AAAA where these are. Asks through Sofia's resolver and waits for
 * nobody: the answer comes by callback. Signalling thread.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sofia-resolv/sres.h>
#include "dialplan/settings.h"

enum {
	TL_RESOLVE_SERVERS = 16, /* of a domain; more are left out */
	TL_RESOLVE_TTL_MIN_S = 5,
	TL_RESOLVE_TTL_MAX_S = 300,
};

struct tl_server {
	struct sockaddr_storage addr; /* port included */
	enum tl_transport transport;
	unsigned place; /* of the list of hosts, the first comes first */
	unsigned order; /* of NAPTR: the lower comes first */
	unsigned priority, weight;
};

/* n 0: there are none, or nobody knows. ttl_s: how long that holds, between the limits above. */
typedef void tl_resolve_fn(void *user, const struct tl_server *servers, size_t n, unsigned ttl_s);

struct tl_resolve;

/* transport _TL_TRANSPORT_INVALID: as DNS says; port 0: likewise. Copies. The callback may come
 * before this returns, when host is an address; NULL is returned then. */
struct tl_resolve *tl_resolve_new(sres_resolver_t *resolver, const char *host, uint16_t port,
				  enum tl_transport transport, tl_resolve_fn *fn, void *user);
/* No callback from now on. NULL ok. */
void tl_resolve_free(struct tl_resolve *resolve);

/*
 * In the order in which they are to be tried: by place, order, priority, and among equals by
 * chance, each as often first as its weight says (RFC 2782). draw(user, n): a number from 0 to n
 * - 1.
 */
void tl_servers_sort(struct tl_server *servers, size_t n, uint32_t (*draw)(void *user, uint32_t n),
		     void *user);
