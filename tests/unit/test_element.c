#include <criterion/criterion.h>

#include <math.h>

#include <gst/gst.h>

#include "media/elements/element.h"
#include "media/plan/codec.h"

enum { RATE_HZ = 16000, PTIME_MS = 20, PACKETS = 50, FRAME = RATE_HZ * PTIME_MS / 1000 };

struct ear {
	size_t n;
	int16_t pcm[PACKETS * FRAME];
};

static TlElement *element_new(const char *name, unsigned ptime_ms)
{
	struct tl_format format = { .codec = tl_codec_by_name("G722") };
	struct tl_element_cfg cfg = { .format = &format, .rate_hz = RATE_HZ, .ptime_ms = ptime_ms };
	TlElement *element = (TlElement *)gst_element_factory_make(name, NULL);

	cr_assert(element);
	gst_object_ref_sink(element);
	cr_assert_eq(tl_element_configure(element, &cfg), 0);
	cr_assert_neq(gst_element_set_state(&element->parent, GST_STATE_PLAYING),
		      GST_STATE_CHANGE_FAILURE);
	return element;
}

static void element_free(TlElement *element)
{
	gst_element_set_state(&element->parent, GST_STATE_NULL);
	gst_object_unref(element);
}

static GstFlowReturn on_heard(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
	struct ear *ear = gst_pad_get_element_private(pad);

	ear->n += gst_buffer_extract(buffer, 0, ear->pcm + ear->n,
				     sizeof ear->pcm - ear->n * sizeof *ear->pcm) /
		  sizeof *ear->pcm;
	gst_buffer_unref(buffer);
	return GST_FLOW_OK;
}

static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	gst_event_unref(event);
	return TRUE;
}

static void open_stream(GstPad *sink)
{
	GstCaps *caps = tl_pcm_caps(RATE_HZ);

	gst_pad_send_event(sink, gst_event_ref(tl_stream_start()));
	gst_pad_send_event(sink, gst_event_new_caps(caps));
	gst_pad_send_event(sink, gst_event_ref(tl_time_segment()));
	gst_caps_unref(caps);
}

/* A tone of 1 kHz; portions that are no packets. */
static void sing(GstPad *sink)
{
	int16_t pcm[FRAME / 2];

	for (size_t i = 0; i < PACKETS * 2; i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(pcm); k++)
			pcm[k] = (int16_t)(8000 *
					   sin(2 * G_PI * 1000 *
					       (double)(i * G_N_ELEMENTS(pcm) + k) / RATE_HZ));
		cr_assert_eq(gst_pad_chain(sink, tl_buffer_copy(pcm, sizeof pcm)), GST_FLOW_OK);
	}
}

Test(element, works_between_the_pads_of_any_pipeline)
{
	static struct ear ear;
	TlElement *encoder, *decoder;
	GstPad *end;
	double loudest = 0;

	cr_assert_eq(tl_codec_init(), 0);
	encoder = element_new("tlg722enc", PTIME_MS);
	decoder = element_new("tlg722dec", 0);
	end = gst_pad_new("end", GST_PAD_SINK);
	gst_object_ref_sink(end);
	gst_pad_set_element_private(end, &ear);
	gst_pad_set_chain_function(end, on_heard);
	gst_pad_set_event_function(end, on_event);
	gst_pad_set_active(end, TRUE);
	cr_assert_eq(gst_pad_link_full(encoder->src, decoder->sink, GST_PAD_LINK_CHECK_NOTHING),
		     GST_PAD_LINK_OK);
	cr_assert_eq(gst_pad_link_full(decoder->src, end, GST_PAD_LINK_CHECK_NOTHING),
		     GST_PAD_LINK_OK);
	open_stream(encoder->sink);

	sing(encoder->sink);

	cr_expect_eq(ear.n, PACKETS * FRAME);
	for (size_t i = ear.n / 2; i < ear.n; i++)
		loudest = MAX(loudest, fabs((double)ear.pcm[i]));
	cr_expect_float_eq(loudest, 8000, 800);
	gst_pad_set_active(end, FALSE);
	gst_object_unref(end);
	element_free(decoder);
	element_free(encoder);
}
