#pragma once
/*
 * A telephone line behind a hybrid: what is sent to it comes back, coloured and late, with what is
 * said there. In A-law both ways, as from a channel bank. 8000 Hz.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <spandsp.h>

enum { LINE_HZ = 8000, LINE_TAPS = 256, LINE_DELAY_MAX = 8000 };

struct line {
	double taps[LINE_TAPS];
	double noise; /* rms, in samples */
	size_t delay; /* samples, before the echo begins */
	int16_t sent[LINE_DELAY_MAX + LINE_TAPS];
	size_t at;
	uint32_t dice;
};

/* How hybrids differ: loss of the echo, and how it rings out (as G.168 Annex D's models do: a fast
 * attack, some ms of ringing in the voice band, dispersion of up to 24 ms). */
struct hybrid {
	const char *name;
	double loss_db;
	struct {
		double hz, ms, share;
		size_t late;
	} ring[4];
};

static const struct hybrid hybrids[] = {
	{ "short", 6, { { 900, 0.8, 1, 4 }, { 2100, 0.5, -0.7, 6 }, { 500, 1.5, 0.3, 9 } } },
	{ "medium", 10, { { 700, 1.6, 1, 8 }, { 1700, 1.1, 0.6, 15 }, { 350, 3, -0.4, 22 } } },
	{ "long",
	  12,
	  { { 600, 3, 1, 12 },
	    { 1200, 2, -0.8, 40 },
	    { 2600, 1.5, 0.5, 70 },
	    { 450, 5, 0.4, 90 } } },
	{ "weak", 20, { { 1000, 1, 1, 10 }, { 2300, 0.7, 0.8, 30 } } },
};

static inline double line_dice(struct line *line)
{
	line->dice = line->dice * 1664525u + 1013904223u;
	return (double)(int32_t)line->dice / 2147483648.0;
}

static inline void line_open(struct line *line, const struct hybrid *hybrid, double delay_ms)
{
	double energy = 0;

	memset(line, 0, sizeof *line);
	line->delay = (size_t)(delay_ms * LINE_HZ / 1000);
	line->noise = 8;
	line->dice = 1;
	for (size_t r = 0; r < 4; r++) {
		for (size_t i = hybrid->ring[r].late; hybrid->ring[r].hz > 0 && i < LINE_TAPS;
		     i++) {
			double ms = (double)(i - hybrid->ring[r].late) * 1000 / LINE_HZ;

			line->taps[i] += hybrid->ring[r].share * exp(-ms / hybrid->ring[r].ms) *
					 cos(2 * M_PI * hybrid->ring[r].hz * ms / 1000);
		}
	}
	for (size_t i = 0; i < LINE_TAPS; i++)
		energy += line->taps[i] * line->taps[i];
	for (size_t i = 0; i < LINE_TAPS; i++)
		line->taps[i] *= pow(10, -hybrid->loss_db / 20) / sqrt(energy);
}

/* One sample each way: what comes back of what is sent, with what is said there. */
static inline int16_t line_pass(struct line *line, int16_t sent, int16_t said)
{
	size_t n = LINE_DELAY_MAX + LINE_TAPS;
	double back = said + line->noise * sqrt(3) * line_dice(line);

	line->sent[line->at] = alaw_to_linear(linear_to_alaw(sent));
	for (size_t i = 0; i < LINE_TAPS; i++)
		back += line->taps[i] * line->sent[(line->at + 2 * n - line->delay - i) % n];
	line->at = (line->at + 1) % n;
	if (back > 32767 || back < -32768)
		back = back > 0 ? 32767 : -32768;
	return alaw_to_linear(linear_to_alaw((int16_t)back));
}

/* Harmonics of a gliding pitch in syllables, with pauses: what a canceller has to learn by. */
static inline void line_voice(int16_t *pcm, size_t n, double pitch_hz, double loud)
{
	double phase = 0;
	uint32_t dice = (uint32_t)pitch_hz;

	for (size_t i = 0; i < n; i++) {
		double t = (double)i / LINE_HZ, sum = 0, syllable;

		dice = dice * 1664525u + 1013904223u;
		syllable = fmax(0, sin(2 * M_PI * 2.1 * t + pitch_hz) + 0.3) *
			   (sin(2 * M_PI * 0.23 * t) > -0.8);
		phase += 2 * M_PI * (pitch_hz + 0.2 * pitch_hz * sin(2 * M_PI * 0.7 * t)) / LINE_HZ;
		for (int h = 1; h * pitch_hz * 1.2 < 3600; h++)
			sum += sin(h * phase + h * h) * (1 + cos(h * pitch_hz / 400 + 3 * t)) /
			       (1 + 0.01 * h * h);
		sum += (double)(int32_t)dice / 2147483648.0 *
		       (1 + 4 * fmax(0, sin(2 * M_PI * 1.3 * t)));
		pcm[i] = (int16_t)fmax(-32000, fmin(32000, loud * syllable * sum));
	}
}
