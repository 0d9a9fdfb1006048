#include <errno.h>

#include "media/elements/amr.h"
#include "media/plan/amr.h"

/* tlamrnbenc, tlamrwbenc: modes as the remote's set, and its requests on the way, allow. */

typedef struct {
	TlEncoder parent;
	struct tl_amr amr;
	const struct tl_amr_library *library;
	void *state;
	unsigned request; /* of the remote */
	int mode;         /* of the last frame, -1: none yet */
	unsigned frame;   /* counts them */
} TlAmrEnc;
typedef TlEncoderClass TlAmrEncClass;

static GType tl_amr_enc_get_type(void);
G_DEFINE_ABSTRACT_TYPE(TlAmrEnc, tl_amr_enc, tl_encoder_get_type())

/* A packet in which nothing is said is not sent. */
static int encode_amr(TlEncoder *encoder, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	TlAmrEnc *self = (TlAmrEnc *)encoder;
	uint8_t frames[TL_AMR_FRAMES][TL_AMR_FRAME_BYTES];
	size_t n = samples / self->library->samples;
	bool anything = false;

	for (size_t i = 0; i < n; i++) {
		unsigned mode = tl_amr_mode(&self->amr, self->request, self->mode, self->frame++);

		self->mode = (int)mode;
		if (self->library->encode(self->state, mode, pcm + i * self->library->samples,
					  frames[i]) <= 0)
			return -EIO;
		anything = anything || (frames[i][0] >> 3 & 15) != TL_AMR_NO_DATA;
	}
	return anything ? (int)tl_amr_pack(&self->amr, TL_AMR_NO_REQUEST, frames, n, payload) : 0;
}

static void set_request_amr(TlEncoder *encoder, unsigned mode)
{
	((TlAmrEnc *)encoder)->request = mode;
}

static int configure(TlElement *element, const struct tl_element_cfg *cfg,
		     const struct tl_amr_library *library, TlElementClass *parent)
{
	TlAmrEnc *self = (TlAmrEnc *)element;
	size_t samples = (size_t)cfg->rate_hz * cfg->ptime_ms / 1000;

	if (cfg->rate_hz != cfg->format->codec->rate_hz || samples % library->samples ||
	    samples / library->samples > TL_AMR_FRAMES || !tl_amr_read(cfg->format, &self->amr))
		return -ENOTSUP;
	self->library = library;
	self->request = TL_AMR_NO_REQUEST;
	self->mode = -1;
	self->state = library->open_encoder(cfg->silence);
	return self->state ? parent->configure(element, cfg) : -ENOTSUP;
}

static void finalize(GObject *object)
{
	TlAmrEnc *self = (TlAmrEnc *)object;

	if (self->state)
		self->library->close_encoder(self->state);
	G_OBJECT_CLASS(tl_amr_enc_parent_class)->finalize(object);
}

static void tl_amr_enc_init(TlAmrEnc *self)
{
}

static void tl_amr_enc_class_init(TlAmrEncClass *class)
{
	G_OBJECT_CLASS(class)->finalize = finalize;
	class->encode = encode_amr;
	class->set_request = set_request_amr;
}

/* tlamrnbenc */

typedef TlAmrEnc TlAmrNbEnc;
typedef TlAmrEncClass TlAmrNbEncClass;

G_DEFINE_TYPE(TlAmrNbEnc, tl_amr_nb_enc, tl_amr_enc_get_type())

static int configure_narrow(TlElement *self, const struct tl_element_cfg *cfg)
{
	return configure(self, cfg, &tl_amr_narrow, (TlElementClass *)tl_amr_enc_parent_class);
}

static void tl_amr_nb_enc_init(TlAmrNbEnc *self)
{
}

static void tl_amr_nb_enc_class_init(TlAmrNbEncClass *class)
{
	tl_element_describe((GstElementClass *)class, "AMR encoder", "Codec/Encoder/Audio");
	class->parent.configure = configure_narrow;
}

/* tlamrwbenc */

typedef TlAmrEnc TlAmrWbEnc;
typedef TlAmrEncClass TlAmrWbEncClass;

G_DEFINE_TYPE(TlAmrWbEnc, tl_amr_wb_enc, tl_amr_enc_get_type())

static int configure_wide(TlElement *self, const struct tl_element_cfg *cfg)
{
	return configure(self, cfg, &tl_amr_wide, (TlElementClass *)tl_amr_enc_parent_class);
}

static void tl_amr_wb_enc_init(TlAmrWbEnc *self)
{
}

static void tl_amr_wb_enc_class_init(TlAmrWbEncClass *class)
{
	tl_element_describe((GstElementClass *)class, "AMR-WB encoder", "Codec/Encoder/Audio");
	class->parent.configure = configure_wide;
}
