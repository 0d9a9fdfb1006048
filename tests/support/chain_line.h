#pragma once
/*
 * Signals through chains, without a network: made, coded, carried, decoded and compared with what
 * went in.
 */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>
#include <glib.h>

#include "media/chain/chain.h"

enum { SECONDS = 2, RATE_MAX = 48000, LAG_MS_MAX = 120 };

struct signal {
	unsigned rate_hz;
	size_t n;
	int16_t v[RATE_MAX * (SECONDS + 1)];
};

struct packets {
	size_t n;
	uint32_t duration; /* of each; 0 when they differ */
	struct {
		size_t bytes;
		uint8_t v[TL_PAYLOAD_MAX];
	} list[SECONDS * 100 + 10];
};

static inline void setup(void)
{
	cr_assert_eq(tl_codec_init(), 0);
}

static inline struct tl_format format_of(const char *name)
{
	struct tl_format format = { .codec = tl_codec_by_name(name), .pt = 96 };

	cr_assert_not_null(format.codec, "%s", name);
	if (g_str_equal(name, "iLBC")) /* in frames of 20 ms like most */
		strcpy(format.fmtp, "mode=20");
	return format;
}

/* A voice of a kind: harmonics of a pitch that glides, in syllables. All below 3.2 kHz. */
static inline struct signal *voice(unsigned rate_hz)
{
	struct signal *s = g_new0(struct signal, 1);
	double phase = 0;

	s->rate_hz = rate_hz;
	s->n = (size_t)rate_hz * SECONDS;
	for (size_t i = 0; i < s->n; i++) {
		double t = (double)i / rate_hz, pitch = 130 + 30 * sin(2 * G_PI * 0.7 * t);
		double loud = 0.55 + 0.45 * sin(2 * G_PI * 3 * t), sum = 0;

		phase += 2 * G_PI * pitch / rate_hz;
		for (int h = 1; h <= 20; h++)
			sum += sin(h * phase) / (1 + 0.02 * h * h);
		s->v[i] = (int16_t)(2500 * loud * sum);
	}
	return s;
}

static inline struct signal *tone(unsigned rate_hz, double hz)
{
	struct signal *s = g_new0(struct signal, 1);

	s->rate_hz = rate_hz;
	s->n = (size_t)rate_hz * SECONDS;
	for (size_t i = 0; i < s->n; i++)
		s->v[i] = (int16_t)(8000 * sin(2 * G_PI * hz * (double)i / rate_hz));
	return s;
}

static inline void keep_packet(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	struct packets *packets = user;

	cr_assert_lt(packets->n, G_N_ELEMENTS(packets->list));
	cr_assert_leq(bytes, sizeof packets->list[0].v);
	packets->duration = duration;
	packets->list[packets->n].bytes = bytes;
	memcpy(packets->list[packets->n++].v, payload, bytes);
}

static inline void keep_pcm(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed,
			    void *user)
{
	struct signal *s = user;

	cr_assert_leq(s->n + samples, G_N_ELEMENTS(s->v));
	s->rate_hz = rate_hz;
	memcpy(s->v + s->n, pcm, samples * sizeof *pcm);
	s->n += samples;
}

static inline struct tl_chain *chain_new(const struct tl_chain_cfg *cfg)
{
	struct tl_chain *chain = NULL;

	cr_assert_eq(tl_chain_new(cfg, &chain), 0, "%s -> %s", cfg->in ? cfg->in->codec->name : "",
		     cfg->out ? cfg->out->codec->name : "");
	return chain;
}

/* What it decodes is kept in heard. */
static inline struct tl_chain *listening_chain(const struct tl_format *format, unsigned rate_hz,
					       struct signal *heard)
{
	return chain_new(&(struct tl_chain_cfg) {
		.in = format,
		.rate_hz = rate_hz,
		.on_pcm = keep_pcm,
		.user = heard,
	});
}

static inline struct packets *encode(const struct signal *s, const struct tl_format *format,
				     unsigned ptime_ms)
{
	struct packets *packets = g_new0(struct packets, 1);
	struct tl_chain *chain = chain_new(&(struct tl_chain_cfg) {
		.out = format,
		.out_ptime_ms = ptime_ms,
		.rate_hz = s->rate_hz,
		.opus_complexity = 5,
		.on_packet = keep_packet,
		.user = packets,
	});

	cr_expect_eq(tl_chain_push_pcm(chain, s->v, s->n), 0);
	tl_chain_free(chain);
	return packets;
}

static inline struct packets *transcode(const struct packets *from, const struct tl_format *in,
					const struct tl_format *out, unsigned ptime_ms)
{
	struct packets *packets = g_new0(struct packets, 1);
	struct tl_chain *chain = chain_new(&(struct tl_chain_cfg) {
		.in = in,
		.out = out,
		.out_ptime_ms = ptime_ms,
		.opus_complexity = 5,
		.on_packet = keep_packet,
		.user = packets,
	});

	for (size_t i = 0; i < from->n; i++)
		cr_expect_eq(tl_chain_push(chain, from->list[i].v, from->list[i].bytes), 0);
	tl_chain_free(chain);
	return packets;
}

static inline struct signal *decode(const struct packets *from, const struct tl_format *format,
				    unsigned rate_hz)
{
	struct signal *s = g_new0(struct signal, 1);
	struct tl_chain *chain = listening_chain(format, rate_hz, s);

	for (size_t i = 0; i < from->n; i++)
		cr_expect_eq(tl_chain_push(chain, from->list[i].v, from->list[i].bytes), 0);
	tl_chain_free(chain);
	return s;
}

/* dB of a against what b differs from it, at the best gain, with b late by lag samples. */
static inline double snr_at(const struct signal *a, const struct signal *b, size_t lag, size_t step)
{
	double aa = 0, ab = 0, bb = 0, gain;

	for (size_t i = a->n / 4; i < a->n * 3 / 4 && i + lag < b->n; i += step) {
		aa += (double)a->v[i] * a->v[i];
		ab += (double)a->v[i] * b->v[i + lag];
		bb += (double)b->v[i + lag] * b->v[i + lag];
	}
	gain = ab / (aa + 1);
	return 10 * log10((gain * gain * aa + 1) / (bb - gain * ab + 1));
}

static inline double snr(const struct signal *a, const struct signal *b)
{
	double best = -100;

	cr_assert_gt(b->n, 0, "nothing was heard");
	cr_assert_eq(a->rate_hz, b->rate_hz);
	for (size_t lag = 0; lag < a->rate_hz * LAG_MS_MAX / 1000; lag++)
		best = MAX(best, snr_at(a, b, lag, 7));
	return best;
}

/* dB of a sine of that frequency in the middle half, at its best amplitude and phase, against all
 * else: no delay, whole or not, disturbs it. */
static inline double sine_snr(const struct signal *s, double hz)
{
	double ss = 0, cc = 0, sc = 0, xs = 0, xc = 0, xx = 0, det, a, b, fit;

	for (size_t i = s->n / 4; i < s->n * 3 / 4; i++) {
		double at = 2 * G_PI * hz * (double)i / s->rate_hz, x = s->v[i];
		double sine = sin(at), cosine = cos(at);

		ss += sine * sine;
		cc += cosine * cosine;
		sc += sine * cosine;
		xs += x * sine;
		xc += x * cosine;
		xx += x * x;
	}
	det = ss * cc - sc * sc;
	a = (xs * cc - xc * sc) / det;
	b = (xc * ss - xs * sc) / det;
	fit = a * xs + b * xc;
	return 10 * log10((fit + 1) / (xx - fit + 1));
}
