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

/*
 * The code of the packet path by parts, each in one piece: a packet that comes alone finds the
 * processor's caches full of other things, and code that lies scattered is waited for line by line,
 * too.
 *
 *   packet  what every packet goes through
 *   chain   what comes to that where it is decoded, codecs aside
 */
#define TL_HOT(part) __attribute__((section("tl_hot_" #part)))

/* What hot code seldom comes to: kept out of its part, all of which is fetched. */
#define TL_ASIDE __attribute__((noinline))

/* The linker gives the bounds of a section these names. */
#define TL_HOT_BEGIN(part) __start_tl_hot_##part
#define TL_HOT_END(part)   __stop_tl_hot_##part
#define TL_HOT_PART(part)                                                                          \
	extern const char TL_HOT_BEGIN(part)[] __attribute__((visibility("hidden")));              \
	extern const char TL_HOT_END(part)[] __attribute__((visibility("hidden")))

TL_HOT_PART(packet);
TL_HOT_PART(chain);

#define tl_fetch_code(part)                                                                        \
	tl_fetch(TL_HOT_BEGIN(part), (size_t)(TL_HOT_END(part) - TL_HOT_BEGIN(part)))
