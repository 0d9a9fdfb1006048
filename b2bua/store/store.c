#include "b2bua/store/store.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <glib.h>
#include "b2bua/store/store_sql.h"

enum {
	QUEUE_MAX = 50000, /* writes that a dead disk may hold up; beyond it the oldest are lost */
	RETRY_FIRST_S = 1,
	RETRY_MAX_S = 30,
};

struct tl_store {
	struct tl_sql *sql; /* till start: the caller's; then the writer's */
	GThread *writer;

	GMutex mutex; /* what follows */
	GCond wake;
	GQueue queue; /* struct tl_store_job, owned; oldest first */
	uint64_t n_lost;
	bool stopping;
};

static void free_queue(GQueue *queue)
{
	struct tl_store_job *job;

	while ((job = g_queue_pop_head(queue)))
		tl_store_job_free(job);
}

/* Runs all jobs in one transaction. -EIO: none of them is done. */
static int write_batch(struct tl_sql *sql, GQueue *batch)
{
	int r = tl_sql_begin(sql);

	for (GList *l = batch->head; l && r == 0; l = l->next) {
		r = tl_sql_run(sql, l->data);
		if (r == -EINVAL) {
			g_warning("store: a record is refused: %s", tl_sql_error(sql));
			r = 0;
		}
	}
	if (r == 0)
		r = tl_sql_commit(sql);
	if (r < 0) {
		g_debug("store: %s", tl_sql_error(sql));
		tl_sql_rollback(sql);
	}
	return r;
}

/* Waits for work; with mutex held. retry_us: when to go on although nothing new came, or 0. */
static void wait_for_work(struct tl_store *store, int64_t retry_us)
{
	while (!store->stopping && (retry_us || g_queue_is_empty(&store->queue))) {
		if (!retry_us)
			g_cond_wait(&store->wake, &store->mutex);
		else if (!g_cond_wait_until(&store->wake, &store->mutex, retry_us))
			return;
	}
}

/* The batch that failed goes back to the front; with mutex held. */
static void put_back(struct tl_store *store, GQueue *batch)
{
	struct tl_store_job *job;

	while ((job = g_queue_pop_tail(batch)))
		g_queue_push_head(&store->queue, job);
	while (store->queue.length > QUEUE_MAX) {
		tl_store_job_free(g_queue_pop_head(&store->queue));
		store->n_lost++;
	}
}

/* Says once that the database fails, and once that it works again. */
static void tell_change(struct tl_store *store, bool failed, bool failing_before, uint64_t n_lost)
{
	if (failed && !failing_before)
		g_warning("store: the database can't be written: %s; trying again, serving from "
			  "memory",
			  tl_sql_error(store->sql));
	else if (!failed && failing_before)
		g_message("store: the database is written again lost=%" G_GUINT64_FORMAT, n_lost);
}

static gpointer run_writer(gpointer user)
{
	struct tl_store *store = user;
	unsigned retry_s = 0; /* 0: the last batch was written */
	GQueue batch = G_QUEUE_INIT;
	uint64_t n_lost;
	bool stopping;
	int r;

	g_mutex_lock(&store->mutex);
	do {
		wait_for_work(store,
			      retry_s ? g_get_monotonic_time() + retry_s * G_USEC_PER_SEC : 0);
		batch = store->queue;
		g_queue_init(&store->queue);
		stopping = store->stopping;
		n_lost = store->n_lost;
		g_mutex_unlock(&store->mutex);

		r = g_queue_is_empty(&batch) ? 0 : write_batch(store->sql, &batch);
		tell_change(store, r<0, retry_s> 0, n_lost);

		if (r == 0)
			free_queue(&batch);
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

int tl_store_new(const char *state_dir, struct tl_store **ret_store)
{
	g_autofree char *path = g_build_filename(state_dir, "twinleg.db", NULL);
	struct tl_store *store;
	struct tl_sql *sql;
	int r;

	if (g_mkdir_with_parents(state_dir, 0750) < 0) {
		r = -errno;
		g_warning("store: \"%s\" can't be made: %s", state_dir, g_strerror(-r));
		return r;
	}
	r = tl_sql_new(path, &sql);
	if (r < 0)
		return r;
	if (chmod(path, 0640) < 0) /* numbers of callers are nobody else's business */
		g_debug("store: %s: %s", path, g_strerror(errno));

	store = g_new0(struct tl_store, 1);
	store->sql = sql;
	g_mutex_init(&store->mutex);
	g_cond_init(&store->wake);
	*ret_store = store;
	return 0;
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
	g_free(store);
}

int tl_store_bindings_load(struct tl_store *store, tl_store_binding_fn *fn, void *user)
{
	g_return_val_if_fail(!store->writer, -EBUSY);

	return tl_sql_load_bindings(store->sql, fn, user);
}

/* Takes job. The thread starts with the first write: until then the database is the caller's. */
static void post(struct tl_store *store, struct tl_store_job *job)
{
	struct tl_store_job *lost = NULL;

	if (!store->writer)
		store->writer = g_thread_new("tl-store", run_writer, store);

	g_mutex_lock(&store->mutex);
	if (store->queue.length >= QUEUE_MAX) {
		lost = g_queue_pop_head(&store->queue);
		store->n_lost++;
	}
	g_queue_push_tail(&store->queue, job);
	g_cond_signal(&store->wake);
	g_mutex_unlock(&store->mutex);
	tl_store_job_free(lost);
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
	job->expires_s = binding->expires_s;
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
