#include <glib.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"

bool tl_flow_seal(struct tl_flow_end *to, struct tl_packet *packet, bool rtcp)
{
	return !to->dumb && (!to->srtp_out || tl_srtp_protect(to->srtp_out, packet, rtcp) == 0);
}

/* Takes packet, whose header is written. */
TL_HOT(packet)
static void send_packet(struct tl_flow_end *to, struct tl_packet *packet, struct tl_flow_end *from)
{
	const union tl_address *address = tl_source_destination(&to->source);

	if (to->line)
		tl_flow_sound_sent(to, packet);
	/* where there is T.38, no RTP goes: not an announcement, nor a digit */
	if (!to->plan->send || to->plan->t38.on || !to->port || !address ||
	    !tl_flow_seal(to, packet, false)) {
		tl_pool_give(to->pair->env->pool, packet);
		return;
	}
	tl_io_send(to->pair->env->io, to->port->rtp_fd, to->aimed ? NULL : address, packet,
		   to->counters, from ? from->counters : NULL);
}

static uint32_t packet_units(const struct tl_side_plan *plan)
{
	return plan->send_format.codec->clock_hz * plan->send_ptime_ms / 1000;
}

TL_HOT(packet)
static void forward_as(struct tl_flow_end *to, struct tl_flow_end *from, struct tl_packet *packet,
		       uint8_t pt)
{
	const struct tl_format *format = &to->plan->send_format;
	struct tl_rtp out = { .pt = pt };

	if (tl_pack_relay(&to->out, &packet->rtp, true, packet_units(to->plan),
			  format->codec->clock_hz, packet->arrived_us, &out) < 0) {
		tl_pool_give(to->pair->env->pool, packet);
		return;
	}
	/*
	 * Our header goes right before the payload: CSRCs and extensions, which
	 * only the one side agreed upon, stay behind, and nothing is copied.
	 *
	 *   | header | CSRC | extension | payload | padding |
	 *                      | header | payload |
	 */
	packet->at = packet->rtp.payload_at - TL_RTP_HEADER_BYTES;
	packet->bytes = TL_RTP_HEADER_BYTES + packet->rtp.payload_bytes;
	tl_rtp_write(packet->data + packet->at, &out);
	send_packet(to, packet, from);
}

void tl_flow_forward(struct tl_flow_end *to, struct tl_flow_end *from, struct tl_packet *packet)
{
	forward_as(to, from, packet, to->plan->send_format.pt);
}

void tl_flow_forward_noise(struct tl_flow_end *to, struct tl_flow_end *from,
			   struct tl_packet *packet)
{
	forward_as(to, from, packet, (uint8_t)to->plan->noise_send_pt);
}

static struct tl_packet *make_packet(struct tl_flow_end *to, const struct tl_rtp *rtp,
				     const uint8_t *payload, size_t bytes)
{
	struct tl_packet *packet = tl_pool_take(to->pair->env->pool);

	packet->arrived_us = 0;
	packet->bytes = (uint16_t)(TL_RTP_HEADER_BYTES + bytes);
	tl_rtp_write(packet->data, rtp);
	memcpy(packet->data + TL_RTP_HEADER_BYTES, payload, bytes);
	return packet;
}

TL_HOT(chain)
void tl_flow_send_audio(struct tl_flow_end *to, enum tl_feeder feeder, const uint8_t *payload,
			size_t bytes, uint32_t duration, struct tl_flow_end *from,
			int64_t arrived_us)
{
	const struct tl_format *format = &to->plan->send_format;
	struct tl_rtp rtp = { .pt = format->pt };
	struct tl_packet *packet;

	if (!to->plan->send || bytes > TL_PACKET_BYTES - TL_RTP_HEADER_BYTES) {
		tl_pack_pause(&to->out);
		return;
	}
	if (bytes == 0) {
		tl_pack_gap(&to->out, feeder, duration, format->codec->clock_hz, tl_flow_now(to));
		return;
	}
	tl_pack_own(&to->out, feeder, duration, format->codec->clock_hz, tl_flow_now(to), &rtp);
	packet = make_packet(to, &rtp, payload, bytes);
	packet->arrived_us = arrived_us;
	send_packet(to, packet, from);
}

void tl_flow_send_small(struct tl_flow_end *to, const struct tl_rtp *rtp, const uint8_t *payload,
			size_t bytes)
{
	send_packet(to, make_packet(to, rtp, payload, bytes), NULL);
}

void tl_flow_send_noise(struct tl_flow_end *to, const uint8_t *payload, size_t bytes,
			uint32_t duration)
{
	unsigned clock_hz = to->plan->send_format.codec->clock_hz;
	struct tl_rtp rtp = { .pt = (uint8_t)to->plan->noise_send_pt };

	tl_pack_own(&to->out, TL_FEEDER_CHAIN, duration, clock_hz, tl_flow_now(to), &rtp);
	rtp.marker = false; /* RFC 3551 4.1: a talk spurt begins after it, */
	to->out.gap = true; /* with what is sent next */
	tl_flow_send_small(to, &rtp, payload, bytes);
}
