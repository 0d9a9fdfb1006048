#pragma once
/*
 * How losses cluster, by the definitions of RFC 3611 4.7.2: a burst begins and
 * ends with a lost packet and holds no TL_BURSTS_GMIN received ones in a row;
 * what lies between bursts is gap, with a single loss here and there. Pure.
 * Private to media/.
 *
 *   ....x................x.xx..x...x...................x.....   x lost
 *   gap ----------------->|burst     |<--------------- gap
 */
#include <stdbool.h>
#include <stdint.h>

enum { TL_BURSTS_GMIN = 16 };

struct tl_bursts {
	bool begun;
	uint16_t next_seq;
	uint64_t packets; /* lost and received */
	/* the losses that may still grow into a burst, or be one */
	uint64_t first, last; /* places in packets */
	unsigned losses;      /* 0: none yet */
	/* closed bursts, and single losses outside of them */
	uint64_t burst_packets, burst_losses, bursts, gap_losses;
};

struct tl_bursts_sum {
	uint64_t packets, lost;
	unsigned burst_density, gap_density; /* share of lost packets, in 1/256 */
	uint64_t mean_burst_packets, mean_gap_packets;
};

/* A packet with this number came. What came out of order counts as lost where it was missing. */
void tl_bursts_note(struct tl_bursts *bursts, uint16_t seq);
void tl_bursts_sum(const struct tl_bursts *bursts, struct tl_bursts_sum *ret_sum);
