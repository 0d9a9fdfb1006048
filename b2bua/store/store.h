#pragma once
/*
 * The one narrow interface to what outlives the process: SQLite (WAL) under
 * the state directory. Reads happen at start; writes are queued to a writer
 * thread and never wait. A database that fails, is gone or was never there is said
 * once and tried again; the gateway serves on from memory meanwhile.
 *
 * Call records and bans are written at once, those of a busy moment together, and survive the loss
 * of power. Bindings and subscriptions are gathered for a moment and written together; they survive
 * a crash of the process, and the few that a loss of power costs come back with their telephones'
 * next refresh.
 */
#include <stdbool.h>
#include <stdint.h>

struct tl_store;

/* Opens or makes state/twinleg.db. When that can't be done it is logged, what is loaded is
 * nothing, and writes wait until it can. */
struct tl_store *tl_store_new(const char *state_dir);
void tl_store_free(struct tl_store *store); /* writes what is queued; NULL ok */

/* The UUID of this gateway, made when the database was; to free. One for this run when it can't be
 * read. Before the first write. */
char *tl_store_instance(struct tl_store *store);

struct tl_store_binding {
	const char *extension, *contact, *route, *call_id, *user_agent;
	const char *instance; /* NULL: none */
	uint32_t reg_id;      /* 0: none */
	uint32_t cseq;
	double q;
	int64_t expires_s;
	bool received; /* route is where the REGISTER came from, not a Path */
};
typedef void tl_store_binding_fn(const struct tl_store_binding *binding, void *user);
/* Loading: before the first write. -EIO: can't be read. */
int tl_store_bindings_load(struct tl_store *store, tl_store_binding_fn *fn, void *user);
void tl_store_binding_put(struct tl_store *store,
			  const struct tl_store_binding *binding); /* copies */
void tl_store_binding_remove(struct tl_store *store, const char *extension, const char *contact);

/* A source that is or was banned: an address, or an IPv6 block "2001:db8:1:2::/64". */
typedef void tl_store_ban_fn(const char *source, int64_t until_s, unsigned times, void *user);
int tl_store_bans_load(struct tl_store *store, tl_store_ban_fn *fn, void *user);
/* until_s: Unix time; times: bans of this source so far. */
void tl_store_ban_put(struct tl_store *store, const char *source, int64_t until_s, unsigned times);
void tl_store_ban_remove(struct tl_store *store, const char *source);

/* A watcher's subscription: an id of our choosing, when it ends (Unix time), and the rest as JSON.
 */
typedef void tl_store_subscription_fn(const char *id, int64_t expires_s, const char *json,
				      void *user);
int tl_store_subscriptions_load(struct tl_store *store, tl_store_subscription_fn *fn, void *user);
void tl_store_subscription_put(struct tl_store *store, const char *id, int64_t expires_s,
			       const char *json);
void tl_store_subscription_remove(struct tl_store *store, const char *id);

/* A call's record: JSON object text, one row a call; key columns are taken from it. Copies. */
void tl_store_call_put(struct tl_store *store, const char *call_id, int64_t started_s,
		       const char *json);
