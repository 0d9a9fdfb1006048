#pragma once
/*
 * ITU-T G.722 at 64 kbit/s, bit-exact, for many streams at once: two or three hundred bytes of
 * state, and all arithmetic in vectors of eight.
 *
 *               .-> low band, 8 kHz, 6 bits --.
 *   PCM 16 kHz -                               -> octet |high|   low     |
 *               '-> high band, 8 kHz, 2 bits -'
 *
 * At a PCM rate of 8000 Hz the band filters and the high band are left out: the
 * low band is all that a narrow-band stream can fill, or hear. Pure. Private to
 * media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The adaptive predictor and step of one band. The names are the standard's (G.722 3.5, 3.6). */
struct tl_g722_band {
	int16_t b[8], d[8];                /* the six zeros and what they weigh, newest first */
	int16_t a1, a2, r1, p1, p2, s, sz; /* p: -1 or 0, their signs */
	int16_t nb, det;
};

enum { TL_G722_HISTORY = 11 };

struct tl_g722 {
	bool narrow; /* PCM of 8000 Hz */
	struct tl_g722_band low, high;
	int16_t odd[TL_G722_HISTORY], even[TL_G722_HISTORY]; /* what the filters still need */
};

void tl_g722_init(struct tl_g722 *g722, bool narrow);
/* Two samples make a byte at 16 kHz, one at 8 kHz. What comes back is the bytes, or samples,
 * written. One state codes in one direction. */
size_t tl_g722_encode(struct tl_g722 *g722, const int16_t *pcm, size_t samples, uint8_t *payload);
size_t tl_g722_decode(struct tl_g722 *g722, const uint8_t *payload, size_t bytes, int16_t *pcm);
