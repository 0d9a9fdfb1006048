#include "b2bua/store/store_sql.h"

#include <errno.h>
#include <sys/stat.h>
#include <glib.h>
#include <sqlite3.h>

enum { BUSY_TIMEOUT_MS = 2000 }; /* somebody reads the database with another tool */

/* Step i brings a database of version i to version i + 1. Never edit one that has shipped: append.
 */
static const char *const migrations[] = {
	"CREATE TABLE bindings ("
	"  extension  TEXT NOT NULL,"
	"  contact    TEXT NOT NULL,"
	"  route      TEXT,"
	"  call_id    TEXT NOT NULL,"
	"  cseq       INTEGER NOT NULL,"
	"  user_agent TEXT NOT NULL,"
	"  q          REAL NOT NULL,"
	"  expires_s  INTEGER NOT NULL," /* Unix time */
	"  instance   TEXT,"             /* +sip.instance, RFC 5626 */
	"  PRIMARY KEY (extension, contact)"
	") WITHOUT ROWID;"
	"CREATE TABLE calls ("
	"  id        INTEGER PRIMARY KEY,"
	"  call_id   TEXT NOT NULL," /* the call's id in logs */
	"  started_s INTEGER NOT NULL,"
	"  source    TEXT,"
	"  caller    TEXT,"
	"  callee    TEXT,"
	"  status    INTEGER,"
	"  record    TEXT NOT NULL" /* the whole, JSON */
	");"
	"CREATE INDEX calls_by_time ON calls (started_s);"
	"CREATE INDEX calls_by_id ON calls (call_id);",

	"ALTER TABLE bindings ADD COLUMN reg_id INTEGER NOT NULL DEFAULT 0;"   /* RFC 5626 */
	"ALTER TABLE bindings ADD COLUMN received INTEGER NOT NULL DEFAULT 0;" /* no Path */
	"CREATE TABLE bans ("
	"  source  TEXT PRIMARY KEY," /* address, or IPv6 block of 64 bits */
	"  until_s INTEGER NOT NULL," /* Unix time */
	"  times   INTEGER NOT NULL"
	") WITHOUT ROWID;",

	"CREATE TABLE subscriptions ("
	"  id        TEXT PRIMARY KEY,"
	"  expires_s INTEGER NOT NULL," /* Unix time */
	"  dialog    TEXT NOT NULL"     /* JSON */
	") WITHOUT ROWID;",

	"CREATE TABLE facts ("
	"  name  TEXT PRIMARY KEY,"
	"  value TEXT NOT NULL"
	") WITHOUT ROWID;",
};

static const char *const statements[_TL_STORE_OP_MAX] = {
	[TL_STORE_BINDING_PUT] =
		"INSERT INTO bindings (extension, contact, route, call_id, cseq, user_agent, q, "
		"expires_s, instance, reg_id, received) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
		"ON CONFLICT (extension, contact) DO UPDATE SET route = excluded.route, "
		"call_id = excluded.call_id, cseq = excluded.cseq, "
		"user_agent = excluded.user_agent, q = excluded.q, expires_s = excluded.expires_s, "
		"instance = excluded.instance, reg_id = excluded.reg_id, "
		"received = excluded.received",
	[TL_STORE_BINDING_REMOVE] = "DELETE FROM bindings WHERE extension = ?1 AND contact = ?2",
	[TL_STORE_CALL_PUT] = "INSERT INTO calls (call_id, started_s, source, caller, callee, "
			      "status, record) VALUES (?1, ?2, json_extract(?3, '$.source'), "
			      "json_extract(?3, '$.caller'), json_extract(?3, '$.callee'), "
			      "json_extract(?3, '$.status'), ?3)",
	[TL_STORE_BAN_PUT] =
		"INSERT OR REPLACE INTO bans (source, until_s, times) VALUES (?1, ?2, ?3)",
	[TL_STORE_BAN_REMOVE] = "DELETE FROM bans WHERE source = ?1",
	[TL_STORE_SUBSCRIPTION_PUT] =
		"INSERT OR REPLACE INTO subscriptions (id, expires_s, dialog) VALUES (?1, ?2, ?3)",
	[TL_STORE_SUBSCRIPTION_REMOVE] = "DELETE FROM subscriptions WHERE id = ?1",
};

struct tl_sql {
	sqlite3 *db;
	sqlite3_stmt *statement[_TL_STORE_OP_MAX];
	char *path;
	dev_t device; /* of the file that was opened */
	ino_t inode;
	bool durable; /* how commits are made now */
	char error[TL_SQL_ERROR_BYTES];
};

void tl_store_job_free(struct tl_store_job *job)
{
	if (!job)
		return;
	g_free(job->extension);
	g_free(job->contact);
	g_free(job->route);
	g_free(job->call_id);
	g_free(job->user_agent);
	g_free(job->instance);
	g_free(job->json);
	g_free(job->source);
	g_free(job);
}

/* Keeps SQLite's text before a ROLLBACK takes its place. */
static int fail(struct tl_sql *sql, int error)
{
	g_strlcpy(sql->error, sql->db ? sqlite3_errmsg(sql->db) : "out of memory",
		  sizeof(sql->error));
	return error;
}

static int execute(struct tl_sql *sql, const char *text)
{
	if (sqlite3_exec(sql->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return fail(sql, -EIO);
	return 0;
}

static int read_version(struct tl_sql *sql, int *ret_version)
{
	sqlite3_stmt *statement;
	int r = -EIO;

	if (sqlite3_prepare_v2(sql->db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
		return fail(sql, -EIO);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		*ret_version = sqlite3_column_int(statement, 0);
		r = 0;
	} else {
		fail(sql, r);
	}
	sqlite3_finalize(statement);
	return r;
}

/* Each step is one transaction, so that a crash leaves a whole version behind. */
static int migrate(struct tl_sql *sql)
{
	int version;
	int r = read_version(sql, &version);

	if (r < 0)
		return r;
	if (version > (int)G_N_ELEMENTS(migrations)) {
		g_snprintf(sql->error, sizeof(sql->error),
			   "it is of version %d, this program knows %zu", version,
			   G_N_ELEMENTS(migrations));
		return -EIO;
	}
	for (; version < (int)G_N_ELEMENTS(migrations); version++) {
		g_autofree char *step = g_strdup_printf("BEGIN IMMEDIATE; %s PRAGMA user_version = "
							"%d; COMMIT",
							migrations[version], version + 1);

		r = execute(sql, step);
		if (r < 0) {
			tl_sql_rollback(sql);
			return r;
		}
	}
	return 0;
}

static int prepare(struct tl_sql *sql)
{
	for (int op = 0; op < _TL_STORE_OP_MAX; op++)
		if (sqlite3_prepare_v3(sql->db, statements[op], -1, SQLITE_PREPARE_PERSISTENT,
				       &sql->statement[op], NULL) != SQLITE_OK)
			return fail(sql, -EIO);
	return 0;
}

/* WAL: readers (a person with sqlite3, a report) don't hold up the writer. */
static int set_up(struct tl_sql *sql)
{
	int r;

	sqlite3_extended_result_codes(sql->db, 1);
	sqlite3_busy_timeout(sql->db, BUSY_TIMEOUT_MS);
	/* call records are written and hardly read: what is kept in memory of them is wasted */
	r = execute(sql, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			 "PRAGMA cache_size = -512;");
	sql->durable = true;
	if (r == 0)
		r = migrate(sql);
	if (r == 0)
		r = prepare(sql);
	return r;
}

static void note_identity(struct tl_sql *sql)
{
	struct stat status;

	if (stat(sql->path, &status) < 0)
		return;
	sql->device = status.st_dev;
	sql->inode = status.st_ino;
}

bool tl_sql_is_in_place(const struct tl_sql *sql)
{
	struct stat status;

	return stat(sql->path, &status) == 0 && status.st_dev == sql->device &&
	       status.st_ino == sql->inode;
}

int tl_sql_new(const char *path, struct tl_sql **ret_sql, char ret_error[static TL_SQL_ERROR_BYTES])
{
	struct tl_sql *sql = g_new0(struct tl_sql, 1);
	int r;

	sql->path = g_strdup(path);
	/* The caller's thread discipline takes the place of SQLite's mutexes. */
	if (sqlite3_open_v2(path, &sql->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) == SQLITE_OK)
		r = set_up(sql);
	else
		r = fail(sql, -EIO);
	if (r < 0) {
		g_strlcpy(ret_error, tl_sql_error(sql), TL_SQL_ERROR_BYTES);
		tl_sql_free(sql);
		return r;
	}
	if (chmod(path, 0640) < 0) /* numbers of callers are nobody else's business */
		g_debug("store: %s: %s", path, g_strerror(errno));
	note_identity(sql);
	*ret_sql = sql;
	return 0;
}

void tl_sql_free(struct tl_sql *sql)
{
	if (!sql)
		return;
	for (int op = 0; op < _TL_STORE_OP_MAX; op++)
		sqlite3_finalize(sql->statement[op]);
	sqlite3_close(sql->db);
	g_free(sql->path);
	g_free(sql);
}

const char *tl_sql_error(const struct tl_sql *sql)
{
	return sql->error;
}

int tl_sql_begin(struct tl_sql *sql, bool durable)
{
	if (durable != sql->durable) {
		if (execute(sql, durable ? "PRAGMA synchronous = FULL"
					 : "PRAGMA synchronous = NORMAL") < 0)
			return -EIO;
		sql->durable = durable;
	}
	return execute(sql, "BEGIN IMMEDIATE");
}

int tl_sql_commit(struct tl_sql *sql)
{
	return execute(sql, "COMMIT");
}

void tl_sql_rollback(struct tl_sql *sql)
{
	if (!sqlite3_get_autocommit(sql->db))
		execute(sql, "ROLLBACK");
}

static void bind_text(sqlite3_stmt *statement, int i, const char *text)
{
	sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC); /* NULL is SQL's NULL */
}

static void bind_job(sqlite3_stmt *statement, const struct tl_store_job *job)
{
	switch (job->op) {
	case TL_STORE_BINDING_PUT:
		bind_text(statement, 3, job->route);
		bind_text(statement, 4, job->call_id);
		sqlite3_bind_int64(statement, 5, job->cseq);
		bind_text(statement, 6, job->user_agent);
		sqlite3_bind_double(statement, 7, job->q);
		sqlite3_bind_int64(statement, 8, job->expires_s);
		bind_text(statement, 9, job->instance);
		sqlite3_bind_int64(statement, 10, job->reg_id);
		sqlite3_bind_int(statement, 11, job->received);
		/* fallthrough */
	case TL_STORE_BINDING_REMOVE:
		bind_text(statement, 1, job->extension);
		bind_text(statement, 2, job->contact);
		break;
	case TL_STORE_CALL_PUT:
		bind_text(statement, 1, job->call_id);
		sqlite3_bind_int64(statement, 2, job->started_s);
		bind_text(statement, 3, job->json);
		break;
	case TL_STORE_BAN_PUT:
		sqlite3_bind_int64(statement, 2, job->until_s);
		sqlite3_bind_int64(statement, 3, job->times);
		/* fallthrough */
	case TL_STORE_BAN_REMOVE:
		bind_text(statement, 1, job->source);
		break;
	case TL_STORE_SUBSCRIPTION_PUT:
		sqlite3_bind_int64(statement, 2, job->expires_s);
		bind_text(statement, 3, job->json);
		/* fallthrough */
	case TL_STORE_SUBSCRIPTION_REMOVE:
		bind_text(statement, 1, job->source);
		break;
	case _TL_STORE_OP_MAX:
		break;
	}
}

int tl_sql_run(struct tl_sql *sql, const struct tl_store_job *job)
{
	sqlite3_stmt *statement = sql->statement[job->op];
	int result;

	bind_job(statement, job);
	result = sqlite3_step(statement);
	if (result != SQLITE_DONE)
		fail(sql, -EIO);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);

	switch (result & 0xff) {
	case SQLITE_DONE:
		return 0;
	case SQLITE_ERROR: /* not JSON, a value that the schema refuses */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		return -EINVAL;
	}
	return -EIO;
}

static const char *column_text(sqlite3_stmt *statement, int i)
{
	const unsigned char *text = sqlite3_column_text(statement, i);

	return text ? (const char *)text : "";
}

char *tl_sql_keep_fact(struct tl_sql *sql, const char *name, const char *value)
{
	static const char *const texts[] = { "INSERT OR IGNORE INTO facts VALUES (?1, ?2)",
					     "SELECT value FROM facts WHERE name = ?1" };
	char *kept = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		sqlite3_stmt *statement;

		if (sqlite3_prepare_v2(sql->db, texts[i], -1, &statement, NULL) != SQLITE_OK)
			break;
		bind_text(statement, 1, name);
		if (i == 0)
			bind_text(statement, 2, value);
		if (sqlite3_step(statement) == SQLITE_ROW)
			kept = g_strdup(column_text(statement, 0));
		sqlite3_finalize(statement);
	}
	return kept;
}

int tl_sql_load_bindings(struct tl_sql *sql, tl_store_binding_fn *fn, void *user)
{
	sqlite3_stmt *statement;
	int result;

	if (sqlite3_prepare_v2(sql->db,
			       "SELECT extension, contact, route, call_id, user_agent, cseq, q, "
			       "expires_s, instance, reg_id, received FROM bindings",
			       -1, &statement, NULL) != SQLITE_OK)
		return fail(sql, -EIO);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		struct tl_store_binding binding = {
			.extension = column_text(statement, 0),
			.contact = column_text(statement, 1),
			.call_id = column_text(statement, 3),
			.user_agent = column_text(statement, 4),
			.cseq = (uint32_t)sqlite3_column_int64(statement, 5),
			.q = sqlite3_column_double(statement, 6),
			.expires_s = sqlite3_column_int64(statement, 7),
			.reg_id = (uint32_t)sqlite3_column_int64(statement, 9),
			.received = sqlite3_column_int(statement, 10),
		};

		if (sqlite3_column_type(statement, 2) != SQLITE_NULL)
			binding.route = column_text(statement, 2);
		if (sqlite3_column_type(statement, 8) != SQLITE_NULL)
			binding.instance = column_text(statement, 8);
		fn(&binding, user);
	}
	sqlite3_finalize(statement);
	return result == SQLITE_DONE ? 0 : -EIO;
}

int tl_sql_load_subscriptions(struct tl_sql *sql, tl_store_subscription_fn *fn, void *user)
{
	sqlite3_stmt *statement;
	int result;

	if (sqlite3_prepare_v2(sql->db, "SELECT id, expires_s, dialog FROM subscriptions", -1,
			       &statement, NULL) != SQLITE_OK)
		return fail(sql, -EIO);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW)
		fn(column_text(statement, 0), sqlite3_column_int64(statement, 1),
		   column_text(statement, 2), user);
	sqlite3_finalize(statement);
	return result == SQLITE_DONE ? 0 : -EIO;
}

int tl_sql_load_bans(struct tl_sql *sql, tl_store_ban_fn *fn, void *user)
{
	sqlite3_stmt *statement;
	int result;

	if (sqlite3_prepare_v2(sql->db, "SELECT source, until_s, times FROM bans", -1, &statement,
			       NULL) != SQLITE_OK)
		return fail(sql, -EIO);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW)
		fn(column_text(statement, 0), sqlite3_column_int64(statement, 1),
		   (unsigned)sqlite3_column_int64(statement, 2), user);
	sqlite3_finalize(statement);
	return result == SQLITE_DONE ? 0 : -EIO;
}
