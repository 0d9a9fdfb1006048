#pragma once
/*
 * Lines on their way to where logs go, and the thread that takes them there: a terminal that is
 * stopped, a pipe that nobody reads or a journal that hangs keeps that thread waiting and nobody
 * else. Private to log.c.
 */
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

enum { TL_LOG_WAITING_BYTES = 4 << 20 }; /* of lines that wait; what comes then is lost, counted */

/* Starts the thread, once in a process's life; write may take as long as it likes. 0 or -errno. */
int tl_log_thread_start(void (*write)(GLogLevelFlags level, int64_t at_us, const char *message));

/* at_us: when it was logged, Unix time. Any thread, never waits. False: there is no such thread, or
 * no more, so that the caller writes. */
bool tl_log_thread_put(GLogLevelFlags level, int64_t at_us, const char *message);

/* Until all is written, the thread has ended, or patience_us is over: what is left then is lost. */
void tl_log_thread_end(int64_t patience_us);
