#include "b2bua/store/store.h"

#include <errno.h>
#include <stdbool.h>
#include <glib.h>
#include "b2bua/clock.h"
#include "b2bua/store/store_sql.h"

enum {
	QUEUE_MAX = 50000, /* writes that a dead disk may hold up; beyond it the oldest are lost */
	RETRY_FIRST_S = 1,
	RETRY_MAX_S = 30,
	GATHER_MS = 250, /* bindings that come within so long share a transaction */
	REST_MS = 50,    /* between two that wait for the disk: those are what costs */
};

struct tl_store {
	char *dir, *path; /* fixed */

	/* till the writer starts: the caller's; then the writer's */
	struct tl_sql *sql; /* NULL: it can't be opened */
	bool failing;       /* it has been said */
	int64_t rested_us;  /* the writer's; monotonic: no durable transaction before it */
	GThread *writer;

	GMutex mutex; /* what follows */
	GCond wake;
	GQueue queue;      /* struct tl_store_job, owned; oldest first */
	unsigned n_urgent; /* of these, those that don't wait for others */
	int64_t gather_us; /* monotonic: when the others have waited long enough */
	uint64_t n_lost;
	bool stopping;
};

static bool is_urgent(const struct tl_store_job *job)
{
	return job->op == TL_STORE_CALL_PUT || job->op == TL_STORE_BAN_PUT ||
	       job->op == TL_STORE_BAN_REMOVE;
}

static void free_queue(GQueue *queue)
{
	struct tl_store_job *job;

	while ((job = g_queue_pop_head(queue)))
		tl_store_job_free(job);
}

/* Says once that the database fails, and once that it works again. */
static void tell_failure(struct tl_store *store, const char *error)
{
	if (!store->failing)
		g_warning("store: \"%s\" fails: %s; it is tried again, registrations and call "
			  "records wait in memory",
			  store->path, error);
	store->failing = true;
}

static void tell_recovery(struct tl_store *store, uint64_t n_lost)
{
	if (store->failing)
		g_message("store: the database is written again lost=%" G_GUINT64_FORMAT, n_lost);
	store->failing = false;
}

/* Opens the database, again when somebody took its file away: SQLite would go on writing to one
 * that has no name any more. */
static int open_database(struct tl_store *store)
{
	char error[TL_SQL_ERROR_BYTES];
	int r;

	if (store->sql && tl_sql_is_in_place(store->sql))
		return 0;
	if (store->sql)
		tell_failure(store, "the file is gone");
	g_clear_pointer(&store->sql, tl_sql_free);
	if (g_mkdir_with_parents(store->dir, 0750) < 0) {
		r = -errno;
		tell_failure(store, g_strerror(-r));
		return r;
	}
	r = tl_sql_new(store->path, &store->sql, error);
	if (r < 0)
		tell_failure(store, error);
	return r;
}

/* Runs all jobs in one transaction. Negative: none of them is done. */
static int write_batch(struct tl_store *store, GQueue *batch, bool durable)
{
	int r = open_database(store);

	if (r < 0)
		return r;
	r = tl_sql_begin(store->sql, durable);
	for (GList *l = batch->head; l && r == 0; l = l->next) {
		r = tl_sql_run(store->sql, l->data);
		if (r == -EINVAL) {
			g_warning("store: a record is refused: %s", tl_sql_error(store->sql));
			r = 0;
		}
	}
	if (r == 0)
		r = tl_sql_commit(store->sql);
	if (r < 0) {
		tell_failure(store, tl_sql_error(store->sql));
		tl_sql_rollback(store->sql);
	}
	return r;
}

/* Waits for work; with mutex held. retry_us: when to go on although nothing new came, or 0. */
static void wait_for_work(struct tl_store *store, int64_t retry_us)
{
	while (!store->stopping) {
		int64_t until_us = retry_us;

		if (!retry_us && store->n_urgent > 0) {
			if (g_get_monotonic_time() >= store->rested_us)
				return;
			until_us = store->rested_us;
		} else if (!retry_us && !g_queue_is_empty(&store->queue)) {
			until_us = store->gather_us;
		}
		if (!until_us)
			g_cond_wait(&store->wake, &store->mutex);
		else if (!g_cond_wait_until(&store->wake, &store->mutex, until_us))
			return;
	}
}

/* The oldest is lost when there is no room; with mutex held. */
static void keep_within_bounds(struct tl_store *store)
{
	while (store->queue.length > QUEUE_MAX) {
		struct tl_store_job *job = g_queue_pop_head(&store->queue);

		store->n_urgent -= is_urgent(job);
		tl_store_job_free(job);
		store->n_lost++;
	}
}

/* The batch that failed goes back to the front; with mutex held. */
static void put_back(struct tl_store *store, GQueue *batch)
{
	struct tl_store_job *job;

	while ((job = g_queue_pop_tail(batch))) {
		store->n_urgent += is_urgent(job);
		g_queue_push_head(&store->queue, job);
	}
	keep_within_bounds(store);
}

static gpointer run_writer(gpointer user)
{
	struct tl_store *store = user;
	unsigned retry_s = 0; /* 0: the last batch was written */
	GQueue batch = G_QUEUE_INIT;
	uint64_t n_lost;
	bool stopping, durable;
	int r;

	g_mutex_lock(&store->mutex);
	do {
		wait_for_work(store,
			      retry_s ? g_get_monotonic_time() + retry_s * G_USEC_PER_SEC : 0);
		batch = store->queue;
		g_queue_init(&store->queue);
		durable = store->n_urgent > 0;
		store->n_urgent = 0;
		stopping = store->stopping;
		n_lost = store->n_lost;
		g_mutex_unlock(&store->mutex);

		r = g_queue_is_empty(&batch) ? 0 : write_batch(store, &batch, durable);
		if (durable)
			store->rested_us = g_get_monotonic_time() + REST_MS * 1000;
		if (r == 0) {
			tell_recovery(store, n_lost);
			free_queue(&batch);
		}
		g_mutex_lock(&store->mutex);
		put_back(store, &batch);
		if (r == 0)
			retry_s = 0;
		else
			retry_s = CLAMP(retry_s * 2, RETRY_FIRST_S, RETRY_MAX_S);
	} while (!stopping);
	g_mutex_unlock(&store->mutex);
	return NULL;
}

struct tl_store *tl_store_new(const char *state_dir)
{
	struct tl_store *store = g_new0(struct tl_store, 1);

	store->dir = g_strdup(state_dir);
	store->path = g_build_filename(state_dir, "twinleg.db", NULL);
	g_mutex_init(&store->mutex);
	g_cond_init(&store->wake);
	(void)open_database(store); /* logged; tried again with the first write */
	return store;
}

void tl_store_free(struct tl_store *store)
{
	if (!store)
		return;
	if (store->writer) {
		g_mutex_lock(&store->mutex);
		store->stopping = true;
		g_cond_signal(&store->wake);
		g_mutex_unlock(&store->mutex);
		g_thread_join(store->writer);
	}
	if (store->queue.length > 0)
		g_warning("store: %u writes are lost", store->queue.length);
	free_queue(&store->queue);
	tl_sql_free(store->sql);
	g_mutex_clear(&store->mutex);
	g_cond_clear(&store->wake);
	g_free(store->dir);
	g_free(store->path);
	g_free(store);
}

char *tl_store_instance(struct tl_store *store)
{
	g_autofree char *fresh = g_uuid_string_random();
	char *known = NULL;

	g_return_val_if_fail(!store->writer, NULL);
	if (store->sql)
		known = tl_sql_keep_fact(store->sql, "instance", fresh);
	return known ? known : g_steal_pointer(&fresh);
}

int tl_store_bindings_load(struct tl_store *store, tl_store_binding_fn *fn, void *user)
{
	g_return_val_if_fail(!store->writer, -EBUSY);

	return store->sql ? tl_sql_load_bindings(store->sql, fn, user) : -EIO;
}

int tl_store_bans_load(struct tl_store *store, tl_store_ban_fn *fn, void *user)
{
	g_return_val_if_fail(!store->writer, -EBUSY);

	return store->sql ? tl_sql_load_bans(store->sql, fn, user) : -EIO;
}

int tl_store_subscriptions_load(struct tl_store *store, tl_store_subscription_fn *fn, void *user)
{
	g_return_val_if_fail(!store->writer, -EBUSY);

	return store->sql ? tl_sql_load_subscriptions(store->sql, fn, user) : -EIO;
}

/* Takes job. The thread starts with the first write: until then the database is the caller's. */
static void post(struct tl_store *store, struct tl_store_job *job)
{
	if (!store->writer)
		store->writer = g_thread_new("tl-store", run_writer, store);

	g_mutex_lock(&store->mutex);
	if (g_queue_is_empty(&store->queue)) {
		store->gather_us = g_get_monotonic_time() + GATHER_MS * 1000;
		g_cond_signal(&store->wake);
	} else if (is_urgent(job) && store->n_urgent == 0) {
		g_cond_signal(&store->wake);
	}
	store->n_urgent += is_urgent(job);
	g_queue_push_tail(&store->queue, job);
	keep_within_bounds(store);
	g_mutex_unlock(&store->mutex);
}

void tl_store_binding_put(struct tl_store *store, const struct tl_store_binding *binding)
{
	struct tl_store_job *job;

	if (!store)
		return;
	job = g_new0(struct tl_store_job, 1);
	job->op = TL_STORE_BINDING_PUT;
	job->extension = g_strdup(binding->extension);
	job->contact = g_strdup(binding->contact);
	job->route = g_strdup(binding->route);
	job->call_id = g_strdup(binding->call_id);
	job->user_agent = g_strdup(binding->user_agent);
	job->instance = g_strdup(binding->instance);
	job->cseq = binding->cseq;
	job->q = binding->q;
	job->expires_s = tl_clock_to_wall_s(binding->expires_s);
	job->reg_id = binding->reg_id;
	job->received = binding->received;
	post(store, job);
}

void tl_store_binding_remove(struct tl_store *store, const char *extension, const char *contact)
{
	struct tl_store_job *job;

	if (!store)
		return;
	job = g_new0(struct tl_store_job, 1);
	job->op = TL_STORE_BINDING_REMOVE;
	job->extension = g_strdup(extension);
	job->contact = g_strdup(contact);
	post(store, job);
}

void tl_store_ban_put(struct tl_store *store, const char *source, int64_t until_s, unsigned times)
{
	struct tl_store_job *job;

	if (!store)
		return;
	job = g_new0(struct tl_store_job, 1);
	job->op = TL_STORE_BAN_PUT;
	job->source = g_strdup(source);
	job->until_s = until_s;
	job->times = times;
	post(store, job);
}

void tl_store_ban_remove(struct tl_store *store, const char *source)
{
	struct tl_store_job *job;

	if (!store)
		return;
	job = g_new0(struct tl_store_job, 1);
	job->op = TL_STORE_BAN_REMOVE;
	job->source = g_strdup(source);
	post(store, job);
}

void tl_store_subscription_put(struct tl_store *store, const char *id, int64_t expires_s,
			       const char *json)
{
	struct tl_store_job *job;

	if (!store)
		return;
	job = g_new0(struct tl_store_job, 1);
	job->op = TL_STORE_SUBSCRIPTION_PUT;
	job->source = g_strdup(id);
	job->expires_s = expires_s;
	job->json = g_strdup(json);
	post(store, job);
}

void tl_store_subscription_remove(struct tl_store *store, const char *id)
{
	struct tl_store_job *job;

	if (!store)
		return;
	job = g_new0(struct tl_store_job, 1);
	job->op = TL_STORE_SUBSCRIPTION_REMOVE;
	job->source = g_strdup(id);
	post(store, job);
}

void tl_store_call_put(struct tl_store *store, const char *call_id, int64_t started_s,
		       const char *json)
{
	struct tl_store_job *job;

	if (!store)
		return;
	job = g_new0(struct tl_store_job, 1);
	job->op = TL_STORE_CALL_PUT;
	job->call_id = g_strdup(call_id);
	job->started_s = started_s;
	job->json = g_strdup(json);
	post(store, job);
}
