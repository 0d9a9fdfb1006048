#pragma once
/*
 * The storage thread: whatever touches a disk. One a process. Work is handed
 * over as a job with a function to run there; a bounded queue keeps a stuck
 * disk from eating the memory. Private to media/.
 */
#include <stdint.h>

struct tl_storage;

int tl_storage_new(struct tl_storage **ret_storage);
/* Runs what is queued, then joins. NULL ok. */
void tl_storage_free(struct tl_storage *storage);

/* Runs fn(user) on the storage thread, in the order of posting. Any thread;
 * never waits. -EAGAIN: the queue is full; fn will not run. */
typedef void tl_storage_fn(void *user);
int tl_storage_post(struct tl_storage *storage, tl_storage_fn *fn, void *user);

/* For how long the job that runs now has been running; 0: none does. Any thread. */
int64_t tl_storage_busy_us(const struct tl_storage *storage);
