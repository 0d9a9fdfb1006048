#include <errno.h>

#include <speex/speex.h>
#include <speex/speex_callbacks.h>

#include "media/elements/element.h"
#include "media/plan/speex.h"

/* Speex at 8 and 16 kHz over libspeex, payloads of RFC 5574. */
enum { FRAME_MS = 20, COMPLEXITY = 3, QUALITY = 8, FRAME_BYTES_MAX = 200 };

static const SpeexMode *mode_of(unsigned rate_hz)
{
	return speex_lib_get_mode(rate_hz == 16000 ? SPEEX_MODEID_WB : SPEEX_MODEID_NB);
}

/* tlspeexdec */

typedef struct {
	TlDecoder parent;
	void *state;
	SpeexBits bits;
} TlSpeexDec;
typedef TlDecoderClass TlSpeexDecClass;

G_DEFINE_TYPE(TlSpeexDec, tl_speex_dec, tl_decoder_get_type())

/* How many frames there are was counted before, by their modes: libspeex must not be asked for more
 * than the payload holds. Nor does its narrow decoder see the layers of a wide one, of which it
 * stumbles over an empty one and says so on standard error. */
static int decode_speex(TlDecoder *decoder, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	TlSpeexDec *self = (TlSpeexDec *)decoder;
	size_t ends[TL_SPEEX_FRAMES], n = tl_speex_frames(payload, bytes, ends);
	size_t samples = self->parent.parent.rate_hz / 1000 * FRAME_MS;

	speex_bits_read_from(&self->bits, (const char *)payload, (int)bytes);
	for (size_t i = 0; i < n; i++) {
		speex_bits_rewind(&self->bits);
		speex_bits_advance(&self->bits, i ? (int)ends[i - 1] : 0);
		if (speex_decode_int(self->state, &self->bits, pcm + i * samples) != 0)
			return -EBADMSG;
	}
	return n ? (int)(n * samples) : -EBADMSG;
}

static int conceal_speex(TlDecoder *decoder, const uint8_t *next, size_t bytes, int16_t *pcm,
			 size_t samples)
{
	TlSpeexDec *self = (TlSpeexDec *)decoder;
	size_t step = self->parent.parent.rate_hz / 1000 * FRAME_MS;

	for (size_t at = 0; at < samples; at += step)
		speex_decode_int(self->state, NULL, pcm + at);
	return (int)samples;
}

/* A message of an application's: its length in bytes first. libspeex's own handler skips five bits
 * more than that, takes what follows for something else and says so on standard error. */
static int skip_message(SpeexBits *bits, void *state, void *data)
{
	speex_bits_advance(bits, 8 * (int)speex_bits_unpack_unsigned(bits, 4));
	return 0;
}

static int configure_dec(TlElement *element, const struct tl_element_cfg *cfg)
{
	TlSpeexDec *self = (TlSpeexDec *)element;
	SpeexCallback skip = { .func = skip_message };

	if (cfg->rate_hz != cfg->format->codec->rate_hz)
		return -ENOTSUP;
	self->state = speex_decoder_init(mode_of(cfg->rate_hz));
	if (!self->state)
		return -ENOTSUP;
	speex_decoder_ctl(self->state, SPEEX_SET_USER_HANDLER, &skip);
	return 0;
}

static void finalize_dec(GObject *object)
{
	TlSpeexDec *self = (TlSpeexDec *)object;

	if (self->state)
		speex_decoder_destroy(self->state);
	speex_bits_destroy(&self->bits);
	G_OBJECT_CLASS(tl_speex_dec_parent_class)->finalize(object);
}

static void tl_speex_dec_init(TlSpeexDec *self)
{
	speex_bits_init(&self->bits);
}

static void tl_speex_dec_class_init(TlSpeexDecClass *class)
{
	tl_element_describe((GstElementClass *)class, "Speex decoder", "Codec/Decoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_dec;
	class->parent.configure = configure_dec;
	class->decode = decode_speex;
	class->conceal = conceal_speex;
	class->remembers = true;
}

/* tlspeexenc */

typedef struct {
	TlEncoder parent;
	void *state;
	SpeexBits bits;
} TlSpeexEnc;
typedef TlEncoderClass TlSpeexEncClass;

G_DEFINE_TYPE(TlSpeexEnc, tl_speex_enc, tl_encoder_get_type())

/* libspeex takes samples that it may change. */
static int encode_speex(TlEncoder *encoder, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	TlSpeexEnc *self = (TlSpeexEnc *)encoder;
	size_t step = self->parent.parent.rate_hz / 1000 * FRAME_MS;
	int16_t frame[16000 / 1000 * FRAME_MS];

	speex_bits_reset(&self->bits);
	for (size_t at = 0; at < samples; at += step) {
		memcpy(frame, pcm + at, step * sizeof *frame);
		speex_encode_int(self->state, frame, &self->bits);
	}
	speex_bits_insert_terminator(&self->bits);
	return speex_bits_write(&self->bits, (char *)payload, TL_BUFFER_BYTES);
}

static int configure_enc(TlElement *element, const struct tl_element_cfg *cfg)
{
	TlSpeexEnc *self = (TlSpeexEnc *)element;
	int complexity = COMPLEXITY, quality = QUALITY;

	if (cfg->rate_hz != cfg->format->codec->rate_hz || cfg->ptime_ms % FRAME_MS)
		return -ENOTSUP;
	self->state = speex_encoder_init(mode_of(cfg->rate_hz));
	if (!self->state)
		return -ENOTSUP;
	speex_encoder_ctl(self->state, SPEEX_SET_COMPLEXITY, &complexity);
	speex_encoder_ctl(self->state, SPEEX_SET_QUALITY, &quality);
	return ((TlElementClass *)tl_speex_enc_parent_class)->configure(element, cfg);
}

static void finalize_enc(GObject *object)
{
	TlSpeexEnc *self = (TlSpeexEnc *)object;

	if (self->state)
		speex_encoder_destroy(self->state);
	speex_bits_destroy(&self->bits);
	G_OBJECT_CLASS(tl_speex_enc_parent_class)->finalize(object);
}

static void tl_speex_enc_init(TlSpeexEnc *self)
{
	speex_bits_init(&self->bits);
}

static void tl_speex_enc_class_init(TlSpeexEncClass *class)
{
	tl_element_describe((GstElementClass *)class, "Speex encoder", "Codec/Encoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_enc;
	class->parent.configure = configure_enc;
	class->encode = encode_speex;
}
