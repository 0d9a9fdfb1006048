#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <math.h>

#include "media/chain/resample.h"

static int16_t *tone(unsigned rate_hz, double hz, size_t n)
{
	int16_t *pcm = g_new(int16_t, n);

	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)lrint(10000 * sin(2 * G_PI * hz * i / rate_hz));
	return pcm;
}

static double power_db(const int16_t *pcm, size_t n)
{
	double sum = 1e-9;

	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return 10 * log10(sum / n);
}

static const struct {
	const char *why;
	unsigned in_hz, out_hz;
	double hz;
	double least_snr_db;
} kept[] = {
	{ "narrow-band to wide-band", 8000, 16000, 1000, 50 },
	{ "narrow-band to full band", 8000, 48000, 1000, 50 },
	{ "wide-band to narrow-band", 16000, 8000, 1000, 50 },
	{ "full band to narrow-band", 48000, 8000, 1000, 50 },
	{ "full band to wide-band", 48000, 16000, 3000, 50 },
	{ "a compact disc", 44100, 8000, 1000, 50 },
	{ "three to two", 12000, 8000, 1000, 50 },
	{ "the top of the telephone band", 48000, 8000, 3300, 45 },
	{ "same rate", 8000, 8000, 1000, 50 },
};

Test(resample, keeps_what_both_rates_can_hold_and_its_time)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		size_t n;
		g_autofree int16_t *in = tone(kept[i].in_hz, kept[i].hz, kept[i].in_hz);
		g_autofree int16_t *want = tone(kept[i].out_hz, kept[i].hz, kept[i].out_hz);
		g_autofree int16_t *out =
			tl_resample_all(in, kept[i].in_hz, kept[i].in_hz, kept[i].out_hz, &n);
		size_t edge = kept[i].out_hz / 100;
		double snr_db;

		cr_assert_not_null(out, "%s", kept[i].why);
		cr_expect_eq(n, kept[i].out_hz, "%s", kept[i].why);
		snr_db = power_db(want + edge, n - 2 * edge);
		for (size_t k = 0; k < n; k++)
			out[k] -= want[k];
		snr_db -= power_db(out + edge, n - 2 * edge);
		cr_expect_geq(snr_db, kept[i].least_snr_db, "%s: %.1f dB", kept[i].why, snr_db);
	}
}

Test(resample, removes_what_the_lower_rate_cant_hold)
{
	size_t n;
	g_autofree int16_t *in = tone(48000, 5000, 48000);
	g_autofree int16_t *out = tl_resample_all(in, 48000, 48000, 8000, &n);

	cr_expect_lt(power_db(out + 100, n - 200), power_db(in, 48000) - 55);
}

Test(resample, gives_the_same_in_pieces_as_at_once)
{
	g_autofree int16_t *in = tone(16000, 440, 16000);
	struct tl_resampler *whole, *pieces;
	int16_t a[8002], b[8002 + 16];
	size_t n_a, n_b = 0;

	cr_assert_eq(tl_resampler_new(16000, 8000, &whole), 0);
	cr_assert_eq(tl_resampler_new(16000, 8000, &pieces), 0);
	n_a = tl_resampler_run(whole, in, 16000, a);
	for (size_t at = 0, step = 1; at < 16000; at += step, step = step % 331 + 1) {
		step = MIN(step, 16000 - at);
		n_b += tl_resampler_run(pieces, in + at, step, b + n_b);
	}
	cr_expect_eq(n_a, 8000);
	cr_expect_eq(n_b, n_a);
	cr_expect_arr_eq(a, b, n_a * sizeof *a);
	tl_resampler_free(whole);
	tl_resampler_free(pieces);
}

Test(resample, never_gives_more_than_it_said)
{
	static const unsigned rates[][2] = {
		{ 8000, 48000 },
		{ 48000, 8000 },
		{ 44100, 48000 },
		{ 16000, 44100 },
	};
	int16_t in[333] = { 0 }, out[4096];

	for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
		struct tl_resampler *rs;

		cr_assert_eq(tl_resampler_new(rates[i][0], rates[i][1], &rs), 0);
		for (size_t n = 0; n < G_N_ELEMENTS(in); n++)
			cr_expect_leq(tl_resampler_run(rs, in, n, out), tl_resampler_bound(rs, n));
		tl_resampler_free(rs);
	}
}

Test(resample, refuses_rates_that_have_no_small_ratio)
{
	struct tl_resampler *rs;

	cr_expect_eq(tl_resampler_new(44101, 48000, &rs), -ENOTSUP);
	cr_expect_eq(tl_resampler_new(0, 8000, &rs), -ENOTSUP);
	cr_expect_eq(tl_resampler_new(192000, 8000, &rs), -ENOTSUP);
}
