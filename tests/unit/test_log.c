#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "b2bua/log.h"

static const struct {
	const char *why, *text, *quoted;
	unsigned long bytes;
} quotes[] = {
	{ "plain text stays", "sip:alice@example.org", "sip:alice@example.org", 64 },
	{ "quotes and backslashes are escaped", "a\"b\\c", "a\\\"b\\\\c", 64 },
	{ "line ends can't forge a log line", "x\r\nend", "x\\x0d\\x0aend", 64 },
	{ "a terminal's escape is shown", "\x1b[2J", "\\x1b[2J", 64 },
	{ "UTF-8 stays", "Jörg", "Jörg", 64 },
	{ "other bytes are shown in hex", "J\xf6rg", "J\\xf6rg", 64 },
	{ "a C1 control hides in UTF-8",
	  "a\xc2\x9b"
	  "b",
	  "a?b", 64 },
	{ "text may run right to left, overrides may not",
	  "a\xe2\x80\xae"
	  "b",
	  "a?b", 64 },
	{ "cut at the end of the buffer", "abcdef", "abc", 4 },
	{ "an escape is never cut in two", "ab\n", "ab", 5 },
	{ "a character is never cut in two", "aö", "a", 3 },
	{ "nothing at all", NULL, "", 4 },
	{ "room for NUL only", "abc", "", 1 },
};

Test(log, quotes_text_from_the_network)
{
	for (size_t i = 0; i < G_N_ELEMENTS(quotes); i++) {
		char buf[64];

		cr_assert_str_eq(tl_log_quote(quotes[i].text, buf, quotes[i].bytes),
				 quotes[i].quoted, "%s", quotes[i].why);
	}
}

Test(log, lets_one_line_a_second_pass)
{
	struct tl_log_limit limit = { 0 };
	unsigned skipped = 99;

	cr_expect(tl_log_allow(&limit, &skipped));
	cr_expect_eq(skipped, 0);
	cr_expect_not(tl_log_allow(&limit, &skipped));
	cr_expect_not(tl_log_allow(&limit, &skipped));

	limit.next_us = 0; /* the second has passed */
	cr_expect(tl_log_allow(&limit, &skipped));
	cr_expect_eq(skipped, 2);
}

/* What stderr got, up to its end. */
static char *read_stderr(void)
{
	FILE *err = cr_get_redirected_stderr();
	char *text = g_malloc0(65536);

	fflush(stderr);
	cr_expect_gt(fread(text, 1, 65535, err), 0u);
	return text;
}

Test(log, writes_one_line_an_event, .init = cr_redirect_stderr)
{
	g_autofree char *text = NULL;

	tl_log_init(false);
	g_debug("unheard");
	g_message("call=6f1c03 end by=a");
	g_warning("two\nlines");
	text = read_stderr();
	cr_expect_not(strstr(text, "unheard"));
	cr_expect(strstr(text, " notice call=6f1c03 end by=a\n"), "%s", text);
	cr_expect(strstr(text, " warning two\\x0alines\n"), "%s", text);
	cr_expect_eq(text[2], ':');
	cr_expect_eq(text[8], '.');
}

Test(log, cuts_an_endless_line, .init = cr_redirect_stderr)
{
	g_autofree char *text = NULL;
	g_autofree char *endless = g_strnfill(20000, 'x');

	tl_log_init(true);
	g_debug("%s", endless);
	text = read_stderr();
	cr_expect_lt(strlen(text), 4097u);
	cr_expect_eq(text[strlen(text) - 1], '\n');
}

enum { LONG_LINE = 2000, LINES = 4000, LINES_KEPT_MIN = 1500 };

/* stderr is a pipe that nobody reads; its end to read from. */
static int unread_stderr(void)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

Test(log, tells_how_many_lines_were_lost_where_they_would_stand)
{
	int out = unread_stderr();
	g_autofree char *filling = g_strnfill(LONG_LINE, 'x');
	unsigned lines = 0, lost = 0;
	bool after = false;
	char line[4096];
	FILE *read;

	tl_log_init(false);
	tl_log_detach();
	for (unsigned i = 0; i < LINES; i++)
		g_message("n=%u %s", i, filling);

	read = fdopen(out, "r");
	while (!after && fgets(line, sizeof line, read)) {
		const char *at = strstr(line, "notice n=");

		if (at) {
			cr_assert_eq(g_ascii_strtoull(at + strlen("notice n="), NULL, 10), lines);
			if (++lines == LINES_KEPT_MIN / 2)
				g_message("later"); /* there is room again by then, or soon */
		} else if ((at = strstr(line, "lost="))) {
			lost = (unsigned)g_ascii_strtoull(at + strlen("lost="), NULL, 10);
		} else if (strstr(line, "later")) {
			after = true;
		}
	}
	cr_expect_geq(lines, LINES_KEPT_MIN);
	cr_expect_eq(lines + lost, LINES);
	cr_expect(after && lost > 0);
	tl_log_end();
}

Test(log, a_fatal_line_ends_the_process_though_nobody_reads, .signal = SIGTRAP, .timeout = 20)
{
	g_autofree char *filling = g_strnfill(LONG_LINE, 'x');

	(void)unread_stderr();
	tl_log_init(false);
	tl_log_detach();
	for (unsigned i = 0; i < LINES; i++)
		g_message("n=%u %s", i, filling);
	g_error("the end");
}

Test(log, ends_though_nobody_reads)
{
	g_autofree char *filling = g_strnfill(LONG_LINE, 'x');
	int64_t began_us;
	(void)unread_stderr();
	tl_log_init(false);
	tl_log_detach();
	for (unsigned i = 0; i < LINES; i++)
		g_message("n=%u %s", i, filling);
	began_us = g_get_monotonic_time();
	tl_log_end();
	cr_expect_geq(g_get_monotonic_time() - began_us, G_USEC_PER_SEC / 2);
}
