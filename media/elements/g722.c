#include "media/elements/g722_coder.h"

#include <errno.h>

#include "media/elements/element.h"

/* ITU-T G.722 at 64 kbit/s. At a PCM rate of 8000 Hz only the low band is coded: all that a
 * narrow-band leg can fill, for a third of the work and with no resampler. */

static bool is_rate(unsigned rate_hz)
{
	return rate_hz == 8000 || rate_hz == 16000;
}

/* tlg722dec */

typedef struct {
	TlDecoder parent;
	struct tl_g722 state;
} TlG722Dec;
typedef TlDecoderClass TlG722DecClass;

G_DEFINE_TYPE(TlG722Dec, tl_g722_dec, tl_decoder_get_type())

static int decode_g722(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bytes > TL_PCM_SAMPLES / 2) /* two samples a byte */
		return -EBADMSG;
	return (int)tl_g722_decode(&((TlG722Dec *)self)->state, payload, bytes, pcm);
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
