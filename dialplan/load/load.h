#pragma once
/*
 * Files -> a dialplan, in this order:
 *
 *   text/ini.c     lines          -> sections of key = value
 *   sections.c     sections       -> objects with names, empty yet; like.c: what they take over
 *   load.c         values         -> fields, by keys/ and the *_parse.c here
 *   check.c        the whole      -> what no single value shows; follow_check.c, shadow.c
 *   expect.c       [expect]       -> asks the dialplan that has come of it
 */
#include "dialplan/dialplan_priv.h"
#include "dialplan/text/ini.h"
#include "dialplan/keys/keys.h"

/* One section of the files and the object that it fills. */
struct tl_loaded {
	const struct tl_ini_section *section;
	enum tl_section kind;
	void *object;      /* NULL for a mere model */
	GPtrArray *values; /* struct tl_value, lent: its own, then what it takes over by `like` */
	unsigned n_own;
	bool is_model;   /* others are like it */
	bool puzzling;   /* some key of it is unknown: what it lacks may be what that was to say */
	bool only_model; /* and it is nothing by itself: a trunk without a host, say */
};

struct tl_load {
	struct tl_parse parse;
	struct tl_ini ini;
	GArray *sections; /* struct tl_loaded, in file order */
};

/* Every well-formed section gets its object and its name, so that values may refer to any.
 * sections.c */
void tl_load_sections(struct tl_load *load);
/* The line that gives a section this key, its own or one taken over; NULL: none. */
const struct tl_value *tl_load_value(const struct tl_load *load, const struct tl_loaded *loaded,
				     const char *key);
/* The same among its own lines. */
const struct tl_value *tl_load_own(const struct tl_loaded *loaded, const char *key);

/* Keeps what the sections say, for tl_dialplan_diff(). diff.c */
void tl_diff_keep(struct tl_load *load);
/* Fills values, is_model and only_model of every section. like.c */
void tl_load_like(struct tl_load *load);

/* Fills in what follows from other sections: codecs, ring-time, directories. */
void tl_load_inherit(struct tl_load *load);
/* Adds mistakes and warnings that no single value shows. */
void tl_load_check(struct tl_load *load);
/* The part of that which follows the routes' follow-ups: circles; sets followed and follow_only.
 * follow_check.c */
void tl_load_check_follows(struct tl_load *load);
/* Adds warnings of routes that never take a call. Once the index is there. shadow.c */
void tl_load_shadows(struct tl_load *load);
/* Adds a mistake at a key's line, or at the section's when it has no such line. */
void tl_load_object(struct tl_load *load, const struct tl_loaded *loaded, const char *key,
		    const char *format, ...) G_GNUC_PRINTF(4, 5);
