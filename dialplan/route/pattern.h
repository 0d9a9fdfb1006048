#pragma once
/*
 * Patterns of numbers, as the route keys to and from-number have them:
 *
 *   X        a digit 0-9
 *   Z        a digit 1-9
 *   N        a digit 2-9
 *   [1-35a]  one character of a set of characters and ranges
 *   .        at the end: one or more of any character
 *   !        at the end: any characters, or none
 *   ( )      what is matched between them is $1, $2 … of a template; not nested
 *   "…"      the characters themselves, whatever they are
 *   others   themselves: digits, + * # - _ , letters but X, Z and N
 *
 * A pattern matches a whole number. Case counts, as it does in the user part of a
 * SIP URI (RFC 3261 19.1.4). An extension's alphanumeric name is a pattern like
 * any other: put it in quotes when it has an X, Z, N or a '.' in it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dialplan/text/pool.h"

enum {
	TL_PATTERN_ELEMENTS = 64,
	TL_PATTERN_GROUPS = 9, /* $1 to $9 */
};

/* ASCII characters, a bit each. */
struct tl_charset {
	uint32_t bits[4];
};

struct tl_pattern_element {
	const struct tl_charset *set; /* NULL: the literal */
	char literal;
};

enum tl_pattern_tail {
	TL_TAIL_NONE,
	TL_TAIL_SOME, /* '.' */
	TL_TAIL_ANY,  /* '!' */
	_TL_TAIL_MAX,
};

struct tl_pattern {
	const char *text;
	const struct tl_pattern_element *elements;
	unsigned n;
	enum tl_pattern_tail tail;
	unsigned n_groups;
	struct {
		uint8_t first, end; /* elements; end n + 1: with the tail */
	} groups[TL_PATTERN_GROUPS];
};

/* Fills *ret_pattern from memory of the pool. -EINVAL: *ret_why (a static
 * sentence) says why, and *ret_offset where in text. */
int tl_pattern_parse(struct tl_pool *pool, const char *text, struct tl_pattern *ret_pattern,
		     const char **ret_why, size_t *ret_offset);
bool tl_pattern_match(const struct tl_pattern *pattern, const char *number);
bool tl_pattern_element_match(const struct tl_pattern_element *element, char c);
/* Does wide match every number that narrow does? May say no where it takes several sets together
 * to see it. */
bool tl_pattern_covers(const struct tl_pattern *wide, const struct tl_pattern *narrow);
/* A number that it matches; the caller frees it. */
char *tl_pattern_sample(const struct tl_pattern *pattern);
/* The fewest characters that it matches. */
size_t tl_pattern_min_bytes(const struct tl_pattern *pattern);
/* What group i (0: $1) of a matching number holds, lent from number. */
const char *tl_pattern_group(const struct tl_pattern *pattern, const char *number, unsigned i,
			     size_t *ret_bytes);
