#pragma once
/*
 * Memory that lives and dies together: all that one dialplan's settings point
 * at. One thread while it is filled, none afterwards.
 */
#include <stddef.h>

struct tl_pool;

struct tl_pool *tl_pool_new(void);
void tl_pool_free(struct tl_pool *pool); /* NULL ok */

/* Zeroed, never NULL; lives until tl_pool_free(). */
void *tl_pool_alloc(struct tl_pool *pool, size_t n, size_t bytes);
/* Copies n elements of an array under construction; NULL when n is 0. */
void *tl_pool_copy(struct tl_pool *pool, const void *data, size_t n, size_t bytes);
char *tl_pool_strdup(struct tl_pool *pool, const char *text);
char *tl_pool_strndup(struct tl_pool *pool, const char *text, size_t bytes);
char *tl_pool_take(struct tl_pool *pool, char *text); /* takes text, from g_malloc() */
