#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>

#include "media/chain/dtmf_ear.h"

/* The corners of ITU-T Q.24 and a little beyond: all 16 digits, each at many places on the hops. */

enum { PLACES = 10, RATE_HZ = 8000, DIGITS = 16 };
static const char digits[] = "123A456B789C*0#D";
static const double low_hz[] = { 697, 770, 852, 941 }, high_hz[] = { 1209, 1336, 1477, 1633 };

struct sound {
	const char *what;
	double low_dbm0, high_dbm0;
	double low_off, high_off; /* per cent of the frequency */
	double ms, pause_ms;
	double snr_db;         /* 0: no noise */
	double gap_at, gap_ms; /* an interruption */
};

/* Full scale sine: +3.14 dBm0. */
static double amplitude(double dbm0)
{
	return 32767 * pow(10, (dbm0 - 3.14) / 20);
}

static double noise(void)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += (double)rand() / RAND_MAX;
	return sum;
}

static double tone(const struct sound *sound, int digit, double ms, double phase)
{
	double t = 2 * G_PI * ms / 1000;

	if (ms >= sound->ms ||
	    (sound->gap_ms > 0 && ms >= sound->gap_at && ms < sound->gap_at + sound->gap_ms))
		return 0;
	return amplitude(sound->low_dbm0) *
		       sin(low_hz[digit / 4] * (1 + sound->low_off / 100) * t + phase) +
	       amplitude(sound->high_dbm0) *
		       sin(high_hz[digit % 4] * (1 + sound->high_off / 100) * t + 2 * phase);
}

struct heard {
	char digits[64];
	size_t n;
	unsigned least_ms, most_ms;
};

static void on_change(char digit, unsigned ms, void *user)
{
	struct heard *heard = user;

	if (digit && heard->n < sizeof heard->digits - 1)
		heard->digits[heard->n++] = digit;
	if (digit)
		return;
	heard->least_ms = MIN(heard->least_ms, ms);
	heard->most_ms = MAX(heard->most_ms, ms);
}

/* All digits in a row, so many samples later than the ear's first. */
static void hear(const struct sound *sound, size_t later, struct heard *heard)
{
	size_t each = (size_t)((sound->ms + sound->pause_ms) * RATE_HZ / 1000);
	size_t n = later + each * DIGITS + RATE_HZ / 10;
	g_autofree int16_t *pcm = g_new0(int16_t, n);
	double loud = amplitude(MAX(sound->low_dbm0, sound->high_dbm0));
	double hiss = sound->snr_db > 0 ? loud * pow(10, -sound->snr_db / 20) : 0;
	struct tl_dtmf_ear ear;

	for (size_t i = 0; i < n; i++) {
		size_t digit = i < later ? DIGITS : (i - later) / each;
		double v = hiss * noise();

		if (digit < DIGITS)
			v += tone(sound, (int)digit, (double)((i - later) % each) * 1000 / RATE_HZ,
				  (double)later);
		pcm[i] = (int16_t)CLAMP(v, -32768, 32767);
	}
	*heard = (struct heard) { .least_ms = 10000 };
	tl_dtmf_ear_init(&ear);
	for (size_t i = 0; i < n; i += 80)
		tl_dtmf_ear_hear(&ear, pcm + i, MIN((size_t)80, n - i), on_change, heard);
}

static const struct sound good[] = {
	{ "loudest", 0, 0, 0, 0, 40, 40, 0, 0, 0 },
	{ "usual", -8, -6, 0, 0, 40, 40, 0, 0, 0 },
	{ "faint", -25, -25, 0, 0, 40, 40, 0, 0, 0 },
	{ "fainter", -36, -36, 0, 0, 40, 40, 0, 0, 0 },
	{ "high by 4 dB", -14, -10, 0, 0, 40, 40, 0, 0, 0 },
	{ "high by 8 dB", -18, -10, 0, 0, 40, 40, 0, 0, 0 },
	{ "low by 8 dB", -10, -18, 0, 0, 40, 40, 0, 0, 0 },
	{ "low by 8 dB and faint", -17, -25, 0, 0, 40, 40, 0, 0, 0 },
	{ "1.5 % up", -10, -10, 1.5, 1.5, 40, 40, 0, 0, 0 },
	{ "1.5 % down", -10, -10, -1.5, -1.5, 40, 40, 0, 0, 0 },
	{ "1.5 % apart", -10, -10, -1.5, 1.5, 40, 40, 0, 0, 0 },
	{ "1.5 % together", -10, -10, 1.5, -1.5, 40, 40, 0, 0, 0 },
	{ "1.5 % up, low by 8 dB", -10, -18, 1.5, 1.5, 40, 40, 0, 0, 0 },
	{ "1.5 % down, high by 8 dB", -18, -10, -1.5, -1.5, 40, 40, 0, 0, 0 },
	{ "noise 15 dB below", -10, -10, 0, 0, 40, 40, 15, 0, 0 },
	{ "noise 15 dB below, 1.5 % up", -10, -10, 1.5, 1.5, 40, 40, 15, 0, 0 },
	{ "noise 12 dB below", -10, -10, 0, 0, 50, 50, 13, 0, 0 },
	{ "pause of 30 ms", -10, -10, 0, 0, 65, 30, 0, 0, 0 },
	{ "interrupted", -10, -10, 0, 0, 120, 40, 0, 55, 10 },
	{ "long", -10, -10, 0, 0, 500, 60, 0, 0, 0 },
};

Test(dtmf_ear, hears_all_digits_within_the_limits)
{
	for (size_t s = 0; s < G_N_ELEMENTS(good); s++) {
		for (size_t place = 0; place < PLACES; place++) {
			struct heard heard;

			hear(&good[s], 400 + 7 * place, &heard);
			cr_expect_str_eq(heard.digits, digits, "%s, place %zu: %s", good[s].what,
					 place, heard.digits);
			if (good[s].snr_db > 0)
				continue;
			cr_expect_geq(heard.least_ms, good[s].ms - 11, "%s: %u ms", good[s].what,
				      heard.least_ms);
			cr_expect_leq(heard.most_ms, good[s].ms + 11, "%s: %u ms", good[s].what,
				      heard.most_ms);
		}
	}
}

static const struct sound bad[] = {
	{ "3.5 % up", -10, -10, 3.5, 3.5, 100, 50, 0, 0, 0 },
	{ "3.5 % down", -10, -10, -3.5, -3.5, 100, 50, 0, 0, 0 },
	{ "low 3.5 % up", -10, -10, 3.5, 0, 100, 50, 0, 0, 0 },
	{ "low 3.5 % down", -10, -10, -3.5, 0, 100, 50, 0, 0, 0 },
	{ "high 3.5 % up", -10, -10, 0, 3.5, 100, 50, 0, 0, 0 },
	{ "high 3.5 % down", -10, -10, 0, -3.5, 100, 50, 0, 0, 0 },
	{ "23 ms", -10, -10, 0, 0, 23, 50, 0, 0, 0 },
	{ "high by 12 dB", -18, -6, 0, 0, 60, 50, 0, 0, 0 },
	{ "low by 12 dB", -6, -18, 0, 0, 60, 50, 0, 0, 0 },
	{ "too faint", -55, -55, 0, 0, 60, 50, 0, 0, 0 },
	{ "low tone alone", -6, -60, 0, 0, 60, 50, 0, 0, 0 },
	{ "high tone alone", -60, -6, 0, 0, 60, 50, 0, 0, 0 },
	{ "as loud as noise", -10, -10, 0, 0, 60, 50, 3, 0, 0 },
};

Test(dtmf_ear, hears_none_beyond_them)
{
	for (size_t s = 0; s < G_N_ELEMENTS(bad); s++) {
		for (size_t place = 0; place < PLACES; place++) {
			struct heard heard;

			hear(&bad[s], 400 + 7 * place, &heard);
			cr_expect_eq(heard.n, 0, "%s, place %zu: %s", bad[s].what, place,
				     heard.digits);
		}
	}
}
