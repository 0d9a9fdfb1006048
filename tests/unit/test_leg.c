/* A leg from its INVITE to its end. */
#include "tests/support/leg_pair.h"

Test(leg, caller_calls_and_hangs_up)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	cr_expect(p.a.had_desc);
	cr_expect_str_eq(p.a.header, "yes", "a header crosses with the answer");
	tl_leg_close(p.a.leg, &(struct tl_cause) { .reason = "Q.850;cause=16" });
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	cr_expect_str_eq(p.b.reason, "Q.850;cause=16");
	cr_expect_eq(p.b.status, 0);
	pair_stop(&p);
}

Test(leg, the_callee_learns_who_calls)
{
	static const struct tl_header header = { "X-Shop", "42" };
	const struct tl_leg_info *info;
	struct pair p;

	pair_start(&p);
	p.b.on_invite = RING;
	call_by(&p, TL_TRANSPORT_UDP, true, &header);
	run_until(&p, p.a.events[TL_LEG_PROGRESS] == 1);
	info = tl_leg_info(p.b.leg);
	cr_expect_str_eq(info->from.name, "Al \"x\" ice");
	cr_expect_str_eq(info->from.user, "2002");
	cr_expect_str_eq(info->from.host, "gateway.test");
	cr_expect_str_eq(info->to.user, "1001");
	cr_expect_str_eq(info->callee, "1001");
	cr_expect_str_eq(info->call_id, tl_leg_call_id(p.a.leg));
	cr_expect(info->has_offer);
	cr_expect_eq(info->max_forwards, 41);
	cr_expect_eq(info->transport, TL_TRANSPORT_UDP);
	cr_expect_eq(info->source.ss_family, AF_INET);
	cr_assert_eq(info->n_headers, 1);
	cr_expect_str_eq(info->headers[0].name, "X-Shop");
	cr_expect_str_eq(info->headers[0].value, "42");
	pair_stop(&p);
}

Test(leg, callee_hangs_up)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	tl_leg_close(p.b.leg, NULL);
	run_until(&p, p.a.events[TL_LEG_GONE] == 1);
	cr_expect_str_eq(p.a.reason, "");
	pair_stop(&p);
}

Test(leg, a_call_by_tcp)
{
	struct pair p;

	pair_start(&p);
	call_by(&p, TL_TRANSPORT_TCP, true, NULL);
	run_until(&p, p.b.events[TL_LEG_ACKED] == 1);
	cr_expect_eq(tl_leg_info(p.b.leg)->transport, TL_TRANSPORT_TCP);
	tl_leg_close(p.b.leg, NULL);
	run_until(&p, p.a.events[TL_LEG_GONE] == 1);
	pair_stop(&p);
}

Test(leg, calls_by_ipv6)
{
	for (int transport = TL_TRANSPORT_UDP; transport <= TL_TRANSPORT_TCP; transport++) {
		struct pair p;

		pair_start_at(&p, "::1");
		call_by(&p, (enum tl_transport)transport, true, NULL);
		run_until(&p, p.b.events[TL_LEG_ACKED] == 1);
		cr_expect_eq(tl_leg_info(p.b.leg)->source.ss_family, AF_INET6);
		tl_leg_close(p.b.leg, NULL);
		run_until(&p, p.a.events[TL_LEG_GONE] == 1);
		pair_stop(&p);
	}
}

Test(leg, rings_then_answers_with_early_media)
{
	struct pair p;

	pair_start(&p);
	p.b.on_invite = RING_EARLY;
	call(&p);
	run_until(&p, p.a.events[TL_LEG_PROGRESS] == 1);
	cr_expect_eq(p.a.status, 183);
	cr_expect(p.a.had_desc);
	cr_expect_eq(tl_leg_state(p.a.leg), TL_LEG_EARLY);
	cr_expect_eq(tl_leg_answer(p.b.leg, &p.b.desc, NULL, 0), 0);
	run_until(&p, p.b.events[TL_LEG_ACKED] == 1);
	cr_expect_eq(p.a.events[TL_LEG_ANSWERED], 1);
	pair_stop(&p);
}

Test(leg, caller_gives_up_while_it_rings)
{
	struct pair p;

	pair_start(&p);
	p.b.on_invite = RING;
	call(&p);
	run_until(&p, p.a.events[TL_LEG_PROGRESS] == 1);
	tl_leg_close(p.a.leg, &(struct tl_cause) { .reason = "SIP;cause=200;text=\"Call completed "
							     "elsewhere\"" });
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	cr_expect_eq(p.b.status, 487);
	cr_expect(strstr(p.b.reason, "cause=200"), "%s", p.b.reason);
	cr_expect_eq(tl_leg_state(p.b.leg), TL_LEG_OVER);
	run_until(&p, tl_leg_state(p.a.leg) == TL_LEG_OVER);
	cr_expect_eq(p.a.events[TL_LEG_REFUSED], 0, "whoever closes hears nothing more");
	pair_stop(&p);
}

Test(leg, caller_gives_up_before_any_response)
{
	struct pair p;

	pair_start(&p);
	p.b.on_invite = IGNORE;
	call(&p);
	tl_leg_close(p.a.leg, NULL); /* nothing has been sent back yet: the CANCEL must wait */
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	run_until(&p, tl_leg_state(p.a.leg) == TL_LEG_OVER);
	pair_stop(&p);
}

Test(leg, a_cancel_that_crosses_the_answer_ends_in_bye)
{
	struct pair p;

	pair_start(&p);
	p.b.on_invite = RING;
	call(&p);
	run_until(&p, p.a.events[TL_LEG_PROGRESS] == 1);
	cr_expect_eq(tl_leg_answer(p.b.leg, &p.b.desc, NULL, 0), 0);
	tl_leg_close(p.a.leg, NULL); /* the 200 is on its way */
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	cr_expect_eq(p.b.events[TL_LEG_ACKED], 1);
	cr_expect_eq(p.a.events[TL_LEG_ANSWERED], 0);
	run_until(&p, tl_leg_state(p.a.leg) == TL_LEG_OVER);
	pair_stop(&p);
}

static const struct tl_contact moved = { .uri = "sip:1002@127.0.0.1" };
static const struct {
	struct tl_cause cause;
	int status;
} refusals[] = {
	{ { .status = 486, .phrase = "Busy Here" }, 486 },
	{ { .status = 603 }, 603 },
	{ { .status = 0 }, 480 },
	{ { .status = 503, .retry_after_s = 30, .warning = "no \"room\"" }, 503 },
	{ { .status = 302, .contacts = &moved, .n_contacts = 1 }, 302 },
	{ { .status = 480, .reason = "Q.850;cause=19" }, 480 },
};

Test(leg, refusals_arrive_with_what_they_say)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const struct tl_cause *cause = &refusals[i].cause;
		struct pair p;

		pair_start(&p);
		p.b.on_invite = REFUSE;
		p.b.refusal = *cause;
		call(&p);
		run_until(&p, p.a.events[TL_LEG_REFUSED] == 1);
		cr_expect_eq(p.a.status, refusals[i].status);
		cr_expect_eq(p.a.retry_after_s, cause->retry_after_s);
		cr_expect_str_eq(p.a.reason, cause->reason ? cause->reason : "");
		if (cause->n_contacts)
			cr_expect_str_eq(p.a.contact, "sip:1002@127.0.0.1");
		pair_stop(&p);
	}
}

Test(leg, digits_travel_by_info)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	cr_expect_eq(tl_leg_send_dtmf(p.a.leg, '#', 250), 0);
	cr_expect_eq(tl_leg_send_dtmf(p.a.leg, 'x', 250), -EINVAL);
	run_until(&p, p.b.events[TL_LEG_INFO_DTMF] == 1);
	cr_expect_eq(p.b.digit, '#');
	cr_expect_eq(p.b.duration_ms, 250);
	pair_stop(&p);
}

Test(leg, a_challenge_is_answered_once)
{
	struct pair p;

	pair_start(&p);
	p.b.on_invite = CHALLENGE;
	call_up(&p);
	cr_expect_eq(p.b.invites, 2);
	pair_stop(&p);
}

Test(leg, a_second_challenge_is_a_refusal)
{
	struct pair p;

	pair_start(&p);
	p.b.on_invite = CHALLENGE_FOR_EVER;
	call(&p);
	run_until(&p, p.a.events[TL_LEG_REFUSED] == 1);
	cr_expect_eq(p.a.status, 407);
	cr_expect_eq(p.b.invites, 2);
	pair_stop(&p);
}

Test(leg, nobody_listens)
{
	struct tl_target target = { .request_uri = "sip:1001@127.0.0.1:1;transport=tcp",
				    .from = { .user = "2002" },
				    .to = { .user = "1001" } };
	struct pair p;

	pair_start(&p);
	cr_assert_eq(
		tl_leg_invite(p.a.stack, &target, &p.a.desc, on_event, &p.a, "leg=a", &p.a.leg), 0);
	run_until(&p, p.a.events[TL_LEG_REFUSED] == 1);
	cr_expect_eq(p.a.status, 503);
	pair_stop(&p);
}

Test(leg, no_answer_in_time)
{
	g_autofree char *uri = NULL;
	struct pair p;

	pair_start(&p);
	p.b.on_invite = RING;
	uri = g_strdup_printf("sip:1001@127.0.0.1:%u", tl_stack_port(p.b.stack, TL_TRANSPORT_UDP));
	cr_assert_eq(tl_leg_invite(p.a.stack,
				   &(struct tl_target) { .request_uri = uri,
							 .from = { .user = "2002" },
							 .to = { .user = "1001" },
							 .timeout_s = 1 },
				   &p.a.desc, on_event, &p.a, "leg=a", &p.a.leg),
		     0);
	run_until(&p, p.a.events[TL_LEG_REFUSED] == 1);
	cr_expect_eq(p.a.status, 408);
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	pair_stop(&p);
}

static const char *const unusable[] = {
	"tel:1001",
	"sips:1001@127.0.0.1",
	"sip:",
	"sip:1001@",
	"sip:1001@127.0.0.1:99999",
	"sip:1001@999.1.1.1",
	"sip:1001@127.0.0.1;transport=smoke",
	"sip:1001@127.0.0.1;maddr=10.0.0.1",
	"sip:1001@127.0.0.1;lrx",
	"sip:1001@0.0.0.0",
	"sip:1001@224.0.0.1",
	"sip:1001@[::]",
};

Test(leg, targets_that_cannot_be_used_are_not_tried)
{
	struct pair p;

	pair_start(&p);
	for (size_t i = 0; i < G_N_ELEMENTS(unusable); i++) {
		struct tl_target target = { .request_uri = unusable[i],
					    .from = { .user = "2002" } };
		struct tl_leg *leg;

		cr_expect_eq(
			tl_leg_invite(p.a.stack, &target, &p.a.desc, on_event, &p.a, "leg=a", &leg),
			-EINVAL, "%s", unusable[i]);
	}
	pair_stop(&p);
}

Test(leg, an_owner_may_let_go_inside_an_event)
{
	struct pair p;

	pair_start(&p);
	p.a.releases = p.b.releases = true;
	call_up(&p);
	tl_leg_close(p.a.leg, NULL);
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	p.b.on_invite = REFUSE;
	tl_leg_release(p.a.leg);
	call(&p);
	run_until(&p, p.a.events[TL_LEG_REFUSED] == 1);
	cr_expect_null(p.a.leg);
	pair_stop(&p);
}

Test(leg, a_stack_ends_with_calls_up)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	tl_stack_free(p.a.stack);
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	tl_leg_release(p.b.leg);
	tl_stack_free(p.b.stack);
	su_root_destroy(p.root);
	su_deinit();
}
