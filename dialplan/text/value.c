#include "dialplan/text/value.h"

#include <stdarg.h>
#include <string.h>

enum { SUGGESTIONS_MAX = 200 };

static const char *const flag_words[] = { "no", "yes", NULL };

/* RTP names that media/plan/codec_table.c has rows for; the media layer decides what of it runs
 * here. */
static const char *const codec_names[] = {
	"opus",         "G722",      "PCMA",      "PCMU",         "G729",         "G723",
	"GSM",          "iLBC",      "speex",     "speex/8000",   "speex/16000",  "L16",
	"L16/8000",     "L16/16000", "L16/44100", "L16/44100/2",  "L16/48000",    "G726-16",
	"G726-24",      "G726-32",   "G726-40",   "AAL2-G726-16", "AAL2-G726-24", "AAL2-G726-32",
	"AAL2-G726-40", "AMR",       "AMR-WB",
};

bool tl_mistake(struct tl_parse *p, const struct tl_value *value, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	tl_diags_add(p->diags, &value->at, "%s: %s", value->key, text);
	return false;
}

bool tl_mistake_expected(struct tl_parse *p, const struct tl_value *value, const char *what)
{
	g_autofree char *quoted = tl_quote(value->text);

	return tl_mistake(p, value, "expected %s, not %s", what, quoted);
}

char *tl_suggest_section(struct tl_parse *p, enum tl_section section, const char *name)
{
	GPtrArray *names = p->names[section];

	if (!names || p->suggestions++ >= SUGGESTIONS_MAX)
		return g_strdup("");
	for (unsigned i = 0; i < names->len; i++)
		if (strcmp(names->pdata[i], name) == 0) /* and yet it was not found */
			return g_strdup(" that is more than a model for others");
	return tl_suggest_text(name, (const char *const *)names->pdata, names->len);
}

void tl_list_store(struct tl_parse *p, const struct tl_key *key, GArray *list, void *object)
{
	void *copy = tl_pool_copy(p->pool, list->data, list->len, g_array_get_element_size(list));
	size_t n = list->len;

	memcpy(tl_field(object, key), &copy, sizeof(copy));
	memcpy(tl_field2(object, key), &n, sizeof(n));
	g_array_unref(list);
}

static bool store_text(const struct tl_key *key, const char *text, void *object)
{
	*(const char **)tl_field(object, key) = text;
	return true;
}

bool tl_parse_text(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	return store_text(key, tl_value_unquote(p->pool, value), object);
}

bool tl_parse_secret(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	return tl_parse_text(p, key, value, object);
}

static bool parse_hash(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		       void *object, size_t digits, const char *name)
{
	const char *text = value->text;

	if (strlen(text) != digits || strspn(text, "0123456789abcdefABCDEF") != digits)
		return tl_mistake(p, value, "expected %zu hex digits: %s of user:realm:password",
				  digits, name);
	return store_text(key, tl_pool_take(p->pool, g_ascii_strdown(text, -1)), object);
}

bool tl_parse_ha1(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		  void *object)
{
	return parse_hash(p, key, value, object, 32, "MD5");
}

bool tl_parse_ha1_sha256(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			 void *object)
{
	return parse_hash(p, key, value, object, 64, "SHA-256");
}

bool tl_parse_token(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		    void *object)
{
	for (const char *c = value->text; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("._-+", *c))
			return tl_mistake_expected(
				p, value,
				"one word of letters, digits, \".\", \"_\", \"-\", \"+\"");
	return tl_parse_text(p, key, value, object);
}

bool tl_parse_path(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	const char *path = tl_value_unquote(p->pool, value);

	if (!*path)
		return tl_mistake_expected(p, value, "a path");
	if (!g_path_is_absolute(path))
		path = tl_pool_take(p->pool, g_canonicalize_filename(path, p->base_dir));
	return store_text(key, path, object);
}

/* Index of the word, or -1 after a mistake that lists the words. */
static int find_word(struct tl_parse *p, const struct tl_value *value, const char *const *words)
{
	g_autofree char *quoted = NULL, *all = NULL, *hint = NULL;
	int n = 0;

	for (; words[n]; n++)
		if (g_ascii_strcasecmp(words[n], value->text) == 0)
			return n;
	quoted = tl_quote(value->text);
	all = g_strjoinv(", ", (char **)words);
	hint = tl_suggest_text(value->text, words, n);
	tl_mistake(p, value, "expected one of %s, not %s%s", all, quoted, hint);
	return -1;
}

bool tl_parse_word(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	int i = find_word(p, value, key->words);

	if (i < 0)
		return false;
	*(int *)tl_field(object, key) = i;
	return true;
}

bool tl_parse_flag(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	int i = find_word(p, value, flag_words);

	if (i < 0)
		return false;
	*(bool *)tl_field(object, key) = i == 1;
	return true;
}

bool tl_parse_record(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	/* in the order of enum tl_record_mode, then the short forms of the first two */
	static const char *const words[] = { "off", "stereo", "mono", "no", "yes", NULL };
	int i = find_word(p, value, words);

	if (i < 0)
		return false;
	*(enum tl_record_mode *)tl_field(object, key) = i < _TL_RECORD_MAX ? i : i - _TL_RECORD_MAX;
	return true;
}

bool tl_number_read(const char *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!g_ascii_isdigit(*text) || number > (max - (*text - '0')) / 10)
			return false;
		number = number * 10 + (*text - '0');
	}
	*ret_number = number;
	return number <= max;
}

bool tl_parse_number(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	g_autofree char *expected = NULL;
	uint64_t number;

	if (tl_number_read(value->text, key->max, &number) && number >= (uint64_t)key->min) {
		*(unsigned *)tl_field(object, key) = number;
		return true;
	}
	expected = g_strdup_printf("a number %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, key->min,
				   key->max);
	return tl_mistake_expected(p, value, expected);
}

bool tl_duration_read(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }
	};
	int64_t sum = 0, last = INT64_MAX;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return true;
	}
	while (*text) {
		size_t digits = strspn(text, "0123456789");
		const char *unit = text + digits;
		size_t letters = strspn(unit, "abcdefghijklmnopqrstuvwxyz"), i;

		for (i = 0; i < G_N_ELEMENTS(units); i++)
			if (strlen(units[i].unit) == letters &&
			    !strncmp(unit, units[i].unit, letters))
				break;
		/* nine digits of the largest unit stay below the limit of int64_t; units fall */
		if (!digits || digits > 9 || i == G_N_ELEMENTS(units) || units[i].ms >= last)
			return false;
		last = units[i].ms;
		sum += g_ascii_strtoll(text, NULL, 10) * last;
		text = unit + letters;
	}
	*ret_ms = sum;
	return last != INT64_MAX;
}

/* "1h" rather than "3600s", as a user would write it. */
static char *seconds_text(int64_t s)
{
	if (s && s % 86400 == 0)
		return g_strdup_printf("%" G_GINT64_FORMAT "d", s / 86400);
	if (s && s % 3600 == 0)
		return g_strdup_printf("%" G_GINT64_FORMAT "h", s / 3600);
	if (s && s % 60 == 0)
		return g_strdup_printf("%" G_GINT64_FORMAT "m", s / 60);
	return g_strdup_printf("%" G_GINT64_FORMAT "s", s);
}

bool tl_parse_seconds(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		      void *object)
{
	int64_t ms;

	if (!tl_duration_read(value->text, &ms) || ms % 1000 || ms / 1000 < key->min ||
	    ms / 1000 > key->max) {
		g_autofree char *low = seconds_text(key->min), *high = seconds_text(key->max);
		g_autofree char *expected =
			g_strdup_printf("a time such as 25s, 2m or 1h, from %s to %s", low, high);

		return tl_mistake_expected(p, value, expected);
	}
	*(unsigned *)tl_field(object, key) = ms / 1000;
	return true;
}

/* Cuts text in two at its only '-', both ends trimmed; false: not so. */
static bool cut_range(const char *text, char **ret_low, char **ret_high)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 3);

	if (g_strv_length(ends) != 2)
		return false;
	*ret_low = g_strdup(g_strstrip(ends[0]));
	*ret_high = g_strdup(g_strstrip(ends[1]));
	return true;
}

bool tl_parse_ms(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		 void *object)
{
	int64_t ms;

	if (!tl_duration_read(value->text, &ms) || ms < key->min || ms > key->max) {
		g_autofree char *expected =
			g_strdup_printf("a time such as 100ms, from %" G_GINT64_FORMAT
					"ms to %" G_GINT64_FORMAT "ms",
					key->min, key->max);

		return tl_mistake_expected(p, value, expected);
	}
	*(unsigned *)tl_field(object, key) = ms;
	return true;
}

bool tl_parse_ms_range(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		       void *object)
{
	g_autofree char *low = NULL, *high = NULL;
	int64_t low_ms, high_ms;

	if (!cut_range(value->text, &low, &high) || !tl_duration_read(low, &low_ms) ||
	    !tl_duration_read(high, &high_ms) || low_ms < key->min || high_ms > key->max ||
	    low_ms > high_ms) {
		g_autofree char *expected =
			g_strdup_printf("a range such as 20ms-200ms, within %" G_GINT64_FORMAT
					"ms and %" G_GINT64_FORMAT "ms",
					key->min, key->max);

		return tl_mistake_expected(p, value, expected);
	}
	*(unsigned *)tl_field(object, key) = low_ms;
	*(unsigned *)tl_field2(object, key) = high_ms;
	return true;
}

bool tl_parse_port_range(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			 void *object)
{
	g_autofree char *low = NULL, *high = NULL;
	uint64_t min, max;

	if (!cut_range(value->text, &low, &high) || !tl_number_read(low, key->max, &min) ||
	    !tl_number_read(high, key->max, &max) || min < (uint64_t)key->min || max <= min)
		return tl_mistake_expected(p, value, "a range of ports such as 16384-32767");
	*(uint16_t *)tl_field(object, key) = min;
	*(uint16_t *)tl_field2(object, key) = max;
	return true;
}

static bool append_codec(struct tl_parse *p, const struct tl_value *item, GArray *list)
{
	g_autofree char *quoted = NULL, *hint = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(codec_names); i++) {
		if (g_ascii_strcasecmp(codec_names[i], item->text) != 0)
			continue;
		for (unsigned k = 0; k < list->len; k++)
			if (g_array_index(list, const char *, k) == codec_names[i])
				return tl_mistake(p, item, "%s is listed twice", codec_names[i]);
		g_array_append_val(list, codec_names[i]);
		return true;
	}
	quoted = tl_quote(item->text);
	hint = tl_suggest_text(item->text, codec_names, G_N_ELEMENTS(codec_names));
	return tl_mistake(p, item, "%s is not a codec%s", quoted, hint);
}

bool tl_parse_codecs(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(const char *));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item))
		ok = append_codec(p, &item, list) && ok;
	tl_list_store(p, key, list, object);
	return ok;
}
