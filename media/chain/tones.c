#include "media/chain/tones.h"

#include <string.h>

#include <glib.h>
#include <spandsp.h>

#include "media/chain/dtmf_ear.h"
#include "media/chain/resample.h"

enum {
	STEP = 80,  /* samples at 8000 Hz that are looked at together: 10 ms */
	DOUBTS = 4, /* steps: a digit would be certain by now */
	QUIET = 40, /* rms, -52 dBm0 */
};

static const float low_hz[] = { 697, 770, 852, 941 }, high_hz[] = { 1209, 1336, 1477, 1633 };
/* 2 cos(2 pi f / 8000) */
static const float low_coefficient[] = { 1.707737809f, 1.645281036f, 1.568686984f, 1.478204568f },
		   high_coefficient[] = { 1.163727f, 0.996354f, 0.798618f, 0.568533f };
static const float PURE = 0.78f,
		   FAINTER = 0.08f; /* of the energy: 9 dB of twist, both partly there */
static const char keypad[] = "123A456B789C*0#D";
static const float low_dbm0 = -8, high_dbm0 = -6;

struct tl_tone_ear {
	struct tl_dtmf_ear rx;
	struct tl_resampler *resampler; /* NULL: 8000 Hz already */
	size_t step;                    /* samples that are looked at together: 20 ms */
	int16_t *narrow;                /* room for what the resampler makes of them */
	unsigned doubts;                /* steps in a row that may be a digit */
	struct tl_tone_news *news;
	size_t n_news;
};

static void on_change(char digit, unsigned ms, void *user)
{
	struct tl_tone_ear *ear = user;

	if (ear->n_news < TL_TONE_NEWS)
		ear->news[ear->n_news++] =
			(struct tl_tone_news) { .digit = digit, .duration_ms = ms };
}

int tl_tone_ear_new(unsigned rate_hz, struct tl_tone_ear **ret_ear)
{
	struct tl_tone_ear *ear = g_new0(struct tl_tone_ear, 1);
	int r = 0;

	if (rate_hz != TL_TONE_HZ)
		r = tl_resampler_new(rate_hz, TL_TONE_HZ, &ear->resampler);
	if (r < 0) {
		g_free(ear);
		return r;
	}
	ear->step = (size_t)STEP * rate_hz / TL_TONE_HZ;
	if (ear->resampler)
		ear->narrow = g_new(int16_t, tl_resampler_bound(ear->resampler, ear->step));
	tl_dtmf_ear_init(&ear->rx);
	*ret_ear = ear;
	return 0;
}

void tl_tone_ear_free(struct tl_tone_ear *ear)
{
	if (!ear)
		return;
	tl_resampler_free(ear->resampler);
	g_free(ear->narrow);
	g_free(ear);
}

/* The share of a block's energy that lies within 50 Hz or so of a frequency, 0 to 1 (Goertzel). */
static float share(const int16_t *pcm, size_t n, float coefficient, float energy)
{
	float now, before = 0, before2 = 0;

	for (size_t i = 0; i < n; i++) {
		now = pcm[i] + coefficient * before - before2;
		before2 = before;
		before = now;
	}
	return (before * before + before2 * before2 - coefficient * before * before2) * 2 /
	       ((float)n * energy);
}

static float best_share(const int16_t *pcm, size_t n, const float coefficients[4], float energy)
{
	float best = 0;

	for (size_t i = 0; i < 4; i++)
		best = MAX(best, share(pcm, n, coefficients[i], energy));
	return best;
}

/* Is this nothing but one low and one high tone? Speech hardly ever is, not even for 10 ms. */
static bool may_be_digit(const int16_t *pcm, size_t n)
{
	float energy = 0, low, high;

	for (size_t i = 0; i < n; i++)
		energy += (float)pcm[i] * pcm[i];
	if (n == 0 || energy < QUIET * QUIET * (float)n)
		return false;
	low = best_share(pcm, n, low_coefficient, energy);
	high = best_share(pcm, n, high_coefficient, energy);
	return low + high > PURE && low > FAINTER && high > FAINTER;
}

/* One step at most. */
static void hear_step(struct tl_tone_ear *ear, int16_t *pcm, size_t samples)
{
	const int16_t *narrow = pcm;
	size_t n = samples;
	bool doubt;

	if (ear->resampler) {
		n = tl_resampler_run(ear->resampler, pcm, samples, ear->narrow);
		narrow = ear->narrow;
	}
	doubt = may_be_digit(narrow, n);
	ear->doubts = doubt ? ear->doubts + 1 : 0;
	tl_dtmf_ear_hear(&ear->rx, narrow, n, on_change, ear);
	if (ear->rx.digit || (doubt && ear->doubts <= DOUBTS))
		memset(pcm, 0, samples * sizeof *pcm);
}

size_t tl_tone_ear_hear(struct tl_tone_ear *ear, int16_t *pcm, size_t samples,
			struct tl_tone_news news[TL_TONE_NEWS])
{
	ear->news = news;
	ear->n_news = 0;
	for (size_t at = 0; at < samples; at += ear->step)
		hear_step(ear, pcm + at, MIN(ear->step, samples - at));
	ear->news = NULL;
	return ear->n_news;
}

void tl_tone_ear_stop(struct tl_tone_ear *ear)
{
	tl_dtmf_ear_init(&ear->rx);
	ear->doubts = 0;
}

void tl_tone_mouth_set(struct tl_tone_mouth *mouth, char digit)
{
	const char *key = digit ? strchr(keypad, digit) : NULL;

	*mouth = (struct tl_tone_mouth) { 0 };
	if (!key)
		return;
	mouth->rate[0] = dds_phase_rate(low_hz[(key - keypad) / 4]);
	mouth->rate[1] = dds_phase_rate(high_hz[(key - keypad) % 4]);
}

void tl_tone_mouth_speak(struct tl_tone_mouth *mouth, int16_t pcm[TL_TONE_STEP])
{
	int low = dds_scaling_dbm0(low_dbm0), high = dds_scaling_dbm0(high_dbm0);

	memset(pcm, 0, TL_TONE_STEP * sizeof *pcm);
	if (mouth->rate[0] == 0)
		return;
	for (size_t i = 0; i < TL_TONE_STEP; i++)
		pcm[i] = (int16_t)(dds_mod(&mouth->phase[0], mouth->rate[0], low, 0) +
				   dds_mod(&mouth->phase[1], mouth->rate[1], high, 0));
}
