/* Text of strangers, made fit for whoever reads it. */
#include "b2bua/sip/utf8.h"

#include <criterion/criterion.h>

enum { BYTES = 8 };

static const struct {
	const char *why, *text, *copy;
} cases[] = {
	{ "plain", "a phone", "a phone" },
	{ "what a mark-up escapes later", "<&\"'>", "<&\"'>" },
	{ "as long as it may be", "12345678", "12345678" },
	{ "too long", "123456789", "12345678" },
	{ "a character that just fits", "123456\xc3\xa9", "123456\xc3\xa9" },
	{ "one that would be cut", "1234567\xc3\xa9", "1234567" },
	{ "one of four bytes", "12345\xf0\x9f\x98\x80x", "12345" },
	{ "no UTF-8", "a\xff\x62", "a\xef\xbf\xbd\x62" },
	{ "half a character at the end", "a\xc3", "a\xef\xbf\xbd" },
	{ "what is longer when it is valid", "1234567\xff", "1234567" },
	{ "controls", "a\x01\x1b[1m\x7f", "a  [1m " },
	{ "a control of two bytes", "a\xc2\x9b\x31m", "a  1m" },
	{ "no character", "a\xef\xbf\xbe\xef\xbf\xbf", "a\xef\xbf\xbd\xef\xbf\xbd" },
	{ "nothing", "", "" },
};

Test(utf8, copies_are_fit_to_be_read)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *copy = tl_utf8_copy(cases[i].text, BYTES);

		cr_expect_str_eq(copy, cases[i].copy, "%s: %s", cases[i].why, copy);
	}
}
