#include <errno.h>

#include <modules/audio_coding/codecs/ilbc/ilbc.h>

#include "media/elements/element.h"

/*
 * iLBC, RFC 3951, over WebRTC's fixed-point coder in libtgowt, the one library
 * of Debian that encodes it. Frames of 30 ms in 50 bytes, or of 20 ms in 38 when
 * the parameters say so (RFC 3952 4.2 and 5).
 */
struct mode {
	int16_t ms;
	size_t samples, bytes;
};

/*
 * The coder is C in a library of C++. What it calls when one of its assertions fails would bring
 * all of that in, and stands here instead, by the library's name for it.
 */
_Noreturn void rtc_FatalMessage(const char *file, int line, const char *message);

void rtc_FatalMessage(const char *file, int line, const char *message)
{
	g_error("%s:%d: %s", file, line, message);
}

static const struct mode *mode_of(const struct tl_format *format)
{
	static const struct mode modes[] = { { 30, 240, 50 }, { 20, 160, 38 } };

	return &modes[tl_format_frame_ms(format) == 20];
}

/* tlilbcdec */

typedef struct {
	TlDecoder parent;
	const struct mode *mode;
	IlbcDecoderInstance *state;
} TlIlbcDec;
typedef TlDecoderClass TlIlbcDecClass;

G_DEFINE_TYPE(TlIlbcDec, tl_ilbc_dec, tl_decoder_get_type())

static int decode_ilbc(TlDecoder *decoder, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	TlIlbcDec *self = (TlIlbcDec *)decoder;
	int16_t kind;
	int samples = 0;

	if (bytes % self->mode->bytes ||
	    bytes / self->mode->bytes * self->mode->samples > TL_PCM_SAMPLES)
		return -EBADMSG;
	/* Frame by frame: several at once could be mistaken for those of the other mode. */
	for (size_t at = 0; at < bytes; at += self->mode->bytes) {
		int n = WebRtcIlbcfix_Decode(self->state, payload + at, self->mode->bytes,
					     pcm + samples, &kind);

		if (n <= 0)
			return -EBADMSG;
		samples += n;
	}
	return samples;
}

static int conceal_ilbc(TlDecoder *decoder, const uint8_t *next, size_t bytes, int16_t *pcm,
			size_t samples)
{
	TlIlbcDec *self = (TlIlbcDec *)decoder;

	for (size_t at = 0; at < samples; at += self->mode->samples)
		WebRtcIlbcfix_DecodePlc(self->state, pcm + at, 1);
	return (int)samples;
}

static int configure_dec(TlElement *element, const struct tl_element_cfg *cfg)
{
	TlIlbcDec *self = (TlIlbcDec *)element;

	self->mode = mode_of(cfg->format);
	if (cfg->rate_hz != 8000 || WebRtcIlbcfix_DecoderCreate(&self->state) < 0 ||
	    WebRtcIlbcfix_DecoderInit(self->state, self->mode->ms) < 0)
		return -ENOTSUP;
	return 0;
}

static void finalize_dec(GObject *object)
{
	if (((TlIlbcDec *)object)->state)
		WebRtcIlbcfix_DecoderFree(((TlIlbcDec *)object)->state);
	G_OBJECT_CLASS(tl_ilbc_dec_parent_class)->finalize(object);
}

static void tl_ilbc_dec_init(TlIlbcDec *self)
{
}

static void tl_ilbc_dec_class_init(TlIlbcDecClass *class)
{
	tl_element_describe((GstElementClass *)class, "iLBC decoder", "Codec/Decoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_dec;
	class->parent.configure = configure_dec;
	class->decode = decode_ilbc;
	class->conceal = conceal_ilbc;
}

/* tlilbcenc */

typedef struct {
	TlEncoder parent;
	const struct mode *mode;
	IlbcEncoderInstance *state;
} TlIlbcEnc;
typedef TlEncoderClass TlIlbcEncClass;

G_DEFINE_TYPE(TlIlbcEnc, tl_ilbc_enc, tl_encoder_get_type())

static int encode_ilbc(TlEncoder *encoder, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	TlIlbcEnc *self = (TlIlbcEnc *)encoder;
	int bytes = 0;

	for (size_t at = 0; at < samples; at += self->mode->samples) {
		int n = WebRtcIlbcfix_Encode(self->state, pcm + at, self->mode->samples,
					     payload + bytes);

		if (n <= 0)
			return -EIO;
		bytes += n;
	}
	return bytes;
}

static int configure_enc(TlElement *element, const struct tl_element_cfg *cfg)
{
	TlIlbcEnc *self = (TlIlbcEnc *)element;

	self->mode = mode_of(cfg->format);
	if (cfg->rate_hz != 8000 || cfg->ptime_ms % (unsigned)self->mode->ms ||
	    WebRtcIlbcfix_EncoderCreate(&self->state) < 0 ||
	    WebRtcIlbcfix_EncoderInit(self->state, self->mode->ms) < 0)
		return -ENOTSUP;
	return ((TlElementClass *)tl_ilbc_enc_parent_class)->configure(element, cfg);
}

static void finalize_enc(GObject *object)
{
	if (((TlIlbcEnc *)object)->state)
		WebRtcIlbcfix_EncoderFree(((TlIlbcEnc *)object)->state);
	G_OBJECT_CLASS(tl_ilbc_enc_parent_class)->finalize(object);
}

static void tl_ilbc_enc_init(TlIlbcEnc *self)
{
}

static void tl_ilbc_enc_class_init(TlIlbcEncClass *class)
{
	tl_element_describe((GstElementClass *)class, "iLBC encoder", "Codec/Encoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_enc;
	class->parent.configure = configure_enc;
	class->encode = encode_ilbc;
}
