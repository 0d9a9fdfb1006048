#pragma once
/*
 * Elements that come with GStreamer, for codecs too rare to have one of ours:
 * what it takes to use them between bare pads. Private to media/.
 */
#include <gst/gst.h>

#include "media/elements/element.h"

/* Sets properties and starts it. 0 or -ENOTSUP. */
int tl_stock_configure(GstElement *element, const struct tl_element_cfg *cfg);
void tl_stock_stop(GstElement *element);
/* What goes into the decoder's sink pad. Transfer full. */
GstCaps *tl_stock_payload_caps(const struct tl_codec *codec);
/* One packet's payload into a decoder, frame by frame where it knows no other way. */
GstFlowReturn tl_stock_push(GstPad *sink, const struct tl_codec *codec, const uint8_t *payload,
			    size_t bytes);
