#pragma once
/*
 * An IP address with its port, in the 28 bytes that it takes instead of the
 * 128 of sockaddr_storage: packets and tables hold many. Private to media/.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

union tl_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static inline socklen_t tl_address_bytes(const union tl_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

/* Anything but IPv4 and IPv6 becomes family 0: no address. */
static inline union tl_address tl_address_from(const struct sockaddr *from)
{
	union tl_address address;

	memset(&address, 0, sizeof address);
	if (from->sa_family == AF_INET)
		memcpy(&address.v4, from, sizeof address.v4);
	else if (from->sa_family == AF_INET6)
		memcpy(&address.v6, from, sizeof address.v6);
	return address;
}

static inline bool tl_address_is_set(const union tl_address *address)
{
	return address->any.sa_family != 0;
}

static inline in_port_t tl_address_port(const union tl_address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port
							: address->v4.sin_port);
}

static inline void tl_address_set_port(union tl_address *address, in_port_t port)
{
	if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons(port);
	else
		address->v4.sin_port = htons(port);
}

static inline bool tl_address_same_host(const union tl_address *a, const union tl_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
	return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static inline bool tl_address_equal(const union tl_address *a, const union tl_address *b)
{
	if (a->any.sa_family == AF_INET && b->any.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
		       a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return tl_address_same_host(a, b) && tl_address_port(a) == tl_address_port(b);
}

/* 0.0.0.0 or ::, which once meant hold (RFC 3264 8.4). */
static inline bool tl_address_is_wildcard(const union tl_address *address)
{
	if (address->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
	return address->any.sa_family == AF_INET && address->v4.sin_addr.s_addr == INADDR_ANY;
}
