#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "media/address.h"
#include "media/cursor.h"
#include "media/rtp.h"
#include "media/session.h"

/*
 * A real engine, and two phones on loopback that this test plays. Nothing
 * sleeps: a phone waits for its packet, the engine's events are waited for.
 */

enum {
	PORTS = 20, /* for each test's process, which may run beside others */
	PT_PCMA = 8,
	PT_EVENT = 101,
	FRAME = 160,
	WAIT_MS = 3000, /* a packet that has not come by then will not */
	QUIET_MS = 60,  /* to see that none comes */
};

static const struct tl_codec pcma = {
	.name = "PCMA",
	.clock_hz = 8000,
	.channels = 1,
	.static_pt = 8,
	.rate_hz = 8000,
	.rates_hz = { 8000 },
	.ptime_ms = 20,
	.frame_ms = 1,
	.frame_bytes = 8,
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
	struct tl_session_stats last;
};

static struct tl_media *media;

static void start_engine(unsigned rtp_timeout_s)
{
	uint16_t port_min = (uint16_t)(10000 + getpid() % 1000 * PORTS);
	struct tl_media_cfg cfg = {
		.workers = 2,
		.rtp_port_min = port_min,
		.rtp_port_max = (uint16_t)(port_min + PORTS - 1),
		.jitter_min_ms = 20,
		.jitter_max_ms = 200,
		.rtp_timeout_s = rtp_timeout_s,
		.opus_complexity = 5,
	};

	cr_assert_eq(tl_media_new(&cfg, &media), 0);
}

static void stop_engine(void)
{
	tl_media_free(media);
	media = NULL;
}

static void on_event(const struct tl_media_event *event, void *user)
{
	struct call *call = user;

	call->n_events[event->type]++;
	if (event->type == TL_MEDIA_DTMF)
		g_string_append_c(call->digits, event->digit);
	if (event->type == TL_MEDIA_CLOSED)
		call->last = event->stats;
}

static void wait_event(struct call *call, enum tl_media_event_type type, unsigned count)
{
	struct pollfd fd = { tl_media_fd(media), POLLIN, 0 };

	while (call->n_events[type] < count) {
		cr_assert_gt(poll(&fd, 1, WAIT_MS), 0, "event %d does not come", (int)type);
		tl_media_dispatch(media);
	}
}

static int open_phone(int family)
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

static struct sockaddr_storage loopback(int family)
{
	struct sockaddr_storage ip = { .ss_family = (sa_family_t)family };

	if (family == AF_INET6)
		((struct sockaddr_in6 *)&ip)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&ip)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return ip;
}

static struct sockaddr_storage name_of(int fd)
{
	struct sockaddr_storage name = { 0 };
	socklen_t n = sizeof name;

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &n), 0);
	return name;
}

static void plan_side(struct call *call, enum tl_side side, int family)
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
		.send_format = { .codec = &pcma, .pt = PT_PCMA },
		.send_ptime_ms = 20,
		.n_receive_formats = 1,
		.receive_formats = { { .codec = &pcma, .pt = PT_PCMA } },
		.event_send_pt = PT_EVENT,
		.event_receive_pt = PT_EVENT,
		.event_clock_hz = 8000,
	};
}

static void apply(struct call *call)
{
	cr_assert_eq(tl_session_apply(call->session, &call->plan), 0);
}

static struct call *open_call(int family)
{
	struct call *call = g_new0(struct call, 1);

	call->digits = g_string_new(NULL);
	cr_assert_eq(tl_session_new(media, "test", on_event, call, &call->session), 0);
	plan_side(call, TL_SIDE_A, family);
	plan_side(call, TL_SIDE_B, family);
	call->plan.path[TL_SIDE_A] = call->plan.path[TL_SIDE_B] = TL_PATH_RELAY;
	return call;
}

static void close_call(struct call *call)
{
	tl_session_close(call->session);
	wait_event(call, TL_MEDIA_CLOSED, 1);
	close(call->phone[TL_SIDE_A].fd);
	close(call->phone[TL_SIDE_B].fd);
	g_string_free(call->digits, TRUE);
	g_free(call);
}

static void send_raw(int fd, const struct sockaddr_storage *to, const void *bytes, size_t n)
{
	socklen_t size = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						   : sizeof(struct sockaddr_in);

	cr_assert_eq(sendto(fd, bytes, n, 0, (const struct sockaddr *)to, size), (ssize_t)n, "%s",
		     strerror(errno));
}

static void send_rtp(struct phone *phone, int fd, uint8_t pt, bool marker, const void *payload,
		     size_t n)
{
	struct tl_rtp rtp = { pt, marker, phone->seq++, phone->ts, phone->ssrc, 0, 0 };
	uint8_t packet[TL_RTP_HEADER_BYTES + 512];

	tl_rtp_write(packet, &rtp);
	memcpy(packet + TL_RTP_HEADER_BYTES, payload, n);
	send_raw(fd, &phone->engine, packet, TL_RTP_HEADER_BYTES + n);
}

static void speak(struct phone *phone, uint8_t word)
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

static bool listen_for(struct phone *phone, int ms, struct heard *heard)
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

static struct heard hear(struct phone *phone)
{
	struct heard heard;

	cr_assert(listen_for(phone, WAIT_MS, &heard), "nothing is heard");
	return heard;
}

static void hear_nothing(struct phone *phone)
{
	struct heard heard;

	cr_assert_not(listen_for(phone, QUIET_MS, &heard), "something is heard");
}

/* A plan takes effect some time after apply() returns: speak until it has. */
static void settle(struct call *call, enum tl_side from)
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

static void settle_both(struct call *call)
{
	settle(call, TL_SIDE_A);
	settle(call, TL_SIDE_B);
}

Test(session, relays_both_ways_as_one_stream_each)
{
	struct tl_session_stats stats;
	struct heard heard = { 0 }, before;
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	for (unsigned i = 0; i < 20; i++) {
		speak(&call->phone[TL_SIDE_A], (uint8_t)i);
		before = heard;
		heard = hear(&call->phone[TL_SIDE_B]);
		cr_expect_eq(heard.payload[7], i);
		cr_expect_eq(heard.rtp.payload_bytes, FRAME);
		cr_expect_neq(heard.rtp.ssrc, call->phone[TL_SIDE_A].ssrc, "our own SSRC");
		if (i == 0)
			continue;
		cr_expect_eq(heard.rtp.ssrc, before.rtp.ssrc);
		cr_expect_eq(heard.rtp.seq, (uint16_t)(before.rtp.seq + 1));
		cr_expect_eq(heard.rtp.ts, before.rtp.ts + FRAME);
	}
	speak(&call->phone[TL_SIDE_B], 77);
	cr_expect_eq(hear(&call->phone[TL_SIDE_A]).payload[0], 77);
	tl_session_stats(call->session, &stats);
	cr_expect_geq(stats.side[TL_SIDE_A].rx_pkts, 20);
	cr_expect_eq(stats.side[TL_SIDE_A].lost_pkts, 0);
	cr_expect_eq(stats.side[TL_SIDE_A].junk_pkts, 0);
	cr_expect_str_eq(stats.side[TL_SIDE_A].codec, "PCMA");
	cr_expect_eq(stats.side[TL_SIDE_A].source.ss_family, AF_INET);
	cr_expect_eq(stats.path[TL_SIDE_A], TL_PATH_RELAY);
	close_call(call);
	stop_engine();
}

Test(session, relays_over_ipv6)
{
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET6);
	apply(call);
	settle_both(call);
	speak(&call->phone[TL_SIDE_A], 5);
	cr_expect_eq(hear(&call->phone[TL_SIDE_B]).payload[0], 5);
	close_call(call);
	stop_engine();
}

Test(session, maps_payload_types_and_strips_what_one_side_agreed)
{
	/* Version 2 with one CSRC and an extension of one word, 4 bytes of payload, 4 of padding.
	 */
	static const uint8_t odd[] = { 0xb1, 96,   0x10, 0, 0, 0, 0, 0, 0, 0, 3, 0xe8, 1, 1, 1, 1,
				       0xbe, 0xde, 0,    1, 9, 9, 9, 9, 1, 2, 3, 4,    0, 0, 0, 4 };
	struct call *call;
	struct heard heard;

	start_engine(0);
	call = open_call(AF_INET);
	call->plan.side[TL_SIDE_A].receive_formats[0].pt = 96;
	call->plan.side[TL_SIDE_B].send_format.pt = 97;
	apply(call);
	settle(call, TL_SIDE_B);
	send_raw(call->phone[TL_SIDE_A].fd, &call->phone[TL_SIDE_A].engine, odd, sizeof odd);
	heard = hear(&call->phone[TL_SIDE_B]);
	cr_expect_eq(heard.rtp.pt, 97);
	cr_expect_eq(heard.rtp.payload_at, TL_RTP_HEADER_BYTES);
	cr_expect_eq(heard.rtp.payload_bytes, 4);
	cr_expect_arr_eq(heard.payload, ((uint8_t[]) { 1, 2, 3, 4 }), 4);
	cr_expect(heard.rtp.marker, "a new stream begins");
	close_call(call);
	stop_engine();
}

Test(session, sends_to_where_packets_come_from)
{
	struct call *call;
	int behind_nat;

	start_engine(0);
	call = open_call(AF_INET);
	/* Side A's description names a port where nobody listens. */
	behind_nat = call->phone[TL_SIDE_A].fd;
	((struct sockaddr_in *)&call->plan.side[TL_SIDE_A].remote)->sin_port = htons(9);
	apply(call);
	settle(call, TL_SIDE_A);
	speak(&call->phone[TL_SIDE_B], 3);
	cr_expect_eq(hear(&call->phone[TL_SIDE_A]).payload[0], 3);
	cr_expect_eq(behind_nat, call->phone[TL_SIDE_A].fd);
	close_call(call);
	stop_engine();
}

Test(session, takes_nothing_from_strangers_and_no_junk)
{
	struct tl_session_stats stats;
	struct call *call;
	int stranger;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	stranger = open_phone(AF_INET);
	send_rtp(&call->phone[TL_SIDE_A], stranger, PT_PCMA, false, "x", 1);
	send_raw(call->phone[TL_SIDE_A].fd, &call->phone[TL_SIDE_A].engine, "junk", 4);
	send_rtp(&call->phone[TL_SIDE_A], call->phone[TL_SIDE_A].fd, 55, false, "x", 1);
	speak(&call->phone[TL_SIDE_A], 9);
	cr_expect_eq(hear(&call->phone[TL_SIDE_B]).payload[0], 9, "the first after the junk");
	hear_nothing(&call->phone[TL_SIDE_B]);
	tl_session_stats(call->session, &stats);
	cr_expect_eq(stats.side[TL_SIDE_A].junk_pkts, 3);
	close(stranger);
	close_call(call);
	stop_engine();
}

Test(session, follows_a_moved_remote_after_a_new_plan)
{
	struct phone *a;
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	a = &call->phone[TL_SIDE_A];
	close(a->fd);
	a->fd = open_phone(AF_INET);
	call->plan.side[TL_SIDE_A].remote = name_of(a->fd);
	apply(call);
	settle_both(call);
	speak(&call->phone[TL_SIDE_B], 4);
	cr_expect_eq(hear(a).payload[0], 4);
	close_call(call);
	stop_engine();
}

Test(session, holds_and_resumes)
{
	struct heard before, after;
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	speak(&call->phone[TL_SIDE_A], 1);
	before = hear(&call->phone[TL_SIDE_B]);
	/* B holds A: A may still be spoken to, B wants to hear nothing. */
	call->plan.side[TL_SIDE_B].send = false;
	apply(call);
	settle(call, TL_SIDE_B);
	speak(&call->phone[TL_SIDE_A], 2);
	hear_nothing(&call->phone[TL_SIDE_B]);
	call->plan.side[TL_SIDE_B].send = true;
	apply(call);
	settle(call, TL_SIDE_B);
	speak(&call->phone[TL_SIDE_A], 3);
	after = hear(&call->phone[TL_SIDE_B]);
	cr_expect_eq(after.payload[0], 3);
	cr_expect_eq(after.rtp.ssrc, before.rtp.ssrc);
	cr_expect_eq(after.rtp.seq, (uint16_t)(before.rtp.seq + 1), "no loss is pretended");
	cr_expect_gt((int32_t)(after.rtp.ts - before.rtp.ts), 0);
	close_call(call);
	stop_engine();
}

Test(session, echoes_when_only_one_side_is_there)
{
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	call->plan.side[TL_SIDE_B].open = false;
	call->plan.path[TL_SIDE_A] = call->plan.path[TL_SIDE_B] = TL_PATH_CLOSED;
	call->plan.echo = true;
	apply(call);
	for (int i = 0; i < 200; i++) {
		struct heard heard;

		speak(&call->phone[TL_SIDE_A], 42);
		if (!listen_for(&call->phone[TL_SIDE_A], 20, &heard))
			continue;
		cr_expect_eq(heard.payload[0], 42);
		break;
	}
	cr_expect_eq(poll(&(struct pollfd) { call->phone[TL_SIDE_B].fd, POLLIN, 0 }, 1, 0), 0);
	close_call(call);
	stop_engine();
}

static void press(struct phone *phone, uint8_t event, int packets, int ends)
{
	for (int i = 0; i < packets + ends; i++) {
		int steps = i < packets ? i + 1 : packets;
		uint8_t payload[4] = { event, (uint8_t)((i >= packets ? 0x80 : 0) | 10) };

		tl_put_be16(payload + 2, (uint16_t)(steps * FRAME));
		send_rtp(phone, phone->fd, PT_EVENT, i == 0, payload, sizeof payload);
	}
	phone->ts += (uint32_t)(packets + 1) * FRAME;
}

Test(session, passes_digits_on_and_tells_each_once)
{
	struct heard heard, first = { 0 };
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	call->plan.side[TL_SIDE_B].event_send_pt = 110;
	apply(call);
	settle_both(call);
	press(&call->phone[TL_SIDE_A], 5, 4, 3);
	for (int i = 0; i < 7; i++) {
		heard = hear(&call->phone[TL_SIDE_B]);
		if (i == 0)
			first = heard;
		cr_expect_eq(heard.rtp.pt, 110);
		cr_expect_eq(heard.rtp.ts, first.rtp.ts, "one timestamp for the whole event");
		cr_expect_eq(heard.rtp.seq, (uint16_t)(first.rtp.seq + i));
		cr_expect_eq(heard.rtp.marker, i == 0);
		cr_expect_eq(heard.payload[0], 5);
		cr_expect_eq(heard.payload[1] >> 7, i >= 4);
	}
	press(&call->phone[TL_SIDE_A], 11, 4, 0); /* its end is lost */
	press(&call->phone[TL_SIDE_A], 0, 4, 3);
	wait_event(call, TL_MEDIA_DTMF, 3);
	cr_expect_str_eq(call->digits->str, "5#0");
	close_call(call);
	stop_engine();
}

Test(session, tells_a_digit_whose_end_never_comes)
{
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	press(&call->phone[TL_SIDE_B], 9, 3, 0);
	wait_event(call, TL_MEDIA_DTMF, 1);
	cr_expect_str_eq(call->digits->str, "9");
	close_call(call);
	stop_engine();
}

Test(session, sends_digits_of_its_own)
{
	struct heard heard;
	unsigned ends = 0;
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	cr_assert_eq(tl_session_send_dtmf(call->session, TL_SIDE_A, '*', 100), 0);
	heard = hear(&call->phone[TL_SIDE_A]);
	cr_expect(heard.rtp.marker);
	while (ends < 3) {
		struct tl_rtp before = heard.rtp;

		heard = hear(&call->phone[TL_SIDE_A]);
		cr_expect_eq(heard.rtp.pt, PT_EVENT);
		cr_expect_eq(heard.payload[0], 10);
		cr_expect_eq(heard.rtp.ts, before.ts);
		cr_expect_eq(heard.rtp.seq, (uint16_t)(before.seq + 1));
		ends += heard.payload[1] >> 7;
	}
	cr_expect_eq(heard.payload[2] << 8 | heard.payload[3], 800);
	call->plan.side[TL_SIDE_A].event_send_pt = -1;
	apply(call);
	cr_expect_eq(tl_session_send_dtmf(call->session, TL_SIDE_A, '1', 100), -ENOTSUP);
	close_call(call);
	stop_engine();
}

Test(session, gives_ports_back_and_refuses_when_there_are_none)
{
	enum { CALLS = PORTS / 4 };
	struct sockaddr_storage ip = loopback(AF_INET), local;
	struct tl_session *one_more;
	struct call *calls[CALLS], extra = { 0 };
	struct tl_media_load load;

	start_engine(0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CALLS; i++)
			calls[i] = open_call(AF_INET);
		cr_assert_eq(tl_session_new(media, "x", on_event, &extra, &one_more), 0);
		cr_expect_eq(tl_session_port(one_more, TL_SIDE_A, (struct sockaddr *)&ip, &local),
			     -EADDRNOTAVAIL);
		tl_media_load_get(media, &load);
		cr_expect_eq(load.sessions, CALLS + 1);
		cr_expect_eq(load.ports_free, 0);
		tl_session_close(one_more);
		wait_event(&extra, TL_MEDIA_CLOSED, (unsigned)round + 1);
		for (int i = 0; i < CALLS; i++)
			close_call(calls[i]);
		tl_media_load_get(media, &load);
		cr_expect_eq(load.sessions, 0);
		cr_expect_eq(load.ports_used, 0);
		cr_expect_eq(load.ports_free, 2 * CALLS);
	}
	stop_engine();
}

Test(session, has_one_pair_a_side)
{
	struct sockaddr_storage v4 = loopback(AF_INET), v6 = loopback(AF_INET6), first, again,
				other;
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	tl_session_port(call->session, TL_SIDE_A, (struct sockaddr *)&v4, &first);
	tl_session_port(call->session, TL_SIDE_A, (struct sockaddr *)&v4, &again);
	cr_expect_arr_eq(&first, &again, sizeof first);
	cr_expect_eq(tl_session_port(call->session, TL_SIDE_A, (struct sockaddr *)&v6, &other), 0);
	cr_expect_eq(other.ss_family, AF_INET6);
	close_call(call);
	stop_engine();
}

Test(session, notices_silence)
{
	struct call *call;

	start_engine(1);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	wait_event(call, TL_MEDIA_TIMEOUT, 1);
	close_call(call);
	stop_engine();
}

Test(session, ends_with_calls_still_up)
{
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	stop_engine();
	cr_expect_eq(call->n_events[TL_MEDIA_CLOSED], 0);
}

Test(session, bears_a_crowd_of_short_calls)
{
	struct tl_media_load load;

	start_engine(0);
	for (int i = 0; i < 300; i++) {
		struct call *call = open_call(AF_INET);

		apply(call);
		speak(&call->phone[TL_SIDE_A], 1);
		close_call(call);
	}
	tl_media_load_get(media, &load);
	cr_expect_eq(load.sessions, 0);
	cr_expect_eq(load.ports_used, 0);
	stop_engine();
}
