#include "media/chain/conceal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <glib.h>

enum { FRAME_MS = 20, FRAMES = 20, HOLE = 10 };

/* A buzz of that pitch: what a voiced sound looks like to a pitch search. */
static int16_t buzz(size_t i, unsigned rate_hz, double pitch_hz)
{
	double sum = 0;

	for (int h = 1; h <= 8; h++)
		sum += cos(2 * G_PI * h * pitch_hz * (double)i / rate_hz + h) / h;
	return (int16_t)(5000 * sum);
}

static double energy(const int16_t *pcm, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum / (double)n;
}

static const struct {
	unsigned rate_hz;
	double pitch_hz;
} voices[] = {
	{ 8000, 80 },  { 8000, 125 },  { 8000, 211 },  { 8000, 380 },
	{ 16000, 80 }, { 16000, 125 }, { 16000, 211 }, { 16000, 380 },
};

Test(conceal, a_steady_voice_goes_on_through_a_hole)
{
	for (size_t v = 0; v < G_N_ELEMENTS(voices); v++) {
		unsigned rate_hz = voices[v].rate_hz;
		size_t n = rate_hz * FRAME_MS / 1000;
		g_autofree int16_t *heard = g_new(int16_t, n * FRAMES);
		struct tl_conceal *conceal = tl_conceal_new(rate_hz);
		double wrong = 0, right = 0;
		int jump = 0, jump_max = 0;

		for (size_t i = 0; i < n * FRAMES; i++)
			heard[i] = buzz(i, rate_hz, voices[v].pitch_hz);
		for (size_t i = 1; i < n * HOLE; i++)
			jump_max = MAX(jump_max, abs(heard[i] - heard[i - 1]));
		for (size_t f = 0; f < FRAMES; f++)
			if (f == HOLE)
				tl_conceal_fill(conceal, heard + f * n, n);
			else
				tl_conceal_heard(conceal, heard + f * n, n);
		for (size_t i = HOLE * n; i < (HOLE + 2) * n; i++) {
			double said = buzz(i, rate_hz, voices[v].pitch_hz);

			wrong += (heard[i] - said) * (heard[i] - said);
			right += said * said;
			jump = MAX(jump, abs(heard[i] - heard[i - 1]));
		}
		cr_expect_lt(wrong, right / 8, "%u Hz, pitch %.0f: %.1f dB", rate_hz,
			     voices[v].pitch_hz, 10 * log10(right / wrong));
		cr_expect_lt(jump, jump_max * 5 / 4, "%u Hz, pitch %.0f: a click", rate_hz,
			     voices[v].pitch_hz);
		tl_conceal_free(conceal);
	}
}

Test(conceal, a_long_hole_fades_to_silence)
{
	struct tl_conceal *conceal = tl_conceal_new(8000);
	int16_t pcm[160];
	double before, last;

	for (size_t f = 0; f < 5; f++) {
		for (size_t i = 0; i < 160; i++)
			pcm[i] = buzz(f * 160 + i, 8000, 120);
		tl_conceal_heard(conceal, pcm, 160);
	}
	before = last = energy(pcm, 160);
	for (int f = 0; f < 3; f++) {
		tl_conceal_fill(conceal, pcm, 160);
		cr_expect_lt(energy(pcm, 160), last);
		last = energy(pcm, 160);
	}
	cr_expect_lt(last, before / 10);
	tl_conceal_fill(conceal, pcm, 160);
	cr_expect_eq(energy(pcm, 160), 0);

	/* And what comes then is faded in, not clipped off. */
	for (size_t i = 0; i < 160; i++)
		pcm[i] = 10000;
	tl_conceal_heard(conceal, pcm, 160);
	cr_expect_lt(pcm[0], 1000);
	cr_expect_eq(pcm[100], 10000);
	tl_conceal_free(conceal);
}

Test(conceal, a_cut_makes_no_click)
{
	for (size_t v = 0; v < G_N_ELEMENTS(voices); v++) {
		unsigned rate_hz = voices[v].rate_hz;
		size_t n = rate_hz * FRAME_MS / 1000;
		g_autofree int16_t *heard = g_new(int16_t, n * FRAMES);
		struct tl_conceal *conceal = tl_conceal_new(rate_hz);
		int jump_max = 0, cut_max = 0;

		/* One frame is left out, and lands the voice at another place of its period. */
		for (size_t i = 0; i < n * FRAMES; i++)
			heard[i] =
				buzz(i < n * HOLE ? i : i + n + n / 3, rate_hz, voices[v].pitch_hz);
		for (size_t f = 0; f < FRAMES; f++) {
			if (f == HOLE)
				tl_conceal_cut(conceal);
			tl_conceal_heard(conceal, heard + f * n, n);
		}
		for (size_t i = 1; i < n * FRAMES; i++) {
			int jump = abs(heard[i] - heard[i - 1]);

			if (i < n * HOLE)
				jump_max = MAX(jump_max, jump);
			else
				cut_max = MAX(cut_max, jump);
		}
		cr_expect_leq(cut_max, jump_max * 5 / 4, "%u Hz, %.0f", rate_hz,
			      voices[v].pitch_hz);
		tl_conceal_free(conceal);
	}
}

Test(conceal, before_anything_was_heard_there_is_silence)
{
	struct tl_conceal *conceal = tl_conceal_new(16000);
	int16_t pcm[320];

	memset(pcm, 1, sizeof pcm);
	tl_conceal_fill(conceal, pcm, 320);
	cr_expect_eq(energy(pcm, 320), 0);
	tl_conceal_free(conceal);
}

Test(conceal, the_loudest_audio_does_not_overflow)
{
	struct tl_conceal *conceal = tl_conceal_new(8000);
	int16_t pcm[160];

	for (int f = 0; f < 40; f++) {
		for (size_t i = 0; i < 160; i++)
			pcm[i] = (i / 37 + (size_t)f) % 2 ? INT16_MAX : INT16_MIN;
		if (f % 3 == 2)
			tl_conceal_fill(conceal, pcm, (size_t)f * 4);
		else
			tl_conceal_heard(conceal, pcm, (size_t)f * 4);
	}
	tl_conceal_free(conceal);
}
