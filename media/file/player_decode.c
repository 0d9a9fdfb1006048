#include <gst/app/gstappsink.h>
#include <gst/audio/audio.h>
#include <gst/gst.h>

#include "media/file/player_priv.h"

/*
 *   filesrc ! decodebin ... audioconvert ! audioresample ! capsfilter ! appsink
 *                      `- its first audio pad; others stay unlinked
 *
 * This pipeline lives for one file and has threads of its own meanwhile (the
 * only ones that GStreamer ever has in this process); none is left when it ends.
 */

enum {
	SOUND_MAX_S = 600,
	DECODE_MAX_S = 10, /* recordings wait for us: see BLOCKS in recorder_file.c */
	RATE_MAX_HZ = 48000,
};

struct decode {
	GstElement *pipeline, *convert, *caps, *sink;
	_Atomic unsigned rate_hz; /* chosen when the file's own is known; 0: no audio seen */
};

static void clear_sound(void *sound)
{
	g_free(((struct tl_sound *)sound)->pcm);
}

void tl_sound_unref(struct tl_sound *sound)
{
	if (sound)
		g_rc_box_release_full(sound, clear_sound);
}

static unsigned keeping_rate_hz(unsigned file_hz)
{
	return file_hz <= 8000 ? 8000 : file_hz <= 16000 ? 16000 : RATE_MAX_HZ;
}

/* A streaming thread of the pipeline, before any audio flows. */
static void on_pad(GstElement *decodebin, GstPad *pad, struct decode *dec)
{
	g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
	GstStructure *format = caps ? gst_caps_get_structure(caps, 0) : NULL;
	g_autoptr(GstCaps) wanted = NULL;
	g_autoptr(GstPad) sink = NULL;
	int file_hz;

	if (!format || !gst_structure_has_name(format, "audio/x-raw") || dec->rate_hz ||
	    !gst_structure_get_int(format, "rate", &file_hz) || file_hz <= 0)
		return;
	dec->rate_hz = keeping_rate_hz((unsigned)file_hz);
	wanted = gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, GST_AUDIO_NE(S16),
				     "layout", G_TYPE_STRING, "interleaved", "channels", G_TYPE_INT,
				     1, "rate", G_TYPE_INT, (int)dec->rate_hz, NULL);
	g_object_set(dec->caps, "caps", wanted, NULL);
	sink = gst_element_get_static_pad(dec->convert, "sink");
	gst_pad_link(pad, sink);
}

/* All streams of the file are known. Without audio, appsink would wait for ever. */
static void on_no_more_pads(GstElement *decodebin, struct decode *dec)
{
	if (!dec->rate_hz)
		GST_ELEMENT_ERROR(decodebin, STREAM, WRONG_TYPE, ("There is no audio in it."),
				  (NULL));
}

static bool build(struct decode *dec, const char *path)
{
	GstElement *source = gst_element_factory_make("filesrc", NULL);
	GstElement *decodebin = gst_element_factory_make("decodebin", NULL);
	GstElement *resample = gst_element_factory_make("audioresample", NULL);

	dec->convert = gst_element_factory_make("audioconvert", NULL);
	dec->caps = gst_element_factory_make("capsfilter", NULL);
	dec->sink = gst_element_factory_make("appsink", NULL);
	dec->pipeline = gst_pipeline_new(NULL);
	if (!source || !decodebin || !resample || !dec->convert || !dec->caps || !dec->sink)
		return false; /* elements that were made are floating: too rare to tidy up */

	gst_bin_add_many(GST_BIN(dec->pipeline), source, decodebin, dec->convert, resample,
			 dec->caps, dec->sink, NULL);
	g_object_set(source, "location", path, NULL);
	g_object_set(decodebin, "expose-all-streams", FALSE, NULL);
	g_object_set(dec->convert, "dithering", 0, NULL);
	g_object_set(dec->sink, "sync", FALSE, "max-buffers", 16, NULL);
	g_signal_connect(decodebin, "pad-added", G_CALLBACK(on_pad), dec);
	g_signal_connect(decodebin, "no-more-pads", G_CALLBACK(on_no_more_pads), dec);
	return gst_element_link(source, decodebin) &&
	       gst_element_link_many(dec->convert, resample, dec->caps, dec->sink, NULL);
}

/* The error on the pipeline's bus, or NULL. */
static char *take_error(GstElement *pipeline)
{
	g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
	g_autoptr(GstMessage) message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
	g_autoptr(GError) error = NULL;

	if (!message)
		return NULL;
	gst_message_parse_error(message, &error, NULL);
	return g_strdup_printf("not decodable: %s", error->message);
}

/* Returns false when the sound is as long as it may become. */
static bool keep(GByteArray *pcm, GstSample *sample, size_t max_bytes)
{
	GstBuffer *buffer = gst_sample_get_buffer(sample);
	GstMapInfo map;

	if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ))
		return true;
	g_byte_array_append(pcm, map.data, (guint)MIN(map.size, max_bytes - pcm->len));
	gst_buffer_unmap(buffer, &map);
	return pcm->len < max_bytes;
}

/* Pulls until the end, an error, or the time limit. Returns why it stopped early, or NULL. */
static char *pull_all(struct decode *dec, GByteArray *pcm, bool *ret_cut, bool *ret_again)
{
	GstAppSink *sink = GST_APP_SINK(dec->sink);
	int64_t end_us = g_get_monotonic_time() + DECODE_MAX_S * G_USEC_PER_SEC;
	char *error = NULL;

	while (!(error = take_error(dec->pipeline))) {
		int64_t left_us = end_us - g_get_monotonic_time();
		g_autoptr(GstSample) sample = NULL;

		if (left_us <= 0) {
			*ret_again = true;
			return g_strdup_printf("not decoded within %d s", DECODE_MAX_S);
		}
		/* Errors wake nobody here: look for them every now and then. */
		sample = gst_app_sink_try_pull_sample(sink, (GstClockTime)MIN(left_us, 20000) *
								    GST_USECOND);
		if (sample && !keep(pcm, sample, (size_t)dec->rate_hz * SOUND_MAX_S * 2)) {
			*ret_cut = true;
			return NULL;
		}
		if (!sample && gst_app_sink_is_eos(sink))
			return take_error(dec->pipeline);
	}
	return error;
}

struct tl_sound *tl_sound_decode(const char *path, char **ret_error, bool *ret_again)
{
	g_autoptr(GByteArray) pcm = g_byte_array_new();
	struct decode dec = { 0 };
	struct tl_sound *sound;
	char *error = NULL;
	bool cut = false;

	if (!build(&dec, path)) {
		gst_object_unref(dec.pipeline);
		*ret_error = g_strdup("GStreamer's base plugins are not installed");
		return NULL;
	}
	gst_element_set_state(dec.pipeline, GST_STATE_PLAYING);
	error = pull_all(&dec, pcm, &cut, ret_again);
	gst_element_set_state(dec.pipeline, GST_STATE_NULL);
	gst_object_unref(dec.pipeline);

	/* What came before the damage is not worth playing: half a sentence misleads. */
	if (!error && pcm->len < sizeof(int16_t))
		error = g_strdup("there is no sound in it");
	if (error) {
		*ret_error = error;
		return NULL;
	}
	sound = g_rc_box_new0(struct tl_sound);
	sound->rate_hz = dec.rate_hz;
	sound->samples = pcm->len / sizeof(int16_t);
	sound->cut = cut;
	sound->pcm = (int16_t *)g_byte_array_free(g_steal_pointer(&pcm), FALSE);
	return sound;
}
