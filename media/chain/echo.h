#pragma once
/*
 * Cancels the echo of a line: what was sent to it comes back, from a hybrid or a bad telephone,
 * mixed with what is said there.
 *
 *   to the line   ──────────┬──────────────────────►  network, playout ─► hybrid ─┐
 *                       [ sent ]                                                  │ echo
 *                           │ delay       tail                                    ▼
 *   from the line ◄── [ heard: filter, residue ] ◄──  jitter buffer, network ◄────┴── speech
 *
 * Both directions are placed on timelines of their own, in samples, that follow the RTP timestamps:
 * what was lost, paused or thrown away on the way moves nothing. How they belong together is found
 * out (echo_delay.h), so that the tail has to hold the line's own echo only. The adaptive filter is
 * libspeexdsp's or libspandsp's; what either leaves is put under the noise of the line
 * (echo_residue.h). Steps aside at the tone of a modem that wants it (G.168 7: 2100 Hz with turns
 * of phase), until both directions have been silent for 250 ms; at a plain 2100 Hz only the residue
 * is left alone.
 *
 * By measurement (tests/bench/bench_echo) libspeexdsp is the default. Used on one worker thread;
 * allocates at creation only. Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/plan/plan.h"

enum { TL_ECHO_TAIL_MIN_MS = 8, TL_ECHO_TAIL_MAX_MS = 128 };

struct tl_echo;

/* rate_hz: 8000 or 16000; at 16000 libspeexdsp takes libspandsp's place. -ENOTSUP: another rate;
 * -EINVAL: TL_ECHO_OFF. tail_ms is brought within its bounds. */
int tl_echo_new(enum tl_echo_kind kind, unsigned rate_hz, unsigned tail_ms,
		struct tl_echo **ret_echo);
void tl_echo_free(struct tl_echo *echo); /* NULL ok */
unsigned tl_echo_rate_hz(const struct tl_echo *echo);
/* What goes to the line; at: place of its first sample on the timeline of what is sent. Places left
 * out were silent. */
void tl_echo_sent(struct tl_echo *echo, int64_t at, const int16_t *pcm, size_t n);
/* What came from the line is cleaned in place. at: on the timeline of what is heard. Audio that is
 * no multiple of 10 ms long leaves up to 10 ms late. */
void tl_echo_heard(struct tl_echo *echo, int64_t at, int16_t *pcm, size_t n);
/* Audio made up for a hole on n places: has more or less the echo of what came before it. */
void tl_echo_made_up(struct tl_echo *echo, int16_t *pcm, size_t n);

struct tl_echo_state {
	bool aside;   /* a modem speaks */
	bool aligned; /* the delay has been found */
	int delay_ms; /* from sent to where the tail begins; at first a guess */
};
void tl_echo_state(const struct tl_echo *echo, struct tl_echo_state *ret_state);
/* For measurements: the residue is left as the filter gives it. */
void tl_echo_set_linear(struct tl_echo *echo, bool linear);
