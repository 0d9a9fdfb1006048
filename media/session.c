#include "media/session.h"

#include <errno.h>

#include "media/session_priv.h"

static unsigned least_loaded(const struct tl_media *media)
{
	unsigned best = 0;

	for (unsigned i = 1; i < media->loads->len; i++)
		if (g_array_index(media->loads, unsigned, i) <
		    g_array_index(media->loads, unsigned, best))
			best = i;
	return best;
}

static uint32_t take_slot(struct tl_media *media)
{
	const uint32_t first = 0;

	if (g_queue_is_empty(&media->free_slots)) {
		g_ptr_array_add(media->sessions, NULL);
		g_array_append_val(media->generations, first);
		return media->sessions->len - 1;
	}
	return GPOINTER_TO_UINT(g_queue_pop_head(&media->free_slots));
}

static void enter(struct tl_session *session)
{
	struct tl_media *media = session->media;

	session->id.slot = take_slot(media);
	session->id.generation = ++g_array_index(media->generations, uint32_t, session->id.slot);
	g_ptr_array_index(media->sessions, session->id.slot) = session;
	session->closing.id = session->id;
	session->worker_index = least_loaded(media);
	session->worker = g_ptr_array_index(media->workers, session->worker_index);
	g_array_index(media->loads, unsigned, session->worker_index)++;
	media->n_sessions++;
}

static void give_port(struct tl_media *media, const union tl_address *local)
{
	if (tl_address_is_set(local))
		tl_ports_give(media->ports, tl_address_port(local));
}

void tl_session_free(struct tl_session *session)
{
	struct tl_media *media = session->media;

	for (int side = 0; side < _TL_SIDE_MAX; side++)
		for (size_t i = 0; i < TL_PLAN_PORTS; i++)
			give_port(media, &session->local[side][i]);
	for (size_t i = 0; i < TL_STREAMS; i++)
		for (int side = 0; side < _TL_SIDE_MAX; side++)
			give_port(media, &session->streams[i][side]);
	g_ptr_array_index(media->sessions, session->id.slot) = NULL;
	g_queue_push_tail(&media->free_slots, GUINT_TO_POINTER(session->id.slot));
	g_array_index(media->loads, unsigned, session->worker_index)--;
	media->n_sessions--;
	g_free(session);
}

/* Ours to free what a refused order carries. */
static int post(struct tl_session *session, struct tl_cmd *cmd, bool urgent)
{
	int r;

	cmd->id = session->id;
	r = tl_worker_post(session->worker, cmd, urgent);
	if (r < 0)
		tl_cmd_done(cmd);
	return r;
}

int tl_session_new(struct tl_media *media, const char *id, tl_media_event_fn *on_event, void *user,
		   struct tl_session **ret_session)
{
	struct tl_session *session = g_new0(struct tl_session, 1);
	struct tl_cmd cmd = { .op = TL_CMD_OPEN };
	int r;

	session->media = media;
	session->on_event = on_event;
	session->user = user;
	g_strlcpy(session->name, id, sizeof session->name);
	enter(session);
	cmd.open.counters = &session->counters;
	cmd.open.cfg = media->cfg;
	r = post(session, &cmd, false);
	if (r < 0) {
		tl_session_free(session);
		return r;
	}
	*ret_session = session;
	return 0;
}

/* The worker's side: its own do not change when the call's are exchanged. */
static enum tl_side own_side(const struct tl_session *session, enum tl_side side)
{
	return session->swapped ? tl_side_other(side) : side;
}

/* Binds a pair to address, and writes its port there. stream 0: the audio. */
static int open_port(struct tl_session *session, unsigned stream, enum tl_side side,
		     union tl_address *address)
{
	struct tl_cmd cmd = { .op = TL_CMD_PORT, .side = side, .stream = stream };
	struct tl_port_pair pair;
	int r = tl_ports_take(session->media->ports, address, &pair);

	if (r < 0)
		return r;
	cmd.port = (struct tl_flow_port) { pair.port, pair.rtp_fd, pair.rtcp_fd };
	r = post(session, &cmd, false);
	if (r < 0)
		tl_ports_give(session->media->ports, pair.port);
	else
		tl_address_set_port(address, pair.port);
	return r;
}

/* Where the ports of ip are, or may be noted. NULL: those of other addresses fill the table. */
static union tl_address *find_local(struct tl_session *session, enum tl_side side,
				    const union tl_address *ip)
{
	for (size_t i = 0; i < TL_PLAN_PORTS; i++) {
		union tl_address *local = &session->local[side][i];

		if (!tl_address_is_set(local) || tl_address_same_host(local, ip))
			return local;
	}
	return NULL;
}

int tl_session_port(struct tl_session *session, enum tl_side side, const struct sockaddr *ip,
		    struct sockaddr_storage *ret_local)
{
	union tl_address address = tl_address_from(ip), *local;
	int r;

	if (!tl_address_is_set(&address))
		return -EAFNOSUPPORT;
	side = own_side(session, side);
	local = find_local(session, side, &address);
	if (!local)
		return -EADDRNOTAVAIL;
	if (!tl_address_is_set(local)) {
		r = open_port(session, 0, side, &address);
		if (r < 0)
			return r;
		*local = address;
	}
	memset(ret_local, 0, sizeof *ret_local);
	memcpy(ret_local, local, sizeof *local);
	return 0;
}

int tl_session_stream_port(struct tl_session *session, unsigned stream, enum tl_side side,
			   const struct sockaddr *ip, struct sockaddr_storage *ret_local)
{
	union tl_address address = tl_address_from(ip), *local;
	int r;

	if (!tl_address_is_set(&address))
		return -EAFNOSUPPORT;
	side = own_side(session, side);
	local = &session->streams[stream][side];
	if (!tl_address_is_set(local)) {
		r = open_port(session, stream + 1, side, &address);
		if (r < 0)
			return r;
		*local = address;
	}
	if (!tl_address_same_host(local, &address))
		return -EADDRNOTAVAIL;
	memset(ret_local, 0, sizeof *ret_local);
	memcpy(ret_local, local, sizeof *local);
	return 0;
}

int tl_session_stream_apply(struct tl_session *session, unsigned stream,
			    const struct tl_stream_plan *plan)
{
	struct tl_cmd cmd = { .op = TL_CMD_STREAM, .stream = stream + 1 };

	if (!tl_address_is_set(&session->streams[stream][TL_SIDE_A]) &&
	    !tl_address_is_set(&session->streams[stream][TL_SIDE_B]))
		return -ENOENT;
	cmd.stream_plan = g_memdup2(plan, sizeof *plan);
	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++)
		cmd.stream_plan->side[own_side(session, side)] = plan->side[side];
	return post(session, &cmd, false);
}

int tl_session_apply(struct tl_session *session, const struct tl_plan *plan)
{
	struct tl_cmd cmd = { .op = TL_CMD_APPLY, .plan = g_memdup2(plan, sizeof *plan) };
	int r;

	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++) {
		cmd.plan->side[own_side(session, side)] = plan->side[side];
		cmd.plan->path[own_side(session, side)] = plan->path[side];
	}
	r = post(session, &cmd, false);
	if (r < 0)
		return r;
	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++)
		session->takes_digits[own_side(session, side)] =
			plan->side[side].open &&
			(plan->side[side].tones || plan->side[side].event_send_pt >= 0);
	return 0;
}

int tl_session_play(struct tl_session *session, enum tl_side side, const char *const *paths,
		    size_t n_paths, bool loop)
{
	struct tl_cmd cmd = { .op = TL_CMD_PLAY, .side = own_side(session, side) };

	cmd.play = g_new0(struct tl_play_order, 1);
	cmd.play->loop = loop;
	cmd.play->n_paths = n_paths;
	cmd.play->paths = g_new0(char *, n_paths + 1);
	for (size_t i = 0; i < n_paths; i++)
		cmd.play->paths[i] = g_strdup(paths[i]);
	return post(session, &cmd, false);
}

void tl_session_play_stop(struct tl_session *session, enum tl_side side)
{
	struct tl_cmd cmd = { .op = TL_CMD_PLAY_STOP, .side = own_side(session, side) };

	if (post(session, &cmd, true) < 0)
		g_debug("call=%s worker inbox is full, playing goes on", session->name);
}

int tl_session_send_dtmf(struct tl_session *session, enum tl_side side, char digit,
			 unsigned duration_ms)
{
	struct tl_cmd cmd = { .op = TL_CMD_DTMF, .side = own_side(session, side) };

	if (!session->takes_digits[cmd.side])
		return -ENOTSUP;
	cmd.dtmf.digit = digit;
	cmd.dtmf.duration_ms = duration_ms;
	return post(session, &cmd, false);
}

int tl_session_record(struct tl_session *session, const char *path, bool mono)
{
	struct tl_cmd cmd = { .op = TL_CMD_RECORD };

	cmd.record.path = g_strdup(path);
	cmd.record.mono = mono;
	return post(session, &cmd, false);
}

void tl_session_record_stop(struct tl_session *session)
{
	struct tl_cmd cmd = { .op = TL_CMD_RECORD_STOP };

	if (post(session, &cmd, true) < 0)
		g_debug("call=%s worker inbox is full, recording goes on", session->name);
}

/* Counters by the worker's sides become those by the call's. */
static void orient_stats(const struct tl_session *session, struct tl_session_stats *stats)
{
	const struct tl_session_stats own = *stats;

	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++) {
		stats->side[side] = own.side[own_side(session, side)];
		stats->path[side] = own.path[own_side(session, side)];
	}
}

void tl_session_stats(const struct tl_session *session, struct tl_session_stats *ret_stats)
{
	/* Reading an atomic does not change it, though C has no const form of it for all. */
	tl_counters_read((struct tl_session_counters *)&session->counters, ret_stats);
	orient_stats(session, ret_stats);
}

void tl_session_hand_over(struct tl_session *session, bool swap, tl_media_event_fn *on_event,
			  void *user)
{
	session->on_event = on_event;
	session->user = user;
	session->swapped ^= swap;
}

void tl_session_close(struct tl_session *session)
{
	session->closed = true;
	tl_worker_post_close(session->worker, &session->closing);
}
