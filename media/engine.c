
#include "media/rtp/srtp.h"
#include "media/session_priv.h"

enum {
	OUTBOX_CELLS = 4096,
	OUTBOX_RESERVE = 1024, /* digits stay out of it */
	DISPATCH_MAX = 4096,   /* events at a time: signalling has other work too */
};

static int start_workers(struct tl_media *media)
{
	unsigned n = media->cfg.workers ? media->cfg.workers : g_get_num_processors();
	const unsigned idle = 0;

	for (unsigned i = 0; i < n; i++) {
		struct tl_worker_cfg cfg = { i, media->storage, media->prompts, media->outbox };
		struct tl_worker *worker;
		int r = tl_worker_new(&cfg, &worker);

		if (r < 0)
			return r;
		g_ptr_array_add(media->workers, worker);
		g_array_append_val(media->loads, idle);
	}
	return 0;
}

static int start(struct tl_media *media)
{
	int r;

	r = tl_srtp_init();
	if (r < 0)
		return r;
	r = tl_ports_new(media->cfg.rtp_port_min, media->cfg.rtp_port_max, &media->ports);
	if (r < 0)
		return r;
	r = tl_mailbox_new(sizeof(struct tl_media_news), OUTBOX_CELLS, OUTBOX_RESERVE,
			   &media->outbox);
	if (r < 0)
		return r;
	r = tl_storage_new(&media->storage);
	if (r < 0)
		return r;
	r = tl_prompts_new(media->storage, &media->prompts);
	if (r < 0)
		return r;
	return start_workers(media);
}

int tl_media_new(const struct tl_media_cfg *cfg, struct tl_media **ret_media)
{
	struct tl_media *media = g_new0(struct tl_media, 1);
	int r;

	media->cfg = *cfg;
	media->workers = g_ptr_array_new();
	media->loads = g_array_new(FALSE, FALSE, sizeof(unsigned));
	media->sessions = g_ptr_array_new();
	media->generations = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_queue_init(&media->free_slots);
	r = start(media);
	if (r < 0) {
		tl_media_free(media);
		return r;
	}
	*ret_media = media;
	return 0;
}

void tl_media_free(struct tl_media *media)
{
	if (!media)
		return;
	for (guint i = 0; i < media->workers->len; i++)
		tl_worker_free(g_ptr_array_index(media->workers, i));
	tl_storage_free(media->storage);
	/* Nobody posts any more. Who closed a call still gets its last event. */
	if (media->outbox)
		tl_media_dispatch(media);
	for (guint i = 0; i < media->sessions->len; i++)
		if (g_ptr_array_index(media->sessions, i))
			tl_session_free(g_ptr_array_index(media->sessions, i));
	tl_prompts_free(media->prompts);
	tl_mailbox_free(media->outbox);
	tl_ports_free(media->ports);
	g_ptr_array_unref(media->workers);
	g_array_unref(media->loads);
	g_ptr_array_unref(media->sessions);
	g_array_unref(media->generations);
	g_queue_clear(&media->free_slots);
	g_free(media);
}

void tl_media_configure(struct tl_media *media, const struct tl_media_cfg *cfg)
{
	unsigned workers = media->cfg.workers;

	if (tl_ports_resize(media->ports, cfg->rtp_port_min, cfg->rtp_port_max) < 0)
		g_debug("no RTP port pair in %u-%u", cfg->rtp_port_min, cfg->rtp_port_max);
	media->cfg = *cfg;
	media->cfg.workers = workers;
}

int tl_media_fd(const struct tl_media *media)
{
	return tl_mailbox_fd(media->outbox);
}

static struct tl_session *find(const struct tl_media *media, struct tl_media_id id)
{
	struct tl_session *session =
		id.slot < media->sessions->len ? g_ptr_array_index(media->sessions, id.slot) : NULL;

	return session && session->id.generation == id.generation ? session : NULL;
}

static void deliver(struct tl_session *session, const struct tl_media_news *news)
{
	struct tl_media_event event = {
		.type = news->type,
		.side = session->swapped ? tl_side_other(news->side) : news->side,
		.digit = news->digit,
		.duration_ms = news->duration_ms,
		.tone = news->tone,
		.text = news->text[0] ? news->text : NULL,
	};
	bool last = news->type == TL_MEDIA_CLOSED;

	if (last)
		tl_session_stats(session, &event.stats);
	/* The callback may close the session, and nothing but CLOSED frees it. */
	if (session->on_event && (last || !session->closed))
		session->on_event(&event, session->user);
	if (last)
		tl_session_free(session);
}

void tl_media_dispatch(struct tl_media *media)
{
	struct tl_media_news news;

	tl_mailbox_clear(media->outbox);
	for (unsigned i = 0; i < DISPATCH_MAX; i++) {
		struct tl_session *session;

		if (!tl_mailbox_take(media->outbox, &news))
			return;
		session = find(media, news.id);
		if (session)
			deliver(session, &news);
	}
	tl_mailbox_wake(media->outbox);
}

void tl_media_load_get(struct tl_media *media, struct tl_media_load *ret_load)
{
	*ret_load = (struct tl_media_load) {
		.workers = media->workers->len,
		.sessions = media->n_sessions,
		.ports_used = tl_ports_used(media->ports),
		.ports_free = tl_ports_free_count(media->ports),
		.storage_busy_us = tl_storage_busy_us(media->storage),
	};
	for (guint i = 0; i < media->workers->len; i++) {
		struct tl_worker *worker = g_ptr_array_index(media->workers, i);
		uint64_t late_us = tl_worker_take_late_max_us(worker);

		ret_load->late_ticks += tl_worker_late_ticks(worker);
		ret_load->tick_late_max_us = MAX(ret_load->tick_late_max_us, late_us);
	}
}

bool tl_media_come_round(struct tl_media *media)
{
	bool all = true;

	for (guint i = 0; i < media->workers->len; i++)
		all = tl_worker_come_round(g_ptr_array_index(media->workers, i)) && all;
	return all;
}
