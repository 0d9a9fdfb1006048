/* Requests outside dialogs: what is refused, and how. */
#include "tests/support/stack_world.h"

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
