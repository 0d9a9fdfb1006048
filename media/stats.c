#include "media/stats.h"

#include <math.h>
#include <string.h>

#include <glib.h>

#include "media/rtp/emodel.h"

enum { PACKET_MS = 20 };
enum { SOURCE_WORDS = sizeof(((struct tl_side_counters *)0)->source) / 8 };

void tl_counters_set_source(struct tl_side_counters *counters, const union tl_address *source)
{
	uint32_t turn = tl_counter_get(&counters->source_turn);
	uint64_t words[SOURCE_WORDS] = { 0 };

	memcpy(words, source, tl_address_bytes(source));
	tl_counter_set(&counters->source_turn, turn + 1);
	/* Release on each word keeps it behind the odd turn. */
	for (size_t i = 0; i < SOURCE_WORDS; i++)
		atomic_store_explicit(&counters->source[i], words[i], memory_order_release);
	atomic_store_explicit(&counters->source_turn, turn + 2, memory_order_release);
}

void tl_counters_add_delay(struct tl_side_counters *counters, int64_t delay_us)
{
	uint32_t us = delay_us < 0 ? 0 : delay_us > UINT32_MAX ? UINT32_MAX : (uint32_t)delay_us;

	tl_counter_add(&counters->delay_sum_us, us);
	tl_counter_add(&counters->delay_pkts, 1);
	if (us > tl_counter_get(&counters->delay_max_us))
		tl_counter_set(&counters->delay_max_us, us);
}

static void read_source(struct tl_side_counters *counters, struct sockaddr_storage *ret_source)
{
	uint64_t words[SOURCE_WORDS];
	uint32_t before, after;

	do {
		before = atomic_load_explicit(&counters->source_turn, memory_order_acquire);
		for (size_t i = 0; i < SOURCE_WORDS; i++)
			words[i] = atomic_load_explicit(&counters->source[i], memory_order_acquire);
		after = tl_counter_get(&counters->source_turn);
	} while (before != after || before % 2);
	memset(ret_source, 0, sizeof *ret_source);
	memcpy(ret_source, words, sizeof(union tl_address));
}

/*
 * What each of both hears of the other. From mouth to ear it is half the round trip, a packet's
 * time, and what the listener's jitter buffer holds, about twice the jitter. What they hear is
 * judged when a report of theirs has come; when it says how well, that counts.
 */
static void judge(struct tl_side_stats *stats, unsigned remote_mos_x10)
{
	const struct tl_codec *codec = stats->codec ? tl_codec_by_name(stats->codec) : NULL;
	unsigned way_ms = stats->rtt_us / 2000 + PACKET_MS;

	stats->mos = tl_emodel_mos(codec, stats->lost_pkts + stats->late_pkts,
				   stats->rx_pkts + stats->lost_pkts,
				   way_ms + stats->delay_us / 1000 + stats->jitter_us / 500);
	if (stats->rtt_us || stats->remote_lost_pkts || stats->remote_jitter_us)
		stats->remote_mos = tl_emodel_mos(codec, stats->remote_lost_pkts, stats->tx_pkts,
						  way_ms + stats->remote_jitter_us / 500);
	if (remote_mos_x10)
		stats->remote_mos = remote_mos_x10 * 10;
}

/* A sine of full scale has +3.14 dBm0 (ITU-T G.711). */
static double to_dbm0(double mean_square)
{
	return 10 * log10(MAX(mean_square, 0.5) / (32767.0 * 32767.0 / 2)) + 3.14;
}

static void read_meter(struct tl_side_counters *counters, struct tl_side_stats *stats)
{
	uint64_t n = tl_counter_get(&counters->level_samples);
	double energy = (double)tl_counter_get(&counters->level_energy);

	stats->is_metered = n > 0;
	if (n == 0)
		return;
	stats->level_dbm0 = to_dbm0(energy / (double)n);
	stats->level_now_dbm0 = to_dbm0(tl_counter_get(&counters->level_now));
	stats->peak_dbfs = 20 * log10(MAX(tl_counter_get(&counters->level_peak), 1u) / 32768.0);
}

static void read_side(struct tl_side_counters *counters, struct tl_side_stats *ret_stats)
{
	uint64_t delays = tl_counter_get(&counters->delay_pkts);

	*ret_stats = (struct tl_side_stats) {
		.rx_pkts = tl_counter_get(&counters->rx_pkts),
		.rx_bytes = tl_counter_get(&counters->rx_bytes),
		.tx_pkts = tl_counter_get(&counters->tx_pkts),
		.tx_bytes = tl_counter_get(&counters->tx_bytes),
		.lost_pkts = tl_counter_get(&counters->lost_pkts),
		.late_pkts = tl_counter_get(&counters->late_pkts),
		.concealed_ms = tl_counter_get(&counters->concealed_us) / 1000,
		.junk_pkts = tl_counter_get(&counters->junk_pkts),
		.jitter_us = tl_counter_get(&counters->jitter_us),
		.delay_us =
			delays ? (uint32_t)(tl_counter_get(&counters->delay_sum_us) / delays) : 0,
		.delay_max_us = tl_counter_get(&counters->delay_max_us),
		.remote_lost_pkts = tl_counter_get(&counters->remote_lost_pkts),
		.remote_jitter_us = tl_counter_get(&counters->remote_jitter_us),
		.rtt_us = tl_counter_get(&counters->rtt_us),
		.codec = tl_counter_get(&counters->codec),
	};
	judge(ret_stats, tl_counter_get(&counters->remote_mos_x10));
	read_meter(counters, ret_stats);
	read_source(counters, &ret_stats->source);
}

void tl_counters_read(struct tl_session_counters *counters, struct tl_session_stats *ret_stats)
{
	memset(ret_stats, 0, sizeof *ret_stats);
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		read_side(&counters->side[side], &ret_stats->side[side]);
		ret_stats->path[side] = tl_counter_get(&counters->path[side]);
	}
}
