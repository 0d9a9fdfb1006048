#pragma once
/*
 * Mistakes in configuration files, each at its place. Private to dialplan/; the
 * reading side is in dialplan.h. Texts quote what a file said in a form that a
 * terminal and a log can bear, and never quote a whole line, which may hold a
 * password.
 */
#include <glib.h>
#include <stddef.h>

enum {
	TL_DIAGS_MAX = 1000,       /* mistakes kept; the rest are counted */
	TL_DIAGS_QUOTE_BYTES = 80, /* of a value that a text quotes */
	TL_SUGGEST_BYTES = 64,     /* longest name that a suggestion is sought for */
};

/* Where something stands. Line and column start at 1, the column counts bytes;
 * line 0: the file as a whole. */
struct tl_place {
	const char *file;
	unsigned file_order; /* in which the files were opened, from 0 */
	unsigned line, column;
};

struct tl_diags;

struct tl_diags *tl_diags_new(void);
void tl_diags_add(struct tl_diags *diags, const struct tl_place *at, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
/* Puts them in file order and appends the count of those that were not kept. */
void tl_diags_close(struct tl_diags *diags);

/* Text in double quotes, safe to print, cut at TL_DIAGS_QUOTE_BYTES; the caller frees it. */
char *tl_quote(const char *text);

/* The name nearest to word by edit distance (a swap of neighbours counts one),
 * or NULL when none is near enough to be what was meant. Lent from names. */
const char *tl_suggest(const char *word, const char *const *names, size_t n);
/* " (did you mean "carrier"?)" or ""; the caller frees it. */
char *tl_suggest_text(const char *word, const char *const *names, size_t n);
