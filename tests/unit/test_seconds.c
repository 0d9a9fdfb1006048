#include <criterion/criterion.h>

#include "media/worker/seconds.h"

enum { SECOND_US = 1000000, TURN_US = SECOND_US / TL_SECOND_TURNS };

static const int64_t NOON_US = INT64_C(12345) * SECOND_US + 4321;

/* How often each of n slots has its turn while the clock goes on in steps. */
static void run(struct tl_seconds *seconds, int64_t from_us, int64_t for_us, int64_t step_us,
		unsigned *turns, unsigned n)
{
	uint32_t turn;

	for (int64_t now_us = from_us; now_us < from_us + for_us; now_us += step_us)
		while (tl_seconds_take(seconds, now_us, &turn))
			for (uint32_t slot = turn; slot < n; slot += TL_SECOND_TURNS)
				turns[slot]++;
}

static void join_all(struct tl_seconds *seconds, uint32_t n)
{
	tl_seconds_init(seconds);
	for (uint32_t slot = 0; slot < n; slot++)
		tl_seconds_join(seconds, slot, NOON_US);
}

Test(seconds, each_call_has_its_turn_once_a_second)
{
	struct tl_seconds seconds;
	unsigned turns[500] = { 0 };

	join_all(&seconds, 500);
	run(&seconds, NOON_US, 10 * SECOND_US + 10000, 10000, turns, 500);
	for (size_t i = 0; i < 500; i++)
		cr_expect_eq(turns[i], 10, "slot %zu had %u turns in ten seconds", i, turns[i]);
}

Test(seconds, many_calls_are_spread_over_the_second)
{
	struct tl_seconds seconds;
	uint32_t turn, most = 0;

	join_all(&seconds, 500);
	for (int64_t now_us = NOON_US; now_us < NOON_US + 2 * SECOND_US; now_us += 10000) {
		uint32_t calls = 0;

		while (tl_seconds_take(&seconds, now_us, &turn))
			calls += seconds.calls[turn];
		most = calls > most ? calls : most;
	}
	cr_expect_eq(most, 500 / TL_SECOND_TURNS);
}

Test(seconds, one_call_wakes_nobody_between_its_turns)
{
	struct tl_seconds seconds;
	int64_t first_us;
	uint32_t turn;

	tl_seconds_init(&seconds);
	cr_expect_eq(seconds.due_us, INT64_MAX);
	tl_seconds_join(&seconds, 7, NOON_US);
	first_us = seconds.due_us;
	cr_expect_gt(first_us, NOON_US);
	cr_expect_leq(first_us, NOON_US + SECOND_US);
	cr_expect_not(tl_seconds_take(&seconds, first_us - 1, &turn));
	cr_expect(tl_seconds_take(&seconds, first_us, &turn));
	cr_expect_eq(turn, 7);
	cr_expect_eq(seconds.due_us, first_us + SECOND_US);
	tl_seconds_leave(&seconds, 7);
	cr_expect_eq(seconds.due_us, INT64_MAX, "without calls there is nothing to wake up for");
}

Test(seconds, who_joins_later_may_be_the_first)
{
	struct tl_seconds seconds;
	int64_t base_us = INT64_C(100) * SECOND_US;

	tl_seconds_init(&seconds);
	tl_seconds_join(&seconds, 30, base_us);
	cr_expect_eq(seconds.due_us, base_us + 30 * TURN_US);
	tl_seconds_join(&seconds, 3, base_us);
	cr_expect_eq(seconds.due_us, base_us + 3 * TURN_US);
	tl_seconds_join(&seconds, 40, base_us);
	cr_expect_eq(seconds.due_us, base_us + 3 * TURN_US);
}

Test(seconds, who_comes_late_makes_up_for_one_second_at_most)
{
	struct tl_seconds seconds;
	unsigned turns[100] = { 0 };

	join_all(&seconds, 100);
	run(&seconds, NOON_US + 60 * (int64_t)SECOND_US, 1, 1, turns, 100);
	for (size_t i = 0; i < 100; i++)
		cr_expect(turns[i] >= 1 && turns[i] <= 2, "slot %zu had %u turns", i, turns[i]);
	cr_expect_gt(seconds.due_us, NOON_US + 60 * (int64_t)SECOND_US);
}
