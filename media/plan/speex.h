#pragma once
/*
 * Where the frames of a Speex payload lie: any number of them, of any mode,
 * not aligned to bytes (RFC 5574 3.3). Pure. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

enum { TL_SPEEX_FRAMES = 8 }; /* in a payload; RTP has 1 to 3 */

/* Writes after which bit each frame ends; returns how many, or 0: not Speex. */
size_t tl_speex_frames(const uint8_t *payload, size_t bytes, size_t ends[TL_SPEEX_FRAMES]);
