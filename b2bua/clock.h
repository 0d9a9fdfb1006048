#pragma once
/*
 * A clock that shows Unix time and never steps: what the wall clock showed when the process first
 * asked, plus the time since. By it everything runs that has to last for a while - bindings,
 * registrations, calls - so that an administrator or NTP who sets the wall clock neither ends nor
 * prolongs anything. It goes on while the machine sleeps (CLOCK_BOOTTIME). Times that people read
 * or that outlive the process are the wall clock's.
 *
 * Any thread.
 */
#include <stdint.h>

#define TL_NTP_EPOCH_S INT64_C(2208988800) /* 1970 in seconds since 1900: RFC 5905, su_time_t */

int64_t tl_clock_ms(void);
int64_t tl_clock_s(void);

/* What the wall clock shows, or showed, when this one shows that, as it is set now. */
int64_t tl_clock_to_wall_ms(int64_t at_ms);
int64_t tl_clock_to_wall_s(int64_t at_s);

/*
 * Gives Sofia-SIP this clock, in whole milliseconds. Once, before the first su_root_t.
 *
 * Its own is the wall clock, in microseconds, while it waits in milliseconds. Set back by an hour,
 * that stops every retransmission for the hour; set forward, it ends all transactions at once. And
 * a timer that is due within the millisecond is waited for with a timeout of 0, over and over: with
 * two hundred calls a second one nearly always is, and epoll_wait(2) was called 470 times a call.
 */
void tl_clock_give_to_sofia(void);
