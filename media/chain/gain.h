#pragma once
/*
 * Makes a voice louder or softer: by a fixed gain, and by one that brings it to a loudness (AGC).
 * The AGC follows speech only, 3 dB a second, by 15 dB at the most either way; it waits in pauses.
 * What would be clipped is bent instead. Plain data; one thread. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

struct tl_gain {
	float speech; /* mean square of the voice, as it comes; 0: none has been heard */
	float noise;  /* the same of its pauses */
	float now;    /* the AGC's factor */
	float before; /* factor at the end of what was changed last; 0: nothing was */
};

/* fixed_db is always applied; agc_dbm0: the loudness wanted, 0: no AGC. In place. */
void tl_gain_apply(struct tl_gain *gain, int16_t *pcm, size_t n, unsigned rate_hz, int fixed_db,
		   int agc_dbm0);
