#include "media/flow/flow.h"

#include <glib.h>
#include <sys/random.h>
#include <unistd.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"
#include "media/flow/relay.h"

enum { AIM_AFTER_US = 1000000 }; /* plans follow one another at first: each takes the aim back */

static const struct tl_plan no_plan = {
	.side = { { .event_send_pt = -1,
		    .event_receive_pt = -1,
		    .noise_send_pt = -1,
		    .noise_receive_pt = -1 },
		  { .event_send_pt = -1,
		    .event_receive_pt = -1,
		    .noise_send_pt = -1,
		    .noise_receive_pt = -1 } },
};

void tl_play_order_free(struct tl_play_order *order)
{
	if (!order)
		return;
	g_strfreev(order->paths);
	g_free(order);
}

static void init_out(struct tl_flow_end *end)
{
	struct {
		uint32_t ssrc, ts;
		uint16_t seq;
	} random = { 0 };

	/* Short reads don't happen below 256 bytes (getrandom(2)). */
	if (getrandom(&random, sizeof random, 0) < 0)
		random.ssrc = g_random_int();
	tl_pack_init(&end->out, random.ssrc, random.seq, random.ts);
	tl_flow_rtcp_init(end);
}

struct tl_flow_pair *tl_flow_new(struct tl_flow_env *env, struct tl_media_id id,
				 struct tl_session_counters *counters,
				 const struct tl_media_cfg *cfg)
{
	struct tl_flow_pair *pair = g_new0(struct tl_flow_pair, 1);

	pair->env = env;
	pair->id = id;
	pair->cfg = *cfg;
	pair->counters = counters;
	pair->plan = g_memdup2(&no_plan, sizeof no_plan);
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		struct tl_flow_end *end = &pair->ends[side];

		pair->due_us[side] = INT64_MAX;

		end->pair = pair;
		end->side = side;
		end->plan = &pair->plan->side[side];
		end->counters = &counters->side[side];
		init_out(end);
	}
	return pair;
}

static void close_socket(struct tl_io *io, int fd)
{
	tl_io_close(io, fd);
	close(fd);
}

static void close_ports(struct tl_flow_end *end)
{
	for (size_t i = 0; i < end->n_ports; i++) {
		close_socket(end->pair->env->io, end->ports[i].rtp_fd);
		close_socket(end->pair->env->io, end->ports[i].rtcp_fd);
	}
}

void tl_flow_free(struct tl_flow_pair *pair)
{
	if (!pair)
		return;
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		struct tl_flow_end *end = &pair->ends[side];

		tl_flow_play_stop(pair, side);
		tl_tape_finish(end);
		tl_flow_rtcp_bye(end); /* the last report tells of the jitter buffer as well */
		tl_ear_drop(end);
		tl_flow_tone_drop(end);
		tl_fax_ear_free(end->fax_ear);
		tl_flow_sound_drop(end);
		tl_srtp_free(end->srtp_in);
		tl_srtp_free(end->srtp_out);
		close_ports(end);
	}
	for (size_t i = 0; i < TL_STREAMS; i++)
		tl_relay_free(pair->relays[i]);
	tl_flow_fax_drop(pair);
	tl_flow_record_stop(pair);
	g_free(pair->plan);
	g_free(pair);
}

struct tl_media_id tl_flow_id(const struct tl_flow_pair *pair)
{
	return pair->id;
}

void tl_flow_tell(struct tl_flow_end *end, enum tl_media_event_type type, const char *text)
{
	struct tl_media_news news = { .id = end->pair->id, .type = type, .side = end->side };

	if (text)
		g_strlcpy(news.text, text, sizeof news.text);
	end->pair->env->on_news(&news, end->pair->env->user);
}

/* That of the plan; before there is one, that which came last. */
static void choose_port(struct tl_flow_end *end)
{
	if (end->n_ports > 0)
		end->port = &end->ports[end->n_ports - 1];
	for (size_t i = 0; i < end->n_ports; i++)
		if (end->ports[i].number == end->plan->local_port)
			end->port = &end->ports[i];
}

/* Who sends to an end is settled: strangers don't even wake us up any more. Reports and T.38 may
 * come to the same socket from another one than audio does. */
static void aim(struct tl_flow_end *end)
{
	if (end->aimed || !end->port || !end->plan->open || end->plan->rtcp_mux ||
	    end->plan->t38.on || !tl_source_is_settled(&end->source, tl_flow_now(end)) ||
	    tl_flow_now(end) - end->source.latched_us < AIM_AFTER_US)
		return;
	end->aimed = tl_io_aim(end->pair->env->io, end->port->rtp_fd, &end->source.latched) == 0;
}

static void unaim(struct tl_flow_end *end)
{
	if (end->aimed)
		tl_io_aim(end->pair->env->io, end->port->rtp_fd, NULL);
	end->aimed = false;
}

void tl_flow_add_port(struct tl_flow_pair *pair, enum tl_side side, struct tl_flow_port port,
		      uint32_t rtp_tag, uint32_t rtcp_tag)
{
	struct tl_flow_end *end = &pair->ends[side];

	g_return_if_fail(end->n_ports < TL_PLAN_PORTS);
	unaim(end);
	end->ports[end->n_ports++] = port;
	choose_port(end);
	if (tl_io_open(pair->env->io, port.rtp_fd, rtp_tag) < 0 ||
	    tl_io_open(pair->env->io, port.rtcp_fd, rtcp_tag) < 0)
		tl_flow_tell(end, TL_MEDIA_CHAIN_FAILED, "sockets can't be watched");
}

void tl_flow_stream_port(struct tl_flow_pair *pair, unsigned stream, enum tl_side side,
			 struct tl_flow_port port, uint32_t rtp_tag, uint32_t rtcp_tag)
{
	struct tl_relay **relay = &pair->relays[stream - 1];

	if (!*relay)
		*relay = tl_relay_new(pair->env);
	tl_relay_set_port(*relay, side, port, rtp_tag, rtcp_tag);
}

void tl_flow_stream_apply(struct tl_flow_pair *pair, unsigned stream,
			  const struct tl_stream_plan *plan)
{
	if (pair->relays[stream - 1])
		tl_relay_apply(pair->relays[stream - 1], plan);
}

void tl_flow_stream_input(struct tl_flow_pair *pair, unsigned stream, enum tl_side side, bool rtcp,
			  struct tl_packet *packet)
{
	/* who sends pictures is there, though he may not speak */
	if (tl_relay_input(pair->relays[stream - 1], side, rtcp, packet))
		pair->ends[side].heard_us = pair->env->now_us;
}

struct tl_flow_end *tl_flow_target(struct tl_flow_end *end)
{
	struct tl_flow_end *other = tl_flow_other(end);

	if (other->plan->open)
		return other;
	return end->pair->plan->echo ? end : NULL;
}

/* Do packets from this end go on untouched, if their format allows? */
static bool relays(struct tl_flow_end *end)
{
	return end->pair->plan->path[end->side] == TL_PATH_RELAY || tl_flow_target(end) == end;
}

bool tl_flow_is_taken(const struct tl_flow_end *end)
{
	return end->player.order || tl_dtmf_is_sending(&end->digits_out);
}

const struct tl_format *tl_flow_format(const struct tl_flow_end *end, uint8_t pt)
{
	for (size_t i = 0; i < end->plan->n_receive_formats; i++)
		if (end->plan->receive_formats[i].pt == pt)
			return &end->plan->receive_formats[i];
	return NULL;
}

/* A context goes on with its key; another key makes another. */
static bool set_key(struct tl_srtp **srtp, const struct tl_crypto *crypto, bool outgoing)
{
	if (tl_srtp_has(*srtp, crypto))
		return true;
	tl_srtp_free(*srtp);
	*srtp = NULL;
	return crypto->suite == TL_SRTP_NONE || tl_srtp_new(crypto, outgoing, srtp) == 0;
}

static void plan_keys(struct tl_flow_end *end)
{
	end->deaf = !set_key(&end->srtp_in, &end->plan->receive_crypto, false);
	end->dumb = !set_key(&end->srtp_out, &end->plan->send_crypto, true);
	if (end->deaf || end->dumb)
		tl_flow_tell(end, TL_MEDIA_CHAIN_FAILED, "libsrtp2 refuses the key");
}

static void plan_relay(struct tl_flow_end *end)
{
	const struct tl_flow_end *to = tl_flow_target(end);

	end->relayable_alone = end->relayable = 0;
	end->mixed_us = 0;
	if (!to || !relays(end))
		return;
	for (size_t i = 0; i < end->plan->n_receive_formats; i++)
		if (tl_format_compatible(&end->plan->receive_formats[i], &to->plan->send_format))
			end->relayable_alone |= 1u << i;
	end->relayable = end->relayable_alone;
}

/* Does a side understand the same by the same numbers as before? */
static bool hears_alike(const struct tl_side_plan *a, const struct tl_side_plan *b)
{
	if (a->n_receive_formats != b->n_receive_formats)
		return false;
	for (size_t i = 0; i < a->n_receive_formats; i++)
		if (a->receive_formats[i].pt != b->receive_formats[i].pt ||
		    a->receive_formats[i].codec != b->receive_formats[i].codec ||
		    !g_str_equal(a->receive_formats[i].fmtp, b->receive_formats[i].fmtp))
			return false;
	return true;
}

static void plan_end(struct tl_flow_end *end, const struct tl_side_plan *before)
{
	const struct tl_side_plan *plan = end->plan;
	union tl_address remote = tl_address_from((const struct sockaddr *)&plan->remote);
	int64_t now_us = tl_flow_now(end);

	if (plan->open)
		tl_source_announce(&end->source, &remote, now_us);
	if (!tl_address_is_set(&end->source.latched))
		end->rtcp.source = (union tl_address) { 0 };
	/* whoever begins or resumes has the whole RTP timeout to be heard in */
	if (plan->open && plan->receive &&
	    (!before->open || !before->receive || plan->send != before->send))
		end->heard_us = now_us;
	if (!end->rtcp.next_us && plan->open)
		end->rtcp.next_us = now_us + 2500000;
	plan_keys(end);
	plan_relay(end);
	if (!plan->open || plan->t38.on || (!end->pair->recorder && end->relayable) ||
	    (end->ear && end->ear->steady != tl_ear_is_steady(end)))
		tl_ear_drop(end);
	if (plan->fax_tones != before->fax_tones || (!plan->fax_tones && !plan->modem_tones)) {
		tl_fax_ear_free(end->fax_ear);
		end->fax_ear = NULL;
	}
	if (end->ear)
		end->ear->stale = true;
	tl_flow_tone_drop(end);
	tl_flow_sound_replan(end);
	tl_flow_play_replan(end, before);
}

void tl_flow_apply(struct tl_flow_pair *pair, struct tl_plan *plan)
{
	struct tl_plan *before = pair->plan;

	for (int side = 0; side < _TL_SIDE_MAX; side++)
		tl_tape_finish(&pair->ends[side]);
	/* what has come is meant as the plan says that it came by */
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		if (!hears_alike(&before->side[side], &plan->side[side]) ||
		    before->path[side] != plan->path[side])
			tl_ear_play_rest(&pair->ends[side]);
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		unaim(&pair->ends[side]);
	pair->plan = plan;
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		pair->ends[side].plan = &plan->side[side];
		choose_port(&pair->ends[side]);
		tl_counter_set(&pair->counters->path[side], plan->path[side]);
	}
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		plan_end(&pair->ends[side], &before->side[side]);
	tl_flow_fax_replan(pair);
	g_free(before);
}

int64_t tl_flow_due_us(const struct tl_flow_pair *pair)
{
	return MIN(pair->due_us[TL_SIDE_A], pair->due_us[TL_SIDE_B]);
}

TL_HOT(chain) static void tick_end(struct tl_flow_end *end)
{
	end->pair->due_us[end->side] = INT64_MAX;
	tl_flow_event_tick(end);
	tl_flow_play_tick(end);
	if (end->tape.due_us)
		tl_tape_tick(end);
	else
		tl_ear_tick(end);
	tl_flow_fax_tick(end);
}

TL_HOT(chain) void tl_flow_tick(struct tl_flow_pair *pair, int64_t until_us)
{
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		if (pair->due_us[side] <= until_us)
			tick_end(&pair->ends[side]);
	/* Also here, so that a full block reaches the disk at once. */
	if (pair->recorder)
		tl_recorder_tick(pair->recorder, pair->env->now_us);
}

/* Has nobody who should be heard been heard for too long? */
static struct tl_flow_end *find_silent(struct tl_flow_pair *pair)
{
	int64_t since_us = pair->env->now_us - (int64_t)pair->cfg.rtp_timeout_s * 1000000;
	struct tl_flow_end *silent = NULL;

	for (int side = _TL_SIDE_MAX - 1; side >= 0; side--) {
		struct tl_flow_end *end = &pair->ends[side];

		if (!end->plan->open || !end->plan->receive)
			continue;
		if (end->heard_us > since_us)
			return NULL;
		silent = end;
	}
	return silent;
}

void tl_flow_second(struct tl_flow_pair *pair)
{
	struct tl_flow_end *silent = pair->cfg.rtp_timeout_s ? find_silent(pair) : NULL;

	if (silent && !pair->timeout_told)
		tl_flow_tell(silent, TL_MEDIA_TIMEOUT, NULL);
	pair->timeout_told = silent != NULL;
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		aim(&pair->ends[side]);
		tl_flow_rtcp_second(&pair->ends[side]);
	}
	if (pair->recorder)
		tl_recorder_tick(pair->recorder, pair->env->now_us);
}
