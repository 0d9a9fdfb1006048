#include "b2bua/clock.h"
#include <time.h>
#include <glib.h>
#include <sofia-sip/su_time.h>

enum { US_PER_MS = 1000, MS_PER_S = 1000 };

/* libsofia-sip-ua's hook: changes what su_time() and su_now() return. No header declares it. */
extern void (*_su_time)(su_time_t *now); /* NOLINT(bugprone-reserved-identifier) */

static int64_t since_boot_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* The wall clock's lead at the first question. */
static int64_t lead_us(void)
{
	static gsize asked;
	static int64_t lead;

	if (g_once_init_enter(&asked)) {
		lead = g_get_real_time() - since_boot_us();
		g_once_init_leave(&asked, 1);
	}
	return lead;
}

static int64_t now_us(void)
{
	return since_boot_us() + lead_us();
}

int64_t tl_clock_ms(void)
{
	return now_us() / US_PER_MS;
}

int64_t tl_clock_s(void)
{
	return now_us() / G_USEC_PER_SEC;
}

/* By how much the wall clock was set since; in units of so many microseconds, to the nearest. */
static int64_t step(int64_t unit_us)
{
	int64_t us = g_get_real_time() - now_us();

	return (us + (us < 0 ? -unit_us : unit_us) / 2) / unit_us;
}

int64_t tl_clock_to_wall_ms(int64_t at_ms)
{
	return at_ms + step(US_PER_MS);
}

int64_t tl_clock_to_wall_s(int64_t at_s)
{
	return at_s + step(G_USEC_PER_SEC);
}

/* Rounded down: who waits N ms from then on, as epoll_wait(2) does, comes when the timer is due. */
static void read_clock(su_time_t *now)
{
	int64_t ms = tl_clock_ms();

	now->tv_sec = (unsigned long)(ms / MS_PER_S + TL_NTP_EPOCH_S);
	now->tv_usec = (unsigned long)(ms % MS_PER_S * US_PER_MS);
}

void tl_clock_give_to_sofia(void)
{
	_su_time = read_clock;
}
