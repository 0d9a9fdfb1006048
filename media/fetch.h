#pragma once
/*
 * Asks the caches for memory that will be looked at in a moment. With hundreds of
 * calls none of one call's memory is in the processor's caches when its next
 * packet comes, and a packet path that waits for it line by line waits for longer
 * than it computes. Only a hint: any address will do. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

enum { TL_CACHE_LINE = 64 };

static inline void tl_fetch(const void *at, size_t bytes)
{
	uintptr_t line = (uintptr_t)at / TL_CACHE_LINE * TL_CACHE_LINE;

	for (; line < (uintptr_t)at + bytes; line += TL_CACHE_LINE)
		__builtin_prefetch((const void *)line);
}
