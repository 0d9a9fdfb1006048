#include "media/elements/half.h"

#include <errno.h>

#include "media/elements/stock.h"

static gboolean ignore_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	gst_event_unref(event);
	return TRUE;
}

static GstPad *open_pad(GstPadDirection direction, void *user)
{
	GstPad *pad = gst_pad_new(NULL, direction);

	gst_object_ref_sink(pad);
	gst_pad_set_element_private(pad, user);
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
	if (half->element && half->stock)
		tl_stock_stop(half->element);
	/* The element's end holds its pads; letting go of the last reference unlinks them. */
	g_clear_pointer(&half->element, gst_object_unref);
	g_clear_pointer(&half->feed, close_pad);
	g_clear_pointer(&half->drain, close_pad);
}

/* Takes caps. */
static void open_stream(GstPad *feed, GstCaps *caps)
{
	gst_pad_push_event(feed, gst_event_ref(tl_stream_start()));
	gst_pad_push_event(feed, gst_event_new_caps(caps));
	gst_pad_push_event(feed, gst_event_ref(tl_time_segment()));
	gst_caps_unref(caps);
}

static int link_half(struct tl_half *half)
{
	GstPad *sink = gst_element_get_static_pad(half->element, "sink");
	GstPad *src = gst_element_get_static_pad(half->element, "src");
	int r = 0;

	/* We know what fits: asking the elements for their caps would cost more than the link. */
	if (GST_PAD_LINK_FAILED(gst_pad_link_full(half->feed, sink, GST_PAD_LINK_CHECK_NOTHING)) ||
	    GST_PAD_LINK_FAILED(gst_pad_link_full(src, half->drain, GST_PAD_LINK_CHECK_NOTHING)))
		r = -ENOTSUP;
	gst_object_unref(sink);
	gst_object_unref(src);
	return r;
}

static int set_up(struct tl_half *half, const struct tl_element_cfg *cfg)
{
	int r = link_half(half);

	if (r < 0)
		return r;
	return half->stock ? tl_stock_configure(half->element, cfg)
			   : tl_element_configure((TlElement *)half->element, cfg);
}

int tl_half_open(struct tl_half *half, const char *element, const struct tl_element_cfg *cfg,
		 GstPadChainFunction on_out, void *user)
{
	int r;

	half->element = element ? gst_element_factory_make(element, NULL) : NULL;
	if (!half->element)
		return -ENOTSUP;
	gst_object_ref_sink(half->element);
	half->stock = !G_TYPE_CHECK_INSTANCE_TYPE(half->element, tl_element_get_type());
	half->feed = open_pad(GST_PAD_SRC, user);
	half->drain = open_pad(GST_PAD_SINK, user);
	gst_pad_set_chain_function(half->drain, on_out);
	gst_pad_set_event_function(half->drain, ignore_event);
	r = set_up(half, cfg);
	if (r < 0)
		return r;
	open_stream(half->feed, cfg->ptime_ms ? tl_pcm_caps(cfg->rate_hz)
					      : tl_stock_payload_caps(cfg->format->codec));
	return 0;
}
