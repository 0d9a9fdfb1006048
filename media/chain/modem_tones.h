#pragma once
/*
 * The tones by which fax machines and modems make themselves known, heard in a voice channel:
 *
 *   TL_MODEM_CALLING    CNG, ITU-T T.30 4.3.3.3: 1100 Hz +-38 Hz, 0.5 s of every 3.5 s, a fax calls
 *   TL_MODEM_ANSWER     CED or ANS, T.30 4.3.3.2, V.25: 2100 Hz +-21 Hz, continuous, a fax or modem
 *                       has answered
 *   TL_MODEM_REVERSING  ANS with its phase turned every 450 ms, or ANSam (V.8, V.25): echo
 *                       cancellers are to step aside (G.168 7)
 *
 * Never said for speech or music: a tone must hold nearly all of the energy for some hundred
 * milliseconds (test_modem_tones). Levels from -36 dBm0, noise 12 dB below. 0.3 us for 20 ms of
 * audio at 8000 Hz. One thread; plain data, no allocation. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

enum tl_modem_tone {
	TL_MODEM_NONE,
	TL_MODEM_CALLING,
	TL_MODEM_ANSWER,
	TL_MODEM_REVERSING,
	_TL_MODEM_MAX,
	_TL_MODEM_INVALID = -22,
};
const char *tl_modem_tone_name(enum tl_modem_tone tone); /* "none", "CNG", "ANS", "/ANS" */

/* What is known of one of the frequencies. */
struct tl_modem_track {
	float coefficient, turn_re, turn_im; /* of the frequency, and its phase over a step */
	float pure;                          /* share of the energy that makes it this tone */
	float s1, s2;                        /* Goertzel */
	float re, im, re2, im2;              /* the step before, and the one before that */
	float drift_re, drift_im;            /* how the phase goes on, while nothing turns it */
	unsigned steps;                      /* in a row that were this tone */
	unsigned since_turn;                 /* steps since the phase was turned; 0: never */
	unsigned turns;                      /* in the rhythm of ANSam */
	unsigned misses;                     /* steps in a row that were not */
};

struct tl_modem_ear {
	unsigned rate_hz;
	size_t step, n; /* samples that are looked at together: 10 ms; and how many have come */
	float energy;
	struct tl_modem_track calling, answer;
	enum tl_modem_tone tone; /* now heard */
	float level;             /* mean square of the last step */
};

void tl_modem_ear_init(struct tl_modem_ear *ear, unsigned rate_hz); /* a multiple of 100 */
/* Listens to n more samples, any number. What is heard at their end: each stays until the tone has
 * ended, except that ANSWER becomes REVERSING when the phase is turned for the second time. CALLING
 * is said after 300 ms, ANSWER after 300 ms, REVERSING within 1 s (G.168 7.2). */
enum tl_modem_tone tl_modem_ear_hear(struct tl_modem_ear *ear, const int16_t *pcm, size_t n);
