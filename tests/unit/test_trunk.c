/*
 * Trunks against a carrier that is a socket in this test: what arrives there is read as
 * text, and answered as text.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sofia-sip/su.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack.h"
#include "b2bua/trunk/trunk.h"

static struct {
	su_root_t *root;
	struct tl_dialplan *dp;
	struct tl_stack *stack;
	struct tl_trunks *trunks;
	int carrier;
	uint16_t port, carrier_port;
	struct sockaddr_storage peer; /* who sent what the carrier received last */
	socklen_t peer_bytes;
} t;

static int open_socket(const char *host, uint16_t *ret_port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char text[TL_ADDRESS_BYTES];

	cr_assert(tl_address_parse(host, 0, &addr));
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(struct sockaddr_in)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	tl_address_text((struct sockaddr *)&addr, text);
	*ret_port = (uint16_t)atoi(strrchr(text, ':') + 1);
	return fd;
}

static struct tl_dialplan *parse(const char *trunks)
{
	g_autofree char *text = g_strdup_printf("[gateway]\n"
						"listen = udp:127.0.0.1:%u\n"
						"domain = pbx.example.net\n%s",
						t.port, trunks);
	struct tl_dialplan *dp = NULL;
	struct tl_diags *diags = NULL;

	if (tl_dialplan_parse(text, strlen(text), "test.ini", "/", &dp, &diags) < 0)
		cr_assert(false, "%s", tl_diags_text(diags, 0));
	return dp;
}

static char *carrier_section(const char *more)
{
	return g_strdup_printf("[trunk carrier]\nhost = 127.0.0.2:%u\n%s", t.carrier_port, more);
}

#define REGISTERS "register = yes\nuser = 4930\npassword = secret\n"

static void configure(const char *more)
{
	g_autofree char *section = carrier_section(more);
	struct tl_dialplan *dp = parse(section);

	tl_trunks_configure(t.trunks, dp);
	tl_dialplan_unref(dp);
}

static void on_request(struct tl_request *request, void *user)
{
	tl_request_refuse(request, 480, NULL, NULL);
}

static void start(void)
{
	struct tl_stack_cfg cfg = { .on_invite = on_request, .on_register = on_request };
	g_autofree char *section = NULL;
	int probe;

	su_init();
	t.root = su_root_create(NULL);
	probe = open_socket("127.0.0.1", &t.port);
	close(probe);
	t.carrier = open_socket("127.0.0.2", &t.carrier_port);
	section = carrier_section("max-calls = 2\n");
	t.dp = parse(section);
	cfg.gateway = tl_dialplan_gateway(t.dp);
	cr_assert_eq(tl_stack_new(t.root, &cfg, &t.stack), 0);
	cr_assert_eq(tl_trunks_new(t.stack, t.dp, "b7d1", &t.trunks), 0);
}

static void stop(void)
{
	tl_trunks_free(t.trunks);
	tl_stack_free(t.stack);
	tl_dialplan_unref(t.dp);
	close(t.carrier);
	su_root_destroy(t.root);
	su_deinit();
}

TestSuite(trunk, .init = start, .fini = stop);

/* What the carrier gets next; "" when nothing comes within the turns. */
static char *receive(int turns)
{
	char buf[65536];

	for (int i = 0; i < turns; i++) {
		ssize_t n;

		su_root_step(t.root, 1);
		t.peer_bytes = sizeof(t.peer);
		n = recvfrom(t.carrier, buf, sizeof(buf) - 1, 0, (struct sockaddr *)&t.peer,
			     &t.peer_bytes);
		if (n <= 0)
			continue;
		buf[n] = '\0';
		return g_strdup(buf);
	}
	return g_strdup("");
}

static char *line_of(const char *message, const char *name)
{
	const char *found = strstr(message, name);

	return found ? g_strndup(found, strcspn(found, "\r")) : g_strdup("");
}

static void answer(const char *request, const char *status, const char *headers)
{
	g_autofree char *via = line_of(request, "Via: ");
	g_autofree char *from = line_of(request, "From: ");
	g_autofree char *to = line_of(request, "To: ");
	g_autofree char *call_id = line_of(request, "Call-ID: ");
	g_autofree char *cseq = line_of(request, "CSeq: ");
	g_autofree char *text = g_strdup_printf(
		"SIP/2.0 %s\r\n%s\r\n%s\r\n%s;tag=x\r\n%s\r\n%s\r\n%sContent-Length: 0\r\n\r\n",
		status, via, from, to, call_id, cseq, headers);

	cr_assert_gt(
		sendto(t.carrier, text, strlen(text), 0, (struct sockaddr *)&t.peer, t.peer_bytes),
		0);
	for (int i = 0; i < 20; i++)
		su_root_step(t.root, 1);
}

static void expect_state(enum tl_trunk_state state)
{
	cr_expect_str_eq(tl_trunk_state_name(tl_trunk_state(t.trunks, "carrier")),
			 tl_trunk_state_name(state));
}

/* A member of the carrier's row in `twinleg trunks`, as text; "" : left out. */
static char *shown(const char *key)
{
	json_t *list = tl_trunks_json(t.trunks);
	json_t *value = json_object_get(json_array_get(list, 0), key);
	char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : strdup("");

	json_decref(list);
	return text;
}

Test(trunk, counts_calls_against_its_limit)
{
	g_autofree char *calls = NULL;

	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), 0);
	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), 0);
	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), -EBUSY);
	calls = shown("calls");
	cr_expect_str_eq(calls, "2");
	tl_trunk_give(t.trunks, "carrier");
	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), 0);
	expect_state(TL_TRUNK_IDLE);
}

Test(trunk, keeps_its_count_across_reloads)
{
	struct tl_dialplan *without = parse("");

	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), 0);
	configure("max-calls = 1\n");
	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), -EBUSY);
	tl_trunks_configure(t.trunks, without);
	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), 0, "no limit is known any more");
	tl_trunk_give(t.trunks, "carrier");
	tl_trunk_give(t.trunks, "carrier");
	configure("max-calls = 1\n");
	cr_expect_eq(tl_trunk_take(t.trunks, "carrier"), 0);
	tl_dialplan_unref(without);
}

Test(trunk, registers_with_a_password)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_autofree char *contact = NULL;
	g_autofree char *headers = NULL;
	g_autofree char *left = NULL;
	struct tl_dialplan *without;

	configure(REGISTERS);
	expect_state(TL_TRUNK_REGISTERING);
	first = receive(200);
	cr_assert(g_str_has_prefix(first, "REGISTER sip:127.0.0.2 SIP/2.0\r\n"), "%s", first);
	cr_expect(strstr(first, "\r\nTo: <sip:4930@127.0.0.2>\r\n"), "%s", first);
	cr_expect(strstr(first, "\r\nExpires: 3600\r\n"), "%s", first);
	cr_expect_not(strstr(first, "Authorization"));
	answer(first, "401 Unauthorized",
	       "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", qop=\"auth\"\r\n");

	second = receive(200);
	cr_expect(strstr(second, "\r\nAuthorization: Digest username=\"4930\""), "%s", second);
	contact = line_of(second, "Contact: ");
	headers = g_strdup_printf("Contact: <sip:other@192.0.2.1>;expires=50\r\n"
				  "%s;expires=1200\r\n",
				  contact);
	answer(second, "200 OK", headers);
	expect_state(TL_TRUNK_UP);
	left = shown("registered_for_s");
	cr_expect_gt(atoi(left), 1100);
	cr_expect_leq(atoi(left), 1200);

	g_free(first);
	configure(REGISTERS "max-calls = 7\n"); /* nothing that a registration is about */
	first = receive(20);
	cr_expect_str_eq(first, "");

	g_free(first);
	without = parse("");
	tl_trunks_configure(t.trunks, without);
	first = receive(200);
	cr_expect(strstr(first, "\r\nExpires: 0\r\n"), "gone means unregistered: %s", first);
	tl_dialplan_unref(without);
}

Test(trunk, says_why_it_is_down)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_autofree char *reason = NULL;
	const char *challenge =
		"WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", qop=\"auth\"\r\n";

	configure(REGISTERS);
	first = receive(200);
	answer(first, "401 Unauthorized", challenge);
	second = receive(200);
	answer(second, "401 Unauthorized", challenge);
	expect_state(TL_TRUNK_DOWN);
	reason = shown("reason");
	cr_expect_str_eq(reason, "\"401 Unauthorized\"");
	g_free(first);
	first = receive(20);
	cr_expect_str_eq(first, "", "a wrong password is not tried again at once");
}

Test(trunk, asks_for_as_long_as_the_carrier_wants)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	configure(REGISTERS);
	first = receive(200);
	answer(first, "423 Interval Too Brief", "Min-Expires: 7200\r\n");
	second = receive(200);
	cr_expect(strstr(second, "\r\nExpires: 7200\r\n"), "%s", second);
	answer(second, "423 Interval Too Brief", "Min-Expires: 7200\r\n");
	expect_state(TL_TRUNK_DOWN);
}

Test(trunk, registers_anew_when_it_has_changed)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	configure(REGISTERS);
	first = receive(200);
	answer(first, "200 OK", "Expires: 600\r\n");
	expect_state(TL_TRUNK_UP);
	configure("register = yes\nuser = 4931\npassword = secret\n");
	g_free(first);
	first = receive(200);
	cr_expect(strstr(first, "sip:4930@") && strstr(first, "\r\nExpires: 0\r\n"), "%s", first);
	second = receive(200);
	cr_expect(strstr(second, "sip:4931@"), "%s", second);
}

Test(trunk, says_goodbye)
{
	g_autofree char *first = NULL;
	g_autofree char *last = NULL;

	configure(REGISTERS);
	first = receive(200);
	answer(first, "200 OK", "");
	expect_state(TL_TRUNK_UP);
	tl_trunks_stop(t.trunks);
	last = receive(200);
	cr_expect(strstr(last, "\r\nExpires: 0\r\n"), "%s", last);
	expect_state(TL_TRUNK_IDLE);
}
