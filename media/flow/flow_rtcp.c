#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"
#include "media/rtp/emodel.h"

enum {
	INTERVAL_US = 5000000, /* RFC 3550 6.2; made uneven by half of it each way */
	RTT_MAX = 10 * 65536,
	MOS_MIN_X10 = 10, /* RFC 3611 4.7.5 */
	MOS_MAX_X10 = 50,
};

void tl_flow_rtcp_init(struct tl_flow_end *end)
{
	uint64_t random[2] = { 0 };

	/* RFC 7022: a name that says nothing about us, new for each call. */
	if (getrandom(random, sizeof random, 0) < 0)
		random[0] = g_random_int();
	snprintf(end->rtcp.cname, sizeof end->rtcp.cname, "%016" G_GINT64_MODIFIER "x%08x",
		 random[0], (unsigned)random[1]);
}

static int64_t wall_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Where reports go: to where theirs come from, else beside the latched RTP source, else as
 * announced. False: nowhere. */
static bool find_destination(const struct tl_flow_end *end, union tl_address *ret_to)
{
	const union tl_address *rtp = tl_source_destination(&end->source);

	if (!rtp)
		return false;
	*ret_to = *rtp;
	if (end->plan->rtcp_mux)
		return true;
	if (tl_address_is_set(&end->rtcp.source)) {
		*ret_to = end->rtcp.source;
		return true;
	}
	if (tl_address_equal(rtp, &end->source.announced) && end->plan->remote_rtcp.ss_family) {
		*ret_to = tl_address_from((const struct sockaddr *)&end->plan->remote_rtcp);
		return tl_address_port(ret_to) != 0;
	}
	if (tl_address_port(rtp) == UINT16_MAX)
		return false;
	tl_address_set_port(ret_to, (in_port_t)(tl_address_port(rtp) + 1));
	return true;
}

static void fill_block(struct tl_flow_end *end, struct tl_rtcp_block *block)
{
	struct tl_reception_report report;
	int64_t since_us = tl_flow_now(end) - end->rtcp.sr_us;

	tl_reception_report(&end->reception, &report);
	*block = (struct tl_rtcp_block) {
		.ssrc = end->reception.ssrc,
		.fraction_lost = report.fraction_lost,
		.cumulative_lost = report.cumulative_lost,
		.highest_seq = report.highest_seq,
		.jitter = report.jitter,
		.lsr = end->rtcp.has_sr ? end->rtcp.sr_ntp_mid : 0,
		.dlsr = end->rtcp.has_sr ? (uint32_t)((uint64_t)since_us * 65536 / 1000000) : 0,
	};
}

static uint8_t share(uint64_t part, uint64_t whole)
{
	return whole ? (uint8_t)MIN(part * 256 / whole, 255) : 0;
}

static uint16_t of_16_bits(uint64_t ms)
{
	return (uint16_t)MIN(ms, UINT16_MAX);
}

/* RFC 3611 4.7: how the call sounds from here. */
static void fill_voip(struct tl_flow_end *end, struct tl_xr_voip *voip)
{
	const struct tl_side_counters *counters = end->counters;
	unsigned ptime_ms = end->plan->send_ptime_ms;
	unsigned rtt_ms = tl_counter_get(&counters->rtt_us) / 1000;
	unsigned delay_ms = tl_ear_delay_ms(end) + ptime_ms;
	uint64_t discarded = tl_counter_get(&counters->late_pkts);
	const char *name = tl_counter_get(&counters->codec);
	const struct tl_codec *codec = name ? tl_codec_by_name(name) : NULL;
	struct tl_bursts_sum sum;
	uint64_t unheard;

	tl_bursts_sum(&end->bursts, &sum);
	unheard = sum.lost + discarded;
	*voip = (struct tl_xr_voip) {
		.ssrc = end->reception.ssrc,
		.loss_rate = share(sum.lost, sum.packets),
		.discard_rate = share(discarded, sum.packets),
		.burst_density = (uint8_t)sum.burst_density,
		.gap_density = (uint8_t)sum.gap_density,
		.burst_ms = of_16_bits(sum.mean_burst_packets * ptime_ms),
		.gap_ms = of_16_bits(sum.mean_gap_packets * ptime_ms),
		.rtt_ms = of_16_bits(rtt_ms),
		.end_system_ms = of_16_bits(delay_ms),
		.signal_dbm0 = TL_XR_UNAVAILABLE,
		.noise_dbm0 = TL_XR_UNAVAILABLE,
		.rerl_db = TL_XR_UNAVAILABLE,
		.gmin = TL_BURSTS_GMIN,
		.r_factor = (uint8_t)lround(
			tl_emodel_rating(codec, unheard, sum.packets, rtt_ms / 2 + delay_ms)),
		.mos_lq = (uint8_t)(tl_emodel_mos(codec, unheard, sum.packets, 0) / 10),
		.mos_cq = (uint8_t)(tl_emodel_mos(codec, unheard, sum.packets,
						  rtt_ms / 2 + delay_ms) /
				    10),
		.jitter_nominal_ms = of_16_bits(tl_ear_delay_ms(end)),
		.jitter_max_ms = of_16_bits(end->ear ? end->pair->cfg.jitter_max_ms : 0),
		.jitter_abs_max_ms = of_16_bits(end->ear ? end->pair->cfg.jitter_max_ms : 0),
	};
}

static void report(struct tl_flow_end *end, bool bye)
{
	struct tl_packet *packet;
	struct tl_rtcp_block block;
	struct tl_xr_voip voip;
	uint64_t tx = tl_counter_get(&end->counters->tx_pkts);
	struct tl_rtcp_out out = { .ssrc = end->out.ssrc, .cname = end->rtcp.cname, .bye = bye };
	union tl_address to;

	if (!end->plan->open || !end->port || !find_destination(end, &to))
		return;
	if (end->reception.started) {
		fill_block(end, &block);
		out.block = &block;
	}
	if (end->reception.started && end->plan->rtcp_xr) {
		fill_voip(end, &voip);
		out.voip = &voip;
	}
	out.sender = tx != end->rtcp.tx_before;
	if (out.sender) {
		out.ntp = tl_rtcp_ntp(wall_clock_us());
		out.rtp_ts = tl_pack_clock(&end->out, end->plan->send_format.codec->clock_hz,
					   tl_flow_now(end));
		out.packets = (uint32_t)tx;
		out.octets =
			(uint32_t)(tl_counter_get(&end->counters->tx_bytes) -
				   tx * (TL_RTP_HEADER_BYTES +
					 tl_srtp_suite_overhead(end->plan->send_crypto.suite)));
	}
	end->rtcp.tx_before = tx;
	packet = tl_pool_take(end->pair->env->pool);
	packet->arrived_us = 0;
	packet->bytes = (uint16_t)tl_rtcp_write(&out, packet->data);
	if (!tl_flow_seal(end, packet, true)) {
		tl_pool_give(end->pair->env->pool, packet);
		return;
	}
	tl_io_send(end->pair->env->io, end->plan->rtcp_mux ? end->port->rtp_fd : end->port->rtcp_fd,
		   &to, packet, NULL, NULL);
}

void tl_flow_rtcp_second(struct tl_flow_end *end)
{
	int64_t now_us = tl_flow_now(end);

	if (!end->plan->open || end->plan->t38.on || now_us < end->rtcp.next_us)
		return;
	end->rtcp.next_us = now_us + INTERVAL_US / 2 + g_random_int_range(0, INTERVAL_US);
	report(end, false);
}

void tl_flow_rtcp_bye(struct tl_flow_end *end)
{
	/* RFC 3550 6.3.7: not from someone who never took part. */
	if (!end->plan->t38.on && (end->out.started || end->reception.started))
		report(end, true);
}

/* Whoever is encoded for this end guards against what it loses: at once when that is more than
 * before, by halves when it is less. */
static void guard_against_loss(struct tl_flow_end *end, uint8_t fraction_lost)
{
	struct tl_flow_end *speaker = tl_flow_other(end);
	unsigned percent = (fraction_lost * 100u + 255) / 256;

	if (tl_flow_target(speaker) != end)
		speaker = tl_flow_target(end) == end ? end : NULL;
	if (speaker && speaker->ear)
		tl_ear_set_loss(speaker, MAX(percent, speaker->ear->loss / 2));
}

/* What they say of our stream; the time since our report that it answers is the round trip (RFC
 * 3550 6.4.1), unless it cannot be. */
static void note_block(struct tl_flow_end *end, const struct tl_rtcp_block *block)
{
	unsigned clock_hz = end->plan->send_format.codec->clock_hz;
	uint32_t now_mid = (uint32_t)(tl_rtcp_ntp(wall_clock_us()) >> 16);
	uint32_t rtt = now_mid - block->lsr - block->dlsr; /* in 1/65536 s */

	guard_against_loss(end, block->fraction_lost);
	tl_counter_set(&end->counters->remote_lost_pkts,
		       block->cumulative_lost > 0 ? (uint64_t)block->cumulative_lost : 0);
	tl_counter_set(&end->counters->remote_jitter_us,
		       (uint32_t)MIN((uint64_t)block->jitter * 1000000 / clock_hz, UINT32_MAX));
	if (block->lsr && rtt < RTT_MAX)
		tl_counter_set(&end->counters->rtt_us, (uint32_t)((uint64_t)rtt * 1000000 / 65536));
}

/* Their own word for how they hear us; a conversation's score before a listener's. */
static void note_voip(struct tl_flow_end *end, const struct tl_rtcp *rtcp)
{
	struct tl_xr_voip voip;
	unsigned mos;

	if (!rtcp->xr || tl_xr_read_voip(rtcp->xr, rtcp->xr_bytes, end->out.ssrc, &voip) < 0)
		return;
	mos = voip.mos_cq >= MOS_MIN_X10 && voip.mos_cq <= MOS_MAX_X10 ? voip.mos_cq : voip.mos_lq;
	if (mos >= MOS_MIN_X10 && mos <= MOS_MAX_X10)
		tl_counter_set(&end->counters->remote_mos_x10, mos);
}

static void note_blocks(struct tl_flow_end *end, const struct tl_rtcp *rtcp)
{
	if (!end->plan->open)
		return;
	for (size_t i = 0; i < rtcp->n_blocks; i++)
		if (rtcp->blocks[i].ssrc == end->out.ssrc)
			note_block(end, &rtcp->blocks[i]);
	note_voip(end, rtcp);
}

TL_ASIDE
void tl_flow_rtcp_input(struct tl_flow_pair *pair, enum tl_side side, struct tl_packet *packet)
{
	struct tl_flow_end *end = &pair->ends[side];
	const union tl_address *rtp = tl_source_destination(&end->source);
	struct tl_rtcp rtcp;

	if (!tl_flow_unseal(end, packet, true) ||
	    tl_rtcp_parse(packet->data, packet->bytes, &rtcp) < 0 ||
	    (rtp && !tl_address_same_host(rtp, &packet->from))) {
		tl_counter_add(&end->counters->junk_pkts, 1);
	} else {
		if (!end->plan->rtcp_mux)
			end->rtcp.source = packet->from;
		note_blocks(end, &rtcp);
		if (rtcp.has_sr) {
			end->rtcp.has_sr = true;
			end->rtcp.sr_ntp_mid = rtcp.sr_ntp_mid;
			end->rtcp.sr_us = packet->arrived_us;
		}
	}
	tl_pool_give(pair->env->pool, packet);
}
