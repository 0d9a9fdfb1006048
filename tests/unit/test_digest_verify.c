#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include "b2bua/registrar/digest_verify.h"

#define MUFASA                                                                                     \
	"username=\"Mufasa\"", "realm=\"testrealm@host.com\"", "uri=\"/dir/index.html\"",          \
		"nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"", "opaque=\"5ccc069c403ebaf9f01\""
#define MUFASA_QOP "qop=auth", "nc=00000001", "cnonce=\"0a4f113b\""
#define RESPONSE   "response=\"6629fae49393a05397450978507c4ef1\""
#define HA1        "939e7578ed9e3c518a452acee763bce9"
#define NEW_MUFASA                                                                                 \
	"username=\"Mufasa\"", "realm=\"http-auth@example.org\"", "uri=\"/dir/index.html\"",       \
		"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"", "nc=00000001",           \
		"cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"", "qop=auth"

/* The examples of RFC 2617 3.5, RFC 7616 3.9.1 and RFC 2069 (with its erratum), and what
 * must not pass for them. */
static const struct {
	const char *why;
	const char *params[16];
	const char *method, *password, *ha1;
	bool right;
} claims[] = {
	{ "RFC 2617", { MUFASA, MUFASA_QOP, RESPONSE }, "GET", "Circle Of Life", NULL, true },
	{ "the stored hash does as well",
	  { MUFASA, MUFASA_QOP, RESPONSE },
	  "GET",
	  NULL,
	  HA1,
	  true },
	{ "another password", { MUFASA, MUFASA_QOP, RESPONSE }, "GET", "circle", NULL, false },
	{ "another method",
	  { MUFASA, MUFASA_QOP, RESPONSE },
	  "PUT",
	  "Circle Of Life",
	  NULL,
	  false },
	{ "no such user", { MUFASA, MUFASA_QOP, RESPONSE }, "GET", NULL, NULL, false },
	{ "no password is not an empty one",
	  { MUFASA, "response=\"329059aec1499dffeddd936792ea5400\"" },
	  "GET",
	  NULL,
	  NULL,
	  false },
	{ "another nonce count",
	  { MUFASA, "qop=auth", "nc=00000002", "cnonce=\"0a4f113b\"", RESPONSE },
	  "GET",
	  "Circle Of Life",
	  NULL,
	  false },
	{ "a response cut short",
	  { MUFASA, MUFASA_QOP, "response=\"6629fae49393a053974509785\"" },
	  "GET",
	  "Circle Of Life",
	  NULL,
	  false },
	{ "RFC 7616, MD5, in any case",
	  { NEW_MUFASA, "algorithm=md5", "response=\"8ca523f5e9506fed4657c9700eebdbec\"" },
	  "GET",
	  "Circle of Life",
	  NULL,
	  true },
	{ "RFC 7616, SHA-256",
	  { NEW_MUFASA, "algorithm=SHA-256",
	    "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"" },
	  "GET",
	  "Circle of Life",
	  NULL,
	  true },
	{ "an MD5 hash is of no use for SHA-256",
	  { NEW_MUFASA, "algorithm=SHA-256",
	    "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"" },
	  "GET",
	  NULL,
	  HA1,
	  false },
	{ "RFC 2069, without qop",
	  { MUFASA, "response=\"1949323746fe6a43ef61f9606e7febea\"" },
	  "GET",
	  "CircleOfLife",
	  NULL,
	  true },
};

Test(digest_verify, knows_right_from_wrong)
{
	for (size_t i = 0; i < G_N_ELEMENTS(claims); i++) {
		struct tl_secret secret = { .password = claims[i].password,
					    .ha1 = { claims[i].ha1 } };
		struct tl_claim claim;

		cr_assert_eq(tl_claim_parse(claims[i].params, &claim), 0, "%s", claims[i].why);
		cr_expect_eq(tl_claim_verify(&claim, claims[i].method, &secret), claims[i].right,
			     "%s", claims[i].why);
	}
}

static const struct {
	const char *why;
	const char *params[16];
	int result;
} headers[] = {
	{ "whole", { MUFASA, MUFASA_QOP, RESPONSE }, 0 },
	{ "spaces around the equals sign", { MUFASA, MUFASA_QOP, "response = \"66\"" }, 0 },
	{ "quoted qop and nc",
	  { MUFASA, "qop=\"auth\"", "nc=\"00000001\"", "cnonce=x", RESPONSE },
	  0 },
	{ "unknown parameters", { MUFASA, MUFASA_QOP, RESPONSE, "color=red", "=", "", "x" }, 0 },
	{ "nothing", { NULL }, -EBADMSG },
	{ "no response", { MUFASA, MUFASA_QOP }, -EBADMSG },
	{ "two responses", { MUFASA, MUFASA_QOP, RESPONSE, RESPONSE }, -EBADMSG },
	{ "qop without nc", { MUFASA, "qop=auth", "cnonce=\"x\"", RESPONSE }, -EBADMSG },
	{ "qop without cnonce", { MUFASA, "qop=auth", "nc=00000001", RESPONSE }, -EBADMSG },
	{ "nc that isn't hex",
	  { MUFASA, "qop=auth", "nc=0000000g", "cnonce=x", RESPONSE },
	  -EBADMSG },
	{ "nc with a sign", { MUFASA, "qop=auth", "nc=-0000001", "cnonce=x", RESPONSE }, -EBADMSG },
	{ "nc too long", { MUFASA, "qop=auth", "nc=000000001", "cnonce=x", RESPONSE }, -EBADMSG },
	{ "a quote that doesn't end", { MUFASA, MUFASA_QOP, "response=\"66" }, -EBADMSG },
	{ "text after the quote", { MUFASA, MUFASA_QOP, "response=\"66\"77" }, -EBADMSG },
	{ "qop that wasn't offered",
	  { MUFASA, "qop=auth-int", "nc=00000001", "cnonce=x", RESPONSE },
	  -ENOTSUP },
	{ "algorithm that wasn't offered",
	  { MUFASA, MUFASA_QOP, RESPONSE, "algorithm=MD5-sess" },
	  -ENOTSUP },
};

Test(digest_verify, reads_headers)
{
	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
		struct tl_claim claim;

		cr_expect_eq(tl_claim_parse(headers[i].params, &claim), headers[i].result, "%s",
			     headers[i].why);
	}
}

Test(digest_verify, refuses_what_is_too_long)
{
	g_autofree char *long_text = g_strnfill(5000, 'a');
	g_autofree char *username = g_strdup_printf("username=\"%s\"", long_text);
	const char *params[] = { "realm=\"r\"",    "uri=\"u\"", "nonce=\"n\"",
				 "response=\"r\"", username,    NULL };
	struct tl_claim claim;

	cr_expect_eq(tl_claim_parse(params, &claim), -EBADMSG);
}

Test(digest_verify, takes_escapes_out_of_quotes)
{
	const char *params[] = {
		"username=\"a\\\"b\\\\\"", "realm=\"r\"", "uri=\"u\"", "nonce=\"n\"",
		"response=\"r\"",          NULL
	};
	struct tl_claim claim;

	cr_assert_eq(tl_claim_parse(params, &claim), 0);
	cr_expect_str_eq(claim.username, "a\"b\\");
	cr_expect_eq(claim.nc, 1u);
	cr_expect_not(claim.qop_auth);
}
