#include "dialplan/text/ini.h"

#include <string.h>

enum section_state {
	SECTION_NONE, /* before the first header of this file */
	SECTION_OPEN,
	SECTION_BROKEN, /* its header was a mistake: what it holds is skipped */
};

/* One file on its way through the reader. */
struct reader {
	struct tl_ini *ini;
	struct tl_place at; /* the line at hand; column 1 */
	unsigned depth;
	enum section_state state;
	bool may_include;
	GArray *includes; /* struct tl_value: those of the open section, read at its end */
};

void tl_ini_init(struct tl_ini *ini, struct tl_pool *pool, struct tl_diags *diags)
{
	*ini = (struct tl_ini) { .pool = pool, .diags = diags };
	ini->sections = g_array_new(FALSE, FALSE, sizeof(struct tl_ini_section));
	ini->entries = g_array_new(FALSE, FALSE, sizeof(struct tl_value));
	ini->files = g_array_new(FALSE, FALSE, sizeof(struct tl_ini_file));
}

void tl_ini_done(struct tl_ini *ini)
{
	g_array_unref(ini->sections);
	g_array_unref(ini->entries);
	g_array_unref(ini->files);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct tl_place column(const struct reader *r, const char *line, const char *at)
{
	struct tl_place place = r->at;

	place.column = at - line + 1;
	return place;
}

/* The end of the quoted text that opens at start, behind its closing quote; NULL: it never closes.
 */
static const char *quote_end(const char *start)
{
	for (const char *c = start + 1; *c; c++)
		if (*c == '"' && (!c[1] || c[1] == ',' || is_space(c[1])))
			return c + 1;
	return NULL;
}

/* Cuts a trailing comment and white space off text, outside quotes. */
static void cut_comment(char *text)
{
	bool item_start = true;
	char *end = text;

	for (char *c = text; *c; c++) {
		const char *close = item_start && *c == '"' ? quote_end(c) : NULL;

		if (*c == ';' && (c == text || is_space(c[-1])))
			break;
		if (close)
			c = text + (close - text) - 1;
		item_start = *c == ',' || (item_start && is_space(*c));
		if (!is_space(*c))
			end = c + 1;
	}
	*end = '\0';
}

static bool check_full(struct reader *r, size_t n, size_t limit, const char *what)
{
	if (n < limit)
		return false;
	if (!r->ini->full)
		tl_diags_add(r->ini->diags, &r->at, "more than %zu %s", limit, what);
	r->ini->full = true;
	return true;
}

static void read_pending_includes(struct reader *r)
{
	g_autoptr(GArray) includes = g_steal_pointer(&r->includes);

	r->includes = g_array_new(FALSE, FALSE, sizeof(struct tl_value));
	for (unsigned i = 0; i < includes->len; i++)
		tl_ini_include(r->ini, &g_array_index(includes, struct tl_value, i), r->depth);
}

/* line is "[kind name]", possibly with a comment behind it. */
static void read_header(struct reader *r, char *line, char *start)
{
	struct tl_ini_section section = { .at = column(r, line, start) };
	char *end = strchr(start, ']');
	char *kind = start + 1, *name;

	read_pending_includes(r);
	r->state = SECTION_BROKEN;
	cut_comment(end ? end : start);
	if (!end || end[1]) {
		tl_diags_add(r->ini->diags, &section.at,
			     "expected \"]\" at the end of a section's line");
		return;
	}
	if (check_full(r, r->ini->sections->len, TL_INI_SECTIONS, "sections"))
		return;

	*end = '\0';
	kind += strspn(kind, " \t");
	name = kind + strcspn(kind, " \t");
	if (*name)
		*name++ = '\0';
	name += strspn(name, " \t");
	g_strchomp(name);

	section.kind = tl_pool_strdup(r->ini->pool, kind);
	section.name = tl_pool_strdup(r->ini->pool, name);
	section.name_at = column(r, line, *name ? name : kind);
	section.first = r->ini->entries->len;
	g_array_append_val(r->ini->sections, section);
	r->state = SECTION_OPEN;
	r->may_include = strcmp(kind, "gateway") == 0;
}

static void add_entry(struct reader *r, const struct tl_value *entry)
{
	GArray *sections = r->ini->sections;

	if (check_full(r, r->ini->entries->len, TL_INI_ENTRIES, "lines of key = value"))
		return;
	g_array_append_val(r->ini->entries, *entry);
	g_array_index(sections, struct tl_ini_section, sections->len - 1).n++;
}

static void place_entry(struct reader *r, const struct tl_value *entry)
{
	if (strcmp(entry->key, "include") == 0 && (r->state == SECTION_NONE || r->may_include)) {
		g_array_append_val(r->includes, *entry);
		if (r->state == SECTION_NONE)
			read_pending_includes(r);
		return;
	}
	if (r->state == SECTION_NONE) {
		tl_diags_add(r->ini->diags, &entry->key_at,
			     "only include may stand before the first [section]");
		return;
	}
	add_entry(r, entry);
}

/* line is "key = value", possibly with a comment behind it. */
static void read_entry(struct reader *r, char *line, char *start)
{
	struct tl_value entry = { .key_at = column(r, line, start) };
	char *equals = strchr(start, '=');
	char *value;

	if (r->state == SECTION_BROKEN)
		return;
	if (!equals || equals == start) {
		tl_diags_add(r->ini->diags, &entry.key_at,
			     "expected \"key = value\" or \"[section]\"");
		return;
	}
	value = equals + 1;
	value += strspn(value, " \t");
	*equals = '\0';
	cut_comment(value);
	entry.key = tl_pool_strdup(r->ini->pool, g_strchomp(start));
	entry.at = column(r, line, value);
	entry.text = tl_pool_strdup(r->ini->pool, value);
	if (!*value) {
		g_autofree char *key = tl_quote(entry.key);

		tl_diags_add(r->ini->diags, &entry.key_at,
			     "%s has no value: give one, or leave the line out", key);
		return;
	}
	if (*value == '"' && !quote_end(value)) {
		tl_diags_add(r->ini->diags, &entry.at,
			     "the quote is not closed: it ends with \" before a comma, white space "
			     "or the end of the line");
		return;
	}
	place_entry(r, &entry);
}

/* False and a mistake when the line is not text. */
static bool check_text(struct reader *r, const char *line, size_t bytes)
{
	struct tl_place at = r->at;
	const char *end;

	if (bytes > TL_INI_LINE_BYTES) {
		tl_diags_add(r->ini->diags, &at, "line of %zu bytes; at most %d are read", bytes,
			     TL_INI_LINE_BYTES);
		return false;
	}
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = line[i];

		if ((c >= ' ' || c == '\t') && c != 0x7f)
			continue;
		at.column = i + 1;
		tl_diags_add(r->ini->diags, &at, "control character 0x%02x", c);
		return false;
	}
	if (!g_utf8_validate(line, bytes, &end)) {
		at.column = end - line + 1;
		tl_diags_add(r->ini->diags, &at, "not UTF-8");
		return false;
	}
	return true;
}

static void read_line(struct reader *r, const char *text, size_t bytes)
{
	g_autofree char *line = NULL;
	char *start;

	if (!check_text(r, text, bytes))
		return;
	line = g_strndup(text, bytes);
	start = line + strspn(line, " \t");
	if (!*start || *start == ';' || *start == '#')
		return;
	if (*start == '[')
		read_header(r, line, start);
	else
		read_entry(r, line, start);
}

void tl_ini_read(struct tl_ini *ini, const char *text, size_t bytes, unsigned file_order,
		 unsigned depth)
{
	const char *path = g_array_index(ini->files, struct tl_ini_file, file_order).path;
	struct reader r = { .ini = ini, .depth = depth };
	const char *end = text + bytes;

	r.at = (struct tl_place) { path, file_order, 0, 1 };
	r.includes = g_array_new(FALSE, FALSE, sizeof(struct tl_value));
	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* byte order mark */
		text += 3;
	if (end - text >= 2 &&
	    (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
		r.at.line++;
		tl_diags_add(ini->diags, &r.at, "UTF-16, expected UTF-8");
		text = end;
	}
	while (text < end && !ini->full) {
		const char *newline = memchr(text, '\n', end - text);
		const char *stop = newline ? newline : end;
		size_t n = stop - text;

		r.at.line++;
		read_line(&r, text, n && stop[-1] == '\r' ? n - 1 : n);
		text = newline ? newline + 1 : end;
	}
	read_pending_includes(&r);
	g_array_unref(r.includes);
}

bool tl_value_next(struct tl_pool *pool, struct tl_value *rest, struct tl_value *ret_item)
{
	const char *start, *c;
	size_t bytes;

	if (!rest->text)
		return false;
	start = rest->text + strspn(rest->text, " \t");
	c = *start == '"' ? quote_end(start) : NULL;
	c = c ? c : start;
	c += strcspn(c, ",");
	for (bytes = c - start; bytes && is_space(start[bytes - 1]); bytes--)
		;
	*ret_item = *rest;
	ret_item->at.column += start - rest->text;
	ret_item->text = tl_pool_strndup(pool, start, bytes);
	rest->at.column += *c ? c + 1 - rest->text : 0;
	rest->text = *c ? c + 1 : NULL;
	return true;
}

const char *tl_value_unquote(struct tl_pool *pool, const struct tl_value *value)
{
	size_t bytes = strlen(value->text);

	if (bytes < 2 || value->text[0] != '"' || value->text[bytes - 1] != '"')
		return value->text;
	return tl_pool_strndup(pool, value->text + 1, bytes - 2);
}
