#include "b2bua/sip/headers.h"
#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/url.h>

static msg_t *message(const char *headers)
{
	g_autofree char *text = g_strdup_printf(
		"INVITE sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n%s"
		"Content-Length: 0\r\n\r\n",
		headers);
	msg_t *msg = msg_make(sip_default_mclass(), 0, text, -1);

	cr_assert(msg && sip_object(msg)->sip_request);
	return msg;
}

Test(headers, some_cross_some_are_free_some_are_ours)
{
	static const struct {
		const char *name;
		bool crosses, free;
	} names[] = {
		{ "X-Shop", true, true },
		{ "x-shop", true, true },
		{ "User-to-User", true, true },
		{ "Alert-Info", true, true },
		{ "Call-Info", true, true },
		{ "X-", false, true },
		{ "Subject", false, true },
		{ "Priority", false, true },
		{ "XX", false, true },
		{ "P-Asserted-Identity", false, false },
		{ "Via", false, false },
		{ "VIA", false, false },
		{ "v", false, false },
		{ "Accept", false, false },
		{ "www-authenticate", false, false },
		{ "Record-Route", false, false },
		{ "X A", false, false },
		{ "", false, false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		cr_expect_eq(tl_header_crosses(names[i].name), names[i].crosses, "%s",
			     names[i].name);
		cr_expect_eq(tl_header_is_free(names[i].name), names[i].free, "%s", names[i].name);
	}
}

Test(headers, are_collected_and_written)
{
	msg_t *msg = message("X-Shop: 42\r\nSubject: no\r\nAlert-Info: <http://r.example/1>\r\n"
			     "User-to-User: 0123;encoding=hex\r\nX-Empty:\r\n"
			     "Call-Info: <http://c.example/2>;purpose=icon\r\n"
			     "P-Asserted-Identity: <sip:me@x.example>\r\n");
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_header_set set;
	const char *text;

	tl_headers_collect(home, sip_object(msg), &set);
	text = tl_headers_format(home, set.v, set.n);
	cr_assert_not_null(text);
	cr_expect(strstr(text, "X-Shop: 42\r\n"), "%s", text);
	cr_expect(strstr(text, "Alert-Info: <http://r.example/1>\r\n"), "%s", text);
	cr_expect(strstr(text, "User-to-User: 0123;encoding=hex\r\n"), "%s", text);
	cr_expect(strstr(text, "Call-Info: <http://c.example/2>;purpose=icon\r\n"), "%s", text);
	cr_expect(g_str_has_suffix(text, "Subject: no\r\n"), "free, and behind the others: %s",
		  text);
	cr_expect_null(strstr(text, "Asserted"));
	su_home_deinit(home);
	msg_destroy(msg);
}

Test(headers, are_bounded_in_number_and_length)
{
	GString *text = g_string_new(NULL);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autofree char *filler = g_strnfill(TL_HEADER_BYTES + 1, 'a');
	struct tl_header_set set;
	msg_t *msg;

	g_string_append_printf(text, "X-Long: %s\r\n", filler);
	for (int i = 0; i < 3 * TL_HEADERS_MAX; i++)
		g_string_append_printf(text, "X-Many-%d: 1\r\n", i);
	msg = message(text->str);
	tl_headers_collect(home, sip_object(msg), &set);
	cr_expect_eq(set.n, TL_HEADERS_MAX);
	for (size_t i = 0; i < set.n; i++)
		cr_expect_str_neq(set.v[i].name, "X-Long");
	su_home_deinit(home);
	msg_destroy(msg);
	g_string_free(text, TRUE);
}

Test(headers, no_line_is_smuggled_in)
{
	static const struct tl_header bad[] = {
		{ "X-A", "1\r\nVia: x" },   { "X-A: 1\r\nVia", "x" }, { "X B", "1" },
		{ "Via", "SIP/2.0/UDP x" }, { "X-A", "\xff\xfe" },
	};
	su_home_t home[1] = { SU_HOME_INIT(home) };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		cr_expect_null(tl_headers_format(home, &bad[i], 1), "%zu", i);
	su_home_deinit(home);
}

static const struct {
	const char *uri, *user;
} users[] = {
	{ "sip:1001@b.example", "1001" },
	{ "sip:%2B4930@b.example", "+4930" },
	{ "sip:+4930;phone-context=x@b.example", "+4930" },
	{ "sip:a%20b@b.example", "a b" },
	{ "sip:b.example", "" },
	{ "sip:a%00b@b.example", "" },
	{ "sip:a%0d%0aVia:x@b.example", "" },
	{ "sip:a%ffb@b.example", "" },
	{ "tel:+4930", "+4930" },
};

Test(headers, users_are_unescaped_and_checked)
{
	for (size_t i = 0; i < G_N_ELEMENTS(users); i++) {
		su_home_t home[1] = { SU_HOME_INIT(home) };

		cr_expect_str_eq(tl_user_of(home, url_make(home, users[i].uri)), users[i].user,
				 "%s", users[i].uri);
		su_home_deinit(home);
	}
}

static const struct {
	const char *why;
	struct tl_party party;
	const char *text;
} parties[] = {
	{ "with a name", { "Alice", "1001", NULL }, "\"Alice\" <sip:1001@gw.test>" },
	{ "without", { NULL, "1001", NULL }, "<sip:1001@gw.test>" },
	{ "of another host", { NULL, "1001", "x.example" }, "<sip:1001@x.example>" },
	{ "of an IPv6 host", { NULL, "1001", "2001:db8::1" }, "<sip:1001@[2001:db8::1]>" },
	{ "quotes in the name",
	  { "A \"b\" \\ c", "1", NULL },
	  "\"A \\\"b\\\" \\\\ c\" <sip:1@gw.test>" },
	{ "a line end in the name", { "A\r\nVia: x", "1", NULL }, "\"AVia: x\" <sip:1@gw.test>" },
	{ "what must be escaped",
	  { NULL, "a b@c>\r\n", NULL },
	  "<sip:a%20b%40c%3E%0D%0A@gw.test>" },
	{ "a number", { NULL, "+4930", NULL }, "<sip:+4930@gw.test>" },
	{ "withheld", { "Alice", "", NULL }, "\"Anonymous\" <sip:anonymous@anonymous.invalid>" },
};

Test(headers, parties_are_written)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parties); i++) {
		su_home_t home[1] = { SU_HOME_INIT(home) };

		cr_expect_str_eq(tl_party_format(home, &parties[i].party, "gw.test"),
				 parties[i].text, "%s", parties[i].why);
		su_home_deinit(home);
	}
}

Test(headers, a_reason_is_found_or_made)
{
	msg_t *msg = message("Reason: Q.850;cause=16;text=\"Terminated\"\r\n");
	su_home_t home[1] = { SU_HOME_INIT(home) };

	cr_expect_str_eq(tl_reason_of(home, sip_object(msg)), "Q.850;cause=16;text=\"Terminated\"");
	cr_expect_str_eq(tl_reason_format(home, &(struct tl_cause) { .status = 486 }),
			 "SIP;cause=486;text=\"Busy Here\"");
	cr_expect_str_eq(tl_reason_format(home, &(struct tl_cause) { .reason = "X;cause=1" }),
			 "X;cause=1");
	cr_expect_null(tl_reason_format(home, &(struct tl_cause) { .reason = "X\r\nVia: y" }));
	cr_expect_null(tl_reason_format(home, &(struct tl_cause) { .status = 0 }));
	cr_expect_null(tl_reason_format(home, NULL));
	su_home_deinit(home);
	msg_destroy(msg);
}
