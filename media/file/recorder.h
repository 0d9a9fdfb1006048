#pragma once
/*
 * A stereo (or mono) WAV recording of a call, 16 bit. One clock for both
 * channels: each block of audio is placed by the time it was heard; what is
 * missing is silence of the exact length. The worker fills a block in memory
 * and hands it to the storage thread; after every write the file's header is
 * true, so that a killed process leaves a playable file. Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "media/file/storage.h"

struct tl_recorder;

enum tl_channel { TL_CHANNEL_LEFT, TL_CHANNEL_RIGHT, _TL_CHANNEL_MAX };

/* on_failed runs on the storage thread, at most once. Worker thread. */
typedef void tl_recorder_failed_fn(const char *why, void *user);
int tl_recorder_new(struct tl_storage *storage, const char *path, bool mono, unsigned rate_hz,
		    int64_t now_us, tl_recorder_failed_fn *on_failed, void *user,
		    struct tl_recorder **ret_recorder);
/* Audio heard on a channel; it continues the channel's own timeline unless
 * that has drifted from now_us by over 30 ms, in which case it is stretched or squeezed,
 * unheard, by one sample in 800; beyond 60 ms silence fills the gap (or the
 * surplus is dropped). Any rate; resampled if it is not the
 * file's. Worker thread; allocates nothing but whole blocks, never waits. */
void tl_recorder_put(struct tl_recorder *rec, enum tl_channel channel, const int16_t *pcm,
		     size_t samples, unsigned rate_hz, int64_t now_us);
/* At least once a second: hands full blocks on, fills silent channels up. */
void tl_recorder_tick(struct tl_recorder *rec, int64_t now_us);
/* Flushes and closes in the background. NULL ok. */
void tl_recorder_free(struct tl_recorder *rec, int64_t now_us);
