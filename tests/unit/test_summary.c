#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include "b2bua/event/summary.h"

Test(summary, reads_what_voice_mail_systems_say)
{
	const char *text =
		"messages-waiting : YES\r\nMessage-Account: sip:x@y\r\n"
		"Voice-Message: 2/8 (1/0)\r\nfax-message:3 / 4\r\nPager-Message: many\r\n";
	struct tl_summary summary;
	g_autofree char *written = NULL;

	cr_assert_eq(tl_summary_parse(text, strlen(text), &summary), 0);
	written = tl_summary_write(&summary, "sip:1001@pbx");
	cr_expect_str_eq(written, "Messages-Waiting: yes\r\nMessage-Account: sip:1001@pbx\r\n"
				  "Voice-Message: 2/8 (1/0)\r\nFax-Message: 3/4 (0/0)\r\n");
}

static const struct {
	const char *why, *text;
	int r;
	bool waiting;
} cases[] = {
	{ "no", "Messages-Waiting: no\r\n", 0, false },
	{ "the line's end may be missing", "Messages-Waiting: yes", 0, true },
	{ "lines end with LF, too", "\nMessages-Waiting: yes\n", 0, true },
	{ "any other word is no", "Messages-Waiting: perhaps", 0, false },
	{ "it does not say", "Voice-Message: 1/1\r\n", -EBADMSG, false },
	{ "nothing", "", -EBADMSG, false },
	{ "numbers without end are cut",
	  "Messages-Waiting: yes\nVoice-Message: "
	  "99999999999999999999999/1",
	  0, true },
};

Test(summary, takes_or_refuses)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_summary summary = { 0 };

		cr_expect_eq(tl_summary_parse(cases[i].text, strlen(cases[i].text), &summary),
			     cases[i].r, "%s", cases[i].why);
		cr_expect_eq(summary.waiting, cases[i].waiting, "%s", cases[i].why);
		cr_expect_leq(summary.counts[TL_SUMMARY_VOICE].fresh, 999999);
	}
}

Test(summary, is_bounded)
{
	g_autofree char *big = g_strnfill(TL_SUMMARY_BYTES + 1, '\n');
	struct tl_summary summary;

	cr_expect_eq(tl_summary_parse(big, strlen(big), &summary), -E2BIG);
}
