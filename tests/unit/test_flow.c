/* What goes in at one side and comes out at the other. */
#include "tests/support/sound.h"

Test(flow, transcodes_to_another_law)
{
	struct tape *tape = g_new0(struct tape, 1);
	struct tl_session_stats stats;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "PCMU", 0);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	talk(call, TL_SIDE_A, 50, tape);
	tl_session_stats(call->session, &stats);
	cr_expect_geq(tape->packets, 44);
	cr_expect_eq(tape->last.pt, 0);
	cr_expect_eq(tape->seq_gaps + tape->bad_ssrc, 0);
	cr_expect_eq(tape->markers, 1);
	cr_expect_eq(tape->last.ts - tape->first.ts, (tape->packets - 1) * FRAME);
	cr_expect_eq(stats.path[TL_SIDE_A], TL_PATH_CHAIN);
	cr_expect_eq(stats.side[TL_SIDE_A].concealed_ms, 0);
	cr_expect_geq(stats.side[TL_SIDE_A].delay_us, 10000, "%u", stats.side[TL_SIDE_A].delay_us);
	cr_expect_leq(stats.side[TL_SIDE_A].delay_us, 80000);
	close_call(call);
	stop_engine();
	g_free(tape);
}

/* B says what it hears, at once, so that A hears itself by way of both chains. */
static void echo_for_a_beat(struct call *call, struct tape *there, struct tape *back)
{
	struct phone *a = &call->phone[TL_SIDE_A], *b = &call->phone[TL_SIDE_B];
	struct pollfd fds[] = { { a->fd, POLLIN, 0 }, { b->fd, POLLIN, 0 } };
	struct heard heard;
	int left_ms;

	next_beat(PACE_MS);
	while ((left_ms = beat_left_ms()) > 0) {
		poll(fds, G_N_ELEMENTS(fds), left_ms);
		if (listen_for(a, 0, &heard))
			keep(back, &heard);
		if (!listen_for(b, 0, &heard))
			continue;
		keep(there, &heard);
		b->ts = heard.rtp.ts;
		send_rtp(b, b->fd, 96, false, heard.payload, heard.rtp.payload_bytes);
	}
}

/* waited: so long the threads did for a processor. */
static double there_and_back(guint64 *ret_waited_us)
{
	struct tape *tape = g_new0(struct tape, 1), *opus = g_new0(struct tape, 1);
	guint64 before_us;
	struct call *call;
	double share;

	start_with_codecs();
	before_us = waited_us();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "opus", 96);
	call->plan.side[TL_SIDE_B].send_format.codec = codec("opus");
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	for (unsigned i = 0; i < 80; i++) {
		hum(&call->phone[TL_SIDE_A], 400);
		echo_for_a_beat(call, opus, tape);
	}
	*ret_waited_us = waited_us() - before_us;
	cr_expect_eq(opus->units, 960, "Opus counts at 48 kHz");
	cr_expect_eq(opus->last.pt, 96);
	cr_expect_geq(tape->packets, 70);
	share = purity_of_tape(tape, 400);
	close_call(call);
	stop_engine();
	g_free(tape);
	g_free(opus);
	return share;
}

/* A worker that had no processor for a packet's time has made one up, and Opus needs half a second
 * to be over it: then it is measured again. */
Test(flow, transcodes_there_and_back)
{
	guint64 spoiled_us;
	double share;
	int i = 0;

	do
		share = there_and_back(&spoiled_us);
	while (share <= 0.8 && spoiled_us > 15000 && ++i < 5);
	cr_expect_gt(share, 0.8, "%f", share);
}

Test(flow, fills_holes)
{
	struct tape *tape = g_new0(struct tape, 1);
	struct tl_session_stats stats;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "PCMU", 0);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	for (unsigned i = 0; i < 60; i++) {
		if (i % 20 == 10) { /* lost on its way */
			call->phone[TL_SIDE_A].seq++;
			call->phone[TL_SIDE_A].ts += FRAME;
		} else {
			hum(&call->phone[TL_SIDE_A], 400);
		}
		drain(&call->phone[TL_SIDE_B], tape, PACE_MS);
	}
	tl_session_stats(call->session, &stats);
	cr_expect_geq(tape->packets, 54);
	cr_expect_eq(tape->seq_gaps, 0);
	cr_expect_eq(stats.side[TL_SIDE_A].lost_pkts, 3);
	cr_expect_leq(stats.side[TL_SIDE_A].concealed_ms, 60);
	close_call(call);
	stop_engine();
	g_free(tape);
}

Test(flow, changes_the_path_within_one_stream)
{
	struct tape *tape = g_new0(struct tape, 1);
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	for (int i = 0; i < 3; i++) {
		/* B's codec changes by re-INVITE and back. */
		speak_format(call, TL_SIDE_B, i % 2 ? "PCMU" : "PCMA", i % 2 ? 0 : PT_PCMA);
		set_path(call, i % 2 ? TL_PATH_CHAIN : TL_PATH_RELAY);
		apply(call);
		talk(call, TL_SIDE_A, 20, tape);
	}
	cr_expect_eq(tape->seq_gaps, 0);
	cr_expect_eq(tape->bad_ssrc, 0);
	cr_expect_geq(tape->packets, 50);
	cr_expect_geq(tape->last.ts - tape->first.ts, 56 * FRAME, "time goes on");
	cr_expect_leq(tape->last.ts - tape->first.ts, 64 * FRAME);
	close_call(call);
	stop_engine();
	g_free(tape);
}

Test(flow, passes_digits_beside_a_chain_on_the_other_clock)
{
	struct heard heard;
	unsigned events = 0, ends = 0, flashes = 0;
	uint32_t ts = 0;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "opus", 96);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	for (unsigned i = 0; i < 10; i++) {
		hum(&call->phone[TL_SIDE_A], 400);
		listen_for(&call->phone[TL_SIDE_B], PACE_MS, &heard);
	}
	press(&call->phone[TL_SIDE_A], 8, 5, 3);
	while (ends < 3) {
		heard = hear(&call->phone[TL_SIDE_B]);
		if (heard.rtp.pt != PT_EVENT)
			continue;
		cr_expect(events == 0 || heard.rtp.ts == ts);
		ts = heard.rtp.ts;
		events++;
		ends += heard.payload[1] >> 7;
	}
	cr_expect_eq(events, 8);
	cr_expect_eq(heard.payload[2] << 8 | heard.payload[3], 5 * 960);
	wait_event(call, TL_MEDIA_DTMF, 1);
	cr_expect_str_eq(call->digits->str, "8");
	/* Speech goes on behind it, later in time; a flash hook is passed on, and no digit. */
	press(&call->phone[TL_SIDE_A], 16, 3, 3);
	for (unsigned i = 0; i < 16; i++) {
		hum(&call->phone[TL_SIDE_A], 400);
		if (!listen_for(&call->phone[TL_SIDE_B], PACE_MS, &heard))
			continue;
		flashes += heard.rtp.pt == PT_EVENT && heard.payload[0] == 16;
		if (heard.rtp.pt == 96)
			cr_expect_gt((int32_t)(heard.rtp.ts - ts), 0);
	}
	tl_media_dispatch(media);
	cr_expect_eq(flashes, 6, "%u", flashes);
	cr_expect_eq(call->n_events[TL_MEDIA_DTMF], 1);
	close_call(call);
	stop_engine();
}

/* RFC 4733 2.5.1.3: a segment goes on where the one before it ended, with a duration of its own. */
Test(flow, relays_an_event_that_is_longer_than_a_segment)
{
	static const struct {
		uint32_t ts;
		uint8_t flags;
		uint16_t duration;
	} sent[] = { { 0, 10, 160 }, { 0, 10, 65535 }, { 65535, 10, 160 }, { 65535, 138, 320 } };
	struct phone *a;
	struct heard heard;
	struct call *call;
	uint32_t first = 0, ts;

	start_with_codecs();
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	a = &call->phone[TL_SIDE_A];
	ts = a->ts;
	for (size_t i = 0; i < G_N_ELEMENTS(sent); i++) {
		uint8_t payload[4] = { 5, sent[i].flags };

		tl_put_be16(payload + 2, sent[i].duration);
		a->ts = ts + sent[i].ts;
		send_rtp(a, a->fd, PT_EVENT, i == 0, payload, sizeof payload);
		heard = hear(&call->phone[TL_SIDE_B]);
		first = i ? first : heard.rtp.ts;
		cr_expect_eq(heard.rtp.pt, PT_EVENT);
		cr_expect_eq(heard.rtp.ts - first, sent[i].ts, "%zu: %u", i, heard.rtp.ts - first);
		cr_expect_eq(heard.payload[2] << 8 | heard.payload[3], sent[i].duration, "%zu", i);
	}
	wait_event(call, TL_MEDIA_DTMF, 1);
	cr_expect_str_eq(call->digits->str, "5");
	close_call(call);
	stop_engine();
}

/* One order drawn by lot; whatever it is, in whatever state the call is. */
static void order_at_random(struct call *call, const char *prompt, const char *dir)
{
	static const struct {
		const char *name;
		uint8_t pt;
	} codecs[] = { { "PCMA", PT_PCMA }, { "PCMU", 0 }, { "opus", 96 }, { "G722", 9 } };
	enum tl_side side = rand() % 2 ? TL_SIDE_A : TL_SIDE_B;
	unsigned i = (unsigned)rand() % G_N_ELEMENTS(codecs);
	g_autofree char *file = g_strdup_printf("%s/%d.wav", dir, rand());
	const char *paths[] = { prompt, rand() % 2 ? prompt : "/nonexistent.wav" };

	switch (rand() % 9) {
	case 0:
	case 1:
		speak_format(call, side, codecs[i].name, codecs[i].pt);
		break;
	case 2:
		call->plan.side[side].send = rand() % 4 != 0;
		call->plan.side[side].receive = rand() % 4 != 0;
		break;
	case 3:
		call->plan.side[side].open = rand() % 4 != 0;
		call->plan.echo = rand() % 2;
		break;
	case 4:
		tl_session_play(call->session, side, paths, 2, rand() % 2);
		return;
	case 5:
		tl_session_play_stop(call->session, side);
		return;
	case 6:
		tl_session_record(call->session, file, rand() % 2);
		return;
	case 7:
		tl_session_record_stop(call->session);
		return;
	case 8:
		tl_session_send_dtmf(call->session, side, "0123456789*#ABCD"[rand() % 16], 60);
		return;
	}
	set_path(call, call->plan.side[TL_SIDE_A].send_format.codec ==
				       call->plan.side[TL_SIDE_B].send_format.codec
			       ? TL_PATH_RELAY
			       : TL_PATH_CHAIN);
	apply(call);
}

static void send_at_random(struct call *call, enum tl_side side)
{
	struct phone *phone = &call->phone[side];
	uint8_t payload[FRAME];

	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)rand();
	phone->ts += FRAME;
	switch (rand() % 12) {
	case 0:
		press(phone, (uint8_t)(rand() % 17), 3, rand() % 4);
		break;
	case 1:
		phone->ssrc++;
		phone->seq = (uint16_t)rand();
		break;
	case 2:
		phone->seq = (uint16_t)(phone->seq + rand() % 200 - 100);
		break;
	case 3:
		phone->ts += (uint32_t)rand();
		break;
	case 4:
		send_rtp(phone, phone->fd, (uint8_t)(rand() % 128), rand() % 2, payload,
			 (size_t)rand() % sizeof payload);
		break;
	default:
		send_rtp(phone, phone->fd, call->plan.side[side].receive_formats[0].pt, false,
			 payload, rand() % 8 ? sizeof payload : (size_t)rand() % sizeof payload);
	}
}

/* No story: what must hold is that nothing breaks, and that all comes to an end. */
Test(flow, bears_any_order_at_any_time)
{
	char *dir = make_dir(), *prompt = make_wav(dir, 1000, 300);
	struct tape *tape = g_new0(struct tape, 1);
	struct call *calls[3];
	struct heard heard;

	srand(11);
	start_with_codecs();
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		calls[i] = open_call(AF_INET);
		apply(calls[i]);
	}
	for (unsigned beat = 0; beat < 300; beat++) {
		for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
			send_at_random(calls[i], TL_SIDE_A);
			send_at_random(calls[i], TL_SIDE_B);
			if (rand() % 4 == 0)
				order_at_random(calls[i], prompt, dir);
			while (listen_for(&calls[i]->phone[rand() % 2], 0, &heard))
				;
		}
		tl_media_dispatch(media);
		drain(&calls[0]->phone[TL_SIDE_A], tape, 10);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
		close_call(calls[i]);
	stop_engine();
	g_free(prompt);
	remove_dir(dir);
	g_free(tape);
}
