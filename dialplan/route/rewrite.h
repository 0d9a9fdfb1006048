#pragma once
/*
 * Numbers out: strip, prefix, and templates. In a template $0 is the number
 * dialled, $1 to $9 the groups of the pattern that it matched, $$ a dollar sign.
 */
#include <stddef.h>
#include "dialplan/route/pattern.h"

/* Highest group that a template names; -EINVAL: *ret_offset is where it goes wrong. */
int tl_template_check(const char *text, size_t *ret_offset);
/* pattern NULL or not matching: groups are empty. The caller frees it. */
char *tl_template_expand(const char *text, const struct tl_pattern *pattern, const char *number);
/* The same for a URI: what is put in is escaped, so that it can't end the user part (RFC 3261
 * 25.1). */
char *tl_template_expand_uri(const char *text, const struct tl_pattern *pattern,
			     const char *number);
/* The same for the value of a header: no control character remains. */
char *tl_template_expand_header(const char *text, const struct tl_pattern *pattern,
				const char *number);
/* Takes strip characters off and puts prefix before; the caller frees it. */
char *tl_number_rewrite(const char *number, unsigned strip, const char *prefix);
