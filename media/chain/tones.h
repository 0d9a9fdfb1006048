#pragma once
/*
 * Digits as tones in the audio (ITU-T Q.23, Q.24): heard (dtmf_ear.h), cut out
 * of the audio in which they came, and made. One worker thread; nothing is
 * allocated after _new. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

enum { TL_TONE_NEWS = 4, TL_TONE_HZ = 8000, TL_TONE_STEP = 160 /* samples, 20 ms */ };

struct tl_tone_news {
	char digit;           /* that has begun; '\0': the one before has ended */
	unsigned duration_ms; /* of the one that has ended */
};

struct tl_tone_ear;

/* -ENOTSUP: this rate can't be made 8000 Hz. */
int tl_tone_ear_new(unsigned rate_hz, struct tl_tone_ear **ret_ear);
void tl_tone_ear_free(struct tl_tone_ear *ear); /* NULL ok */
/*
 * Listens to pcm and silences it where a digit is, or where it holds nothing but two tones that may
 * become one: 10 ms of a digit are left, too little to be heard a second time (Q.24: 40 ms, never
 * less than 20). Returns how much news there is, TL_TONE_NEWS at most.
 */
size_t tl_tone_ear_hear(struct tl_tone_ear *ear, int16_t *pcm, size_t samples,
			struct tl_tone_news news[TL_TONE_NEWS]);

/* The audio ends here; what comes next is listened to anew. */
void tl_tone_ear_stop(struct tl_tone_ear *ear);

/* Two oscillators at -8 (low group) and -6 dBm0. */
struct tl_tone_mouth {
	uint32_t phase[2];
	int32_t rate[2];
};

void tl_tone_mouth_set(struct tl_tone_mouth *mouth, char digit); /* any but a digit: silence */
void tl_tone_mouth_speak(struct tl_tone_mouth *mouth, int16_t pcm[TL_TONE_STEP]);
