#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "media/rtp/source.h"

static union tl_address at(const char *ip, unsigned port)
{
	union tl_address address = { 0 };

	if (strchr(ip, ':')) {
		address.any.sa_family = AF_INET6;
		inet_pton(AF_INET6, ip, &address.v6.sin6_addr);
	} else {
		address.any.sa_family = AF_INET;
		inet_pton(AF_INET, ip, &address.v4.sin_addr);
	}
	tl_address_set_port(&address, (in_port_t)port);
	return address;
}

enum { S = 1000000 };

/* What an announcement and then packets from here and there lead to. */
struct step {
	const char *why;
	const char *announce; /* NULL: a packet comes from `from` */
	const char *from;
	unsigned port;
	int64_t at_s;
	enum tl_source_verdict verdict;
	const char *send_to;
	unsigned send_port;
};

static void play(const struct step *steps, size_t n)
{
	struct tl_source source = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		union tl_address address = at(s->announce ? s->announce : s->from, s->port);
		union tl_address wanted;

		if (s->announce)
			tl_source_announce(&source, &address, s->at_s * S);
		else
			cr_expect_eq(tl_source_check(&source, &address, s->at_s * S), s->verdict,
				     "%s", s->why);
		wanted = at(s->send_to, s->send_port);
		cr_expect(tl_address_equal(tl_source_destination(&source), &wanted), "%s", s->why);
	}
}

#define ANNOUNCE(why, ip, port, s, to, to_port)                                                    \
	{                                                                                          \
		why, ip, NULL, port, s, 0, to, to_port                                             \
	}
#define PACKET(why, ip, port, s, verdict, to, to_port)                                             \
	{                                                                                          \
		why, NULL, ip, port, s, TL_SOURCE_##verdict, to, to_port                           \
	}

Test(source, latches_the_first_and_refuses_strangers)
{
	static const struct step steps[] = {
		ANNOUNCE("a private address", "10.0.0.5", 4000, 0, "10.0.0.5", 4000),
		PACKET("the NAT's", "198.51.100.7", 9000, 1, LATCHED, "198.51.100.7", 9000),
		PACKET("again", "198.51.100.7", 9000, 9, KNOWN, "198.51.100.7", 9000),
		PACKET("other port", "198.51.100.7", 9001, 9, STRANGER, "198.51.100.7", 9000),
		PACKET("other host", "198.51.100.8", 9000, 9, STRANGER, "198.51.100.7", 9000),
	};

	play(steps, sizeof steps / sizeof *steps);
}

Test(source, prefers_the_announced_in_the_first_moments_only)
{
	static const struct step soon[] = {
		ANNOUNCE("", "192.0.2.1", 4000, 0, "192.0.2.1", 4000),
		PACKET("a stray comes first", "203.0.113.9", 1, 1, LATCHED, "203.0.113.9", 1),
		PACKET("the real one", "192.0.2.1", 4000, 2, LATCHED, "192.0.2.1", 4000),
		PACKET("the stray", "203.0.113.9", 1, 2, STRANGER, "192.0.2.1", 4000),
	};
	static const struct step late[] = {
		ANNOUNCE("", "192.0.2.1", 4000, 0, "192.0.2.1", 4000),
		PACKET("from behind a NAT", "203.0.113.9", 1, 1, LATCHED, "203.0.113.9", 1),
		PACKET("much later", "192.0.2.1", 4000, 30, STRANGER, "203.0.113.9", 1),
	};

	play(soon, sizeof soon / sizeof *soon);
	play(late, sizeof late / sizeof *late);
}

Test(source, follows_a_new_announcement)
{
	static const struct step steps[] = {
		ANNOUNCE("", "192.0.2.1", 4000, 0, "192.0.2.1", 4000),
		PACKET("", "192.0.2.1", 4000, 1, LATCHED, "192.0.2.1", 4000),
		ANNOUNCE("the same again changes nothing", "192.0.2.1", 4000, 5, "192.0.2.1", 4000),
		ANNOUNCE("hold by wildcard neither", "0.0.0.0", 4000, 6, "192.0.2.1", 4000),
		PACKET("", "192.0.2.1", 4000, 7, KNOWN, "192.0.2.1", 4000),
		ANNOUNCE("transferred", "192.0.2.2", 5000, 10, "192.0.2.2", 5000),
		PACKET("the last of the old", "192.0.2.1", 4000, 10, STRANGER, "192.0.2.2", 5000),
		PACKET("the new, behind a NAT", "198.51.100.1", 7, 11, LATCHED, "198.51.100.1", 7),
	};

	play(steps, sizeof steps / sizeof *steps);
}

Test(source, is_settled_when_nobody_else_can_come)
{
	struct tl_source source = { 0 };
	union tl_address said = at("192.0.2.1", 4000), real = at("198.51.100.1", 5000),
			 moved = at("192.0.2.9", 4000);

	tl_source_announce(&source, &said, 1 * S);
	cr_expect_not(tl_source_is_settled(&source, 9 * S), "nobody has come");
	tl_source_check(&source, &real, 10 * S);
	cr_expect_not(tl_source_is_settled(&source, 12 * S), "who was announced may still come");
	cr_expect(tl_source_is_settled(&source, 13 * S));
	tl_source_announce(&source, &moved, 14 * S);
	cr_expect_not(tl_source_is_settled(&source, 20 * S));
	tl_source_check(&source, &moved, 20 * S);
	cr_expect(tl_source_is_settled(&source, 20 * S), "who was announced has come");
}

Test(source, speaks_ipv6)
{
	static const struct step steps[] = {
		ANNOUNCE("", "2001:db8::1", 4000, 0, "2001:db8::1", 4000),
		PACKET("", "2001:db8::1", 4000, 1, LATCHED, "2001:db8::1", 4000),
		PACKET("", "2001:db8::2", 4000, 1, STRANGER, "2001:db8::1", 4000),
		PACKET("another family", "192.0.2.1", 4000, 1, STRANGER, "2001:db8::1", 4000),
		ANNOUNCE("wildcard", "::", 4000, 2, "2001:db8::1", 4000),
	};

	play(steps, sizeof steps / sizeof *steps);
}
