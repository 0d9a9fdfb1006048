#include "media/plan/amr.h"

#include <criterion/criterion.h>
#include <glib.h>

static struct tl_format format_of(const char *name, const char *fmtp)
{
	struct tl_format format = { .codec = tl_codec_by_name(name) };

	g_strlcpy(format.fmtp, fmtp, sizeof format.fmtp);
	return format;
}

static const struct {
	const char *why, *codec, *fmtp;
	bool readable, octet_align;
	unsigned modes;
} parameters[] = {
	{ "silence means all modes, bits without gaps", "AMR", "", true, false, 0xff },
	{ "nine of them in wide band", "AMR-WB", "octet-align=1", true, true, 0x1ff },
	{ "a set", "AMR", "mode-set=0,2,5,7; octet-align=1", true, true, 0xa5 },
	{ "modes that there are not are none", "AMR", "mode-set=3,8,77", true, false, 8 },
	{ "a set of nothing", "AMR", "mode-set=9", false, false, 0 },
	{ "checksums are relayed only", "AMR", "octet-align=1;crc=1", false, false, 0 },
	{ "sorting too", "AMR", "octet-align=1;robust-sorting=1", false, false, 0 },
	{ "and interleaving", "AMR-WB", "octet-align=1;interleaving=30", false, false, 0 },
};

Test(amr, parameters_say_how_payloads_lie)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
		struct tl_format format = format_of(parameters[i].codec, parameters[i].fmtp);
		struct tl_amr amr;
		bool readable = tl_amr_read(&format, &amr);

		cr_expect_eq(readable, parameters[i].readable, "%s", parameters[i].why);
		if (!readable || !parameters[i].readable)
			continue;
		cr_expect_eq(amr.octet_align, parameters[i].octet_align, "%s", parameters[i].why);
		cr_expect_eq(amr.modes, parameters[i].modes, "%s", parameters[i].why);
	}
}

/* Frames of every type, packed in either layout, come out as they went in. */
Test(amr, what_is_packed_is_found_again)
{
	static const char *const layouts[] = { "", "octet-align=1" };
	static const char *const codecs[] = { "AMR", "AMR-WB" };

	for (unsigned n = 0; n < 4 * 16; n++) {
		struct tl_format format = format_of(codecs[n % 2], layouts[n / 2 % 2]);
		uint8_t frames[3][TL_AMR_FRAME_BYTES] = { { 0 } }, again[TL_AMR_FRAME_BYTES];
		uint8_t payload[4 * TL_AMR_FRAME_BYTES];
		struct tl_amr_frame found[TL_AMR_FRAMES];
		unsigned type = n / 4, request;
		struct tl_amr amr;
		size_t bytes;

		if (n % 2 ? type > 9 && type != 15 : type > 8 && type != 15)
			continue;
		cr_assert(tl_amr_read(&format, &amr));
		for (size_t i = 0; i < 3; i++) {
			frames[i][0] = (uint8_t)((i == 1 ? 15 : type) << 3 | 4);
			for (size_t b = 1; i != 1 && b <= 5; b++) /* 39 bits at the least */
				frames[i][b] = type == 15 ? 0 : (uint8_t)(0xa0 + 16 * i + b);
			if (type != 15)
				frames[i][5] &= 0xe0;
		}
		bytes = tl_amr_pack(&amr, 6, frames, 3, payload);
		cr_assert_eq(tl_amr_frames(&amr, payload, bytes, found, &request), 3, "type %u",
			     type);
		cr_expect_eq(request, 6);
		for (size_t i = 0; i < 3; i++) {
			size_t size = tl_amr_cut(&amr, payload, &found[i], again);

			cr_expect_arr_eq(again, frames[i], size, "type %u, frame %zu", type, i);
		}
		cr_expect_eq(tl_amr_frames(&amr, payload, bytes - 1, found, &request), 0,
			     "type %u cut short", type);
	}
}

/* 6 random bytes in front of many more: nothing is read beyond what is there (under a sanitizer).
 */
Test(amr, hostile_lengths_are_refused)
{
	struct tl_format formats[] = { format_of("AMR", ""), format_of("AMR", "octet-align=1"),
				       format_of("AMR-WB", ""),
				       format_of("AMR-WB", "octet-align=1") };
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);

	for (unsigned n = 0; n < 20000; n++) {
		size_t bytes = (size_t)g_rand_int_range(rand, 1, 70), count;
		g_autofree uint8_t *payload = g_malloc(bytes);
		struct tl_amr_frame found[TL_AMR_FRAMES];
		uint8_t frame[TL_AMR_FRAME_BYTES];
		struct tl_amr amr;
		unsigned request;

		for (size_t i = 0; i < bytes; i++)
			payload[i] = (uint8_t)g_rand_int(rand);
		cr_assert(tl_amr_read(&formats[n % 4], &amr));
		count = tl_amr_frames(&amr, payload, bytes, found, &request);
		cr_assert_leq(count, TL_AMR_FRAMES);
		for (size_t i = 0; i < count; i++)
			cr_assert_leq(tl_amr_cut(&amr, payload, &found[i], frame), sizeof frame);
	}
}

static const struct {
	const char *why, *codec, *fmtp;
	unsigned request;
	int now;
	unsigned frame, mode;
} choices[] = {
	{ "the best", "AMR", "", 15, -1, 0, 7 },
	{ "the usual of wide band", "AMR-WB", "", 15, -1, 0, 2 },
	{ "more when asked", "AMR-WB", "", 8, 2, 1, 8 },
	{ "less when asked", "AMR", "", 4, 7, 1, 4 },
	{ "of the set", "AMR", "mode-set=0,2,7", 4, 7, 1, 2 },
	{ "its lowest when all are above", "AMR", "mode-set=5,7", 0, 7, 1, 5 },
	{ "a request of no mode asks nothing", "AMR", "", 12, 7, 1, 7 },
	{ "not amid a period", "AMR", "mode-change-period=2", 2, 7, 3, 7 },
	{ "but between two", "AMR", "mode-change-period=2", 2, 7, 4, 2 },
	{ "a step down", "AMR", "mode-set=0,2,5,7;mode-change-neighbor=1", 0, 7, 1, 5 },
	{ "a step up", "AMR", "mode-set=0,2,5,7;mode-change-neighbor=1", 7, 0, 1, 2 },
};

Test(amr, the_mode_is_what_the_remote_wants_within_its_set)
{
	for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
		struct tl_format format = format_of(choices[i].codec, choices[i].fmtp);
		struct tl_amr amr;

		cr_assert(tl_amr_read(&format, &amr));
		cr_expect_eq(
			tl_amr_mode(&amr, choices[i].request, choices[i].now, choices[i].frame),
			choices[i].mode, "%s", choices[i].why);
	}
}
