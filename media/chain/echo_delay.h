#pragma once
/*
 * How long the echo is under way before it begins: through the network, the far side's playout and
 * our jitter buffer, which the canceller's tail is not meant to hold. What was sent and what is
 * heard, both at 2000 Hz and with their low notes thinned out, are correlated over 800 ms; a lag
 * that stands out time and again is told. 4 us for 10 ms while it searches, 1 us afterwards. Plain
 * data; one thread. Private to media/chain/.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
	TL_ECHO_EARLY_MS = 64, /* an echo may come so much before its place */
	TL_ECHO_LATE_MS = 736,
	TL_ECHO_DELAY_HZ = 2000,
	TL_ECHO_DELAY_LAGS = (TL_ECHO_EARLY_MS + TL_ECHO_LATE_MS) * TL_ECHO_DELAY_HZ / 1000,
	TL_ECHO_DELAY_STEP = TL_ECHO_DELAY_HZ / 100,
	TL_ECHO_DELAY_HELD = TL_ECHO_EARLY_MS * TL_ECHO_DELAY_HZ / 1000 + TL_ECHO_DELAY_STEP,
};

struct tl_echo_delay {
	unsigned rate_hz;
	float sent[TL_ECHO_DELAY_LAGS + TL_ECHO_DELAY_STEP];
	float heard[TL_ECHO_DELAY_HELD];
	float match[TL_ECHO_DELAY_LAGS];
	float before_sent, before_heard; /* of the thinning */
	unsigned steps;                  /* that said something since the last look */
	unsigned passed;                 /* all steps */
	int candidate;                   /* lag that stood out last */
	unsigned agreed;                 /* how often in a row */
};

void tl_echo_delay_init(struct tl_echo_delay *delay, unsigned rate_hz);
/* How long after what caused it (it may be negative) the echo begins, and is strongest. */
struct tl_echo_place {
	int begin_ms, peak_ms;
};
/* 10 ms of both, at rate_hz. settled: the echo is being cancelled, look for it less. True: it has
 * been found. */
bool tl_echo_delay_step(struct tl_echo_delay *delay, const int16_t *sent, const int16_t *heard,
			bool settled, struct tl_echo_place *ret_place);
