#include "dialplan/text/diags.h"

#include <string.h>
#include "dialplan/dialplan.h"

struct diag {
	unsigned file_order, line, column;
	unsigned order; /* of discovery: keeps the sort stable */
	char *text;
};

struct tl_diags {
	GArray *list;
	size_t dropped;
};

static void clear_diag(void *data)
{
	g_free(((struct diag *)data)->text);
}

struct tl_diags *tl_diags_new(void)
{
	struct tl_diags *diags = g_new0(struct tl_diags, 1);

	diags->list = g_array_new(FALSE, FALSE, sizeof(struct diag));
	g_array_set_clear_func(diags->list, clear_diag);
	return diags;
}

void tl_diags_free(struct tl_diags *diags)
{
	if (!diags)
		return;
	g_array_unref(diags->list);
	g_free(diags);
}

size_t tl_diags_count(const struct tl_diags *diags)
{
	return diags ? diags->list->len : 0;
}

const char *tl_diags_text(const struct tl_diags *diags, size_t i)
{
	return g_array_index(diags->list, struct diag, i).text;
}

static char *place_text(const struct tl_place *at)
{
	if (!at->line)
		return g_strdup(at->file);
	return g_strdup_printf("%s:%u:%u", at->file, at->line, at->column);
}

void tl_diags_add(struct tl_diags *diags, const struct tl_place *at, const char *format, ...)
{
	g_autofree char *place = place_text(at);
	g_autofree char *what = NULL;
	struct diag diag;
	va_list args;

	if (diags->list->len >= TL_DIAGS_MAX) {
		diags->dropped++;
		return;
	}
	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);

	diag = (struct diag) { at->file_order, at->line, at->column, diags->list->len, NULL };
	diag.text = g_strdup_printf("%s: %s", place, what);
	g_array_append_val(diags->list, diag);
}

static int compare(const void *left, const void *right)
{
	const struct diag *a = left, *b = right;

	if (a->file_order != b->file_order)
		return a->file_order < b->file_order ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* A line that several sections take over is wrong in each of them, and said once. */
static void drop_repeated(GArray *list)
{
	for (unsigned i = 1; i < list->len;)
		if (strcmp(g_array_index(list, struct diag, i - 1).text,
			   g_array_index(list, struct diag, i).text) == 0)
			g_array_remove_index(list, i);
		else
			i++;
}

void tl_diags_close(struct tl_diags *diags)
{
	struct diag more = { 0 };

	g_array_sort(diags->list, compare);
	drop_repeated(diags->list);
	if (!diags->dropped)
		return;
	more.text = g_strdup_printf("and %zu more mistakes", diags->dropped);
	g_array_append_val(diags->list, more);
	diags->dropped = 0;
}

char *tl_quote(const char *text)
{
	g_autofree char *safe = g_utf8_make_valid(text, -1);
	GString *out = g_string_new("\"");

	for (const char *c = safe; *c; c = g_utf8_next_char(c)) {
		gunichar u = g_utf8_get_char(c);

		if (out->len > TL_DIAGS_QUOTE_BYTES) {
			g_string_append(out, "…");
			break;
		}
		if (g_unichar_isprint(u))
			g_string_append_unichar(out, u);
		else
			g_string_append_printf(out, "\\u%04x", u);
	}
	return g_string_free(g_string_append_c(out, '"'), FALSE);
}

static bool same(char a, char b)
{
	return g_ascii_tolower(a) == g_ascii_tolower(b);
}

/* Optimal string alignment: insert, delete, replace and swap neighbours cost 1 each. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned rows[3][TL_SUGGEST_BYTES + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = MIN(last[j], now[j - 1]) + 1;
			now[j] = MIN(now[j], last[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[n];
}

const char *tl_suggest(const char *word, const char *const *names, size_t n)
{
	size_t bytes = strlen(word);
	unsigned best = MAX(1, MIN(bytes / 3, 3)) + 1;
	const char *nearest = NULL;

	if (!bytes || bytes > TL_SUGGEST_BYTES)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(names[i]);
		unsigned distance;

		if (other > TL_SUGGEST_BYTES ||
		    (other > bytes ? other - bytes : bytes - other) >= best)
			continue;
		distance = edit_distance(word, names[i]);
		if (distance < best && distance < MAX(bytes, other)) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

char *tl_suggest_text(const char *word, const char *const *names, size_t n)
{
	const char *nearest = tl_suggest(word, names, n);

	return nearest ? g_strdup_printf(" (did you mean \"%s\"?)", nearest) : g_strdup("");
}
