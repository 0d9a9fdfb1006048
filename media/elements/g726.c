#include <errno.h>

#include <spandsp.h>

#include "media/elements/element.h"

/*
 * ITU-T G.726 at 16, 24, 32 and 40 kbit/s over spandsp. Codes of 2 to 5 bits lie in the bytes from
 * their low end up (RFC 3551 4.5.4), or, under names with AAL2 before them, from the high end down
 * (ITU-T I.366.2 annex E).
 */
static g726_state_t *new_state(const struct tl_element_cfg *cfg)
{
	const struct tl_codec *codec = cfg->format->codec;
	bool aal2 = g_str_has_prefix(codec->name, "AAL2-");

	/* a frame is 1 ms: so many bytes are so many times 8 kbit/s */
	if (cfg->rate_hz != 8000)
		return NULL;
	return g726_init(NULL, (int)codec->frame_bytes * 8000, G726_ENCODING_LINEAR,
			 aal2 ? G726_PACKING_LEFT : G726_PACKING_RIGHT);
}

/* tlg726dec */

typedef struct {
	TlDecoder parent;
	g726_state_t *state;
} TlG726Dec;
typedef TlDecoderClass TlG726DecClass;

G_DEFINE_TYPE(TlG726Dec, tl_g726_dec, tl_decoder_get_type())

static int decode_g726(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bytes > TL_PCM_SAMPLES / 4) /* as many samples a byte at the lowest rate */
		return -EBADMSG;
	return g726_decode(((TlG726Dec *)self)->state, pcm, payload, (int)bytes);
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	((TlG726Dec *)self)->state = new_state(cfg);
	return ((TlG726Dec *)self)->state ? 0 : -ENOTSUP;
}

static void finalize_dec(GObject *object)
{
	if (((TlG726Dec *)object)->state)
		g726_free(((TlG726Dec *)object)->state);
	G_OBJECT_CLASS(tl_g726_dec_parent_class)->finalize(object);
}

static void tl_g726_dec_init(TlG726Dec *self)
{
}

static void tl_g726_dec_class_init(TlG726DecClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.726 decoder", "Codec/Decoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_dec;
	class->parent.configure = configure_dec;
	class->decode = decode_g726;
}

/* tlg726enc */

typedef struct {
	TlEncoder parent;
	g726_state_t *state;
} TlG726Enc;
typedef TlEncoderClass TlG726EncClass;

G_DEFINE_TYPE(TlG726Enc, tl_g726_enc, tl_encoder_get_type())

static int encode_g726(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	return g726_encode(((TlG726Enc *)self)->state, payload, pcm, (int)samples);
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	((TlG726Enc *)self)->state = new_state(cfg);
	if (!((TlG726Enc *)self)->state)
		return -ENOTSUP;
	return ((TlElementClass *)tl_g726_enc_parent_class)->configure(self, cfg);
}

static void finalize_enc(GObject *object)
{
	if (((TlG726Enc *)object)->state)
		g726_free(((TlG726Enc *)object)->state);
	G_OBJECT_CLASS(tl_g726_enc_parent_class)->finalize(object);
}

static void tl_g726_enc_init(TlG726Enc *self)
{
}

static void tl_g726_enc_class_init(TlG726EncClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.726 encoder", "Codec/Encoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_enc;
	class->parent.configure = configure_enc;
	class->encode = encode_g726;
}
