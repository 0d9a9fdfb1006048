/*
 * Fax. Which way it goes through a pair, by the sides' plans:
 *
 *   T.38 both sides    datagram -> UDPTL -> packets -> UDPTL -> datagram
 *                      each side has recovery of its own: what one net lost and
 *                      got back, the other one never sees missing
 *   T.38 and G.711     datagram -> UDPTL -> packets -> | gateway | -> encoder -> RTP
 *                      datagram <- UDPTL <- packets <- | modems  | <- ear <- jitter <- RTP
 *   G.711 both sides   as any call, with delays that stand still
 *
 * The gateway speaks 20 ms at a time on our own clock, and hears when the ear does.
 */
#include <glib.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"

enum { STEP_US = 20000, STEP = 160, BEHIND_MAX_US = 200000 };

struct tl_flow_fax {
	struct tl_udptl *udptl[_TL_SIDE_MAX]; /* of a side while it has T.38 */
	struct tl_fax_gateway *gateway;       /* NULL: both sides have it, or none */
	enum tl_side line;                    /* the gateway's G.711 side */
	struct tl_chain *mouth;               /* encodes what the modems say; NULL: none yet */
	int64_t next_us;                      /* when they speak */
};

/* --- to a side with T.38 --- */

static void send_datagram(struct tl_flow_end *to, const uint8_t *data, size_t bytes)
{
	const union tl_address *address = tl_source_destination(&to->source);
	struct tl_packet *packet;

	if (!to->plan->send || !to->port || !address)
		return;
	packet = tl_pool_take(to->pair->env->pool);
	packet->arrived_us = 0;
	packet->bytes = (uint16_t)bytes;
	memcpy(packet->data, data, bytes);
	tl_io_send(to->pair->env->io, to->port->rtp_fd, address, packet, to->counters, NULL);
}

static void send_ifp(struct tl_flow_end *to, const uint8_t *ifp, size_t bytes, unsigned copies)
{
	struct tl_udptl *udptl = to->pair->fax->udptl[to->side];
	uint8_t data[TL_UDPTL_BYTES];
	size_t n = udptl ? tl_udptl_write(udptl, ifp, bytes, data) : 0;

	for (unsigned i = 0; n && i < copies; i++)
		send_datagram(to, data, n);
}

static void on_gateway_ifp(const uint8_t *ifp, size_t bytes, unsigned copies, void *user)
{
	struct tl_flow_pair *pair = user;

	send_ifp(&pair->ends[tl_side_other(pair->fax->line)], ifp, bytes, copies);
}

/* --- from a side with T.38 --- */

static void on_ifp(const uint8_t *ifp, size_t bytes, unsigned lost, void *user)
{
	struct tl_flow_end *end = user, *to = tl_flow_other(end);
	struct tl_flow_fax *fax = end->pair->fax;

	tl_counter_add(&end->counters->lost_pkts, lost);
	if (fax->gateway) {
		tl_fax_gateway_take(fax->gateway, ifp, bytes, lost);
	} else if (fax->udptl[to->side]) {
		tl_udptl_skip(fax->udptl[to->side], lost);
		send_ifp(to, ifp, bytes, 1);
	}
}

TL_ASIDE void tl_flow_fax_input(struct tl_flow_end *end, struct tl_packet *packet)
{
	struct tl_side_counters *counters = end->counters;
	struct tl_udptl *udptl = end->pair->fax->udptl[end->side];

	/* who it is from counts before anything is believed, and what it is before that */
	if (tl_udptl_check(udptl, packet->data, packet->bytes) < 0 ||
	    !tl_flow_accept_source(end, packet) ||
	    (end->plan->receive &&
	     tl_udptl_read(udptl, packet->data, packet->bytes, on_ifp, end) < 0)) {
		tl_counter_add(&counters->junk_pkts, 1);
	} else {
		end->heard_us = packet->arrived_us;
		tl_counter_add(&counters->rx_pkts, 1);
		tl_counter_add(&counters->rx_bytes, packet->bytes);
		tl_counter_set(&counters->codec, "T.38");
	}
	tl_pool_give(end->pair->env->pool, packet);
}

/* --- the modem's side --- */

static bool minds_tones(const struct tl_flow_end *end)
{
	return end->plan->fax_tones ||
	       (end->plan->modem_tones && !tl_fax_ear_is_done(end->fax_ear));
}

TL_HOT(packet) bool tl_flow_fax_listens(const struct tl_flow_end *end)
{
	const struct tl_flow_fax *fax = end->pair->fax;

	return (fax && fax->gateway && fax->line == end->side) || minds_tones(end);
}

TL_ASIDE static void tell_tones(struct tl_flow_end *end, unsigned tones)
{
	for (unsigned tone = 0; tone < _TL_FAX_TONE_MAX; tone++) {
		struct tl_media_news news = { .id = end->pair->id,
					      .type = TL_MEDIA_FAX,
					      .side = end->side,
					      .tone = (enum tl_fax_tone)tone };

		if (tones & 1u << tone)
			end->pair->env->on_news(&news, end->pair->env->user);
	}
}

TL_HOT(chain)
void tl_flow_fax_hear(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz,
		      bool concealed)
{
	struct tl_flow_fax *fax = end->pair->fax;

	if (rate_hz != TL_FAX_TONE_HZ)
		return; /* no modem speaks through such a codec */
	if (minds_tones(end)) {
		if (!end->fax_ear)
			end->fax_ear = tl_fax_ear_new(end->plan->fax_tones);
		tell_tones(end, tl_fax_ear_hear(end->fax_ear, pcm, samples));
		if (tl_fax_ear_is_done(end->fax_ear))
			end->ear->stale = true; /* it need not be decoded any more, maybe */
	}
	if (!fax || !fax->gateway || fax->line != end->side)
		return;
	if (concealed) /* what was made up for a hole says nothing to a modem */
		tl_fax_gateway_rx_lost(fax->gateway, samples);
	else
		tl_fax_gateway_rx(fax->gateway, pcm, samples);
}

static void on_packet(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	tl_flow_send_audio(user, TL_FEEDER_FAX, payload, bytes, duration, NULL, 0);
}

static bool ready_mouth(struct tl_flow_end *end)
{
	struct tl_chain_cfg cfg = {
		.out = &end->plan->send_format,
		.out_ptime_ms = end->plan->send_ptime_ms,
		.rate_hz = TL_FAX_TONE_HZ,
		.on_packet = on_packet,
		.user = end,
	};

	return end->pair->fax->mouth || tl_chain_new(&cfg, &end->pair->fax->mouth) == 0;
}

static void speak(struct tl_flow_end *end)
{
	struct tl_flow_fax *fax = end->pair->fax;
	int16_t pcm[STEP];

	tl_fax_gateway_tx(fax->gateway, pcm, STEP);
	if (ready_mouth(end) && !end->player.order)
		(void)tl_chain_push_pcm(fax->mouth, pcm, STEP);
	tl_flow_hear(tl_flow_other(end), pcm, STEP, TL_FAX_TONE_HZ, fax->next_us);
}

TL_HOT(chain) void tl_flow_fax_tick(struct tl_flow_end *end)
{
	struct tl_flow_fax *fax = end->pair->fax;
	int64_t now_us = tl_flow_now(end);

	if (!fax || !fax->gateway || fax->line != end->side)
		return;
	if (now_us - fax->next_us > BEHIND_MAX_US)
		fax->next_us = now_us;
	for (; fax->next_us <= now_us; fax->next_us += STEP_US)
		speak(end);
	tl_flow_want(end, fax->next_us);
}

/* --- plans --- */

static void drop_gateway(struct tl_flow_fax *fax)
{
	tl_fax_gateway_free(fax->gateway);
	tl_chain_free(fax->mouth);
	fax->gateway = NULL;
	fax->mouth = NULL;
}

static void plan_udptl(struct tl_flow_fax *fax, struct tl_flow_end *end)
{
	struct tl_udptl **udptl = &fax->udptl[end->side];

	if (!end->plan->t38.on) {
		tl_udptl_free(*udptl);
		*udptl = NULL;
	} else if (*udptl) {
		tl_udptl_configure(*udptl, &end->plan->t38);
	} else {
		*udptl = tl_udptl_new(&end->plan->t38);
	}
}

static void plan_gateway(struct tl_flow_pair *pair)
{
	struct tl_flow_fax *fax = pair->fax;
	enum tl_side line = pair->plan->side[TL_SIDE_A].t38.on ? TL_SIDE_B : TL_SIDE_A;

	if (pair->plan->path[line] != TL_PATH_FAX || (fax->gateway && fax->line != line))
		drop_gateway(fax);
	if (pair->plan->path[line] != TL_PATH_FAX)
		return;
	tl_chain_free(fax->mouth); /* the format may be another one */
	fax->mouth = NULL;
	fax->line = line;
	if (!fax->gateway && tl_fax_gateway_new(&pair->ends[tl_side_other(line)].plan->t38,
						on_gateway_ifp, pair, &fax->gateway) < 0) {
		tl_flow_tell(&pair->ends[line], TL_MEDIA_CHAIN_FAILED, "spandsp has no gateway");
		return;
	}
	fax->next_us = MAX(fax->next_us, pair->env->now_us);
	tl_flow_want(&pair->ends[line], fax->next_us);
}

void tl_flow_fax_replan(struct tl_flow_pair *pair)
{
	bool any = pair->plan->side[TL_SIDE_A].t38.on || pair->plan->side[TL_SIDE_B].t38.on;

	if (!any) {
		tl_flow_fax_drop(pair);
		return;
	}
	if (!pair->fax)
		pair->fax = g_new0(struct tl_flow_fax, 1);
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		plan_udptl(pair->fax, &pair->ends[side]);
	plan_gateway(pair);
}

void tl_flow_fax_drop(struct tl_flow_pair *pair)
{
	if (!pair->fax)
		return;
	drop_gateway(pair->fax);
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		tl_udptl_free(pair->fax->udptl[side]);
	g_free(pair->fax);
	pair->fax = NULL;
}
