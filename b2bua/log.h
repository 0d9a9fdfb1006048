#pragma once
/*
 * The one log writer of the process, behind GLib's structured log: any thread
 * logs with g_debug(), g_message() (an event), g_warning(), g_critical().
 * To the journal when stderr is connected to it, else to stderr.
 */
#include <stdbool.h>
#include <stdint.h>

void tl_log_init(bool debug);

/* From here on a thread writes the lines, so that nobody who logs ever waits: at most 4 MB of them
 * are kept while they aren't taken; how many were lost then is told in their place. Once. */
void tl_log_detach(void);
/* Before the process ends: writes what is left, for a second at most. Lines that come afterwards
 * are written by whoever logs them, or lost while one before them can't be. Any thread. */
void tl_log_end(void);

/* A limiter for lines that a peer can cause: one a second per kind.
 * static struct tl_log_limit limit; if (tl_log_allow(&limit, &skipped)) g_message(…, skipped) */
struct tl_log_limit {
	int64_t next_us;
	unsigned skipped;
};
/* True: log now; *ret_skipped lines were held back before. Signalling thread. */
bool tl_log_allow(struct tl_log_limit *limit, unsigned *ret_skipped);
/* Printable copy in buf of text from the network, quotes and controls escaped. Returns buf. */
const char *tl_log_quote(const char *text, char *buf, unsigned long bytes);
