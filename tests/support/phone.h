#pragma once
/*
 * A real engine, and two phones on loopback that a test plays. Nothing
 * sleeps: a phone waits for its packet, the engine's events are waited for.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "media/address.h"
#include "media/cursor.h"
#include "media/rtp/rtp.h"
#include "media/session.h"

enum {
	PORTS = 20, /* for each test's process, which may run beside others */
	PT_PCMA = 8,
	PT_EVENT = 101,
	FRAME = 160,
	WAIT_MS = 3000, /* a packet that has not come by then will not */
	QUIET_MS = 60,  /* to see that none comes */
};

struct phone {
	int fd;
	struct sockaddr_storage engine; /* where it sends */
	uint16_t seq;
	uint32_t ts, ssrc;
};

struct call {
	struct tl_session *session;
	struct phone phone[_TL_SIDE_MAX];
	struct tl_plan plan;
	unsigned n_events[_TL_MEDIA_EVENT_MAX];
	GString *digits;
	char text[160]; /* of the last event that had one */
};

static struct tl_media *media;

/* What the phones say leaves in time, whatever else this machine has to do, where that is allowed;
 * the engine's threads take their turn. */
static inline void go_first(void)
{
	struct sched_param priority = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority);
}

static inline void start_engine_with(unsigned rtp_timeout_s, unsigned jitter_min_ms)
{
	uint16_t port_min = (uint16_t)(10000 + getpid() % 1000 * PORTS);
	struct tl_media_cfg cfg = {
		.workers = 2,
		.rtp_port_min = port_min,
		.rtp_port_max = (uint16_t)(port_min + PORTS - 1),
		.jitter_min_ms = jitter_min_ms,
		.jitter_max_ms = 200,
		.rtp_timeout_s = rtp_timeout_s,
		.opus_complexity = 5,
	};

	cr_assert_eq(tl_media_new(&cfg, &media), 0);
	go_first();
}

static inline void start_engine(unsigned rtp_timeout_s)
{
	start_engine_with(rtp_timeout_s, 20);
}

static inline void stop_engine(void)
{
	tl_media_free(media);
	media = NULL;
}

static inline void on_event(const struct tl_media_event *event, void *user)
{
	struct call *call = user;

	call->n_events[event->type]++;
	if (event->type == TL_MEDIA_DTMF)
		g_string_append_c(call->digits, event->digit);
	if (event->text)
		g_strlcpy(call->text, event->text, sizeof call->text);
}

static inline void wait_event(struct call *call, enum tl_media_event_type type, unsigned count)
{
	struct pollfd fd = { tl_media_fd(media), POLLIN, 0 };

	while (call->n_events[type] < count) {
		cr_assert_gt(poll(&fd, 1, WAIT_MS), 0, "event %d does not come", (int)type);
		tl_media_dispatch(media);
	}
}

static inline int open_phone(int family)
{
	union tl_address address = { 0 };
	int fd = socket(family, SOCK_DGRAM, 0);

	address.any.sa_family = (sa_family_t)family;
	if (family == AF_INET6)
		address.v6.sin6_addr = in6addr_loopback;
	else
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, &address.any, tl_address_bytes(&address)), 0);
	return fd;
}

static inline struct sockaddr_storage loopback(int family)
{
	struct sockaddr_storage ip = { .ss_family = (sa_family_t)family };

	if (family == AF_INET6)
		((struct sockaddr_in6 *)&ip)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&ip)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return ip;
}

static inline struct sockaddr_storage name_of(int fd)
{
	struct sockaddr_storage name = { 0 };
	socklen_t n = sizeof name;

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &n), 0);
	return name;
}

static inline void plan_side(struct call *call, enum tl_side side, int family)
{
	struct tl_side_plan *plan = &call->plan.side[side];
	struct sockaddr_storage ip = loopback(family);
	struct phone *phone = &call->phone[side];

	cr_assert_eq(tl_session_port(call->session, side, (struct sockaddr *)&ip, &phone->engine),
		     0);
	phone->fd = open_phone(family);
	phone->ssrc = 1000u + side;
	phone->seq = (uint16_t)(65530 + side);
	*plan = (struct tl_side_plan) {
		.open = true,
		.send = true,
		.receive = true,
		.remote = name_of(phone->fd),
		.send_format = { .codec = tl_codec_by_static_pt(PT_PCMA), .pt = PT_PCMA },
		.send_ptime_ms = 20,
		.n_receive_formats = 1,
		.receive_formats = { { .codec = tl_codec_by_static_pt(PT_PCMA), .pt = PT_PCMA } },
		.event_send_pt = PT_EVENT,
		.event_receive_pt = PT_EVENT,
		.event_clock_hz = 8000,
	};
}

static inline void apply(struct call *call)
{
	cr_assert_eq(tl_session_apply(call->session, &call->plan), 0);
}

static inline struct call *open_call(int family)
{
	struct call *call = g_new0(struct call, 1);

	call->digits = g_string_new(NULL);
	cr_assert_eq(tl_session_new(media, "test", on_event, call, &call->session), 0);
	plan_side(call, TL_SIDE_A, family);
	plan_side(call, TL_SIDE_B, family);
	call->plan.path[TL_SIDE_A] = call->plan.path[TL_SIDE_B] = TL_PATH_RELAY;
	return call;
}

static inline void hang_up_phones(struct call *call)
{
	close(call->phone[TL_SIDE_A].fd);
	close(call->phone[TL_SIDE_B].fd);
	g_string_free(call->digits, TRUE);
	g_free(call);
}

static inline void close_call(struct call *call)
{
	tl_session_close(call->session);
	wait_event(call, TL_MEDIA_CLOSED, 1);
	hang_up_phones(call);
}

static inline void send_raw(int fd, const struct sockaddr_storage *to, const void *bytes, size_t n)
{
	socklen_t size = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						   : sizeof(struct sockaddr_in);

	cr_assert_eq(sendto(fd, bytes, n, 0, (const struct sockaddr *)to, size), (ssize_t)n, "%s",
		     strerror(errno));
}

static inline void send_rtp(struct phone *phone, int fd, uint8_t pt, bool marker,
			    const void *payload, size_t n)
{
	struct tl_rtp rtp = { pt, marker, phone->seq++, phone->ts, phone->ssrc, 0, 0 };
	uint8_t packet[TL_RTP_HEADER_BYTES + 512];

	tl_rtp_write(packet, &rtp);
	memcpy(packet + TL_RTP_HEADER_BYTES, payload, n);
	send_raw(fd, &phone->engine, packet, TL_RTP_HEADER_BYTES + n);
}

static inline void speak(struct phone *phone, uint8_t word)
{
	uint8_t payload[FRAME];

	memset(payload, word, sizeof payload);
	send_rtp(phone, phone->fd, PT_PCMA, false, payload, sizeof payload);
	phone->ts += FRAME;
}

struct heard {
	struct tl_rtp rtp;
	uint8_t payload[512];
};

static inline bool listen_for(struct phone *phone, int ms, struct heard *heard)
{
	struct pollfd fd = { phone->fd, POLLIN, 0 };
	uint8_t packet[1500];
	ssize_t n;

	if (poll(&fd, 1, ms) <= 0)
		return false;
	n = recv(phone->fd, packet, sizeof packet, 0);
	cr_assert_gt(n, 0);
	cr_assert_eq(tl_rtp_parse(packet, (size_t)n, &heard->rtp), 0);
	cr_assert_leq(heard->rtp.payload_bytes, sizeof heard->payload);
	memcpy(heard->payload, packet + heard->rtp.payload_at, heard->rtp.payload_bytes);
	return true;
}

static inline struct heard hear(struct phone *phone)
{
	struct heard heard;

	cr_assert(listen_for(phone, WAIT_MS, &heard), "nothing is heard");
	return heard;
}

static inline void hear_nothing(struct phone *phone)
{
	struct heard heard;

	cr_assert_not(listen_for(phone, QUIET_MS, &heard), "something is heard");
}

/* A plan takes effect some time after apply() returns: speak until it has. */
static inline void settle(struct call *call, enum tl_side from)
{
	struct heard heard;

	for (int i = 0; i < 200; i++) {
		speak(&call->phone[from], 0);
		if (listen_for(&call->phone[tl_side_other(from)], 20, &heard))
			break;
	}
	while (listen_for(&call->phone[tl_side_other(from)], QUIET_MS, &heard))
		;
}

static inline void settle_both(struct call *call)
{
	settle(call, TL_SIDE_A);
	settle(call, TL_SIDE_B);
}

static inline void press(struct phone *phone, uint8_t event, int packets, int ends)
{
	for (int i = 0; i < packets + ends; i++) {
		int steps = i < packets ? i + 1 : packets;
		uint8_t payload[4] = { event, (uint8_t)((i >= packets ? 0x80 : 0) | 10) };

		tl_put_be16(payload + 2, (uint16_t)(steps * FRAME));
		send_rtp(phone, phone->fd, PT_EVENT, i == 0, payload, sizeof payload);
	}
	phone->ts += (uint32_t)(packets + 1) * FRAME;
}
