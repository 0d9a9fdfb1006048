#pragma once
/*
 * [hours NAME]: when a place is open.
 *
 *   mon-fri  = 08:00-12:00, 13:00-18:00   ; days: mon tue wed thu fri sat sun, or a range
 *   sat      = 22:00-02:00                ; ends on the next day
 *   sun      = closed                     ; as is a day that no line names
 *   closed   = 2026-12-25, 2026-12-27..2026-12-31, 01-01   ; no year: every year
 *   open     = 2026-12-24 08:00-12:00     ; on that day these hours count, and nothing else
 *   timezone = Europe/Berlin
 *
 * For one day: the open items that name it, else closed, else its weekday.
 */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include "dialplan/text/diags.h"

struct tl_span {
	uint16_t first_min, end_min; /* of the day; end above 1440: on the next day */
};

/* Days as numbers that sort: year * 10000 + month * 100 + day; year 0: every year. */
struct tl_dates {
	uint32_t first, last;
	const struct tl_span *spans; /* of an open item; none: the whole day */
	size_t n_spans;
};

struct tl_hours {
	const char *name;
	struct tl_place at;
	struct {
		const struct tl_span *spans;
		size_t n;
		bool named;
	} weekdays[7]; /* from Monday */
	const struct tl_dates *closed, *open;
	size_t n_closed, n_open;
	GTimeZone *timezone; /* NULL until done: the machine's own */
};

bool tl_hours_open(const struct tl_hours *hours, int64_t at_s);
void tl_hours_done(struct tl_hours *hours);

/* Is this the name of a key that names days: mon, tue-fri? */
bool tl_hours_names_days(const char *key);

/* A zone by its name in the tz database, "UTC", or "local"; NULL: unknown. The caller unrefs it. */
GTimeZone *tl_timezone_new(const char *name);
/* Reads "2026-11-23 10:00[:00][ Europe/Berlin]"; without a zone, in the one given. */
bool tl_moment_read(const char *text, GTimeZone *zone, int64_t *ret_at_s);
