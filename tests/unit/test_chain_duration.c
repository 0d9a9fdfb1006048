#include "media/chain/chain.h"

#include <criterion/criterion.h>
#include <glib.h>

#include "media/plan/speex.h"

static struct tl_format format_of(const char *name)
{
	struct tl_format format = { .codec = tl_codec_by_name(name) };

	cr_assert_not_null(format.codec, "%s", name);
	return format;
}

static const struct {
	const char *why, *codec, *fmtp;
	uint8_t payload[200];
	size_t bytes;
	uint32_t units;
} durations[] = {
	{ "one byte a sample", "PCMA", "", { 0 }, 160, 160 },
	{ "any number of them", "PCMA", "", { 0 }, 161, 161 },
	{ "one of them", "PCMU", "", { 0 }, 1, 1 },
	{ "8000 on the wire whatever the rate", "G722", "", { 0 }, 160, 160 },
	{ "whole samples only", "L16", "", { 0 }, 161, 0 },
	{ "two bytes a sample", "L16/16000", "", { 0 }, 64, 32 },
	{ "no whole milliseconds", "L16/44100/1", "", { 0 }, 178, 89 },
	{ "two samples a byte", "G726-32", "", { 0 }, 80, 160 },
	{ "no whole millisecond", "G726-32", "", { 0 }, 79, 158 },
	{ "no whole sample", "G726-24", "", { 0 }, 58, 0 },
	{ "two frames", "G729", "", { 0 }, 20, 160 },
	{ "a frame and comfort noise", "G729", "", { 0 }, 12, 160 },
	{ "half a frame", "G729", "", { 0 }, 5, 0 },
	{ "33 bytes", "GSM", "", { 0 }, 66, 320 },
	{ "30 ms unless said", "iLBC", "", { 0 }, 100, 480 },
	{ "20 ms when said", "iLBC", "mode=20", { 0 }, 38, 160 },
	{ "20 ms when said", "iLBC", "mode=20", { 0 }, 50, 0 },
	{ "SILK, 20 ms, one frame", "opus", "", { 0x08 }, 20, 960 },
	{ "two frames of 20 ms", "opus", "", { 0x09 }, 21, 1920 },
	{ "more frames than 120 ms hold", "opus", "", { 0x0b, 63 }, 80, 0 },
	{ "nothing", "opus", "", { 0 }, 0, 0 },
	{ "narrow-band mode 0, then padding", "speex", "", { 0x03 }, 1, 160 },
	{ "three frames of mode 0", "speex", "", { 0x00, 0x00 }, 2, 480 },
	{ "mode 12 is none", "speex", "", { 0x60 }, 1, 0 },
	{ "cut short", "speex", "", { 0x28 }, 10, 0 },
	{ "bandwidth-efficient, one frame", "AMR", "", { 0xf1, 0xc0 }, 18, 160 },
	{ "cut short", "AMR", "", { 0xf1, 0xc0 }, 17, 0 },
	{ "two in the table", "AMR", "octet-align=1", { 0xf0, 0xbc, 0x3c }, 65, 320 },
	{ "a table without an end", "AMR", "octet-align=1", { 0xf0, 0x80 }, 2, 0 },
	{ "on its own clock", "AMR-WB", "octet-align=1", { 0xf0, 0x44 }, 63, 320 },
};

Test(chain, payloads_tell_how_long_they_last)
{
	for (size_t i = 0; i < G_N_ELEMENTS(durations); i++) {
		struct tl_format format = format_of(durations[i].codec);
		/* Of its exact size, so that a sanitizer sees a read past the end. */
		g_autofree uint8_t *payload = g_memdup2(durations[i].payload, durations[i].bytes);

		g_strlcpy(format.fmtp, durations[i].fmtp, sizeof format.fmtp);
		cr_expect_eq(tl_format_duration(&format, payload, durations[i].bytes),
			     durations[i].units, "%s: %s", durations[i].codec, durations[i].why);
	}
}

/* Two frames of 43 bits (mode 1) and their padding. */
Test(speex, frames_are_found_at_any_bit)
{
	uint8_t payload[12] = { 0x08 };
	size_t ends[TL_SPEEX_FRAMES];

	/* 43 = 5 * 8 + 3: the second frame starts in the sixth byte, its mode 00001 ends it; the
	 * payload ends with the padding 01. */
	payload[5] = 0x01;
	payload[10] = 0x01;
	cr_assert_eq(tl_speex_frames(payload, 11, ends), 2);
	cr_expect_eq(ends[0], 43);
	cr_expect_eq(ends[1], 86);
}
