#pragma once
/*
 * The one log writer of the process, behind GLib's structured log: any thread
 * logs with g_debug(), g_message() (an event), g_warning(), g_critical().
 * To the journal when stderr is connected to it, else to stderr.
 */
#include <stdbool.h>
#include <stdint.h>

void tl_log_init(bool debug);

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
