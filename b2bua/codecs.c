#include "b2bua/codecs.h"

#include <glib.h>
#include <jansson.h>

#include "media/plan/codec.h"

static char *name_of(const struct tl_codec *codec)
{
	return codec->channels == 1
		       ? g_strdup_printf("%s/%u", codec->name, codec->clock_hz)
		       : g_strdup_printf("%s/%u/%u", codec->name, codec->clock_hz, codec->channels);
}

static json_t *json_of(const struct tl_codec *codec)
{
	const char *missing = tl_codec_missing(codec);
	json_t *row = json_pack("{s:s, s:i, s:i, s:i, s:b}", "name", codec->name, "clock_hz",
				(int)codec->clock_hz, "channels", (int)codec->channels, "rate_hz",
				(int)codec->rate_hz, "transcoded", !missing);

	if (codec->static_pt >= 0)
		json_object_set_new(row, "payload_type", json_integer(codec->static_pt));
	if (codec->note)
		json_object_set_new(row, "library", json_string(codec->note));
	if (missing)
		json_object_set_new(row, "missing", json_string(missing));
	else
		json_object_set_new(row, "us_per_20ms",
				    json_pack("{s:i, s:i}", "encode", (int)codec->encode_cost,
					      "decode", (int)codec->decode_cost));
	return row;
}

static void print_json(FILE *to)
{
	json_t *rows = json_array();

	for (size_t i = 0; tl_codec_row(i); i++)
		json_array_append_new(rows, json_of(tl_codec_row(i)));
	json_dumpf(rows, to, JSON_INDENT(2));
	fputc('\n', to);
	json_decref(rows);
}

static void print_row(FILE *to, const struct tl_codec *codec)
{
	const char *missing = tl_codec_missing(codec);
	g_autofree char *name = name_of(codec);
	g_autofree char *pt =
		codec->static_pt >= 0 ? g_strdup_printf("%d", codec->static_pt) : g_strdup("-");
	g_autofree char *cost =
		missing ? g_strdup("-")
			: g_strdup_printf("%u/%u", codec->encode_cost, codec->decode_cost);

	fprintf(to, "%-18s %3s %6u  %-8s ", name, pt, codec->rate_hz, cost);
	if (!missing)
		fprintf(to, "transcoded  %s\n", codec->note ? codec->note : "by ourselves");
	else
		fprintf(to, "relayed     lacks %s\n", missing);
}

void tl_codecs_print(FILE *to, bool json)
{
	if (json) {
		print_json(to);
		return;
	}
	fprintf(to, "%-18s %3s %6s  %-8s %s\n", "codec", "pt", "rate", "us/20ms", "here");
	for (size_t i = 0; tl_codec_row(i); i++)
		print_row(to, tl_codec_row(i));
}

void tl_codecs_complain(void)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; tl_codec_row(i); i++) {
		const struct tl_codec *codec = tl_codec_row(i);
		const char *missing = tl_codec_missing(codec);

		if (missing && codec->encoder)
			g_string_append_printf(text, "%s%s (lacks %s)", text->len ? ", " : "",
					       codec->name, missing);
	}
	if (text->len)
		g_message("relayed, not transcoded: %s", text->str);
}
