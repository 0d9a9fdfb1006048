#include "b2bua/event/event_dialog.h"
#include <errno.h>
#include <glib.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/event/package.h"
#include "b2bua/sip/hop.h"
#include "b2bua/sip/stack.h"

struct tl_event_dialog {
	struct tl_stack *stack;
	su_home_t home[1];
	nta_leg_t *leg;
	void *magic;
	char *contact;
	char *next_hop; /* of a watcher behind a NAT, or NULL */
	enum tl_transport transport;
	/* as they stand in our requests, for another process */
	const char *call_id, *local, *remote, *tag, *routes;
	uint32_t remote_cseq;
};

/* A watcher behind a NAT that has another way now. */
static void on_rehop(void *user, const char *old_hop, const char *hop)
{
	struct tl_event_dialog *dialog = user;

	if (!hop || g_strcmp0(dialog->next_hop, old_hop) != 0)
		return;
	su_free(dialog->home, dialog->next_hop);
	dialog->next_hop = su_strdup(dialog->home, hop);
}

void tl_event_dialog_free(struct tl_event_dialog *dialog)
{
	if (!dialog)
		return;
	tl_stack_unfollow(dialog->stack, dialog);
	if (dialog->leg)
		nta_leg_destroy(dialog->leg);
	su_home_deinit(dialog->home);
	g_free(dialog);
}

static char *join_routes(su_home_t *home, const sip_record_route_t *routes)
{
	char *text = NULL;

	for (; routes; routes = routes->r_next)
		text = su_sprintf(home, "%s%s<%s>", text ? text : "", text ? ", " : "",
				  url_as_string(home, routes->r_url));
	return text;
}

static void note_texts(struct tl_event_dialog *dialog, const sip_t *sip, const sip_to_t *local)
{
	dialog->call_id = su_strdup(dialog->home, sip->sip_call_id->i_id);
	dialog->local = sip_header_as_string(dialog->home, (const sip_header_t *)local);
	dialog->remote = sip_header_as_string(dialog->home, (const sip_header_t *)sip->sip_from);
	dialog->tag = su_strdup(dialog->home, local->a_tag);
	dialog->routes = join_routes(dialog->home, sip->sip_record_route);
	dialog->remote_cseq = sip->sip_cseq->cs_seq;
}

static int make_leg(struct tl_event_dialog *dialog, struct tl_request *request,
		    nta_request_f *on_request)
{
	nta_agent_t *agent = tl_stack_agent(dialog->stack);
	const sip_t *sip = request->sip;
	sip_to_t *local = sip_to_dup(dialog->home, sip->sip_to);
	const char *tag = nta_agent_newtag(dialog->home, "tag=%s", agent);

	/* tagged before NTA knows it, so that a request without a To tag never matches it */
	if (!local || sip_to_tag(dialog->home, local, tag) < 0)
		return -ENOMEM;
	dialog->leg =
		nta_leg_tcreate(agent, on_request, (nta_leg_magic_t *)dialog->magic,
				SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM((sip_from_t *)local),
				SIPTAG_TO((sip_to_t *)sip->sip_from),
				NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
	if (!dialog->leg || !nta_incoming_tag(request->irq, local->a_tag))
		return -ENOMEM;
	nta_leg_server_route(dialog->leg, sip->sip_record_route, sip->sip_contact);
	note_texts(dialog, sip, local);
	return 0;
}

int tl_event_dialog_new(struct tl_request *request, const char *user, nta_request_f *on_request,
			void *magic, struct tl_event_dialog **ret_dialog)
{
	const struct sockaddr *source = (const struct sockaddr *)&request->source;
	struct tl_event_dialog *dialog;
	int r;

	if (tl_target_check(request->sip, false) < 0)
		return -EBADMSG;
	dialog = g_new0(struct tl_event_dialog, 1);
	su_home_init(dialog->home);
	dialog->stack = request->stack;
	dialog->magic = magic;
	dialog->transport = request->transport;
	dialog->next_hop =
		tl_hop_through_nat(dialog->home, request->sip, source, request->transport);
	dialog->contact =
		tl_stack_contact(request->stack, dialog->home, user, request->transport, source);
	r = make_leg(dialog, request, on_request);
	if (r < 0) {
		tl_event_dialog_free(dialog);
		return r;
	}
	tl_stack_follow(dialog->stack, on_rehop, dialog);
	*ret_dialog = dialog;
	return 0;
}

/* --- in another process --- */

void tl_event_dialog_took(struct tl_event_dialog *dialog, const struct tl_request *request)
{
	dialog->remote_cseq = request->sip->sip_cseq->cs_seq;
	dialog->transport = request->transport;
	su_free(dialog->home, dialog->next_hop);
	dialog->next_hop =
		tl_hop_through_nat(dialog->home, request->sip,
				   (const struct sockaddr *)&request->source, request->transport);
}

const char *tl_event_dialog_id(const struct tl_event_dialog *dialog)
{
	return dialog->tag;
}

json_t *tl_event_dialog_save(const struct tl_event_dialog *dialog)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_contact_t *target = NULL;
	json_t *json = NULL;

	nta_leg_get_route(dialog->leg, NULL, &target);
	if (target)
		json = json_pack("{s:s, s:s, s:s, s:s*, s:s, s:s*, s:s, s:I}", "call_id",
				 dialog->call_id, "local", dialog->local, "remote", dialog->remote,
				 "routes", dialog->routes, "target",
				 url_as_string(home, target->m_url), "hop", dialog->next_hop,
				 "transport", tl_transport_name(dialog->transport), "cseq",
				 (json_int_t)dialog->remote_cseq);
	su_home_deinit(home);
	return json;
}

static const char *text_of(struct tl_event_dialog *dialog, const json_t *saved, const char *key)
{
	return su_strdup(dialog->home, json_string_value(json_object_get(saved, key)));
}

static enum tl_transport transport_named(const char *name)
{
	for (int t = 0; t < _TL_TRANSPORT_MAX; t++)
		if (g_strcmp0(name, tl_transport_name((enum tl_transport)t)) == 0)
			return (enum tl_transport)t;
	return TL_TRANSPORT_UDP;
}

/* The same checks as when it was new: a file is not above suspicion either. */
static int restore_leg(struct tl_event_dialog *dialog, const json_t *saved, uint32_t cseq,
		       nta_request_f *on_request)
{
	su_home_t *home = dialog->home;
	const char *uri = text_of(dialog, saved, "target");
	sip_contact_t *target = uri ? sip_contact_make(home, su_sprintf(home, "<%s>", uri)) : NULL;
	sip_record_route_t *routes =
		dialog->routes ? sip_record_route_make(home, dialog->routes) : NULL;
	sip_to_t *local = dialog->local ? sip_to_make(home, dialog->local) : NULL;
	sip_from_t *remote = dialog->remote ? sip_from_make(home, dialog->remote) : NULL;

	if (!dialog->call_id || !target || !local || !local->a_tag || !remote || !remote->a_tag ||
	    (dialog->routes && !routes))
		return -EBADMSG;
	if (routes ? tl_uri_check(routes->r_url) < 0 || !tl_uri_is_safe(target->m_url)
		   : tl_uri_check(target->m_url) < 0)
		return -EBADMSG;
	dialog->tag = local->a_tag;
	dialog->leg = nta_leg_tcreate(
		tl_stack_agent(dialog->stack), on_request, (nta_leg_magic_t *)dialog->magic,
		SIPTAG_CALL_ID_STR(dialog->call_id), SIPTAG_FROM((sip_from_t *)local),
		SIPTAG_TO((sip_to_t *)remote), NTATAG_REMOTE_CSEQ(dialog->remote_cseq),
		SIPTAG_CSEQ_STR(su_sprintf(home, "%u SUBSCRIBE", cseq)), TAG_END());
	if (!dialog->leg)
		return -EBADMSG;
	nta_leg_server_route(dialog->leg, routes, target);
	return 0;
}

int tl_event_dialog_restore(struct tl_stack *stack, const json_t *saved, const char *user,
			    const struct sockaddr *source, uint32_t cseq, nta_request_f *on_request,
			    void *magic, struct tl_event_dialog **ret_dialog)
{
	struct tl_event_dialog *dialog = g_new0(struct tl_event_dialog, 1);
	int r;

	su_home_init(dialog->home);
	dialog->stack = stack;
	dialog->magic = magic;
	dialog->call_id = text_of(dialog, saved, "call_id");
	dialog->local = text_of(dialog, saved, "local");
	dialog->remote = text_of(dialog, saved, "remote");
	dialog->routes = text_of(dialog, saved, "routes");
	dialog->next_hop = (char *)text_of(dialog, saved, "hop");
	dialog->transport = transport_named(text_of(dialog, saved, "transport"));
	dialog->remote_cseq = (uint32_t)json_integer_value(json_object_get(saved, "cseq"));
	dialog->contact = tl_stack_contact(stack, dialog->home, user, dialog->transport, source);
	r = restore_leg(dialog, saved, cseq, on_request);
	if (r < 0) {
		tl_event_dialog_free(dialog);
		return r;
	}
	tl_stack_follow(dialog->stack, on_rehop, dialog);
	*ret_dialog = dialog;
	return 0;
}

/* --- its verbs --- */

const char *tl_event_dialog_contact(const struct tl_event_dialog *dialog)
{
	return dialog->contact;
}

int tl_event_dialog_retarget(struct tl_event_dialog *dialog, const sip_t *sip)
{
	const sip_contact_t *contact = sip->sip_contact;
	const sip_route_t *route = NULL;

	if (!contact)
		return 0; /* those who leave it out mean the old one */
	nta_leg_get_route(dialog->leg, &route, NULL);
	if (contact->m_next ||
	    (route ? !tl_uri_is_safe(contact->m_url) : tl_uri_check(contact->m_url) < 0))
		return -EBADMSG;
	nta_leg_server_route(dialog->leg, NULL, contact);
	return 0;
}

/* Where it goes first: *ret_url, and the hop to be named, or NULL where the dialog says it. */
static const char *hop_of(const struct tl_event_dialog *dialog, su_home_t *home,
			  const url_t **ret_url)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;
	const char *hop;

	nta_leg_get_route(dialog->leg, &route, &target);
	if (!route && dialog->next_hop)
		hop = dialog->next_hop;
	else
		hop = tl_hop_explicit(home, route ? route->r_url : target->m_url,
				      dialog->transport);
	*ret_url = hop ? url_make(home, hop) : route ? route->r_url : target->m_url;
	return hop;
}

nta_outgoing_t *tl_event_dialog_notify(struct tl_event_dialog *dialog,
				       const struct tl_notify *notify, nta_response_f *on_response)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const url_t *url;
	const char *hop = hop_of(dialog, home, &url);
	struct tl_origin origin = tl_stack_origin(dialog->stack, home, url);
	nta_outgoing_t *orq = nta_outgoing_tcreate(
		dialog->leg, on_response, (nta_outgoing_magic_t *)dialog->magic,
		hop ? URL_STRING_MAKE(hop) : NULL, SIP_METHOD_NOTIFY, NULL,
		TAG_IF(origin.ident, TPTAG_IDENT(origin.ident)),
		TAG_IF(origin.via, NTATAG_USER_VIA(1)), SIPTAG_VIA_STR(origin.via),
		SIPTAG_MAX_FORWARDS_STR("70"), SIPTAG_CONTACT_STR(dialog->contact),
		SIPTAG_EVENT_STR(notify->event), SIPTAG_SUBSCRIPTION_STATE_STR(notify->state),
		SIPTAG_ALLOW_EVENTS_STR(TL_ALLOW_EVENTS), SIPTAG_USER_AGENT_STR(notify->user_agent),
		TAG_IF(notify->body, SIPTAG_CONTENT_TYPE_STR(notify->content_type)),
		TAG_IF(notify->body, SIPTAG_PAYLOAD_STR(notify->body)), TAG_END());

	su_home_deinit(home);
	return orq;
}
