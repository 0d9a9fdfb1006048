#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>

#include "media/chain/modem_tones.h"

enum { RATE_HZ = 8000, FRAME = 160 };

/* Full scale sine: +3.14 dBm0. */
static double amplitude(double dbm0)
{
	return 32767 * pow(10, (dbm0 - 3.14) / 20);
}

struct sound {
	double hz, dbm0;
	unsigned turn_ms;  /* the phase is turned each so often; 0: never */
	double am;         /* share of amplitude modulation at 15 Hz (ANSam) */
	double noise_dbm0; /* 0: none */
	unsigned ms;       /* then silence */
	unsigned degrees;  /* of a turn; 0: 180 */
};

static double noise(void)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += (double)rand() / RAND_MAX;
	return sum - 6;
}

static void make(int16_t *pcm, size_t n, unsigned rate_hz, const struct sound *sound)
{
	double phase = 1;

	for (size_t i = 0; i < n; i++) {
		double t = (double)i / rate_hz, v = 0;
		size_t every = (size_t)sound->turn_ms * rate_hz / 1000;

		phase += 2 * G_PI * sound->hz / rate_hz;
		if (every && i && i % every == 0)
			phase += G_PI * (sound->degrees ? sound->degrees : 180) / 180;
		if (i < (size_t)sound->ms * rate_hz / 1000)
			v = amplitude(sound->dbm0) * sin(phase) *
			    (1 + sound->am * sin(2 * G_PI * 15 * t));
		if (sound->noise_dbm0 < 0)
			v += amplitude(sound->noise_dbm0) / sqrt(2) * noise();
		pcm[i] = (int16_t)CLAMP(v, -32768, 32767);
	}
}

struct outcome {
	enum tl_modem_tone last, most;
	int calling_ms, answer_ms, reversing_ms; /* when it was said first; -1: never */
};

static struct outcome hear(const struct sound *sound, unsigned rate_hz, unsigned ms)
{
	struct outcome outcome = { .calling_ms = -1, .answer_ms = -1, .reversing_ms = -1 };
	size_t n = (size_t)ms * rate_hz / 1000, frame = rate_hz / 50;
	g_autofree int16_t *pcm = g_new(int16_t, n);
	struct tl_modem_ear ear;

	make(pcm, n, rate_hz, sound);
	tl_modem_ear_init(&ear, rate_hz);
	for (size_t at = 0; at < n; at += frame) {
		int now_ms = (int)((at + frame) * 1000 / rate_hz);
		int *when[] = { NULL, &outcome.calling_ms, &outcome.answer_ms,
				&outcome.reversing_ms };

		outcome.last = tl_modem_ear_hear(&ear, pcm + at, frame);
		outcome.most = MAX(outcome.most, outcome.last);
		if (outcome.last && *when[outcome.last] < 0)
			*when[outcome.last] = now_ms;
	}
	return outcome;
}

Test(modem_tones, each_is_heard_in_time_and_ends)
{
	static const struct {
		struct sound sound;
		enum tl_modem_tone tone;
		int within_ms;
	} cases[] = {
		{ { 1100, -10, 0, 0, 0, 500, 0 }, TL_MODEM_CALLING, 340 },
		{ { 1138, -36, 0, 0, 0, 500, 0 }, TL_MODEM_CALLING, 340 },
		{ { 1062, -10, 0, 0, -24, 500, 0 }, TL_MODEM_CALLING, 420 },
		{ { 2100, -10, 0, 0, 0, 2600, 0 }, TL_MODEM_ANSWER, 340 },
		{ { 2115, -31, 0, 0, 0, 2600, 0 }, TL_MODEM_ANSWER, 340 },
		{ { 2100, -10, 0, 0.2, 0, 3300, 0 }, TL_MODEM_ANSWER, 340 }, /* ANSam, /V.8 */
		{ { 2100, -10, 450, 0, 0, 3300, 0 }, TL_MODEM_REVERSING, 1000 },
		{ { 2100, -12, 450, 0.2, 0, 3300, 0 }, TL_MODEM_REVERSING, 1000 },
		{ { 2121, -31, 450, 0, 0, 3300, 0 }, TL_MODEM_REVERSING, 1000 },
		{ { 2079, 0, 450, 0.2, 0, 3300, 0 }, TL_MODEM_REVERSING, 1000 },
		{ { 2100, -12, 425, 0, 0, 3300, 0 }, TL_MODEM_REVERSING, 1000 },
		{ { 2100, -12, 475, 0, 0, 3300, 0 }, TL_MODEM_REVERSING, 1010 },
		{ { 2100, -12, 450, 0.2, -24, 3300, 0 }, TL_MODEM_REVERSING, 1500 },
		{ { 2100, -12, 450, 0, 0, 3300, 155 }, TL_MODEM_REVERSING, 1000 },
		{ { 2100, -12, 450, 0, 0, 3300, 205 }, TL_MODEM_REVERSING, 1000 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (unsigned hz = RATE_HZ; hz <= 48000; hz *= hz == 16000 ? 3 : 2) {
			struct outcome o = hear(&cases[i].sound, hz, cases[i].sound.ms + 200);
			int when[] = { 0, o.calling_ms, o.answer_ms, o.reversing_ms };

			cr_expect_eq(o.most, cases[i].tone, "case %zu at %u Hz: %s", i, hz,
				     tl_modem_tone_name(o.most));
			cr_expect_leq(when[cases[i].tone], cases[i].within_ms,
				      "case %zu at %u Hz: %d ms", i, hz, when[cases[i].tone]);
			cr_expect_eq(o.last, TL_MODEM_NONE, "case %zu: it has ended", i);
		}
	}
}

Test(modem_tones, other_tones_are_not_taken_for_them)
{
	static const struct {
		struct sound sound;
		enum tl_modem_tone most;
	} cases[] = {
		{ { 1100, -10, 0, 0, 0, 200, 0 }, TL_MODEM_NONE }, /* too short */
		{ { 1000, -10, 0, 0, 0, 2000, 0 }, TL_MODEM_NONE },
		{ { 1200, -10, 0, 0, 0, 2000, 0 }, TL_MODEM_NONE },
		{ { 2000, -10, 450, 0, 0, 2000, 0 }, TL_MODEM_NONE },
		{ { 2225, -10, 450, 0, 0, 2000, 0 }, TL_MODEM_NONE },
		{ { 2100, -50, 450, 0, 0, 3000, 0 }, TL_MODEM_NONE }, /* too faint */
		{ { 425, -10, 0, 0, 0, 2000, 0 }, TL_MODEM_NONE },
		{ { 2100, -10, 450, 0, 0, 3000, 90 }, TL_MODEM_ANSWER }, /* turned too little */
		{ { 2100, -10, 700, 0, 0, 3000, 0 }, TL_MODEM_ANSWER },  /* another rhythm */
		{ { 300, -90, 0, 0, -20, 3000, 0 }, TL_MODEM_NONE },     /* noise */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct outcome o = hear(&cases[i].sound, RATE_HZ, cases[i].sound.ms + 200);

		cr_expect_eq(o.most, cases[i].most, "case %zu: %s", i, tl_modem_tone_name(o.most));
	}
}
