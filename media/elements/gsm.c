#include <errno.h>

#include <spandsp.h>

#include "media/elements/element.h"

/* GSM 06.10 full rate over spandsp, packed as RFC 3551 4.5.8.1 says: frames of 20 ms in 33 bytes,
 * the first four bits of each are 1101. */
enum { FRAME_SAMPLES = 160, FRAME_BYTES = 33, SIGNATURE = 0xd0 };

static gsm0610_state_t *new_state(const struct tl_element_cfg *cfg)
{
	return cfg->rate_hz == 8000 ? gsm0610_init(NULL, GSM0610_PACKING_VOIP) : NULL;
}

/* tlgsmdec */

typedef struct {
	TlDecoder parent;
	gsm0610_state_t *state;
} TlGsmDec;
typedef TlDecoderClass TlGsmDecClass;

G_DEFINE_TYPE(TlGsmDec, tl_gsm_dec, tl_decoder_get_type())

static int decode_gsm(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bytes % FRAME_BYTES || bytes / FRAME_BYTES * FRAME_SAMPLES > TL_PCM_SAMPLES)
		return -EBADMSG;
	for (size_t at = 0; at < bytes; at += FRAME_BYTES)
		if ((payload[at] & 0xf0) != SIGNATURE)
			return -EBADMSG;
	return gsm0610_decode(((TlGsmDec *)self)->state, pcm, payload, (int)bytes);
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	((TlGsmDec *)self)->state = new_state(cfg);
	return ((TlGsmDec *)self)->state ? 0 : -ENOTSUP;
}

static void finalize_dec(GObject *object)
{
	if (((TlGsmDec *)object)->state)
		gsm0610_free(((TlGsmDec *)object)->state);
	G_OBJECT_CLASS(tl_gsm_dec_parent_class)->finalize(object);
}

static void tl_gsm_dec_init(TlGsmDec *self)
{
}

static void tl_gsm_dec_class_init(TlGsmDecClass *class)
{
	tl_element_describe((GstElementClass *)class, "GSM 06.10 decoder", "Codec/Decoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_dec;
	class->parent.configure = configure_dec;
	class->decode = decode_gsm;
}

/* tlgsmenc */

typedef struct {
	TlEncoder parent;
	gsm0610_state_t *state;
} TlGsmEnc;
typedef TlEncoderClass TlGsmEncClass;

G_DEFINE_TYPE(TlGsmEnc, tl_gsm_enc, tl_encoder_get_type())

static int encode_gsm(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	return gsm0610_encode(((TlGsmEnc *)self)->state, payload, pcm, (int)samples);
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	if (cfg->ptime_ms * 8 % FRAME_SAMPLES)
		return -ENOTSUP;
	((TlGsmEnc *)self)->state = new_state(cfg);
	if (!((TlGsmEnc *)self)->state)
		return -ENOTSUP;
	return ((TlElementClass *)tl_gsm_enc_parent_class)->configure(self, cfg);
}

static void finalize_enc(GObject *object)
{
	if (((TlGsmEnc *)object)->state)
		gsm0610_free(((TlGsmEnc *)object)->state);
	G_OBJECT_CLASS(tl_gsm_enc_parent_class)->finalize(object);
}

static void tl_gsm_enc_init(TlGsmEnc *self)
{
}

static void tl_gsm_enc_class_init(TlGsmEncClass *class)
{
	tl_element_describe((GstElementClass *)class, "GSM 06.10 encoder", "Codec/Encoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_enc;
	class->parent.configure = configure_enc;
	class->encode = encode_gsm;
}
