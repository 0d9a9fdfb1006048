#include <errno.h>
#include <string.h>

#include "media/elements/element.h"
#include "media/fetch.h"

G_DEFINE_ABSTRACT_TYPE(TlEncoder, tl_encoder, tl_element_get_type())

size_t tl_encoder_pending(const TlElement *self)
{
	return ((const TlEncoder *)self)->filled;
}

static TlEncoderClass *class_of(const void *self)
{
	return G_TYPE_INSTANCE_GET_CLASS(self, tl_encoder_get_type(), TlEncoderClass);
}

void tl_encoder_set_loss(TlElement *self, unsigned percent)
{
	if (class_of(self)->set_loss)
		class_of(self)->set_loss((TlEncoder *)self, percent);
}

void tl_encoder_set_request(TlElement *self, unsigned mode)
{
	if (class_of(self)->set_request)
		class_of(self)->set_request((TlEncoder *)self, mode);
}

TL_HOT(chain)
GstFlowReturn tl_encoder_push(TlEncoder *self, const uint8_t *payload, size_t bytes, size_t samples)
{
	GstBuffer *out;

	self->pushed += samples;
	if (self->on_packet) {
		self->on_packet(payload, bytes, samples, self->user);
		return GST_FLOW_OK;
	}
	out = tl_buffer_copy(payload, bytes);
	GST_BUFFER_OFFSET(out) = samples;
	return gst_pad_push(self->parent.src, out);
}

TL_HOT(chain) static GstFlowReturn push_packet(TlEncoder *self, const int16_t *pcm)
{
	uint8_t payload[TL_BUFFER_BYTES];
	int bytes;

	self->pushed = 0;
	bytes = class_of(self)->encode(self, pcm, self->packet_samples, payload);
	if (bytes < 0)
		return GST_FLOW_ERROR;
	if (self->pushed >= self->packet_samples)
		return GST_FLOW_OK;
	return tl_encoder_push(self, payload, (size_t)bytes, self->packet_samples - self->pushed);
}

/* Audio may come in any portion; it leaves in whole packets. A portion that is a packet, the usual
 * case, is encoded where it stands. */
TL_HOT(chain)
static GstFlowReturn encode_samples(TlEncoder *self, const int16_t *pcm, size_t samples)
{
	GstFlowReturn flow = GST_FLOW_OK;

	while (samples && flow == GST_FLOW_OK) {
		size_t n = MIN(samples, self->packet_samples - self->filled);

		if (n == self->packet_samples) {
			flow = push_packet(self, pcm);
		} else {
			memcpy(self->pcm + self->filled, pcm, n * sizeof *pcm);
			self->filled += n;
		}
		if (self->filled == self->packet_samples) {
			self->filled = 0;
			flow = push_packet(self, self->pcm);
		}
		pcm += n;
		samples -= n;
	}
	return flow;
}

void tl_encoder_set_output(TlElement *element, tl_encoder_out_fn *on_packet, void *user)
{
	TlEncoder *self = (TlEncoder *)element;

	self->on_packet = on_packet;
	self->user = user;
}

TL_HOT(chain) int tl_encoder_run(TlElement *self, const int16_t *pcm, size_t samples)
{
	return encode_samples((TlEncoder *)self, pcm, samples) == GST_FLOW_OK ? 0 : -EPIPE;
}

static GstFlowReturn on_pcm(GstPad *pad, GstObject *parent, GstBuffer *in)
{
	GstFlowReturn flow = GST_FLOW_ERROR;
	struct tl_bytes pcm;

	if (tl_buffer_open(in, &pcm, GST_MAP_READ)) {
		flow = encode_samples((TlEncoder *)parent, (const int16_t *)(const void *)pcm.v,
				      pcm.n / sizeof(int16_t));
		tl_buffer_close(in, &pcm);
	}
	gst_buffer_unref(in);
	return flow;
}

static int configure_encoder(TlElement *element, const struct tl_element_cfg *cfg)
{
	TlEncoder *self = (TlEncoder *)element;

	self->packet_samples = (size_t)cfg->rate_hz * cfg->ptime_ms / 1000;
	if (!self->packet_samples || self->packet_samples > TL_PCM_SAMPLES)
		return -ENOTSUP;
	self->pcm = g_new(int16_t, self->packet_samples);
	return 0;
}

static void tl_encoder_init(TlEncoder *self)
{
	gst_pad_set_chain_function(self->parent.sink, on_pcm);
}

static void tl_encoder_finalize(GObject *object)
{
	g_free(((TlEncoder *)object)->pcm);
	G_OBJECT_CLASS(tl_encoder_parent_class)->finalize(object);
}

static void tl_encoder_class_init(TlEncoderClass *class)
{
	class->parent.configure = configure_encoder;
	G_OBJECT_CLASS(class)->finalize = tl_encoder_finalize;
}
