#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <pthread.h>

#include "media/file/storage.h"

enum { POSTERS = 4, POSTS = 20000, FLOOD = 100000 };

struct tally {
	pthread_t ran_on;
	unsigned count[POSTERS];
	unsigned next[POSTERS];
	bool disordered;
};

struct job {
	struct tally *tally;
	unsigned poster, number;
};

static void on_job(void *user)
{
	struct job *job = user;
	struct tally *tally = job->tally;

	tally->ran_on = pthread_self();
	tally->disordered |= tally->next[job->poster] != job->number;
	tally->next[job->poster] = job->number + 1;
	tally->count[job->poster]++;
}

Test(storage, runs_jobs_on_its_own_thread_in_order_and_all_before_it_ends)
{
	struct tally tally = { 0 };
	struct job jobs[100];
	struct tl_storage *storage;

	cr_assert_eq(tl_storage_new(&storage), 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(jobs); i++) {
		jobs[i] = (struct job) { &tally, 0, i };
		cr_assert_eq(tl_storage_post(storage, on_job, &jobs[i]), 0);
	}
	tl_storage_free(storage);

	cr_expect_eq(tally.count[0], 100);
	cr_expect_not(tally.disordered);
	cr_expect_not(pthread_equal(tally.ran_on, pthread_self()));
}

struct gate {
	pthread_mutex_t mutex;
	unsigned ran;
};

static void on_gated(void *user)
{
	struct gate *gate = user;

	pthread_mutex_lock(&gate->mutex);
	gate->ran++;
	pthread_mutex_unlock(&gate->mutex);
}

Test(storage, refuses_when_a_stuck_disk_has_filled_the_queue)
{
	struct gate gate = { .mutex = PTHREAD_MUTEX_INITIALIZER };
	struct tl_storage *storage;
	unsigned posted = 0;
	int r = 0;

	cr_assert_eq(tl_storage_new(&storage), 0);
	pthread_mutex_lock(&gate.mutex); /* the disk is stuck */
	while (posted < FLOOD && (r = tl_storage_post(storage, on_gated, &gate)) == 0)
		posted++;
	cr_expect_eq(r, -EAGAIN);
	pthread_mutex_unlock(&gate.mutex);
	tl_storage_free(storage);
	cr_expect_eq(gate.ran, posted, "what was taken is run, what was refused is not");
}

struct poster {
	struct tl_storage *storage;
	struct tally *tally;
	unsigned number;
	struct job jobs[POSTS];
};

static void *post_all(void *user)
{
	struct poster *poster = user;

	for (unsigned i = 0; i < POSTS; i++) {
		poster->jobs[i] = (struct job) { poster->tally, poster->number, i };
		while (tl_storage_post(poster->storage, on_job, &poster->jobs[i]) == -EAGAIN)
			sched_yield();
	}
	return NULL;
}

Test(storage, keeps_each_posters_order_when_many_post_at_once)
{
	struct poster *posters = g_new0(struct poster, POSTERS);
	pthread_t threads[POSTERS];
	struct tally tally = { 0 };
	struct tl_storage *storage;

	cr_assert_eq(tl_storage_new(&storage), 0);
	for (unsigned i = 0; i < POSTERS; i++) {
		posters[i].storage = storage;
		posters[i].tally = &tally;
		posters[i].number = i;
		pthread_create(&threads[i], NULL, post_all, &posters[i]);
	}
	for (unsigned i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	tl_storage_free(storage);

	cr_expect_not(tally.disordered);
	for (unsigned i = 0; i < POSTERS; i++)
		cr_expect_eq(tally.count[i], POSTS);
	g_free(posters);
}

Test(storage, frees_nothing_as_nothing)
{
	tl_storage_free(NULL);
}
