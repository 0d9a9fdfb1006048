#include "media/worker/worker.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "media/fetch.h"
#include "media/worker/seconds.h"

enum {
	INBOX_CELLS = 8192,
	INBOX_RESERVE = 1024,
	TICK_US = 10000,
	EARLY_US = 8000, /* a call that has just woken us is served if it is due so soon */
	FEW_CALLS = 32,
	SOON_US = 15000, /* with few calls, less than this away, the timer is kept exact */
	LATE_US = 5000,
};

/* Calls lie dense in pairs; due holds what each wants, side by side, so that a tick looks at few
 * cache lines however many calls there are. */
struct tl_worker {
	/* fixed at creation */
	struct tl_worker_cfg cfg;
	pthread_t thread;
	bool started;
	struct tl_mailbox *inbox;

	/* any thread */
	_Atomic(struct tl_closing *) closing;
	_Atomic bool ending;
	_Atomic uint64_t late_ticks, late_max_us, rounds; /* rounds: looks at its orders */
	_Atomic int64_t due_us; /* of the next tick; while one runs, when that was due */

	uint64_t rounds_before; /* the signalling thread's: when it asked last for a round */

	/* the worker's own */
	struct tl_pool pool;
	struct tl_flow_env env;
	GPtrArray *pairs;
	GArray *due;     /* int64_t */
	GArray *by_slot; /* int: index into pairs, or -1 */
	int64_t timer_us;
	struct tl_seconds seconds;
	GQueue unsent; /* struct tl_media_news that must not be lost */
};

/* What a socket belongs to, in the tag that comes with its packets. */
enum { TAG_RTCP = 1, TAG_SIDE_B = 2, TAG_STREAM_SHIFT = 2, TAG_STREAMS = 3, TAG_SLOT_SHIFT = 4 };
G_STATIC_ASSERT((int)TL_STREAMS <= (int)TAG_STREAMS);

static uint32_t tag_of(const struct tl_cmd *cmd, bool rtcp)
{
	return cmd->id.slot << TAG_SLOT_SHIFT | cmd->stream << TAG_STREAM_SHIFT |
	       (cmd->side == TL_SIDE_B ? TAG_SIDE_B : 0) | (rtcp ? TAG_RTCP : 0);
}

static int index_of_slot(const struct tl_worker *worker, uint32_t slot)
{
	return slot < worker->by_slot->len ? g_array_index(worker->by_slot, int, slot) : -1;
}

static struct tl_flow_pair *pair_at(const struct tl_worker *worker, int index)
{
	return g_ptr_array_index(worker->pairs, index);
}

/* The index of a call that is alive, or -1. */
static int find(const struct tl_worker *worker, struct tl_media_id id)
{
	int index = index_of_slot(worker, id.slot);

	if (index < 0 || tl_flow_id(pair_at(worker, index)).generation != id.generation)
		return -1;
	return index;
}

static void set_index(struct tl_worker *worker, uint32_t slot, int index)
{
	const int none = -1;

	while (worker->by_slot->len <= slot)
		g_array_append_val(worker->by_slot, none);
	g_array_index(worker->by_slot, int, slot) = index;
}

/* Digits can be pressed by strangers faster than signalling reads: those may be lost. The rest is
 * bounded by our own orders, and kept. */
static void on_news(const struct tl_media_news *news, void *user)
{
	struct tl_worker *worker = user;

	if (g_queue_is_empty(&worker->unsent) &&
	    tl_mailbox_post(worker->cfg.outbox, news, news->type != TL_MEDIA_DTMF) == 0)
		return;
	if (news->type != TL_MEDIA_DTMF)
		g_queue_push_tail(&worker->unsent, g_memdup2(news, sizeof *news));
}

static void send_unsent(struct tl_worker *worker)
{
	struct tl_media_news *news;

	while ((news = g_queue_peek_head(&worker->unsent)) != NULL &&
	       tl_mailbox_post(worker->cfg.outbox, news, true) == 0)
		g_free(g_queue_pop_head(&worker->unsent));
}

/* The grid keeps calls together: one wake-up serves all that are due about now. */
static int64_t next_tick(int64_t due_us)
{
	return due_us > INT64_MAX - TICK_US ? INT64_MAX
					    : (due_us + TICK_US - 1) / TICK_US * TICK_US;
}

static void want(struct tl_worker *worker, int64_t due_us)
{
	worker->timer_us = MIN(worker->timer_us, next_tick(due_us));
}

/*
 * With few calls each wake-up counts: one that is no longer needed is put off.
 * With many there is always somebody to wake up for, and no need to look. Setting the timer costs
 * as well: what is far off is left alone, since a packet comes before it and asks again.
 */
static void put_off_timer(struct tl_worker *worker)
{
	int64_t next_us = worker->seconds.due_us;

	if (worker->due->len > FEW_CALLS)
		return;
	for (guint i = 0; i < worker->due->len; i++)
		next_us = MIN(next_us, g_array_index(worker->due, int64_t, i));
	next_us = next_tick(next_us);
	if (next_us < worker->timer_us || worker->timer_us < worker->env.now_us + SOON_US)
		worker->timer_us = next_us;
}

/* After anything was done with a pair. */
static void note_due(struct tl_worker *worker, int index)
{
	int64_t due_us = tl_flow_due_us(pair_at(worker, index));

	g_array_index(worker->due, int64_t, index) = due_us;
	want(worker, due_us);
}

TL_HOT(packet) static void on_packet(struct tl_packet *packet, uint32_t tag, void *user)
{
	struct tl_worker *worker = user;
	enum tl_side side = tag & TAG_SIDE_B ? TL_SIDE_B : TL_SIDE_A;
	int index = index_of_slot(worker, tag >> TAG_SLOT_SHIFT);

	worker->env.now_us = packet->arrived_us;
	if (index < 0) {
		tl_pool_give(&worker->pool, packet);
		return;
	}
	if (tag >> TAG_STREAM_SHIFT & TAG_STREAMS) {
		tl_flow_stream_input(pair_at(worker, index), tag >> TAG_STREAM_SHIFT & TAG_STREAMS,
				     side, tag & TAG_RTCP, packet);
		return;
	}
	if (tag & TAG_RTCP)
		tl_flow_rtcp_input(pair_at(worker, index), side, packet);
	else
		tl_flow_input(pair_at(worker, index), side, packet);
	if (tl_flow_due_us(pair_at(worker, index)) <= worker->env.now_us + EARLY_US) {
		tl_flow_tick(pair_at(worker, index), worker->env.now_us + EARLY_US);
		note_due(worker, index);
		put_off_timer(worker);
	} else {
		note_due(worker, index);
	}
}

static void on_soon(uint32_t tag, enum tl_io_soon when, void *user)
{
	struct tl_worker *worker = user;
	int index = index_of_slot(worker, tag >> TAG_SLOT_SHIFT);

	if (index < 0 || tag & TAG_RTCP)
		return;
	if (when == TL_IO_ALONE && worker->due->len <= FEW_CALLS)
		tl_flow_fetch_code(pair_at(worker, index));
	else if (when != TL_IO_ALONE)
		tl_flow_fetch(pair_at(worker, index), tag & TAG_SIDE_B ? TL_SIDE_B : TL_SIDE_A,
			      when == TL_IO_NEXT);
}

static void do_open(struct tl_worker *worker, const struct tl_cmd *cmd)
{
	struct tl_flow_pair *pair =
		tl_flow_new(&worker->env, cmd->id, cmd->open.counters, &cmd->open.cfg);
	const int64_t never = INT64_MAX;

	set_index(worker, cmd->id.slot, (int)worker->pairs->len);
	g_ptr_array_add(worker->pairs, pair);
	g_array_append_val(worker->due, never);
	tl_seconds_join(&worker->seconds, cmd->id.slot, worker->env.now_us);
	want(worker, worker->seconds.due_us);
}

static void close_at(struct tl_worker *worker, int index)
{
	struct tl_flow_pair *pair = pair_at(worker, index);
	guint last = worker->pairs->len - 1;

	set_index(worker, tl_flow_id(pair).slot, -1);
	tl_seconds_leave(&worker->seconds, tl_flow_id(pair).slot);
	tl_io_flush(worker->env.io);
	tl_flow_free(pair);
	g_ptr_array_remove_index_fast(worker->pairs, (guint)index);
	g_array_remove_index_fast(worker->due, (guint)index);
	if ((guint)index != last)
		set_index(worker, tl_flow_id(pair_at(worker, index)).slot, index);
}

static void do_close(struct tl_worker *worker, struct tl_media_id id)
{
	struct tl_media_news news = { .id = id, .type = TL_MEDIA_CLOSED };
	int index = find(worker, id);

	if (index >= 0)
		close_at(worker, index);
	on_news(&news, worker);
}

static void perform(struct tl_flow_pair *pair, const struct tl_cmd *cmd)
{
	switch (cmd->op) {
	case TL_CMD_OPEN:
		break;
	case TL_CMD_PORT:
		if (cmd->stream)
			tl_flow_stream_port(pair, cmd->stream, cmd->side, cmd->port,
					    tag_of(cmd, false), tag_of(cmd, true));
		else
			tl_flow_add_port(pair, cmd->side, cmd->port, tag_of(cmd, false),
					 tag_of(cmd, true));
		break;
	case TL_CMD_STREAM:
		tl_flow_stream_apply(pair, cmd->stream, cmd->stream_plan);
		g_free(cmd->stream_plan);
		break;
	case TL_CMD_APPLY:
		tl_flow_apply(pair, cmd->plan);
		break;
	case TL_CMD_PLAY:
		tl_flow_play(pair, cmd->side, cmd->play);
		break;
	case TL_CMD_PLAY_STOP:
		tl_flow_play_stop(pair, cmd->side);
		break;
	case TL_CMD_DTMF:
		tl_flow_send_dtmf(pair, cmd->side, cmd->dtmf.digit, cmd->dtmf.duration_ms);
		break;
	case TL_CMD_RECORD:
		tl_flow_record(pair, cmd->record.path, cmd->record.mono);
		g_free(cmd->record.path);
		break;
	case TL_CMD_RECORD_STOP:
		tl_flow_record_stop(pair);
		break;
	}
}

static void obey(struct tl_worker *worker, struct tl_cmd *cmd)
{
	int index;

	if (cmd->op == TL_CMD_OPEN) {
		do_open(worker, cmd);
		return;
	}
	index = find(worker, cmd->id);
	if (index < 0) {
		tl_cmd_done(cmd);
		return;
	}
	perform(pair_at(worker, index), cmd);
	note_due(worker, index);
}

TL_ASIDE static void read_inbox(struct tl_worker *worker)
{
	struct tl_closing *closing, *next;
	struct tl_cmd cmd;

	tl_mailbox_clear(worker->inbox);
	tl_counter_add(&worker->rounds, 1);
	/* Read first, done last: what was ordered before a close is in the inbox by now. */
	closing = atomic_exchange_explicit(&worker->closing, NULL, memory_order_acquire);
	while (tl_mailbox_take(worker->inbox, &cmd))
		obey(worker, &cmd);
	for (; closing; closing = next) {
		next = closing->next; /* CLOSED lets go of it */
		do_close(worker, closing->id);
	}
}

static void note_lateness(struct tl_worker *worker, int64_t late_us)
{
	if (late_us > LATE_US)
		tl_counter_add(&worker->late_ticks, 1);
	if ((uint64_t)late_us > tl_counter_get(&worker->late_max_us))
		tl_counter_set(&worker->late_max_us, (uint64_t)late_us);
}

static void tick_second(struct tl_worker *worker, uint32_t turn)
{
	for (uint32_t slot = turn; slot < worker->by_slot->len; slot += TL_SECOND_TURNS) {
		int index = index_of_slot(worker, slot);

		if (index < 0)
			continue;
		tl_flow_second(pair_at(worker, index));
		note_due(worker, index);
	}
}

TL_ASIDE static void tick(struct tl_worker *worker)
{
	int64_t now_us = worker->env.now_us, next_us = INT64_MAX;
	uint32_t turn;

	note_lateness(worker, now_us - worker->timer_us);
	for (guint i = 0; i < worker->due->len; i++) {
		int64_t *due_us = &g_array_index(worker->due, int64_t, i);

		if (*due_us <= now_us) {
			tl_flow_tick(pair_at(worker, (int)i), now_us + EARLY_US);
			*due_us = tl_flow_due_us(pair_at(worker, (int)i));
		}
		next_us = MIN(next_us, *due_us);
	}
	worker->timer_us = next_tick(next_us);
	while (tl_seconds_take(&worker->seconds, now_us, &turn))
		tick_second(worker, turn);
	want(worker, worker->seconds.due_us);
	/* A tick that ran long is not made up for: the next is in the future. */
	worker->timer_us = MAX(worker->timer_us, next_tick(now_us + 1));
	send_unsent(worker);
}

TL_ASIDE static void end_all(struct tl_worker *worker)
{
	while (worker->pairs->len > 0)
		close_at(worker, (int)worker->pairs->len - 1);
	send_unsent(worker);
}

TL_HOT(packet) static void *run(void *user)
{
	struct tl_worker *worker = user;
	bool ending, woken;

	do {
		if (!g_queue_is_empty(&worker->unsent))
			want(worker, worker->env.now_us + TICK_US);
		atomic_store_explicit(&worker->due_us, worker->timer_us, memory_order_relaxed);
		tl_io_set_timer(worker->env.io, worker->timer_us);
		worker->env.now_us = tl_io_wait(worker->env.io, &woken);
		/* Read before the inbox: what was posted before the end is done. */
		ending = atomic_load_explicit(&worker->ending, memory_order_acquire);
		if (woken || ending)
			read_inbox(worker);
		if (worker->env.now_us >= worker->timer_us)
			tick(worker);
		tl_io_flush(worker->env.io);
	} while (!ending);
	end_all(worker);
	return NULL;
}

static int start(struct tl_worker *worker)
{
	char name[16];
	sigset_t all, before;
	int r;

	/* Signals are the signalling thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	worker->started = r == 0;
	if (r != 0)
		return -r;
	g_snprintf(name, sizeof name, "media-%u", worker->cfg.index);
	pthread_setname_np(worker->thread, name);
	return 0;
}

int tl_worker_new(const struct tl_worker_cfg *cfg, struct tl_worker **ret_worker)
{
	struct tl_worker *worker = g_new0(struct tl_worker, 1);
	int r;

	worker->cfg = *cfg;
	worker->pairs = g_ptr_array_new();
	worker->due = g_array_new(FALSE, FALSE, sizeof(int64_t));
	worker->by_slot = g_array_new(FALSE, FALSE, sizeof(int));
	worker->timer_us = INT64_MAX;
	tl_seconds_init(&worker->seconds);
	atomic_init(&worker->due_us, INT64_MAX);
	g_queue_init(&worker->unsent);
	worker->env = (struct tl_flow_env) {
		.now_us = tl_now_us(),
		.pool = &worker->pool,
		.storage = cfg->storage,
		.prompts = cfg->prompts,
		.outbox = cfg->outbox,
		.on_news = on_news,
		.user = worker,
	};
	r = tl_mailbox_new(sizeof(struct tl_cmd), INBOX_CELLS, INBOX_RESERVE, &worker->inbox);
	if (r == 0)
		r = tl_io_new(&worker->pool, tl_mailbox_fd(worker->inbox), on_packet, on_soon,
			      worker, &worker->env.io);
	if (r == 0)
		r = start(worker);
	if (r < 0) {
		tl_worker_free(worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

void tl_worker_free(struct tl_worker *worker)
{
	if (!worker)
		return;
	if (worker->started) {
		atomic_store_explicit(&worker->ending, true, memory_order_release);
		tl_mailbox_wake(worker->inbox);
		pthread_join(worker->thread, NULL);
	}
	tl_io_free(worker->env.io);
	tl_mailbox_free(worker->inbox);
	g_ptr_array_unref(worker->pairs);
	g_array_unref(worker->due);
	g_array_unref(worker->by_slot);
	g_queue_clear_full(&worker->unsent, g_free);
	tl_pool_done(&worker->pool);
	g_free(worker);
}

int tl_worker_post(struct tl_worker *worker, const struct tl_cmd *cmd, bool urgent)
{
	return tl_mailbox_post(worker->inbox, cmd, urgent);
}

void tl_worker_post_close(struct tl_worker *worker, struct tl_closing *closing)
{
	struct tl_closing *head = atomic_load_explicit(&worker->closing, memory_order_relaxed);

	do {
		closing->next = head;
	} while (!atomic_compare_exchange_weak_explicit(
		&worker->closing, &head, closing, memory_order_release, memory_order_relaxed));
	tl_mailbox_wake(worker->inbox);
}

uint64_t tl_worker_late_ticks(const struct tl_worker *worker)
{
	return tl_counter_get(&worker->late_ticks);
}

uint64_t tl_worker_take_late_max_us(struct tl_worker *worker)
{
	uint64_t late_us = atomic_exchange_explicit(&worker->late_max_us, 0, memory_order_relaxed);
	int64_t due_us = atomic_load_explicit(&worker->due_us, memory_order_relaxed);
	int64_t now_us = tl_now_us();

	return MAX(late_us, now_us > due_us ? (uint64_t)(now_us - due_us) : 0);
}

bool tl_worker_come_round(struct tl_worker *worker)
{
	uint64_t before = worker->rounds_before;

	worker->rounds_before = tl_counter_get(&worker->rounds);
	tl_mailbox_wake(worker->inbox);
	return worker->rounds_before != before;
}
