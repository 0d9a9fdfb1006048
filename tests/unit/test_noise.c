#include "media/chain/noise.h"

#include <math.h>

#include <criterion/criterion.h>
#include <glib.h>

enum { RATE_HZ = 8000, FRAME = 160 };

static double level_of(const int16_t *pcm, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return 10 * log10(32768.0 * 32768 / (sum / (double)n + 1e-9));
}

Test(noise, is_as_loud_as_its_description_says)
{
	static const struct {
		uint8_t payload[4];
		size_t bytes;
	} cases[] = {
		{ { 40 }, 1 },
		{ { 55 }, 1 },
		{ { 40, 160, 100 }, 3 },
		{ { 45, 255, 0, 127 }, 4 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		static int16_t pcm[RATE_HZ];
		struct tl_noise noise = { 0 };

		cr_assert(tl_noise_set(&noise, cases[i].payload, cases[i].bytes));
		tl_noise_fill(&noise, pcm, RATE_HZ);
		tl_noise_fill(&noise, pcm, RATE_HZ);
		cr_expect_float_eq(level_of(pcm, RATE_HZ), cases[i].payload[0], 3, "case %zu: %.1f",
				   i, level_of(pcm, RATE_HZ));
	}
}

Test(noise, what_describes_none_is_refused)
{
	struct tl_noise noise = { 0 };

	cr_expect_not(tl_noise_set(&noise, (const uint8_t *)"", 0));
	cr_expect_not(tl_noise_set(&noise, (const uint8_t *)"\x80", 1), "above 127");
}

/* ms of a tone or of room noise, in packets of 20 ms; how many were silence, and told. */
static void hear(struct tl_silence *silence, unsigned ms, double amplitude, unsigned *ret_silent,
		 unsigned *ret_told)
{
	static uint32_t seed = 1;

	*ret_silent = *ret_told = 0;
	for (unsigned at = 0; at < ms; at += 20) {
		int16_t pcm[FRAME];
		int level;

		for (size_t i = 0; i < FRAME; i++) {
			seed = seed * 1664525 + 1013904223;
			pcm[i] = (int16_t)(amplitude * (int32_t)seed / 2147483648.0);
		}
		tl_silence_hear(silence, pcm, FRAME, RATE_HZ);
		if (tl_silence_packet(silence, 20, &level)) {
			++*ret_silent;
			*ret_told += level >= 0;
		}
	}
}

Test(silence, is_told_from_voice_and_described_now_and_then)
{
	struct tl_silence silence = { 0 };
	unsigned silent, told;

	hear(&silence, 1000, 8000, &silent, &told);
	cr_expect_eq(silent, 0, "voice is no silence, not even when it comes first");
	hear(&silence, 3000, 40, &silent, &told);
	cr_expect_geq(silent, 138, "%u of 150 packets", silent);
	cr_expect(told >= 3 && told <= 6, "described %u times in 3 s", told);
	hear(&silence, 200, 8000, &silent, &told);
	cr_expect_eq(silent, 0, "a word is heard from its beginning");
	hear(&silence, 1000, 40, &silent, &told);
	cr_expect_geq(silent, 38);
	cr_expect_geq(told, 1, "each silence is described anew");
}
