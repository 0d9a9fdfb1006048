#include "b2bua/sip/digest.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>

/* A response with one challenge header. */
static msg_t *response(int status, const char *challenge)
{
	g_autofree char *text = g_strdup_printf(
		"SIP/2.0 %d No\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
		"%s: %s\r\nContent-Length: 0\r\n\r\n",
		status, status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate", challenge);
	msg_t *msg = msg_make(sip_default_mclass(), 0, text, -1);

	cr_assert(msg && sip_object(msg) && sip_object(msg)->sip_status);
	return msg;
}

static int challenge(struct tl_digest *digest, int status, const char *text)
{
	msg_t *msg = response(status, text);
	int r = tl_digest_challenged(digest, sip_object(msg));

	msg_destroy(msg);
	return r;
}

/* The value of a parameter of our answer. */
static char *param(const char *value, const char *name)
{
	g_autofree char *key = g_strconcat(name, "=", NULL);
	const char *p = value;

	while ((p = strstr(p, key)) && p > value && p[-1] != ' ')
		p++;
	if (!p)
		return NULL;
	p += strlen(key);
	return *p == '"' ? g_strndup(p + 1, strcspn(p + 1, "\"")) : g_strndup(p, strcspn(p, ","));
}

static char *hex(GChecksumType type, const char *text)
{
	return g_compute_checksum_for_string(type, text, -1);
}

Test(digest, answers_the_example_of_rfc_2617_without_qop)
{
	struct tl_digest *digest = tl_digest_new("Mufasa", "Circle Of Life");
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *value;
	g_autofree char *got = NULL, *a1 = NULL, *a2 = NULL, *all = NULL, *want = NULL;

	cr_assert_eq(challenge(digest, 401,
			       "Digest realm=\"testrealm@host.com\", "
			       "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\""),
		     0);
	value = tl_digest_authorization(digest, home, "GET", "/dir/index.html", NULL);
	cr_assert_not_null(value);
	a1 = hex(G_CHECKSUM_MD5, "Mufasa:testrealm@host.com:Circle Of Life");
	cr_assert_str_eq(a1, "939e7578ed9e3c518a452acee763bce9"); /* as the RFC's errata say */
	a2 = hex(G_CHECKSUM_MD5, "GET:/dir/index.html");
	all = g_strdup_printf("%s:dcd98b7102dd2f0e8b11d0f600bfb0c093:%s", a1, a2);
	want = hex(G_CHECKSUM_MD5, all);
	got = param(value, "response");
	cr_expect_str_eq(got, want, "%s", value);
	cr_expect_null(strstr(value, "qop"));
	cr_expect_null(tl_digest_proxy_authorization(digest, home, "GET", "/", NULL));
	su_home_deinit(home);
	tl_digest_free(digest);
}

Test(digest, counts_the_uses_of_a_nonce_with_qop)
{
	struct tl_digest *digest = tl_digest_new("alice", "secret");
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *value = NULL;

	cr_assert_eq(challenge(digest, 407,
			       "Digest realm=\"r\", nonce=\"n\", opaque=\"o\", "
			       "qop=\"auth-int,auth\", algorithm=SHA-256"),
		     0);
	for (int i = 1; i <= 2; i++) {
		g_autofree char *a1 = hex(G_CHECKSUM_SHA256, "alice:r:secret");
		g_autofree char *a2 = hex(G_CHECKSUM_SHA256, "INVITE:sip:b@c");
		g_autofree char *cnonce = NULL, *got = NULL, *all = NULL, *want = NULL,
				*count = NULL, *opaque = NULL, *algorithm = NULL;

		value = tl_digest_proxy_authorization(digest, home, "INVITE", "sip:b@c", NULL);
		cnonce = param(value, "cnonce");
		count = param(value, "nc");
		opaque = param(value, "opaque");
		algorithm = param(value, "algorithm");
		got = param(value, "response");
		all = g_strdup_printf("%s:n:%08x:%s:auth:%s", a1, i, cnonce, a2);
		want = hex(G_CHECKSUM_SHA256, all);
		cr_expect_str_eq(got, want);
		cr_expect_eq(atoi(count), i);
		cr_expect_str_eq(opaque, "o");
		cr_expect_str_eq(algorithm, "SHA-256");
	}
	su_home_deinit(home);
	tl_digest_free(digest);
}

Test(digest, a_second_challenge_is_a_refusal_unless_stale)
{
	struct tl_digest *digest = tl_digest_new("alice", "secret");

	cr_expect_eq(challenge(digest, 401, "Digest realm=\"r\", nonce=\"1\""), 0);
	cr_expect_eq(challenge(digest, 401, "Digest realm=\"r\", nonce=\"2\""), -EACCES);
	tl_digest_accepted(digest);
	cr_expect_eq(challenge(digest, 401, "Digest realm=\"r\", nonce=\"3\""), 0);
	cr_expect_eq(challenge(digest, 401, "Digest realm=\"r\", nonce=\"4\", stale=TRUE"), 0);
	cr_expect_eq(challenge(digest, 401, "Digest realm=\"r\", nonce=\"5\", stale=true"), -EACCES,
		     "not for ever");
	tl_digest_free(digest);
}

Test(digest, a_proxy_and_a_server_may_both_ask)
{
	struct tl_digest *digest = tl_digest_new("alice", "secret");
	su_home_t home[1] = { SU_HOME_INIT(home) };

	cr_expect_eq(challenge(digest, 407, "Digest realm=\"p\", nonce=\"1\""), 0);
	cr_expect_eq(challenge(digest, 401, "Digest realm=\"s\", nonce=\"2\""), 0);
	cr_expect_not_null(tl_digest_authorization(digest, home, "INVITE", "sip:b@c", NULL));
	cr_expect_not_null(tl_digest_proxy_authorization(digest, home, "INVITE", "sip:b@c", NULL));
	su_home_deinit(home);
	tl_digest_free(digest);
}

static const struct {
	const char *why, *text;
	int result;
} cases[] = {
	{ "names in any case", "digest REALM=\"r\", NONCE=\"n\"", 0 },
	{ "an escaped quote", "Digest realm=\"a\\\"b\", nonce=\"n\"", 0 },
	{ "an empty realm", "Digest realm=\"\", nonce=\"n\"", 0 },
	{ "another scheme", "Basic realm=\"r\"", -EACCES },
	{ "no nonce", "Digest realm=\"r\"", -EACCES },
	{ "no realm", "Digest nonce=\"n\"", -EACCES },
	{ "an unknown algorithm", "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
	  -EACCES },
	{ "integrity only", "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", 0 },
	{ "a quality of its own", "Digest realm=\"r\", nonce=\"n\", qop=\"better\"", -EACCES },
	{ "a session needs qop", "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", -EACCES },
};

Test(digest, meets_what_it_can)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_digest *digest = tl_digest_new("alice", "secret");

		cr_expect_eq(challenge(digest, 401, cases[i].text), cases[i].result, "%s",
			     cases[i].why);
		tl_digest_free(digest);
	}
}

Test(digest, what_it_repeats_stays_in_its_quotes)
{
	struct tl_digest *digest = tl_digest_new("al\"ice", "secret");
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *value;

	cr_assert_eq(challenge(digest, 401, "Digest realm=\"a\\\"b\", nonce=\"n\""), 0);
	value = tl_digest_authorization(digest, home, "INVITE", "sip:b@c", NULL);
	cr_expect(strstr(value, "username=\"al\\\"ice\""), "%s", value);
	cr_expect(strstr(value, "realm=\"a\\\"b\""), "%s", value);
	su_home_deinit(home);
	tl_digest_free(digest);
}

Test(digest, without_an_account_nothing_is_met)
{
	struct tl_digest *digest = tl_digest_new(NULL, NULL);
	su_home_t home[1] = { SU_HOME_INIT(home) };

	cr_expect_eq(challenge(digest, 401, "Digest realm=\"r\", nonce=\"1\""), -EACCES);
	cr_expect_eq(challenge(NULL, 401, "Digest realm=\"r\", nonce=\"1\""), -EACCES);
	cr_expect_null(tl_digest_authorization(NULL, home, "INVITE", "sip:b@c", NULL));
	su_home_deinit(home);
	tl_digest_free(digest);
}
