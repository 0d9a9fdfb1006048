/*
 * What a peer may send -> a whole stack with legs on it. Sofia's parser, its
 * transactions, our guard and the legs all see the bytes, as they come by UDP.
 *
 * An input is one message or several, parted by a byte 0x1e. They come from a
 * peer that we have just called, so it may answer; and it is told what we say:
 * in what it sends, {via} {from} {to} {id} {cseq} stand for those headers'
 * values in our last message, and {ftag}, {ttag} for the tags.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include "b2bua/leg/leg.h"
#include "b2bua/sip/stack.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum {
	SEPARATOR = 0x1e,
	MESSAGES = 8,
	HEARD_BYTES = 4096,
	LEGS = 8,
};

struct fuzz {
	su_root_t *root;
	struct tl_stack *stack;
	int fd; /* the peer's socket */
	struct sockaddr_in us, peer;
	char heard[HEARD_BYTES]; /* our last message */
	struct tl_leg *legs[LEGS];
	unsigned n_legs;
	struct tl_media_desc desc;
};

static void forget(struct fuzz *f, struct tl_leg *leg)
{
	for (unsigned i = 0; i < f->n_legs; i++)
		if (f->legs[i] == leg)
			f->legs[i] = f->legs[--f->n_legs];
}

static void on_event(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct fuzz *f = user;

	if (event->type == TL_LEG_OFFERED)
		(void)tl_leg_accept(leg, &f->desc);
	if (event->type == TL_LEG_GONE || event->type == TL_LEG_REFUSED) {
		forget(f, leg);
		tl_leg_release(leg);
	}
}

static void on_invite(struct tl_request *request, void *user)
{
	struct fuzz *f = user;
	struct tl_leg *leg;

	if (f->n_legs == LEGS) {
		tl_request_refuse(request, 503, NULL, "full");
		return;
	}
	if (tl_leg_new_incoming(request, &leg) < 0)
		return;
	tl_leg_set_owner(leg, on_event, f);
	f->legs[f->n_legs++] = leg;
	(void)tl_leg_progress(leg, 183, &f->desc, tl_leg_info(leg)->headers,
			      tl_leg_info(leg)->n_headers);
	(void)tl_leg_answer(leg, &f->desc, NULL, 0);
}

static void on_other(struct tl_request *request, void *user)
{
	tl_request_refuse(request, 404, NULL, NULL);
}

static int open_peer(struct fuzz *f)
{
	socklen_t bytes = sizeof(f->peer);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	f->peer = (struct sockaddr_in) { .sin_family = AF_INET };
	f->peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g_assert(bind(fd, (struct sockaddr *)&f->peer, bytes) == 0);
	g_assert(getsockname(fd, (struct sockaddr *)&f->peer, &bytes) == 0);
	return fd;
}

static void call_peer(struct fuzz *f)
{
	g_autofree char *uri = g_strdup_printf("sip:peer@127.0.0.1:%u", ntohs(f->peer.sin_port));
	struct tl_target target = { .request_uri = uri,
				    .from = { .user = "us" },
				    .to = { .user = "peer" },
				    .auth_user = "us",
				    .auth_password = "secret",
				    .max_forwards = 70 };
	struct tl_leg *leg;

	if (tl_leg_invite(f->stack, &target, &f->desc, on_event, f, "leg=b", &leg) == 0)
		f->legs[f->n_legs++] = leg;
}

static void start(struct fuzz *f)
{
	static const struct tl_listen listen = { TL_TRANSPORT_UDP, "127.0.0.1", 0 };
	static const struct tl_gateway gateway = {
		.listen = &listen, .n_listen = 1, .domain = "gw.test", .user_agent = "fuzz"
	};
	struct tl_stack_cfg cfg = { .gateway = &gateway,
				    .on_invite = on_invite,
				    .on_register = on_other,
				    .on_other = on_other,
				    .user = f };

	f->root = su_root_create(NULL);
	g_assert(tl_stack_new(f->root, &cfg, &f->stack) == 0);
	f->fd = open_peer(f);
	f->us = f->peer;
	f->us.sin_port = htons(tl_stack_port(f->stack, TL_TRANSPORT_UDP));
	((struct sockaddr_in *)&f->desc.rtp)->sin_family = AF_INET;
	((struct sockaddr_in *)&f->desc.rtp)->sin_port = htons(4000);
	f->desc.direction = TL_DIR_SENDRECV;
	f->desc.formats[f->desc.n_formats++] =
		(struct tl_format) { .codec = tl_codec_find("PCMA", 8000, 1), .pt = 8 };
	call_peer(f);
}

static void stop(struct fuzz *f)
{
	while (f->n_legs > 0)
		tl_leg_release(f->legs[--f->n_legs]);
	tl_stack_free(f->stack);
	su_root_step(f->root, 0); /* what NTA had posted to itself holds messages */
	su_root_destroy(f->root);
	close(f->fd);
}

/* The value of a header of our last message; "" when it has none. A new string. */
static char *heard(const struct fuzz *f, const char *name)
{
	g_autofree char *key = g_strdup_printf("\r\n%s: ", name);
	const char *p = strstr(f->heard, key);

	if (!p)
		return g_strdup("");
	p += strlen(key);
	return g_strndup(p, strcspn(p, "\r"));
}

static char *tag_of(const char *value)
{
	const char *p = strstr(value, ";tag=");

	return p ? g_strndup(p + 5, strcspn(p + 5, ";>")) : g_strdup("");
}

static GString *fill_in(const struct fuzz *f, const uint8_t *data, size_t bytes)
{
	static const struct {
		const char *mark, *header;
	} marks[] = { { "{via}", "Via" },        { "{from}", "From" }, { "{to}", "To" },
		      { "{id}", "Call-ID" },     { "{cseq}", "CSeq" }, { "{rseq}", "RSeq" },
		      { "{contact}", "Contact" } };
	g_autofree char *from = heard(f, "From"), *to = heard(f, "To");
	g_autofree char *from_tag = tag_of(from), *to_tag = tag_of(to);
	GString *text = g_string_new_len((const char *)data, (gssize)bytes);

	if (memchr(data, '\0', bytes) || !memchr(data, '{', bytes))
		return text;
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		g_autofree char *value = heard(f, marks[i].header);

		g_string_replace(text, marks[i].mark, value, 4);
	}
	g_string_replace(text, "{ftag}", from_tag, 4);
	g_string_replace(text, "{ttag}", to_tag, 4);
	return text;
}

static void listen_to_us(struct fuzz *f)
{
	char buf[HEARD_BYTES];
	ssize_t n;

	while ((n = recv(f->fd, buf, sizeof(buf) - 1, 0)) > 0) {
		memcpy(f->heard, buf, (size_t)n);
		f->heard[n] = '\0';
	}
}

static void deliver(struct fuzz *f, const uint8_t *data, size_t bytes)
{
	GString *text = fill_in(f, data, bytes);

	if (text->len > 0)
		(void)sendto(f->fd, text->str, text->len, 0, (struct sockaddr *)&f->us,
			     sizeof(f->us));
	g_string_free(text, TRUE);
	/* twice: what the message causes may be posted to the loop itself */
	su_root_step(f->root, 0);
	su_root_step(f->root, 0);
	listen_to_us(f);
}

static void on_sofia_log(void *user, const char *format, va_list args)
{
}

/* Events are not worth printing; a critical one is a bug of ours. */
static GLogWriterOutput on_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
			       gpointer user)
{
	if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		return g_log_writer_standard_streams(level, fields, n_fields, user);
	return G_LOG_WRITER_HANDLED;
}

/* What an input names may be anywhere: only loopback is there for us. */
static bool leave_the_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd, r;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return r == 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (!leave_the_network()) {
		fprintf(stderr, "fuzz_sip: no network namespace of our own to be had, not run\n");
		exit(0);
	}
	su_init();
	su_log_redirect(NULL, on_sofia_log, NULL);
	g_log_set_writer_func(on_log, NULL, NULL);
	g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz f = { 0 };

	start(&f);
	listen_to_us(&f);
	for (unsigned i = 0; i < MESSAGES && bytes > 0; i++) {
		const uint8_t *parting = memchr(data, SEPARATOR, bytes);
		size_t n = parting ? (size_t)(parting - data) : bytes;

		deliver(&f, data, n);
		data += n + (parting ? 1 : 0);
		bytes -= n + (parting ? 1 : 0);
	}
	stop(&f);
	return 0;
}
