#pragma once
/*
 * Tells systemd that all is well (WATCHDOG=1, sd_watchdog_enabled(3)) as long as it is: the
 * signalling thread comes round to its timers, and every media worker to its orders. When one of
 * them hangs, nothing is said any more, and systemd starts the gateway afresh after WatchdogSec.
 * Without WATCHDOG_USEC in the environment it does nothing. Signalling thread.
 */
#include <sofia-sip/su_wait.h>

struct tl_media;
struct tl_watchdog;

/* NULL: nobody watches. Lends media. */
struct tl_watchdog *tl_watchdog_start(su_root_t *root, struct tl_media *media);
void tl_watchdog_free(struct tl_watchdog *watchdog); /* NULL ok */
