#include "media/flow/relay.h"

#include <glib.h>
#include <unistd.h>

#include "media/rtp/source.h"

/*
 *        a.rtp_fd  ----> | tl_source: from whom? | ----> b.rtp_fd
 *        a.rtcp_fd ----> | the same, of its own  | ----> b.rtcp_fd
 */
struct relay_end {
	bool open;
	struct tl_flow_port port; /* number 0: none */
	struct tl_source rtp, rtcp;
};

struct tl_relay {
	struct tl_flow_env *env;
	struct relay_end ends[_TL_SIDE_MAX];
};

enum { RTP_BYTES_MIN = 12, RTCP_BYTES_MIN = 8, VERSION = 2 };

struct tl_relay *tl_relay_new(struct tl_flow_env *env)
{
	struct tl_relay *relay = g_new0(struct tl_relay, 1);

	relay->env = env;
	return relay;
}

static void close_port(struct tl_relay *relay, struct relay_end *end)
{
	if (!end->port.number)
		return;
	tl_io_close(relay->env->io, end->port.rtp_fd);
	tl_io_close(relay->env->io, end->port.rtcp_fd);
	close(end->port.rtp_fd);
	close(end->port.rtcp_fd);
	end->port.number = 0;
}

void tl_relay_free(struct tl_relay *relay)
{
	if (!relay)
		return;
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		close_port(relay, &relay->ends[side]);
	g_free(relay);
}

void tl_relay_set_port(struct tl_relay *relay, enum tl_side side, struct tl_flow_port port,
		       uint32_t rtp_tag, uint32_t rtcp_tag)
{
	struct relay_end *end = &relay->ends[side];

	close_port(relay, end);
	end->port = port;
	/* one that can't be watched is a stream that nobody sees; the call goes on */
	(void)tl_io_open(relay->env->io, port.rtp_fd, rtp_tag);
	(void)tl_io_open(relay->env->io, port.rtcp_fd, rtcp_tag);
}

void tl_relay_apply(struct tl_relay *relay, const struct tl_stream_plan *plan)
{
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		const struct tl_stream_side *with = &plan->side[side];
		struct relay_end *end = &relay->ends[side];
		union tl_address rtp = tl_address_from((const struct sockaddr *)&with->rtp);
		union tl_address rtcp = tl_address_from((const struct sockaddr *)&with->rtcp);

		end->open = with->open;
		if (!with->open)
			continue;
		if (!tl_address_is_set(&rtcp) && tl_address_is_set(&rtp)) {
			rtcp = rtp;
			tl_address_set_port(&rtcp, tl_address_port(&rtp) + 1);
		}
		tl_source_announce(&end->rtp, &rtp, relay->env->now_us);
		tl_source_announce(&end->rtcp, &rtcp, relay->env->now_us);
	}
}

/* STUN and whatever else comes to such a port is not of this version. */
static bool looks_right(const struct tl_packet *packet, bool rtcp)
{
	return packet->bytes >= (rtcp ? RTCP_BYTES_MIN : RTP_BYTES_MIN) &&
	       packet->data[0] >> 6 == VERSION;
}

bool tl_relay_input(struct tl_relay *relay, enum tl_side side, bool rtcp, struct tl_packet *packet)
{
	struct relay_end *from = &relay->ends[side], *to = &relay->ends[tl_side_other(side)];
	struct tl_source *source = rtcp ? &from->rtcp : &from->rtp;
	const union tl_address *address = tl_source_destination(rtcp ? &to->rtcp : &to->rtp);
	bool known =
		from->open && looks_right(packet, rtcp) &&
		tl_source_check(source, &packet->from, packet->arrived_us) != TL_SOURCE_STRANGER;

	if (!known || !to->open || !to->port.number || !address) {
		tl_pool_give(relay->env->pool, packet);
		return known;
	}
	packet->at = 0;
	tl_io_send(relay->env->io, rtcp ? to->port.rtcp_fd : to->port.rtp_fd, address, packet, NULL,
		   NULL);
	return true;
}
