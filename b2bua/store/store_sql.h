#pragma once
/*
 * The database itself: opens and migrates it, runs jobs in transactions.
 * Private to store.c, which owns the thread; nothing here may be called by two
 * threads at once.
 */
#include <stdbool.h>
#include "b2bua/store/store.h"

enum tl_store_op {
	TL_STORE_BINDING_PUT,
	TL_STORE_BINDING_REMOVE,
	TL_STORE_CALL_PUT,
	TL_STORE_BAN_PUT,
	TL_STORE_BAN_REMOVE,
	TL_STORE_SUBSCRIPTION_PUT,
	TL_STORE_SUBSCRIPTION_REMOVE,
	_TL_STORE_OP_MAX,
};

/* One write; strings are its own. */
struct tl_store_job {
	enum tl_store_op op;
	/* source: of a ban; the id of a subscription */
	char *extension, *contact, *route, *call_id, *user_agent, *instance, *json, *source;
	uint32_t cseq, reg_id, times;
	double q;
	int64_t expires_s, started_s, until_s;
	bool received;
};
void tl_store_job_free(struct tl_store_job *job); /* NULL ok */

struct tl_sql;

enum { TL_SQL_ERROR_BYTES = 256 };

/* -EIO: can't be opened, is no database of ours, or is of a newer version; ret_error says it. */
int tl_sql_new(const char *path, struct tl_sql **ret_sql,
	       char ret_error[static TL_SQL_ERROR_BYTES]);
void tl_sql_free(struct tl_sql *sql); /* NULL ok */
/* The file that was opened is still the one of that name. */
bool tl_sql_is_in_place(const struct tl_sql *sql);

/* durable: the commit is to survive the loss of power, which costs an fsync; without it, it
 * survives the end of the process, and the database stays whole either way. */
int tl_sql_begin(struct tl_sql *sql, bool durable);
int tl_sql_commit(struct tl_sql *sql);
void tl_sql_rollback(struct tl_sql *sql);
/* -EIO: the transaction is lost, try it again later. -EINVAL: this job can never be done. */
int tl_sql_run(struct tl_sql *sql, const struct tl_store_job *job);
const char *tl_sql_error(const struct tl_sql *sql); /* of the last -EIO or -EINVAL */

/* The value that is kept under name, which is this one if there was none; to free. NULL: the
 * database fails. */
char *tl_sql_keep_fact(struct tl_sql *sql, const char *name, const char *value);
int tl_sql_load_bindings(struct tl_sql *sql, tl_store_binding_fn *fn, void *user);
int tl_sql_load_subscriptions(struct tl_sql *sql, tl_store_subscription_fn *fn, void *user);
int tl_sql_load_bans(struct tl_sql *sql, tl_store_ban_fn *fn, void *user);
