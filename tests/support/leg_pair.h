#pragma once
/* Two stacks on loopback, each with one leg, that call each other. Nothing sleeps. */
#include "b2bua/leg/leg.h"
#include "b2bua/sip/stack.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
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

static inline struct tl_media_desc make_desc(uint16_t port)
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

static inline void keep_event(struct agent *agent, const struct tl_leg_event *event)
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

static inline void on_event(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
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

static inline void challenge(struct tl_request *request)
{
	tl_request_reply(request, SIP_407_PROXY_AUTH_REQUIRED,
			 SIPTAG_PROXY_AUTHENTICATE_STR("Digest realm=\"test\", nonce=\"1\", "
						       "qop=\"auth\", algorithm=MD5"),
			 TAG_END());
}

static inline void on_invite(struct tl_request *request, void *user)
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

static inline void agent_start(struct agent *agent, su_root_t *root, const char *host,
			       uint16_t rtp_port)
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

static inline void pair_start_at(struct pair *p, const char *host)
{
	memset(p, 0, sizeof(*p));
	su_init();
	p->root = su_root_create(NULL);
	agent_start(&p->a, p->root, host, 4000);
	agent_start(&p->b, p->root, host, 5000);
}

static inline void pair_start(struct pair *p)
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
static inline void pair_stop(struct pair *p)
{
	tl_leg_release(p->a.leg);
	tl_leg_release(p->b.leg);
	run_until(p, tl_stack_legs(p->a.stack) == 0 && tl_stack_legs(p->b.stack) == 0);
	tl_stack_free(p->a.stack);
	tl_stack_free(p->b.stack);
	su_root_destroy(p->root);
	su_deinit();
}

static inline void call_by(struct pair *p, enum tl_transport transport, bool offer,
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

static inline void call(struct pair *p)
{
	call_by(p, TL_TRANSPORT_UDP, true, NULL);
}

static inline void call_up(struct pair *p)
{
	call(p);
	run_until(p, p->a.events[TL_LEG_ANSWERED] == 1 && p->b.events[TL_LEG_ACKED] == 1);
	cr_expect_eq(tl_leg_state(p->a.leg), TL_LEG_UP);
	cr_expect_eq(tl_leg_state(p->b.leg), TL_LEG_UP);
}
