#include <criterion/criterion.h>
#include "b2bua/memory.h"

/* What the looks at these seconds see, and whether the last of them gives back. */
struct look {
	unsigned calls;
	uint64_t total;
	int64_t now_s;
	bool due;
};

static void check(const struct look *looks)
{
	struct tl_memory_idle idle = { 0 };

	for (unsigned i = 0; looks[i].now_s; i++)
		cr_assert_eq(
			tl_memory_is_due(&idle, looks[i].calls, looks[i].total, looks[i].now_s),
			looks[i].due, "look %u", i);
}

Test(memory, many_calls_and_then_none_for_long)
{
	check((struct look[]) { { 0, 0, 1, false },
				{ 50, 100, 3, false },
				{ 0, 120, 5, false },
				{ 0, 120, 5 + TL_MEMORY_IDLE_S - 1, false },
				{ 0, 120, 5 + TL_MEMORY_IDLE_S, true },
				{ 0, 120, 5 + TL_MEMORY_IDLE_S + 1, false }, /* once */
				{ 0, 120, 5000, false },
				{ 0 } });
}

Test(memory, a_call_in_between_begins_the_wait_anew)
{
	check((struct look[]) { { 0, 200, 10, false },
				{ 0, 201, 30, false }, /* it came and went between two looks */
				{ 0, 201, 10 + TL_MEMORY_IDLE_S, false },
				{ 1, 202, 50, false },
				{ 0, 202, 90, false },
				{ 0, 202, 90 + TL_MEMORY_IDLE_S, true },
				{ 0 } });
}

Test(memory, few_calls_are_not_worth_it)
{
	check((struct look[]) { { 0, 0, 1, false },
				{ 0, TL_MEMORY_CALLS - 1, 10, false },
				{ 0, TL_MEMORY_CALLS - 1, 1000, false },
				{ 0, TL_MEMORY_CALLS, 1001, false },
				{ 0, TL_MEMORY_CALLS, 1001 + TL_MEMORY_IDLE_S, true },
				{ 0, 2 * TL_MEMORY_CALLS - 1, 2000, false },
				{ 0, 2 * TL_MEMORY_CALLS - 1, 3000, false },
				{ 0 } });
}
