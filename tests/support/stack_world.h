#pragma once
/*
 * A stack on 127.0.0.1 and a peer that speaks SIP by hand, for what no well-behaved
 * peer would say. Nothing sleeps.
 */
#include "b2bua/leg/leg.h"
#include "b2bua/sip/stack.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
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

static inline void on_event(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct world *w = user;

	w->events[event->type]++;
	w->status = event->cause.status ? event->cause.status : event->status;
	if (event->type == TL_LEG_OFFERED)
		cr_expect_eq(tl_leg_accept(leg, &w->desc), 0);
}

static inline void on_invite(struct tl_request *request, void *user)
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

static inline unsigned overloaded(void *user)
{
	return ((struct world *)user)->overload_s;
}

static inline void open_peer(struct world *w)
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

static inline void world_start(struct world *w)
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

static inline void world_stop(struct world *w)
{
	tl_leg_release(w->leg);
	tl_stack_free(w->stack);
	su_root_destroy(w->root);
	su_deinit();
	close(w->fd);
}

static inline void listen_once(struct world *w)
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

static inline void step(struct world *w)
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
static inline bool heard(const struct world *w, const char *what)
{
	if (g_ascii_isdigit(*what))
		return g_str_has_prefix(w->heard, "SIP/2.0 ") &&
		       g_str_has_prefix(w->heard + 8, what);
	return g_str_has_prefix(w->heard, what);
}

static inline void expect(struct world *w, const char *what)
{
	run_until(w, heard(w, what));
}

static inline char *value_of(const struct world *w, const char *name)
{
	g_autofree char *key = g_strdup_printf("\r\n%s: ", name);
	const char *p = strstr(w->heard, key);

	return p ? g_strndup(p + strlen(key), strcspn(p + strlen(key), "\r")) : g_strdup("");
}

static inline void say(struct world *w, const char *text)
{
	w->heard[0] = '\0';
	cr_assert_eq(sendto(w->fd, text, strlen(text), 0, (struct sockaddr *)&w->us, sizeof(w->us)),
		     (ssize_t)strlen(text));
}

/* {port}: the peer's; {to}: the To that we answered with; the rest as it stands. */
static inline void send_text(struct world *w, const char *text, const char *to)
{
	g_autofree char *port = g_strdup_printf("%u", w->port);
	GString *s = g_string_new(text);

	g_string_replace(s, "{port}", port, 0);
	g_string_replace(s, "{to}", to ? to : "<sip:1001@gateway.test>", 0);
	say(w, s->str);
	g_string_free(s, TRUE);
}

static inline void send_request(struct world *w, const char *method, unsigned cseq, const char *to,
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
