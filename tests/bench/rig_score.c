#include "rig_score.h"

#include <math.h>
#include <stddef.h>

#include <glib.h>

enum {
	BANDS = 17,
	WINDOW = 256,  /* samples of a spectrum: 32 ms */
	STEP = 80,     /* 10 ms */
	SEARCH = 1280, /* samples that a voice may be displaced by at a time */
	SPAN = 4000,   /* half a second */
};

/* Energies of the bands of one window, in dB; the loudest one returned. */
static double spectrum(const int16_t *pcm, double bands[static BANDS])
{
	static const double edges_hz[BANDS + 1] = { 100,  200,  300,  400,  510,  630,
						    770,  920,  1080, 1270, 1480, 1720,
						    2000, 2320, 2700, 3000, 3200, 3400 };
	double loudest = -INFINITY;

	for (size_t b = 0; b < BANDS; b++) {
		double energy = 1;

		/* A tone a band or two is enough of a transform for a distance. */
		for (double hz = edges_hz[b] + 15; hz < edges_hz[b + 1]; hz += 62.5) {
			double turn = 2 * G_PI * hz / RIG_HEARD_HZ, c = 2 * cos(turn), y1 = 0,
			       y2 = 0;

			for (size_t i = 0; i < WINDOW; i++) {
				double shape = 0.5 - 0.5 * cos(2 * G_PI * (double)i / WINDOW);
				double y = pcm[i] * shape + c * y1 - y2;

				y2 = y1;
				y1 = y;
			}
			energy += (y1 * y1 + y2 * y2 - c * y1 * y2) / WINDOW;
		}
		bands[b] = 10 * log10(energy);
		loudest = MAX(loudest, bands[b]);
	}
	return loudest;
}

static double step_energy(const struct rig_voice *voice, ptrdiff_t step)
{
	double sum = 1;

	if (step < 0 || (size_t)(step + 1) * STEP > voice->n)
		return 0;
	for (size_t i = 0; i < STEP; i++)
		sum += (double)voice->pcm[step * STEP + i] * voice->pcm[step * STEP + i];
	return log10(sum);
}

/* How alike half a second of reference is to what was heard so many samples later. */
static double likeness(const struct rig_voice *reference, const struct rig_voice *heard, size_t at,
		       ptrdiff_t shift)
{
	double together = 0, energy = 1;

	if ((ptrdiff_t)at + shift < 0 || at + SPAN + (size_t)shift > heard->n)
		return -INFINITY;
	for (size_t i = at; i < at + SPAN; i += 5) {
		double there = heard->pcm[(ptrdiff_t)i + shift];

		together += reference->pcm[i] * there;
		energy += there * there;
	}
	return together / sqrt(energy);
}

/* Where it is: a jitter buffer stretches time. Near where it was before. */
static ptrdiff_t find_shift(const struct rig_voice *reference, const struct rig_voice *heard,
			    size_t at, ptrdiff_t before)
{
	ptrdiff_t best = before;
	double most = likeness(reference, heard, at, before) * 1.02;

	for (ptrdiff_t shift = before - SEARCH; shift <= before + SEARCH; shift += 2) {
		double alike = likeness(reference, heard, at, shift);

		if (alike > most) {
			most = alike;
			best = shift;
		}
	}
	for (ptrdiff_t shift = best - 1; shift <= best + 1; shift += 2)
		if (likeness(reference, heard, at, shift) > likeness(reference, heard, at, best))
			best = shift;
	return best;
}

static double frame_snr(const int16_t *said, const int16_t *heard)
{
	double signal = 1, noise = 1;

	for (size_t i = 0; i < WINDOW; i++) {
		double off = said[i] - heard[i];

		signal += (double)said[i] * said[i];
		noise += off * off;
	}
	return CLAMP(10 * log10(signal / noise), -10, 35);
}

/* Over the frames in which the reference talks. */
struct rig_score rig_compare(const struct rig_voice *reference, const struct rig_voice *heard)
{
	struct rig_score score = { 0 };
	ptrdiff_t shift = 0;
	unsigned frames = 0;

	for (size_t at = 0; at + SPAN < reference->n; at += STEP) {
		double said[BANDS], got[BANDS], off = 0;

		if (at % 2000 == 0)
			shift = find_shift(reference, heard, at, shift);
		if ((ptrdiff_t)at + shift < 0 || at + WINDOW + (size_t)shift > heard->n ||
		    step_energy(reference, (ptrdiff_t)(at / STEP)) < 6.5)
			continue;
		if (spectrum(reference->pcm + at, said) < 40)
			continue;
		spectrum(heard->pcm + at + shift, got);
		for (size_t b = 0; b < BANDS; b++)
			off += pow(MAX(said[b], 20) - MAX(got[b], 20), 2) / BANDS;
		score.lsd += sqrt(off);
		score.snr += frame_snr(reference->pcm + at, heard->pcm + at + shift);
		frames++;
	}
	score.lsd /= MAX(frames, 1u);
	score.snr /= MAX(frames, 1u);
	return score;
}
