#pragma once
/*
 * How long a jitter buffer should hold packets. Learns from each arrival how
 * much later it was than the fastest of the last seconds, and aims at the delay
 * that all but one in a hundred keep. A path that stands still once, or a machine
 * on it, delays a dozen packets by one accident: it is not learnt from, unless
 * another follows. Pure. Private to media/.
 */
#include <stdbool.h>
#include <stdint.h>

enum { TL_DELAY_BINS = 100 }; /* of 5 ms */

/* A packet that was late, and those that came on its heels, each so much less late. */
struct tl_accident {
	int64_t behind_us, step_us;
	unsigned n;     /* packets; 0: none, or it has been counted by now */
	unsigned since; /* packets, since one was late last */
	bool seen;      /* one was, ever */
	bool lasts;     /* the next packet may be of it */
};

struct tl_delay {
	int64_t min_us, max_us, floor_us, target_us;
	/* sent - arrived is known up to a constant: that of the first packet */
	bool has_ts;
	uint32_t last_ts;
	int64_t sent_units;                    /* last_ts, unwrapped, 0 at the first */
	int64_t fastest_us, fastest_before_us; /* transit: this window's, the one before's */
	int64_t window_us;                     /* when this window began */
	int64_t arrived_us, transit_us;        /* of the last one */
	struct tl_accident accident;
	unsigned n, since; /* in the histogram; since the target was set */
	uint16_t bins[TL_DELAY_BINS];
};

void tl_delay_init(struct tl_delay *delay, unsigned min_ms, unsigned max_ms);
/* From now on the target is no less than this, within the bounds. 0: as the jitter wants it. */
void tl_delay_set_floor(struct tl_delay *delay, int64_t us);
/* Timestamps start anew; what was learnt of jitter stays. */
void tl_delay_new_timeline(struct tl_delay *delay);
void tl_delay_note(struct tl_delay *delay, uint32_t ts, unsigned clock_hz, int64_t arrived_us);
static inline int64_t tl_delay_target_us(const struct tl_delay *delay)
{
	return delay->target_us;
}
/* When ts should be played: the fastest path, and the target upon it. */
int64_t tl_delay_play_at(const struct tl_delay *delay, uint32_t ts, unsigned clock_hz);
/* Playing ts at play_us: how long is that behind the fastest path? */
int64_t tl_delay_of(const struct tl_delay *delay, uint32_t ts, unsigned clock_hz, int64_t play_us);
