#include "dialplan/rewrite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

int tl_template_check(const char *text, size_t *ret_offset)
{
	int highest = 0;

	for (const char *c = strchr(text, '$'); c; c = strchr(c + 2, '$')) {
		if (c[1] != '$' && !g_ascii_isdigit(c[1])) {
			*ret_offset = c - text;
			return -EINVAL;
		}
		if (g_ascii_isdigit(c[1]))
			highest = MAX(highest, c[1] - '0');
	}
	return highest;
}

static void append_group(GString *out, const struct tl_pattern *pattern, const char *number,
			 unsigned group)
{
	const char *text;
	size_t bytes;

	if (!pattern || group > pattern->n_groups)
		return;
	text = tl_pattern_group(pattern, number, group - 1, &bytes);
	g_string_append_len(out, text, bytes);
}

char *tl_template_expand(const char *text, const struct tl_pattern *pattern, const char *number)
{
	GString *out = g_string_new(NULL);

	if (pattern && !tl_pattern_match(pattern, number))
		pattern = NULL;
	for (const char *c = text; *c; c++) {
		if (*c != '$')
			g_string_append_c(out, *c);
		else if (*++c == '$')
			g_string_append_c(out, '$');
		else if (*c == '0')
			g_string_append(out, number);
		else
			append_group(out, pattern, number, *c - '0');
	}
	return g_string_free(out, FALSE);
}

char *tl_number_rewrite(const char *number, unsigned strip, const char *prefix)
{
	size_t bytes = strlen(number);

	return g_strconcat(prefix ? prefix : "", number + MIN(strip, bytes), NULL);
}
