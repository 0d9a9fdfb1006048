#include "dialplan/text/pool.h"

#include <glib.h>

/* One block each, so that a sanitizer sees the edges of every array. */
struct tl_pool {
	GPtrArray *blocks;
};

struct tl_pool *tl_pool_new(void)
{
	struct tl_pool *pool = g_new0(struct tl_pool, 1);

	pool->blocks = g_ptr_array_new_with_free_func(g_free);
	return pool;
}

void tl_pool_free(struct tl_pool *pool)
{
	if (!pool)
		return;
	g_ptr_array_unref(pool->blocks);
	g_free(pool);
}

static void *keep(struct tl_pool *pool, void *block)
{
	g_ptr_array_add(pool->blocks, block);
	return block;
}

void *tl_pool_alloc(struct tl_pool *pool, size_t n, size_t bytes)
{
	return keep(pool, g_malloc0_n(MAX(n, 1), bytes));
}

void *tl_pool_copy(struct tl_pool *pool, const void *data, size_t n, size_t bytes)
{
	if (!n)
		return NULL;
	return keep(pool, g_memdup2(data, n * bytes));
}

char *tl_pool_strdup(struct tl_pool *pool, const char *text)
{
	return keep(pool, g_strdup(text));
}

char *tl_pool_strndup(struct tl_pool *pool, const char *text, size_t bytes)
{
	return keep(pool, g_strndup(text, bytes));
}

char *tl_pool_take(struct tl_pool *pool, char *text)
{
	return keep(pool, text);
}
