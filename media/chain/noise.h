#pragma once
/*
 * Comfort noise, RFC 3389: made from a description, and described. Pure.
 * Private to media/.
 *
 *   | level 0..127, -dBov | reflection coefficient | ... |
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TL_NOISE_ORDER = 12 }; /* coefficients heard; more are too fine to matter */

struct tl_noise {
	bool on; /* the caller's: it is what is heard now */
	uint32_t seed;
	float gain;
	size_t order;
	float k[TL_NOISE_ORDER], delay[TL_NOISE_ORDER + 1];
};

/* From now on this noise. False: the payload is none, and nothing changes. */
bool tl_noise_set(struct tl_noise *noise, const uint8_t *payload, size_t bytes);
void tl_noise_fill(struct tl_noise *noise, int16_t *pcm, size_t samples);

/*
 * Tells silence, room noise, from voice: what stays within 6 dB of the quietest
 * that was heard lately, after the voice has ended for 200 ms.
 */
struct tl_silence {
	float floor;       /* energy of the background, a sample's mean square; 0: not known yet */
	float level;       /* of the last silent stretch, smoothed */
	unsigned quiet_ms; /* so long no voice */
	bool voice;        /* since tl_silence_packet(): there was some */
	unsigned told_ms;  /* since the noise was described; told: at this level */
	uint8_t told;
	bool described;
};

void tl_silence_hear(struct tl_silence *silence, const int16_t *pcm, size_t samples,
		     unsigned rate_hz);
/* A packet of ms is complete: is all of it silence? If so, *ret_level is what to send in its place,
 * -1: nothing, the last description holds. */
bool tl_silence_packet(struct tl_silence *silence, unsigned ms, int *ret_level);
