#include <criterion/criterion.h>
#include <glib.h>
#include "b2bua/sip/address.h"
#include "b2bua/registrar/ban.h"
#include "b2bua/call/limits.h"

#define S ((int64_t)G_USEC_PER_SEC)

static const struct tl_bans_cfg cfg = {
	.max_failures = 3, .forgive_s = 30, .ban_s = 60, .ban_max_s = 200, .sources = 4
};

static struct sockaddr_storage address(const char *host)
{
	struct sockaddr_storage addr;

	cr_assert(tl_address_parse(host, 5060, &addr));
	return addr;
}
#define ADDR(host) ((const struct sockaddr *)(struct sockaddr_storage[]) { address(host) })

/* Fails three times at a moment; the length of the ban that comes of it. */
static unsigned fail_thrice(struct tl_bans *bans, const char *host, int64_t now_us)
{
	unsigned ban_s = 0;

	for (int i = 0; i < 3; i++)
		tl_bans_fail(bans, ADDR(host), true, now_us, &ban_s);
	return ban_s;
}

Test(ban, begins_at_the_limit_and_ends)
{
	struct tl_bans *bans = tl_bans_new(&cfg);
	unsigned ban_s;

	cr_expect_eq(tl_bans_fail(bans, ADDR("192.0.2.1"), true, S, &ban_s), 1u);
	cr_expect_eq(tl_bans_fail(bans, ADDR("192.0.2.1"), true, S, &ban_s), 2u);
	cr_expect_eq(ban_s, 0u);
	cr_expect_eq(tl_bans_left_s(bans, ADDR("192.0.2.1"), S), 0u);
	cr_expect_eq(tl_bans_fail(bans, ADDR("192.0.2.1"), true, S, &ban_s), 3u);
	cr_expect_eq(ban_s, 60u);
	cr_expect_eq(tl_bans_left_s(bans, ADDR("192.0.2.1"), S), 60u);
	cr_expect_eq(tl_bans_left_s(bans, ADDR("192.0.2.1"), 60 * S), 1u);
	cr_expect_eq(tl_bans_left_s(bans, ADDR("192.0.2.1"), 61 * S), 0u);
	cr_expect_eq(tl_bans_left_s(bans, ADDR("192.0.2.2"), S), 0u, "others are not concerned");
	tl_bans_free(bans);
}

Test(ban, doubles_up_to_its_limit_and_is_forgotten)
{
	struct tl_bans *bans = tl_bans_new(&cfg);

	cr_expect_eq(fail_thrice(bans, "192.0.2.1", 0), 60u);
	cr_expect_eq(fail_thrice(bans, "192.0.2.1", 61 * S), 120u);
	cr_expect_eq(fail_thrice(bans, "192.0.2.1", 190 * S), 200u);
	cr_expect_eq(fail_thrice(bans, "192.0.2.1", 400 * S), 200u);
	cr_expect_eq(fail_thrice(bans, "192.0.2.1", 1000 * S), 60u, "good for long enough");
	tl_bans_free(bans);
}

Test(ban, spares_a_telephone_that_retries_slowly)
{
	struct tl_bans *bans = tl_bans_new(&cfg);
	unsigned ban_s;

	for (int i = 0; i < 100; i++) {
		tl_bans_fail(bans, ADDR("192.0.2.1"), true, i * 30 * S, &ban_s);
		cr_expect_eq(ban_s, 0u);
	}
	tl_bans_free(bans);
}

Test(ban, holds_for_a_whole_ipv6_network)
{
	struct tl_bans *bans = tl_bans_new(&cfg);

	fail_thrice(bans, "2001:db8::1", S);
	cr_expect_gt(tl_bans_left_s(bans, ADDR("2001:db8::2"), S), 0u);
	cr_expect_eq(tl_bans_left_s(bans, ADDR("2001:db8:0:1::1"), S), 0u);
	tl_bans_free(bans);
}

Test(ban, remembers_a_bounded_number_of_sources)
{
	struct tl_bans *bans = tl_bans_new(&cfg);
	unsigned ban_s;

	fail_thrice(bans, "192.0.2.1", S);
	for (int i = 0; i < 100; i++) {
		g_autofree char *host = g_strdup_printf("198.51.100.%d", i);

		tl_bans_fail(bans, ADDR(host), true, S, &ban_s);
	}
	cr_expect_eq(tl_bans_count(bans), 4u);
	cr_expect_eq(tl_bans_left_s(bans, ADDR("192.0.2.1"), S), 0u);
	tl_bans_free(bans);
}

Test(ban, does_not_double_for_a_source_with_honest_neighbours)
{
	struct tl_bans *bans = tl_bans_new(&cfg);
	unsigned ban_s = 0;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++)
			tl_bans_fail(bans, ADDR("192.0.2.1"), false, round * 100 * S, &ban_s);
		cr_expect_eq(ban_s, 60u);
	}
	tl_bans_free(bans);
}

Test(ban, never_comes_with_a_limit_of_0)
{
	struct tl_bans_cfg lenient = cfg;
	struct tl_bans *bans;

	lenient.max_failures = 0;
	bans = tl_bans_new(&lenient);
	cr_expect_eq(fail_thrice(bans, "192.0.2.1", S), 0u);
	tl_bans_free(bans);
}

Test(ban, is_listed_lifted_and_restored)
{
	struct tl_bans *bans = tl_bans_new(&cfg);
	struct tl_ban list[4];

	fail_thrice(bans, "192.0.2.1", 0);
	fail_thrice(bans, "2001:db8:1:2:3::4", 30 * S);
	tl_bans_restore(bans, ADDR("192.0.2.9"), 2, 31 * S);
	cr_expect_eq(tl_bans_list(bans, 31 * S, list, 4), 2u, "those that run");
	cr_expect_str_eq(list[0].source, "192.0.2.1");
	cr_expect_eq(list[0].left_s, 29u);
	cr_expect_eq(list[0].times, 1u);
	cr_expect_str_eq(list[1].source, "2001:db8:1:2::/64");
	cr_expect_eq(tl_bans_list(bans, 31 * S, list, 1), 1u);
	cr_expect(tl_bans_lift(bans, ADDR("192.0.2.1")));
	cr_expect_not(tl_bans_lift(bans, ADDR("192.0.2.1")));
	cr_expect_eq(tl_bans_left_s(bans, ADDR("192.0.2.1"), 31 * S), 0u);
	cr_expect_eq(fail_thrice(bans, "192.0.2.9", 32 * S), 200u, "the third time, at its limit");
	tl_bans_free(bans);
}

Test(limits, gives_a_burst_and_then_a_rate)
{
	const struct tl_limits_cfg limits_cfg = { .per_s = 2, .burst = 3, .sources = 4 };
	struct tl_limits *limits = tl_limits_new(&limits_cfg);

	for (int i = 0; i < 3; i++)
		cr_expect(tl_limits_take(limits, ADDR("192.0.2.1"), S));
	cr_expect_not(tl_limits_take(limits, ADDR("192.0.2.1"), S));
	cr_expect(tl_limits_take(limits, ADDR("192.0.2.2"), S), "each source has its own");
	cr_expect(tl_limits_take(limits, ADDR("192.0.2.1"), S + S / 2));
	cr_expect_not(tl_limits_take(limits, ADDR("192.0.2.1"), S + S / 2));
	for (int i = 0; i < 3; i++)
		cr_expect(tl_limits_take(limits, ADDR("192.0.2.1"), 100 * S));
	cr_expect_not(tl_limits_take(limits, ADDR("192.0.2.1"), 100 * S), "never above the burst");
	cr_expect_eq(tl_limits_count(limits), 2u);
	tl_limits_free(limits);
}

static const struct {
	const char *why, *a, *b;
	bool same;
} hosts[] = {
	{ "equal", "192.0.2.1", "192.0.2.1", true },
	{ "different", "192.0.2.1", "192.0.2.2", false },
	{ "mapped into IPv6", "192.0.2.1", "[::ffff:192.0.2.1]", true },
	{ "IPv6 with and without brackets", "[2001:db8::1]", "2001:db8::1", true },
	{ "of two families", "127.0.0.1", "::1", false },
};

Test(address, compares_hosts)
{
	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++)
		cr_expect_eq(tl_address_same_host(ADDR(hosts[i].a), ADDR(hosts[i].b)),
			     hosts[i].same, "%s", hosts[i].why);
}

Test(address, reads_and_writes_text)
{
	struct sockaddr_storage addr;
	char text[TL_ADDRESS_BYTES];

	cr_assert(tl_address_parse("[2001:db8::1]", 65535, &addr));
	cr_expect_str_eq(tl_address_text((struct sockaddr *)&addr, text), "[2001:db8::1]:65535");
	cr_assert(tl_address_parse("::ffff:192.0.2.7", 5060, &addr));
	cr_expect_str_eq(tl_address_text((struct sockaddr *)&addr, text), "192.0.2.7:5060");
	cr_expect_not(tl_address_parse("example.org", 5060, &addr));
	cr_expect_not(tl_address_parse("192.0.2.256", 5060, &addr));
	cr_expect_not(tl_address_parse("", 5060, &addr));
	addr.ss_family = AF_UNIX;
	cr_expect_str_eq(tl_address_text((struct sockaddr *)&addr, text), "?");
}
