#pragma once
/*
 * Buffers that never touch the allocator once warm: each thread keeps a short
 * list of those that came back to it. Any thread. Private to media/.
 */
#include <stdbool.h>
#include <stdint.h>

#include <gst/gst.h>

enum {
	TL_PCM_SAMPLES = 5760,                       /* 120 ms at 48 kHz: the longest Opus packet */
	TL_BUFFER_BYTES = (TL_PCM_SAMPLES + 64) * 2, /* and what a resampler rounds up */
};

/* A buffer that is the caller's alone, of TL_BUFFER_BYTES; *ret_bytes is its memory. */
GstBuffer *tl_buffer_take(void **ret_bytes);
/* The same, filled with a copy. bytes at most TL_BUFFER_BYTES. */
GstBuffer *tl_buffer_copy(const void *from, size_t bytes);
/* Cuts a buffer just taken to the bytes that were written. */
void tl_buffer_trim(GstBuffer *buffer, size_t bytes);

/* What is in a buffer, as n bytes at v. */
struct tl_bytes {
	uint8_t *v;
	size_t n;
	bool mapped; /* by map: the buffer is not one of ours */
	GstMapInfo map;
};

/* gst_buffer_map() for any buffer, and next to nothing for one of ours. To write, it must be
 * writable. False: it can't be mapped. */
bool tl_buffer_open(GstBuffer *buffer, struct tl_bytes *bytes, GstMapFlags flags);
void tl_buffer_close(GstBuffer *buffer, struct tl_bytes *bytes);
