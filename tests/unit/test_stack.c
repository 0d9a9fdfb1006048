/*
 * A stack on 127.0.0.1 and a peer that speaks SIP by hand: what is refused and
 * how, and the ladders that no well-behaved peer would climb.
 */
#include "b2bua/leg/leg.h"
#include "b2bua/sip/stack.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include <sofia-sip/su.h>

#define SDP                                                                                        \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"                \
	"m=audio 4002 RTP/AVP 8\r\n"

enum { HEARD_BYTES = 8192 };

struct world {
	su_root_t *root;
	struct tl_stack *stack;
	struct tl_listen listen;
	struct tl_gateway gateway;
	struct tl_media_desc desc;
	struct tl_leg *leg;
	bool answers; /* an INVITE at once; else it rings */
	unsigned overload_s;
	int events[_TL_LEG_EVENT_MAX], status;
	/* the peer */
	int fd;
	uint16_t port;
	struct sockaddr_in us;
	char heard[HEARD_BYTES]; /* the last message that came */
	unsigned n_heard;
	int ignored; /* status that is not counted */
};

static void on_event(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct world *w = user;

	w->events[event->type]++;
	w->status = event->cause.status ? event->cause.status : event->status;
	if (event->type == TL_LEG_OFFERED)
		cr_expect_eq(tl_leg_accept(leg, &w->desc), 0);
}

static void on_invite(struct tl_request *request, void *user)
{
	struct world *w = user;

	if (tl_leg_new_incoming(request, &w->leg) < 0)
		return;
	tl_leg_set_owner(w->leg, on_event, w);
	if (w->answers)
		cr_expect_eq(tl_leg_answer(w->leg, &w->desc, NULL, 0), 0);
	else
		cr_expect_eq(tl_leg_progress(w->leg, 180, NULL, NULL, 0), 0);
}

static unsigned overloaded(void *user)
{
	return ((struct world *)user)->overload_s;
}

static void open_peer(struct world *w)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	socklen_t bytes = sizeof(peer);

	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(w->fd, (struct sockaddr *)&peer, bytes), 0);
	cr_assert_eq(getsockname(w->fd, (struct sockaddr *)&peer, &bytes), 0);
	w->port = ntohs(peer.sin_port);
	w->us = peer;
	w->us.sin_port = htons(tl_stack_port(w->stack, TL_TRANSPORT_UDP));
}

static void world_start(struct world *w)
{
	struct tl_stack_cfg cfg = {
		.gateway = &w->gateway, .on_invite = on_invite, .overloaded = overloaded, .user = w
	};
	struct sockaddr_in *rtp = (struct sockaddr_in *)&w->desc.rtp;

	memset(w, 0, sizeof(*w));
	su_init();
	w->root = su_root_create(NULL);
	w->listen = (struct tl_listen) { TL_TRANSPORT_UDP, "127.0.0.1", 0 };
	w->gateway = (struct tl_gateway) { .listen = &w->listen,
					   .n_listen = 1,
					   .domain = "gateway.test",
					   .user_agent = "Twinleg/test" };
	cr_assert_eq(tl_stack_new(w->root, &cfg, &w->stack), 0);
	open_peer(w);
	rtp->sin_family = AF_INET;
	rtp->sin_port = htons(5000);
	rtp->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->desc.direction = TL_DIR_SENDRECV;
	w->desc.formats[w->desc.n_formats++] =
		(struct tl_format) { .codec = tl_codec_find("PCMA", 8000, 1), .pt = 8 };
}

static void world_stop(struct world *w)
{
	tl_leg_release(w->leg);
	tl_stack_free(w->stack);
	su_root_destroy(w->root);
	su_deinit();
	close(w->fd);
}

static void listen_once(struct world *w)
{
	char buf[HEARD_BYTES];
	ssize_t n = recv(w->fd, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		return;
	buf[n] = '\0';
	if (g_str_has_prefix(buf, "SIP/2.0 ") && atoi(buf + 8) == w->ignored)
		return;
	strcpy(w->heard, buf);
	w->n_heard++;
}

static void step(struct world *w)
{
	su_root_step(w->root, 10);
	listen_once(w);
}

#define run_until(w, condition)                                                                    \
	do {                                                                                       \
		int64_t end_us = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;                      \
		bool reached;                                                                      \
		while (!(reached = (condition)) && g_get_monotonic_time() < end_us)                \
			step(w);                                                                   \
		cr_assert(reached, "%s; last heard:\n%s", #condition, (w)->heard);                 \
	} while (0)

/* Is the last message this one? "180", "200", "ACK ", "BYE " … */
static bool heard(const struct world *w, const char *what)
{
	if (g_ascii_isdigit(*what))
		return g_str_has_prefix(w->heard, "SIP/2.0 ") &&
		       g_str_has_prefix(w->heard + 8, what);
	return g_str_has_prefix(w->heard, what);
}

static void expect(struct world *w, const char *what)
{
	run_until(w, heard(w, what));
}

static char *value_of(const struct world *w, const char *name)
{
	g_autofree char *key = g_strdup_printf("\r\n%s: ", name);
	const char *p = strstr(w->heard, key);

	return p ? g_strndup(p + strlen(key), strcspn(p + strlen(key), "\r")) : g_strdup("");
}

static void say(struct world *w, const char *text)
{
	w->heard[0] = '\0';
	cr_assert_eq(sendto(w->fd, text, strlen(text), 0, (struct sockaddr *)&w->us, sizeof(w->us)),
		     (ssize_t)strlen(text));
}

/* {port}: the peer's; {to}: the To that we answered with; the rest as it stands. */
static void send_text(struct world *w, const char *text, const char *to)
{
	g_autofree char *port = g_strdup_printf("%u", w->port);
	GString *s = g_string_new(text);

	g_string_replace(s, "{port}", port, 0);
	g_string_replace(s, "{to}", to ? to : "<sip:1001@gateway.test>", 0);
	say(w, s->str);
	g_string_free(s, TRUE);
}

static void send_request(struct world *w, const char *method, unsigned cseq, const char *to,
			 const char *headers, const char *body)
{
	g_autofree char *text = g_strdup_printf(
		"%s sip:1001@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK%s%u\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=a1\r\nTo: {to}\r\n"
		"Call-ID: call-1\r\nCSeq: %u %s\r\nContact: <sip:a@127.0.0.1:{port}>\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, method, cseq, cseq, method, headers ? headers : "",
		body ? "Content-Type: application/sdp\r\n" : "", body ? strlen(body) : 0,
		body ? body : "");

	send_text(w, text, to);
}

#define REQUEST(method, lines)                                                                     \
	method " sip:1001@127.0.0.1 SIP/2.0\r\n"                                                   \
	       "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n"                             \
	       "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:1001@gateway.test>\r\n"                 \
	       "Call-ID: c\r\nCSeq: 1 " method "\r\n" lines "Content-Length: 0\r\n\r\n"
#define CONTACT "Contact: <sip:a@127.0.0.1:{port}>\r\n"

static const struct {
	const char *why, *text, *status, *has;
} refusals[] = {
	{ "OPTIONS says what we can", REQUEST("OPTIONS", ""), "200", "Allow: INVITE" },
	{ "nothing required of OPTIONS", REQUEST("OPTIONS", "Require: teleport\r\n"), "420",
	  "Unsupported: teleport" },
	{ "nor of INVITE", REQUEST("INVITE", CONTACT "Require: teleport, 100rel\r\n"), "420",
	  "Unsupported: teleport" },
	{ "no Contact", REQUEST("INVITE", ""), "400", "Contact" },
	{ "a Contact of mail", REQUEST("INVITE", "Contact: <mailto:a@b.example>\r\n"), "400", "" },
	{ "a Contact of star", REQUEST("INVITE", "Contact: *\r\n"), "400", "" },
	{ "two Contacts", REQUEST("INVITE", "Contact: <sip:a@127.0.0.1>, <sip:b@127.0.0.1>\r\n"),
	  "400", "" },
	{ "a Contact that can't be read", REQUEST("INVITE", "Contact: <sip:\r\n"), "400", "" },
	{ "a Record-Route that misleads",
	  REQUEST("INVITE", CONTACT "Record-Route: <sip:127.0.0.1;lrx>\r\n"), "400", "" },
	{ "a Record-Route by TLS next to us",
	  REQUEST("INVITE", CONTACT "Record-Route: <sips:127.0.0.1;lr>\r\n"), "400", "" },
	{ "no hops left", REQUEST("INVITE", CONTACT "Max-Forwards: 0\r\n"), "483", "" },
	{ "a dialog that isn't there", REQUEST("BYE", ""), "481", "" },
	{ "a transaction that isn't there", REQUEST("CANCEL", ""), "481", "" },
	{ "a known method that isn't taken", REQUEST("MESSAGE", ""), "405", "Allow: INVITE" },
	{ "a registrar that isn't there", REQUEST("REGISTER", CONTACT), "405", "" },
	{ "an unknown method", REQUEST("FLY", ""), "501", "Allow: INVITE" },
	{ "another scheme",
	  "OPTIONS mailto:a@b.example SIP/2.0\r\nVia: SIP/2.0/UDP "
	  "127.0.0.1:{port};branch=z9hG4bK1\r\n"
	  "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:b@c>\r\nCall-ID: c\r\nCSeq: 1 "
	  "OPTIONS\r\n\r\n",
	  "416", "" },
	{ "a To tag that we never gave",
	  "INVITE sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
	  "127.0.0.1:{port};branch=z9hG4bK1\r\n"
	  "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:b@c>;tag=never\r\nCall-ID: c\r\n"
	  "CSeq: 1 INVITE\r\n" CONTACT "\r\n",
	  "481", "" },
	{ "a method that CSeq contradicts",
	  "OPTIONS sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
	  "127.0.0.1:{port};branch=z9hG4bK1\r\n"
	  "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:b@c>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n",
	  "400", "" },
};

Test(stack, refuses_what_it_must)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		struct world w;

		world_start(&w);
		w.ignored = 100;
		send_text(&w, refusals[i].text, NULL);
		run_until(&w, w.n_heard > 0);
		cr_expect(heard(&w, refusals[i].status), "%s:\n%s", refusals[i].why, w.heard);
		cr_expect(strstr(w.heard, refusals[i].has), "%s: no %s in\n%s", refusals[i].why,
			  refusals[i].has, w.heard);
		cr_expect_eq(tl_stack_legs(w.stack), 0, "%s", refusals[i].why);
		world_stop(&w);
	}
}

static const struct {
	const char *why, *type, *body, *status;
} bodies[] = {
	{ "not SDP", "text/plain", "hello", "415" },
	{ "SDP that can't be read", "application/sdp", "v=0\r\nm=x\r\n", "400" },
	{ "nothing that we could speak", "application/sdp",
	  "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 99\r\n", "488" },
	{ "zipped", "application/sdp\r\nContent-Encoding: gzip", SDP, "415" },
};

Test(stack, refuses_bodies_that_it_cannot_use)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		g_autofree char *text = g_strdup_printf(
			"INVITE sip:1001@127.0.0.1 SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n"
			"From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:1001@gateway.test>\r\n"
			"Call-ID: c\r\nCSeq: 1 INVITE\r\n" CONTACT "Content-Type: %s\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			bodies[i].type, strlen(bodies[i].body), bodies[i].body);
		struct world w;

		world_start(&w);
		w.ignored = 100;
		send_text(&w, text, NULL);
		run_until(&w, w.n_heard > 0);
		cr_expect(heard(&w, bodies[i].status), "%s:\n%s", bodies[i].why, w.heard);
		cr_expect_eq(tl_stack_legs(w.stack), 0);
		world_stop(&w);
	}
}

Test(stack, says_when_it_is_overloaded)
{
	struct world w;

	world_start(&w);
	w.overload_s = 17;
	send_text(&w, REQUEST("OPTIONS", ""), NULL);
	expect(&w, "503");
	cr_expect(strstr(w.heard, "Retry-After: 17"));
	world_stop(&w);
}

Test(stack, an_ack_of_nothing_is_not_answered)
{
	struct world w;

	world_start(&w);
	send_text(&w, REQUEST("ACK", ""), NULL);
	send_text(&w, REQUEST("OPTIONS", ""), NULL);
	run_until(&w, w.n_heard > 0);
	cr_expect(heard(&w, "200"), "%s", w.heard);
	world_stop(&w);
}

Test(stack, replies_go_to_the_source_and_not_to_maddr)
{
	struct world w;

	world_start(&w);
	send_text(&w,
		  "OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK1;maddr=198.51.100.1\r\n"
		  "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n",
		  NULL);
	expect(&w, "200");
	cr_expect(strstr(w.heard, "received=127.0.0.1"), "%s", w.heard);
	world_stop(&w);
}

Test(stack, a_merged_request_is_482)
{
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, NULL, SDP);
	expect(&w, "180");
	send_text(&w,
		  "INVITE sip:1001@127.0.0.1 SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKother\r\n"
		  "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:1001@gateway.test>\r\n"
		  "Call-ID: call-1\r\nCSeq: 1 INVITE\r\n" CONTACT "\r\n",
		  NULL);
	expect(&w, "482");
	world_stop(&w);
}

/* No guard looks at what ends before the empty line behind its headers. */
Test(stack, a_message_without_an_end_is_dropped)
{
	struct world w;

	world_start(&w);
	send_text(&w,
		  "OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n"
		  "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n",
		  NULL);
	for (int i = 0; i < 5; i++)
		step(&w);
	cr_expect_eq(w.n_heard, 0, "%s", w.heard);
	send_text(&w, REQUEST("OPTIONS", ""), NULL);
	expect(&w, "200");
	world_stop(&w);
}

/* --- in a dialog --- */

/* Answered and acknowledged; the To with our tag, to be freed. */
static char *talk(struct world *w, const char *headers)
{
	char *to;

	w->answers = true;
	w->ignored = 100;
	send_request(w, "INVITE", 1, NULL, headers, SDP);
	expect(w, "200");
	to = value_of(w, "To");
	send_request(w, "ACK", 1, to, NULL, NULL);
	run_until(w, w->events[TL_LEG_ACKED] == 1);
	return to;
}

static const struct {
	const char *why, *method, *headers, *status, *has;
} inside[] = {
	{ "a sign of life", "OPTIONS", NULL, "200", "Allow: INVITE" },
	{ "an empty INFO", "INFO", NULL, "200", "" },
	{ "an UPDATE without an offer", "UPDATE", NULL, "200", "Contact: " },
	{ "a transfer that the owner does not take up", "REFER", "Refer-To: <sip:x@y.example>\r\n",
	  "603", "" },
	{ "a Refer-To that can't be read", "REFER", "Refer-To: <sip:\r\n", "400", "" },
	{ "news of no subscription", "NOTIFY", "Event: x\r\n", "481", "" },
	{ "a subscription", "SUBSCRIBE", "Event: x\r\n", "489", "" },
	{ "a message that says nothing", "MESSAGE", NULL, "400", "" },
	{ "an unknown method", "FLY", NULL, "501", "" },
	{ "an unknown extension", "OPTIONS", "Require: teleport\r\n", "420",
	  "Unsupported: teleport" },
	{ "PRACK of nothing", "PRACK", "RAck: 1 1 INVITE\r\n", "481", "" },
	{ "a target that can't be reached", "UPDATE", "Contact: <mailto:a@b.example>\r\n", "400",
	  "" },
};

Test(stack, judges_requests_in_a_dialog)
{
	for (size_t i = 0; i < G_N_ELEMENTS(inside); i++) {
		g_autofree char *to = NULL;
		struct world w;

		world_start(&w);
		to = talk(&w, NULL);
		w.n_heard = 0;
		send_request(&w, inside[i].method, 2, to, inside[i].headers, NULL);
		run_until(&w, w.n_heard > 0);
		cr_expect(heard(&w, inside[i].status), "%s:\n%s", inside[i].why, w.heard);
		cr_expect(strstr(w.heard, inside[i].has), "%s:\n%s", inside[i].why, w.heard);
		cr_expect_eq(tl_leg_state(w.leg), TL_LEG_UP);
		world_stop(&w);
	}
}

Test(stack, an_info_of_an_unknown_type_is_415)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	to = talk(&w, NULL);
	send_request(&w, "INFO", 2, to, NULL, SDP);
	expect(&w, "415");
	cr_expect(strstr(w.heard, "application/dtmf-relay"));
	world_stop(&w);
}

Test(stack, an_old_request_is_500)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	to = talk(&w, NULL);
	send_request(&w, "OPTIONS", 10, to, NULL, NULL);
	expect(&w, "200");
	send_request(&w, "OPTIONS", 9, to, NULL, NULL);
	expect(&w, "500");
	world_stop(&w);
}

Test(stack, a_second_invite_before_the_ack_is_500_with_a_time)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	w.answers = true;
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, NULL, SDP);
	expect(&w, "200");
	to = value_of(&w, "To");
	send_request(&w, "INVITE", 2, to, NULL, SDP);
	expect(&w, "500");
	cr_expect(strstr(w.heard, "Retry-After: "), "%s", w.heard);
	world_stop(&w);
}

Test(stack, a_bye_before_the_ack_waits_for_it)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	w.answers = true;
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, NULL, SDP);
	expect(&w, "200");
	to = value_of(&w, "To");
	tl_leg_close(w.leg, NULL);
	for (int i = 0; i < 5; i++)
		step(&w);
	cr_expect(heard(&w, "200"), "nothing but the 200: %s", w.heard);
	send_request(&w, "ACK", 1, to, NULL, NULL);
	expect(&w, "BYE ");
	world_stop(&w);
}

Test(stack, a_reliable_provisional_is_wanted_and_acknowledged)
{
	g_autofree char *to = NULL, *rseq = NULL, *rack = NULL;
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, "Require: 100rel\r\n", SDP);
	expect(&w, "180");
	cr_expect(strstr(w.heard, "Require: 100rel"), "%s", w.heard);
	to = value_of(&w, "To");
	rseq = value_of(&w, "RSeq");
	rack = g_strdup_printf("RAck: %s 1 INVITE\r\n", rseq);
	send_request(&w, "PRACK", 2, to, rack, NULL);
	expect(&w, "200");
	cr_expect_eq(tl_leg_answer(w.leg, &w.desc, NULL, 0), 0);
	run_until(&w, heard(&w, "200") && strstr(w.heard, "CSeq: 1 INVITE"));
	send_request(&w, "ACK", 1, to, NULL, NULL);
	run_until(&w, w.events[TL_LEG_ACKED] == 1);
	world_stop(&w);
}

/* Each waits for the PRACK of the one before it, and the answer for that of the last. */
Test(stack, reliable_provisionals_are_sent_one_by_one)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, "Require: 100rel\r\n", SDP);
	expect(&w, "180");
	to = value_of(&w, "To");
	cr_expect_eq(tl_leg_progress(w.leg, 183, &w.desc, NULL, 0), 0);
	cr_expect_eq(tl_leg_answer(w.leg, &w.desc, NULL, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		g_autofree char *rseq = value_of(&w, "RSeq");
		g_autofree char *rack = g_strdup_printf("RAck: %s 1 INVITE\r\n", rseq);

		send_request(&w, "PRACK", 2 + i, to, rack, NULL);
		run_until(&w, heard(&w, i == 0 ? "183" : "200") && strstr(w.heard, "1 INVITE"));
	}
	send_request(&w, "ACK", 1, to, NULL, NULL);
	run_until(&w, w.events[TL_LEG_ACKED] == 1);
	world_stop(&w);
}

Test(stack, an_offer_in_a_prack_is_answered)
{
	g_autofree char *to = NULL, *rseq = NULL, *rack = NULL;
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, "Require: 100rel\r\n", SDP);
	expect(&w, "180");
	to = value_of(&w, "To");
	rseq = value_of(&w, "RSeq");
	rack = g_strdup_printf("RAck: %s 1 INVITE\r\n", rseq);
	send_request(&w, "PRACK", 2, to, rack, SDP);
	expect(&w, "200");
	cr_expect(strstr(w.heard, "m=audio 5000"), "%s", w.heard);
	cr_expect_eq(w.events[TL_LEG_OFFERED], 1);
	world_stop(&w);
}

Test(stack, an_invite_that_dies_with_an_open_reliable_provisional)
{
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, "Require: 100rel\r\n", SDP);
	expect(&w, "180");
	send_text(&w,
		  "CANCEL sip:1001@127.0.0.1 SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKINVITE1\r\n"
		  "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:1001@gateway.test>\r\n"
		  "Call-ID: call-1\r\nCSeq: 1 CANCEL\r\n\r\n",
		  NULL);
	run_until(&w, w.events[TL_LEG_GONE] == 1);
	cr_expect_eq(w.status, 487);
	expect(&w, "487");
	world_stop(&w);
}

Test(stack, an_ack_before_any_answer_is_passed_over)
{
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, NULL, SDP);
	expect(&w, "180");
	send_text(&w,
		  "ACK sip:1001@127.0.0.1 SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKINVITE1\r\n"
		  "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:1001@gateway.test>\r\n"
		  "Call-ID: call-1\r\nCSeq: 1 ACK\r\n\r\n",
		  NULL);
	for (int i = 0; i < 5; i++)
		step(&w);
	cr_expect_eq(tl_leg_answer(w.leg, &w.desc, NULL, 0), 0);
	expect(&w, "200");
	world_stop(&w);
}

/* --- session timers, RFC 4028 --- */

Test(stack, a_session_timer_is_taken_and_the_caller_refreshes)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	w.answers = true;
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, "Supported: timer\r\nSession-Expires: 1800\r\n", SDP);
	expect(&w, "200");
	cr_expect(strstr(w.heard, "Session-Expires: 1800;refresher=uac"), "%s", w.heard);
	cr_expect(strstr(w.heard, "Require: timer"), "%s", w.heard);
	to = value_of(&w, "To");
	send_request(&w, "ACK", 1, to, NULL, NULL);
	run_until(&w, w.events[TL_LEG_ACKED] == 1);
	send_request(&w, "UPDATE", 2, to, "Supported: timer\r\nSession-Expires: 1800\r\n", NULL);
	expect(&w, "200");
	cr_expect(strstr(w.heard, "Session-Expires: 1800;refresher=uac"), "%s", w.heard);
	world_stop(&w);
}

Test(stack, a_session_timer_that_is_too_short_is_422)
{
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, "Supported: timer\r\nSession-Expires: 30\r\n", SDP);
	expect(&w, "422");
	cr_expect(strstr(w.heard, "Min-SE: 90"), "%s", w.heard);
	world_stop(&w);
}

/* --- when we call --- */

static void invite_peer(struct world *w)
{
	g_autofree char *uri = g_strdup_printf("sip:peer@127.0.0.1:%u", w->port);
	struct tl_target target = { .request_uri = uri,
				    .from = { .user = "us" },
				    .to = { .user = "peer" } };

	cr_assert_eq(tl_leg_invite(w->stack, &target, &w->desc, on_event, w, "leg=b", &w->leg), 0);
	expect(w, "INVITE ");
}

/* Answers the request that was heard last; it stays the last. */
static void respond(struct world *w, const char *status, const char *tag, const char *headers,
		    const char *body)
{
	g_autofree char *via = value_of(w, "Via"), *from = value_of(w, "From"),
			*id = value_of(w, "Call-ID"), *cseq = value_of(w, "CSeq");
	g_autofree char *request = g_strdup(w->heard);
	g_autofree char *text = g_strdup_printf(
		"SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: <sip:peer@127.0.0.1>;tag=%s\r\n"
		"Call-ID: %s\r\nCSeq: %s\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		status, via, from, tag, id, cseq, headers ? headers : "",
		body ? "Content-Type: application/sdp\r\n" : "", body ? strlen(body) : 0,
		body ? body : "");

	send_text(w, text, NULL);
	strcpy(w->heard, request);
}

Test(stack, a_second_answer_is_acknowledged_and_ended)
{
	g_autofree char *invite = NULL;
	bool acked = false, ended = false;
	struct world w;

	world_start(&w);
	invite_peer(&w);
	invite = g_strdup(w.heard);
	respond(&w, "200 OK", "first", CONTACT, SDP);
	run_until(&w, heard(&w, "ACK "));
	cr_expect(strstr(w.heard, "tag=first"));
	strcpy(w.heard, invite);
	respond(&w, "200 OK", "second", CONTACT, SDP);
	run_until(&w,
		  (acked |= heard(&w, "ACK ") && strstr(w.heard, "tag=second"),
		   ended |= heard(&w, "BYE ") && strstr(w.heard, "tag=second"), acked && ended));
	cr_expect_eq(w.events[TL_LEG_ANSWERED], 1);
	cr_expect_eq(tl_leg_state(w.leg), TL_LEG_UP, "the call goes on");
	world_stop(&w);
}

Test(stack, a_second_answer_from_nowhere_is_left_alone)
{
	g_autofree char *invite = NULL;
	struct world w;

	world_start(&w);
	invite_peer(&w);
	invite = g_strdup(w.heard);
	respond(&w, "200 OK", "first", CONTACT, SDP);
	run_until(&w, heard(&w, "ACK "));
	strcpy(w.heard, invite);
	respond(&w, "200 OK", "second", "Contact: <sip:x@127.0.0.1:1>\r\n", SDP);
	strcpy(w.heard, invite);
	respond(&w, "200 OK", "third", "Contact: <sip:x@nowhere.invalid>\r\n", SDP);
	strcpy(w.heard, invite);
	respond(&w, "200 OK", "fourth", "Contact: <tel:1>\r\n", SDP);
	for (int i = 0; i < 20; i++)
		step(&w);
	cr_expect_eq(tl_leg_state(w.leg), TL_LEG_UP);
	world_stop(&w);
}

Test(stack, an_answer_that_comes_again_is_acknowledged_again)
{
	g_autofree char *invite = NULL;
	unsigned before;
	struct world w;

	world_start(&w);
	invite_peer(&w);
	invite = g_strdup(w.heard);
	respond(&w, "200 OK", "b", CONTACT, SDP);
	run_until(&w, heard(&w, "ACK "));
	before = w.n_heard;
	strcpy(w.heard, invite);
	respond(&w, "200 OK", "b", CONTACT, SDP);
	run_until(&w, w.n_heard > before && heard(&w, "ACK "));
	cr_expect_eq(w.events[TL_LEG_ANSWERED], 1);
	world_stop(&w);
}

Test(stack, a_reliable_provisional_is_pracked_once)
{
	g_autofree char *invite = NULL;
	struct world w;

	world_start(&w);
	invite_peer(&w);
	cr_expect(strstr(w.heard, "Supported: 100rel"), "%s", w.heard);
	invite = g_strdup(w.heard);
	respond(&w, "183 Session Progress", "b", CONTACT "Require: 100rel\r\nRSeq: 5\r\n", SDP);
	run_until(&w, heard(&w, "PRACK "));
	cr_expect(strstr(w.heard, "RAck: 5 "), "%s", w.heard);
	cr_expect_eq(w.events[TL_LEG_PROGRESS], 1);
	respond(&w, "200 OK", "b", NULL, NULL);
	strcpy(w.heard, invite);
	respond(&w, "183 Session Progress", "b", CONTACT "Require: 100rel\r\nRSeq: 5\r\n", SDP);
	respond(&w, "183 Session Progress", "b", CONTACT "Require: 100rel\r\nRSeq: 9\r\n", SDP);
	for (int i = 0; i < 10; i++)
		step(&w);
	cr_expect_eq(w.events[TL_LEG_PROGRESS], 1, "again, and out of order: passed over");
	strcpy(w.heard, invite);
	respond(&w, "200 OK", "b", CONTACT, NULL);
	run_until(&w, heard(&w, "ACK "));
	cr_expect_eq(w.events[TL_LEG_ANSWERED], 1, "the answer was in the 183");
	world_stop(&w);
}

static const struct {
	const char *why, *headers, *body;
	int status;
} answers[] = {
	{ "no Contact", "", SDP, 502 },
	{ "a Contact of mail", "Contact: <mailto:a@b.example>\r\n", SDP, 502 },
	{ "a route that misleads", CONTACT "Record-Route: <sip:127.0.0.1;lrx>\r\n", SDP, 502 },
	{ "no SDP", CONTACT, NULL, 488 },
	{ "SDP that can't be used", CONTACT, "v=0\r\n", 488 },
};

Test(stack, answers_that_are_of_no_use_are_ended)
{
	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
		struct world w;

		world_start(&w);
		invite_peer(&w);
		respond(&w, "200 OK", "b", answers[i].headers, answers[i].body);
		run_until(&w, w.events[TL_LEG_REFUSED] == 1);
		cr_expect_eq(w.status, answers[i].status, "%s", answers[i].why);
		run_until(&w, heard(&w, "BYE "));
		world_stop(&w);
	}
}

Test(stack, a_reinvite_that_finds_no_dialog_ends_the_call)
{
	struct world w;

	world_start(&w);
	invite_peer(&w);
	respond(&w, "200 OK", "b", CONTACT, SDP);
	run_until(&w, w.events[TL_LEG_ANSWERED] == 1 && heard(&w, "ACK "));
	cr_expect_eq(tl_leg_offer(w.leg, &w.desc), 0);
	expect(&w, "INVITE ");
	respond(&w, "481 Call Does Not Exist", "b", NULL, NULL);
	run_until(&w, w.events[TL_LEG_GONE] == 1);
	world_stop(&w);
}

/* What a telephone behind a NAT writes leads nowhere; we answer and ask where it speaks from. */
Test(stack, a_caller_behind_a_nat_is_reached_where_it_called_from)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	w.answers = true;
	w.ignored = 100;
	send_text(&w,
		  "INVITE sip:1001@127.0.0.1 SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 192.168.77.5:5060;branch=z9hG4bK1;rport\r\n"
		  "From: <sip:a@127.0.0.1>;tag=a1\r\nTo: <sip:1001@gateway.test>\r\n"
		  "Call-ID: call-1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.168.77.5:5060>\r\n"
		  "Content-Length: 0\r\n\r\n",
		  NULL);
	expect(&w, "200");
	to = value_of(&w, "To");
	send_request(&w, "ACK", 1, to, NULL, SDP);
	run_until(&w, w.events[TL_LEG_ACKED] == 1);
	tl_leg_close(w.leg, NULL);
	expect(&w, "BYE sip:a@192.168.77.5:5060 ");
	world_stop(&w);
}
