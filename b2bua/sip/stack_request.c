/* Requests outside dialogs: what can be judged without knowing a caller. */
#include "b2bua/sip/stack_priv.h"
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

static void answer_options(struct tl_request *request)
{
	const struct tl_stack_cfg *cfg = &request->stack->cfg;
	unsigned wait_s = cfg->overloaded ? cfg->overloaded(cfg->user) : 0;
	g_autofree char *retry_after = g_strdup_printf("%u", wait_s);

	tl_request_reply(request, wait_s ? 503 : 200, NULL, SIPTAG_ALLOW_STR(TL_ALLOW ", REGISTER"),
			 SIPTAG_ACCEPT_STR(TL_ACCEPT), SIPTAG_SUPPORTED_STR(TL_SUPPORTED),
			 TAG_IF(wait_s, SIPTAG_RETRY_AFTER_STR(retry_after)), TAG_END());
}

static bool is_sip(const url_t *url)
{
	return url->url_type == url_sip || url->url_type == url_sips;
}

/* What a request must be before anybody looks into it. False: it has been answered. */
static bool is_acceptable(struct tl_request *request)
{
	const sip_t *sip = request->sip;
	const url_t *url = sip->sip_request->rq_url;
	const char *broken = tl_guard_broken_header(sip);
	sip_method_t method = sip->sip_request->rq_method;

	if (broken) {
		g_autofree char *phrase = g_strdup_printf("Bad %s Header", broken);

		tl_request_refuse(request, 400, phrase, NULL);
	} else if (!is_sip(url) && url->url_type != url_tel) {
		tl_request_refuse(request, SIP_416_UNSUPPORTED_URI, NULL);
	} else if (method == sip_method_register && !is_sip(sip->sip_to->a_url)) {
		/* RFC 3261 10.2: an address of record is a SIP or SIPS URI */
		tl_request_refuse(request, 400, "Unusable address of record", NULL);
	} else if (sip->sip_to->a_tag) {
		tl_request_refuse(request, SIP_481_NO_TRANSACTION, NULL);
	} else if (method == sip_method_invite && sip->sip_max_forwards &&
		   sip->sip_max_forwards->mf_count == 0) {
		tl_request_refuse(request, SIP_483_TOO_MANY_HOPS, NULL);
	} else {
		return true;
	}
	return false;
}

static void dispatch(struct tl_request *request)
{
	static const char *const none[] = { NULL };
	const struct tl_stack_cfg *cfg = &request->stack->cfg;

	switch (request->sip->sip_request->rq_method) {
	case sip_method_invite:
		cfg->on_invite(request, cfg->user);
		return;
	case sip_method_register:
		if (cfg->on_register)
			cfg->on_register(request, cfg->user);
		else
			tl_request_refuse(request, SIP_405_METHOD_NOT_ALLOWED, NULL);
		return;
	case sip_method_options:
		if (!tl_request_refuse_required(request, none))
			answer_options(request);
		return;
	case sip_method_bye:
	case sip_method_cancel:
	case sip_method_info:
	case sip_method_prack:
	case sip_method_update: /* these belong to something that there isn't */
		tl_request_refuse(request, SIP_481_NO_TRANSACTION, NULL);
		return;
	case sip_method_message:
	case sip_method_subscribe:
	case sip_method_notify:
	case sip_method_refer:
	case sip_method_publish:
		if (cfg->on_other)
			cfg->on_other(request, cfg->user);
		else
			tl_request_refuse(request, SIP_405_METHOD_NOT_ALLOWED, NULL);
		return;
	case sip_method_ack:
	case sip_method_unknown:
	case sip_method_invalid:
	default:
		tl_request_refuse(request, SIP_501_NOT_IMPLEMENTED, NULL);
		return;
	}
}

int tl_stack_on_message(nta_agent_magic_t *magic, nta_agent_t *agent, msg_t *msg, sip_t *sip)
{
	struct tl_stack *stack = (struct tl_stack *)magic;
	struct tl_request request = { .stack = stack, .msg = msg, .sip = sip };

	/* a response, or an ACK, of nothing we know: the latter is never answered */
	if (sip && sip->sip_request && sip->sip_request->rq_method != sip_method_ack) {
		tl_stack_source(stack, msg, &request.source, &request.transport);
		if ((!stack->cfg.admit || stack->cfg.admit(&request, stack->cfg.user)) &&
		    is_acceptable(&request))
			dispatch(&request);
		if (request.irq)
			nta_incoming_destroy(request.irq);
	}
	msg_destroy(msg);
	return 0;
}
