#include "rig.h"

#include <glib.h>
#include <opus.h>
#include <spandsp.h>
#include <string.h>

/*
 * The floor under a transcoder: the codec functions called in a row, with no
 * packet, buffer or element around them. Settings are those of media/elements/:
 * Opus at 8 kHz and 20 kbit/s with forward error correction, G.722 in spandsp's
 * 8 kHz mode. Many streams take turns, so that no cache is warmer than in a gateway.
 */

enum {
	NARROW_HZ = 8000,
	FRAME = NARROW_HZ * RIG_FRAME_MS / 1000,
	STREAMS = 100,
	FRAMES = 50, /* of each stream: a second */
	OPUS_BIT_RATE = 20000,
	LOSS_PERCENT = 5,
	PCM_MAX = FRAME * 6, /* the longest Opus packet */
};

struct rig_coder {
	OpusEncoder *opus_enc;
	OpusDecoder *opus_dec;
	g722_encode_state_t *g722_enc;
	g722_decode_state_t *g722_dec;
	bool opus, g722;
};

struct rig_coder *rig_coder_new(const char *codec, unsigned opus_complexity)
{
	struct rig_coder *coder = g_new0(struct rig_coder, 1);

	coder->opus = strcmp(codec, "opus") == 0;
	coder->g722 = strcmp(codec, "G722") == 0;
	coder->opus_enc = opus_encoder_create(NARROW_HZ, 1, OPUS_APPLICATION_VOIP, NULL);
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_COMPLEXITY((int)opus_complexity));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_BITRATE(OPUS_BIT_RATE));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_PACKET_LOSS_PERC(LOSS_PERCENT));
	coder->opus_dec = opus_decoder_create(NARROW_HZ, 1, NULL);
	coder->g722_enc = g722_encode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
	coder->g722_dec = g722_decode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
	return coder;
}

void rig_coder_free(struct rig_coder *coder)
{
	opus_encoder_destroy(coder->opus_enc);
	opus_decoder_destroy(coder->opus_dec);
	g722_encode_free(coder->g722_enc);
	g722_decode_free(coder->g722_dec);
	g_free(coder);
}

static int encode(struct rig_coder *coder, const int16_t *pcm, size_t n, uint8_t *out)
{
	if (coder->opus)
		return opus_encode(coder->opus_enc, pcm, (int)n, out, RIG_PAYLOAD_MAX);
	if (coder->g722)
		return g722_encode(coder->g722_enc, out, pcm, (int)n);
	for (size_t i = 0; i < n; i++)
		out[i] = linear_to_ulaw(pcm[i]);
	return (int)n;
}

static int decode(struct rig_coder *coder, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (coder->opus)
		return opus_decode(coder->opus_dec, payload, (opus_int32)bytes, pcm, PCM_MAX, 0);
	if (coder->g722)
		return g722_decode(coder->g722_dec, pcm, payload, (int)bytes);
	for (size_t i = 0; i < bytes; i++)
		pcm[i] = ulaw_to_linear(payload[i]);
	return (int)bytes;
}

size_t rig_coder_from_pcma(struct rig_coder *coder, const uint8_t *payload, size_t bytes,
			   uint8_t out[static RIG_PAYLOAD_MAX])
{
	int16_t pcm[PCM_MAX];
	size_t n = MIN(bytes, (size_t)FRAME);
	int got;

	for (size_t i = 0; i < n; i++)
		pcm[i] = alaw_to_linear(payload[i]);
	got = encode(coder, pcm, n, out);
	return got > 0 ? (size_t)got : 0;
}

size_t rig_coder_to_pcma(struct rig_coder *coder, const uint8_t *payload, size_t bytes,
			 uint8_t out[static RIG_PAYLOAD_MAX])
{
	int16_t pcm[PCM_MAX];
	int got = decode(coder, payload, MIN(bytes, (size_t)RIG_PAYLOAD_MAX), pcm);
	size_t n = got > 0 ? MIN((size_t)got, (size_t)RIG_PAYLOAD_MAX) : 0;

	for (size_t i = 0; i < n; i++)
		out[i] = linear_to_alaw(pcm[i]);
	return n;
}

static void code_frame(struct rig_coder *coder, const struct rig_loop *a, const struct rig_loop *b,
		       size_t at)
{
	uint8_t out[RIG_PAYLOAD_MAX];

	if (!rig_coder_from_pcma(coder, a->frames[at].payload, a->frames[at].bytes, out) ||
	    !rig_coder_to_pcma(coder, b->frames[at].payload, b->frames[at].bytes, out))
		g_error("%s does not code", b->codec);
}

double rig_bare_codec_ms(const char *codec, unsigned opus_complexity)
{
	const struct rig_loop *a = rig_loop_get("PCMA"), *b = rig_loop_get(codec);
	struct rig_coder *coders[STREAMS];
	double ms;

	for (size_t i = 0; i < STREAMS; i++)
		coders[i] = rig_coder_new(codec, opus_complexity);
	ms = rig_thread_cpu_ms();
	for (size_t frame = 0; frame < FRAMES; frame++)
		for (size_t i = 0; i < STREAMS; i++)
			code_frame(coders[i], a, b, (frame + 7 * i) % RIG_LOOP_FRAMES);
	ms = rig_thread_cpu_ms() - ms;
	for (size_t i = 0; i < STREAMS; i++)
		rig_coder_free(coders[i]);
	return ms / STREAMS / (FRAMES * RIG_FRAME_MS / 1000.0);
}
