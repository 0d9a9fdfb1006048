#pragma once
/*
 * Counters that a worker writes and anybody may read at any time: relaxed
 * atomics with one writer. Private to media/.
 */
#include <stdatomic.h>

#include "media/address.h"
#include "media/session.h"

struct tl_side_counters {
	_Atomic uint64_t rx_pkts, rx_bytes, tx_pkts, tx_bytes;
	_Atomic uint64_t lost_pkts, late_pkts, concealed_us, junk_pkts;
	_Atomic uint32_t jitter_us;
	_Atomic uint64_t delay_sum_us, delay_pkts;
	_Atomic uint32_t delay_max_us;
	_Atomic uint32_t rtt_us, remote_jitter_us;
	_Atomic uint32_t remote_mos_x10; /* as the peer itself judges; 0: it has not said */
	_Atomic uint64_t remote_lost_pkts;
	/* the meter: sum of squares of so many samples, the largest, and the latest mean square */
	_Atomic uint64_t level_energy, level_samples;
	_Atomic uint32_t level_peak, level_now;
	_Atomic(const char *) codec;
	/* the address is several words: source_turn is odd while they change */
	_Atomic uint32_t source_turn;
	_Atomic uint64_t source[(sizeof(union tl_address) + 7) / 8];
};

struct tl_session_counters {
	struct tl_side_counters side[_TL_SIDE_MAX];
	_Atomic int path[_TL_SIDE_MAX];
};

#define tl_counter_set(counter, value) atomic_store_explicit(counter, value, memory_order_relaxed)
#define tl_counter_get(counter)        atomic_load_explicit(counter, memory_order_relaxed)
/* One writer: no need for a locked addition. */
#define tl_counter_add(counter, n) tl_counter_set(counter, tl_counter_get(counter) + (n))

void tl_counters_set_source(struct tl_side_counters *counters, const union tl_address *source);
/* Took so long from arrival to departure. */
void tl_counters_add_delay(struct tl_side_counters *counters, int64_t delay_us);
void tl_counters_read(struct tl_session_counters *counters, struct tl_session_stats *ret_stats);
