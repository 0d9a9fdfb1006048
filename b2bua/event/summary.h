#pragma once
/*
 * Message summaries (RFC 3842): how many messages wait in a mailbox. Read from
 * a voice mail system's word, written anew for the telephone. Pure; any thread.
 */
#include <stdbool.h>
#include <stddef.h>

enum tl_summary_class {
	TL_SUMMARY_VOICE,
	TL_SUMMARY_FAX,
	TL_SUMMARY_PAGER,
	TL_SUMMARY_MULTIMEDIA,
	TL_SUMMARY_TEXT,
	_TL_SUMMARY_MAX,
};

enum { TL_SUMMARY_BYTES = 4096 }; /* a longer one is not read */

struct tl_summary_count {
	bool known;
	unsigned fresh, old, urgent_fresh, urgent_old;
};

struct tl_summary {
	bool waiting;
	struct tl_summary_count counts[_TL_SUMMARY_MAX];
};

/* -EBADMSG: it does not say whether messages wait; -E2BIG: too long. */
int tl_summary_parse(const char *text, size_t bytes, struct tl_summary *ret_summary);
/* account: URI of the mailbox's owner. The caller frees it with g_free(). */
char *tl_summary_write(const struct tl_summary *summary, const char *account);
