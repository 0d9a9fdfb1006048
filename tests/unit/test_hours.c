#include "tests/support/dialplan_text.h"
#include "dialplan/route/hours.h"

/* One route for each kind of hours; who takes the call says what is open. */
static const char text[] = "[trunk t]\nhost = a.example\n[extension 1]\npassword = x\n"
			   "[hours h]\n"
			   "mon-thu = 08:00-12:00, 13:00-18:00\n"
			   "fri = 08:00-14:00\n"
			   "sat = 22:00-02:00\n"
			   "closed = 2026-12-24..2026-12-26, 01-01, 12-30..12-31\n"
			   "open = 2026-12-24 09:00-12:00, 2026-12-27\n"
			   "timezone = Europe/Berlin\n"
			   "[route open]\nwhen = h\nring = 1\n"
			   "[route shut]\nring = 1\n";

static const struct {
	const char *why, *at, *route;
} cases[] = {
	{ "a Monday", "2026-11-23 10:00", "open" },
	{ "the first minute", "2026-11-23 08:00", "open" },
	{ "a second before", "2026-11-23 07:59:59", "shut" },
	{ "lunch", "2026-11-23 12:00", "shut" },
	{ "after lunch", "2026-11-23 13:00", "open" },
	{ "the end", "2026-11-23 18:00", "shut" },
	{ "the last second", "2026-11-23 17:59:59", "open" },
	{ "a Friday afternoon", "2026-11-27 14:30", "shut" },
	{ "a Saturday night", "2026-11-28 23:00", "open" },
	{ "runs into Sunday", "2026-11-29 01:59", "open" },
	{ "and ends", "2026-11-29 02:00", "shut" },
	{ "Sunday is not named", "2026-11-29 10:00", "shut" },
	{ "Saturday's small hours are Friday's, who has none", "2026-11-28 01:00", "shut" },
	{ "open beats closed", "2026-12-24 09:30", "open" },
	{ "with its own hours only", "2026-12-24 14:00", "shut" },
	{ "a range of dates", "2026-12-25 10:00", "shut" },
	{ "a Saturday in the range, into Sunday, which is open", "2026-12-27 01:00", "open" },
	{ "open all day", "2026-12-27 23:59", "open" },
	{ "and no longer", "2026-12-28 00:30", "shut" },
	{ "every year", "2027-01-01 10:00", "shut" },
	{ "every year, a range", "2030-12-31 10:00", "shut" },
	{ "the day after", "2031-01-02 10:00", "open" },
	{ "summer time began: 10:00 is 08:00 UTC", "2026-03-30 08:00", "open" },
	{ "before 1970", "1969-12-29 10:00", "open" },
	{ "a leap day", "2028-02-29 10:00", "open" },
};

static int64_t moment(const char *at, const char *zone)
{
	g_autoptr(GTimeZone) tz = tl_timezone_new(zone);
	int64_t at_s = 0;

	cr_assert(tl_moment_read(at, tz, &at_s), "%s", at);
	return at_s;
}

Test(hours, open_and_shut)
{
	struct tl_dialplan *dp = dialplan_of(text);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		cr_expect_str_eq(route_of(dp, "trunk:t 1 2", moment(cases[i].at, "Europe/Berlin")),
				 cases[i].route, "%s", cases[i].why);
	tl_dialplan_unref(dp);
}

Test(hours, are_those_of_their_zone)
{
	struct tl_dialplan *dp = dialplan_of(text);

	cr_expect_str_eq(route_of(dp, "trunk:t 1 2", moment("2026-07-06 06:00", "UTC")), "open");
	cr_expect_str_eq(route_of(dp, "trunk:t 1 2", moment("2026-07-06 05:59", "UTC")), "shut");
	cr_expect_str_eq(route_of(dp, "trunk:t 1 2", moment("2026-11-23 06:30", "UTC")), "shut");
	cr_expect_str_eq(route_of(dp, "trunk:t 1 2", moment("2026-11-23 07:00", "UTC")), "open");
	tl_dialplan_unref(dp);
}

Test(hours, can_be_turned_round)
{
	struct tl_dialplan *dp = dialplan_of("[extension 1]\npassword = x\n"
					     "[hours a]\nmon = 08:00-10:00\ntimezone = UTC\n"
					     "[hours b]\nmon = 09:00-12:00\ntimezone = UTC\n"
					     "[route r]\nwhen = b, not a\nring = 1\n");

	cr_expect_str_eq(route_of(dp, "1 1 2", moment("2026-11-23 08:30", "UTC")), "-");
	cr_expect_str_eq(route_of(dp, "1 1 2", moment("2026-11-23 09:30", "UTC")), "-");
	cr_expect_str_eq(route_of(dp, "1 1 2", moment("2026-11-23 11:30", "UTC")), "r");
	cr_expect_str_eq(route_of(dp, "1 1 2", moment("2026-11-23 13:00", "UTC")), "-");
	tl_dialplan_unref(dp);
}

Test(hours, moments)
{
	static const struct {
		const char *text;
		int64_t at_s; /* -1: refused */
	} moments[] = {
		{ "1970-01-01 00:00", 0 },
		{ "1970-01-01 00:00:59", 59 },
		{ "2026-11-23 10:00", 1795428000 },
		{ "2026-11-23 10:00 Europe/Berlin", 1795428000 - 3600 },
		{ "2026-11-23 10:00:01 UTC", 1795428001 },
		{ "2026-11-23", -1 },
		{ "2026-11-23 1:00", -1 },
		{ "2026-11-23T10:00", -1 },
		{ "2026-13-23 10:00", -1 },
		{ "2026-02-29 10:00", -1 },
		{ "2026-11-23 25:00", -1 },
		{ "2026-11-23 10:00 Nowhere/Town", -1 },
		{ "2026-11-23 10:00 ../../etc/passwd", -1 },
		{ "2026-11-23 10:00 /etc/localtime", -1 },
		{ "2026-11-23 10:00x", -1 },
		{ "", -1 },
	};
	g_autoptr(GTimeZone) utc = tl_timezone_new("UTC");

	for (size_t i = 0; i < G_N_ELEMENTS(moments); i++) {
		int64_t at_s = -1;

		cr_expect_eq(tl_moment_read(moments[i].text, utc, &at_s), moments[i].at_s >= 0,
			     "%s", moments[i].text);
		cr_expect_eq(at_s, moments[i].at_s, "%s: %ld", moments[i].text, (long)at_s);
	}
}

Test(hours, mistakes)
{
	static const struct {
		const char *line, *message;
	} lines[] = {
		{ "mon = 8-18",
		  "2:7: mon: expected hours such as 08:00-18:00, or closed, not \"8-18\"" },
		{ "mon = 08:00-24:01", "2:7: mon: expected hours" },
		{ "mon = 08:00-08:00", "2:7: mon: expected hours" },
		{ "mon-fri = 08:00-09:00\ntue = closed",
		  "3:1: tue: another line of this section names tue already" },
		{ "mon = closed\nmon = closed", "3:1: mon: another line" },
		{ "monday = closed",
		  "unknown key \"monday\" in [hours], expected one of like, mon-fri" },
		{ "fr = closed", "unknown key \"fr\" in [hours]" },
		{ "closed = 2026-02-29", "closed: expected a date such as" },
		{ "closed = 2026-12-24..2026-12-20", "closed: expected a date" },
		{ "closed = 2026-12-24..12-26", "closed: expected a date" },
		{ "closed = 2026-12-24 08:00-09:00", "closed: expected a date without hours" },
		{ "closed = , 12-24", "closed: expected a date" },
		{ "open = 2026-12-24 09:00",
		  "open: expected hours such as 08:00-18:00 after the date" },
		{ "timezone = Europe/Berlim", "timezone: expected a time zone such as" },
		{ "timezone = /etc/passwd", "timezone: expected a time zone such as" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *ini = g_strdup_printf("[hours h]\n%s\n", lines[i].line);
		g_autofree char *mistakes = mistakes_in(ini);

		cr_expect(strstr(mistakes, lines[i].message), "%s", mistakes);
	}
}
