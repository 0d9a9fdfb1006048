#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "media/worker/port.h"

enum { PAIRS = 8 };

static uint16_t first_port(void)
{
	return (uint16_t)(11000 + getpid() % 500 * 40); /* tests run side by side */
}

static union tl_address loopback(void)
{
	union tl_address ip = { .v4 = { .sin_family = AF_INET } };

	ip.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return ip;
}

static struct tl_ports *open_ports(void)
{
	struct tl_ports *ports = NULL;

	cr_assert_eq(tl_ports_new(first_port(), (uint16_t)(first_port() + 2 * PAIRS - 1), &ports),
		     0);
	cr_assert_eq(tl_ports_free_count(ports), PAIRS);
	return ports;
}

static struct tl_port_pair take(struct tl_ports *ports)
{
	struct tl_port_pair pair = { 0 };
	union tl_address ip = loopback();

	cr_assert_eq(tl_ports_take(ports, &ip, &pair), 0);
	return pair;
}

static void close_pair(const struct tl_port_pair *pair)
{
	close(pair->rtp_fd);
	close(pair->rtcp_fd);
}

Test(port, gives_each_pair_once_and_then_refuses)
{
	struct tl_ports *ports = open_ports();
	struct tl_port_pair pair[PAIRS], none;
	union tl_address ip = loopback();

	for (int i = 0; i < PAIRS; i++) {
		pair[i] = take(ports);
		cr_expect_eq(pair[i].port % 2, 0);
		cr_expect(fcntl(pair[i].rtp_fd, F_GETFL) & O_NONBLOCK);
		for (int k = 0; k < i; k++)
			cr_expect_neq(pair[i].port, pair[k].port);
	}
	cr_expect_eq(tl_ports_take(ports, &ip, &none), -EADDRNOTAVAIL);
	cr_expect_eq(tl_ports_used(ports), PAIRS);
	close_pair(&pair[3]);
	tl_ports_give(ports, pair[3].port);
	cr_expect_eq(take(ports).port, pair[3].port);
	tl_ports_free(ports);
}

Test(port, goes_round_before_it_uses_one_again)
{
	struct tl_ports *ports = open_ports();
	uint16_t seen[PAIRS];

	for (int i = 0; i < 3 * PAIRS; i++) {
		struct tl_port_pair pair = take(ports);

		close_pair(&pair);
		tl_ports_give(ports, pair.port);
		if (i < PAIRS)
			seen[i] = pair.port;
		else
			cr_expect_eq(pair.port, seen[i % PAIRS]);
	}
	tl_ports_free(ports);
}

Test(port, leaves_alone_what_others_have_bound)
{
	struct tl_ports *ports = open_ports();
	union tl_address taken = loopback();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	/* Somebody sits on the RTCP port of the third pair. */
	tl_address_set_port(&taken, (in_port_t)(first_port() + 5));
	cr_assert_eq(bind(fd, &taken.any, sizeof taken.v4), 0);
	for (int i = 0; i < PAIRS - 1; i++)
		cr_expect_neq(take(ports).port, first_port() + 4);
	close(fd);
	cr_expect_eq(take(ports).port, first_port() + 4, "free by now");
	tl_ports_free(ports);
}

Test(port, knows_no_foreign_address)
{
	struct tl_ports *ports = open_ports();
	union tl_address ip = loopback(), none = { 0 };
	struct tl_port_pair pair;

	ip.v4.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, RFC 5737 */
	cr_expect_eq(tl_ports_take(ports, &ip, &pair), -EADDRNOTAVAIL);
	cr_expect_eq(tl_ports_take(ports, &none, &pair), -EAFNOSUPPORT);
	cr_expect_eq(tl_ports_free_count(ports), PAIRS);
	tl_ports_free(ports);
}

Test(port, changes_its_range_under_calls)
{
	struct tl_ports *ports = open_ports();
	struct tl_port_pair old = take(ports);
	uint16_t min = (uint16_t)(first_port() + 2 * PAIRS);

	cr_assert_eq(tl_ports_resize(ports, min, (uint16_t)(min + 3)), 0);
	cr_expect_eq(tl_ports_free_count(ports), 2);
	cr_expect_eq(tl_ports_used(ports), 1);
	close_pair(&old);
	tl_ports_give(ports, old.port);
	cr_expect_eq(tl_ports_free_count(ports), 2, "it is not of the range any more");
	cr_expect_eq(tl_ports_used(ports), 0);
	cr_expect_geq(take(ports).port, min);
	tl_ports_free(ports);
}

Test(port, wants_a_whole_pair)
{
	static const struct {
		const char *why;
		uint16_t min, max;
		int r;
		unsigned pairs;
	} cases[] = {
		{ "odd start", 10001, 10003, 0, 1 },
		{ "odd end", 10000, 10002, 0, 1 },
		{ "one port", 10000, 10000, -EINVAL, 0 },
		{ "odd pair", 10001, 10002, -EINVAL, 0 },
		{ "upside down", 10010, 10000, -EINVAL, 0 },
		{ "the top", 65534, 65535, 0, 1 },
		{ "port 0 is none", 0, 3, 0, 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tl_ports *ports = NULL;

		cr_expect_eq(tl_ports_new(cases[i].min, cases[i].max, &ports), cases[i].r, "%s",
			     cases[i].why);
		if (ports)
			cr_expect_eq(tl_ports_free_count(ports), cases[i].pairs, "%s",
				     cases[i].why);
		tl_ports_free(ports);
	}
}
