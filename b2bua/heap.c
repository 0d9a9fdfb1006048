#include "b2bua/heap.h"

#ifdef TL_JEMALLOC
#include <jemalloc/jemalloc.h>
#include <stdint.h>

/* Read by jemalloc before main(). One thread gives back for all arenas, also for those whose own
 * thread has nothing to do any more. */
const char *malloc_conf = "background_thread:true,max_background_threads:1";

size_t tl_heap_used_bytes(void)
{
	uint64_t epoch = 1;
	size_t used, bytes = sizeof used;

	/* The figures are those of the last epoch: begin one. */
	mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
	return mallctl("stats.allocated", &used, &bytes, NULL, 0) == 0 ? used : 0;
}
#else
size_t tl_heap_used_bytes(void)
{
	return 0;
}
#endif
