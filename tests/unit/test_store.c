#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>
#include "b2bua/store/store.h"

static char *dir;

static void make_dir(void)
{
	dir = g_dir_make_tmp(NULL, NULL);
	cr_assert_not_null(dir);
}

static void remove_dir(void)
{
	static const char *const names[] = { "twinleg.db", "twinleg.db-wal", "twinleg.db-shm" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);

		g_remove(path);
	}
	g_rmdir(dir);
	g_free(dir);
}

TestSuite(store, .init = make_dir, .fini = remove_dir);

static struct tl_store *open_store(void)
{
	return tl_store_new(dir);
}

static const struct tl_store_binding alice = { .extension = "1001",
					       .contact = "sip:1001@192.0.2.7:5062",
					       .route = "sip:192.0.2.1:40000;transport=udp;lr",
					       .call_id = "abc@192.0.2.7",
					       .user_agent = "desk \"phone\" 'x'",
					       .instance = "\"<urn:uuid:1>\"",
					       .cseq = 4294967295u,
					       .q = 0.7,
					       .expires_s = 1900000000 };

/* All that the database holds, as "extension contact route call_id agent cseq q expires" lines. */
static void append_line(const struct tl_store_binding *binding, void *user)
{
	g_string_append_printf(
		user, "%s %s %s %s %s %u %.1f %ld %s %u %d\n", binding->extension, binding->contact,
		binding->route ? binding->route : "-", binding->call_id, binding->user_agent,
		binding->cseq, binding->q, (long)binding->expires_s,
		binding->instance ? binding->instance : "-", binding->reg_id, binding->received);
}

static char *dump(void)
{
	struct tl_store *store = open_store();
	GString *text = g_string_new(NULL);

	cr_assert_eq(tl_store_bindings_load(store, append_line, text), 0);
	tl_store_free(store);
	return g_string_free(text, FALSE);
}

/* One number from the database. */
static int query(const char *sql)
{
	g_autofree char *path = g_build_filename(dir, "twinleg.db", NULL);
	sqlite3_stmt *statement;
	sqlite3 *db;
	int result;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s",
		     sqlite3_errmsg(db));
	result = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return result;
}

Test(store, keeps_bindings)
{
	struct tl_store *store = open_store();
	struct tl_store_binding bob = alice;
	g_autofree char *text = NULL;

	bob.extension = "1002";
	bob.route = bob.instance = NULL;
	tl_store_binding_put(store, &alice);
	tl_store_binding_put(store, &bob);
	bob.q = 1;
	bob.reg_id = 2;
	bob.received = true;
	tl_store_binding_put(store, &bob);
	bob.contact = "sip:gone@192.0.2.8";
	tl_store_binding_put(store, &bob);
	tl_store_binding_remove(store, "1002", "sip:gone@192.0.2.8");
	tl_store_binding_remove(store, "1003", "sip:never@192.0.2.8");
	tl_store_free(store);

	text = dump();
	cr_expect_str_eq(
		text,
		"1001 sip:1001@192.0.2.7:5062 sip:192.0.2.1:40000;transport=udp;lr "
		"abc@192.0.2.7 desk \"phone\" 'x' 4294967295 0.7 1900000000 \"<urn:uuid:1>\" 0 0\n"
		"1002 sip:1001@192.0.2.7:5062 - "
		"abc@192.0.2.7 desk \"phone\" 'x' 4294967295 1.0 1900000000 - 2 1\n");
}

Test(store, keeps_calls_with_the_columns_that_people_ask_for)
{
	struct tl_store *store = open_store();

	tl_store_call_put(store, "6f1c03", 1700000000,
			  "{\"source\":\"trunk:carrier\",\"caller\":\"+49170\",\"callee\":\"100\","
			  "\"status\":200,\"x\":\"\\u0000\"}");
	tl_store_call_put(store, "bad", 1700000001, "no JSON");
	tl_store_call_put(store, "6f1c04", 1700000002, "{}");
	tl_store_free(store);

	cr_expect_eq(query("SELECT count(*) FROM calls"), 2, "a broken record spoils no others");
	cr_expect_eq(query("SELECT status FROM calls WHERE call_id = '6f1c03' AND "
			   "source = 'trunk:carrier' AND caller = '+49170' AND callee = '100' AND "
			   "started_s = 1700000000"),
		     200);
	cr_expect_eq(query("PRAGMA user_version"), 4);
}

Test(store, survives_a_kill)
{
	int ready[2];
	char byte;
	pid_t child;
	g_autofree char *text = NULL;

	cr_assert_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct tl_store *store = open_store();

		tl_store_binding_put(store, &alice);
		while (query("SELECT count(*) FROM bindings") < 1)
			g_usleep(1000);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);

	text = dump();
	cr_expect(g_str_has_prefix(text, "1001 "));
}

Test(store, writes_many_in_a_few_transactions)
{
	struct tl_store *store = open_store();

	for (int i = 0; i < 20000; i++) {
		g_autofree char *number = g_strdup_printf("%d", i);
		struct tl_store_binding binding = alice;

		binding.extension = number;
		tl_store_binding_put(store, &binding);
	}
	tl_store_free(store);
	cr_expect_eq(query("SELECT count(*) FROM bindings"), 20000);
}

static void ignore_binding(const struct tl_store_binding *binding, void *user)
{
}

Test(store, refuses_what_is_no_database)
{
	static const char text[] = "this is text, and long enough to be read as a header"
				   " of one hundred bytes, which it is not, in any way";
	g_autofree char *path = g_build_filename(dir, "twinleg.db", NULL);
	g_autofree char *after = NULL;
	struct tl_store *store;

	cr_assert(g_file_set_contents(path, text, -1, NULL));
	store = open_store();
	cr_expect_lt(tl_store_bindings_load(store, ignore_binding, NULL), 0);
	tl_store_binding_put(store, &alice);
	tl_store_free(store);
	cr_assert(g_file_get_contents(path, &after, NULL, NULL));
	cr_expect_str_eq(after, text, "somebody else's file is left alone");
}

Test(store, leaves_a_newer_database_alone)
{
	struct tl_store *store = open_store();

	tl_store_free(store);
	query("PRAGMA user_version = 99");
	store = open_store();
	cr_expect_lt(tl_store_bindings_load(store, ignore_binding, NULL), 0);
	tl_store_free(store);
	cr_expect_eq(query("PRAGMA user_version"), 99);
}

Test(store, writes_what_has_waited_when_the_database_can_be_opened)
{
	g_autofree char *whole = dir, *text = NULL;
	struct tl_store *store;

	/* a file stands where the directory ought to be */
	dir = g_build_filename(whole, "state", NULL);
	cr_assert(g_file_set_contents(dir, "", 0, NULL));
	store = open_store();
	tl_store_binding_put(store, &alice);
	g_remove(dir);
	tl_store_free(store);
	text = dump();
	cr_expect(g_str_has_prefix(text, "1001 "));
	remove_dir();
	dir = g_steal_pointer(&whole);
}

Test(store, makes_the_database_anew_when_its_file_is_gone)
{
	struct tl_store *store = open_store();
	g_autofree char *path = g_build_filename(dir, "twinleg.db", NULL);

	tl_store_call_put(store, "first", 1, "{}");
	while (query("SELECT count(*) FROM calls") < 1)
		g_usleep(1000);
	g_remove(path);
	tl_store_call_put(store, "second", 2, "{}");
	tl_store_free(store);
	cr_expect_eq(query("SELECT count(*) FROM calls WHERE call_id = 'second'"), 1);
}

static void append_ban(const char *source, int64_t until_s, unsigned times, void *user)
{
	g_string_append_printf(user, "%s %ld %u\n", source, (long)until_s, times);
}

Test(store, keeps_bans)
{
	struct tl_store *store = open_store();
	g_autoptr(GString) text = g_string_new(NULL);

	tl_store_ban_put(store, "192.0.2.7", 1900000000, 1);
	tl_store_ban_put(store, "192.0.2.7", 1900000060, 2);
	tl_store_ban_put(store, "2001:db8:1:2::/64", 1900000000, 1);
	tl_store_ban_put(store, "192.0.2.8", 1900000000, 1);
	tl_store_ban_remove(store, "192.0.2.8");
	tl_store_free(store);
	store = open_store();
	cr_assert_eq(tl_store_bans_load(store, append_ban, text), 0);
	tl_store_free(store);
	cr_expect_str_eq(text->str, "192.0.2.7 1900000060 2\n2001:db8:1:2::/64 1900000000 1\n");
}

Test(store, waits_out_a_locked_database)
{
	struct tl_store *store = open_store();
	g_autofree char *path = g_build_filename(dir, "twinleg.db", NULL);
	g_autofree char *text = NULL;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	tl_store_binding_put(store, &alice); /* returns at once all the same */
	cr_assert_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	tl_store_free(store);
	text = dump();
	cr_expect(g_str_has_prefix(text, "1001 "));
}
