#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include "b2bua/call/door.h"
#include "b2bua/call/load.h"

static const int64_t SECOND_US = 1000000;

static struct sockaddr_in from(const char *host)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	inet_pton(AF_INET, host, &in.sin_addr);
	return in;
}

static unsigned ask(struct tl_door *door, const char *host, int64_t now_us, unsigned times,
		    unsigned verdicts[_TL_DOOR_MAX])
{
	struct sockaddr_in source = from(host);

	for (unsigned i = 0; i < times; i++)
		verdicts[tl_door_ask(door, (struct sockaddr *)&source, now_us)]++;
	return times;
}

Test(door, a_burst_comes_in_then_503_then_silence)
{
	struct tl_door *door = tl_door_new(10);
	unsigned v[_TL_DOOR_MAX] = { 0 };

	ask(door, "192.0.2.1", SECOND_US, 1000, v);
	cr_expect_eq(v[TL_DOOR_OPEN], 100);
	cr_expect_eq(v[TL_DOOR_LATER], 100);
	cr_expect_eq(v[TL_DOOR_CLOSED], 800);
	tl_door_free(door);
}

Test(door, a_second_later_so_many_come_in_again)
{
	struct tl_door *door = tl_door_new(10);
	unsigned v[_TL_DOOR_MAX] = { 0 };

	ask(door, "192.0.2.1", SECOND_US, 1000, v);
	v[TL_DOOR_OPEN] = 0;
	ask(door, "192.0.2.1", 2 * SECOND_US, 1000, v);
	cr_expect_eq(v[TL_DOOR_OPEN], 10);
	tl_door_free(door);
}

Test(door, others_do_not_suffer)
{
	struct tl_door *door = tl_door_new(10);
	unsigned v[_TL_DOOR_MAX] = { 0 }, other[_TL_DOOR_MAX] = { 0 };

	ask(door, "192.0.2.1", SECOND_US, 1000, v);
	ask(door, "192.0.2.2", SECOND_US, 50, other);
	cr_expect_eq(other[TL_DOOR_OPEN], 50);
	tl_door_free(door);
}

Test(door, who_is_known_does_not_count)
{
	struct tl_door *door = tl_door_new(10);
	struct sockaddr_in source = from("192.0.2.1");
	unsigned v[_TL_DOOR_MAX] = { 0 };

	for (int i = 0; i < 1000; i++) {
		ask(door, "192.0.2.1", SECOND_US, 1, v);
		tl_door_forgive(door, (struct sockaddr *)&source);
	}
	cr_expect_eq(v[TL_DOOR_OPEN], 1000);
	tl_door_free(door);
}

Test(door, rate_0_is_no_limit_and_a_reload_may_change_it)
{
	struct tl_door *door = tl_door_new(0);
	unsigned v[_TL_DOOR_MAX] = { 0 };

	ask(door, "192.0.2.1", SECOND_US, 5000, v);
	cr_expect_eq(v[TL_DOOR_OPEN], 5000);
	tl_door_configure(door, 1);
	ask(door, "192.0.2.1", SECOND_US, 5000, v);
	cr_expect_eq(v[TL_DOOR_OPEN], 5010);
	tl_door_free(door);
}

/* How often the load is high, of n equal looks. */
static unsigned highs(struct tl_load *load, unsigned n, const struct tl_load_sample *sample)
{
	unsigned high = 0;

	for (unsigned i = 0; i < n; i++) {
		tl_load_add(load, sample);
		high += tl_load_is_high(load);
	}
	return high;
}

Test(load, a_second_of_lateness_is_too_much_of_any_kind)
{
	static const struct tl_load_sample bad[] = {
		{ .signalling_late_us = 100001 },
		{ .media_late_us = 100001 },
		{ .queue_permille = 501 },
	};
	static const struct tl_load_sample good = { 100000, 100000, 500 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct tl_load *load = tl_load_new(100);

		cr_expect_eq(highs(load, 4, &bad[i]), 0, "a hitch");
		cr_expect_eq(highs(load, 20, &good), 0);
		cr_expect_eq(highs(load, 4, &bad[i]), 0, "counted anew");
		cr_expect_eq(highs(load, 5, &bad[i]), 5);
		cr_expect_eq(highs(load, 4, &good), 4, "not over at once");
		cr_expect_eq(highs(load, 1, &bad[i]), 1);
		cr_expect_eq(highs(load, 2, &good), 1, "a second more of good than of bad");
		tl_load_free(load);
	}
}

Test(load, mostly_late_is_too_late)
{
	static const struct tl_load_sample bad = { .media_late_us = 100001 }, good = { 0 };
	struct tl_load *load = tl_load_new(100);
	unsigned mostly = 0, half = 0;

	for (int i = 0; i < 10; i++)
		half += highs(load, 1, &bad) + highs(load, 1, &good);
	for (int i = 0; i < 10; i++)
		mostly += highs(load, 2, &bad) + highs(load, 1, &good);
	cr_expect_eq(half, 0);
	cr_expect_gt(mostly, 10);
	tl_load_free(load);
}

Test(load, lag_0_is_never)
{
	static const struct tl_load_sample bad = { 9000000, 9000000, 1000 };
	struct tl_load *load = tl_load_new(0);

	cr_expect_eq(highs(load, 20, &bad), 0);
	tl_load_free(load);
}

Test(load, the_worst_tick_is_told_once)
{
	struct tl_load *load = tl_load_new(100);

	tl_load_add(load, &(struct tl_load_sample) { .media_late_us = 7000 });
	tl_load_add(load, &(struct tl_load_sample) { .media_late_us = 3000 });
	cr_expect_eq(tl_load_take_media_late_us(load), 7000);
	cr_expect_eq(tl_load_take_media_late_us(load), 0);
	tl_load_free(load);
}
