#pragma once
/*
 * One half of a chain: an element and what drives it. Ours are run by hand
 * (element.h). A stock element stands before a pad of ours: what is chained into
 * its sink has come out at drain when gst_pad_chain() returns, on the same
 * thread. A source pad of ours before the sink would only pass on what we can
 * say ourselves.
 *
 *   sink [element] src --> drain
 *
 * One thread at a time. Private to media/.
 */
#include "media/elements/element.h"

struct tl_half {
	GstElement *element;  /* NULL: this half is absent */
	TlElement *own;       /* the same, when it is ours; NULL: it is GStreamer's */
	GstPad *sink, *drain; /* NULL unless stock */
};

/* An encoder when cfg has a packet time, else a decoder. on_out gets what comes out of a stock
 * element, with user as the pad's private pointer. -ENOTSUP: there is no such element or it can't
 * do this; tl_half_close() is due all the same. */
int tl_half_open(struct tl_half *half, const char *element, const struct tl_element_cfg *cfg,
		 GstPadChainFunction on_out, void *user);
void tl_half_close(struct tl_half *half);
static inline bool tl_half_is_stock(const struct tl_half *half)
{
	return half->element && !half->own;
}
