#include <errno.h>
#include <string.h>

#include "media/elements/amr.h"
#include "media/plan/amr.h"

/* tlamrnbdec, tlamrwbdec: payloads of RFC 4867, any number of frames of any mode. */

typedef struct {
	TlDecoder parent;
	struct tl_amr amr;
	const struct tl_amr_library *library;
	void *state;
	bool quiet; /* silence was described, and no voice came since */
} TlAmrDec;
typedef TlDecoderClass TlAmrDecClass;

static GType tl_amr_dec_get_type(void);
G_DEFINE_ABSTRACT_TYPE(TlAmrDec, tl_amr_dec, tl_decoder_get_type())

static const uint8_t nothing[TL_AMR_FRAME_BYTES] = { TL_AMR_NO_DATA_HEADER };

static int decode_amr(TlDecoder *decoder, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	TlAmrDec *self = (TlAmrDec *)decoder;
	struct tl_amr_frame frames[TL_AMR_FRAMES];
	uint8_t frame[TL_AMR_FRAME_BYTES];
	unsigned request;
	size_t n = tl_amr_frames(&self->amr, payload, bytes, frames, &request);
	unsigned silence = self->amr.wide ? 9 : 8;

	if (n == 0)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		bool usable = frames[i].good && frames[i].type <= silence;

		memset(frame, 0, sizeof frame);
		if (usable || frames[i].type != TL_AMR_NO_DATA)
			self->quiet = usable && frames[i].type == silence;
		if (usable)
			tl_amr_cut(&self->amr, payload, &frames[i], frame);
		self->library->decode(self->state, usable ? frame : nothing,
				      pcm + i * self->library->samples);
	}
	return (int)(n * self->library->samples);
}

static int conceal_amr(TlDecoder *decoder, const uint8_t *next, size_t bytes, int16_t *pcm,
		       size_t samples)
{
	TlAmrDec *self = (TlAmrDec *)decoder;

	for (size_t at = 0; at < samples; at += self->library->samples)
		self->library->decode(self->state, nothing, pcm + at);
	return (int)samples;
}

static int configure(TlElement *element, const struct tl_element_cfg *cfg,
		     const struct tl_amr_library *library)
{
	TlAmrDec *self = (TlAmrDec *)element;

	if (cfg->rate_hz != cfg->format->codec->rate_hz || !tl_amr_read(cfg->format, &self->amr))
		return -ENOTSUP;
	self->library = library;
	self->state = library->open_decoder();
	return self->state ? 0 : -ENOTSUP;
}

static void finalize(GObject *object)
{
	TlAmrDec *self = (TlAmrDec *)object;

	if (self->state)
		self->library->close_decoder(self->state);
	G_OBJECT_CLASS(tl_amr_dec_parent_class)->finalize(object);
}

static void tl_amr_dec_init(TlAmrDec *self)
{
}

static void tl_amr_dec_class_init(TlAmrDecClass *class)
{
	G_OBJECT_CLASS(class)->finalize = finalize;
	class->decode = decode_amr;
	class->conceal = conceal_amr;
}

/* tlamrnbdec */

typedef TlAmrDec TlAmrNbDec;
typedef TlAmrDecClass TlAmrNbDecClass;

G_DEFINE_TYPE(TlAmrNbDec, tl_amr_nb_dec, tl_amr_dec_get_type())

static int configure_narrow(TlElement *self, const struct tl_element_cfg *cfg)
{
	return configure(self, cfg, &tl_amr_narrow);
}

static void tl_amr_nb_dec_init(TlAmrNbDec *self)
{
}

static void tl_amr_nb_dec_class_init(TlAmrNbDecClass *class)
{
	tl_element_describe((GstElementClass *)class, "AMR decoder", "Codec/Decoder/Audio");
	class->parent.configure = configure_narrow;
	class->remembers = true;
}

/* tlamrwbdec. What opencore-amrwb makes up for a voice is hardly to be heard, and what it decodes
 * after that is too low for long; so it is not told of the hole. */

typedef TlAmrDec TlAmrWbDec;
typedef TlAmrDecClass TlAmrWbDecClass;

G_DEFINE_TYPE(TlAmrWbDec, tl_amr_wb_dec, tl_amr_dec_get_type())

static int configure_wide(TlElement *self, const struct tl_element_cfg *cfg)
{
	return configure(self, cfg, &tl_amr_wide);
}

static bool wide_yields(const TlDecoder *self)
{
	return !((const TlAmrDec *)self)->quiet;
}

static void tl_amr_wb_dec_init(TlAmrWbDec *self)
{
}

static void tl_amr_wb_dec_class_init(TlAmrWbDecClass *class)
{
	tl_element_describe((GstElementClass *)class, "AMR-WB decoder", "Codec/Decoder/Audio");
	class->parent.configure = configure_wide;
	class->yields = wide_yields;
}
