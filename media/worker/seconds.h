#pragma once
/*
 * Whose turn it is within each second: what a worker does for every call once a second (reports,
 * timeouts) is spread over that second, or the packets of a thousand calls would wait for all of
 * it. A call's turn comes by its slot; turns that nobody has wake nobody. Pure; one thread.
 */
#include <stdbool.h>
#include <stdint.h>

enum { TL_SECOND_TURNS = 50 };

struct tl_seconds {
	uint32_t calls[TL_SECOND_TURNS]; /* how many have this turn */
	int64_t due_us;                  /* of the next; INT64_MAX: there are no calls */
};

void tl_seconds_init(struct tl_seconds *seconds);
void tl_seconds_join(struct tl_seconds *seconds, uint32_t slot, int64_t now_us);
void tl_seconds_leave(struct tl_seconds *seconds, uint32_t slot);
/* True: the calls whose slot is *ret_turn, modulo TL_SECOND_TURNS, are due; ask again for more. */
bool tl_seconds_take(struct tl_seconds *seconds, int64_t now_us, uint32_t *ret_turn);
