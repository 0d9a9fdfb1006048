#include "media/chain/dtmf_ear.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>

enum {
	HOP = TL_DTMF_HOP,
	WINDOW = TL_DTMF_WINDOW,
	RATE_HZ = 8000,
	HOP_MS = HOP * 1000 / RATE_HZ,
	TONES = 8,
	SURE_HOPS = 5, /* windows of 40 ms of tone, wherever it begins */
	OVER_HOPS = 6, /* a pause of 30 ms has more, an interruption of 10 ms has less */
	SHAPE_MS = 13, /* what a tone is longer than the time between its first and last hop */
};

static const float tone_hz[TONES] = { 697, 770, 852, 941, 1209, 1336, 1477, 1633 };
static const char keypad[] = "123A456B789C*0#D";
static const float FAINTEST = 16000; /* mean square of a tone: -42 dBm0 */
static const float TWIST = 8;        /* of powers: 9 dB */
static const float PURE = 0.88f;     /* of the energy in the two tones */
static const float STEADY = 1.6f;    /* of powers, from hop to hop: 2 dB, what a voice hardly is */
static const float OFF = 0.025f;     /* of the frequency: 1.5 % is to pass, 3.5 % not */

/* A Hann window, and the tones under it. */
static float shape[WINDOW], cosine[TONES][WINDOW], sine[TONES][WINDOW];
static float shape_sum, shape_energy;

static void make_tables(void)
{
	static gsize made;

	if (!g_once_init_enter(&made))
		return;
	for (size_t i = 0; i < WINDOW; i++) {
		shape[i] = 0.5f - 0.5f * (float)cos(2 * G_PI * ((double)i + 0.5) / WINDOW);
		shape_sum += shape[i];
		shape_energy += shape[i] * shape[i];
		for (size_t tone = 0; tone < TONES; tone++) {
			double at = 2 * G_PI * tone_hz[tone] * (double)i / RATE_HZ;

			cosine[tone][i] = shape[i] * (float)cos(at);
			sine[tone][i] = shape[i] * (float)sin(at);
		}
	}
	g_once_init_leave(&made, 1);
}

void tl_dtmf_ear_init(struct tl_dtmf_ear *ear)
{
	make_tables();
	*ear = (struct tl_dtmf_ear) { 0 };
}

struct tone {
	size_t which;
	float re, im, power; /* mean square, if it is where it should be */
};

static void measure(const float *window, size_t first, struct tone *ret_tone)
{
	*ret_tone = (struct tone) { .power = -1 };
	for (size_t tone = first; tone < first + TONES / 2; tone++) {
		float re = 0, im = 0, power;

		for (size_t i = 0; i < WINDOW; i++) {
			re += window[i] * cosine[tone][i];
			im -= window[i] * sine[tone][i];
		}
		power = 2 * (re * re + im * im) / (shape_sum * shape_sum);
		if (power > ret_tone->power)
			*ret_tone = (struct tone) { tone, re, im, power };
	}
}

/* How far a tone is off its frequency, in Hz: by how its phase has gone on since the last hop, in
 * which it was the same. */
static float detune(const struct tone *tone, float re_before, float im_before)
{
	double turn = 2 * G_PI * tone_hz[tone->which] * HOP / RATE_HZ;
	float re = (float)cos(turn), im = (float)sin(turn);
	/* now * conj(before * turn) */
	float want_re = re_before * re - im_before * im, want_im = re_before * im + im_before * re;
	float off = atan2f(tone->im * want_re - tone->re * want_im,
			   tone->re * want_re + tone->im * want_im);

	return off / (float)(2 * G_PI) * RATE_HZ / HOP;
}

/* What a Hann window makes of a tone that is off by so many Hz: power left of it. */
static float droop(float hz)
{
	float bins = fabsf(hz) * WINDOW / RATE_HZ, sinc;

	if (bins < 1e-3f)
		return 1;
	sinc = sinf((float)G_PI * bins) / ((float)G_PI * bins) / (1 - bins * bins);
	return sinc * sinc;
}

static float energy_of(const float *window)
{
	float energy = 0;

	for (size_t i = 0; i < WINDOW; i++)
		energy += window[i] * window[i] * shape[i] * shape[i];
	return energy / shape_energy;
}

static bool differ(float power, float other, float factor)
{
	return power > other * factor || other > power * factor;
}

/* The digit whose tones fill this window; '\0': none. New ones have no phase to go by: they pass
 * for once, and the next hop tells. */
static char judge(struct tl_dtmf_ear *ear, bool *ret_steady)
{
	float energy = energy_of(ear->window), off[2] = { 0 };
	struct tone tones[2];
	char digit;
	bool same;

	if (energy < FAINTEST)
		return '\0';
	measure(ear->window, 0, &tones[0]);
	measure(ear->window, TONES / 2, &tones[1]);
	digit = keypad[tones[0].which * 4 + tones[1].which - 4];
	same = digit == ear->candidate;
	for (size_t i = 0; i < 2; i++) {
		if (same)
			off[i] = detune(&tones[i], ear->re[i], ear->im[i]);
		ear->re[i] = tones[i].re;
		ear->im[i] = tones[i].im;
		tones[i].power /= droop(same ? off[i] : 0.015f * tone_hz[tones[i].which]);
		if (tones[i].power < FAINTEST || fabsf(off[i]) > OFF * tone_hz[tones[i].which])
			return '\0';
	}
	if (differ(tones[0].power, tones[1].power, TWIST) ||
	    tones[0].power + tones[1].power < PURE * energy)
		return '\0';
	*ret_steady = same && !differ(tones[0].power, ear->power[0], STEADY) &&
		      !differ(tones[1].power, ear->power[1], STEADY);
	ear->power[0] = tones[0].power;
	ear->power[1] = tones[1].power;
	return digit;
}

static void finish(struct tl_dtmf_ear *ear, tl_dtmf_ear_fn *on_change, void *user)
{
	if (!ear->digit)
		return;
	ear->digit = '\0';
	on_change('\0', ear->lasted * HOP_MS + SHAPE_MS, user);
}

static void hop(struct tl_dtmf_ear *ear, tl_dtmf_ear_fn *on_change, void *user)
{
	bool steady = false;
	char digit = judge(ear, &steady);

	ear->since_begin++;
	if (!digit) {
		ear->good = 0;
		if (++ear->bad >= OVER_HOPS)
			finish(ear, on_change, user);
		ear->candidate = '\0';
		return;
	}
	ear->bad = 0;
	ear->good = steady ? ear->good + 1 : 1;
	if (ear->good == 1 && digit != ear->digit && digit != ear->candidate)
		ear->since_begin = 0;
	ear->candidate = digit;
	if (ear->good == SURE_HOPS && digit != ear->digit) {
		finish(ear, on_change, user);
		ear->digit = digit;
		on_change(digit, 0, user);
	}
	if (digit == ear->digit)
		ear->lasted = ear->since_begin;
}

void tl_dtmf_ear_hear(struct tl_dtmf_ear *ear, const int16_t *pcm, size_t n,
		      tl_dtmf_ear_fn *on_change, void *user)
{
	for (; n; pcm++, n--) {
		ear->window[WINDOW - HOP + ear->n++] = *pcm;
		if (ear->n < HOP)
			continue;
		hop(ear, on_change, user);
		memmove(ear->window, ear->window + HOP, (WINDOW - HOP) * sizeof *ear->window);
		ear->n = 0;
	}
}
