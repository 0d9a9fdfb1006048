/* In a dialog that the peer began: the ladders that no well-behaved peer would climb. */
#include "tests/support/stack_world.h"

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

Test(stack_dialog, judges_requests_in_a_dialog)
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

Test(stack_dialog, an_info_of_an_unknown_type_is_415)
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

Test(stack_dialog, an_old_request_is_500)
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

Test(stack_dialog, a_second_invite_before_the_ack_that_is_to_answer_is_500_with_a_time)
{
	g_autofree char *to = NULL;
	struct world w;

	world_start(&w);
	w.answers = true;
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, NULL, NULL);
	expect(&w, "200");
	to = value_of(&w, "To");
	send_request(&w, "INVITE", 2, to, NULL, SDP);
	expect(&w, "500");
	cr_expect(strstr(w.heard, "Retry-After: "), "%s", w.heard);
	world_stop(&w);
}

Test(stack_dialog, a_bye_before_the_ack_waits_for_it)
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

Test(stack_dialog, a_reliable_provisional_is_wanted_and_acknowledged)
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
Test(stack_dialog, reliable_provisionals_are_sent_one_by_one)
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

Test(stack_dialog, an_offer_in_a_prack_is_answered)
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

Test(stack_dialog, an_invite_that_dies_with_an_open_reliable_provisional)
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

Test(stack_dialog, an_ack_before_any_answer_is_passed_over)
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

Test(stack_dialog, a_session_timer_is_taken_and_the_caller_refreshes)
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

Test(stack_dialog, a_session_timer_that_is_too_short_is_422)
{
	struct world w;

	world_start(&w);
	w.ignored = 100;
	send_request(&w, "INVITE", 1, NULL, "Supported: timer\r\nSession-Expires: 30\r\n", SDP);
	expect(&w, "422");
	cr_expect(strstr(w.heard, "Min-SE: 90"), "%s", w.heard);
	world_stop(&w);
}

/* What a telephone behind a NAT writes leads nowhere; we answer and ask where it speaks from. */
Test(stack_dialog, a_caller_behind_a_nat_is_reached_where_it_called_from)
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
