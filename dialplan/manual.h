#pragma once
/*
 * The key table as a document. conf/twinleg.ini and systemd/twinleg.ini.5 hold what is
 * printed here, and a test compares them: after a change of the table run
 * tests/support/write_keys.sh.
 */
#include <stdio.h>

enum tl_manual_form {
	TL_MANUAL_TABLE,  /* a line a key: section, key, type, default, help; tabs between */
	TL_MANUAL_SAMPLE, /* the annotated sample: each key commented out at its default */
	TL_MANUAL_MAN,    /* twinleg.ini(5) for man(7) macros */
	_TL_MANUAL_MAX,
	_TL_MANUAL_INVALID = -22,
};
const char *tl_manual_form_name(enum tl_manual_form form); /* "table", "sample", "man" */

void tl_manual_print(enum tl_manual_form form, FILE *out);
