/* Requests outside dialogs: what can be judged without knowing a caller. */
#include "b2bua/sip/stack_priv.h"
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include "b2bua/sip/address.h"

enum { QUOTED_BYTES = 64 };

static void log_refused(struct tl_stack *stack, nta_incoming_t *irq, int status, const char *phrase)
{
	char source[TL_ADDRESS_BYTES], method[QUOTED_BYTES], what[QUOTED_BYTES];
	struct sockaddr_storage from;
	enum tl_transport transport;
	unsigned skipped;

	if (!tl_log_allow(&stack->refused_limit, &skipped))
		return;
	tl_stack_source(stack, irq, &from, &transport);
	g_message("request refused method=\"%s\" src=%s status=%d phrase=\"%s\" skipped=%u",
		  tl_log_quote(nta_incoming_method_name(irq), method, sizeof(method)),
		  tl_address_text((struct sockaddr *)&from, source), status,
		  tl_log_quote(phrase, what, sizeof(what)), skipped);
}

void tl_stack_refuse(struct tl_stack *stack, nta_incoming_t *irq, int status, const char *phrase,
		     const char *warning)
{
	g_autofree char *header = NULL;

	if (warning)
		header = g_strdup_printf("399 twinleg \"%s\"", warning);
	if (!phrase)
		phrase = sip_status_phrase(status);
	log_refused(stack, irq, status, phrase);
	nta_incoming_treply(irq, status, phrase, SIPTAG_SERVER_STR(stack->user_agent),
			    TAG_IF(status == 405 || status == 501, SIPTAG_ALLOW_STR(TL_ALLOW)),
			    TAG_IF(status == 415, SIPTAG_ACCEPT_STR(TL_ACCEPT)),
			    SIPTAG_WARNING_STR(header), TAG_END());
	nta_incoming_destroy(irq);
}

static bool is_in(const char *const *list, const char *item)
{
	for (; *list; list++)
		if (g_ascii_strcasecmp(*list, item) == 0)
			return true;
	return false;
}

bool tl_stack_refuse_required(struct tl_stack *stack, nta_incoming_t *irq, const sip_t *sip,
			      const char *const *supported)
{
	g_autoptr(GString) missing = g_string_new(NULL);

	for (const sip_require_t *h = sip->sip_require; h; h = (const sip_require_t *)h->k_next)
		for (size_t i = 0; h->k_items && h->k_items[i]; i++)
			if (!is_in(supported, h->k_items[i]))
				g_string_append_printf(missing, "%s%s", missing->len ? ", " : "",
						       h->k_items[i]);
	if (missing->len == 0)
		return false;
	log_refused(stack, irq, SIP_420_BAD_EXTENSION);
	nta_incoming_treply(irq, SIP_420_BAD_EXTENSION, SIPTAG_UNSUPPORTED_STR(missing->str),
			    SIPTAG_SERVER_STR(stack->user_agent), TAG_END());
	nta_incoming_destroy(irq);
	return true;
}

static void answer_options(struct tl_stack *stack, nta_incoming_t *irq)
{
	unsigned wait_s = stack->cfg.overloaded ? stack->cfg.overloaded(stack->cfg.user) : 0;
	g_autofree char *retry_after = g_strdup_printf("%u", wait_s);

	nta_incoming_treply(
		irq, wait_s ? 503 : 200, wait_s ? sip_503_Service_unavailable : sip_200_OK,
		SIPTAG_ALLOW_STR(TL_ALLOW ", REGISTER"), SIPTAG_ACCEPT_STR(TL_ACCEPT),
		SIPTAG_SUPPORTED_STR(TL_SUPPORTED), SIPTAG_SERVER_STR(stack->user_agent),
		TAG_IF(wait_s, SIPTAG_RETRY_AFTER_STR(retry_after)), TAG_END());
	nta_incoming_destroy(irq);
}

/* What a request must be before anybody looks into it. False: it has been answered. */
static bool is_acceptable(struct tl_stack *stack, nta_incoming_t *irq, const sip_t *sip)
{
	const url_t *url = sip->sip_request->rq_url;
	const char *broken = tl_guard_broken_header(sip);
	sip_method_t method = sip->sip_request->rq_method;

	if (broken) {
		g_autofree char *phrase = g_strdup_printf("Bad %s Header", broken);

		tl_stack_refuse(stack, irq, 400, phrase, NULL);
	} else if (!sip->sip_from->a_tag) { /* RFC 3261 8.1.1.3; without it no dialog can be told */
		tl_stack_refuse(stack, irq, 400, "Missing From Tag", NULL);
	} else if (url->url_type != url_sip && url->url_type != url_tel) {
		tl_stack_refuse(stack, irq, SIP_416_UNSUPPORTED_URI, NULL);
	} else if (sip->sip_to->a_tag) {
		tl_stack_refuse(stack, irq, SIP_481_NO_TRANSACTION, NULL);
	} else if (method == sip_method_invite && sip->sip_max_forwards &&
		   sip->sip_max_forwards->mf_count == 0) {
		tl_stack_refuse(stack, irq, SIP_483_TOO_MANY_HOPS, NULL);
	} else {
		return true;
	}
	return false;
}

static void dispatch(struct tl_stack *stack, nta_incoming_t *irq, const sip_t *sip)
{
	static const char *const none[] = { NULL };
	const struct tl_stack_cfg *cfg = &stack->cfg;

	switch (sip->sip_request->rq_method) {
	case sip_method_invite:
		cfg->on_invite(irq, sip, cfg->user);
		return;
	case sip_method_register:
		if (cfg->on_register)
			cfg->on_register(irq, sip, cfg->user);
		else
			tl_stack_refuse(stack, irq, SIP_405_METHOD_NOT_ALLOWED, NULL);
		return;
	case sip_method_options:
		if (!tl_stack_refuse_required(stack, irq, sip, none))
			answer_options(stack, irq);
		return;
	case sip_method_bye:
	case sip_method_cancel:
	case sip_method_info:
	case sip_method_prack:
	case sip_method_update:
	case sip_method_notify: /* these belong to something that there isn't */
		tl_stack_refuse(stack, irq, SIP_481_NO_TRANSACTION, NULL);
		return;
	case sip_method_message:
	case sip_method_subscribe:
	case sip_method_refer:
	case sip_method_publish:
		if (cfg->on_other)
			cfg->on_other(irq, sip, cfg->user);
		else
			tl_stack_refuse(stack, irq, SIP_405_METHOD_NOT_ALLOWED, NULL);
		return;
	case sip_method_ack:
	case sip_method_unknown:
	case sip_method_invalid:
	default:
		tl_stack_refuse(stack, irq, SIP_501_NOT_IMPLEMENTED, NULL);
		return;
	}
}

int tl_stack_on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq,
			const sip_t *sip)
{
	struct tl_stack *stack = (struct tl_stack *)magic;

	if (sip->sip_request->rq_method == sip_method_ack)
		nta_incoming_destroy(irq); /* of nothing we know; an ACK is never answered */
	else if (is_acceptable(stack, irq, sip))
		dispatch(stack, irq, sip);
	return 0;
}
