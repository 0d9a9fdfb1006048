#pragma once
/* Text of strangers, made fit for XML, JSON and the database. Any thread. */
#include <glib.h>
#include <string.h>

/* A copy that is valid UTF-8, of bytes bytes at most, with no character cut in two; g_free(). */
static inline char *tl_utf8_copy(const char *text, size_t bytes)
{
	char *copy = g_utf8_make_valid(text, -1);

	if (strlen(copy) > bytes)
		*g_utf8_find_prev_char(copy, copy + bytes + 1) = '\0';
	return copy;
}
