#include "media/elements/element.h"

#include "media/fetch.h"

G_DEFINE_ABSTRACT_TYPE(TlDecoder, tl_decoder, tl_element_get_type())

static TlDecoderClass *class_of(const void *self)
{
	return G_TYPE_INSTANCE_GET_CLASS(self, tl_decoder_get_type(), TlDecoderClass);
}

gboolean tl_decoder_conceals(const TlElement *self)
{
	return G_TYPE_CHECK_INSTANCE_TYPE(self, tl_decoder_get_type()) &&
	       class_of(self)->conceal != NULL;
}

gboolean tl_decoder_may_yield(const TlElement *self)
{
	return G_TYPE_CHECK_INSTANCE_TYPE(self, tl_decoder_get_type()) &&
	       class_of(self)->yields != NULL;
}

gboolean tl_decoder_yields(const TlElement *self)
{
	return tl_decoder_may_yield(self) && class_of(self)->yields((const TlDecoder *)self);
}

gboolean tl_decoder_remembers(const TlElement *self)
{
	return G_TYPE_CHECK_INSTANCE_TYPE(self, tl_decoder_get_type()) && class_of(self)->remembers;
}

TL_HOT(chain)
int tl_decoder_run(TlElement *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	return class_of(self)->decode((TlDecoder *)self, payload, bytes, pcm);
}

int tl_decoder_conceal(TlElement *self, const uint8_t *next, size_t bytes, int16_t *pcm,
		       size_t samples)
{
	return class_of(self)->conceal((TlDecoder *)self, next, bytes, pcm,
				       MIN(samples, (size_t)TL_PCM_SAMPLES / 2));
}

void tl_decoder_follow(TlElement *self, const int16_t *pcm, size_t samples)
{
	if (class_of(self)->follow)
		class_of(self)->follow((TlDecoder *)self, pcm, samples);
}

/* A hole of the buffer's duration; what the buffer holds is the payload after it. */
static int fill_hole(TlDecoder *self, GstBuffer *hole, int16_t *pcm)
{
	size_t samples = gst_util_uint64_scale_int_round(GST_BUFFER_DURATION(hole),
							 (int)self->parent.rate_hz, GST_SECOND);
	struct tl_bytes next;
	int made;

	if (!tl_buffer_open(hole, &next, GST_MAP_READ))
		return -1;
	made = tl_decoder_conceal(&self->parent, next.v, next.n, pcm, samples);
	tl_buffer_close(hole, &next);
	return made;
}

static int decode_payload(TlDecoder *self, GstBuffer *payload, int16_t *pcm)
{
	struct tl_bytes bytes;
	int samples = -1;

	if (!tl_buffer_open(payload, &bytes, GST_MAP_READ))
		return -1;
	if (bytes.n)
		samples = tl_decoder_run(&self->parent, bytes.v, bytes.n, pcm);
	tl_buffer_close(payload, &bytes);
	return samples;
}

static GstFlowReturn on_payload(GstPad *pad, GstObject *parent, GstBuffer *in)
{
	TlDecoder *self = (TlDecoder *)parent;
	gboolean hole = GST_BUFFER_FLAG_IS_SET(in, GST_BUFFER_FLAG_GAP);
	void *pcm;
	GstBuffer *out = tl_buffer_take(&pcm);
	int samples;

	samples = hole ? fill_hole(self, in, pcm) : decode_payload(self, in, pcm);
	gst_buffer_unref(in);
	if (samples <= 0) {
		gst_buffer_unref(out);
		return TL_FLOW_BAD_PAYLOAD;
	}
	tl_buffer_trim(out, (size_t)samples * sizeof(int16_t));
	if (hole)
		GST_BUFFER_FLAG_SET(out, GST_BUFFER_FLAG_GAP);
	return gst_pad_push(self->parent.src, out);
}

static void tl_decoder_init(TlDecoder *self)
{
	gst_pad_set_chain_function(self->parent.sink, on_payload);
}

static void tl_decoder_class_init(TlDecoderClass *class)
{
}
