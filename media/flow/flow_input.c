#include <glib.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"

enum { UNMIXED_US = 5000000 }; /* a talker who has kept to one codec for so long */

static void drop(struct tl_flow_end *end, struct tl_packet *packet)
{
	tl_pool_give(end->pair->env->pool, packet);
}

static void drop_junk(struct tl_flow_end *end, struct tl_packet *packet)
{
	tl_counter_add(&end->counters->junk_pkts, 1);
	drop(end, packet);
}

/* The index of the format that a payload type stands for, or -1. */
static int find_format(const struct tl_side_plan *plan, uint8_t pt)
{
	for (size_t i = 0; i < plan->n_receive_formats; i++)
		if (plan->receive_formats[i].pt == pt)
			return (int)i;
	return -1;
}

static bool is_event(const struct tl_side_plan *plan, uint8_t pt)
{
	return plan->event_receive_pt == pt ||
	       (plan->event_receive_also_pt && plan->event_receive_also_pt == pt);
}

/* RFC 3389: as agreed upon; or its static number, which comes unasked beside codecs of 8 kHz. */
static bool is_comfort_noise(const struct tl_side_plan *plan, uint8_t pt)
{
	if (plan->noise_receive_pt >= 0)
		return pt == plan->noise_receive_pt;
	return pt == TL_RTP_PT_COMFORT_NOISE && plan->n_receive_formats > 0 &&
	       plan->receive_formats[0].codec->clock_hz == 8000;
}

bool tl_flow_unseal(struct tl_flow_end *end, struct tl_packet *packet, bool rtcp)
{
	return !end->deaf && (!end->srtp_in || tl_srtp_unprotect(end->srtp_in, packet, rtcp) == 0);
}

TL_ASIDE static void greet_new_source(struct tl_flow_end *end)
{
	tl_ear_restart(end);
	end->bursts.begun = false;
	if (!end->digits_in.active)
		end->digits_in = (struct tl_dtmf_rx) { 0 };
}

/* A transfer, or a move, has put another one here. */
TL_ASIDE static void part_from_the_last(struct tl_flow_end *end)
{
	struct tl_flow_end *to = tl_flow_target(end);

	greet_new_source(end);
	if (to)
		tl_pack_part(&to->out);
}

TL_HOT(packet) bool tl_flow_accept_source(struct tl_flow_end *end, const struct tl_packet *packet)
{
	switch (tl_source_check(&end->source, &packet->from, packet->arrived_us)) {
	case TL_SOURCE_STRANGER:
		return false;
	case TL_SOURCE_LATCHED:
		tl_counters_set_source(end->counters, &packet->from);
		if (tl_address_is_set(&end->source.left))
			part_from_the_last(end);
		return true;
	case TL_SOURCE_KNOWN:
		return true;
	}
	return false;
}

/* False: the sequence jumped; the next packet tells if it was a stray. */
TL_HOT(packet)
static bool note(struct tl_flow_end *end, const struct tl_packet *packet, unsigned clock_hz,
		 bool timed)
{
	struct tl_side_counters *counters = end->counters;

	end->heard_us = packet->arrived_us;
	tl_counter_add(&counters->rx_pkts, 1);
	tl_counter_add(&counters->rx_bytes, packet->bytes);
	switch (tl_reception_note(&end->reception, &packet->rtp, clock_hz, timed,
				  packet->arrived_us)) {
	case TL_RECEPTION_JUMPED:
		return false;
	case TL_RECEPTION_NEW_SOURCE:
		greet_new_source(end);
		break;
	case TL_RECEPTION_NORMAL:
		break;
	}
	tl_bursts_note(&end->bursts, packet->rtp.seq);
	tl_counter_set(&counters->lost_pkts, tl_reception_lost(&end->reception));
	tl_counter_set(&counters->jitter_us, tl_reception_jitter_us(&end->reception));
	return true;
}

/* Came, but does not go on: at the target its number must not look like a loss. */
TL_ASIDE static void withhold(struct tl_flow_end *end, struct tl_packet *packet)
{
	struct tl_flow_end *to = tl_flow_target(end);

	if (to)
		tl_pack_skip(&to->out, &packet->rtp);
	tl_ear_pass(end, packet->rtp.seq);
	drop(end, packet);
}

/* Takes packet, of a payload type that was not agreed upon (RFC 3550 5.1: ignored). It has a number
 * in the stream all the same, if it is of that. */
TL_ASIDE static void ignore(struct tl_flow_end *end, struct tl_packet *packet)
{
	tl_counter_add(&end->counters->junk_pkts, 1);
	if (tl_address_equal(&packet->from, &end->source.latched) &&
	    packet->rtp.ssrc == end->reception.ssrc && note(end, packet, 0, false))
		withhold(end, packet);
	else
		drop(end, packet);
}

static struct tl_packet *copy_payload(struct tl_flow_end *end, const struct tl_packet *packet)
{
	struct tl_packet *copy = tl_pool_take(end->pair->env->pool);

	copy->arrived_us = packet->arrived_us;
	copy->rtp = packet->rtp;
	copy->rtp.payload_at = 0;
	memcpy(copy->data, tl_packet_payload(packet), packet->rtp.payload_bytes);
	return copy;
}

/* For whoever listens to what goes on untouched: a recorder by itself has time. */
TL_ASIDE static void overhear(struct tl_flow_end *end, const struct tl_packet *packet, int format)
{
	if (tl_flow_listens(end) || tl_flow_fax_listens(end) || tl_flow_other(end)->player.order) {
		tl_tape_finish(end);
		tl_ear_put(end, copy_payload(end, packet), &end->plan->receive_formats[format]);
	} else {
		tl_tape_put(end, packet);
	}
}

/* More audio in a packet than the other side takes? Only who decodes can divide it. */
static bool is_too_long(const struct tl_flow_end *to, const struct tl_packet *packet,
			const struct tl_format *format)
{
	unsigned max_ms = to->plan->send_max_ms;

	return max_ms &&
	       tl_format_duration(format, tl_packet_payload(packet), packet->rtp.payload_bytes) >
		       max_ms * (format->codec->clock_hz / 1000) &&
	       tl_format_can_transcode(format);
}

/*
 * Where some of a talker's packets are relayed and others can't be, who changes between them goes
 * by the ear with all: what waits in its jitter buffer would come out amidst what is passed on at
 * once. Until the change seems to be over.
 */
TL_ASIDE
static void keep_one_way(struct tl_flow_end *end, const struct tl_flow_end *to,
			 const struct tl_packet *packet, int format)
{
	if (!(end->relayable_alone & 1u << format) ||
	    is_too_long(to, packet, &end->plan->receive_formats[format])) {
		end->mixed_us = packet->arrived_us;
		if (end->relayable)
			tl_ear_play_rest(end); /* a recorder hears it, the other end has */
		if (end->relayable && end->ear)
			end->ear->stale = true;
		end->relayable = 0;
	} else if (!end->relayable && packet->arrived_us - end->mixed_us > UNMIXED_US) {
		tl_ear_play_rest(end);
		tl_ear_drop(end);
		end->relayable = end->relayable_alone;
	}
}

/*
 *   goes on untouched?  somebody listens?
 *         yes                no             forward
 *         yes                yes            forward, and a copy to the ear
 *         no                 -              to the ear, which encodes if there is a target
 */
TL_HOT(packet) static void take_audio(struct tl_flow_end *end, struct tl_packet *packet, int format)
{
	struct tl_flow_end *to = tl_flow_target(end);
	bool recorded = end->pair->recorder || tl_flow_listens(end) || tl_flow_fax_listens(end);
	bool heard = to && to->plan->send && !tl_flow_is_taken(to);

	if (!end->plan->receive || (!heard && !recorded)) {
		withhold(end, packet);
		return;
	}
	if (to && end->relayable_alone)
		keep_one_way(end, to, packet, format);
	if (!to || !(end->relayable & 1u << format)) {
		tl_tape_finish(end);
		tl_ear_put(end, packet, &end->plan->receive_formats[format]);
		return;
	}
	if (recorded)
		overhear(end, packet, format);
	if (heard) {
		tl_flow_forward(to, end, packet);
	} else {
		tl_pack_skip(&to->out, &packet->rtp);
		drop(end, packet);
	}
}

/* As audio, but where that is relayed noise goes on only to who takes it: see silence_is_lost() of
 * the plan. */
TL_ASIDE static void take_noise(struct tl_flow_end *end, struct tl_packet *packet)
{
	struct tl_flow_end *to = tl_flow_target(end);
	bool recorded = end->pair->recorder || tl_flow_listens(end);
	bool heard = to && to->plan->send && !tl_flow_is_taken(to);

	if (!end->plan->receive || (!heard && !recorded)) {
		withhold(end, packet);
		return;
	}
	if (!to || !end->relayable) {
		tl_ear_put_noise(end, packet);
		return;
	}
	if (recorded)
		tl_ear_put_noise(end, copy_payload(end, packet));
	if (heard && to->plan->noise_send_pt >= 0) {
		tl_flow_forward_noise(to, end, packet);
		return;
	}
	tl_pack_skip(&to->out, &packet->rtp);
	drop(end, packet);
}

TL_HOT(packet)
void tl_flow_input(struct tl_flow_pair *pair, enum tl_side side, struct tl_packet *packet)
{
	struct tl_flow_end *end = &pair->ends[side];
	const struct tl_side_plan *plan = end->plan;
	bool event;
	int format;

	if (plan->rtcp_mux && tl_rtp_looks_like_rtcp(packet->data, packet->bytes)) {
		tl_flow_rtcp_input(pair, side, packet);
		return;
	}
	if (!plan->open) {
		drop(end, packet); /* may well be good, but we don't know yet */
		return;
	}
	if (plan->t38.on) {
		tl_flow_fax_input(end, packet);
		return;
	}
	if (!tl_flow_unseal(end, packet, false) ||
	    tl_rtp_parse(packet->data, packet->bytes, &packet->rtp) < 0) {
		drop_junk(end, packet);
		return;
	}
	event = is_event(plan, packet->rtp.pt);
	format = event ? -1 : find_format(plan, packet->rtp.pt);
	if (!event && format < 0 && !is_comfort_noise(plan, packet->rtp.pt)) {
		ignore(end, packet);
		return;
	}
	if (!tl_flow_accept_source(end, packet)) {
		drop_junk(end, packet);
		return;
	}
	if (format < 0 && !note(end, packet, plan->event_clock_hz, false)) {
		drop(end, packet);
	} else if (event) {
		tl_flow_event_input(end, packet);
	} else if (format < 0) {
		take_noise(end, packet);
	} else if (!note(end, packet, plan->receive_formats[format].codec->clock_hz, true)) {
		drop(end, packet);
	} else {
		tl_counter_set(&end->counters->codec, plan->receive_formats[format].codec->name);
		tl_flow_sound_meter(end, packet, &plan->receive_formats[format]);
		take_audio(end, packet, format);
	}
}
