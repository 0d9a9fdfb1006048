#include "b2bua/sip/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <glib.h>

/* The IPv4 address in addr, plain or mapped (::ffff:0:0/96). */
static bool take_ipv4(const struct sockaddr *addr, uint8_t ret_bytes[static 4])
{
	if (addr->sa_family == AF_INET) {
		memcpy(ret_bytes, &((const struct sockaddr_in *)addr)->sin_addr, 4);
		return true;
	}
	if (addr->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;

		if (!IN6_IS_ADDR_V4MAPPED(in6))
			return false;
		memcpy(ret_bytes, in6->s6_addr + 12, 4);
		return true;
	}
	return false;
}

uint16_t tl_address_port(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)addr)->sin_port);
	if (addr->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
	return 0;
}

const char *tl_address_text(const struct sockaddr *addr, char buf[static TL_ADDRESS_BYTES])
{
	char ip[INET6_ADDRSTRLEN];
	uint8_t ipv4[4];

	if (take_ipv4(addr, ipv4)) {
		inet_ntop(AF_INET, ipv4, ip, sizeof(ip));
		snprintf(buf, TL_ADDRESS_BYTES, "%s:%u", ip, tl_address_port(addr));
	} else if (addr->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)addr)->sin6_addr, ip,
			  sizeof(ip));
		snprintf(buf, TL_ADDRESS_BYTES, "[%s]:%u", ip, tl_address_port(addr));
	} else {
		strcpy(buf, "?");
	}
	return buf;
}

struct tl_address_key tl_address_key(const struct sockaddr *addr)
{
	struct tl_address_key key = { 0 };

	if (take_ipv4(addr, key.bytes)) {
		key.family = 4;
	} else if (addr->sa_family == AF_INET6) {
		key.family = 6;
		memcpy(key.bytes, &((const struct sockaddr_in6 *)addr)->sin6_addr, 8);
	}
	return key;
}

const char *tl_address_key_text(const struct tl_address_key *key, char buf[static TL_ADDRESS_BYTES])
{
	uint8_t bytes[16] = { 0 };
	char text[INET6_ADDRSTRLEN];

	memcpy(bytes, key->bytes, sizeof(key->bytes));
	if (key->family == 0)
		g_strlcpy(buf, "?", TL_ADDRESS_BYTES);
	else if (inet_ntop(key->family == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)))
		g_snprintf(buf, TL_ADDRESS_BYTES, "%s%s", text, key->family == 4 ? "" : "/64");
	return buf;
}

unsigned tl_address_key_hash(const void *key)
{
	const struct tl_address_key *k = key;
	unsigned hash = 2166136261u ^ k->family;

	for (size_t i = 0; i < sizeof(k->bytes); i++)
		hash = (hash ^ k->bytes[i]) * 16777619u; /* FNV-1a */
	return hash;
}

int tl_address_key_equal(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tl_address_key)) == 0;
}

bool tl_address_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	uint8_t a4[4], b4[4];
	bool is_a4 = take_ipv4(a, a4), is_b4 = take_ipv4(b, b4);

	if (is_a4 || is_b4)
		return is_a4 && is_b4 && memcmp(a4, b4, sizeof(a4)) == 0;
	if (a->sa_family != AF_INET6 || b->sa_family != AF_INET6)
		return false;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

bool tl_address_equal(const struct sockaddr *a, const struct sockaddr *b)
{
	return tl_address_same_host(a, b) && tl_address_port(a) == tl_address_port(b);
}

bool tl_address_parse(const char *host, uint16_t port, struct sockaddr_storage *ret_addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	char bare[INET6_ADDRSTRLEN + 2];
	size_t n = strlen(host);

	if (n >= sizeof(bare))
		return false;
	if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memset(ret_addr, 0, sizeof(*ret_addr));
		memcpy(ret_addr, &in, sizeof(in));
		return true;
	}
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		memcpy(bare, host + 1, n - 2);
		bare[n - 2] = '\0';
	} else {
		memcpy(bare, host, n + 1);
	}
	if (inet_pton(AF_INET6, bare, &in6.sin6_addr) != 1)
		return false;
	memset(ret_addr, 0, sizeof(*ret_addr));
	memcpy(ret_addr, &in6, sizeof(in6));
	return true;
}

bool tl_address_is_inside(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET) {
		uint32_t ip = ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr);

		return ip >> 24 == 10 || ip >> 24 == 127 || ip >> 20 == 0xac1 ||
		       ip >> 16 == 0xc0a8 || ip >> 16 == 0xa9fe || ip >> 22 == 0x191;
	}
	if (addr->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(in6) || IN6_IS_ADDR_LINKLOCAL(in6) ||
		       (in6->s6_addr[0] & 0xfe) == 0xfc;
	}
	return true;
}
