#include "media/plan/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <gst/gst.h>

#include "media/elements/elements.h"

/*
 * Costs were measured on Debian 12 over 20 ms of speech at the codec's own
 * rate (tests/bench/bench_codec.c prints them again); quality is a ranking,
 * narrow-band G.711 at 70. Impairment and loss robustness: ITU-T G.113 appendix I, for codecs that
 * it lacks those of the nearest. A row without elements is relayed and never decoded.
 */
static const struct tl_codec rows[] = {
	{ .name = "opus",
	  .clock_hz = 48000,
	  .channels = 2,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 48000,
	  .rates_hz = { 8000, 16000, 24000, 48000 },
	  .fmtp = "useinbandfec=1",
	  .ptime_ms = 20,
	  .frame_ms = 20,
	  .quality = 95,
	  .loss_robustness = 20,
	  .encode_cost = 60,
	  .decode_cost = 20,
	  .encoder = "tlopusenc",
	  .decoder = "tlopusdec",
	  .note = "libopus, BSD" },
	{ .name = "G722",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = 9,
	  .rate_hz = 16000,
	  .rates_hz = { 8000, 16000 },
	  .ptime_ms = 20,
	  .frame_ms = 1,
	  .frame_bytes = 8,
	  .quality = 85,
	  .loss_robustness = 25,
	  .encode_cost = 14,
	  .decode_cost = 7,
	  .encoder = "tlg722enc",
	  .decoder = "tlg722dec",
	  .note = "spandsp, LGPL" },
	{ .name = "PCMA",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = 8,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 1,
	  .frame_bytes = 8,
	  .quality = 70,
	  .loss_robustness = 25,
	  .encode_cost = 1,
	  .decode_cost = 1,
	  .encoder = "tlg711enc",
	  .decoder = "tlg711dec" },
	{ .name = "PCMU",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = 0,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 1,
	  .frame_bytes = 8,
	  .quality = 70,
	  .loss_robustness = 25,
	  .encode_cost = 1,
	  .decode_cost = 1,
	  .encoder = "tlg711enc",
	  .decoder = "tlg711dec" },
	{ .name = "G729",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = 18,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 10,
	  .frame_bytes = 10,
	  .quality = 58,
	  .impairment = 11,
	  .loss_robustness = 19,
	  .note = "relayed; libbcg729 is GPL-3 and would be a plugin of its own" },
	{ .name = "GSM",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = 3,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 20,
	  .frame_bytes = 33,
	  .quality = 50,
	  .impairment = 20,
	  .loss_robustness = 10,
	  .encode_cost = 5,
	  .decode_cost = 3,
	  .encoder = "tlgsmenc",
	  .decoder = "tlgsmdec",
	  .note = "spandsp, LGPL" },
	{ .name = "iLBC",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .fmtp = "mode=30",
	  .ptime_ms = 30,
	  .frame_ms = 30,
	  .quality = 52,
	  .impairment = 11,
	  .loss_robustness = 32,
	  .note = "relayed; Debian has a decoder only" },
	{ .name = "speex",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 20,
	  .quality = 55,
	  .impairment = 11,
	  .loss_robustness = 20,
	  .encode_cost = 28,
	  .decode_cost = 4,
	  .encoder = "speexenc",
	  .decoder = "speexdec",
	  .note = "gstreamer1.0-plugins-good, BSD" },
	{ .name = "speex",
	  .clock_hz = 16000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 16000,
	  .rates_hz = { 16000 },
	  .ptime_ms = 20,
	  .frame_ms = 20,
	  .quality = 78,
	  .impairment = 11,
	  .loss_robustness = 20,
	  .encode_cost = 67,
	  .decode_cost = 8,
	  .encoder = "speexenc",
	  .decoder = "speexdec",
	  .note = "gstreamer1.0-plugins-good, BSD" },
	{ .name = "L16",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 1,
	  .frame_bytes = 16,
	  .quality = 72,
	  .loss_robustness = 25,
	  .encode_cost = 1,
	  .decode_cost = 1,
	  .encoder = "tll16enc",
	  .decoder = "tll16dec" },
	{ .name = "L16",
	  .clock_hz = 16000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 16000,
	  .rates_hz = { 16000 },
	  .ptime_ms = 20,
	  .frame_ms = 1,
	  .frame_bytes = 32,
	  .quality = 90,
	  .loss_robustness = 25,
	  .encode_cost = 1,
	  .decode_cost = 1,
	  .encoder = "tll16enc",
	  .decoder = "tll16dec" },
	{ .name = "G726-32",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 1,
	  .frame_bytes = 4,
	  .quality = 62,
	  .impairment = 7,
	  .loss_robustness = 25,
	  .encode_cost = 10,
	  .decode_cost = 5,
	  .encoder = "tlg726enc",
	  .decoder = "tlg726dec",
	  .note = "spandsp, LGPL; bits packed as RFC 3551 4.5.4 says" },
	{ .name = "AMR",
	  .clock_hz = 8000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 8000,
	  .rates_hz = { 8000 },
	  .ptime_ms = 20,
	  .frame_ms = 20,
	  .quality = 60,
	  .impairment = 5,
	  .loss_robustness = 10,
	  .note = "relayed; patents" },
	{ .name = "AMR-WB",
	  .clock_hz = 16000,
	  .channels = 1,
	  .static_pt = TL_PT_DYNAMIC,
	  .rate_hz = 16000,
	  .rates_hz = { 16000 },
	  .ptime_ms = 20,
	  .frame_ms = 20,
	  .quality = 80,
	  .impairment = 1,
	  .loss_robustness = 10,
	  .note = "relayed; patents" },
};

static bool can_transcode[G_N_ELEMENTS(rows)];

static bool has_element(const char *name)
{
	g_autoptr(GstElementFactory) factory = name ? gst_element_factory_find(name) : NULL;

	return factory != NULL;
}

int tl_codec_init(void)
{
	g_autoptr(GError) error = NULL;
	int r;

	if (!gst_init_check(NULL, NULL, &error)) {
		g_debug("GStreamer does not start: %s", error->message);
		return -ENOSYS;
	}
	r = tl_elements_register();
	if (r < 0)
		return r;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		can_transcode[i] = has_element(rows[i].encoder) && has_element(rows[i].decoder);
		if (!can_transcode[i] && rows[i].encoder)
			g_debug("codec %s/%u is relayed only: no element %s or %s", rows[i].name,
				rows[i].clock_hz, rows[i].encoder, rows[i].decoder);
	}
	return 0;
}

const struct tl_codec *tl_codec_row(size_t i)
{
	return i < G_N_ELEMENTS(rows) ? &rows[i] : NULL;
}

const struct tl_codec *tl_codec_find(const char *name, unsigned clock_hz, unsigned channels)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (g_ascii_strcasecmp(rows[i].name, name) == 0 && rows[i].clock_hz == clock_hz &&
		    rows[i].channels == (channels ? channels : 1))
			return &rows[i];
	return NULL;
}

/* Does text say this row: its name, or its name and clock ("speex/16000")? */
static bool row_is_named(const struct tl_codec *row, const char *text)
{
	size_t length = strcspn(text, "/");

	if (length != strlen(row->name) || g_ascii_strncasecmp(text, row->name, length) != 0)
		return false;
	return !text[length] || strtoul(text + length + 1, NULL, 10) == row->clock_hz;
}

const struct tl_codec *tl_codec_by_name(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (row_is_named(&rows[i], name))
			return &rows[i];
	return NULL;
}

const struct tl_codec *tl_codec_by_static_pt(int pt)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (pt >= 0 && rows[i].static_pt == pt)
			return &rows[i];
	return NULL;
}

bool tl_codec_can_transcode(const struct tl_codec *codec)
{
	return can_transcode[codec - rows];
}
