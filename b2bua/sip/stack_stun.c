#include "b2bua/sip/stack_stun.h"
#include <netinet/in.h>
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_plugins.h>
#include "b2bua/sip/address.h"

/*
 * RFC 5389 6:
 *
 *   0 0 | type, 14 bits | length of what follows, 16 bits
 *   magic cookie, 4 bytes
 *   transaction, 12 bytes
 *   attributes: type, length, value, filled up to 4 bytes
 */
enum {
	HEADER_BYTES = 20,
	COOKIE = 0x2112A442,
	BINDING_REQUEST = 0x0001,
	BINDING_RESPONSE = 0x0101,
	XOR_MAPPED_ADDRESS = 0x0020,
	IPV4 = 1,
	IPV6 = 2,
};

static const uint8_t cookie[] = { 0x21, 0x12, 0xA4, 0x42 };

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* RFC 5389 15.2: the port against the cookie, the address against the cookie and transaction. */
static size_t put_address(uint8_t *p, const struct sockaddr *peer, const uint8_t *mask)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;
	bool v6 = peer->sa_family == AF_INET6;
	const uint8_t *host = v6 ? in6->sin6_addr.s6_addr
				 : (const uint8_t *)&((const struct sockaddr_in *)peer)->sin_addr;
	size_t n = v6 ? 16 : 4;

	put16(p, XOR_MAPPED_ADDRESS);
	put16(p + 2, (unsigned)(4 + n));
	p[4] = 0;
	p[5] = v6 ? IPV6 : IPV4;
	put16(p + 6, tl_address_port(peer) ^ (COOKIE >> 16));
	for (size_t i = 0; i < n; i++)
		p[8 + i] = host[i] ^ mask[i];
	return 8 + n;
}

size_t tl_stun_answer(const uint8_t *request, size_t bytes, const struct sockaddr *peer,
		      uint8_t answer[static TL_STUN_BYTES])
{
	size_t n;

	if (bytes < HEADER_BYTES || be16(request) != BINDING_REQUEST ||
	    be16(request + 2) != bytes - HEADER_BYTES || bytes % 4 != 0 ||
	    memcmp(request + 4, cookie, sizeof(cookie)) != 0 ||
	    (peer->sa_family != AF_INET && peer->sa_family != AF_INET6))
		return 0;
	memcpy(answer, request, HEADER_BYTES);
	n = put_address(answer + HEADER_BYTES, peer, request + 4);
	put16(answer, BINDING_RESPONSE);
	put16(answer + 2, (unsigned)n);
	return HEADER_BYTES + n;
}

/* --- as Sofia wants it: it has no state --- */

static tport_stun_server_t *create(su_root_t *root, tagi_t const *tags)
{
	return (tport_stun_server_t *)root; /* anything but NULL */
}

static void destroy(tport_stun_server_t *server)
{
}

static int take_socket(tport_stun_server_t *server, su_socket_t fd)
{
	return 0;
}

static void on_request(tport_stun_server_t *server, su_socket_t fd, void *request, ssize_t bytes,
		       void *peer, socklen_t peer_bytes)
{
	uint8_t answer[TL_STUN_BYTES];
	size_t n = bytes > 0 ? tl_stun_answer(request, (size_t)bytes, peer, answer) : 0;

	if (n > 0)
		(void)sendto(fd, answer, n, MSG_DONTWAIT, peer, peer_bytes);
}

void tl_stun_plug_in(void)
{
	static const tport_stun_server_vtable_t server = {
		.vst_size = sizeof(server) + 1, /* what it is held against is one too much */
		.vst_create = create,
		.vst_destroy = destroy,
		.vst_add_socket = take_socket,
		.vst_remove_socket = take_socket,
		.vst_request = on_request,
	};

	(void)tport_plug_in_stun_server(&server);
}
