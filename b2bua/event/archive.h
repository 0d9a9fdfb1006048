#pragma once
/*
 * Subscriptions that outlive the process: after a crash the lamps on the desks are put right at
 * once, and not when each phone refreshes, up to an hour later. Each is kept as JSON by its id; an
 * orderly end, which tells the watchers, leaves none. Signalling thread.
 */
#include <stdint.h>
#include <jansson.h>

struct tl_store;
struct tl_archive;

/* Reads what is kept: before the store's first write. store is lent; NULL: nothing is kept. */
struct tl_archive *tl_archive_new(struct tl_store *store);
void tl_archive_free(struct tl_archive *archive); /* before the store; NULL ok */

typedef void tl_archive_fn(const char *id, int64_t expires_s, const json_t *json, void *user);
/* What was read, each once; those that have expired (now_s: Unix time) are forgotten. */
void tl_archive_restore(struct tl_archive *archive, int64_t now_s, tl_archive_fn *fn, void *user);

/* json: a reference, taken. expires_s: Unix time. */
void tl_archive_put(struct tl_archive *archive, const char *id, int64_t expires_s, json_t *json);
void tl_archive_remove(struct tl_archive *archive, const char *id);
