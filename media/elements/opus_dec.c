#include <errno.h>

#include "media/elements/element.h"
#include "media/elements/opus_states.h"

/* tlopusdec: libopus decodes at the rate asked for and to mono, whatever was coded (RFC 6716
 * 4.3: a narrower rate costs less). The plain decoder, not the multistream one, which asks for the
 * CPU's abilities in every call. */

typedef struct {
	TlDecoder parent;
	OpusDecoder *state;
} TlOpusDec;
typedef TlDecoderClass TlOpusDecClass;

G_DEFINE_TYPE(TlOpusDec, tl_opus_dec, tl_decoder_get_type())

static int decode_opus(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	int samples = opus_decode(((TlOpusDec *)self)->state, payload, (opus_int32)bytes, pcm,
				  TL_PCM_SAMPLES, 0);

	return samples > 0 ? samples : -EBADMSG;
}

/* libopus makes up whole units of 2.5 ms; what is asked beyond them is left out. From the packet
 * after the hole it takes the copy of the lost frame, if there is one, else it makes one up. */
static int conceal_opus(TlDecoder *self, const uint8_t *next, size_t bytes, int16_t *pcm,
			size_t samples)
{
	size_t unit = self->parent.rate_hz / 400;
	int made;

	samples = MAX(samples - samples % unit, unit);
	made = opus_decode(((TlOpusDec *)self)->state, bytes ? next : NULL, (opus_int32)bytes, pcm,
			   (int)samples, bytes > 0);
	return made > 0 ? made : -EIO;
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	((TlOpusDec *)self)->state = tl_opus_decoder_copy(cfg->rate_hz);
	return ((TlOpusDec *)self)->state ? 0 : -ENOTSUP;
}

static void finalize_dec(GObject *object)
{
	g_free(((TlOpusDec *)object)->state);
	G_OBJECT_CLASS(tl_opus_dec_parent_class)->finalize(object);
}

static void tl_opus_dec_init(TlOpusDec *self)
{
}

static void tl_opus_dec_class_init(TlOpusDecClass *class)
{
	tl_element_describe((GstElementClass *)class, "Opus decoder", "Codec/Decoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_dec;
	class->parent.configure = configure_dec;
	class->decode = decode_opus;
	class->conceal = conceal_opus;
}
