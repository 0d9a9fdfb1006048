/* The order in which a domain's servers are tried. */
#include "b2bua/trunk/resolve.h"
#include <criterion/criterion.h>
#include <netinet/in.h>

static uint32_t low(void *user, uint32_t n)
{
	return 0;
}

static uint32_t high(void *user, uint32_t n)
{
	return n - 1;
}

static uint32_t step(void *user, uint32_t n)
{
	unsigned *seed = user;

	return (*seed)++ % n;
}

static struct tl_server server(unsigned name, unsigned place, unsigned order, unsigned priority,
			       unsigned weight)
{
	struct tl_server s = {
		.place = place, .order = order, .priority = priority, .weight = weight
	};

	((struct sockaddr_in *)&s.addr)->sin_port = (in_port_t)name;
	return s;
}

static unsigned name_of(const struct tl_server *s)
{
	return ((const struct sockaddr_in *)&s->addr)->sin_port;
}

Test(resolve, place_order_and_priority_come_before_chance)
{
	struct tl_server s[] = { server(5, 1, 0, 0, 100), server(4, 0, 2, 0, 100),
				 server(3, 0, 1, 20, 100), server(2, 0, 1, 10, 1),
				 server(1, 0, 0, 99, 0) };

	tl_servers_sort(s, 5, high, NULL);
	for (unsigned i = 0; i < 5; i++)
		cr_expect_eq(name_of(&s[i]), i + 1);
}

Test(resolve, among_equals_the_number_drawn_decides)
{
	struct tl_server s[] = { server(1, 0, 0, 0, 10), server(2, 0, 0, 0, 0) };

	tl_servers_sort(s, 2, low, NULL); /* the one without weight stands first: RFC 2782 */
	cr_expect_eq(name_of(&s[0]), 2);
	tl_servers_sort(s, 2, high, NULL);
	cr_expect_eq(name_of(&s[0]), 1);
}

Test(resolve, weights_are_shares)
{
	unsigned seed = 0, first[3] = { 0 };

	for (unsigned i = 0; i < 1000; i++) {
		struct tl_server s[] = { server(1, 0, 0, 0, 75), server(2, 0, 0, 0, 25) };

		tl_servers_sort(s, 2, step, &seed);
		first[name_of(&s[0])]++;
	}
	cr_expect(first[1] > 700 && first[1] < 800, "%u of 1000 for a weight of 75", first[1]);
}

static void note(void *user, const struct tl_server *servers, size_t n, unsigned ttl_s)
{
	if (n == 1)
		*(struct tl_server *)user = servers[0];
}

Test(resolve, an_address_needs_nobody)
{
	struct tl_server found = { 0 };

	cr_expect_null(tl_resolve_new(NULL, "192.0.2.1", 0, TL_TRANSPORT_TLS, note, &found));
	cr_expect_eq(((struct sockaddr_in *)&found.addr)->sin_port, htons(5061));
	cr_expect_null(
		tl_resolve_new(NULL, "2001:db8::1", 5070, _TL_TRANSPORT_INVALID, note, &found));
	cr_expect_eq(found.addr.ss_family, AF_INET6);
	cr_expect_eq(found.transport, TL_TRANSPORT_UDP);
}
