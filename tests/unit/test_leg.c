/*
 * Two stacks on 127.0.0.1, in one process and on one su_root, call each other.
 * A test is what one agent does, what the other is told to do, and what both
 * saw. Nothing sleeps: the loop is stepped until a counter shows it.
 */
#include "b2bua/leg/leg.h"
#include "b2bua/sip/stack.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su.h>

enum answer { ANSWER, RING, RING_EARLY, IGNORE, REFUSE, CHALLENGE, CHALLENGE_FOR_EVER };

struct agent {
	struct tl_stack *stack;
	struct tl_listen listen[2];
	struct tl_gateway gateway;
	struct tl_leg *leg;
	enum answer on_invite;
	struct tl_cause refusal;
	struct tl_media_desc desc; /* what it says of its media */
	int invites, events[_TL_LEG_EVENT_MAX];
	/* of the last event */
	int status;
	char reason[128], contact[128];
	unsigned retry_after_s;
	bool had_desc;
	enum tl_direction direction;
	char digit;
	unsigned duration_ms;
	char header[64];
	bool declines_offers, glares;
	bool releases; /* its leg when it is gone */
};

struct pair {
	su_root_t *root;
	struct agent a, b;
	unsigned overload_s;
};

static struct tl_media_desc make_desc(uint16_t port)
{
	struct tl_media_desc desc = { .direction = TL_DIR_SENDRECV };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&desc.rtp;

	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in4->sin_port = htons(port);
	desc.formats[desc.n_formats++] =
		(struct tl_format) { .codec = tl_codec_find("PCMA", 8000, 1), .pt = 8 };
	return desc;
}

static void keep_event(struct agent *agent, const struct tl_leg_event *event)
{
	agent->events[event->type]++;
	agent->status = event->cause.status ? event->cause.status : event->status;
	g_strlcpy(agent->reason, event->cause.reason ? event->cause.reason : "",
		  sizeof(agent->reason));
	g_strlcpy(agent->contact, event->cause.n_contacts ? event->cause.contacts[0].uri : "",
		  sizeof(agent->contact));
	agent->retry_after_s = event->cause.retry_after_s;
	agent->had_desc = event->desc != NULL;
	if (event->desc)
		agent->direction = event->desc->direction;
	agent->digit = event->digit;
	agent->duration_ms = event->duration_ms;
	if (event->n_headers)
		g_strlcpy(agent->header, event->headers[0].value, sizeof(agent->header));
}

static void on_event(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct agent *agent = user;

	keep_event(agent, event);
	if (event->type == TL_LEG_OFFERED && agent->declines_offers)
		cr_expect_eq(tl_leg_decline(leg, 488), 0);
	else if (event->type == TL_LEG_OFFERED)
		cr_expect_eq(tl_leg_accept(leg, &agent->desc), 0);
	if ((event->type == TL_LEG_GONE || event->type == TL_LEG_REFUSED) && agent->releases) {
		tl_leg_release(leg);
		agent->leg = NULL;
	}
}

static void challenge(struct tl_request *request)
{
	tl_request_reply(request, SIP_407_PROXY_AUTH_REQUIRED,
			 SIPTAG_PROXY_AUTHENTICATE_STR("Digest realm=\"test\", nonce=\"1\", "
						       "qop=\"auth\", algorithm=MD5"),
			 TAG_END());
}

static void on_invite(struct tl_request *request, void *user)
{
	static const struct tl_header header = { "X-Answer", "yes" };
	struct agent *agent = user;

	agent->invites++;
	if (agent->on_invite == CHALLENGE_FOR_EVER ||
	    (agent->on_invite == CHALLENGE && !request->sip->sip_proxy_authorization)) {
		challenge(request);
		return;
	}
	if (tl_leg_new_incoming(request, &agent->leg) < 0)
		return;
	tl_leg_set_id(agent->leg, "leg=b");
	tl_leg_set_owner(agent->leg, on_event, agent);
	switch (agent->on_invite) {
	case IGNORE:
		return;
	case RING:
		cr_expect_eq(tl_leg_progress(agent->leg, 180, NULL, NULL, 0), 0);
		return;
	case RING_EARLY:
		cr_expect_eq(tl_leg_progress(agent->leg, 183, &agent->desc, NULL, 0), 0);
		return;
	case REFUSE:
		tl_leg_close(agent->leg, &agent->refusal);
		return;
	case ANSWER:
	case CHALLENGE:
	case CHALLENGE_FOR_EVER:
		cr_expect_eq(tl_leg_answer(agent->leg, &agent->desc, &header, 1), 0);
		return;
	}
}

static void agent_start(struct agent *agent, su_root_t *root, const char *host, uint16_t rtp_port)
{
	struct tl_stack_cfg cfg = { .gateway = &agent->gateway,
				    .on_invite = on_invite,
				    .user = agent };

	agent->listen[0] = (struct tl_listen) { .transport = TL_TRANSPORT_UDP, .host = host };
	agent->listen[1] = (struct tl_listen) { .transport = TL_TRANSPORT_TCP, .host = host };
	agent->gateway = (struct tl_gateway) { .listen = agent->listen,
					       .n_listen = 2,
					       .domain = "gateway.test",
					       .user_agent = "Twinleg/test" };
	agent->desc = make_desc(rtp_port);
	cr_assert_eq(tl_stack_new(root, &cfg, &agent->stack), 0);
}

static void pair_start_at(struct pair *p, const char *host)
{
	memset(p, 0, sizeof(*p));
	su_init();
	p->root = su_root_create(NULL);
	agent_start(&p->a, p->root, host, 4000);
	agent_start(&p->b, p->root, host, 5000);
}

static void pair_start(struct pair *p)
{
	pair_start_at(p, "127.0.0.1");
}

/* Steps until condition holds; fails the test when it doesn't within 5 seconds. */
#define run_until(p, condition)                                                                    \
	do {                                                                                       \
		int64_t end_us = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;                      \
		bool reached;                                                                      \
		while (!(reached = (condition)) && g_get_monotonic_time() < end_us)                \
			su_root_step((p)->root, 20);                                               \
		cr_assert(reached, "%s", #condition);                                              \
	} while (0)

/* Both agents let go; no leg may be left. */
static void pair_stop(struct pair *p)
{
	tl_leg_release(p->a.leg);
	tl_leg_release(p->b.leg);
	run_until(p, tl_stack_legs(p->a.stack) == 0 && tl_stack_legs(p->b.stack) == 0);
	tl_stack_free(p->a.stack);
	tl_stack_free(p->b.stack);
	su_root_destroy(p->root);
	su_deinit();
}

static void call_by(struct pair *p, enum tl_transport transport, bool offer,
		    const struct tl_header *header)
{
	const char *host = p->b.listen[0].host;
	g_autofree char *bracketed = g_strdup_printf(strchr(host, ':') ? "[%s]" : "%s", host);
	g_autofree char *uri =
		g_strdup_printf("sip:1001@%s:%u%s", bracketed, tl_stack_port(p->b.stack, transport),
				transport == TL_TRANSPORT_TCP ? ";transport=tcp" : "");
	struct tl_target target = { .request_uri = uri,
				    .from = { .name = "Al \"x\" ice", .user = "2002" },
				    .to = { .user = "1001" },
				    .auth_user = "alice",
				    .auth_password = "secret",
				    .headers = header,
				    .n_headers = header ? 1 : 0,
				    .max_forwards = 42 };

	cr_assert_eq(tl_leg_invite(p->a.stack, &target, offer ? &p->a.desc : NULL, on_event, &p->a,
				   "leg=a", &p->a.leg),
		     0);
}

static void call(struct pair *p)
{
	call_by(p, TL_TRANSPORT_UDP, true, NULL);
}

static void call_up(struct pair *p)
{
	call(p);
	run_until(p, p->a.events[TL_LEG_ANSWERED] == 1 && p->b.events[TL_LEG_ACKED] == 1);
	cr_expect_eq(tl_leg_state(p->a.leg), TL_LEG_UP);
	cr_expect_eq(tl_leg_state(p->b.leg), TL_LEG_UP);
}

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

Test(leg, an_offerless_invite_is_answered_in_the_ack)
{
	struct pair p;

	pair_start(&p);
	call_by(&p, TL_TRANSPORT_UDP, false, NULL);
	run_until(&p, p.a.events[TL_LEG_ANSWERED] == 1);
	cr_expect(p.a.had_desc, "the 200 offers");
	cr_expect_not(tl_leg_info(p.b.leg)->has_offer);
	cr_expect_eq(tl_leg_accept(p.a.leg, &p.a.desc), 0);
	run_until(&p, p.b.events[TL_LEG_ACKED] == 1);
	cr_expect(p.b.had_desc, "the ACK answers");
	pair_stop(&p);
}

Test(leg, an_offer_in_the_dialog_is_accepted)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	p.a.desc.direction = TL_DIR_SENDONLY;
	p.b.desc.direction = TL_DIR_RECVONLY;
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), -EBUSY);
	run_until(&p, p.a.events[TL_LEG_REANSWERED] == 1);
	cr_expect_eq(p.b.events[TL_LEG_OFFERED], 1);
	cr_expect_eq(p.b.direction, TL_DIR_SENDONLY);
	cr_expect_eq(p.a.direction, TL_DIR_RECVONLY);
	/* and from the other side */
	run_until(&p, tl_leg_offer(p.b.leg, &p.b.desc) == 0);
	run_until(&p, p.b.events[TL_LEG_REANSWERED] == 1);
	cr_expect_eq(p.a.events[TL_LEG_OFFERED], 1);
	pair_stop(&p);
}

Test(leg, an_offer_in_the_dialog_is_declined_and_nothing_has_changed)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	p.b.declines_offers = true;
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	run_until(&p, p.a.events[TL_LEG_OFFER_REFUSED] == 1);
	cr_expect_eq(p.a.status, 488);
	cr_expect_eq(tl_leg_state(p.a.leg), TL_LEG_UP);
	cr_expect_eq(tl_leg_state(p.b.leg), TL_LEG_UP);
	p.b.declines_offers = false;
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0, "and again");
	run_until(&p, p.a.events[TL_LEG_REANSWERED] == 1);
	pair_stop(&p);
}

Test(leg, offers_that_meet_are_both_made_in_the_end)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	cr_expect_eq(tl_leg_offer(p.b.leg, &p.b.desc), 0);
	run_until(&p, p.a.events[TL_LEG_REANSWERED] == 1 && p.b.events[TL_LEG_REANSWERED] == 1);
	cr_expect_eq(p.a.events[TL_LEG_OFFERED], 1);
	cr_expect_eq(p.b.events[TL_LEG_OFFERED], 1);
	pair_stop(&p);
}

Test(leg, hanging_up_during_an_offer_ends_both)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	tl_leg_close(p.a.leg, NULL);
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	pair_stop(&p);
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
