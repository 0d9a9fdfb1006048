#include <errno.h>

#include "media/elements/element.h"

/* Linear samples in network order, RFC 3551 4.5.11. */

/* tll16dec */

typedef TlDecoder TlL16Dec;
typedef TlDecoderClass TlL16DecClass;

G_DEFINE_TYPE(TlL16Dec, tl_l16_dec, tl_decoder_get_type())

static int decode_l16(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bytes % 2 || bytes / 2 > TL_PCM_SAMPLES)
		return -EBADMSG;
	for (size_t i = 0; i < bytes / 2; i++)
		pcm[i] = (int16_t)(payload[2 * i] << 8 | payload[2 * i + 1]);
	return (int)(bytes / 2);
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	return cfg->rate_hz == cfg->format->codec->rate_hz ? 0 : -ENOTSUP;
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

typedef TlEncoder TlL16Enc;
typedef TlEncoderClass TlL16EncClass;

G_DEFINE_TYPE(TlL16Enc, tl_l16_enc, tl_encoder_get_type())

static int encode_l16(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	for (size_t i = 0; i < samples; i++) {
		payload[2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
		payload[2 * i + 1] = (uint8_t)pcm[i];
	}
	return (int)(samples * 2);
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	if (cfg->rate_hz != cfg->format->codec->rate_hz)
		return -ENOTSUP;
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
