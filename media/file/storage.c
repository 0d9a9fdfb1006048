#include "media/file/storage.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/*
 * Jobs travel in a ring that many threads fill and one empties, without a lock:
 * those who post are media workers, and a worker that waits loses packets.
 *
 * Each cell carries a turn. Cell i is free for the poster who drew ticket t when
 * its turn is t, holds t's job when its turn is t + 1, and is free for the next
 * lap when its turn is t + CELLS:
 *
 *   turn   4096 4097 |    3    3 ...      (ticket 4098 is being drawn, 2 is being run)
 *          next lap     job  free
 *
 * The semaphore counts posts, so it may count one whose cell is not yet filled
 * when a later poster was faster; the thread then goes back to sleep and is
 * woken by the slow poster's own count.
 */

enum { CELLS = 4096 }; /* a power of two; 1000 recordings post 1000 a second: four seconds */

struct cell {
	_Atomic size_t turn;
	tl_storage_fn *fn;
	void *user;
};

struct tl_storage {
	pthread_t thread;
	bool started;
	sem_t posts;
	_Atomic bool ending;
	_Atomic int64_t began_us;           /* the job that runs; 0: none does */
	_Alignas(64) _Atomic size_t ticket; /* next to be drawn by a poster */
	_Alignas(64) size_t done;           /* storage thread: next to be run */
	struct cell cells[CELLS];
};

static bool take(struct tl_storage *storage, tl_storage_fn **ret_fn, void **ret_user)
{
	struct cell *cell = &storage->cells[storage->done % CELLS];

	if (atomic_load_explicit(&cell->turn, memory_order_acquire) != storage->done + 1)
		return false;
	*ret_fn = cell->fn;
	*ret_user = cell->user;
	atomic_store_explicit(&cell->turn, storage->done + CELLS, memory_order_release);
	storage->done++;
	return true;
}

static void *run(void *user)
{
	struct tl_storage *storage = user;
	tl_storage_fn *fn;
	void *job;
	bool ending;

	do {
		while (sem_wait(&storage->posts) < 0)
			; /* a debugger's signal */
		/* Read before the ring: what was posted before the end is run. */
		ending = atomic_load_explicit(&storage->ending, memory_order_acquire);
		while (take(storage, &fn, &job)) {
			atomic_store_explicit(&storage->began_us, g_get_monotonic_time(),
					      memory_order_relaxed);
			fn(job);
		}
		atomic_store_explicit(&storage->began_us, 0, memory_order_relaxed);
	} while (!ending);
	return NULL;
}

int tl_storage_new(struct tl_storage **ret_storage)
{
	struct tl_storage *storage = g_aligned_alloc0(1, sizeof *storage, 64);
	sigset_t all, before;
	int r;

	sem_init(&storage->posts, 0, 0);
	for (size_t i = 0; i < CELLS; i++)
		atomic_init(&storage->cells[i].turn, i);

	/* Signals are the signalling thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&storage->thread, NULL, run, storage);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	storage->started = r == 0;
	if (r != 0) {
		tl_storage_free(storage);
		return -r;
	}
	pthread_setname_np(storage->thread, "storage");
	*ret_storage = storage;
	return 0;
}

void tl_storage_free(struct tl_storage *storage)
{
	if (!storage)
		return;
	if (storage->started) {
		atomic_store_explicit(&storage->ending, true, memory_order_release);
		sem_post(&storage->posts);
		pthread_join(storage->thread, NULL);
	}
	sem_destroy(&storage->posts);
	g_aligned_free(storage);
}

int tl_storage_post(struct tl_storage *storage, tl_storage_fn *fn, void *user)
{
	size_t ticket = atomic_load_explicit(&storage->ticket, memory_order_relaxed);
	struct cell *cell;

	for (;;) {
		size_t turn;

		cell = &storage->cells[ticket % CELLS];
		turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
		if (turn == ticket) {
			if (atomic_compare_exchange_weak_explicit(&storage->ticket, &ticket,
								  ticket + 1, memory_order_relaxed,
								  memory_order_relaxed))
				break;
		} else if (turn < ticket) {
			return -EAGAIN; /* the last lap's job is still there */
		} else {
			ticket = atomic_load_explicit(&storage->ticket, memory_order_relaxed);
		}
	}
	cell->fn = fn;
	cell->user = user;
	atomic_store_explicit(&cell->turn, ticket + 1, memory_order_release);
	sem_post(&storage->posts);
	return 0;
}

int64_t tl_storage_busy_us(const struct tl_storage *storage)
{
	int64_t began_us = atomic_load_explicit(&storage->began_us, memory_order_relaxed);

	return began_us ? g_get_monotonic_time() - began_us : 0;
}
