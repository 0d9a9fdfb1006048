#include "media/desc.h"

#include <criterion/criterion.h>
#include <glib.h>

Test(desc, a_direction_is_mirrored_for_the_other_side)
{
	cr_expect_eq(tl_direction_mirror(TL_DIR_SENDRECV), TL_DIR_SENDRECV);
	cr_expect_eq(tl_direction_mirror(TL_DIR_SENDONLY), TL_DIR_RECVONLY);
	cr_expect_eq(tl_direction_mirror(TL_DIR_RECVONLY), TL_DIR_SENDONLY);
	cr_expect_eq(tl_direction_mirror(TL_DIR_INACTIVE), TL_DIR_INACTIVE);
}

static const struct {
	const char *why, *fmtp, *key;
	long value; /* -1: none */
} parameters[] = {
	{ "alone", "mode=20", "mode", 20 },
	{ "last of several", "useinbandfec=1; maxaveragebitrate=24000", "maxaveragebitrate",
	  24000 },
	{ "without the space", "a=1;b=2", "b", 2 },
	{ "key in any case", "Octet-Align=1", "octet-align", 1 },
	{ "with white space around", "  a=1  ;  b=2  ", "b", 2 },
	{ "the end of a key is not the key", "xmode=20", "mode", -1 },
	{ "nor is its beginning", "modes=20", "mode", -1 },
	{ "a flag has no value", "annexb;mode", "mode", -1 },
	{ "no value", "mode=", "mode", -1 },
	{ "not a number", "mode=high", "mode", -1 },
	{ "a sign is no digit", "mode=-1", "mode", -1 },
	{ "a number and more", "mode=20x", "mode", -1 },
	{ "too large", "mode=99999999999", "mode", -1 },
	{ "too long", "mode=00000000000000000000020", "mode", -1 },
	{ "empty", "", "mode", -1 },
	{ "only separators", ";;;", "mode", -1 },
};

Test(desc, a_parameter_is_read_from_fmtp)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
		unsigned value = 0;
		bool there = tl_fmtp_get_uint(parameters[i].fmtp, parameters[i].key, &value);

		cr_expect_eq(there ? (long)value : -1, parameters[i].value, "%s",
			     parameters[i].why);
	}
}

static const struct {
	const char *why, *codec, *fmtp_a, *fmtp_b;
	bool compatible;
} pairs[] = {
	{ "nothing to say", "PCMA", "", "", true },
	{ "Opus tells all in the packet", "opus", "stereo=1;maxplaybackrate=16000", "cbr=1", true },
	{ "Annex B may be ignored", "G729", "annexb=no", "", true },
	{ "iLBC: 30 is what silence means", "iLBC", "", "mode=30", true },
	{ "iLBC: frames of another length", "iLBC", "mode=20", "mode=30", false },
	{ "iLBC: frames of another length", "iLBC", "", "mode=20", false },
	{ "AMR: bits stand elsewhere", "AMR", "octet-align=1", "", false },
	{ "AMR: 0 is what silence means", "AMR", "octet-align=0", "", true },
	{ "AMR: order does not matter", "AMR", "crc=0;octet-align=1", "octet-align=1", true },
	{ "AMR: checksums take room", "AMR-WB", "octet-align=1;crc=1", "octet-align=1", false },
	{ "AMR: other modes", "AMR", "mode-set=0,2", "mode-set=7", false },
	{ "AMR: the same modes", "AMR", "mode-set=0,2", "mode-set=0,2", true },
	{ "AMR: every mode is taken", "AMR", "mode-set=0,2", "", true },
};

Test(desc, formats_are_compatible_when_payloads_may_pass)
{
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		struct tl_format a = { .codec = tl_codec_by_name(pairs[i].codec) }, b = a;

		g_strlcpy(a.fmtp, pairs[i].fmtp_a, sizeof a.fmtp);
		g_strlcpy(b.fmtp, pairs[i].fmtp_b, sizeof b.fmtp);
		cr_expect_eq(tl_format_compatible(&a, &b), pairs[i].compatible, "%s", pairs[i].why);
		cr_expect_eq(tl_format_compatible(&b, &a), pairs[i].compatible, "%s", pairs[i].why);
	}
}

Test(desc, other_codecs_are_never_compatible)
{
	struct tl_format a = { .codec = tl_codec_by_name("PCMA") };
	struct tl_format b = { .codec = tl_codec_by_name("PCMU") };

	cr_expect_not(tl_format_compatible(&a, &b));
}
