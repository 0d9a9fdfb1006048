#include "media/chain/gain.h"

#include <math.h>

#include <glib.h>

static const float FULL_DBM0 = 3.14f; /* a sine of full scale */
static const float MOST_DB = 15, PACE_DB = 3 /* a second */;
static const float SPEECH_OVER_NOISE = 8; /* times its energy */
static const float FAINTEST = 40 * 40;    /* mean square, -52 dBm0: never speech */
static const float KNEE = 26000;          /* what is above is bent */

static float mean_square(const int16_t *pcm, size_t n)
{
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (float)pcm[i] * pcm[i];
	return sum / (float)n;
}

/* Mean square of a level. */
static float energy_at(int dbm0)
{
	return 32767.0f * 32767.0f / 2 * powf(10, ((float)dbm0 - FULL_DBM0) / 10);
}

/* What is heard now: voice, or the noise of a pause? */
static void learn(struct tl_gain *gain, float energy, float seconds)
{
	if (gain->noise <= 0)
		gain->noise = FAINTEST;
	if (energy < gain->noise)
		gain->noise += (energy - gain->noise) * MIN(seconds * 10, 1.0f);
	else
		gain->noise *= 1 + 0.3f * seconds;
	gain->noise = MAX(gain->noise, 1.0f);
	if (energy < FAINTEST || energy < gain->noise * SPEECH_OVER_NOISE)
		return;
	if (gain->speech <= 0)
		gain->speech = energy;
	gain->speech += (energy - gain->speech) * MIN(seconds, 1.0f);
}

static void steer(struct tl_gain *gain, float seconds, int agc_dbm0)
{
	float most = powf(10, MOST_DB / 20), wanted;
	float pace = powf(10, PACE_DB * seconds / 20);

	if (gain->now <= 0)
		gain->now = 1;
	if (gain->speech <= 0)
		return;
	wanted = CLAMP(sqrtf(energy_at(agc_dbm0) / gain->speech), 1 / most, most);
	gain->now = CLAMP(wanted, gain->now / pace, gain->now * pace);
}

static int16_t bend(float v)
{
	float size = fabsf(v);

	if (size > KNEE)
		size = KNEE + (32767 - KNEE) * tanhf((size - KNEE) / (32767 - KNEE));
	return (int16_t)copysignf(size, v);
}

void tl_gain_apply(struct tl_gain *gain, int16_t *pcm, size_t n, unsigned rate_hz, int fixed_db,
		   int agc_dbm0)
{
	float seconds = (float)n / (float)rate_hz;
	float to = powf(10, (float)fixed_db / 20), from, slope;

	if (n == 0)
		return;
	if (agc_dbm0) {
		learn(gain, mean_square(pcm, n), seconds);
		steer(gain, seconds, agc_dbm0);
		to *= gain->now;
	}
	from = gain->before > 0 ? gain->before : to;
	slope = (to - from) / (float)n;
	gain->before = to;
	for (size_t i = 0; i < n; i++) {
		from += slope;
		pcm[i] = bend(pcm[i] * from);
	}
}
