#include "media/worker/seconds.h"

enum { SECOND_US = 1000000, TURN_US = SECOND_US / TL_SECOND_TURNS };

void tl_seconds_init(struct tl_seconds *seconds)
{
	*seconds = (struct tl_seconds) { .due_us = INT64_MAX };
}

static uint32_t turn_at(int64_t us)
{
	return (uint32_t)(us / TURN_US % TL_SECOND_TURNS);
}

/* The first turn after then that somebody has. */
static int64_t next_after(const struct tl_seconds *seconds, int64_t then_us)
{
	int64_t at_us = then_us / TURN_US * TURN_US;

	for (unsigned i = 0; i < TL_SECOND_TURNS; i++) {
		at_us += TURN_US;
		if (seconds->calls[turn_at(at_us)])
			return at_us;
	}
	return INT64_MAX;
}

void tl_seconds_join(struct tl_seconds *seconds, uint32_t slot, int64_t now_us)
{
	int64_t due_us;

	seconds->calls[slot % TL_SECOND_TURNS]++;
	due_us = next_after(seconds, now_us);
	if (due_us < seconds->due_us)
		seconds->due_us = due_us;
}

void tl_seconds_leave(struct tl_seconds *seconds, uint32_t slot)
{
	seconds->calls[slot % TL_SECOND_TURNS]--;
	for (unsigned i = 0; i < TL_SECOND_TURNS; i++)
		if (seconds->calls[i])
			return;
	seconds->due_us = INT64_MAX;
}

bool tl_seconds_take(struct tl_seconds *seconds, int64_t now_us, uint32_t *ret_turn)
{
	if (now_us < seconds->due_us)
		return false;
	*ret_turn = turn_at(seconds->due_us);
	/* Who comes more than a second late has each turn once. */
	if (now_us - seconds->due_us > SECOND_US)
		seconds->due_us = now_us - SECOND_US;
	seconds->due_us = next_after(seconds, seconds->due_us);
	return true;
}
