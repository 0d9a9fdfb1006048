#include "media/elements/element.h"

#include "media/fetch.h"

G_DEFINE_ABSTRACT_TYPE(TlElement, tl_element, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template =
	GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
	GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

GstEvent *tl_stream_start(void)
{
	static gsize event;

	if (g_once_init_enter(&event))
		g_once_init_leave(&event, (gsize)gst_event_new_stream_start("twinleg"));
	return (GstEvent *)event;
}

GstEvent *tl_time_segment(void)
{
	static gsize event;

	if (g_once_init_enter(&event)) {
		GstSegment segment;

		gst_segment_init(&segment, GST_FORMAT_TIME);
		g_once_init_leave(&event, (gsize)gst_event_new_segment(&segment));
	}
	return (GstEvent *)event;
}

GstCaps *tl_pcm_caps(unsigned rate_hz)
{
	return gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING,
				   G_BYTE_ORDER == G_LITTLE_ENDIAN ? "S16LE" : "S16BE", "layout",
				   G_TYPE_STRING, "interleaved", "rate", G_TYPE_INT, (int)rate_hz,
				   "channels", G_TYPE_INT, 1, NULL);
}

GstCaps *tl_payload_caps(const struct tl_codec *codec)
{
	static const struct {
		const char *name, *media_type;
	} types[] = {
		{ "PCMA", "audio/x-alaw" },     { "PCMU", "audio/x-mulaw" },
		{ "G722", "audio/G722" },       { "opus", "audio/x-opus" },
		{ "GSM", "audio/x-gsm" },       { "speex", "audio/x-speex" },
		{ "G726-32", "audio/x-adpcm" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_equal(types[i].name, codec->name))
			return gst_caps_new_simple(types[i].media_type, "rate", G_TYPE_INT,
						   (int)codec->rate_hz, "channels", G_TYPE_INT, 1,
						   NULL);
	return gst_caps_new_simple("audio/x-rtp-payload", "encoding-name", G_TYPE_STRING,
				   codec->name, "rate", G_TYPE_INT, (int)codec->rate_hz, NULL);
}

/* Caps that come in say what we know from configuration; the other side gets our own. */
static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	TlElement *self = (TlElement *)parent;

	if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
		gst_event_unref(event);
		return gst_pad_push_event(self->src, gst_event_ref(self->caps));
	}
	return gst_pad_push_event(self->src, event);
}

int tl_element_configure(TlElement *self, const struct tl_element_cfg *cfg)
{
	TlElementClass *class =
		G_TYPE_INSTANCE_GET_CLASS(self, tl_element_get_type(), TlElementClass);
	bool decoder = G_TYPE_CHECK_INSTANCE_TYPE(self, tl_decoder_get_type());
	GstCaps *caps = decoder ? tl_pcm_caps(cfg->rate_hz) : tl_payload_caps(cfg->format->codec);

	self->rate_hz = cfg->rate_hz;
	self->caps = gst_event_new_caps(caps);
	gst_caps_unref(caps);
	return class->configure ? class->configure(self, cfg) : 0;
}

void tl_element_fetch(const TlElement *self)
{
	enum { STATE_BYTES = 512 }; /* the beginning of a codec's, if it lies here */

	tl_fetch(self, sizeof(void *)); /* its class */
	tl_fetch(&self->caps, sizeof *self - offsetof(TlElement, caps) + STATE_BYTES);
}

void tl_element_describe(GstElementClass *class, const char *name, const char *kind)
{
	gst_element_class_add_static_pad_template(class, &sink_template);
	gst_element_class_add_static_pad_template(class, &src_template);
	gst_element_class_set_static_metadata(class, name, kind, name, "Twinleg");
}

static void tl_element_init(TlElement *self)
{
	self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
	self->src = gst_pad_new_from_static_template(&src_template, "src");
	gst_pad_set_event_function(self->sink, on_event);
	gst_element_add_pad(&self->parent, self->sink);
	gst_element_add_pad(&self->parent, self->src);
}

static void tl_element_finalize(GObject *object)
{
	TlElement *self = (TlElement *)object;

	g_clear_pointer(&self->caps, gst_event_unref);
	G_OBJECT_CLASS(tl_element_parent_class)->finalize(object);
}

static void tl_element_class_init(TlElementClass *class)
{
	G_OBJECT_CLASS(class)->finalize = tl_element_finalize;
}
