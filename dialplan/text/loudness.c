/* Values in decibels. */
#include <string.h>

#include "dialplan/text/value.h"

/* "-6 dB", "-6dB", "-6"; unit is what may stand after the number. */
static bool read_db(const char *text, const char *unit, const struct tl_key *key, int *ret_db)
{
	char *end;
	gint64 db = g_ascii_strtoll(text, &end, 10);

	if (end == text || g_ascii_isspace(*text))
		return false;
	while (g_ascii_isspace(*end))
		end++;
	if ((*end && g_ascii_strcasecmp(end, unit) != 0) || db < key->min || db > key->max)
		return false;
	*ret_db = (int)db;
	return true;
}

bool tl_parse_gain(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	int db;

	if (!read_db(value->text, "dB", key, &db)) {
		g_autofree char *expected =
			g_strdup_printf("a gain such as -6dB, from %" G_GINT64_FORMAT
					"dB to %" G_GINT64_FORMAT "dB",
					key->min, key->max);

		return tl_mistake_expected(p, value, expected);
	}
	*(int *)tl_field(object, key) = db;
	return true;
}

bool tl_parse_loudness(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		       void *object)
{
	int dbm0 = 0;

	if (strcmp(value->text, "off") != 0 && !read_db(value->text, "dBm0", key, &dbm0)) {
		g_autofree char *expected =
			g_strdup_printf("off, or a level such as -19dBm0, from %" G_GINT64_FORMAT
					"dBm0 to %" G_GINT64_FORMAT "dBm0",
					key->min, key->max);

		return tl_mistake_expected(p, value, expected);
	}
	*(int *)tl_field(object, key) = dbm0;
	return true;
}
