#pragma once
/*
 * One element in front of a pad of ours: what is chained into its sink has
 * come out at drain when gst_pad_chain() returns, on the same thread. A source
 * pad of ours before the sink would only pass on what we can say ourselves.
 *
 *   sink [element] src --> drain
 *
 * One thread at a time. Private to media/.
 */
#include "media/elements/element.h"

struct tl_half {
	GstElement *element; /* NULL: this half is absent */
	GstPad *sink, *drain;
	bool stock; /* the element is GStreamer's own */
};

/* An encoder when cfg has a packet time, else something that takes payloads. on_out gets what comes
 * out, with user as the pad's private pointer. -ENOTSUP: there is no such element or it can't do
 * this; tl_half_close() is due all the same. */
int tl_half_open(struct tl_half *half, const char *element, const struct tl_element_cfg *cfg,
		 GstPadChainFunction on_out, void *user);
void tl_half_close(struct tl_half *half);
