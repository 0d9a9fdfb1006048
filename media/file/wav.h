#pragma once
/*
 * The head of a WAV file of 16-bit PCM. Pure functions. Private to media/.
 */
#include <stdint.h>

enum {
	TL_WAV_HEAD_BYTES = 44,
	TL_WAV_SAMPLE_BYTES = 2,
};

/* What the two 32-bit lengths in the head can say, in whole stereo frames. */
#define TL_WAV_DATA_MAX_BYTES ((UINT32_MAX - TL_WAV_HEAD_BYTES) & ~(uint32_t)3)

/* data_bytes of samples follow the head. */
void tl_wav_head(uint8_t ret_head[TL_WAV_HEAD_BYTES], unsigned rate_hz, unsigned channels,
		 uint32_t data_bytes);
