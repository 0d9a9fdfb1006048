#pragma once
/*
 * The one table of what a configuration may say: a row a key. It feeds the
 * reader and its messages; conf/twinleg.ini and twinleg.ini(5) are written from
 * it by `twinleg keys`.
 */
#include <stdbool.h>
#include <stdint.h>
#include "dialplan/dialplan.h"
#include "dialplan/text/ini.h"

enum tl_section {
	TL_SECTION_GATEWAY,
	TL_SECTION_TRUNK,
	TL_SECTION_EXTENSION,
	TL_SECTION_GROUP,
	TL_SECTION_HOURS,
	TL_SECTION_ROUTE,
	TL_SECTION_EXPECT,
	_TL_SECTION_MAX,
	_TL_SECTION_INVALID = -22,
};
const char *tl_section_name(enum tl_section section);
/* What it is for; an example of its name, or NULL when it has none. */
const char *tl_section_help(enum tl_section section, const char **ret_example);

/* What the parsers of values work with, while a dialplan is loaded. */
struct tl_parse {
	struct tl_dialplan *dp; /* being built */
	struct tl_pool *pool;
	struct tl_diags *diags;
	const char *base_dir; /* relative paths are in it; NULL: the working directory */
	GPtrArray *names[_TL_SECTION_MAX]; /* of all sections of a kind, in file order */
	unsigned suggestions;              /* made so far: names can be many, mistakes too */
};

struct tl_key;

/* Reads value into object, at the offsets of key. False: a mistake was added.
 * The value's place is worth saying only when it came from a file. */
typedef bool tl_parse_fn(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			 void *object);

struct tl_key {
	const char *name;
	tl_parse_fn *parse;       /* NULL: the INI reader deals with it */
	size_t offset;            /* of the field; for a list, of the pointer */
	size_t offset2;           /* of a list's count, or of a range's upper end */
	int64_t min, max;         /* of numbers and durations, in the field's unit */
	const char *initial;      /* default, read like a value; NULL: none */
	const char *example;      /* what the sample file shows when there is no initial value */
	const char *const *words; /* of an enumeration */
	const char *help;         /* one line */
	bool (*names)(const char *name); /* the row stands for all keys of such names */
	bool required;
};

/* Rows of a section, in the order of the sample file. */
const struct tl_key *tl_keys(enum tl_section section, size_t *ret_n);
const struct tl_key *tl_key_find(enum tl_section section, const char *name);

/* Adds a mistake at a value; returns false. */
bool tl_mistake(struct tl_parse *p, const struct tl_value *value, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
/* The same as "expected <what>, not <the value>". */
bool tl_mistake_expected(struct tl_parse *p, const struct tl_value *value, const char *what);
/* " (did you mean …?)" among the sections of a kind, or ""; the caller frees it. */
char *tl_suggest_section(struct tl_parse *p, enum tl_section section, const char *name);
