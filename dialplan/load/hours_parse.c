/* The values of [hours] sections. */
#include "dialplan/route/hours.h"

#include <string.h>
#include "dialplan/text/value.h"

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static int find_day(const char *text, size_t bytes)
{
	for (int i = 0; i < 7; i++)
		if (bytes == 3 && strncmp(day_names[i], text, 3) == 0)
			return i;
	return -1;
}

/* "mon" or "mon-fri" -> first and last day; fri-mon runs over the week's end. */
static bool read_days(const char *key, int *ret_first, int *ret_last)
{
	const char *dash = strchr(key, '-');

	*ret_first = find_day(key, dash ? (size_t)(dash - key) : strlen(key));
	*ret_last = dash ? find_day(dash + 1, strlen(dash + 1)) : *ret_first;
	return *ret_first >= 0 && *ret_last >= 0;
}

bool tl_hours_names_days(const char *key)
{
	int first, last;

	return read_days(key, &first, &last);
}

/* "08:00" -> minute of the day, up to 24:00. */
static bool read_minute(const char *text, size_t bytes, unsigned *ret_minute)
{
	unsigned hour, minute;

	if (bytes != 5 || text[2] != ':' || !g_ascii_isdigit(text[0]) ||
	    !g_ascii_isdigit(text[1]) || !g_ascii_isdigit(text[3]) || !g_ascii_isdigit(text[4]))
		return false;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	*ret_minute = hour * 60 + minute;
	return minute < 60 && *ret_minute <= 1440;
}

/* "08:00-18:00"; an end before the start is on the next day. */
static bool read_span(const char *text, struct tl_span *ret_span)
{
	const char *dash = strchr(text, '-');
	unsigned first, end;

	if (!dash || !read_minute(text, dash - text, &first) ||
	    !read_minute(dash + 1, strlen(dash + 1), &end) || first == end || first == 1440)
		return false;
	*ret_span = (struct tl_span) { first, end > first ? end : end + 1440 };
	return true;
}

static bool name_days(struct tl_parse *p, const struct tl_value *value, struct tl_hours *hours,
		      GArray *spans)
{
	const struct tl_span *copy =
		tl_pool_copy(p->pool, spans->data, spans->len, sizeof(struct tl_span));
	int first, last;

	read_days(value->key, &first, &last);
	for (int i = first, n = (last - first + 7) % 7 + 1; n; i = (i + 1) % 7, n--) {
		if (hours->weekdays[i].named) {
			tl_diags_add(p->diags, &value->key_at,
				     "%s: another line of this section names %s already",
				     value->key, day_names[i]);
			return false;
		}
		hours->weekdays[i].named = true;
		hours->weekdays[i].spans = copy;
		hours->weekdays[i].n = spans->len;
	}
	return true;
}

bool tl_parse_days(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(struct tl_span));
	struct tl_value rest = *value, item;
	struct tl_span span;
	bool ok = true;

	if (strcmp(value->text, "closed") != 0)
		while (tl_value_next(p->pool, &rest, &item)) {
			if (read_span(item.text, &span))
				g_array_append_val(spans, span);
			else
				ok = tl_mistake_expected(p, &item,
							 "hours such as 08:00-18:00, or closed");
		}
	return ok && name_days(p, value, object, spans);
}

/* "2026-12-24" or "12-24" -> number that sorts; 0: neither. */
static uint32_t read_date(const char *text, size_t bytes)
{
	unsigned n[3] = { 0 };
	const char *at = text;

	if (bytes != 10 && bytes != 5)
		return 0;
	for (int part = bytes == 10 ? 0 : 1; part < 3; part++) {
		for (int digits = part ? 2 : 4; digits; digits--, at++) {
			if (!g_ascii_isdigit(*at))
				return 0;
			n[part] = n[part] * 10 + *at - '0';
		}
		if (part < 2 && *at++ != '-')
			return 0;
	}
	/* without a year 02-29 is a day of some years */
	if (!g_date_valid_dmy(n[2], n[1], bytes == 10 ? n[0] : 2000))
		return 0;
	return n[0] * 10000 + n[1] * 100 + n[2];
}

/* DATE or DATE..DATE */
static bool read_dates(const char *text, size_t bytes, struct tl_dates *ret_dates)
{
	const char *dots = g_strstr_len(text, bytes, "..");
	size_t n = dots ? (size_t)(dots - text) : bytes;
	struct tl_dates dates = { 0 };

	dates.first = read_date(text, n);
	dates.last = dots ? read_date(dots + 2, bytes - n - 2) : dates.first;
	if (!dates.first || !dates.last || (dates.first < 10000) != (dates.last < 10000) ||
	    (dates.first > dates.last && dates.first >= 10000))
		return false;
	*ret_dates = dates;
	return true;
}

static bool append_dates(struct tl_parse *p, const struct tl_value *item, bool with_hours,
			 GArray *list)
{
	size_t bytes = strcspn(item->text, " ");
	const char *hours = item->text + bytes + strspn(item->text + bytes, " ");
	struct tl_dates dates;
	struct tl_span span;

	if (!read_dates(item->text, bytes, &dates))
		return tl_mistake_expected(
			p, item, "a date such as 2026-12-24, 2026-12-24..2026-12-26 or 12-24");
	if (*hours) {
		if (!with_hours || !read_span(hours, &span))
			return tl_mistake_expected(
				p, item,
				with_hours ? "hours such as 08:00-18:00 after the date"
					   : "a date without hours");
		dates.spans = tl_pool_copy(p->pool, &span, 1, sizeof(span));
		dates.n_spans = 1;
	}
	g_array_append_val(list, dates);
	return true;
}

static bool parse_dates(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			void *object, bool with_hours)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_dates));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item))
		ok = append_dates(p, &item, with_hours, list) && ok;
	tl_list_store(p, key, list, object);
	return ok;
}

bool tl_parse_closed(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	return parse_dates(p, key, value, object, false);
}

bool tl_parse_open(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	return parse_dates(p, key, value, object, true);
}

bool tl_parse_timezone(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		       void *object)
{
	GTimeZone *zone = tl_timezone_new(value->text);

	if (!zone)
		return tl_mistake_expected(p, value,
					   "a time zone such as Europe/Berlin, UTC or local");
	tl_hours_done(object);
	*(GTimeZone **)tl_field(object, key) = zone;
	return true;
}
