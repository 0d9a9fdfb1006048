/* When we call: what may come as an answer. */
#include "tests/support/stack_world.h"

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

Test(stack_answers, a_second_answer_is_acknowledged_and_ended)
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

Test(stack_answers, a_second_answer_from_nowhere_is_left_alone)
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

Test(stack_answers, an_answer_that_comes_again_is_acknowledged_again)
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

Test(stack_answers, a_reliable_provisional_is_pracked_once)
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

Test(stack_answers, answers_that_are_of_no_use_are_ended)
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

Test(stack_answers, a_reinvite_that_finds_no_dialog_ends_the_call)
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
