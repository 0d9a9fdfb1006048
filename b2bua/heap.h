#pragma once
/*
 * The program allocates by jemalloc. Setting up a call takes many small pieces, most of them in
 * Sofia-SIP: with the C library's allocator that was an eighth of the program's CPU. What a rush of
 * calls has left free goes back to the system by and by, by a thread that jemalloc has for that.
 *
 * A sanitizer build has the sanitizer's allocator, which tells nothing of this and keeps what was
 * freed.
 */
#include <stddef.h>

/* From here to tl_heap_end() that thread runs. Not in verbs that end at once: a thread that begins
 * while its process ends has jemalloc complain ("Error setting tsd"). Main thread, after signals
 * were blocked. */
void tl_heap_begin(void);
void tl_heap_end(void);

/* What is allocated and not freed, so that a leak shows before it is large: resident memory is no
 * measure of that, since it holds what was freed, too. 0: not known. Any thread. */
size_t tl_heap_used_bytes(void);
