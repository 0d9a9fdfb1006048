#include "media/chain/modem_tones.h"

#include <math.h>

#include <glib.h>
#include <stdbool.h>

enum {
	STEP_MS = 10,
	CALLING_HZ = 1100,
	ANSWER_HZ = 2100,
	SURE_STEPS = 30,    /* of nothing but the tone */
	TURN_MIN_STEPS = 8, /* of the tone before a turn of its phase means something */
	RHYTHM_MIN = 40,    /* steps between turns: 450 +-25 ms (V.8), and our own blur */
	RHYTHM_MAX = 50,
	MISSES = 4, /* a step is spoilt by a turn, two by a click */
};

static const float QUIET = 100 * 100; /* mean square: -44 dBm0 */
/* Of the energy in the tone: with noise 12 dB below, and the frequency off by all it may. */
static const float PURE_CALLING = 0.52f, PURE_ANSWER = 0.75f;
static const float TURNED = -0.5f; /* cosine: 180 +-60 degrees (G.168 7.2: +-25 must, +-70 not) */

const char *tl_modem_tone_name(enum tl_modem_tone tone)
{
	static const char *const names[_TL_MODEM_MAX] = {
		[TL_MODEM_NONE] = "none",
		[TL_MODEM_CALLING] = "CNG",
		[TL_MODEM_ANSWER] = "ANS",
		[TL_MODEM_REVERSING] = "/ANS",
	};

	return tone >= 0 && tone < _TL_MODEM_MAX ? names[tone] : "?";
}

static void init_track(struct tl_modem_track *track, unsigned hz, float pure, unsigned rate_hz)
{
	double w = 2 * G_PI * hz / rate_hz;

	*track = (struct tl_modem_track) {
		.coefficient = (float)(2 * cos(w)),
		.turn_re = (float)cos(w),
		.turn_im = (float)sin(w),
		.pure = pure,
		.drift_re = 1,
	};
}

void tl_modem_ear_init(struct tl_modem_ear *ear, unsigned rate_hz)
{
	*ear = (struct tl_modem_ear) { .rate_hz = rate_hz, .step = rate_hz * STEP_MS / 1000 };
	init_track(&ear->calling, CALLING_HZ, PURE_CALLING, rate_hz);
	init_track(&ear->answer, ANSWER_HZ, PURE_ANSWER, rate_hz);
}

static void lose(struct tl_modem_track *track)
{
	track->steps = track->since_turn = track->turns = track->misses = 0;
	track->drift_re = 1;
	track->drift_im = 0;
}

/*
 * Both frequencies make whole turns in 10 ms, so a pure tone gives the same complex amplitude in
 * each step, turned by as much as its frequency is off (+-21 Hz: 76 degrees). A step is compared
 * with the one before the last: the last may hold both sides of a turn, and cancel itself.
 *
 *   phase     0  0  0  0  0 (0/180) 180 180
 *   compared           2 with 0  ...  first 180 with last 0: turned
 */
static void watch_phase(struct tl_modem_track *track, float re, float im)
{
	float across_re = re * track->re2 + im * track->im2;
	float across_im = im * track->re2 - re * track->im2;
	float size = hypotf(across_re, across_im), along;

	if (size <= 0 || track->steps < 3)
		return;
	across_re /= size;
	across_im /= size;
	if (track->steps == 3) {
		track->drift_re = across_re;
		track->drift_im = across_im;
	}
	along = across_re * track->drift_re + across_im * track->drift_im;
	if (track->since_turn)
		track->since_turn++;
	if (along < TURNED && track->steps >= TURN_MIN_STEPS &&
	    (!track->since_turn || track->since_turn > TURN_MIN_STEPS)) {
		bool rhythm = track->since_turn >= RHYTHM_MIN && track->since_turn <= RHYTHM_MAX;

		track->turns = rhythm || track->turns > 1 ? track->turns + 1 : 1;
		track->since_turn = 1;
	} else if (along > 0) {
		track->drift_re += (across_re - track->drift_re) / 8;
		track->drift_im += (across_im - track->drift_im) / 8;
		size = MAX(hypotf(track->drift_re, track->drift_im), 1e-3f);
		track->drift_re /= size;
		track->drift_im /= size;
	}
}

/* n samples of energy are complete. */
static void judge(struct tl_modem_track *track, size_t n, float energy)
{
	float re = track->s1 * track->turn_re - track->s2, im = track->s1 * track->turn_im;
	bool tone = energy > QUIET * (float)n &&
		    2 * (re * re + im * im) > track->pure * (float)n * energy;

	if (tone) {
		if (track->steps == 0 || track->misses > 2) {
			lose(track);
			track->re2 = re;
			track->im2 = im;
		}
		track->steps++;
		track->misses = 0;
	} else if (track->steps && ++track->misses > MISSES) {
		lose(track);
	}
	if (tone)
		watch_phase(track, re, im);
	else if (track->since_turn)
		track->since_turn++;
	track->re2 = track->re;
	track->im2 = track->im;
	track->re = re;
	track->im = im;
	track->s1 = track->s2 = 0;
}

static void feed(struct tl_modem_track *track, const int16_t *pcm, size_t n)
{
	float s1 = track->s1, s2 = track->s2;

	for (size_t i = 0; i < n; i++) {
		float s = pcm[i] + track->coefficient * s1 - s2;

		s2 = s1;
		s1 = s;
	}
	track->s1 = s1;
	track->s2 = s2;
}

static enum tl_modem_tone conclude(const struct tl_modem_ear *ear)
{
	if (ear->answer.turns >= 2)
		return TL_MODEM_REVERSING;
	if (ear->answer.steps >= SURE_STEPS)
		return TL_MODEM_ANSWER;
	if (ear->calling.steps >= SURE_STEPS)
		return TL_MODEM_CALLING;
	return TL_MODEM_NONE;
}

enum tl_modem_tone tl_modem_ear_hear(struct tl_modem_ear *ear, const int16_t *pcm, size_t n)
{
	while (n) {
		size_t take = MIN(n, ear->step - ear->n);

		for (size_t i = 0; i < take; i++)
			ear->energy += (float)pcm[i] * pcm[i];
		feed(&ear->calling, pcm, take);
		feed(&ear->answer, pcm, take);
		pcm += take;
		n -= take;
		ear->n += take;
		if (ear->n < ear->step)
			break;
		judge(&ear->calling, ear->n, ear->energy);
		judge(&ear->answer, ear->n, ear->energy);
		ear->level = ear->energy / (float)ear->n;
		ear->energy = 0;
		ear->n = 0;
		ear->tone = conclude(ear);
	}
	return ear->tone;
}
