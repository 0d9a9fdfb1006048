#include "media/plan/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <gst/gst.h>

#include "media/elements/elements.h"
#include "media/plan/codec_table.h"

static bool can_transcode[TL_CODECS_MAX];

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
	g_return_val_if_fail(tl_codec_n_rows <= TL_CODECS_MAX, -ENOBUFS);
	for (size_t i = 0; i < tl_codec_n_rows; i++)
		can_transcode[i] = has_element(tl_codec_rows[i].encoder) &&
				   has_element(tl_codec_rows[i].decoder);
	return 0;
}

const struct tl_codec *tl_codec_row(size_t i)
{
	return i < tl_codec_n_rows ? &tl_codec_rows[i] : NULL;
}

const struct tl_codec *tl_codec_find(const char *name, unsigned clock_hz, unsigned channels)
{
	for (size_t i = 0; i < tl_codec_n_rows; i++)
		if (g_ascii_strcasecmp(tl_codec_rows[i].name, name) == 0 &&
		    tl_codec_rows[i].clock_hz == clock_hz &&
		    tl_codec_rows[i].channels == (channels ? channels : 1))
			return &tl_codec_rows[i];
	return NULL;
}

/* Does text say this row: its name, with clock ("speex/16000") and channels ("L16/44100/2")? */
static bool row_is_named(const struct tl_codec *row, const char *text)
{
	size_t length = strcspn(text, "/");
	char *end;

	if (length != strlen(row->name) || g_ascii_strncasecmp(text, row->name, length) != 0)
		return false;
	if (!text[length])
		return true;
	if (strtoul(text + length + 1, &end, 10) != row->clock_hz)
		return false;
	return !*end || (*end == '/' && strtoul(end + 1, &end, 10) == row->channels && !*end);
}

const struct tl_codec *tl_codec_by_name(const char *name)
{
	for (size_t i = 0; i < tl_codec_n_rows; i++)
		if (row_is_named(&tl_codec_rows[i], name))
			return &tl_codec_rows[i];
	return NULL;
}

const struct tl_codec *tl_codec_by_static_pt(int pt)
{
	for (size_t i = 0; i < tl_codec_n_rows; i++)
		if (pt >= 0 && tl_codec_rows[i].static_pt == pt)
			return &tl_codec_rows[i];
	return NULL;
}

bool tl_codec_can_transcode(const struct tl_codec *codec)
{
	return can_transcode[codec - tl_codec_rows];
}

const char *tl_codec_missing(const struct tl_codec *codec)
{
	const char *plugin = codec->encoder ? tl_elements_missing(codec->encoder) : NULL;

	if (tl_codec_can_transcode(codec))
		return NULL;
	return plugin ? plugin : codec->needs;
}
