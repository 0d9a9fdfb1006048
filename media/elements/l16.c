#include <errno.h>

#include "media/elements/element.h"

/*
 * Linear samples in network order, RFC 3551 4.5.11. We are mono: of two channels, which stand side
 * by side, the mean is heard, and both are sent the same.
 */
static unsigned channels_of(const struct tl_element_cfg *cfg)
{
	return cfg->format->codec->channels;
}

/* tll16dec */

typedef struct {
	TlDecoder parent;
	unsigned channels;
} TlL16Dec;
typedef TlDecoderClass TlL16DecClass;

G_DEFINE_TYPE(TlL16Dec, tl_l16_dec, tl_decoder_get_type())

static int16_t sample_at(const uint8_t *payload, size_t i)
{
	return (int16_t)(payload[2 * i] << 8 | payload[2 * i + 1]);
}

static int decode_l16(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	unsigned channels = ((TlL16Dec *)self)->channels;
	size_t n = bytes / 2 / channels;

	if (bytes % (2 * channels) || n > TL_PCM_SAMPLES)
		return -EBADMSG;
	for (size_t i = 0; channels == 1 && i < n; i++)
		pcm[i] = sample_at(payload, i);
	for (size_t i = 0; channels == 2 && i < n; i++)
		pcm[i] = (int16_t)((sample_at(payload, 2 * i) + sample_at(payload, 2 * i + 1)) / 2);
	return (int)n;
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	((TlL16Dec *)self)->channels = channels_of(cfg);
	return cfg->rate_hz == cfg->format->codec->rate_hz && channels_of(cfg) <= 2 ? 0 : -ENOTSUP;
}

static void tl_l16_dec_init(TlL16Dec *self)
{
}

static void tl_l16_dec_class_init(TlL16DecClass *class)
{
	tl_element_describe((GstElementClass *)class, "L16 decoder", "Codec/Decoder/Audio");
	class->parent.configure = configure_dec;
	class->decode = decode_l16;
}

/* tll16enc */

typedef struct {
	TlEncoder parent;
	unsigned channels;
} TlL16Enc;
typedef TlEncoderClass TlL16EncClass;

G_DEFINE_TYPE(TlL16Enc, tl_l16_enc, tl_encoder_get_type())

static int encode_l16(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	unsigned channels = ((TlL16Enc *)self)->channels;
	uint8_t *to = payload;

	for (size_t i = 0; i < samples; i++) {
		for (unsigned channel = 0; channel < channels; channel++) {
			*to++ = (uint8_t)((uint16_t)pcm[i] >> 8);
			*to++ = (uint8_t)pcm[i];
		}
	}
	return (int)(to - payload);
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	if (cfg->rate_hz != cfg->format->codec->rate_hz || channels_of(cfg) > 2 ||
	    cfg->rate_hz / 1000 * cfg->ptime_ms * 2 * channels_of(cfg) > TL_BUFFER_BYTES - 100)
		return -ENOTSUP;
	((TlL16Enc *)self)->channels = channels_of(cfg);
	return ((TlElementClass *)tl_l16_enc_parent_class)->configure(self, cfg);
}

static void tl_l16_enc_init(TlL16Enc *self)
{
}

static void tl_l16_enc_class_init(TlL16EncClass *class)
{
	tl_element_describe((GstElementClass *)class, "L16 encoder", "Codec/Encoder/Audio");
	class->parent.configure = configure_enc;
	class->encode = encode_l16;
}
