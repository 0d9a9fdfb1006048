/* STUN on SIP ports: what is answered, and what is not. */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack_stun.h"

static const uint8_t binding[20] = { 0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xA4, 0x42, 1,  2,
				     3,    4,    5,    6,    7,    8,    9,    10,   11, 12 };

static struct sockaddr_storage peer_at(const char *host)
{
	struct sockaddr_storage peer;

	cr_assert(tl_address_parse(host, 0x1234, &peer));
	return peer;
}

static size_t answer_to(const uint8_t *request, size_t bytes, uint8_t answer[TL_STUN_BYTES])
{
	struct sockaddr_storage peer = peer_at("192.0.2.1");

	return tl_stun_answer(request, bytes, (struct sockaddr *)&peer, answer);
}

Test(stun, says_where_a_request_came_from)
{
	static const uint8_t expected[] = { 0x01, 0x01, 0x00, 0x0C, 0x21, 0x12, 0xA4, 0x42,
					    1,    2,    3,    4,    5,    6,    7,    8,
					    9,    10,   11,   12,   0x00, 0x20, 0x00, 0x08,
					    0x00, 0x01, 0x33, 0x26, 0xE1, 0x12, 0xA6, 0x43 };
	uint8_t answer[TL_STUN_BYTES];

	cr_assert_eq(answer_to(binding, sizeof(binding), answer), sizeof(expected));
	cr_expect_arr_eq(answer, expected, sizeof(expected));
}

Test(stun, masks_an_ipv6_address_with_cookie_and_transaction)
{
	struct sockaddr_storage peer = peer_at("2001:db8::1");
	uint8_t answer[TL_STUN_BYTES];
	static const uint8_t masked[] = { 0x01, 0x13, 0xA9, 0xFA, 1, 2,  3,  4,
					  5,    6,    7,    8,    9, 10, 11, 13 };

	cr_assert_eq(tl_stun_answer(binding, sizeof(binding), (struct sockaddr *)&peer, answer),
		     TL_STUN_BYTES);
	cr_expect_eq(answer[25], 2);
	/* the low byte of the last word is 12 ^ 1 */
	cr_expect_arr_eq(answer + 28, masked, sizeof(masked));
}

Test(stun, answers_nothing_else)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t value;
		size_t bytes;
	} cases[] = {
		{ "an indication", 1, 0x11, 20 },    { "a response", 0, 0x01, 20 },
		{ "another cookie", 4, 0x22, 20 },   { "too short", 0, 0, 19 },
		{ "longer than it says", 0, 0, 24 }, { "a length that is not there", 3, 4, 20 },
		{ "shared secret", 1, 0x02, 20 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t request[32] = { 0 }, answer[TL_STUN_BYTES];

		memcpy(request, binding, sizeof(binding));
		request[cases[i].at] = cases[i].value;
		cr_expect_eq(answer_to(request, cases[i].bytes, answer), 0, "%s", cases[i].why);
	}
}
