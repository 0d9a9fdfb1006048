/* A request outside dialogs: answered in passing, or taken. */
#include "b2bua/sip/request.h"
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack_priv.h"

enum {
	QUOTED_BYTES = 64,
	TAG_BYTES = 16, /* of a To tag, without its end */
};

static void log_refused(const struct tl_request *request, int status, const char *phrase)
{
	char source[TL_ADDRESS_BYTES], method[QUOTED_BYTES], what[QUOTED_BYTES];
	unsigned skipped;

	if (!tl_log_allow(&request->stack->refused_limit, &skipped))
		return;
	g_message("request refused method=\"%s\" src=%s status=%d phrase=\"%s\" skipped=%u",
		  tl_log_quote(request->sip->sip_request->rq_method_name, method, sizeof(method)),
		  tl_address_text((const struct sockaddr *)&request->source, source), status,
		  tl_log_quote(phrase, what, sizeof(what)), skipped);
}

/* RFC 3261 8.2.7: the same for a retransmission, and nobody else can know it. */
static sip_to_t *tagged_to(const struct tl_request *request, su_home_t *home)
{
	const sip_t *sip = request->sip;
	sip_to_t *to = sip_to_dup(home, sip->sip_to);
	g_autofree char *text = NULL, *tag = NULL;

	if (!to || to->a_tag)
		return to;
	text = g_strdup_printf("%s %s %u %s", sip->sip_call_id->i_id,
			       sip->sip_from->a_tag ? sip->sip_from->a_tag : "",
			       sip->sip_cseq->cs_seq,
			       sip->sip_via->v_branch ? sip->sip_via->v_branch : "");
	tag = g_compute_hmac_for_string(G_CHECKSUM_SHA1, request->stack->tag_key,
					sizeof(request->stack->tag_key), text, -1);
	tag[TAG_BYTES] = '\0';
	sip_to_tag(home, to, tag);
	return to;
}

void tl_request_reply(struct tl_request *request, int status, const char *phrase, tag_type_t tag,
		      tag_value_t value, ...)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *server = request->stack->user_agent;
	ta_list ta;

	if (request->answered)
		return;
	request->answered = true;
	if (!phrase)
		phrase = sip_status_phrase(status);
	ta_start(ta, tag, value);
	if (request->irq) {
		nta_incoming_treply(request->irq, status, phrase, SIPTAG_SERVER_STR(server),
				    ta_tags(ta));
		nta_incoming_destroy(g_steal_pointer(&request->irq));
	} else {
		(void)nta_msg_treply(request->stack->agent, msg_ref(request->msg), status, phrase,
				     SIPTAG_TO(tagged_to(request, home)), SIPTAG_SERVER_STR(server),
				     ta_tags(ta));
	}
	ta_end(ta);
	su_home_deinit(home);
}

void tl_request_refuse(struct tl_request *request, int status, const char *phrase,
		       const char *warning)
{
	g_autofree char *header = NULL;

	if (warning)
		header = g_strdup_printf("399 twinleg \"%s\"", warning);
	if (!phrase)
		phrase = sip_status_phrase(status);
	log_refused(request, status, phrase);
	tl_request_reply(request, status, phrase,
			 TAG_IF(status == 405 || status == 501, SIPTAG_ALLOW_STR(TL_ALLOW)),
			 TAG_IF(status == 415, SIPTAG_ACCEPT_STR(TL_ACCEPT)),
			 /* RFC 3261 21.4.13 */
			 TAG_IF(status == 415 && request->sip->sip_content_encoding,
				SIPTAG_ACCEPT_ENCODING_STR("identity")),
			 SIPTAG_WARNING_STR(header), TAG_END());
}

static bool is_in(const char *const *list, const char *item)
{
	for (; *list; list++)
		if (g_ascii_strcasecmp(*list, item) == 0)
			return true;
	return false;
}

char *tl_missing_extensions(const sip_t *sip, const char *const *supported)
{
	g_autoptr(GString) missing = g_string_new(NULL);

	for (const sip_require_t *h = sip->sip_require; h; h = (const sip_require_t *)h->k_next)
		for (size_t i = 0; h->k_items && h->k_items[i]; i++)
			if (!is_in(supported, h->k_items[i]))
				g_string_append_printf(missing, "%s%s", missing->len ? ", " : "",
						       h->k_items[i]);
	return missing->len ? g_strdup(missing->str) : NULL;
}

bool tl_request_refuse_required(struct tl_request *request, const char *const *supported)
{
	g_autofree char *missing = tl_missing_extensions(request->sip, supported);

	if (!missing)
		return false;
	log_refused(request, SIP_420_BAD_EXTENSION);
	tl_request_reply(request, SIP_420_BAD_EXTENSION, SIPTAG_UNSUPPORTED_STR(missing),
			 TAG_END());
	return true;
}

bool tl_request_take(struct tl_request *request)
{
	if (request->irq)
		return true;
	request->irq = nta_incoming_create(request->stack->agent, NULL, msg_ref(request->msg), NULL,
					   TAG_END());
	if (!request->irq)
		tl_request_refuse(request, SIP_500_INTERNAL_SERVER_ERROR, NULL);
	return request->irq != NULL;
}

nta_incoming_t *tl_request_steal(struct tl_request *request)
{
	request->answered = true;
	return g_steal_pointer(&request->irq);
}

bool tl_request_of_dialog(struct tl_stack *stack, nta_incoming_t *irq, const sip_t *sip,
			  struct tl_request *ret_request)
{
	const char *broken = tl_guard_broken_header(sip);

	if (sip->sip_request->rq_method == sip_method_ack) {
		nta_incoming_destroy(irq);
		return false;
	}
	*ret_request = (struct tl_request) {
		.stack = stack, .msg = nta_incoming_getrequest(irq), .sip = sip, .irq = irq
	};
	tl_stack_source(stack, ret_request->msg, &ret_request->source, &ret_request->transport);
	if (broken) {
		g_autofree char *phrase = g_strdup_printf("Bad %s Header", broken);

		tl_request_refuse(ret_request, 400, phrase, NULL);
		tl_request_done(ret_request);
		return false;
	}
	return true;
}

void tl_request_done(struct tl_request *request)
{
	if (request->irq)
		nta_incoming_destroy(g_steal_pointer(&request->irq));
	msg_destroy(request->msg);
}
