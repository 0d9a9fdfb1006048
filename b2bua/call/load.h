#pragma once
/*
 * Whether we are behind with our work: the signalling thread with its timers or
 * its sockets, the media workers with their ticks. Short hitches don't count: a
 * second of nothing else does, or so much more of bad times than of good; and it is
 * over by as much of the opposite. Signalling thread.
 */
#include <stdbool.h>
#include <stdint.h>

struct tl_load;
struct tl_media;
struct tl_stack;

/* What one look shows. */
struct tl_load_sample {
	uint64_t signalling_late_us; /* of a timer */
	uint64_t media_late_us;      /* of the worst tick since the last look */
	unsigned queue_permille;     /* how full the fullest socket is */
};

/* The judgement alone, without looks of its own: for tests. */
struct tl_load *tl_load_new(unsigned lag_ms);
/* The same, looking five times a second. All lent. */
struct tl_load *tl_load_start(struct tl_media *media, const struct tl_stack *stack,
			      unsigned lag_ms);
void tl_load_free(struct tl_load *load); /* NULL ok */
/* How late is too late. 0: never. */
void tl_load_configure(struct tl_load *load, unsigned lag_ms);
void tl_load_add(struct tl_load *load, const struct tl_load_sample *sample);
bool tl_load_is_high(const struct tl_load *load);
/* The worst media tick since this was asked last. */
uint64_t tl_load_take_media_late_us(struct tl_load *load);
