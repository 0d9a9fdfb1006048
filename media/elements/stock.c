#include "media/elements/stock.h"

#include <errno.h>
#include <string.h>

#include "media/plan/speex.h"

enum { SPEEX_HEADER_BYTES = 80, SPEEX_FRAME_MS = 20 };

static uint8_t *put_le32(uint8_t *at, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(at, &value, sizeof value);
	return at + sizeof value;
}

/*
 * The first packet of a Speex file, which RTP does without and the decoder
 * wants (Speex manual, table 7.1):
 *
 *   "Speex   " version[20] id size rate mode bitstream channels bitrate
 *   frame-size vbr frames-a-packet extra reserved reserved
 */
static GstBuffer *speex_header(unsigned rate_hz)
{
	uint8_t *header = g_malloc0(SPEEX_HEADER_BYTES), *at = header + 28;
	const uint32_t fields[] = {
		1,       SPEEX_HEADER_BYTES,
		rate_hz, rate_hz == 16000,
		4,       1,
		~0u,     rate_hz / 1000 * SPEEX_FRAME_MS,
		0,       1,
	};

	memcpy(header, "Speex   1", 9);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		at = put_le32(at, fields[i]);
	return gst_buffer_new_wrapped(header, SPEEX_HEADER_BYTES);
}

/* The second: whose work it is, and no comments. */
static GstBuffer *speex_comment(void)
{
	static const uint8_t nothing[8];

	return gst_buffer_new_wrapped(g_memdup2(nothing, sizeof nothing), sizeof nothing);
}

static void append_buffer(GValue *list, GstBuffer *buffer)
{
	GValue value = G_VALUE_INIT;

	g_value_init(&value, GST_TYPE_BUFFER);
	gst_value_take_buffer(&value, buffer);
	gst_value_array_append_and_take_value(list, &value);
}

GstCaps *tl_stock_payload_caps(const struct tl_codec *codec)
{
	GstCaps *caps = tl_payload_caps(codec);
	GValue headers = G_VALUE_INIT;

	if (!g_str_equal(codec->name, "speex"))
		return caps;
	g_value_init(&headers, GST_TYPE_ARRAY);
	append_buffer(&headers, speex_header(codec->rate_hz));
	append_buffer(&headers, speex_comment());
	gst_caps_set_value(caps, "streamheader", &headers);
	g_value_unset(&headers);
	return caps;
}

/* Sets what the element has by that name. */
static void set_if_there(GstElement *element, const char *property, int value)
{
	if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), property))
		g_object_set(element, property, value, NULL);
}

int tl_stock_configure(GstElement *element, const struct tl_element_cfg *cfg)
{
	unsigned frame_ms = cfg->format->codec->frame_ms;

	if (cfg->ptime_ms && cfg->ptime_ms % frame_ms)
		return -ENOTSUP;
	/* A decoder that gives up after so many bad packets would end the call for one peer's
	 * noise; one bad packet is one hole. */
	set_if_there(element, "max-errors", -1);
	set_if_there(element, "nframes", (int)(cfg->ptime_ms / frame_ms));
	if (gst_element_set_state(element, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
		return -ENOTSUP;
	return 0;
}

void tl_stock_stop(GstElement *element)
{
	gst_element_set_state(element, GST_STATE_NULL);
}

GstFlowReturn tl_stock_push(GstPad *sink, const struct tl_codec *codec, const uint8_t *payload,
			    size_t bytes)
{
	size_t ends[TL_SPEEX_FRAMES], n = 0, from = 0;
	GstFlowReturn flow = GST_FLOW_OK;

	if (g_str_equal(codec->name, "speex"))
		n = tl_speex_frames(payload, bytes, ends);
	if (n <= 1)
		return gst_pad_chain(sink, tl_buffer_copy(payload, bytes));
	/* speexdec decodes as many frames of a packet as the header said: one. */
	for (size_t i = 0; i < n && flow == GST_FLOW_OK; from = ends[i++]) {
		void *frame;
		GstBuffer *buffer = tl_buffer_take(&frame);

		tl_buffer_trim(buffer, tl_speex_cut(payload, from, ends[i], frame));
		flow = gst_pad_chain(sink, buffer);
	}
	return flow;
}
