#include "../support/phone.h"
#include "media/rtp/rtcp.h"

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
	struct heard heard;
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
	heard = hear(&call->phone[TL_SIDE_B]);
	cr_expect(heard.payload[0] == 9 && !heard.rtp.marker, "the first after the junk");
	hear_nothing(&call->phone[TL_SIDE_B]);
	tl_session_stats(call->session, &stats);
	cr_expect_eq(stats.side[TL_SIDE_A].junk_pkts, 3);
	close(stranger);
	close_call(call);
	stop_engine();
}

static void move(struct call *call, struct phone *a)
{
	close(a->fd);
	a->fd = open_phone(AF_INET);
	call->plan.side[TL_SIDE_A].remote = name_of(a->fd);
	apply(call);
	settle_both(call);
}

/* The system itself turns a stranger away: nobody here is woken up by what he sends. */
static void wait_turned_away(struct call *call, int stranger)
{
	struct phone *a = &call->phone[TL_SIDE_A];
	struct pollfd told = { .fd = stranger };
	struct heard heard;

	cr_assert_eq(connect(stranger, (struct sockaddr *)&a->engine, sizeof(struct sockaddr_in)),
		     0);
	for (int i = 0; i < 300 && !(told.revents & POLLERR); i++) {
		speak(a, 1);
		listen_for(&call->phone[TL_SIDE_B], 0, &heard);
		(void)!send(stranger, "x", 1, 0);
		poll(&told, 1, 20);
	}
	cr_expect(told.revents & POLLERR, "whoever talks is never listened to alone");
}

Test(session, listens_to_a_talker_alone_and_follows_when_he_moves)
{
	struct phone *a;
	struct call *call;
	int stranger = open_phone(AF_INET);

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	a = &call->phone[TL_SIDE_A];
	move(call, a);
	speak(&call->phone[TL_SIDE_B], 4);
	cr_expect_eq(hear(a).payload[0], 4);
	wait_turned_away(call, stranger);
	move(call, a);
	speak(a, 3);
	cr_expect_eq(hear(&call->phone[TL_SIDE_B]).payload[0], 3);
	close(stranger);
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

Test(session, has_one_pair_a_side_and_address)
{
	struct sockaddr_storage v4 = loopback(AF_INET), v6 = loopback(AF_INET6), first, again,
				other, local = { .ss_family = AF_UNIX };
	struct tl_media_load load;
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	tl_media_load_get(media, &load);
	cr_expect_eq(load.ports_used, 2);
	tl_session_port(call->session, TL_SIDE_A, (struct sockaddr *)&v4, &first);
	cr_expect_eq(tl_session_port(call->session, TL_SIDE_A, (struct sockaddr *)&v6, &other), 0);
	cr_expect_eq(other.ss_family, AF_INET6);
	tl_session_port(call->session, TL_SIDE_A, (struct sockaddr *)&v4, &again);
	cr_expect_arr_eq(&first, &again, sizeof first);
	tl_media_load_get(media, &load);
	cr_expect_eq(load.ports_used, 3);
	cr_expect_eq(tl_session_port(call->session, TL_SIDE_A, (struct sockaddr *)&local, &other),
		     -EAFNOSUPPORT);
	close_call(call);
	tl_media_load_get(media, &load);
	cr_expect_eq(load.ports_used, 0);
	stop_engine();
}

static int rtcp_port_of(struct call *call, enum tl_side side)
{
	int fd = open_phone(AF_INET);

	call->plan.side[side].remote_rtcp = name_of(fd);
	return fd;
}

Test(session, says_goodbye_in_rtcp)
{
	struct tl_rtcp rtcp;
	struct call *call;
	uint8_t bytes[1500];
	ssize_t n;
	int fd;

	start_engine(0);
	call = open_call(AF_INET);
	fd = rtcp_port_of(call, TL_SIDE_A);
	apply(call);
	settle_both(call);
	tl_session_close(call->session);
	wait_event(call, TL_MEDIA_CLOSED, 1);
	n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
	cr_assert_gt(n, 0);
	cr_assert_eq(tl_rtcp_parse(bytes, (size_t)n, &rtcp), 0);
	cr_expect(rtcp.bye && rtcp.has_sr, "it sent RTP");
	cr_assert_eq(rtcp.n_blocks, 1);
	cr_expect_eq(rtcp.blocks[0].ssrc, call->phone[TL_SIDE_A].ssrc);
	cr_expect_eq(rtcp.blocks[0].cumulative_lost, 0);
	close(fd);
	hang_up_phones(call);
	stop_engine();
}

Test(session, reports_and_answers_reports)
{
	const struct tl_rtcp_out report = {
		.ssrc = 1000, .cname = "a", .sender = true, .ntp = 0x1122334455667788
	};
	struct tl_rtcp rtcp = { 0 };
	struct sockaddr_storage to;
	struct call *call;
	uint8_t bytes[1500];
	ssize_t n;
	int fd;

	start_engine(0);
	call = open_call(AF_INET);
	fd = rtcp_port_of(call, TL_SIDE_A);
	apply(call);
	settle_both(call);
	to = call->phone[TL_SIDE_A].engine;
	((struct sockaddr_in *)&to)->sin_port =
		htons((uint16_t)(ntohs(((struct sockaddr_in *)&to)->sin_port) + 1));
	send_raw(fd, &to, "not RTCP", 8);
	send_raw(fd, &to, bytes, tl_rtcp_write(&report, bytes));
	cr_assert_gt(poll(&(struct pollfd) { fd, POLLIN, 0 }, 1, 9000), 0, "no report");
	n = recv(fd, bytes, sizeof bytes, 0);
	cr_assert_eq(tl_rtcp_parse(bytes, (size_t)n, &rtcp), 0);
	cr_assert_eq(rtcp.n_blocks, 1);
	cr_expect_eq(rtcp.blocks[0].lsr, 0x33445566);
	cr_expect_gt(rtcp.blocks[0].dlsr, 65536 / 10, "over a tenth of a second ago");
	cr_expect_not(rtcp.bye);
	close(fd);
	close_call(call);
	stop_engine();
}

Test(session, follows_a_talker_that_is_replaced)
{
	struct heard before, after;
	struct call *call;

	start_engine(0);
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	speak(&call->phone[TL_SIDE_A], 1);
	before = hear(&call->phone[TL_SIDE_B]);
	/* A transfer behind the trunk: another SSRC, sequence and time from the same address. */
	call->phone[TL_SIDE_A].ssrc = 999;
	call->phone[TL_SIDE_A].seq = 30000;
	call->phone[TL_SIDE_A].ts = 3000000000u;
	speak(&call->phone[TL_SIDE_A], 2);
	after = hear(&call->phone[TL_SIDE_B]);
	cr_expect_eq(after.rtp.ssrc, before.rtp.ssrc);
	cr_expect_eq(after.rtp.seq, (uint16_t)(before.rtp.seq + 1));
	cr_expect(after.rtp.marker);
	cr_expect_leq(after.rtp.ts - before.rtp.ts, 8000);
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
	hang_up_phones(call);
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
