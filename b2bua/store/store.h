#pragma once
/*
 * The one narrow interface to what outlives the process: SQLite (WAL) under
 * the state directory. Reads happen at start; writes are queued to a writer
 * thread and never wait. A database that fails is said once and tried again;
 * the gateway serves on from memory.
 */
#include <stdint.h>
#include <stddef.h>

struct tl_store;

/* Opens or makes state/twinleg.db. -errno: can't (the caller may go on with NULL: memory only). */
int tl_store_new(const char *state_dir, struct tl_store **ret_store);
void tl_store_free(struct tl_store *store); /* writes what is queued; NULL ok */

struct tl_store_binding {
	const char *extension, *contact, *route, *call_id, *user_agent;
	const char *instance; /* NULL: none */
	uint32_t cseq;
	double q;
	int64_t expires_s;
};
typedef void tl_store_binding_fn(const struct tl_store_binding *binding, void *user);
int tl_store_bindings_load(struct tl_store *store, tl_store_binding_fn *fn, void *user);
void tl_store_binding_put(struct tl_store *store,
			  const struct tl_store_binding *binding); /* copies */
void tl_store_binding_remove(struct tl_store *store, const char *extension, const char *contact);

/* A call's record: JSON object text, one row a call; key columns are taken from it. Copies. */
void tl_store_call_put(struct tl_store *store, const char *call_id, int64_t started_s,
		       const char *json);
