#include "media/plan/codec.h"

#include <criterion/criterion.h>
#include <glib.h>

static const struct {
	const char *why, *name;
	unsigned clock_hz, channels;
	const char *row; /* NULL: not found */
	unsigned rate_hz;
} found[] = {
	{ "as registered", "PCMA", 8000, 1, "PCMA", 8000 },
	{ "channels left out mean one", "PCMU", 8000, 0, "PCMU", 8000 },
	{ "in any case", "pcma", 8000, 1, "PCMA", 8000 },
	{ "Opus is always 48000/2, RFC 7587 7", "OPUS", 48000, 2, "opus", 48000 },
	{ "so this is not Opus", "opus", 48000, 1, NULL, 0 },
	{ "G.722's clock is 8000 though its rate is not", "G722", 8000, 1, "G722", 16000 },
	{ "so this is not G.722", "G722", 16000, 1, NULL, 0 },
	{ "a row a clock", "speex", 16000, 1, "speex", 16000 },
	{ "ultra-wide-band is not in the table", "speex", 32000, 1, NULL, 0 },
	{ "comfort noise is no codec", "CN", 8000, 1, NULL, 0 },
	{ "nor are events", "telephone-event", 8000, 1, NULL, 0 },
	{ "nor is nothing", "", 8000, 1, NULL, 0 },
};

Test(codec, is_found_by_name_clock_and_channels)
{
	for (size_t i = 0; i < G_N_ELEMENTS(found); i++) {
		const struct tl_codec *codec =
			tl_codec_find(found[i].name, found[i].clock_hz, found[i].channels);

		cr_expect_eq(codec != NULL, found[i].row != NULL, "%s", found[i].why);
		if (!codec || !found[i].row)
			continue;
		cr_expect_str_eq(codec->name, found[i].row, "%s", found[i].why);
		cr_expect_eq(codec->rate_hz, found[i].rate_hz, "%s", found[i].why);
	}
}

static const struct {
	const char *why, *text;
	unsigned clock_hz; /* 0: not found */
} named[] = {
	{ "plain", "PCMA", 8000 },
	{ "first of two rows", "speex", 8000 },
	{ "the other row", "speex/16000", 16000 },
	{ "any case", "l16/16000", 16000 },
	{ "no such clock", "PCMA/16000", 0 },
	{ "one channel first", "L16/44100", 44100 },
	{ "channels may be said", "L16/44100/2", 44100 },
	{ "but not wrongly", "PCMA/8000/2", 0 },
	{ "a part of a name is not a name", "PCM", 0 },
	{ "more than a name is not a name", "PCMAX", 0 },
	{ "nothing", "", 0 },
};

Test(codec, is_named_in_a_configuration)
{
	for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
		const struct tl_codec *codec = tl_codec_by_name(named[i].text);

		cr_expect_eq(codec ? codec->clock_hz : 0, named[i].clock_hz, "%s", named[i].why);
	}
}

Test(codec, static_payload_types_are_those_of_RFC_3551)
{
	static const struct {
		int pt;
		const char *name;
	} types[] = {
		{ 0, "PCMU" },  { 3, "GSM" },  { 8, "PCMA" }, { 9, "G722" },
		{ 18, "G729" }, { 10, "L16" }, { 11, "L16" }, { 4, "G723" },
		{ 13, NULL },   { 96, NULL },  { -1, NULL },  { 127, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		const struct tl_codec *codec = tl_codec_by_static_pt(types[i].pt);

		cr_expect_eq(codec != NULL, types[i].name != NULL, "%d", types[i].pt);
		if (codec && types[i].name)
			cr_expect_str_eq(codec->name, types[i].name);
	}
}

Test(codec, what_this_machine_can_do_is_known_after_init)
{
	/* The rest as this was built. */
	static const char *const always[] = {
		"opus",      "G722",        "PCMA",      "PCMU",    "GSM",
		"L16",       "L16/16000",   "L16/44100", "G726-32", "AAL2-G726-40",
		"L16/48000", "L16/44100/2", "G726-16",   "G726-24",
	};

	cr_assert_eq(tl_codec_init(), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
		cr_expect(tl_codec_can_transcode(tl_codec_by_name(always[i])), "%s", always[i]);
	cr_expect_not(tl_codec_can_transcode(tl_codec_by_name("G723")));
	for (size_t i = 0; tl_codec_row(i); i++)
		cr_expect_eq(tl_codec_can_transcode(tl_codec_row(i)),
			     tl_codec_missing(tl_codec_row(i)) == NULL,
			     "%s: what is not there has a reason", tl_codec_row(i)->name);
}

Test(codec, rows_hold_together)
{
	for (size_t i = 0; tl_codec_row(i); i++) {
		const struct tl_codec *row = tl_codec_row(i);
		unsigned widest = 0;

		cr_expect_lt(strlen(row->name), TL_CODEC_NAME_BYTES);
		cr_expect_eq(tl_codec_find(row->name, row->clock_hz, row->channels), row, "%s/%u",
			     row->name, row->clock_hz);
		for (size_t j = 0; j < G_N_ELEMENTS(row->rates_hz) && row->rates_hz[j]; j++) {
			cr_expect_gt(row->rates_hz[j], widest, "%s: rates ascend", row->name);
			widest = row->rates_hz[j];
		}
		cr_expect_eq(widest, row->rate_hz, "%s: its own rate is the last", row->name);
		cr_expect_eq(row->ptime_ms % row->frame_ms, 0, "%s", row->name);
		cr_expect_leq(row->quality, 100, "%s", row->name);
		cr_expect_eq(!row->encoder, !row->decoder, "%s", row->name);
	}
}
