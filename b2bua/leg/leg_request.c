/* Requests of ours inside the dialog, and where they go. */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/sip/hop.h"
#include "b2bua/sip/stack_fork.h"

int tl_leg_take_target(struct tl_leg *leg, const sip_t *sip)
{
	int r = tl_target_check(sip, !leg->incoming);

	if (r < 0)
		return r;
	if (leg->incoming)
		nta_leg_server_route(leg->dialog, sip->sip_record_route, sip->sip_contact);
	else
		nta_leg_client_reroute(leg->dialog, sip->sip_record_route, sip->sip_contact, 1);
	return 0;
}

int tl_leg_check_refresh(const struct tl_leg *leg, const sip_t *sip)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *contact = sip->sip_contact;

	if (!contact)
		return 0; /* RFC 3261 12.2.2 wants one; those who leave it out mean the old one */
	nta_leg_get_route(leg->dialog, &route, NULL);
	if (contact->m_next ||
	    (route ? !tl_uri_is_safe(contact->m_url) : tl_uri_check(contact->m_url) < 0))
		return -EBADMSG;
	return 0;
}

int tl_leg_refresh_target(struct tl_leg *leg, const sip_t *sip)
{
	const sip_contact_t *contact = sip->sip_contact;

	if (tl_leg_check_refresh(leg, sip) < 0)
		return -EBADMSG;
	if (!contact)
		return 0;
	if (leg->incoming)
		nta_leg_server_route(leg->dialog, NULL, contact);
	else
		nta_leg_client_reroute(leg->dialog, NULL, contact, 0);
	return 0;
}

/* Where a request goes first; NULL: nobody knows. */
static const url_t *first_hop(const struct tl_leg *leg, su_home_t *home, const char *hop)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;

	if (hop)
		return url_hdup(home, URL_STRING_MAKE(hop)->us_url);
	nta_leg_get_route(leg->dialog, &route, &target);
	if (route)
		return route->r_url;
	if (target)
		return target->m_url;
	return leg->request ? url_make(home, leg->request->uri) : NULL;
}

/* As the digest must name it: the Request-URI. */
static const char *uri_of(const struct tl_leg *leg, su_home_t *home)
{
	const sip_contact_t *target = NULL;

	nta_leg_get_route(leg->dialog, NULL, &target);
	if (target)
		return url_as_string(home, target->m_url);
	return leg->request ? leg->request->uri : "";
}

static void keep_text(struct tl_leg *leg, char **text, const char *value)
{
	su_free(leg->home, *text);
	*text = su_strdup(leg->home, value);
}

/* RFC 3261 13.2.2.4: the ACK of a 2xx bears the credentials of its INVITE. */
static void keep_credentials(struct tl_leg *leg, const char *authorization, const char *proxy)
{
	keep_text(leg, &leg->authorization, authorization);
	keep_text(leg, &leg->proxy_authorization, proxy);
}

static void log_unsent(const struct tl_leg *leg, const char *method)
{
	static struct tl_log_limit limit;
	unsigned skipped;

	if (tl_log_allow(&limit, &skipped))
		g_message("%s %s could not be sent skipped=%u", leg->id, method, skipped);
}

nta_outgoing_t *tl_leg_send(struct tl_leg *leg, nta_response_f *on_response, sip_method_t method,
			    const char *name, tag_type_t tag, tag_value_t value, ...)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *hop = tl_leg_hop(leg, home), *uri = uri_of(leg, home);
	struct tl_origin origin =
		tl_stack_client_origin(leg->stack, home, first_hop(leg, home, hop), leg->client);
	const char *authorization, *proxy;
	const sip_payload_t *body = NULL;
	nta_outgoing_t *orq;
	ta_list ta;

	ta_start(ta, tag, value);
	tl_gets(ta_args(ta), SIPTAG_PAYLOAD_REF(body), TAG_END());
	authorization = tl_digest_authorization(leg->digest, home, name, uri, body);
	proxy = tl_digest_proxy_authorization(leg->digest, home, name, uri, body);
	if (method == sip_method_invite)
		keep_credentials(leg, authorization, proxy);
	orq = nta_outgoing_tcreate(leg->dialog, on_response, (nta_outgoing_magic_t *)leg,
				   hop ? URL_STRING_MAKE(hop) : NULL, method, name,
				   leg->request ? URL_STRING_MAKE(leg->request->uri) : NULL,
				   TAG_IF(origin.ident, TPTAG_IDENT(origin.ident)),
				   TAG_IF(origin.via, NTATAG_USER_VIA(1)),
				   SIPTAG_VIA_STR(origin.via),
				   SIPTAG_USER_AGENT_STR(leg->stack->user_agent),
				   SIPTAG_AUTHORIZATION_STR(authorization),
				   SIPTAG_PROXY_AUTHORIZATION_STR(proxy), ta_tags(ta));
	(void)ta_end(ta);
	su_home_deinit(home);
	if (!orq)
		log_unsent(leg, name);
	return orq;
}

/* Whatever the answer says, it ends the transaction; that the dialog is gone (RFC 3261 12.2.1.2)
 * ends more. */
void tl_leg_other_done(struct tl_leg *leg, nta_outgoing_t *orq)
{
	int status = nta_outgoing_status(orq);

	g_ptr_array_remove(leg->others, orq);
	if ((status == 408 || status == 481) && leg->state == TL_LEG_UP &&
	    nta_outgoing_method(orq) != sip_method_prack)
		tl_leg_lost(leg, &(struct tl_cause) { .status = status }, true);
	nta_outgoing_destroy(orq);
}

int tl_leg_take_other(struct tl_leg *leg, nta_outgoing_t *orq, const sip_t *sip,
		      tl_leg_other_fn *take)
{
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	tl_leg_enter(leg);
	g_ptr_array_remove(leg->others, orq);
	take(leg, orq, status, sip);
	nta_outgoing_destroy(orq);
	tl_leg_leave(leg);
	return 0;
}

static int on_other_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;

	if (nta_outgoing_status(orq) < 200)
		return 0;
	tl_leg_enter(leg);
	tl_leg_other_done(leg, orq);
	tl_leg_leave(leg);
	return 0;
}

int tl_leg_send_other(struct tl_leg *leg, sip_method_t method, const char *name, tag_type_t tag,
		      tag_value_t value, ...)
{
	nta_outgoing_t *orq;
	ta_list ta;

	ta_start(ta, tag, value);
	orq = tl_leg_send(leg, on_other_response, method, name, ta_tags(ta));
	(void)ta_end(ta);
	if (!orq)
		return -EIO;
	g_ptr_array_add(leg->others, orq);
	return 0;
}

/* Sofia sends it again for each 2xx that comes again, as long as RFC 3261 wants. */
void tl_leg_send_ack(struct tl_leg *leg, const struct tl_media_desc *answer)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *hop = tl_leg_hop(leg, home);
	struct tl_origin origin =
		tl_stack_client_origin(leg->stack, home, first_hop(leg, home, hop), leg->client);
	nta_outgoing_t *ack = nta_outgoing_tcreate(
		leg->dialog, NULL, NULL, hop ? URL_STRING_MAKE(hop) : NULL, SIP_METHOD_ACK,
		leg->request ? URL_STRING_MAKE(leg->request->uri) : NULL,
		SIPTAG_CSEQ(sip_cseq_create(home, leg->invite_cseq, SIP_METHOD_ACK)),
		NTATAG_ACK_BRANCH(leg->branch), TAG_IF(origin.ident, TPTAG_IDENT(origin.ident)),
		TAG_IF(origin.via, NTATAG_USER_VIA(1)), SIPTAG_VIA_STR(origin.via),
		SIPTAG_AUTHORIZATION_STR(leg->authorization),
		SIPTAG_PROXY_AUTHORIZATION_STR(leg->proxy_authorization),
		TAG_IF(answer, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		SIPTAG_PAYLOAD(tl_leg_payload(leg, home, answer, true)), TAG_END());

	if (ack) {
		nta_outgoing_destroy(ack);
		tl_forks_acked(leg->stack->forks, leg->info.call_id, leg->invite_cseq);
	} else {
		log_unsent(leg, "ACK");
	}
	su_home_deinit(home);
}

static int on_bye_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	tl_leg_enter(leg);
	leg->bye = NULL;
	if ((status == 401 || status == 407) && sip && tl_digest_challenged(leg->digest, sip) == 0)
		leg->bye = tl_leg_send(leg, on_bye_response, SIP_METHOD_BYE, TAG_END());
	nta_outgoing_destroy(orq);
	if (!leg->bye)
		tl_leg_set_state(leg, TL_LEG_OVER);
	tl_leg_leave(leg);
	return 0;
}

void tl_leg_send_bye(struct tl_leg *leg, const char *reason)
{
	tl_leg_set_state(leg, TL_LEG_CLOSING);
	leg->bye = tl_leg_send(leg, on_bye_response, SIP_METHOD_BYE, SIPTAG_REASON_STR(reason),
			       SIPTAG_HEADER_STR(leg->closing_headers), TAG_END());
	if (!leg->bye)
		tl_leg_set_state(leg, TL_LEG_OVER);
}
