#include "b2bua/message/pager.h"
#include <string.h>
#include <glib.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_wait.h>
#include "b2bua/message/courier.h"
#include "b2bua/message/sender.h"
#include "b2bua/log.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/headers.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "b2bua/trunk/trunk.h"

enum {
	CONTACTS = 8, /* of one extension */
	COPIES = 32,  /* of one message under way at once */
	/* The sender gives up after 32 s (RFC 3261 17.1.2.2) and must have been told by then; a
	 * 408 would be of no use to it (RFC 4320 4.2). */
	ALL_MS = 16000,
	STEP_MS = 5000, /* for a step that another follows */
};

/* What goes with the text (RFC 3428 10), beside what crosses on calls, too. */
static const char *const carried[] = { "Subject",  "Date",        "In-Reply-To",
				       "Reply-To", "Priority",    "Conversation-ID",
				       "Expires",  "MIME-Version" };

struct tl_pager {
	struct tl_pager_cfg cfg; /* dp: a reference */
	GHashTable *deliveries;  /* struct delivery, a set */
};

/* One message on its way. */
struct delivery {
	struct tl_pager *pager;
	nta_incoming_t *irq;
	struct tl_decision *decision;
	su_home_t home[1];
	sip_payload_t *body;
	struct tl_sender sender;
	char *content_type, *headers, *source;
	unsigned max_forwards;
	size_t step;
	GPtrArray *couriers; /* struct tl_courier */
	int best;            /* of the refusals so far; 0: none */
	su_timer_t *timer;
	int64_t until_ms;
};

static int64_t now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

static const struct tl_gateway *gateway_of(const struct tl_pager *pager)
{
	return tl_dialplan_gateway(pager->cfg.dp);
}

/* --- the end --- */

static void delivery_free(struct delivery *d)
{
	tl_timer_stop(&d->timer);
	g_ptr_array_free(d->couriers, TRUE);
	tl_decision_free(d->decision);
	su_home_deinit(d->home);
	g_free(d);
}

static void finish(struct delivery *d, int status)
{
	char callee[96];

	g_message("message from=%s to=\"%s\" route=%s status=%d", d->source,
		  tl_log_quote(d->decision->callee, callee, sizeof(callee)),
		  *d->decision->route ? d->decision->route : "none", status);
	nta_incoming_treply(d->irq, status, sip_status_phrase(status),
			    SIPTAG_SERVER_STR(gateway_of(d->pager)->user_agent), TAG_END());
	nta_incoming_destroy(d->irq);
	g_hash_table_remove(d->pager->deliveries, d);
	delivery_free(d);
}

/* What to tell of a refusal: what is between us and the target is not the sender's. */
static int shown(int status)
{
	switch (status) {
	case 401:
	case 407:
		return 403;
	case 408: /* RFC 4320 4.2 */
	case 481:
	case 503: /* RFC 3261 16.7: it is the target that is out of service */
		return 480;
	default:
		return status < 300 ? 200 : status < 400 ? 480 : status;
	}
}

static int rank(int status)
{
	return status >= 600 ? 4 : status == 480 ? 2 : status >= 500 ? 1 : status ? 3 : 0;
}

static void note(struct delivery *d, int status)
{
	status = shown(status);
	if (rank(status) > rank(d->best))
		d->best = status;
}

/* --- the targets --- */

static void next_step(struct delivery *d);

static void on_answer(struct tl_courier *courier, int status, const char *phrase, void *user)
{
	struct delivery *d = user;

	if (status < 300) { /* RFC 3428 6: the first 2xx is the sender's */
		finish(d, status);
		return;
	}
	note(d, status);
	g_ptr_array_remove(d->couriers, courier);
	if (d->couriers->len == 0)
		next_step(d);
}

static void send_copy(struct delivery *d, struct tl_errand *errand)
{
	struct tl_courier *courier;

	if (d->couriers->len >= COPIES)
		return;
	errand->method = sip_method_message;
	errand->method_name = sip_method_name_message;
	errand->from.user = d->sender.withheld ? "" : d->sender.user;
	errand->from.name = d->sender.name;
	errand->domain = gateway_of(d->pager)->domain;
	errand->user_agent = gateway_of(d->pager)->user_agent;
	if (!errand->headers)
		errand->headers = d->headers;
	errand->content_type = d->content_type;
	errand->body = d->body;
	errand->max_forwards = d->max_forwards;
	if (tl_courier_send(d->pager->cfg.stack, errand, on_answer, d, &courier) < 0)
		note(d, 480);
	else
		g_ptr_array_add(d->couriers, courier);
}

static void send_to_extension(struct delivery *d, const struct tl_extension_cfg *extension)
{
	struct tl_binding bindings[CONTACTS];
	size_t n =
		tl_registrar_lookup(d->pager->cfg.registrar, extension->number, bindings, CONTACTS);

	if (n == 0)
		note(d, 480);
	for (size_t i = 0; i < n; i++)
		send_copy(d, &(struct tl_errand) {
				     .request_uri = bindings[i].contact,
				     .route = bindings[i].route,
				     .to = { .name = extension->name, .user = extension->number },
			     });
}

static void on_server_failed(const char *trunk, const char *hop, void *user)
{
	struct tl_pager *pager = user;

	tl_trunk_blame(pager->cfg.trunks, trunk, hop);
}

/* The lines of the sender's, and who it is where the trunk wants to read that. */
static const char *headers_to(struct delivery *d, const struct tl_trunk_cfg *trunk, su_home_t *home)
{
	const struct tl_party shown = { .user = d->sender.user, .name = d->sender.name };
	const char *address = tl_party_format(home, &shown, gateway_of(d->pager)->domain);
	g_autoptr(GString) lines = g_string_new(NULL);

	if (*d->sender.user)
		tl_identity_append(lines, trunk->identity, trunk->trust, address,
				   d->sender.withheld);
	g_string_append(lines, d->headers ? d->headers : "");
	return lines->len ? su_strdup(home, lines->str) : NULL;
}

static void send_to_trunk(struct delivery *d, const struct tl_trunk_cfg *trunk)
{
	struct tl_trunks *trunks = d->pager->cfg.trunks;
	g_autoptr(GPtrArray) hops = tl_trunk_hops(trunks, trunk->name);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *host = tl_host_format(home, trunk->host);
	const char *user = tl_user_escape(home, d->decision->callee);
	const char *port = trunk->port ? su_sprintf(home, ":%u", trunk->port) : "";
	bool plain =
		trunk->transport == _TL_TRANSPORT_INVALID || trunk->transport == TL_TRANSPORT_UDP;

	send_copy(d, &(struct tl_errand) {
			     .request_uri =
				     su_sprintf(home, "sip:%s@%s%s%s%s", user, host, port,
						plain ? "" : ";transport=",
						plain ? "" : tl_transport_name(trunk->transport)),
			     .headers = headers_to(d, trunk, home),
			     .route = tl_trunk_route(trunks, trunk->name),
			     .hops = hops,
			     .silence_ms = trunk->failover_s * 1000,
			     .on_failed = on_server_failed,
			     .failed_user = d->pager,
			     /* a carrier that knows us by an account wants its own domain */
			     .from = { .host = trunk->user ? trunk->host : NULL },
			     .to = { .user = d->decision->callee, .host = trunk->host },
			     .client = trunk->name,
			     .auth_user = trunk->user,
			     .auth_password = trunk->password,
		     });
	su_home_deinit(home);
}

static void send_to_step(struct delivery *d, const struct tl_ring_step *step)
{
	for (size_t i = 0; i < step->n_targets; i++) {
		const struct tl_ring_target *target = &step->targets[i];

		if (target->kind == TL_TARGET_EXTENSION)
			send_to_extension(d, target->extension);
		else if (target->kind == TL_TARGET_TRUNK)
			send_to_trunk(d, target->trunk);
	}
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct delivery *d = (struct delivery *)arg;

	note(d, 480);
	g_ptr_array_set_size(d->couriers, 0);
	next_step(d);
}

/* Tries what is left, one step after another, as far as the time reaches. */
static void next_step(struct delivery *d)
{
	const struct tl_decision *decision = d->decision;
	int64_t left_ms = d->until_ms - now_ms();

	while (d->couriers->len == 0 && d->step < decision->n_steps && left_ms > 0)
		send_to_step(d, &decision->steps[d->step++]);
	if (d->couriers->len == 0) {
		finish(d, d->best ? d->best : 480);
		return;
	}
	if (d->step < decision->n_steps)
		left_ms = MIN(left_ms, (int64_t)STEP_MS);
	tl_timer_start(&d->timer, tl_stack_root(d->pager->cfg.stack), (unsigned)MAX(left_ms, 1),
		       on_timer, d);
}

/* --- what came --- */

static bool is_carried(const struct tl_decision *decision, const char *name)
{
	enum tl_header_fate fate = tl_decision_header(decision, name);

	if (fate != TL_HEADER_DEFAULT)
		return fate == TL_HEADER_CARRY;
	for (size_t i = 0; i < G_N_ELEMENTS(carried); i++)
		if (g_ascii_strcasecmp(name, carried[i]) == 0)
			return true;
	return tl_header_crosses(name);
}

static void add_content_header(su_home_t *home, GString *text, const char *name, const void *header)
{
	const char *value = header ? sip_header_as_string(home, header) : NULL;

	if (value && strlen(value) < TL_HEADER_BYTES && !strpbrk(value, "\r\n"))
		g_string_append_printf(text, "%s: %s\r\n", name, value);
}

static char *collect_headers(su_home_t *home, const sip_t *sip, const struct tl_decision *decision)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct tl_header_set came, kept = { 0 };
	const char *cross;

	for (size_t i = 0; i < decision->n_add_headers && kept.n < TL_HEADERS_MAX; i++)
		kept.v[kept.n++] = (struct tl_header) { decision->add_headers[i].name,
							decision->add_headers[i].value };
	tl_headers_collect(home, sip, &came);
	for (size_t i = 0; i < came.n && kept.n < TL_HEADERS_MAX; i++)
		if (is_carried(decision, came.v[i].name))
			kept.v[kept.n++] = came.v[i];
	cross = tl_headers_format(home, kept.v, kept.n);
	g_string_append(text, cross ? cross : "");
	add_content_header(home, text, "Content-Language", sip->sip_content_language);
	add_content_header(home, text, "Content-Disposition", sip->sip_content_disposition);
	return text->len ? su_strdup(home, text->str) : NULL;
}

/* Takes decision. */
static void deliver(struct tl_pager *pager, struct tl_request *request,
		    struct tl_decision *decision, const struct tl_source *source,
		    const char *caller)
{
	const sip_t *sip = request->sip;
	struct delivery *d;

	if (g_hash_table_size(pager->deliveries) >= TL_PAGER_DELIVERIES) {
		tl_request_reply(request, 503, "Too many messages", SIPTAG_RETRY_AFTER_STR("10"),
				 TAG_END());
		tl_decision_free(decision);
		return;
	}
	if (!tl_request_take(request)) {
		tl_decision_free(decision);
		return;
	}
	d = g_new0(struct delivery, 1);
	su_home_init(d->home);
	d->pager = pager;
	d->decision = decision;
	d->couriers = g_ptr_array_new_with_free_func((GDestroyNotify)tl_courier_free);
	d->until_ms = now_ms() + ALL_MS;
	d->max_forwards = sip->sip_max_forwards ? (unsigned)sip->sip_max_forwards->mf_count : 70;
	d->max_forwards = MIN(d->max_forwards, 70u) - 1;
	d->body = sip_payload_dup(d->home, sip->sip_payload);
	d->content_type =
		sip_header_as_string(d->home, (const sip_header_t *)sip->sip_content_type);
	d->headers = collect_headers(d->home, sip, decision);
	tl_sender_read(d->home, sip, source, decision, caller, &d->sender);
	d->source = su_sprintf(d->home, "%s:%s", tl_source_kind_name(source->kind),
			       source->kind == TL_SOURCE_TRUNK ? source->trunk->name
							       : source->extension->number);
	d->irq = tl_request_steal(request);
	g_hash_table_add(pager->deliveries, d);
	next_step(d);
}

static void redirect(struct tl_request *request, const struct tl_decision *decision)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autoptr(GString) contacts = g_string_new(NULL);

	for (size_t i = 0; i < decision->n_redirects; i++)
		if (decision->redirects[i].uri)
			g_string_append_printf(contacts, "%s<%s>", contacts->len ? ", " : "",
					       decision->redirects[i].uri);
	if (contacts->len)
		tl_request_reply(request, 302, NULL, SIPTAG_CONTACT_STR(contacts->str), TAG_END());
	else
		tl_request_refuse(request, SIP_480_TEMPORARILY_UNAVAILABLE, NULL);
	su_home_deinit(home);
}

/* Takes decision. */
static void carry_out(struct tl_pager *pager, struct tl_request *request,
		      struct tl_decision *decision, const struct tl_source *source,
		      const char *caller)
{
	switch (decision->verdict) {
	case TL_VERDICT_RING:
		deliver(pager, request, decision, source, caller);
		return;
	case TL_VERDICT_REJECT:
		tl_request_refuse(request, decision->status, decision->reason, NULL);
		break;
	case TL_VERDICT_REDIRECT:
		redirect(request, decision);
		break;
	case TL_VERDICT_ANSWER: /* an announcement reads nothing */
	case TL_VERDICT_ECHO:
	case _TL_VERDICT_MAX:
	case _TL_VERDICT_INVALID:
		tl_request_refuse(request, SIP_405_METHOD_NOT_ALLOWED, NULL);
		break;
	}
	tl_decision_free(decision);
}

static void route(struct tl_pager *pager, struct tl_request *request,
		  const struct tl_source *source)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool trunk = source->kind == TL_SOURCE_TRUNK;
	const sip_t *sip = request->sip;
	struct tl_facts facts = {
		.source = source->kind,
		.source_name = trunk ? source->trunk->name : source->extension->number,
		.caller = tl_sender_number(home, sip, source),
		.callee = tl_user_of(home, sip->sip_request->rq_url),
		.at_s = g_get_real_time() / G_USEC_PER_SEC,
		.transport = request->transport,
		.lot = g_random_int(),
	};
	struct tl_decision *decision;

	facts.n_headers = tl_headers_fields(home, sip, &facts.headers);
	if (tl_dialplan_decide(pager->cfg.dp, &facts, &decision) < 0)
		tl_request_refuse(request, SIP_404_NOT_FOUND, NULL);
	else
		carry_out(pager, request, decision, source, facts.caller);
	su_home_deinit(home);
}

static bool is_readable(struct tl_request *request)
{
	static const char *const supported[] = { "timer", "100rel", "path", NULL };
	const sip_t *sip = request->sip;

	if (tl_request_refuse_required(request, supported))
		return false;
	if (sip->sip_max_forwards && sip->sip_max_forwards->mf_count == 0)
		tl_request_refuse(request, SIP_483_TOO_MANY_HOPS, NULL);
	else if (!tl_has_body(sip) || !sip->sip_content_type)
		tl_request_refuse(request, 400, "No Message", NULL);
	else if (sip->sip_payload->pl_len > TL_PAGER_BYTES)
		tl_request_refuse(request, SIP_413_REQUEST_TOO_LARGE, NULL);
	else if (sip->sip_content_encoding)
		tl_request_refuse(request, SIP_415_UNSUPPORTED_MEDIA, NULL);
	else
		return true;
	return false;
}

void tl_pager_on_message(struct tl_pager *pager, struct tl_request *request)
{
	struct tl_source source;

	if (tl_access_check(pager->cfg.access, pager->cfg.dp, request, &source) == 0 &&
	    is_readable(request))
		route(pager, request, &source);
}

/* --- life --- */

struct tl_pager *tl_pager_new(const struct tl_pager_cfg *cfg)
{
	struct tl_pager *pager = g_new0(struct tl_pager, 1);

	pager->cfg = *cfg;
	tl_dialplan_ref(cfg->dp);
	pager->deliveries = g_hash_table_new(NULL, NULL);
	return pager;
}

void tl_pager_free(struct tl_pager *pager)
{
	g_autoptr(GList) deliveries = NULL;

	if (!pager)
		return;
	deliveries = g_hash_table_get_keys(pager->deliveries);
	for (GList *l = deliveries; l; l = l->next)
		finish(l->data, 480);
	g_hash_table_destroy(pager->deliveries);
	tl_dialplan_unref(pager->cfg.dp);
	g_free(pager);
}

void tl_pager_configure(struct tl_pager *pager, struct tl_dialplan *dp)
{
	struct tl_dialplan *old = pager->cfg.dp;

	pager->cfg.dp = tl_dialplan_ref(dp);
	tl_dialplan_unref(old);
}
