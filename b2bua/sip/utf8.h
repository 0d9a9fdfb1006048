#pragma once
/* Text of strangers, made fit for XML, JSON and the database. Any thread. */
#include <glib.h>
#include <string.h>

/* A copy that is valid UTF-8, of bytes bytes at most, with no character cut in two; g_free().
 * Controls become spaces, and what is no character is marked as such: XML bears neither (XML 1.0
 * 2.2), and a terminal would obey the former. */
static inline char *tl_utf8_copy(const char *text, size_t bytes)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* as long as what it replaces */
	char *copy = g_utf8_make_valid(text, -1), *next;

	for (char *at = copy; *at; at = next) {
		gunichar c = g_utf8_get_char(at);

		next = g_utf8_next_char(at);
		if (g_unichar_iscntrl(c))
			memset(at, ' ', (size_t)(next - at));
		else if (c == 0xfffe || c == 0xffff)
			memcpy(at, replacement, sizeof(replacement) - 1);
	}
	if (strlen(copy) > bytes)
		*g_utf8_find_prev_char(copy, copy + bytes + 1) = '\0';
	return copy;
}
