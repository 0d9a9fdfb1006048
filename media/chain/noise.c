#include "media/chain/noise.h"

#include <math.h>
#include <stdlib.h>

#include <glib.h>

enum {
	LEVEL_MAX = 127,
	VOICE_RATIO = 4,    /* 6 dB above the background is voice */
	HANGOVER_MS = 200,  /* words end quietly */
	REPEAT_MS = 1000,   /* a description is repeated after so long */
	REPEAT_DB = 3,      /* or when the noise changes by so much, */
	CHANGE_MS = 200,    /* but not sooner than this */
	QUIETEST = 8,       /* mean square of what is silence in any case: -75 dBov */
	LOUDEST = 1 << 17,  /* and of what is none: -39 dBov */
	FLOOR_RISES = 4000, /* ms in which the background may grow by its own size */
};

bool tl_noise_set(struct tl_noise *noise, const uint8_t *payload, size_t bytes)
{
	float power = 1;
	size_t order = bytes ? MIN(bytes - 1, (size_t)TL_NOISE_ORDER) : 0;

	if (bytes == 0 || payload[0] > LEVEL_MAX)
		return false;
	for (size_t i = 0; i < order; i++) {
		/* RFC 3389 3.2; at 1 the filter would ring for ever */
		float k = 258.0f * ((float)payload[i + 1] - 127) / 32768;

		noise->k[i] = CLAMP(k, -0.98f, 0.98f);
		power *= 1 - noise->k[i] * noise->k[i];
	}
	for (size_t i = noise->order; i <= order && i < G_N_ELEMENTS(noise->delay); i++)
		noise->delay[i] = 0;
	noise->order = order;
	/* uniform noise of ±1 has a third of the power of its peak */
	noise->gain = 32768 * powf(10, -(float)payload[0] / 20) * sqrtf(3 * power);
	if (!noise->seed)
		noise->seed = 0x2545f491;
	return true;
}

/* The lattice whose reflection coefficients these are, run as a filter of poles only. */
static float shape(struct tl_noise *noise, float forward)
{
	for (size_t i = noise->order; i-- > 0;) {
		forward -= noise->k[i] * noise->delay[i];
		noise->delay[i + 1] = noise->delay[i] + noise->k[i] * forward;
	}
	noise->delay[0] = forward;
	return forward;
}

void tl_noise_fill(struct tl_noise *noise, int16_t *pcm, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		float sample;

		noise->seed = noise->seed * 1664525 + 1013904223;
		sample = shape(noise, noise->gain * (float)(int32_t)noise->seed / 2147483648.0f);
		pcm[i] = (int16_t)CLAMP(sample, INT16_MIN, INT16_MAX);
	}
}

static float mean_square(const int16_t *pcm, size_t samples)
{
	float sum = 0;

	for (size_t i = 0; i < samples; i++)
		sum += (float)pcm[i] * pcm[i];
	return sum / (float)samples;
}

void tl_silence_hear(struct tl_silence *silence, const int16_t *pcm, size_t samples,
		     unsigned rate_hz)
{
	float energy, ms = (float)samples * 1000 / (float)rate_hz;

	if (!samples)
		return;
	energy = mean_square(pcm, samples);
	if (silence->floor == 0 || energy < silence->floor)
		silence->floor = MAX(energy, (float)QUIETEST);
	else
		silence->floor *= 1 + ms / FLOOR_RISES;
	if (energy > LOUDEST || energy > VOICE_RATIO * silence->floor) {
		silence->quiet_ms = 0;
		silence->voice = true;
		return;
	}
	silence->level = silence->quiet_ms ? 0.9f * silence->level + 0.1f * energy : energy;
	silence->quiet_ms += (unsigned)ms;
	silence->voice = silence->voice || silence->quiet_ms < HANGOVER_MS;
}

static uint8_t level_of(float energy)
{
	float db = 10 * log10f(32768.0f * 32768 / (energy + 1));

	return (uint8_t)CLAMP(db + 0.5f, 0, LEVEL_MAX);
}

bool tl_silence_packet(struct tl_silence *silence, unsigned ms, int *ret_level)
{
	uint8_t level = level_of(silence->level);
	bool voice = silence->voice, changed;

	silence->voice = false;
	*ret_level = -1;
	if (voice) {
		silence->described = false;
		return false;
	}
	silence->told_ms += ms;
	changed = abs(level - silence->told) >= REPEAT_DB && silence->told_ms >= CHANGE_MS;
	if (!silence->described || changed || silence->told_ms >= REPEAT_MS) {
		silence->described = true;
		silence->told = level;
		silence->told_ms = 0;
		*ret_level = level;
	}
	return true;
}
