#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/chain/tones.h"

static const char digits[] = "123A456B789C*0#D";
static const double low_hz[] = { 697, 770, 852, 941 }, high_hz[] = { 1209, 1336, 1477, 1633 };

/* Full scale sine: +3.14 dBm0. */
static double amplitude(double dbm0)
{
	return 32767 * pow(10, (dbm0 - 3.14) / 20);
}

struct sound {
	unsigned rate_hz;
	double low_dbm0, high_dbm0, off; /* off: frequencies are wrong by this share */
	unsigned ms;
};

static void add_digit(int16_t *pcm, size_t at, char digit, const struct sound *sound)
{
	size_t key = (size_t)(strchr(digits, digit) - digits);
	double low = low_hz[key / 4] * (1 + sound->off), high = high_hz[key % 4] * (1 + sound->off);

	for (size_t i = 0; i < (size_t)sound->ms * sound->rate_hz / 1000; i++) {
		double t = 2 * M_PI * (double)i / sound->rate_hz;

		pcm[at + i] = (int16_t)(amplitude(sound->low_dbm0) * sin(low * t) +
					amplitude(sound->high_dbm0) * sin(high * t));
	}
}

/* 200 ms with a digit in the middle of silence: what is heard of it, and how long it was. */
static char hear(char digit, const struct sound *sound, unsigned *ret_ms, size_t *ret_left)
{
	struct tl_tone_news news[TL_TONE_NEWS];
	struct tl_tone_ear *ear;
	size_t frame = sound->rate_hz / 50, n = sound->rate_hz * 3 / 10;
	int16_t *pcm = calloc(n, sizeof *pcm);
	char heard = '\0';

	add_digit(pcm, sound->rate_hz / 20 + 13, digit, sound);
	cr_assert_eq(tl_tone_ear_new(sound->rate_hz, &ear), 0);
	*ret_ms = 0;
	for (size_t at = 0; at < n; at += frame) {
		size_t n_news = tl_tone_ear_hear(ear, pcm + at, frame, news);

		for (size_t i = 0; i < n_news; i++) {
			if (news[i].digit)
				heard = heard ? '?' : news[i].digit;
			else
				*ret_ms = news[i].duration_ms;
		}
	}
	*ret_left = 0;
	for (size_t i = 0; i < n; i++)
		*ret_left += abs(pcm[i]) > 100;
	tl_tone_ear_free(ear);
	free(pcm);
	return heard;
}

Test(tones, all_digits_at_each_rate_level_and_twist)
{
	static const struct sound sounds[] = {
		{ 8000, -8, -6, 0, 100 },    { 16000, -8, -6, 0, 100 },
		{ 48000, -8, -6, 0, 100 },   { 8000, -3, -3, 0, 60 },
		{ 8000, -36, -36, 0, 60 },   { 8000, -10, -4, 0, 60 }, /* high by 6 dB */
		{ 8000, -6, -12, 0, 60 },    { 8000, -8, -6, 0.01, 60 },
		{ 8000, -8, -6, -0.01, 60 }, { 8000, -8, -6, 0, 45 },
		{ 8000, -8, -6, 0.015, 60 }, { 8000, -18, -10, -0.015, 60 },
	};

	for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++) {
		for (const char *d = digits; *d; d++) {
			unsigned ms;
			size_t left;
			char heard = hear(*d, &sounds[i], &ms, &left);

			cr_expect_eq(heard, *d, "sound %zu digit %c: '%c'", i, *d, heard);
			cr_expect(abs((int)ms - (int)sounds[i].ms) <= 26,
				  "sound %zu digit %c: %u ms", i, *d, ms);
			cr_expect_leq(left * 1000 / sounds[i].rate_hz, 14, "sound %zu digit %c", i,
				      *d);
		}
	}
}

Test(tones, what_is_too_short_or_too_faint_or_off_is_no_digit)
{
	static const struct sound sounds[] = {
		{ 8000, -8, -6, 0, 20 },
		{ 8000, -60, -60, 0, 100 },
		{ 8000, -8, -6, 0.04, 100 },
		{ 8000, -8, -30, 0, 100 },
	};

	for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++) {
		unsigned ms;
		size_t left;

		cr_expect_eq(hear('5', &sounds[i], &ms, &left), '\0', "sound %zu", i);
	}
}

Test(tones, what_is_made_is_heard)
{
	struct tl_tone_news news[TL_TONE_NEWS];
	int16_t pcm[TL_TONE_STEP];
	struct tl_tone_mouth mouth;
	struct tl_tone_ear *ear;
	size_t n = 0;

	cr_assert_eq(tl_tone_ear_new(TL_TONE_HZ, &ear), 0);
	for (const char *d = digits; *d; d++) {
		tl_tone_mouth_set(&mouth, *d);
		for (int step = 0; step < 10; step++) {
			size_t n_news;

			if (step == 5)
				tl_tone_mouth_set(&mouth, '\0');
			tl_tone_mouth_speak(&mouth, pcm);
			n_news = tl_tone_ear_hear(ear, pcm, TL_TONE_STEP, news);
			for (size_t i = 0; i < n_news; i++)
				if (news[i].digit)
					cr_expect_eq(news[i].digit, digits[n++]);
		}
	}
	cr_expect_eq(n, strlen(digits));
	tl_tone_ear_free(ear);
}

Test(tones, other_sounds_are_left_alone)
{
	struct tl_tone_news news[TL_TONE_NEWS];
	int16_t pcm[TL_TONE_STEP], before[TL_TONE_STEP];
	struct tl_tone_ear *ear;
	uint32_t noise = 1;

	cr_assert_eq(tl_tone_ear_new(TL_TONE_HZ, &ear), 0);
	for (int frame = 0; frame < 500; frame++) {
		for (size_t i = 0; i < TL_TONE_STEP; i++) {
			double t = 2 * M_PI * (double)(frame * TL_TONE_STEP + (int)i) / TL_TONE_HZ;

			noise = noise * 1664525 + 1013904223;
			pcm[i] = (int16_t)(frame < 250 ? 8000 * sin(440 * t) + 8000 * sin(480 * t)
						       : (int16_t)(noise >> 16) / 4);
		}
		memcpy(before, pcm, sizeof pcm);
		cr_expect_eq(tl_tone_ear_hear(ear, pcm, TL_TONE_STEP, news), 0);
		cr_expect_arr_eq(pcm, before, sizeof pcm, "frame %d", frame);
	}
	tl_tone_ear_free(ear);
}
