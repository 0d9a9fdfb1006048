#include "media/rtp/packet.h"

#include <glib.h>

enum { SLAB_PACKETS = 64 };

struct slab {
	void *next;
	struct tl_packet packets[SLAB_PACKETS];
};

void tl_pool_grow(struct tl_pool *pool)
{
	/* Not zeroed: a page is touched when its packet is first used. */
	struct slab *slab = g_malloc(sizeof *slab);

	slab->next = pool->slabs;
	pool->slabs = slab;
	for (size_t i = SLAB_PACKETS; i-- > 0;)
		tl_pool_give(pool, &slab->packets[i]);
}

void tl_pool_done(struct tl_pool *pool)
{
	while (pool->slabs) {
		struct slab *slab = pool->slabs;

		pool->slabs = slab->next;
		g_free(slab);
	}
	pool->free = NULL;
}
