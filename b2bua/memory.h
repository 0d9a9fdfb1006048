#pragma once
/*
 * Memory that a rush of calls has left free goes back to the system.
 *
 * The C library keeps what is freed in the middle of its heaps, so the resident memory of a gateway
 * would stay where its busiest minute has brought it. When many calls have ended and none is left,
 * and the transactions of the last have lingered out, the free pages are given back, once. That
 * takes some milliseconds of the signalling thread, at a time when it has nothing else to do.
 *
 * Signalling thread only.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sofia-sip/su_wait.h>

enum {
	TL_MEMORY_CALLS = 100, /* as few are not worth it */
	TL_MEMORY_IDLE_S = 34, /* a transaction lingers for 64 T1 (RFC 6026) */
	TL_MEMORY_FREE_MB = 4, /* free in the heaps: less is not worth it */
};

struct tl_memory;

/* calls: how many there are now; total: how many there have been. */
typedef void tl_memory_ask_fn(unsigned *ret_calls, uint64_t *ret_total, void *user);

/* Looks by itself every few seconds. Never NULL. */
struct tl_memory *tl_memory_start(su_root_t *root, tl_memory_ask_fn *ask, void *user);
void tl_memory_free(struct tl_memory *memory); /* NULL ok */

/* What a look decides; without a clock or a heap of its own, for tests. */
struct tl_memory_idle {
	uint64_t total;  /* of the last look */
	uint64_t given;  /* total when memory was given back last */
	int64_t since_s; /* no call since then; 0: there was one */
};
/* True: it is the time to give back, if there is anything. */
bool tl_memory_is_due(struct tl_memory_idle *idle, unsigned calls, uint64_t total, int64_t now_s);
