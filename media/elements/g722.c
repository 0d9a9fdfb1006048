#include <errno.h>

#include <spandsp.h>

#include "media/elements/element.h"

/*
 * ITU-T G.722 at 64 kbit/s over spandsp. At a PCM rate of 8000 Hz only the low
 * band is coded: all that a narrow-band leg can fill, for a third of the work
 * and with no resampler.
 */
enum { G722_BIT_RATE = 64000 };

/* 0 at 16 kHz, spandsp's option at 8 kHz, or -ENOTSUP. */
static int rate_option(unsigned rate_hz)
{
	if (rate_hz == 8000)
		return G722_SAMPLE_RATE_8000;
	return rate_hz == 16000 ? 0 : -ENOTSUP;
}

/* tlg722dec */

typedef struct {
	TlDecoder parent;
	g722_decode_state_t *state;
} TlG722Dec;
typedef TlDecoderClass TlG722DecClass;

G_DEFINE_TYPE(TlG722Dec, tl_g722_dec, tl_decoder_get_type())

static int decode_g722(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bytes > TL_PCM_SAMPLES / 2) /* two samples a byte */
		return -EBADMSG;
	return g722_decode(((TlG722Dec *)self)->state, pcm, payload, (int)bytes);
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	int option = rate_option(cfg->rate_hz);

	if (option < 0)
		return option;
	((TlG722Dec *)self)->state = g722_decode_init(NULL, G722_BIT_RATE, option);
	return ((TlG722Dec *)self)->state ? 0 : -ENOTSUP;
}

static void finalize_dec(GObject *object)
{
	if (((TlG722Dec *)object)->state)
		g722_decode_free(((TlG722Dec *)object)->state);
	G_OBJECT_CLASS(tl_g722_dec_parent_class)->finalize(object);
}

static void tl_g722_dec_init(TlG722Dec *self)
{
}

static void tl_g722_dec_class_init(TlG722DecClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.722 decoder", "Codec/Decoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_dec;
	class->parent.configure = configure_dec;
	class->decode = decode_g722;
}

/* tlg722enc */

typedef struct {
	TlEncoder parent;
	g722_encode_state_t *state;
} TlG722Enc;
typedef TlEncoderClass TlG722EncClass;

G_DEFINE_TYPE(TlG722Enc, tl_g722_enc, tl_encoder_get_type())

static int encode_g722(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	return g722_encode(((TlG722Enc *)self)->state, payload, pcm, (int)samples);
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	int option = rate_option(cfg->rate_hz);

	if (option < 0)
		return option;
	((TlG722Enc *)self)->state = g722_encode_init(NULL, G722_BIT_RATE, option);
	if (!((TlG722Enc *)self)->state)
		return -ENOTSUP;
	return ((TlElementClass *)tl_g722_enc_parent_class)->configure(self, cfg);
}

static void finalize_enc(GObject *object)
{
	if (((TlG722Enc *)object)->state)
		g722_encode_free(((TlG722Enc *)object)->state);
	G_OBJECT_CLASS(tl_g722_enc_parent_class)->finalize(object);
}

static void tl_g722_enc_init(TlG722Enc *self)
{
}

static void tl_g722_enc_class_init(TlG722EncClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.722 encoder", "Codec/Encoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_enc;
	class->parent.configure = configure_enc;
	class->encode = encode_g722;
}
