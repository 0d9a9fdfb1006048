/*
 * ITU-T G.729 Annex A with Annex B, over libbcg729, as the elements tlg729dec
 * and tlg729enc. The library is under the GPL, so this is a GStreamer plugin of
 * its own, loaded at run time where it is installed; what it shares with the
 * other elements it finds in the program that loads it.
 *
 *   payload (RFC 3551 4.5.6)   | frame 10 bytes | frame | ... | silence 2 bytes, or none |
 */
#include <errno.h>
#include <string.h>

#include <bcg729/decoder.h>
#include <bcg729/encoder.h>

#include "media/elements/element.h"

enum { FRAME_SAMPLES = 80, FRAME_BYTES = 10, SILENCE_BYTES = 2 };

/* tlg729dec */

typedef struct {
	TlDecoder parent;
	bcg729DecoderChannelContextStruct *state;
} TlG729Dec;
typedef TlDecoderClass TlG729DecClass;

static GType tl_g729_dec_get_type(void);
G_DEFINE_TYPE(TlG729Dec, tl_g729_dec, tl_decoder_get_type())

static int decode_g729(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	bcg729DecoderChannelContextStruct *state = ((TlG729Dec *)self)->state;
	size_t frames = bytes / FRAME_BYTES, rest = bytes % FRAME_BYTES;

	if ((rest && rest != SILENCE_BYTES) || (frames + 1) * FRAME_SAMPLES > TL_PCM_SAMPLES)
		return -EBADMSG;
	for (size_t i = 0; i < frames; i++)
		bcg729Decoder(state, payload + i * FRAME_BYTES, FRAME_BYTES, 0, 0, 0,
			      pcm + i * FRAME_SAMPLES);
	if (rest)
		bcg729Decoder(state, payload + frames * FRAME_BYTES, SILENCE_BYTES, 0, 1, 0,
			      pcm + frames * FRAME_SAMPLES);
	return (int)((frames + (rest != 0)) * FRAME_SAMPLES);
}

/* An erased frame; after a description of silence the decoder makes more of that silence. */
static int conceal_g729(TlDecoder *self, const uint8_t *next, size_t bytes, int16_t *pcm,
			size_t samples)
{
	for (size_t at = 0; at < samples; at += FRAME_SAMPLES)
		bcg729Decoder(((TlG729Dec *)self)->state, NULL, 0, 1, 0, 0, pcm + at);
	return (int)samples;
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	if (cfg->rate_hz != 8000)
		return -ENOTSUP;
	((TlG729Dec *)self)->state = initBcg729DecoderChannel();
	return ((TlG729Dec *)self)->state ? 0 : -ENOTSUP;
}

static void finalize_dec(GObject *object)
{
	if (((TlG729Dec *)object)->state)
		closeBcg729DecoderChannel(((TlG729Dec *)object)->state);
	G_OBJECT_CLASS(tl_g729_dec_parent_class)->finalize(object);
}

static void tl_g729_dec_init(TlG729Dec *self)
{
}

static void tl_g729_dec_class_init(TlG729DecClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.729 decoder", "Codec/Decoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_dec;
	class->parent.configure = configure_dec;
	class->decode = decode_g729;
	class->conceal = conceal_g729;
	class->remembers = true;
}

/* tlg729enc */

typedef struct {
	TlEncoder parent;
	bcg729EncoderChannelContextStruct *state;
} TlG729Enc;
typedef TlEncoderClass TlG729EncClass;

static GType tl_g729_enc_get_type(void);
G_DEFINE_TYPE(TlG729Enc, tl_g729_enc, tl_encoder_get_type())

/* A description of silence is the last of its packet, and what is not transmitted is part of none:
 * both send what stands before them. */
static int encode_g729(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	size_t bytes = 0, gathered = 0;

	for (size_t at = 0; at < samples; at += FRAME_SAMPLES) {
		uint8_t frame[FRAME_BYTES], n = 0;

		bcg729Encoder(((TlG729Enc *)self)->state, pcm + at, frame, &n);
		memcpy(payload + bytes, frame, MIN(n, (uint8_t)FRAME_BYTES));
		if (n == 0 && bytes) {
			tl_encoder_push(self, payload, bytes, gathered);
			bytes = gathered = 0;
		}
		bytes += n;
		gathered += FRAME_SAMPLES;
		if (n != FRAME_BYTES) {
			tl_encoder_push(self, payload, bytes, gathered);
			bytes = gathered = 0;
		}
	}
	return (int)bytes;
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	char annexb[8] = "yes"; /* when it is not said, RFC 4856 2.1.9 */

	if (cfg->rate_hz != 8000 || cfg->ptime_ms * 8 % FRAME_SAMPLES)
		return -ENOTSUP;
	tl_fmtp_get(cfg->format->fmtp, "annexb", annexb, sizeof annexb);
	((TlG729Enc *)self)->state =
		initBcg729EncoderChannel(cfg->silence && g_ascii_strcasecmp(annexb, "no") != 0);
	if (!((TlG729Enc *)self)->state)
		return -ENOTSUP;
	return ((TlElementClass *)tl_g729_enc_parent_class)->configure(self, cfg);
}

static void finalize_enc(GObject *object)
{
	if (((TlG729Enc *)object)->state)
		closeBcg729EncoderChannel(((TlG729Enc *)object)->state);
	G_OBJECT_CLASS(tl_g729_enc_parent_class)->finalize(object);
}

static void tl_g729_enc_init(TlG729Enc *self)
{
}

static void tl_g729_enc_class_init(TlG729EncClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.729 encoder", "Codec/Encoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_enc;
	class->parent.configure = configure_enc;
	class->encode = encode_g729;
}

static gboolean start(GstPlugin *plugin)
{
	return gst_element_register(plugin, "tlg729dec", GST_RANK_NONE, tl_g729_dec_get_type()) &&
	       gst_element_register(plugin, "tlg729enc", GST_RANK_NONE, tl_g729_enc_get_type());
}

#define PACKAGE "twinleg"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, twinleg_bcg729, "G.729 over libbcg729",
		  start, TL_VERSION, "GPL", "twinleg",
		  "https://www.linphone.org/technical-corner/bcg729")
