#include "media/chain/chain.h"

#include <errno.h>
#include <string.h>

#include "media/chain/conceal.h"
#include "media/chain/noise.h"
#include "media/elements/g711.h"
#include "media/elements/element.h"
#include "media/fetch.h"
#include "media/chain/resample.h"

enum {
	HISTORY_BYTES = 320, /* G.711 for concealment to repeat: more than its longest look back */
	CONCEAL_STEP_MS = 20,
	LOST_MAX_MS = 100, /* beyond this a decoder has nothing left to forget */
};

/* Room for a decoded packet, and for what a resampler rounds up. */
enum { PCM_ROOM = TL_PCM_SAMPLES + 64 };

struct tl_chain {
	struct tl_chain_cfg cfg; /* in and out point into this struct */
	unsigned rate_hz, decode_hz, encode_hz;
	uint32_t packet_units;        /* a packet's duration at the out codec's RTP clock */
	TlElement *decoder, *encoder; /* NULL: this half is absent */
	struct tl_resampler *from_decoder, *to_encoder; /* NULL: rates fit */
	struct tl_conceal *conceal; /* NULL: the decoder has its own, and no worse */
	bool holed;                 /* a hole was filled; what comes next must be joined to it */
	unsigned waited_ms;         /* filled since the last packet, and the decoder was not told */

	/* Both sides G.711: payloads go through one table, unless somebody listens, a hole was
	 * filled or the packet times differ. */
	bool maps;
	size_t n_history;
	uint8_t history[HISTORY_BYTES]; /* payload bytes that the concealment has not heard */

	struct tl_format in, out;
	struct tl_noise noise;     /* heard in the place of silence that is not sent */
	struct tl_silence silence; /* told from voice, when cfg.on_noise asks for that */
};

/*
 * From here to on_packet() audio goes down by calls, each stage's on its own
 * part of the stack: the same few kilobytes for every chain of a worker, which
 * its caches never lose. Samples are never more than PCM_ROOM.
 */

/* 0: not a sample came out yet. */
static size_t resample(struct tl_resampler *resampler, const int16_t *pcm, size_t samples,
		       int16_t out[static PCM_ROOM])
{
	if (tl_resampler_bound(resampler, samples) > PCM_ROOM)
		return 0;
	return tl_resampler_run(resampler, pcm, samples, out);
}

static int encode_resampled(struct tl_chain *chain, const int16_t *pcm, size_t samples)
{
	int16_t fit[PCM_ROOM];
	size_t n = resample(chain->to_encoder, pcm, samples, fit);

	return n ? tl_encoder_run(chain->encoder, fit, n) : 0;
}

/* From the tap's rate on. The tap may change pcm. */
TL_HOT(chain)
static int tap_and_encode(struct tl_chain *chain, int16_t *pcm, size_t samples, bool concealed)
{
	if (chain->cfg.on_pcm)
		chain->cfg.on_pcm(pcm, samples, chain->rate_hz, concealed, chain->cfg.user);
	if (!chain->encoder)
		return 0;
	if (chain->cfg.on_noise)
		tl_silence_hear(&chain->silence, pcm, samples, chain->rate_hz);
	if (chain->to_encoder)
		return encode_resampled(chain, pcm, samples);
	return tl_encoder_run(chain->encoder, pcm, samples);
}

static int tap_resampled(struct tl_chain *chain, const int16_t *pcm, size_t samples, bool concealed)
{
	int16_t fit[PCM_ROOM];
	size_t n = resample(chain->from_decoder, pcm, samples, fit);

	return n ? tap_and_encode(chain, fit, n, concealed) : 0;
}

/* From the decoder's rate on. */
static int take_decoded(struct tl_chain *chain, int16_t *pcm, size_t samples, bool concealed)
{
	if (chain->from_decoder)
		return tap_resampled(chain, pcm, samples, concealed);
	return tap_and_encode(chain, pcm, samples, concealed);
}

/* What a packet said, by a decoder that conceals nothing or everything. */
static int take_heard(struct tl_chain *chain, int16_t *pcm, size_t samples)
{
	if (chain->conceal)
		tl_conceal_heard(chain->conceal, pcm, samples);
	return take_decoded(chain, pcm, samples, false);
}

/* Nothing but silence in it? Then a description goes out where one is due, and no packet. */
static bool replace_silence(struct tl_chain *chain, size_t samples, uint32_t units)
{
	unsigned ms = (unsigned)(samples * 1000 / chain->encode_hz);
	uint8_t payload;
	int level;

	if (!tl_silence_packet(&chain->silence, ms, &level))
		return false;
	payload = (uint8_t)level;
	if (level >= 0)
		chain->cfg.on_noise(&payload, sizeof payload, units, chain->cfg.user);
	else
		chain->cfg.on_packet(&payload, 0, units, chain->cfg.user);
	return true;
}

TL_HOT(chain)
static void on_packet(const uint8_t *payload, size_t bytes, size_t samples, void *user)
{
	struct tl_chain *chain = user;
	uint32_t units =
		(uint32_t)((uint64_t)samples * chain->out.codec->clock_hz / chain->encode_hz);

	if (!chain->cfg.on_noise || !replace_silence(chain, samples, units))
		chain->cfg.on_packet(payload, bytes, units, chain->cfg.user);
}

/* The codec's lowest PCM rate that is not below hz, else its highest. */
static unsigned rate_at_least(const struct tl_codec *codec, unsigned hz)
{
	unsigned rate = codec->rates_hz[0];

	for (size_t i = 0; i < G_N_ELEMENTS(codec->rates_hz) && codec->rates_hz[i]; i++) {
		rate = codec->rates_hz[i];
		if (rate >= hz)
			break;
	}
	return rate;
}

/* The lowest rate that loses nothing of the narrower codec: both coders run at it when they can,
 * and then nothing is resampled. */
static unsigned choose_rate(const struct tl_codec *in, const struct tl_codec *out)
{
	unsigned narrower;

	if (!in || !out)
		return in ? in->rate_hz : out->rate_hz;
	narrower = MIN(in->rate_hz, out->rate_hz);
	for (unsigned hz = rate_at_least(in, narrower);; hz = rate_at_least(in, hz + 1)) {
		if (rate_at_least(out, hz) == hz)
			return hz;
		if (rate_at_least(in, hz + 1) <= hz)
			return narrower;
	}
}

/* 0; -ENOTSUP: there is no such element or it can't do this; what came of it is the chain's. */
static int open_element(const char *name, const struct tl_element_cfg *cfg, TlElement **ret_element)
{
	*ret_element = name ? (TlElement *)gst_element_factory_make(name, NULL) : NULL;
	if (!*ret_element)
		return -ENOTSUP;
	gst_object_ref_sink(*ret_element);
	return tl_element_configure(*ret_element, cfg);
}

static int open_decoder(struct tl_chain *chain)
{
	const struct tl_codec *codec = chain->in.codec;
	struct tl_element_cfg cfg = { .format = &chain->in };
	int r;

	cfg.rate_hz = chain->decode_hz = rate_at_least(codec, chain->rate_hz);
	r = open_element(codec->decoder, &cfg, &chain->decoder);
	if (r < 0)
		return r;
	if (!tl_decoder_conceals(chain->decoder) || tl_decoder_may_yield(chain->decoder) ||
	    tl_decoder_remembers(chain->decoder))
		chain->conceal = tl_conceal_new(chain->decode_hz);
	if (chain->decode_hz == chain->rate_hz)
		return 0;
	return tl_resampler_new(chain->decode_hz, chain->rate_hz, &chain->from_decoder);
}

static int open_encoder(struct tl_chain *chain)
{
	const struct tl_codec *codec = chain->out.codec;
	struct tl_element_cfg cfg = {
		.format = &chain->out,
		.ptime_ms = chain->cfg.out_ptime_ms,
		.complexity = chain->cfg.opus_complexity,
		.silence = chain->cfg.silence,
	};
	int r;

	cfg.rate_hz = chain->encode_hz = rate_at_least(codec, chain->rate_hz);
	r = open_element(codec->encoder, &cfg, &chain->encoder);
	if (r < 0)
		return r;
	tl_encoder_set_output(chain->encoder, on_packet, chain);
	if (chain->encode_hz == chain->rate_hz)
		return 0;
	return tl_resampler_new(chain->rate_hz, chain->encode_hz, &chain->to_encoder);
}

static bool can_map(const struct tl_chain *chain)
{
	return tl_g711_is(chain->in.codec) && tl_g711_is(chain->out.codec) &&
	       chain->in.codec != chain->out.codec && chain->rate_hz == 8000;
}

/* Copies what cfg points to, and puts defaults in the place of zeros. */
static void adopt_cfg(struct tl_chain *chain, const struct tl_chain_cfg *cfg)
{
	chain->cfg = *cfg;
	if (cfg->in) {
		chain->in = *cfg->in;
		chain->cfg.in = &chain->in;
	}
	if (cfg->out) {
		chain->out = *cfg->out;
		chain->cfg.out = &chain->out;
		if (!cfg->out_ptime_ms)
			chain->cfg.out_ptime_ms = tl_format_ptime_ms(&chain->out);
		chain->packet_units = chain->out.codec->clock_hz * chain->cfg.out_ptime_ms / 1000;
	}
	chain->rate_hz =
		cfg->rate_hz ? cfg->rate_hz : choose_rate(chain->in.codec, chain->out.codec);
}

int tl_chain_new(const struct tl_chain_cfg *cfg, struct tl_chain **ret_chain)
{
	struct tl_chain *chain;
	int r = 0;

	if ((!cfg->in && !cfg->out) || (cfg->out && !cfg->on_packet))
		return -EINVAL;
	chain = g_new0(struct tl_chain, 1);
	adopt_cfg(chain, cfg);
	if (cfg->out)
		r = open_encoder(chain);
	if (r >= 0 && cfg->in)
		r = open_decoder(chain);
	if (r < 0) {
		tl_chain_free(chain);
		return -ENOTSUP;
	}
	chain->maps = cfg->in && cfg->out && can_map(chain);
	*ret_chain = chain;
	return 0;
}

void tl_chain_free(struct tl_chain *chain)
{
	if (!chain)
		return;
	g_clear_pointer(&chain->decoder, gst_object_unref);
	g_clear_pointer(&chain->encoder, gst_object_unref);
	tl_resampler_free(chain->from_decoder);
	tl_resampler_free(chain->to_encoder);
	tl_conceal_free(chain->conceal);
	g_free(chain);
}

void tl_chain_fetch(const struct tl_chain *chain)
{
	tl_fetch(chain, offsetof(struct tl_chain, in) + sizeof chain->in.codec);
	if (chain->decoder && !chain->maps)
		tl_element_fetch(chain->decoder);
	if (chain->encoder)
		tl_element_fetch(chain->encoder);
	if (chain->conceal && !chain->maps)
		tl_conceal_fetch(chain->conceal);
}

unsigned tl_chain_rate_hz(const struct tl_chain *chain)
{
	return chain->rate_hz;
}

void tl_chain_set_tap(struct tl_chain *chain, tl_chain_pcm_fn *on_pcm)
{
	chain->cfg.on_pcm = on_pcm;
}

void tl_chain_set_loss(struct tl_chain *chain, unsigned percent)
{
	if (chain->encoder)
		tl_encoder_set_loss(chain->encoder, percent);
}

void tl_chain_set_request(struct tl_chain *chain, unsigned mode)
{
	if (chain->encoder)
		tl_encoder_set_request(chain->encoder, mode);
}

static bool goes_by_map(const struct tl_chain *chain, size_t bytes)
{
	return chain->maps && !chain->cfg.on_pcm && !chain->cfg.on_noise && !chain->holed &&
	       bytes == chain->packet_units && tl_encoder_pending(chain->encoder) == 0;
}

static void remember(struct tl_chain *chain, const uint8_t *payload, size_t bytes)
{
	size_t kept;

	if (bytes > HISTORY_BYTES) {
		payload += bytes - HISTORY_BYTES;
		bytes = HISTORY_BYTES;
	}
	kept = MIN(chain->n_history, HISTORY_BYTES - bytes);
	memmove(chain->history, chain->history + chain->n_history - kept, kept);
	memcpy(chain->history + kept, payload, bytes);
	chain->n_history = kept + bytes;
}

/* What went by the table is told to the concealment when it is needed, and not before. */
static void recall(struct tl_chain *chain)
{
	int16_t pcm[HISTORY_BYTES];

	if (!chain->n_history)
		return;
	tl_g711_decode(chain->in.codec, chain->history, chain->n_history, pcm);
	tl_conceal_heard(chain->conceal, pcm, chain->n_history);
	chain->n_history = 0;
}

TL_HOT(chain) static int push_map(struct tl_chain *chain, const uint8_t *payload, size_t bytes)
{
	uint8_t mapped[TL_PAYLOAD_MAX];

	remember(chain, payload, bytes);
	tl_g711_map(chain->in.codec, payload, bytes, mapped);
	on_packet(mapped, bytes, bytes, chain);
	return 0;
}

TL_HOT(chain) static int push_own(struct tl_chain *chain, const uint8_t *payload, size_t bytes)
{
	int16_t pcm[PCM_ROOM];
	int samples = tl_decoder_run(chain->decoder, payload, bytes, pcm);

	return samples > 0 ? take_heard(chain, pcm, (size_t)samples) : -EBADMSG;
}

TL_HOT(chain) int tl_chain_push(struct tl_chain *chain, const uint8_t *payload, size_t bytes)
{
	uint32_t units, most = TL_PAYLOAD_MAX_MS;

	if (!chain->decoder)
		return -EINVAL;
	units = tl_format_duration(&chain->in, payload, bytes);
	if (units == 0 || units > most * chain->in.codec->clock_hz / 1000)
		return -EBADMSG;
	if (goes_by_map(chain, bytes))
		return push_map(chain, payload, bytes);
	recall(chain);
	chain->holed = chain->noise.on = false;
	chain->waited_ms = 0;
	return push_own(chain, payload, bytes);
}

int tl_chain_push_pcm(struct tl_chain *chain, const int16_t *pcm, size_t samples)
{
	/* As much at a time as a resampler can blow up to the longest buffer. */
	size_t most = TL_PCM_SAMPLES;
	int16_t own[PCM_ROOM]; /* which the tap may change */
	int r = 0;

	if (chain->to_encoder)
		most = MAX((size_t)TL_PCM_SAMPLES * chain->rate_hz / 48000, (size_t)1);
	for (size_t n; samples && r >= 0; pcm += n, samples -= n) {
		n = MIN(samples, most);
		memcpy(own, pcm, n * sizeof *pcm);
		r = tap_and_encode(chain, own, n, false);
	}
	return r;
}

static int conceal_by_decoder(struct tl_chain *chain, unsigned ms, const uint8_t *next,
			      size_t bytes)
{
	int16_t pcm[PCM_ROOM];
	int made = tl_decoder_conceal(chain->decoder, next, bytes, pcm,
				      (size_t)chain->decode_hz * ms / 1000);

	if (made <= 0)
		return -EBADMSG;
	if (chain->conceal) /* it may have to go on from there */
		tl_conceal_heard(chain->conceal, pcm, (size_t)made);
	return take_decoded(chain, pcm, (size_t)made, true);
}

static int conceal_by_repeat(struct tl_chain *chain, unsigned ms)
{
	int16_t pcm[PCM_ROOM];
	size_t samples = (size_t)chain->decode_hz * ms / 1000;
	bool begins = !chain->holed;

	recall(chain);
	chain->holed = true;
	tl_conceal_fill(chain->conceal, pcm, samples);
	if (begins) /* later it is hardly what was said any more */
		tl_decoder_follow(chain->decoder, pcm, samples);
	return take_decoded(chain, pcm, samples, true);
}

void tl_chain_cut(struct tl_chain *chain)
{
	if (!chain->conceal)
		return; /* a decoder that conceals by itself has no edges */
	recall(chain);
	chain->holed = true;
	tl_conceal_cut(chain->conceal);
}

static int make_noise(struct tl_chain *chain, unsigned ms)
{
	int16_t pcm[PCM_ROOM];
	size_t samples = MIN((size_t)chain->decode_hz * ms / 1000, (size_t)TL_PCM_SAMPLES);

	chain->holed = true;
	tl_noise_fill(&chain->noise, pcm, samples);
	return take_decoded(chain, pcm, samples, false);
}

int tl_chain_noise(struct tl_chain *chain, const uint8_t *payload, size_t bytes, unsigned ms)
{
	if (!chain->decoder)
		return -EINVAL;
	if (!tl_noise_set(&chain->noise, payload, bytes))
		return -EBADMSG;
	recall(chain);
	chain->noise.on = true;
	return make_noise(chain, ms);
}

int tl_chain_wait(struct tl_chain *chain, unsigned ms)
{
	if (chain->decoder && tl_decoder_remembers(chain->decoder) && !chain->noise.on)
		chain->waited_ms += ms; /* from here on up to the next packet by repetition */
	return tl_chain_conceal(chain, ms);
}

void tl_chain_lose(struct tl_chain *chain)
{
	int16_t unheard[PCM_ROOM];
	unsigned ms = MIN(chain->waited_ms, (unsigned)LOST_MAX_MS);
	unsigned step = tl_format_frame_ms(&chain->in);

	for (; ms >= step && step; ms -= step)
		tl_decoder_conceal(chain->decoder, NULL, 0, unheard,
				   (size_t)chain->decode_hz * step / 1000);
	chain->waited_ms = 0;
}

int tl_chain_conceal(struct tl_chain *chain, unsigned ms)
{
	return tl_chain_recover(chain, ms, NULL, 0);
}

static bool conceals_by_itself(const struct tl_chain *chain)
{
	return tl_decoder_conceals(chain->decoder) && !tl_decoder_yields(chain->decoder) &&
	       !chain->waited_ms;
}

int tl_chain_recover(struct tl_chain *chain, unsigned ms, const uint8_t *next, size_t bytes)
{
	int r = 0;

	if (!chain->decoder)
		return -EINVAL;
	if (bytes && tl_format_duration(&chain->in, next, bytes) == 0)
		bytes = 0;
	while (ms && r >= 0) {
		unsigned step = MIN(ms, MAX(CONCEAL_STEP_MS, tl_format_frame_ms(&chain->in)));

		/* The next packet knows only what was right before it. */
		if (chain->noise.on)
			r = make_noise(chain, step);
		else if (conceals_by_itself(chain))
			r = conceal_by_decoder(chain, step, next, ms == step ? bytes : 0);
		else
			r = conceal_by_repeat(chain, step);
		ms -= step;
	}
	return r;
}
