#pragma once
/*
 * A recording's file: blocks filled by a worker, written by the storage thread
 * at the place where they belong, the head made true after each. What could
 * not be written is a hole, which reads as silence, so time is never lost.
 * Private to media/ (recorder.c).
 */
#include <stddef.h>
#include <stdint.h>

#include "media/file/recorder.h"

struct tl_recording;
struct tl_block; /* one second of audio, each channel's by itself */

/* The file and its directories are made by the storage thread (0640, 0750); a
 * file that exists is not touched: that is a failure. -EAGAIN: the storage queue is
 * full; -EINVAL: path is not absolute. Worker thread, as all that follow. */
int tl_recording_new(struct tl_storage *storage, const char *path, unsigned channels,
		     unsigned rate_hz, tl_recorder_failed_fn *on_failed, void *user,
		     struct tl_recording **ret_recording);
/* NULL: all are waiting for the disk. */
struct tl_block *tl_recording_take(struct tl_recording *recording);
/* Each channel's from rate_hz times its number on; what they are when taken is anybody's guess. */
int16_t *tl_block_samples(struct tl_block *block);
/* Takes block; its first frame belongs at frame at of the file. 0 frames: gives it back. */
void tl_recording_write(struct tl_recording *recording, struct tl_block *block, int64_t at,
			size_t frames);
/* Takes recording. The file is to end at frame end, silence added if need be. */
void tl_recording_close(struct tl_recording *recording, int64_t end);
