#pragma once
/*
 * Source addresses as text for the log, and as keys for tables that count what
 * a source does. Pure; any thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { TL_ADDRESS_BYTES = 56 }; /* "[ffff:…:ffff%…]:65535" and NUL */

/* "192.0.2.7:5060", "[2001:db8::1]:5060"; "?" for other families. Returns buf. An IPv4
 * address that a dual-stack socket maps into IPv6 is written as IPv4. */
const char *tl_address_text(const struct sockaddr *addr, char buf[static TL_ADDRESS_BYTES]);

/*
 * Who is behind an address: an IPv4 host, or an IPv6 /64, since a customer owns at
 * least that much and can send from any address in it. The port doesn't count.
 */
struct tl_address_key {
	uint8_t family; /* 4, 6, or 0: neither */
	uint8_t bytes[8];
};
struct tl_address_key tl_address_key(const struct sockaddr *addr);
/* "192.0.2.7", "2001:db8:1:2::/64"; "?" for neither. Returns buf. */
const char *tl_address_key_text(const struct tl_address_key *key,
				char buf[static TL_ADDRESS_BYTES]);
/* GHashFunc and GEqualFunc over struct tl_address_key. */
unsigned tl_address_key_hash(const void *key);
int tl_address_key_equal(const void *a, const void *b);

/* Same host, and same port; IPv4 equals its mapped form. */
bool tl_address_equal(const struct sockaddr *a, const struct sockaddr *b);
uint16_t tl_address_port(const struct sockaddr *addr); /* 0 for other families */
bool tl_address_same_host(const struct sockaddr *a, const struct sockaddr *b);

/* "192.0.2.7", "[2001:db8::1]" or "2001:db8::1" -> address with that port. False: a name. */
bool tl_address_parse(const char *host, uint16_t port, struct sockaddr_storage *ret_addr);

/* On our side of any NAT: RFC 1918, loopback, link-local, RFC 6598, RFC 4193. Other families too.
 */
bool tl_address_is_inside(const struct sockaddr *addr);
