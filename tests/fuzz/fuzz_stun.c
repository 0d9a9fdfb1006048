/*
 * STUN on a SIP port: the datagram behind the first byte, which says from where it came. What is
 * answered must be a response to it that says just that, and no longer than there is room.
 */
#include <glib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "b2bua/sip/stack_stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { HEADER_BYTES = 20, VALUE_AT = HEADER_BYTES + 4 };

/* The address in an answer of n bytes: family, port, host (RFC 5389 15.2). */
static void check_answer(const uint8_t *request, const uint8_t *answer, size_t n,
			 const struct sockaddr_storage *peer)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)peer;
	bool v6 = peer->ss_family == AF_INET6;
	const uint8_t *host = v6 ? in6->sin6_addr.s6_addr : (const uint8_t *)&in4->sin_addr;
	const uint8_t *port = (const uint8_t *)(v6 ? &in6->sin6_port : &in4->sin_port);

	g_assert_cmpuint(n, ==, VALUE_AT + (v6 ? 20 : 8));
	g_assert_cmpuint(n, <=, TL_STUN_BYTES);
	g_assert_cmpuint((unsigned)answer[2] << 8 | answer[3], ==, n - HEADER_BYTES);
	g_assert_cmpmem(request + 4, 16, answer + 4, 16);
	for (size_t i = 0; i < 2; i++)
		g_assert_cmpuint(answer[VALUE_AT + 2 + i] ^ answer[4 + i], ==, port[i]);
	for (size_t i = 0; i < (v6 ? 16 : 4); i++)
		g_assert_cmpuint(answer[VALUE_AT + 4 + i] ^ answer[4 + i], ==, host[i]);
}

static struct sockaddr_storage peer_of(uint8_t kind)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	struct sockaddr_storage peer;

	memset(&peer, kind, sizeof(peer));
	peer.ss_family = (sa_family_t)families[kind % G_N_ELEMENTS(families)];
	return peer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct sockaddr_storage peer;
	uint8_t answer[TL_STUN_BYTES];
	uint8_t *request;
	size_t n;

	if (bytes == 0)
		return 0;
	/* an exact copy: a read past its end shows */
	request = g_memdup2(data + 1, bytes - 1);
	peer = peer_of(data[0]);
	n = tl_stun_answer(request, bytes - 1, (const struct sockaddr *)&peer, answer);
	if (n > 0)
		check_answer(request, answer, n, &peer);
	g_free(request);
	return 0;
}
