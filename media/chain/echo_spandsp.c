/*
 * libspandsp's canceller, made silent. Debian 12 ships 0.0.6 with two debug lines that
 * echo_can_update() prints to stdout for every sample, by __printf_chk. A program's own symbol
 * comes before that of a library, so that the function here is the one that is called; it says
 * nothing while the canceller runs on this thread, and is printf for all others.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdarg.h>

#include <glib.h>
#include <spandsp.h>

#include "media/chain/echo_filter.h"

static _Thread_local bool is_hushed;

int __printf_chk(int flag, const char *format, ...) G_GNUC_PRINTF(2, 3);

int __printf_chk(int flag, const char *format, ...)
{
	va_list args;
	int n;

	if (is_hushed)
		return 0;
	va_start(args, format);
	n = vprintf(format, args);
	va_end(args);
	return n;
}

enum { RATE_HZ = 8000 };

/* An LMS filter learns speech slowly, for its low notes outweigh the rest: it gets the signals with
 * those thinned out, and they are put back into what it leaves. */
static const float THIN = 0.9f;
/* And it takes an echo that is less than 6 dB below what was sent for somebody who speaks. */
enum { LOWER = 2 };

struct lms {
	echo_can_state_t *can;
	size_t step;
	float sent, heard, clean; /* the sample before */
};

static void *open_spandsp(unsigned rate_hz, size_t step, size_t tail)
{
	struct lms *lms;
	echo_can_state_t *can;

	if (rate_hz != RATE_HZ)
		return NULL;
	can = echo_can_init((int)tail, ECHO_CAN_USE_ADAPTION);
	if (!can)
		return NULL;
	lms = g_new(struct lms, 1);
	*lms = (struct lms) { .can = can, .step = step };
	return lms;
}

static void close_spandsp(void *state)
{
	struct lms *lms = state;

	if (!lms)
		return;
	echo_can_free(lms->can);
	g_free(lms);
}

static void forget_spandsp(void *state)
{
	struct lms *lms = state;

	echo_can_flush(lms->can);
}

static int16_t thin(int16_t sample, float *before)
{
	float thinned = sample - THIN * *before;

	*before = sample;
	return (int16_t)CLAMP(thinned, -32768.0f, 32767.0f);
}

static void run_spandsp(void *state, const int16_t *sent, const int16_t *heard, int16_t *clean)
{
	struct lms *lms = state;

	is_hushed = true;
	for (size_t i = 0; i < lms->step; i++) {
		int16_t left = echo_can_update(lms->can, thin(sent[i], &lms->sent),
					       (int16_t)(thin(heard[i], &lms->heard) / LOWER));

		lms->clean = lms->clean * THIN + left * LOWER;
		clean[i] = (int16_t)CLAMP(lms->clean, -32768.0f, 32767.0f);
	}
	is_hushed = false;
}

const struct tl_echo_filter tl_echo_spandsp = {
	.name = "spandsp",
	.open = open_spandsp,
	.close = close_spandsp,
	.forget = forget_spandsp,
	.run = run_spandsp,
};
