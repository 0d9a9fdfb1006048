#include "dialplan/route/hours.h"

#include <stdio.h>
#include <string.h>

enum { DAY_MIN = 24 * 60 };

/* A moment on the wall clock of a place. */
struct wall {
	uint32_t date;    /* as in struct tl_dates */
	unsigned weekday; /* from Monday, 0 */
	unsigned minute;  /* of the day */
};

/*
 * Day number since 1970-01-01 -> civil date of the Gregorian calendar. Years are
 * counted from March, so that the leap day is a year's last; an era is 400 years.
 */
static uint32_t civil_date(int64_t days)
{
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned day_of_era = shifted - era * 146097;
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned shifted_month = (5 * day_of_year + 2) / 153;
	unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
	unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;

	return (year_of_era + era * 400 + (month <= 2)) * 10000 + month * 100 + day;
}

static struct wall wall_of(int64_t local_s)
{
	int64_t days = local_s / 86400 - (local_s % 86400 < 0);

	return (struct wall) {
		.date = civil_date(days),
		.weekday = ((days + 3) % 7 + 7) % 7, /* 1970-01-01 was a Thursday */
		.minute = (local_s - days * 86400) / 60,
	};
}

static bool dates_cover(const struct tl_dates *dates, uint32_t date)
{
	if (dates->first < 10000) /* every year */
		date %= 10000;
	if (dates->first > dates->last) /* 12-30..01-02 */
		return date >= dates->first || date <= dates->last;
	return date >= dates->first && date <= dates->last;
}

/* day_min: minute counted from the midnight of the day whose spans these are. */
static bool spans_cover(const struct tl_span *spans, size_t n, unsigned day_min)
{
	for (size_t i = 0; i < n; i++)
		if (day_min >= spans[i].first_min && day_min < spans[i].end_min)
			return true;
	return false;
}

/* Do the hours that start on this day cover the minute, which may be on the next day? */
static bool day_covers(const struct tl_hours *hours, const struct wall *day, unsigned day_min)
{
	bool named = false;

	for (size_t i = 0; i < hours->n_open; i++) {
		const struct tl_dates *open = &hours->open[i];

		if (!dates_cover(open, day->date))
			continue;
		named = true;
		if (open->n_spans ? spans_cover(open->spans, open->n_spans, day_min)
				  : day_min < DAY_MIN)
			return true;
	}
	for (size_t i = 0; i < hours->n_closed && !named; i++)
		named = dates_cover(&hours->closed[i], day->date);
	return !named && spans_cover(hours->weekdays[day->weekday].spans,
				     hours->weekdays[day->weekday].n, day_min);
}

bool tl_hours_open(const struct tl_hours *hours, int64_t at_s)
{
	int interval = g_time_zone_find_interval(hours->timezone, G_TIME_TYPE_UNIVERSAL, at_s);
	int64_t local_s = at_s + g_time_zone_get_offset(hours->timezone, interval);
	struct wall today = wall_of(local_s), yesterday = wall_of(local_s - 86400);

	return day_covers(hours, &today, today.minute) ||
	       day_covers(hours, &yesterday, today.minute + DAY_MIN);
}

void tl_hours_done(struct tl_hours *hours)
{
	g_clear_pointer(&hours->timezone, g_time_zone_unref);
}

GTimeZone *tl_timezone_new(const char *name)
{
	if (g_ascii_strcasecmp(name, "local") == 0)
		return g_time_zone_new_local();
	/* a name, not a path: GLib would read any file */
	if (*name == '/' || strstr(name, "..") || strlen(name) > 64)
		return NULL;
	for (const char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("_+-/", *c))
			return NULL;
	return g_time_zone_new_identifier(name);
}

static bool digits_at(const char *text, const char *shape)
{
	for (; *shape; shape++, text++)
		if (*shape == '0' ? !g_ascii_isdigit(*text) : *text != *shape)
			return false;
	return true;
}

bool tl_moment_read(const char *text, GTimeZone *zone, int64_t *ret_at_s)
{
	g_autoptr(GTimeZone) named = NULL;
	g_autoptr(GDateTime) moment = NULL;
	int year, month, day, hour, minute, second = 0;
	bool seconds = digits_at(text, "0000-00-00 00:00:00");
	const char *rest = text + (seconds ? 19 : 16);

	if (!digits_at(text, "0000-00-00 00:00") ||
	    sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) <
		    5)
		return false;
	if (*rest) {
		named = *rest == ' ' ? tl_timezone_new(rest + 1) : NULL;
		zone = named;
	}
	if (!zone)
		return false;
	moment = g_date_time_new(zone, year, month, day, hour, minute, second);
	if (!moment)
		return false;
	*ret_at_s = g_date_time_to_unix(moment);
	return true;
}
