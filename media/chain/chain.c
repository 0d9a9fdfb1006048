#include "media/chain/chain.h"

#include <errno.h>
#include <string.h>

#include <gst/gst.h>

#include "media/chain/conceal.h"
#include "media/elements/g711.h"
#include "media/elements/half.h"
#include "media/elements/stock.h"
#include "media/chain/resample.h"

enum {
	HISTORY_BYTES = 320, /* G.711 for concealment to repeat: more than its longest look back */
	CONCEAL_STEP_MS = 20,
};

struct tl_chain {
	struct tl_chain_cfg cfg; /* in and out point into this struct */
	struct tl_format in, out;
	unsigned rate_hz, decode_hz, encode_hz;
	uint32_t packet_units; /* a packet's duration at the out codec's RTP clock */
	struct tl_half decoder, encoder;
	struct tl_resampler *from_decoder, *to_encoder; /* NULL: rates fit */
	struct tl_conceal *conceal;                     /* NULL: the decoder has its own */

	/* Both sides G.711: payloads go through one table, unless somebody listens, a hole was
	 * filled or the packet times differ. */
	struct tl_half map;
	uint8_t history[HISTORY_BYTES]; /* payload bytes that the concealment has not heard */
	size_t n_history;
	bool decoded; /* something came out of the decoder since the last push */
	bool holed;   /* a hole was filled; what comes next must be joined to it */
};

/* Takes pcm; what comes back is the caller's. NULL: not a sample came out yet. */
static GstBuffer *resample(struct tl_resampler *resampler, GstBuffer *pcm)
{
	void *to;
	GstBuffer *out = tl_buffer_take(&to);
	struct tl_bytes from;
	size_t samples = 0;

	if (tl_buffer_open(pcm, &from, GST_MAP_READ)) {
		size_t n = from.n / sizeof(int16_t);

		if (tl_resampler_bound(resampler, n) * sizeof(int16_t) <= TL_BUFFER_BYTES)
			samples =
				tl_resampler_run(resampler, (const int16_t *)(void *)from.v, n, to);
		tl_buffer_close(pcm, &from);
	}
	gst_buffer_unref(pcm);
	if (!samples) {
		gst_buffer_unref(out);
		return NULL;
	}
	tl_buffer_trim(out, samples * sizeof(int16_t));
	return out;
}

static void show_tap(struct tl_chain *chain, GstBuffer *pcm, bool concealed)
{
	struct tl_bytes heard;

	if (!tl_buffer_open(pcm, &heard, GST_MAP_READWRITE))
		return;
	chain->cfg.on_pcm((int16_t *)(void *)heard.v, heard.n / sizeof(int16_t), chain->rate_hz,
			  concealed, chain->cfg.user);
	tl_buffer_close(pcm, &heard);
}

/* From the tap's rate on. Takes pcm. */
static GstFlowReturn tap_and_encode(struct tl_chain *chain, GstBuffer *pcm, bool concealed)
{
	if (chain->cfg.on_pcm) {
		pcm = gst_buffer_make_writable(pcm);
		show_tap(chain, pcm, concealed);
	}
	if (!chain->encoder.element) {
		gst_buffer_unref(pcm);
		return GST_FLOW_OK;
	}
	if (chain->to_encoder)
		pcm = resample(chain->to_encoder, pcm);
	return pcm ? gst_pad_chain(chain->encoder.sink, pcm) : GST_FLOW_OK;
}

/* From the decoder's rate on. Takes pcm. */
static GstFlowReturn take_decoded(struct tl_chain *chain, GstBuffer *pcm, bool concealed)
{
	if (chain->from_decoder)
		pcm = resample(chain->from_decoder, pcm);
	return pcm ? tap_and_encode(chain, pcm, concealed) : GST_FLOW_OK;
}

static GstFlowReturn on_decoded(GstPad *pad, GstObject *parent, GstBuffer *pcm)
{
	struct tl_chain *chain = gst_pad_get_element_private(pad);
	bool concealed = GST_BUFFER_FLAG_IS_SET(pcm, GST_BUFFER_FLAG_GAP);
	struct tl_bytes heard;

	chain->decoded = true;
	if (chain->conceal) {
		pcm = gst_buffer_make_writable(pcm);
		if (!tl_buffer_open(pcm, &heard, GST_MAP_READWRITE)) {
			gst_buffer_unref(pcm);
			return GST_FLOW_ERROR;
		}
		tl_conceal_heard(chain->conceal, (int16_t *)(void *)heard.v,
				 heard.n / sizeof(int16_t));
		tl_buffer_close(pcm, &heard);
	}
	return take_decoded(chain, pcm, concealed);
}

static GstFlowReturn on_encoded(GstPad *pad, GstObject *parent, GstBuffer *packet)
{
	struct tl_chain *chain = gst_pad_get_element_private(pad);
	struct tl_bytes payload;

	/* A stock encoder begins with the headers of a file. */
	if (!GST_BUFFER_FLAG_IS_SET(packet, GST_BUFFER_FLAG_HEADER) &&
	    tl_buffer_open(packet, &payload, GST_MAP_READ)) {
		chain->cfg.on_packet(payload.v, payload.n, chain->packet_units, chain->cfg.user);
		tl_buffer_close(packet, &payload);
	}
	gst_buffer_unref(packet);
	return GST_FLOW_OK;
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

static int open_decoder(struct tl_chain *chain)
{
	const struct tl_codec *codec = chain->in.codec;
	struct tl_element_cfg cfg = { .format = &chain->in };
	int r;

	cfg.rate_hz = chain->decode_hz = rate_at_least(codec, chain->rate_hz);
	r = tl_half_open(&chain->decoder, codec->decoder, &cfg, on_decoded, chain);
	if (r < 0)
		return r;
	if (chain->decoder.stock || !tl_decoder_conceals((TlElement *)chain->decoder.element))
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
	};
	int r;

	cfg.rate_hz = chain->encode_hz = rate_at_least(codec, chain->rate_hz);
	r = tl_half_open(&chain->encoder, codec->encoder, &cfg, on_encoded, chain);
	if (r < 0)
		return r;
	if (chain->encode_hz == chain->rate_hz)
		return 0;
	return tl_resampler_new(chain->rate_hz, chain->encode_hz, &chain->to_encoder);
}

static int open_map(struct tl_chain *chain)
{
	struct tl_element_cfg cfg = { .format = &chain->in, .rate_hz = chain->rate_hz };

	if (!tl_g711_is(chain->in.codec) || !tl_g711_is(chain->out.codec) ||
	    chain->in.codec == chain->out.codec || chain->rate_hz != 8000)
		return 0;
	return tl_half_open(&chain->map, "tlg711map", &cfg, on_encoded, chain);
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
			chain->cfg.out_ptime_ms = chain->out.codec->ptime_ms;
		chain->packet_units = chain->out.codec->clock_hz / 1000 * chain->cfg.out_ptime_ms;
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
	if (r >= 0 && cfg->in && cfg->out)
		r = open_map(chain);
	if (r < 0) {
		tl_chain_free(chain);
		return -ENOTSUP;
	}
	*ret_chain = chain;
	return 0;
}

void tl_chain_free(struct tl_chain *chain)
{
	if (!chain)
		return;
	tl_half_close(&chain->map);
	tl_half_close(&chain->decoder);
	tl_half_close(&chain->encoder);
	tl_resampler_free(chain->from_decoder);
	tl_resampler_free(chain->to_encoder);
	tl_conceal_free(chain->conceal);
	g_free(chain);
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
	if (chain->encoder.element && !chain->encoder.stock)
		tl_encoder_set_loss((TlElement *)chain->encoder.element, percent);
}

static int flow_error(GstFlowReturn flow)
{
	if (flow == GST_FLOW_OK)
		return 0;
	return flow == TL_FLOW_BAD_PAYLOAD ? -EBADMSG : -EPIPE;
}

static bool goes_by_map(const struct tl_chain *chain, size_t bytes)
{
	return chain->map.element && !chain->cfg.on_pcm && !chain->holed &&
	       bytes == chain->packet_units &&
	       tl_encoder_pending((const TlElement *)chain->encoder.element) == 0;
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

/* A stock decoder swallows what it can't decode. */
static int push_stock(struct tl_chain *chain, const uint8_t *payload, size_t bytes)
{
	GstFlowReturn flow;

	chain->decoded = false;
	flow = tl_stock_push(chain->decoder.sink, chain->in.codec, payload, bytes);
	if (flow == GST_FLOW_OK && !chain->decoded)
		return -EBADMSG;
	return flow_error(flow);
}

int tl_chain_push(struct tl_chain *chain, const uint8_t *payload, size_t bytes)
{
	uint32_t units, most = TL_PAYLOAD_MAX_MS;

	if (!chain->decoder.element)
		return -EINVAL;
	units = tl_format_duration(&chain->in, payload, bytes);
	if (units == 0 || units > most * (chain->in.codec->clock_hz / 1000))
		return -EBADMSG;
	if (goes_by_map(chain, bytes)) {
		remember(chain, payload, bytes);
		return flow_error(gst_pad_chain(chain->map.sink, tl_buffer_copy(payload, bytes)));
	}
	recall(chain);
	chain->holed = false;
	if (chain->decoder.stock)
		return push_stock(chain, payload, bytes);
	return flow_error(gst_pad_chain(chain->decoder.sink, tl_buffer_copy(payload, bytes)));
}

int tl_chain_push_pcm(struct tl_chain *chain, const int16_t *pcm, size_t samples)
{
	GstFlowReturn flow = GST_FLOW_OK;

	/* As much at a time as a resampler can blow up to the longest buffer. */
	size_t most = TL_PCM_SAMPLES;

	if (chain->to_encoder)
		most = (size_t)TL_PCM_SAMPLES * chain->rate_hz / 48000;
	while (samples && flow == GST_FLOW_OK) {
		size_t n = MIN(samples, MAX(most, (size_t)1));

		flow = tap_and_encode(chain, tl_buffer_copy(pcm, n * sizeof *pcm), false);
		pcm += n;
		samples -= n;
	}
	return flow_error(flow);
}

static GstFlowReturn conceal_by_decoder(struct tl_chain *chain, unsigned ms, const uint8_t *next,
					size_t bytes)
{
	GstBuffer *hole = tl_buffer_copy(next, bytes);

	GST_BUFFER_FLAG_SET(hole, GST_BUFFER_FLAG_GAP);
	GST_BUFFER_DURATION(hole) = ms * GST_MSECOND;
	return gst_pad_chain(chain->decoder.sink, hole);
}

static GstFlowReturn conceal_by_repeat(struct tl_chain *chain, unsigned ms)
{
	size_t samples = chain->decode_hz * ms / 1000;
	void *pcm;
	GstBuffer *buffer = tl_buffer_take(&pcm);

	recall(chain);
	chain->holed = true;
	tl_conceal_fill(chain->conceal, pcm, samples);
	tl_buffer_trim(buffer, samples * sizeof(int16_t));
	return take_decoded(chain, buffer, true);
}

void tl_chain_cut(struct tl_chain *chain)
{
	if (!chain->conceal)
		return; /* a decoder that conceals by itself has no edges */
	recall(chain);
	chain->holed = true;
	tl_conceal_cut(chain->conceal);
}

int tl_chain_conceal(struct tl_chain *chain, unsigned ms)
{
	return tl_chain_recover(chain, ms, NULL, 0);
}

int tl_chain_recover(struct tl_chain *chain, unsigned ms, const uint8_t *next, size_t bytes)
{
	GstFlowReturn flow = GST_FLOW_OK;

	if (!chain->decoder.element)
		return -EINVAL;
	if (bytes && tl_format_duration(&chain->in, next, bytes) == 0)
		bytes = 0;
	while (ms && flow == GST_FLOW_OK) {
		unsigned step = MIN(ms, (unsigned)CONCEAL_STEP_MS);

		/* The next packet knows only what was right before it. */
		if (chain->conceal)
			flow = conceal_by_repeat(chain, step);
		else
			flow = conceal_by_decoder(chain, step, next, ms == step ? bytes : 0);
		ms -= step;
	}
	return flow_error(flow);
}
