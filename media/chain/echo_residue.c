#include "media/chain/echo_residue.h"

#include <math.h>

#include <glib.h>

enum { NEAR_STEPS = 10 /* that a word's end has */ };

static const float SPEECH = 60 * 60;    /* mean square: -49 dBm0, sent so loud there is echo */
static const float AUDIBLE = 12 * 12;   /* -63 dBm0 */
static const float NOISE_MAX = 50 * 50; /* louder is no noise of a line */
static const float CLOSED = 0.02f;      /* -34 dB */
static const float LEARNT = 0.1f;       /* leaks less: the filter follows the line */
/* Somebody speaks on the line when this is left of the echo, at the least and at the most; between
 * them, so many times what leaks. */
static const float NEAR_MIN = 0.03f, NEAR_MAX = 0.2f, NEAR_FACTOR = 8;
static const float FADING = 0.75f;  /* of an echo, each step */
static const float CLOSING = 0.35f; /* of the way, each step */

void tl_echo_residue_init(struct tl_echo_residue *residue, size_t hold_steps)
{
	*residue = (struct tl_echo_residue) {
		.hold_steps = hold_steps, .leak = 1, .noise = AUDIBLE, .gain = 1, .dice = 1
	};
}

static float mean_square(const int16_t *pcm, size_t n)
{
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (float)pcm[i] * pcm[i];
	return sum / (float)n;
}

/* The energy that the filter took out. */
static float taken(const int16_t *heard, const int16_t *clean, size_t n)
{
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (float)(heard[i] - clean[i]) * (float)(heard[i] - clean[i]);
	return sum / (float)n;
}

static void learn_leak(struct tl_echo_residue *residue, float replica, float left)
{
	float leak = left / replica;

	if (leak < residue->leak)
		residue->leak += (leak - residue->leak) * 0.15f;
	else
		residue->leak = MIN(residue->leak * 1.003f, 1.0f);
	residue->leak = MAX(residue->leak, 1e-4f);
}

static void learn_noise(struct tl_echo_residue *residue, float left)
{
	if (left < residue->noise)
		residue->noise += (left - residue->noise) * 0.1f;
	else
		residue->noise = MIN(residue->noise * 1.004f, NOISE_MAX);
	residue->noise = MAX(residue->noise, 1.0f);
}

/* Is what is left the far side's echo and nothing else? */
static bool is_echo(struct tl_echo_residue *residue, float replica, float left)
{
	float share = CLAMP(residue->leak * NEAR_FACTOR, NEAR_MIN, NEAR_MAX);
	float expected;

	residue->echo = MAX(replica, residue->echo * FADING);
	expected = share * residue->echo + 4 * residue->noise;

	if (residue->near)
		residue->near--;
	if (left > expected || residue->leak > LEARNT)
		residue->near = NEAR_STEPS;
	return !residue->near;
}

static void mute(struct tl_echo_residue *residue, int16_t *clean, size_t n, float to)
{
	float gain = residue->gain, slope = (to - gain) / (float)n;
	float amplitude = sqrtf(residue->noise * 3 * 1.5f); /* even noise, before its filter */

	if (to > gain) { /* opens at once */
		gain = to;
		slope = 0;
	}
	residue->gain = to;
	if (gain >= 1 && to >= 1)
		return;
	for (size_t i = 0; i < n; i++) {
		float die;

		gain += slope;
		residue->dice = residue->dice * 1664525u + 1013904223u;
		die = (float)(int32_t)residue->dice / 2147483648.0f * amplitude;
		residue->hiss += (die - residue->hiss) * 0.7f;
		clean[i] = (int16_t)CLAMP(clean[i] * gain + residue->hiss * (1 - gain), -32768.0f,
					  32767.0f);
	}
}

void tl_echo_residue_step(struct tl_echo_residue *residue, const int16_t *sent,
			  const int16_t *heard, int16_t *clean, size_t n, bool only)
{
	float replica = taken(heard, clean, n), left = mean_square(clean, n);
	bool closed = false;

	if (mean_square(sent, n) > SPEECH)
		residue->active = residue->hold_steps;
	else if (residue->active)
		residue->active--;
	if (residue->active) {
		if (replica > AUDIBLE)
			learn_leak(residue, replica, left);
		closed = is_echo(residue, replica, left);
	}
	if (!closed)
		learn_noise(residue, left);
	if (only)
		closed = false;
	mute(residue, clean, n, closed ? residue->gain + (CLOSED - residue->gain) * CLOSING : 1);
}
