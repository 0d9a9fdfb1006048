#pragma once
/*
 * Text -> sections of key = value, each with file, line and column; no meaning.
 *
 *   ; a comment, as is a line that starts with #
 *   [kind name]          ; a section; a comment may follow white space and ';'
 *   key = value          ; white space around key and value does not count
 *   key = "a ; b", c     ; in double quotes ';' and ',' are plain characters. A quote
 *                        ; opens where a value or an item starts, and closes before
 *                        ; white space, ',' or the end of the line
 *   include = a.ini, routes.d/?*.ini
 *
 * An include line stands in [gateway] or before a file's first section. Its files
 * are read as if they stood right after that section (or at that point), in the
 * order named, those of a glob pattern by name; relative names are sought beside
 * the file that includes. A pattern may match nothing, a plain name must exist.
 * A file is read once: a second include of it is a mistake.
 *
 * Lines end in LF or CRLF and hold UTF-8 without control characters.
 */
#include <stdbool.h>
#include <stddef.h>
#include "dialplan/text/diags.h"
#include "dialplan/text/pool.h"

enum {
	TL_INI_LINE_BYTES = 16384,
	TL_INI_FILE_BYTES = 64 << 20,
	TL_INI_FILES = 1024,
	TL_INI_DEPTH = 8, /* of includes within includes */
	TL_INI_SECTIONS = 250000,
	TL_INI_ENTRIES = 2000000,
};

/* A value, or one item of a list. Strings live in the pool. */
struct tl_value {
	const char *text; /* trimmed, with its quotes */
	const char *key;
	struct tl_place at, key_at;
};

struct tl_ini_section {
	const char *kind, *name; /* name: "" when there is none */
	struct tl_place at, name_at;
	size_t first, n; /* of its entries in tl_ini.entries */
};

struct tl_ini {
	struct tl_pool *pool; /* lent by the caller; strings outlive the tl_ini */
	struct tl_diags *diags;
	GArray *sections; /* struct tl_ini_section */
	GArray *entries;  /* struct tl_value */
	GArray *files;    /* struct tl_ini_file, by file_order */
	bool full;        /* a limit was hit, and said so */
};

struct tl_ini_file {
	const char *path;
	const char *dir;       /* where its includes are sought; NULL: it may have none */
	guint64 device, inode; /* 0, 0: not a file */
	bool shared;           /* others can read or write it (mode & 0007) */
	bool open;             /* being read: an include of it is a loop */
};

/* Lends pool and diags. */
void tl_ini_init(struct tl_ini *ini, struct tl_pool *pool, struct tl_diags *diags);
void tl_ini_done(struct tl_ini *ini);

/* Reads text and what it includes; mistakes go to diags. text need not end in NUL. */
void tl_ini_read_text(struct tl_ini *ini, const char *text, size_t bytes, const char *name,
		      const char *dir);
/* The same from a file. -errno when it can't be read, which is not yet said. */
int tl_ini_read_file(struct tl_ini *ini, const char *path, unsigned depth);
/* Reads the files that an include value names: include.c, for the reader. */
void tl_ini_include(struct tl_ini *ini, const struct tl_value *value, unsigned depth);
/* The reader proper, for include.c. */
void tl_ini_read(struct tl_ini *ini, const char *text, size_t bytes, unsigned file_order,
		 unsigned depth);

/* Takes the next item off a list: false at its end. An empty item has the text "". */
bool tl_value_next(struct tl_pool *pool, struct tl_value *rest, struct tl_value *ret_item);
/* Without its surrounding double quotes, when it has them. */
const char *tl_value_unquote(struct tl_pool *pool, const struct tl_value *value);
