#include "media/chain/echo_delay.h"

#include <math.h>
#include <string.h>

#include <glib.h>

enum {
	STEP = TL_ECHO_DELAY_STEP,
	LAGS = TL_ECHO_DELAY_LAGS,
	HELD = TL_ECHO_DELAY_HELD,
	LOOK_STEPS = 10, /* of speech between two looks */
	SPARE = 4,       /* once it is found, so many steps less are looked at */
	AGREE = 3,       /* looks that must find the same */
	NEAR = 4,        /* lags, 2 ms, that count as the same */
	BEFORE = 32,     /* lags, 16 ms, before the strongest in which it may have begun */
};

static const float THIN = 0.9f, FORGET = 0.85f;
static const float STANDS_OUT = 5; /* times the root of the mean square of all lags */
static const float BEGUN = 0.4f;   /* of the strongest */
static const float FAINT = 20 * 20 * STEP;

void tl_echo_delay_init(struct tl_echo_delay *delay, unsigned rate_hz)
{
	*delay = (struct tl_echo_delay) { .rate_hz = rate_hz };
}

/* To 2000 Hz, by the mean of neighbours: what folds down does so in both signals alike. */
static void narrow(const int16_t *pcm, unsigned rate_hz, float *before, float out[STEP])
{
	unsigned every = rate_hz / TL_ECHO_DELAY_HZ;

	for (size_t i = 0; i < STEP; i++) {
		int sum = 0;

		for (unsigned k = 0; k < every; k++)
			sum += pcm[i * every + k];
		out[i] = (float)sum / (float)every - THIN * *before;
		*before = (float)sum / (float)every;
	}
}

static void correlate(struct tl_echo_delay *delay, float energy)
{
	float *restrict match = delay->match;
	float scale = 1 / sqrtf(energy); /* loud syllables count as much as soft ones */

	/* match[0] is the oldest: the latest echo. */
	for (size_t i = 0; i < STEP; i++) {
		const float *restrict sent = delay->sent + i + 1;
		float heard = delay->heard[i] * scale;

		for (size_t lag = 0; lag < LAGS; lag++)
			match[lag] += heard * sent[lag];
	}
}

/* The lag that stands out, or -1. */
static int best_lag(const struct tl_echo_delay *delay)
{
	float sum = 0, most = 0;
	int best = -1;

	for (int lag = 0; lag < LAGS; lag++) {
		float size = fabsf(delay->match[lag]);

		sum += size * size;
		if (size > most) {
			most = size;
			best = lag;
		}
	}
	return most * most > STANDS_OUT * STANDS_OUT * sum / LAGS ? best : -1;
}

/* An echo may be strongest some ms after it has begun. */
static int begin_of(const struct tl_echo_delay *delay, int strongest)
{
	float least = BEGUN * fabsf(delay->match[strongest]);
	int begin = strongest;

	for (int lag = strongest; lag < LAGS && lag <= strongest + BEFORE; lag++)
		if (fabsf(delay->match[lag]) > least)
			begin = lag;
	return begin;
}

static int to_ms(int lag)
{
	return (LAGS - 1 - lag) * 1000 / TL_ECHO_DELAY_HZ - TL_ECHO_EARLY_MS;
}

static bool look(struct tl_echo_delay *delay, struct tl_echo_place *ret_place)
{
	int lag = best_lag(delay);

	delay->steps = 0;
	for (size_t i = 0; i < LAGS; i++)
		delay->match[i] *= FORGET;
	if (lag < 0)
		return false;
	delay->agreed = ABS(lag - delay->candidate) <= NEAR ? delay->agreed + 1 : 1;
	delay->candidate = lag;
	if (delay->agreed < AGREE)
		return false;
	*ret_place = (struct tl_echo_place) { .begin_ms = to_ms(begin_of(delay, lag)),
					      .peak_ms = to_ms(lag) };
	return true;
}

bool tl_echo_delay_step(struct tl_echo_delay *delay, const int16_t *sent, const int16_t *heard,
			bool settled, struct tl_echo_place *ret_place)
{
	float loud_heard = 0;

	memmove(delay->sent, delay->sent + STEP, LAGS * sizeof *delay->sent);
	memmove(delay->heard, delay->heard + STEP, (HELD - STEP) * sizeof *delay->heard);
	narrow(sent, delay->rate_hz, &delay->before_sent, delay->sent + LAGS);
	narrow(heard, delay->rate_hz, &delay->before_heard, delay->heard + HELD - STEP);
	for (size_t i = 0; i < STEP; i++)
		loud_heard += delay->heard[i] * delay->heard[i];
	if (loud_heard < FAINT || (settled && delay->passed++ % SPARE))
		return false;
	correlate(delay, loud_heard);
	return ++delay->steps >= LOOK_STEPS && look(delay, ret_place);
}
