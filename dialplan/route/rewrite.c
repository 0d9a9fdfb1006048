#include "dialplan/route/rewrite.h"

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

/* How what is put in is made fit for its place. */
typedef void append_fn(GString *out, const char *text, size_t bytes);

static void append_plain(GString *out, const char *text, size_t bytes)
{
	g_string_append_len(out, text, bytes);
}

static void append_escaped(GString *out, const char *text, size_t bytes)
{
	g_autofree char *plain = g_strndup(text, bytes);
	/* RFC 3261 25.1: what stands unescaped in the user part */
	g_autofree char *escaped = g_uri_escape_string(plain, "!$&'()*+,;=?/", FALSE);

	g_string_append(out, escaped);
}

static void append_printable(GString *out, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)text[i] >= ' ' && text[i] != 0x7f)
			g_string_append_c(out, text[i]);
}

static void append_group(GString *out, const struct tl_pattern *pattern, const char *number,
			 unsigned group, append_fn *append)
{
	const char *text;
	size_t bytes;

	if (!pattern || group > pattern->n_groups)
		return;
	text = tl_pattern_group(pattern, number, group - 1, &bytes);
	append(out, text, bytes);
}

static char *expand(const char *text, const struct tl_pattern *pattern, const char *number,
		    append_fn *append)
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
			append(out, number, strlen(number));
		else
			append_group(out, pattern, number, *c - '0', append);
	}
	return g_string_free(out, FALSE);
}

char *tl_template_expand(const char *text, const struct tl_pattern *pattern, const char *number)
{
	return expand(text, pattern, number, append_plain);
}

char *tl_template_expand_uri(const char *text, const struct tl_pattern *pattern, const char *number)
{
	return expand(text, pattern, number, append_escaped);
}

char *tl_template_expand_header(const char *text, const struct tl_pattern *pattern,
				const char *number)
{
	return expand(text, pattern, number, append_printable);
}

char *tl_number_rewrite(const char *number, unsigned strip, const char *prefix)
{
	size_t bytes = strlen(number);

	return g_strconcat(prefix ? prefix : "", number + MIN(strip, bytes), NULL);
}
