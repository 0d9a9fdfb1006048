#include "b2bua/control/control_table.h"

#include <string.h>
#include <time.h>
#include <glib.h>
#include "b2bua/log.h"

enum {
	COLUMNS = 32,
	CELL_BYTES = 1024,
	INDENT = 2,
};
#define EARLIEST_MOMENT_MS INT64_C(1000000000000) /* the year 2001; no duration is as long */

struct column {
	const char *key;
	size_t width;
	bool numeric;
};

static size_t width_of(const char *text)
{
	return (size_t)g_utf8_strlen(text, -1);
}

/* "rtp_ports_free" -> "rtp ports free", "talk_s" -> "talk": units stand with the values. */
static char *title_of(const char *key)
{
	static const char *const units[] = { "_s", "_ms", "_us" };
	char *title = g_strdup(key);

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
		if (g_str_has_suffix(title, units[i]))
			title[strlen(title) - strlen(units[i])] = '\0';
	return g_strdelimit(title, "_", ' ');
}

static void format_seconds(int64_t s, char *buf, size_t bytes)
{
	if (s < 60)
		g_snprintf(buf, bytes, "%ds", (int)s);
	else if (s < 3600)
		g_snprintf(buf, bytes, "%dm%02ds", (int)(s / 60), (int)(s % 60));
	else if (s < 86400)
		g_snprintf(buf, bytes, "%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
	else
		g_snprintf(buf, bytes, "%dd%02dh", (int)(s / 86400), (int)(s / 3600 % 24));
}

static void format_moment(int64_t ms, char *buf, size_t bytes)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	localtime_r(&s, &tm);
	strftime(buf, bytes, "%Y-%m-%d %H:%M:%S", &tm);
}

static void format_integer(const char *key, int64_t number, char *buf, size_t bytes)
{
	if (g_str_has_suffix(key, "_s") && number >= 0)
		format_seconds(number, buf, bytes);
	else if (g_str_has_suffix(key, "_ms") && number >= EARLIEST_MOMENT_MS)
		format_moment(number, buf, bytes);
	else if (g_str_has_suffix(key, "_ms"))
		g_snprintf(buf, bytes, "%" G_GINT64_FORMAT " ms", number);
	else if (g_str_has_suffix(key, "_us"))
		g_snprintf(buf, bytes, "%.2f ms", (double)number / 1000);
	else
		g_snprintf(buf, bytes, "%" G_GINT64_FORMAT, number);
}

/* Strings, with commas between them. */
static void format_list(const json_t *list, char *buf, size_t bytes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (json_is_string(item))
			g_string_append_printf(text, "%s%s", text->len ? ", " : "",
					       json_string_value(item));
	}
	tl_log_quote(text->str, buf, bytes);
}

static void format_cell(const char *key, const json_t *value, char *buf, size_t bytes)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING: /* may come from the network; must not steer the terminal */
		tl_log_quote(json_string_value(value), buf, bytes);
		return;
	case JSON_INTEGER:
		format_integer(key, json_integer_value(value), buf, bytes);
		return;
	case JSON_REAL:
		g_snprintf(buf, bytes, "%.3g", json_real_value(value));
		return;
	case JSON_TRUE:
		g_strlcpy(buf, "yes", bytes);
		return;
	case JSON_FALSE:
		g_strlcpy(buf, "no", bytes);
		return;
	case JSON_ARRAY:
		if (json_array_size(value) == 0)
			break;
		format_list(value, buf, bytes);
		return;
	case JSON_NULL:
	case JSON_OBJECT:
		break;
	}
	g_strlcpy(buf, "-", bytes);
}

static void print_padded(const char *text, size_t width, bool right, bool last, FILE *out)
{
	int pad = (int)(width - MIN(width, width_of(text)));

	if (right)
		fprintf(out, "%*s%s", pad, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", out);
}

/* --- a list of objects --- */

static size_t find_columns(const json_t *rows, struct column columns[static COLUMNS])
{
	size_t n = 0, i, c;
	json_t *row, *value;
	const char *key;

	json_array_foreach(rows, i, row)
	{
		json_object_foreach(row, key, value)
		{
			for (c = 0; c < n && strcmp(columns[c].key, key) != 0; c++)
				;
			if (c == n && n < COLUMNS)
				columns[n++] = (struct column) { .key = key, .numeric = true };
		}
	}
	return n;
}

static void measure_column(const json_t *rows, struct column *column)
{
	g_autofree char *title = title_of(column->key);
	char cell[CELL_BYTES];
	json_t *row;
	size_t i;

	column->width = width_of(title);
	json_array_foreach(rows, i, row)
	{
		const json_t *value = json_object_get(row, column->key);

		format_cell(column->key, value, cell, sizeof(cell));
		column->width = MAX(column->width, width_of(cell));
		if (value && !json_is_number(value))
			column->numeric = false;
	}
}

static void print_table(const json_t *rows, FILE *out)
{
	struct column columns[COLUMNS];
	size_t n = find_columns(rows, columns), i;
	char cell[CELL_BYTES];
	json_t *row;

	for (size_t c = 0; c < n; c++) {
		g_autofree char *title = title_of(columns[c].key);
		g_autofree char *upper = g_ascii_strup(title, -1);

		measure_column(rows, &columns[c]);
		print_padded(upper, columns[c].width, columns[c].numeric, c + 1 == n, out);
	}
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n; c++) {
			format_cell(columns[c].key, json_object_get(row, columns[c].key), cell,
				    sizeof(cell));
			print_padded(cell, columns[c].width, columns[c].numeric, c + 1 == n, out);
		}
	}
}

/* --- one object --- */

static void print_value(const json_t *value, int indent, FILE *out);

static void print_object(const json_t *object, int indent, FILE *out)
{
	size_t width = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		g_autofree char *title = title_of(key);

		width = MAX(width, width_of(title));
	}
	json_object_foreach((json_t *)object, key, value)
	{
		g_autofree char *title = title_of(key);
		char cell[CELL_BYTES];

		fprintf(out, "%*s", indent, "");
		if (json_is_object(value) || json_is_array(value)) {
			fprintf(out, "%s\n", title);
			print_value(value, indent + INDENT, out);
			continue;
		}
		format_cell(key, value, cell, sizeof(cell));
		print_padded(title, width, false, false, out);
		fprintf(out, "%s\n", cell);
	}
}

static void print_value(const json_t *value, int indent, FILE *out)
{
	char cell[CELL_BYTES];
	json_t *item;
	size_t i;

	if (json_is_object(value)) {
		print_object(value, indent, out);
		return;
	}
	if (json_is_array(value) && json_array_size(value) == 0) {
		fprintf(out, "%*snone\n", indent, "");
		return;
	}
	if (json_is_array(value) && indent == 0 && json_is_object(json_array_get(value, 0))) {
		print_table(value, out);
		return;
	}
	if (json_is_array(value)) {
		json_array_foreach(value, i, item) print_value(item, indent, out);
		return;
	}
	format_cell("", value, cell, sizeof(cell));
	fprintf(out, "%*s%s\n", indent, "", cell);
}

void tl_table_print(const json_t *value, FILE *out)
{
	print_value(value, 0, out);
}
