#include "media/elements/half.h"

#include <errno.h>

#include "media/elements/stock.h"

static gboolean ignore_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	gst_event_unref(event);
	return TRUE;
}

static GstPad *open_drain(GstPadChainFunction on_out, void *user)
{
	GstPad *pad = gst_pad_new(NULL, GST_PAD_SINK);

	gst_object_ref_sink(pad);
	gst_pad_set_element_private(pad, user);
	gst_pad_set_chain_function(pad, on_out);
	gst_pad_set_event_function(pad, ignore_event);
	gst_pad_set_active(pad, TRUE);
	return pad;
}

static void close_pad(GstPad *pad)
{
	if (!pad)
		return;
	gst_pad_set_active(pad, FALSE);
	gst_object_unref(pad);
}

void tl_half_close(struct tl_half *half)
{
	if (tl_half_is_stock(half))
		tl_stock_stop(half->element);
	g_clear_pointer(&half->sink, gst_object_unref);
	/* The element's end holds its pads; letting go of the last reference unlinks them. */
	g_clear_pointer(&half->element, gst_object_unref);
	half->own = NULL;
	g_clear_pointer(&half->drain, close_pad);
}

/* Takes caps. */
static void open_stream(GstPad *sink, GstCaps *caps)
{
	gst_pad_send_event(sink, gst_event_ref(tl_stream_start()));
	gst_pad_send_event(sink, gst_event_new_caps(caps));
	gst_pad_send_event(sink, gst_event_ref(tl_time_segment()));
	gst_caps_unref(caps);
}

static int link_half(struct tl_half *half)
{
	GstPad *src = gst_element_get_static_pad(half->element, "src");
	GstPadLinkReturn link;

	half->sink = gst_element_get_static_pad(half->element, "sink");
	/* We know what fits: asking the element for its caps would cost more than the link. */
	link = gst_pad_link_full(src, half->drain, GST_PAD_LINK_CHECK_NOTHING);
	gst_object_unref(src);
	return GST_PAD_LINK_FAILED(link) ? -ENOTSUP : 0;
}

static int open_stock(struct tl_half *half, const struct tl_element_cfg *cfg,
		      GstPadChainFunction on_out, void *user)
{
	int r;

	half->drain = open_drain(on_out, user);
	r = link_half(half);
	if (r >= 0)
		r = tl_stock_configure(half->element, cfg);
	if (r < 0)
		return r;
	open_stream(half->sink, cfg->ptime_ms ? tl_pcm_caps(cfg->rate_hz)
					      : tl_stock_payload_caps(cfg->format->codec));
	return 0;
}

int tl_half_open(struct tl_half *half, const char *element, const struct tl_element_cfg *cfg,
		 GstPadChainFunction on_out, void *user)
{
	half->element = element ? gst_element_factory_make(element, NULL) : NULL;
	if (!half->element)
		return -ENOTSUP;
	gst_object_ref_sink(half->element);
	if (!G_TYPE_CHECK_INSTANCE_TYPE(half->element, tl_element_get_type()))
		return open_stock(half, cfg, on_out, user);
	half->own = (TlElement *)half->element;
	return tl_element_configure(half->own, cfg);
}
