#include "media/flow/relay.h"

#include <glib.h>
#include <unistd.h>

#include "media/rtp/source.h"
#include "media/rtp/srtp.h"

/*
 *        a.rtp_fd  ----> | (SRTP) | tl_source: from whom? | (SRTP) | ----> b.rtp_fd
 *        a.rtcp_fd ----> | (SRTP) | the same, of its own  | (SRTP) | ----> b.rtcp_fd
 *
 * With rtcp-mux a side's RTCP comes and goes by rtp_fd, and whoever is latched there has sent it.
 */
struct relay_end {
	bool open, mux;
	struct tl_flow_port port; /* number 0: none */
	struct tl_source rtp, rtcp;
	struct tl_srtp *in, *out; /* NULL: plain */
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
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		close_port(relay, &relay->ends[side]);
		tl_srtp_free(relay->ends[side].in);
		tl_srtp_free(relay->ends[side].out);
	}
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

/* A context goes on with its key. False: it can't be used. */
static bool set_key(struct tl_srtp **srtp, const struct tl_crypto *crypto, bool outgoing)
{
	if (tl_srtp_has(*srtp, crypto))
		return true;
	tl_srtp_free(g_steal_pointer(srtp));
	return crypto->suite == TL_SRTP_NONE || tl_srtp_new(crypto, outgoing, srtp) == 0;
}

void tl_relay_apply(struct tl_relay *relay, const struct tl_stream_plan *plan)
{
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		const struct tl_stream_side *with = &plan->side[side];
		struct relay_end *end = &relay->ends[side];
		union tl_address rtp = tl_address_from((const struct sockaddr *)&with->rtp);
		union tl_address rtcp = tl_address_from((const struct sockaddr *)&with->rtcp);

		end->open = with->open && set_key(&end->in, &with->receive_crypto, false) &&
			    set_key(&end->out, &with->send_crypto, true);
		end->mux = with->rtcp_mux;
		if (!end->open)
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

/* Takes packet. */
static void pass_on(struct tl_relay *relay, struct relay_end *to, bool rtcp,
		    struct tl_packet *packet)
{
	bool by_rtcp = rtcp && !to->mux;
	const union tl_address *address = tl_source_destination(by_rtcp ? &to->rtcp : &to->rtp);

	packet->at = 0;
	if (!to->open || !to->port.number || !address ||
	    (to->out && tl_srtp_protect(to->out, packet, rtcp) < 0)) {
		tl_pool_give(relay->env->pool, packet);
		return;
	}
	tl_io_send(relay->env->io, by_rtcp ? to->port.rtcp_fd : to->port.rtp_fd, address, packet,
		   NULL, NULL);
}

bool tl_relay_input(struct tl_relay *relay, enum tl_side side, bool rtcp, struct tl_packet *packet)
{
	struct relay_end *from = &relay->ends[side];
	struct tl_source *source = rtcp ? &from->rtcp : &from->rtp;
	bool is_rtcp = rtcp || (from->mux && packet->bytes >= RTCP_BYTES_MIN &&
				tl_rtp_looks_like_rtcp(packet->data, packet->bytes));

	packet->at = 0;
	if (!from->open || !looks_right(packet, is_rtcp) ||
	    (from->in && tl_srtp_unprotect(from->in, packet, is_rtcp) < 0) ||
	    tl_source_check(source, &packet->from, packet->arrived_us) == TL_SOURCE_STRANGER) {
		tl_pool_give(relay->env->pool, packet);
		return false;
	}
	pass_on(relay, &relay->ends[tl_side_other(side)], is_rtcp, packet);
	return true;
}
