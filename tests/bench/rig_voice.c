#include "rig.h"

#include <glib.h>
#include <math.h>
#include <opus.h>
#include <spandsp.h>
#include <string.h>

enum {
	WIDE_HZ = 16000,
	WIDE_FRAME = WIDE_HZ * RIG_FRAME_MS / 1000,
	LOOP_SAMPLES = WIDE_FRAME * RIG_LOOP_FRAMES,
	OPUS_BIT_RATE = 28000,
};

/* A resonance of the mouth: two poles. */
struct formant {
	double hz, width_hz, y1, y2;
};

static double resonate(struct formant *f, double x, unsigned rate_hz)
{
	double r = exp(-G_PI * f->width_hz / rate_hz);
	double y = (1 - r) * x + 2 * r * cos(2 * G_PI * f->hz / rate_hz) * f->y1 - r * r * f->y2;

	f->y2 = f->y1;
	f->y1 = y;
	return y;
}

/* Vowels that glide from one to the next four times a second, with pauses between words. */
static double speak(size_t i, unsigned rate_hz, struct formant formants[3], double *phase)
{
	static const double vowels[][3] = {
		{ 730, 1090, 2440 },
		{ 270, 2290, 3010 },
		{ 300, 870, 2240 },
		{ 530, 1840, 2480 },
	};
	double t = (double)i / rate_hz, syllable = t * 4, glide = syllable - floor(syllable);
	const double *from = vowels[(size_t)syllable % 4], *to = vowels[((size_t)syllable + 1) % 4];
	double loud = sin(G_PI * glide), sum = 0;
	bool pause = (size_t)syllable % 7 == 6;

	*phase += (110 + 30 * sin(2 * G_PI * 0.7 * t)) / rate_hz;
	*phase -= floor(*phase);
	for (size_t k = 0; k < 3; k++) {
		formants[k].hz = from[k] + (to[k] - from[k]) * glide;
		sum += resonate(&formants[k], *phase < 0.1 ? 1 : -0.1, rate_hz);
	}
	return pause ? 0 : loud * sum;
}

static void place_marker(int16_t *pcm, size_t frame, unsigned rate_hz)
{
	size_t samples = rate_hz * RIG_FRAME_MS / 1000, quiet = samples * 6;
	int16_t *at = pcm + frame * samples;

	memset(at - quiet, 0, 2 * quiet * sizeof *pcm);
	for (size_t i = 0; i < samples; i++)
		at[i] = (int16_t)lrint(2.5 * RIG_MARKER_LEVEL * sin(2 * G_PI * 1000 * i / rate_hz));
}

void rig_voice(int16_t *pcm, unsigned rate_hz)
{
	struct formant formants[3] = { { .width_hz = 80 },
				       { .width_hz = 100 },
				       { .width_hz = 120 } };
	size_t n = (size_t)rate_hz * RIG_FRAME_MS / 1000 * RIG_LOOP_FRAMES;
	g_autofree double *voice = g_new(double, n);
	double phase = 0, peak = 1e-9;

	for (size_t i = 0; i < n; i++) {
		voice[i] = speak(i, rate_hz, formants, &phase);
		peak = MAX(peak, fabs(voice[i]));
	}
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)lrint(voice[i] / peak * RIG_MARKER_LEVEL / 2);
	for (size_t frame = RIG_MARKER_FRAME; frame < RIG_LOOP_FRAMES; frame += RIG_MARKER_EVERY)
		place_marker(pcm, frame, rate_hz);
}

static size_t encode_g711(const int16_t *pcm, uint8_t *out, bool a_law)
{
	for (size_t i = 0; i < WIDE_FRAME / 2; i++)
		out[i] = a_law ? linear_to_alaw(pcm[i]) : linear_to_ulaw(pcm[i]);
	return WIDE_FRAME / 2;
}

/* The loop's frames in one codec. pcm_hz: the rate of what encode takes. */
static struct rig_loop *make_loop(const char *codec, uint8_t pt, uint32_t rtp_step, unsigned pcm_hz)
{
	struct rig_loop *loop = g_new0(struct rig_loop, 1);
	g_autofree int16_t *pcm = g_new(int16_t, LOOP_SAMPLES);
	size_t step = pcm_hz * RIG_FRAME_MS / 1000;
	g722_encode_state_t *g722 = g722_encode_init(NULL, 64000, 0);
	OpusEncoder *opus = opus_encoder_create(WIDE_HZ, 1, OPUS_APPLICATION_VOIP, NULL);

	opus_encoder_ctl(opus, OPUS_SET_BITRATE(OPUS_BIT_RATE));
	rig_voice(pcm, pcm_hz);
	loop->codec = codec;
	loop->pt = pt;
	loop->rtp_step = rtp_step;
	for (size_t i = 0; i < RIG_LOOP_FRAMES; i++) {
		const int16_t *frame = pcm + i * step;
		uint8_t *out = g_malloc(RIG_PAYLOAD_MAX);
		size_t bytes;

		if (pt == 9)
			bytes = (size_t)g722_encode(g722, out, frame, (int)step);
		else if (pt > 95)
			bytes = (size_t)opus_encode(opus, frame, (int)step, out, RIG_PAYLOAD_MAX);
		else
			bytes = encode_g711(frame, out, pt == 8);
		loop->frames[i].payload = out;
		loop->frames[i].bytes = bytes;
	}
	g722_encode_free(g722);
	opus_encoder_destroy(opus);
	return loop;
}

const struct rig_loop *rig_loop_get(const char *codec)
{
	static const struct {
		const char *codec;
		uint8_t pt;
		uint32_t rtp_step;
		unsigned pcm_hz;
	} rows[] = {
		{ "PCMU", 0, 160, 8000 },
		{ "PCMA", 8, 160, 8000 },
		{ "G722", 9, 160, WIDE_HZ },
		{ "opus", 96, 960, WIDE_HZ },
	};
	static struct rig_loop *loops[G_N_ELEMENTS(rows)];

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(rows[i].codec, codec) != 0)
			continue;
		if (!loops[i])
			loops[i] = make_loop(rows[i].codec, rows[i].pt, rows[i].rtp_step,
					     rows[i].pcm_hz);
		return loops[i];
	}
	return NULL;
}
