#pragma once
/*
 * What a decision says, a row a fact, in the words that a configuration has for it. `explain`
 * prints the rows and [expect] compares them, by the same names: whatever explain prints may
 * stand in an [expect] section, and holds. Private to dialplan/; pure.
 *
 *   key               text
 *   dials             +4930123456
 *   rings             1001, 1002 for 10s then trunk:carrier
 *   codecs carrier…   of one that is rung: the key ends with trunk:NAME or NUMBER
 *   add-header X-…    of one header: the key ends with its name
 */
#include "dialplan/dialplan_priv.h"

enum tl_said_form { /* how a text that is expected is read */
		    TL_SAID_TEXT,
		    TL_SAID_LIST,   /* "a, b" */
		    TL_SAID_STATUS, /* "403 Not You", or the status alone */
		    TL_SAID_RINGS,  /* as `ring`; times and shares count when they are said */
		    TL_SAID_FILES,  /* as `play`, or a word */
		    TL_SAID_FOLLOW, /* as `on-busy`; a reason counts when it is said */
		    TL_SAID_TIME,   /* "90s" */
};

enum tl_said_of {
	TL_SAID_OF_CALL,
	TL_SAID_OF_RUNG,   /* of a call that rings somebody */
	TL_SAID_OF_TARGET, /* of each that is rung */
	TL_SAID_OF_HEADER, /* of each header that is added */
};

/* What a row is asked about. */
struct tl_saying {
	const struct tl_dialplan *dp;
	const struct tl_facts *facts;
	const struct tl_decision *decision;
	const struct tl_ring_target *target; /* TL_SAID_OF_TARGET */
	const struct tl_header_out *header;  /* TL_SAID_OF_HEADER */
};

struct tl_said {
	const char *key;
	/* The caller frees it; NULL: none. */
	char *(*text)(const struct tl_saying *s);
	enum tl_said_of of;
	enum tl_said_form form;
	const char *usual; /* explain does not mention it when it is so */
};

/* Rows in the order in which explain prints them. */
const struct tl_said *tl_said_rows(size_t *ret_n);
/* The row of a key, which may name a target or a header at its end: *ret_named is that end, lent
 * from key, or "". NULL: there is no such row. */
const struct tl_said *tl_said_find(const char *key, const char **ret_named);

/* The rows of one who is rung: said_target.c. NULL: none. */
char *tl_said_uri(const struct tl_saying *s);
char *tl_said_offered_codecs(const struct tl_saying *s);
char *tl_said_target_echo(const struct tl_saying *s);
char *tl_said_path(const struct tl_saying *s);
char *tl_said_identity(const struct tl_saying *s);
char *tl_said_target_dtmf(const struct tl_saying *s);
char *tl_said_target_srtp(const struct tl_saying *s);
char *tl_said_target_t38(const struct tl_saying *s);
/* "trunk:carrier" or "1001"; the caller frees it. */
char *tl_target_text(const struct tl_ring_target *target);
/* "a, b"; the caller frees it. NULL: n is 0. */
char *tl_list_text(const char *const *items, size_t n);
/* "1h30m"; the caller frees it. */
char *tl_seconds_text(unsigned seconds);
