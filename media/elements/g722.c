#include "media/elements/g722_coder.h"

#include <errno.h>
#include <string.h>

#include "media/elements/element.h"

/* ITU-T G.722 at 64 kbit/s. At a PCM rate of 8000 Hz only the low band is coded: all that a
 * narrow-band leg can fill, for a third of the work and with no resampler. */

static bool is_rate(unsigned rate_hz)
{
	return rate_hz == 8000 || rate_hz == 16000;
}

/* tlg722dec */

enum { LAST = 2 * TL_G722_HISTORY };

typedef struct {
	TlDecoder parent;
	struct tl_g722 state;
	int16_t last[LAST]; /* samples that came out, or were made up after them */
} TlG722Dec;
typedef TlDecoderClass TlG722DecClass;

G_DEFINE_TYPE(TlG722Dec, tl_g722_dec, tl_decoder_get_type())

static void note_last(TlG722Dec *self, const int16_t *pcm, size_t samples)
{
	size_t n = MIN(samples, (size_t)LAST);

	memmove(self->last, self->last + n, (LAST - n) * sizeof *pcm);
	memcpy(self->last + LAST - n, pcm + samples - n, n * sizeof *pcm);
}

static int decode_g722(TlDecoder *decoder, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	TlG722Dec *self = (TlG722Dec *)decoder;
	size_t samples;

	if (bytes > TL_PCM_SAMPLES / 2) /* two samples a byte */
		return -EBADMSG;
	samples = tl_g722_decode(&self->state, payload, bytes, pcm);
	note_last(self, pcm, samples);
	return (int)samples;
}

static void keep_poles(struct tl_g722_band *band, const struct tl_g722_band *before)
{
	band->a1 = before->a1;
	band->a2 = before->a2;
}

/*
 * Coded differences mean something only to who has the predictors and steps of the coder. Its are
 * unknown after a hole, but those that it would have come to by what was made up are near: that is
 * coded by a twin of the decoder, and decoded. The poles, which turn a small error into a lasting
 * one, are better as they were. bench_quality: 1 dB of SNR at 5 % of loss.
 */
static void follow_g722(TlDecoder *decoder, const int16_t *pcm, size_t samples)
{
	TlG722Dec *self = (TlG722Dec *)decoder;
	struct tl_g722 before = self->state, twin = before;
	uint8_t payload[TL_PCM_SAMPLES];
	int16_t unheard[TL_PCM_SAMPLES];
	size_t bytes;

	samples = MIN(samples, (size_t)TL_PCM_SAMPLES);
	for (size_t i = 0; i < TL_G722_HISTORY; i++) {
		twin.odd[i] = self->last[2 * i];
		twin.even[i] = self->last[2 * i + 1];
	}
	bytes = tl_g722_encode(&twin, pcm, samples, payload);
	tl_g722_decode(&self->state, payload, bytes, unheard);
	keep_poles(&self->state.low, &before.low);
	keep_poles(&self->state.high, &before.high);
	note_last(self, pcm, samples);
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	if (!is_rate(cfg->rate_hz))
		return -ENOTSUP;
	tl_g722_init(&((TlG722Dec *)self)->state, cfg->rate_hz == 8000);
	return 0;
}

static void tl_g722_dec_init(TlG722Dec *self)
{
}

static void tl_g722_dec_class_init(TlG722DecClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.722 decoder", "Codec/Decoder/Audio");
	class->parent.configure = configure_dec;
	class->decode = decode_g722;
	class->follow = follow_g722;
}

/* tlg722enc */

typedef struct {
	TlEncoder parent;
	struct tl_g722 state;
} TlG722Enc;
typedef TlEncoderClass TlG722EncClass;

G_DEFINE_TYPE(TlG722Enc, tl_g722_enc, tl_encoder_get_type())

static int encode_g722(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	return (int)tl_g722_encode(&((TlG722Enc *)self)->state, pcm, samples, payload);
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	if (!is_rate(cfg->rate_hz))
		return -ENOTSUP;
	tl_g722_init(&((TlG722Enc *)self)->state, cfg->rate_hz == 8000);
	return ((TlElementClass *)tl_g722_enc_parent_class)->configure(self, cfg);
}

static void tl_g722_enc_init(TlG722Enc *self)
{
}

static void tl_g722_enc_class_init(TlG722EncClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.722 encoder", "Codec/Encoder/Audio");
	class->parent.configure = configure_enc;
	class->encode = encode_g722;
}
