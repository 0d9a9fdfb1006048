#include "b2bua/heap.h"

#ifdef TL_JEMALLOC
#include <jemalloc/jemalloc.h>
#include <stdbool.h>
#include <stdint.h>

/* Read by jemalloc before main(). One thread will give back for all arenas, also for those whose
 * own thread has nothing to do any more. */
const char *malloc_conf = "max_background_threads:1";

static void set_thread(bool on)
{
	mallctl("background_thread", NULL, NULL, &on, sizeof on);
}

void tl_heap_begin(void)
{
	set_thread(true);
}

void tl_heap_end(void)
{
	set_thread(false);
}

size_t tl_heap_used_bytes(void)
{
	uint64_t epoch = 1;
	size_t used, bytes = sizeof used;

	/* The figures are those of the last epoch: begin one. */
	mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
	return mallctl("stats.allocated", &used, &bytes, NULL, 0) == 0 ? used : 0;
}
#else
void tl_heap_begin(void)
{
}

void tl_heap_end(void)
{
}

size_t tl_heap_used_bytes(void)
{
	return 0;
}
#endif
