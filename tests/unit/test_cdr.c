#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <sqlite3.h>
#include <string.h>
#include "b2bua/sip/address.h"
#include "b2bua/call/cdr.h"
#include "b2bua/log.h"
#include "b2bua/store/store.h"

static struct tl_cdr answered_call(void)
{
	struct tl_cdr cdr = {
		.id = "6f1c03",
		.source = "trunk:carrier",
		.caller = "+49170\"x\"",
		.callee = "J\xf6rg",
		.route = "support",
		.target = "1001",
		.call_id_a = "a@b",
		.started_ms = 1700000000000,
		.ringing_ms = 1700000000812,
		.answered_ms = 1700000005000,
		.ended_ms = 1700000069400,
		.status = 200,
		.ended_by = "a",
	};

	cdr.stats.side[TL_SIDE_A].codec = "PCMA";
	cdr.stats.side[TL_SIDE_A].rx_pkts = 3210;
	cdr.stats.side[TL_SIDE_A].lost_pkts = 3;
	cdr.stats.side[TL_SIDE_A].delay_us = 40250;
	cr_assert(tl_address_parse("192.0.2.7", 4000, &cdr.stats.side[TL_SIDE_A].source));
	cdr.stats.side[TL_SIDE_B].codec = "opus";
	cdr.stats.path[TL_SIDE_A] = cdr.stats.path[TL_SIDE_B] = TL_PATH_CHAIN;
	return cdr;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

Test(cdr, tells_a_call_as_json)
{
	struct tl_cdr cdr = answered_call();
	json_t *record = tl_cdr_json(&cdr);
	const json_t *a = json_object_get(record, "a");

	cr_expect_str_eq(text_at(record, "id"), "6f1c03");
	cr_expect_str_eq(text_at(record, "caller"), "+49170\"x\"");
	cr_expect_str_eq(text_at(record, "callee"), "J\xef\xbf\xbdrg", "never broken UTF-8");
	cr_expect_eq(json_integer_value(json_object_get(record, "setup_ms")), 812);
	cr_expect_eq(json_integer_value(json_object_get(record, "talk_s")), 64);
	cr_expect_eq(json_integer_value(json_object_get(record, "status")), 200);
	cr_expect_null(json_object_get(record, "recording"), "what is unknown is left out");
	cr_expect_str_eq(text_at(a, "codec"), "PCMA");
	cr_expect_str_eq(text_at(a, "path"), "chain");
	cr_expect_str_eq(text_at(a, "source"), "192.0.2.7:4000");
	cr_expect_eq(json_integer_value(json_object_get(a, "rx_pkts")), 3210);
	cr_expect_eq(json_integer_value(json_object_get(a, "lost_pkts")), 3);
	cr_expect_null(json_object_get(json_object_get(record, "b"), "source"));
	json_decref(record);
}

Test(cdr, tells_a_call_that_nobody_answered)
{
	struct tl_cdr cdr = {
		.id = "1", .started_ms = 1700000000000, .ended_ms = 1700000000100, .status = 404
	};
	json_t *record = tl_cdr_json(&cdr);

	cr_expect_null(json_object_get(record, "answered_ms"));
	cr_expect_null(json_object_get(record, "setup_ms"));
	cr_expect_eq(json_integer_value(json_object_get(record, "talk_s")), 0);
	json_decref(record);
}

Test(cdr, writes_one_line, .init = cr_redirect_stderr)
{
	struct tl_cdr cdr = answered_call();
	char text[4096] = "";

	tl_log_init(false);
	tl_cdr_write(NULL, &cdr);
	fflush(stderr);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, cr_get_redirected_stderr()), 0u);
	cr_expect(strstr(text, "call=6f1c03 end by=a status=200 setup_ms=812 talk_s=64 "
			       "source=\"trunk:carrier\" caller=\"+49170\\\"x\\\"\" "
			       "callee=\"J\\xf6rg\" route=\"support\" target=\"1001\" "
			       "path=PCMA>opus lost=3/0 delay_us=40250/0\n"),
		  "%s", text);
}

Test(cdr, is_a_row_in_the_store)
{
	g_autofree char *dir = g_dir_make_tmp(NULL, NULL);
	g_autofree char *path = g_build_filename(dir, "twinleg.db", NULL);
	struct tl_cdr cdr = answered_call();
	struct tl_store *store;
	sqlite3_stmt *statement;
	sqlite3 *db;

	cdr.stats.side[TL_SIDE_A].mos = 440;
	store = tl_store_new(dir);
	tl_cdr_write(store, &cdr);
	tl_store_free(store);

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db,
					"SELECT record ->> '$.a.codec', record FROM calls WHERE "
					"call_id = '6f1c03' AND source = 'trunk:carrier' AND "
					"status = 200 AND started_s = 1700000000",
					-1, &statement, NULL),
		     SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	cr_expect_str_eq((const char *)sqlite3_column_text(statement, 0), "PCMA");
	/* as a person would write it: no 4.4000000000000004 */
	cr_expect(strstr((const char *)sqlite3_column_text(statement, 1), "\"mos\":4.4}"), "%s",
		  (const char *)sqlite3_column_text(statement, 1));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	g_remove(path);
	g_rmdir(dir);
}
