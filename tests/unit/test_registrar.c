/*
 * REGISTER over real sockets: a telephone in text on one side, the stack with access,
 * registrar and store on the other, in one loop. The flows are those of RFC 3665 section 2.
 */
#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su.h>
#include "b2bua/registrar/access.h"
#include "b2bua/sip/address.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/stack.h"
#include "b2bua/store/store.h"

#define DOMAIN "pbx.example.net"

static struct {
	su_root_t *root;
	struct tl_dialplan *dp;
	struct tl_stack *stack;
	struct tl_access *access;
	struct tl_store *store;
	struct tl_registrar *registrar;
	char *dir;
	uint16_t port; /* the gateway's */
	int fd;        /* the telephone's */
	uint16_t fd_port;
	unsigned cseq, branch;
	const char *call_id, *user_agent; /* NULL: "phone" */
	struct tl_source source;          /* of the last INVITE let in */
} t;

static uint16_t port_of(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char text[TL_ADDRESS_BYTES];

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	tl_address_text((struct sockaddr *)&addr, text);
	return (uint16_t)atoi(strrchr(text, ':') + 1);
}

static int open_phone(const char *host)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_storage addr;

	cr_assert(tl_address_parse(host, 0, &addr));
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(struct sockaddr_in)), 0);
	return fd;
}

static void on_register(struct tl_request *request, void *user)
{
	tl_registrar_on_register(request, t.registrar);
}

/* Lets a caller in and says so. */
static void on_invite(struct tl_request *request, void *user)
{
	if (tl_access_check(t.access, t.dp, request, &t.source) < 0)
		return;
	tl_request_refuse(request, 480, tl_source_kind_name(t.source.kind), NULL);
}

static void load_dialplan(void)
{
	g_autofree char *text = g_strdup_printf("[gateway]\n"
						"listen = udp:127.0.0.1:%u\n"
						"domain = " DOMAIN "\n"
						"[trunk carrier]\n"
						"host = 127.0.0.9\n"
						"[extension 1001]\n"
						"password = secret\n"
						"[extension 1002]\n"
						"password = other\n",
						t.port);
	struct tl_diags *diags = NULL;

	if (tl_dialplan_parse(text, strlen(text), "test.ini", "/", &t.dp, &diags) < 0)
		cr_assert(false, "%s", tl_diags_text(diags, 0));
}

static void start_gateway(void)
{
	const struct tl_stack_cfg cfg = { .gateway = tl_dialplan_gateway(t.dp),
					  .on_invite = on_invite,
					  .on_register = on_register };

	cr_assert_eq(tl_stack_new(t.root, &cfg, &t.stack), 0);
	t.store = tl_store_new(t.dir);
	t.access = tl_access_new(t.store, tl_dialplan_gateway(t.dp));
	t.registrar = tl_registrar_new(t.stack, t.access, t.store, t.dp);
}

static void stop_gateway(void)
{
	tl_registrar_free(t.registrar);
	tl_access_free(t.access);
	tl_stack_free(t.stack);
	tl_store_free(t.store);
}

static void start(void)
{
	int probe;

	su_init();
	t.root = su_root_create(NULL);
	t.dir = g_dir_make_tmp(NULL, NULL);
	probe = open_phone("127.0.0.1");
	t.port = port_of(probe);
	close(probe);
	t.fd = open_phone("127.0.0.1");
	t.fd_port = port_of(t.fd);
	t.call_id = "call-1";
	load_dialplan();
	start_gateway();
}

static void stop(void)
{
	g_autofree char *db = g_build_filename(t.dir, "twinleg.db", NULL);

	stop_gateway();
	tl_dialplan_unref(t.dp);
	close(t.fd);
	g_remove(db);
	g_rmdir(t.dir);
	g_free(t.dir);
	su_root_destroy(t.root);
	su_deinit();
}

TestSuite(registrar, .init = start, .fini = stop);

/* Sends text and turns the loop until an answer is there. */
static char *exchange(int fd, const char *text)
{
	struct sockaddr_storage to;
	char buf[65536];

	cr_assert(tl_address_parse("127.0.0.1", t.port, &to));
	cr_assert_gt(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to,
			    sizeof(struct sockaddr_in)),
		     0);
	for (int i = 0; i < 1000; i++) {
		ssize_t n;

		su_root_step(t.root, 1);
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n <= 0)
			continue;
		buf[n] = '\0';
		return g_strdup(buf);
	}
	return g_strdup("");
}

/* 40 characters of two bytes */
#define UMLAUTS "äöüßäöüßäöüßäöüßäöüßäöüßäöüßäöüßäöüßäöüß"

static char *request(const char *method, const char *user, const char *headers)
{
	return g_strdup_printf("%s sip:" DOMAIN " SIP/2.0\r\n"
			       "Via: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bK%u\r\n"
			       "From: <sip:%s@" DOMAIN ">;tag=1\r\n"
			       "To: <sip:%s@" DOMAIN ">\r\n"
			       "Call-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n"
			       "User-Agent: %s\r\n%sContent-Length: 0\r\n\r\n",
			       method, t.fd_port, ++t.branch, user, user, t.call_id, ++t.cseq,
			       method, t.user_agent ? t.user_agent : "phone", headers);
}

static char *send_register(const char *user, const char *headers)
{
	g_autofree char *text = request("REGISTER", user, headers);

	return exchange(t.fd, text);
}

static int status_of(const char *answer)
{
	return g_str_has_prefix(answer, "SIP/2.0 ") ? atoi(answer + 8) : 0;
}

/* The values of a header, all its lines joined; "" when it isn't there. */
static char *header(const char *answer, const char *name)
{
	g_autofree char *start = g_strdup_printf("\r\n%s: ", name);
	GString *values = g_string_new(NULL);

	for (const char *at = answer; (at = strstr(at, start));) {
		at += strlen(start);
		g_string_append(values, values->len ? ", " : "");
		g_string_append_len(values, at, (gssize)strcspn(at, "\r"));
	}
	return g_string_free(values, FALSE);
}

static char *quoted_param(const char *value, const char *name)
{
	g_autofree char *start = g_strdup_printf("%s=\"", name);
	const char *found = strstr(value, start);

	cr_assert_not_null(found, "no %s in %s", name, value);
	found += strlen(start);
	return g_strndup(found, strcspn(found, "\""));
}

static char *md5(const char *a, const char *b, const char *c)
{
	g_autofree char *text = g_strdup_printf(c ? "%s:%s:%s" : "%s:%s", a, b, c);

	return g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1);
}

static char *authorization(const char *method, const char *user, const char *password,
			   const char *nonce, unsigned nc)
{
	g_autofree char *ha1 = md5(user, DOMAIN, password);
	g_autofree char *ha2 = md5(method, "sip:" DOMAIN, NULL);
	g_autofree char *rest = g_strdup_printf("%s:%08x:abc:auth:%s", nonce, nc, ha2);
	g_autofree char *response = md5(ha1, rest, NULL);

	return g_strdup_printf("%s: Digest username=\"%s\", realm=\"" DOMAIN "\", nonce=\"%s\", "
			       "uri=\"sip:" DOMAIN "\", response=\"%s\", qop=auth, nc=%08x, "
			       "cnonce=\"abc\", algorithm=MD5\r\n",
			       strcmp(method, "REGISTER") == 0 ? "Authorization"
							       : "Proxy-Authorization",
			       user, nonce, response, nc);
}

static char *fresh_nonce(void)
{
	g_autofree char *answer = send_register("1001", "");
	g_autofree char *challenge = header(answer, "WWW-Authenticate");

	cr_assert_eq(status_of(answer), 401, "%s", answer);
	return quoted_param(challenge, "nonce");
}

/* REGISTER of user for to, with a nonce of its own. */
static char *register_as(const char *user, const char *password, const char *to,
			 const char *headers)
{
	g_autofree char *nonce = fresh_nonce();
	g_autofree char *credentials = authorization("REGISTER", user, password, nonce, 1);
	g_autofree char *all = g_strconcat(credentials, headers, NULL);

	return send_register(to, all);
}

static char *register_1001(const char *headers)
{
	return register_as("1001", "secret", "1001", headers);
}

static void expect(char *answer, int status, const char *contact, const char *why)
{
	g_autofree char *its = header(answer, "Contact");

	cr_expect_eq(status_of(answer), status, "%s: %s", why, answer);
	if (contact)
		cr_expect_str_eq(its, contact, "%s: %s", why, its);
	g_free(answer);
}

/* RFC 3665 2.1 */
Test(registrar, registers_after_a_challenge)
{
	g_autofree char *challenge = send_register("1001", "Contact: <sip:1001@127.0.0.1>\r\n");
	g_autofree char *www = header(challenge, "WWW-Authenticate");
	g_autofree char *answer = NULL;
	g_autofree char *date = NULL;
	g_autofree char *to = NULL;
	struct tl_binding binding;

	cr_expect_eq(status_of(challenge), 401);
	cr_expect(strstr(www, "realm=\"" DOMAIN "\""), "%s", www);
	cr_expect(strstr(www, "qop=\"auth\""), "%s", www);
	cr_expect_eq(tl_registrar_count(t.registrar), 0u);

	answer = register_1001("Contact: <sip:1001@127.0.0.1>;q=0.7\r\nExpires: 600\r\n");
	date = header(answer, "Date");
	to = header(answer, "To");
	cr_expect(g_str_has_suffix(date, " GMT"), "%s", answer);
	cr_expect(strstr(to, ";tag="), "%s", answer);
	expect(g_steal_pointer(&answer), 200, "<sip:1001@127.0.0.1>;expires=600;q=0.7", "new");

	cr_assert_eq(tl_registrar_lookup(t.registrar, "1001", &binding, 1), 1u);
	cr_expect_str_eq(binding.contact, "sip:1001@127.0.0.1");
	cr_expect_str_eq(binding.user_agent, "phone");
	cr_expect_null(binding.route);
	cr_expect_eq(tl_registrar_lookup(t.registrar, "1002", &binding, 1), 0u);
}

Test(registrar, a_long_name_of_a_phone_is_cut_between_characters)
{
	struct tl_binding binding;

	t.user_agent = "x" UMLAUTS UMLAUTS;
	expect(register_1001("Contact: <sip:1001@127.0.0.1>\r\n"), 200, NULL, "a long name");
	cr_assert_eq(tl_registrar_lookup(t.registrar, "1001", &binding, 1), 1u);
	cr_expect_eq(strlen(binding.user_agent), 127u, "%s", binding.user_agent);
	cr_expect(g_utf8_validate(binding.user_agent, -1, NULL), "%s", binding.user_agent);
}

/* RFC 3665 2.2 to 2.4 */
Test(registrar, adds_tells_and_cancels)
{
	struct tl_binding bindings[4];

	expect(register_1001("Contact: <sip:1001@127.0.0.2>;q=0.1;expires=60\r\n"), 200,
	       "<sip:1001@127.0.0.2>;expires=60;q=0.1", "first");
	expect(register_1001("Contact: <sip:1001@127.0.0.3>;expires=70\r\n"), 200,
	       "<sip:1001@127.0.0.2>;expires=60;q=0.1, <sip:1001@127.0.0.3>;expires=70", "second");
	expect(register_1001(""), 200,
	       "<sip:1001@127.0.0.2>;expires=60;q=0.1, <sip:1001@127.0.0.3>;expires=70", "query");
	cr_expect_eq(tl_registrar_lookup(t.registrar, "1001", bindings, 4), 2u);
	cr_expect_str_eq(bindings[0].contact, "sip:1001@127.0.0.3", "best q first");
	cr_expect_eq(tl_registrar_lookup(t.registrar, NULL, bindings, 4), 2u);
	expect(register_1001("Contact: <sip:1001@127.0.0.2>;expires=0\r\n"), 200,
	       "<sip:1001@127.0.0.3>;expires=70", "one removed");
	expect(register_1001("Contact: *\r\nExpires: 0\r\n"), 200, "", "all removed");
	cr_expect_eq(tl_registrar_count(t.registrar), 0u);
}

/* RFC 3665 2.5, and what becomes of one who doesn't stop. */
Test(registrar, refuses_a_wrong_password_and_bans_a_guesser)
{
	static const int statuses[] = { 401, 401, 403, 403, 403, 403, 403, 403, 403, 403 };
	g_autofree char *nonce = fresh_nonce();
	g_autofree char *good = authorization("REGISTER", "1001", "secret", nonce, 1);

	for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
		expect(register_as("1001", "wrong", "1001", "Contact: <sip:1001@127.0.0.1>\r\n"),
		       statuses[i], "", "wrong");
	expect(send_register("1001", good), 0, NULL, "banned, whatever it says: silence");
	expect(send_register("1001", ""), 0, NULL, "not even challenged");
	cr_expect_eq(tl_registrar_count(t.registrar), 0u);
}

/* All but nonce, tags and branch. */
static char *without_chance(const char *answer)
{
	GRegex *chance =
		g_regex_new("nonce=\"[^\"]*\"|tag=[^\r]*|branch=[^\r]*|CSeq: [0-9]*|100[0-9]"
			    "|Date:[^\r]*",
			    0, 0, NULL);
	char *text = g_regex_replace_literal(chance, answer, -1, 0, "-", 0, NULL);

	g_regex_unref(chance);
	return text;
}

Test(registrar, tells_nothing_of_who_exists)
{
	g_autofree char *known = send_register("1001", "");
	g_autofree char *unknown = send_register("1009", "");
	g_autofree char *known_wrong = register_as("1001", "wrong", "1001", "");
	g_autofree char *unknown_wrong = register_as("1009", "wrong", "1009", "");
	g_autofree char *a = without_chance(known), *b = without_chance(unknown);
	g_autofree char *c = without_chance(known_wrong), *d = without_chance(unknown_wrong);

	cr_expect_str_eq(a, b);
	cr_expect_str_eq(c, d);
	expect(register_as("1001", "secret", "1002", ""), 403, NULL, "another's number");
	expect(register_as("1001", "secret", "1009", ""), 403, NULL, "nobody's number");
}

Test(registrar, takes_an_authorization_once)
{
	g_autofree char *nonce = fresh_nonce();
	g_autofree char *first = authorization("REGISTER", "1001", "secret", nonce, 1);
	g_autofree char *second = authorization("REGISTER", "1001", "secret", nonce, 2);
	g_autofree char *foreign = authorization("REGISTER", "1001", "secret", "0123", 1);
	g_autofree char *answer = NULL;

	expect(send_register("1001", first), 200, NULL, "first use");
	expect(send_register("1001", second), 200, NULL, "the next count");
	answer = send_register("1001", first);
	cr_expect_eq(status_of(answer), 401, "replayed");
	cr_expect(strstr(answer, "stale=true"), "%s", answer);
	expect(send_register("1001", foreign), 401, NULL, "not our nonce");
}

/* RFC 3261 17.2.2: the answer is lost, and the same request comes once more. */
Test(registrar, repeats_its_answer)
{
	g_autofree char *nonce = fresh_nonce();
	g_autofree char *credentials = authorization("REGISTER", "1001", "secret", nonce, 1);
	g_autofree char *text = request("REGISTER", "1001", credentials);

	expect(exchange(t.fd, text), 200, NULL, "first");
	expect(exchange(t.fd, text), 200, NULL, "once more");
}

static const struct {
	const char *why, *headers;
	int status;
} refusals[] = {
	{ "too brief", "Contact: <sip:1001@127.0.0.1>;expires=1\r\n", 423 },
	{ "unknown extension", "Require: teleport\r\n", 420 },
	{ "a scheme that can't be called", "Contact: <mailto:a@b.example>\r\n", 400 },
	{ "a contact that can't be read", "Contact: <sip:\r\n", 400 },
	{ "no URI at all", "Contact: <>\r\n", 400 },
	{ "a path that can't be read", "Path: <sip:\r\nContact: <sip:1001@127.0.0.1>\r\n", 400 },
	{ "an enormous port", "Contact: <sip:1001@127.0.0.1:99999999999>\r\n", 400 },
	{ "controls", "Contact: <sip:10\x01\x02@127.0.0.1>\r\n", 400 },
};

Test(registrar, refuses_with_the_right_status)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++)
		expect(register_1001(refusals[i].headers), refusals[i].status, NULL,
		       refusals[i].why);
	cr_expect_eq(tl_registrar_count(t.registrar), 0u);
}

/* RFC 3261 7.3 and 16.3: a telephone whose clock is odd registers all the same. */
Test(registrar, passes_over_a_broken_header_that_says_nothing_of_it)
{
	expect(register_1001("Date: at noon\r\nRetry-After: soon\r\n"
			     "Contact: <sip:1001@127.0.0.2>;expires=60\r\n"),
	       200, "<sip:1001@127.0.0.2>;expires=60", "broken Date");
}

Test(registrar, says_what_it_lacks)
{
	g_autofree char *brief = register_1001("Contact: <sip:1001@127.0.0.1>;expires=1\r\n");
	g_autofree char *min = header(brief, "Min-Expires");
	g_autofree char *required = send_register("1001", "Require: path, teleport\r\n");
	g_autofree char *unsupported = header(required, "Unsupported");

	cr_expect_gt(atoi(min), 1, "%s", brief);
	cr_expect_str_eq(unsupported, "teleport", "%s", required);
}

Test(registrar, remembers_across_a_restart)
{
	struct tl_binding binding;

	expect(register_1001("Contact: <sip:1001@10.1.2.3:5070>;q=0.5\r\n"
			     "Path: <sip:edge.example.net;lr>\r\n"),
	       200, NULL, "registered");
	stop_gateway();
	start_gateway();
	cr_assert_eq(tl_registrar_lookup(t.registrar, "1001", &binding, 1), 1u);
	cr_expect_str_eq(binding.contact, "sip:1001@10.1.2.3:5070");
	cr_expect_str_eq(binding.route, "sip:edge.example.net;lr");
	cr_expect_float_eq(binding.q, 0.5, 0.001);
	t.cseq = 0;
	expect(register_1001("Contact: <sip:1001@10.1.2.3:5070>;expires=0\r\n"), 500, NULL,
	       "the order of requests is remembered too");
}

Test(registrar, returns_the_path)
{
	g_autofree char *answer = register_1001("Contact: <sip:1001@127.0.0.1>\r\n"
						"Path: <sip:edge.example.net;lr>\r\n");
	g_autofree char *path = header(answer, "Path");

	cr_expect_str_eq(path, "<sip:edge.example.net;lr>", "%s", answer);
}

static char *invite(int fd, const char *headers)
{
	g_autofree char *text = request("INVITE", "1001", headers);

	return exchange(fd, text);
}

Test(registrar, lets_extensions_and_trunks_call)
{
	int trunk = open_phone("127.0.0.9");
	g_autofree char *challenge = invite(t.fd, "");
	g_autofree char *proxy = header(challenge, "Proxy-Authenticate");
	g_autofree char *nonce = NULL;
	g_autofree char *credentials = NULL;

	cr_expect_eq(status_of(challenge), 407, "%s", challenge);
	nonce = quoted_param(proxy, "nonce");
	credentials = authorization("INVITE", "1002", "other", nonce, 1);
	expect(invite(t.fd, credentials), 480, NULL, "extension");
	cr_assert_eq(t.source.kind, TL_SOURCE_EXTENSION);
	cr_expect_str_eq(t.source.extension->number, "1002");

	expect(invite(trunk, "Proxy-Authorization: Digest realm=\"other\"\r\n"), 480, NULL,
	       "trunk, with what another one asked for");
	expect(invite(trunk, ""), 480, NULL, "trunk");
	cr_assert_eq(t.source.kind, TL_SOURCE_TRUNK);
	cr_expect_str_eq(t.source.trunk->name, "carrier");
	close(trunk);
}
