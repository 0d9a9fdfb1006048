#pragma once
/*
 * The adaptive filter inside an echo canceller: two libraries to choose from, behind one row each.
 * Both learn the path from what was sent to what is heard, and take its echo out. Private to
 * media/chain/.
 */
#include <stddef.h>
#include <stdint.h>

struct tl_echo_filter {
	const char *name;
	/* step: samples that are always given together; tail: samples that the echo may take. NULL:
	 * not at this rate. */
	void *(*open)(unsigned rate_hz, size_t step, size_t tail);
	void (*close)(void *state);
	void (*forget)(void *state); /* the path is another one */
	void (*run)(void *state, const int16_t *sent, const int16_t *heard, int16_t *clean);
};

/* libspeexdsp's multidelay block frequency filter (MDF). */
extern const struct tl_echo_filter tl_echo_speexdsp;
/* libspandsp's LMS filter, 8000 Hz only. */
extern const struct tl_echo_filter tl_echo_spandsp;
