#pragma once
/*
 * Hears digits as two tones (ITU-T Q.23) by the rules of Q.24: accepted from 40 ms of length and
 * pauses of 30 ms on, with frequencies up to 1.5 % off, the high group up to 9 dB louder or softer
 * than the low one, from -36 dBm0 a tone, noise 12 dB below; refused under 24 ms, at 3.5 % off, and
 * whenever anything but the two tones makes more than a fifth of the sound, as in speech
 * (talk-off). An interruption of 10 ms splits no digit. spandsp's detector has fixed limits that
 * Q.24's corners lie outside of (tests/unit/test_dtmf_ear.c has them all). 8000 Hz; 2 us for 20 ms
 * of speech. Plain data, one thread, no allocation. Private to media/chain/.
 */
#include <stddef.h>
#include <stdint.h>

enum { TL_DTMF_HOP = 40, TL_DTMF_WINDOW = 120 }; /* samples: 5 ms, 15 ms */

struct tl_dtmf_ear {
	float window[TL_DTMF_WINDOW]; /* the latest samples */
	size_t n;                     /* that have come since the last hop */
	float re[2], im[2], power[2]; /* of the last hop's tones: low, high */
	char candidate;               /* of the last hop; '\0': none */
	unsigned good, bad;           /* hops in a row */
	unsigned since_begin;         /* hops since the first good one */
	char digit;                   /* that is being heard; '\0': none */
	unsigned lasted;              /* hops from its first to its last good one */
};

/* Told once when a digit is certain, ms 0, and once when it is over: digit '\0', and how long it
 * was. */
typedef void tl_dtmf_ear_fn(char digit, unsigned ms, void *user);

void tl_dtmf_ear_init(struct tl_dtmf_ear *ear);
void tl_dtmf_ear_hear(struct tl_dtmf_ear *ear, const int16_t *pcm, size_t n,
		      tl_dtmf_ear_fn *on_change, void *user);
