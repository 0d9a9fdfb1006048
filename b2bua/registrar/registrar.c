#include "b2bua/registrar/registrar_priv.h"

#include <string.h>
#include <glib.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include "b2bua/clock.h"
#include "b2bua/registrar/access.h"
#include "b2bua/sip/address.h"
#include "b2bua/registrar/registrar_plan.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "b2bua/sip/utf8.h"

enum {
	SWEEP_MS = 5000, /* expired bindings are passed over at once, and cleared away so often */
	USER_AGENT_BYTES = 128,
	NUMBER_BYTES = 128,
};

/* One REGISTER that has been let in. */
struct request {
	struct tl_registrar *reg;
	struct tl_request *asked;
	const sip_t *sip;
	const char *extension;
	int64_t now_s;
};

struct tl_registrar *tl_registrar_new(struct tl_stack *stack, struct tl_access *access,
				      struct tl_store *store, struct tl_dialplan *dp)
{
	struct tl_registrar *reg = g_new0(struct tl_registrar, 1);

	reg->access = access;
	reg->store = store;
	reg->dp = tl_dialplan_ref(dp);
	reg->location = tl_location_new();
	reg->stack = stack;
	reg->ways = tl_ways_new();
	reg->flows = tl_flows_new(stack, tl_registrar_on_flow_closed, reg);
	reg->pings = tl_pings_new(stack, reg->location, tl_dialplan_gateway(dp)->nat_ping_s);
	tl_timer_repeat(&reg->sweep, tl_stack_root(stack), SWEEP_MS, tl_registrar_on_sweep, reg);
	tl_registrar_load(reg);
	return reg;
}

void tl_registrar_free(struct tl_registrar *reg)
{
	if (!reg)
		return;
	tl_timer_stop(&reg->sweep);
	tl_flows_free(reg->flows);
	tl_pings_free(reg->pings);
	tl_location_free(reg->location);
	tl_ways_free(reg->ways);
	tl_dialplan_unref(reg->dp);
	g_free(reg);
}

void tl_registrar_configure(struct tl_registrar *reg, struct tl_dialplan *dp)
{
	struct tl_dialplan *old = reg->dp;

	reg->dp = tl_dialplan_ref(dp);
	tl_dialplan_unref(old);
	tl_pings_configure(reg->pings, tl_dialplan_gateway(dp)->nat_ping_s);
	tl_registrar_drop_unknown(reg);
}

/* --- answering a REGISTER --- */

/* Steps 4 and 5: everybody registers for his own number. Which other numbers there are is told
 * to nobody. */
static bool is_own_number(struct tl_registrar *reg, const sip_t *sip,
			  const struct tl_extension_cfg *extension)
{
	const url_t *to = sip->sip_to->a_url;
	char user[NUMBER_BYTES], quoted[NUMBER_BYTES];
	unsigned skipped;

	if ((to->url_type == url_sip || to->url_type == url_sips) && to->url_user &&
	    strlen(to->url_user) < sizeof(user)) {
		url_unescape(user, to->url_user);
		if (strcmp(user, extension->number) == 0)
			return true;
	}
	if (tl_log_allow(&reg->foreign_limit, &skipped))
		g_message("register extension=%s refused to=\"%s\" skipped=%u", extension->number,
			  tl_log_quote(to->url_user, quoted, sizeof(quoted)), skipped);
	return false;
}

static void commit_put(const struct request *request, const struct tl_register_change *change)
{
	const sip_t *sip = request->sip;
	g_autofree char *route = tl_register_route(sip, change->url,
						   (const struct sockaddr *)&request->asked->source,
						   request->asked->transport);
	g_autofree char *agent = tl_utf8_copy(
		sip->sip_user_agent ? sip->sip_user_agent->g_string : "", USER_AGENT_BYTES);
	const struct tl_location_binding binding = {
		.extension = (char *)request->extension,
		.contact = (char *)change->contact,
		.route = route,
		.call_id = (char *)sip->sip_call_id->i_id,
		.user_agent = agent,
		.instance = *change->instance ? (char *)change->instance : NULL,
		.reg_id = change->reg_id,
		.received = route && !sip->sip_path,
		.cseq = sip->sip_cseq->cs_seq,
		.q = change->q,
		.expires_s = change->expires_s,
	};

	if (binding.received)
		tl_registrar_move_calls(request->reg, &binding, change->old_contact);
	tl_registrar_put(request->reg, &binding);
	if (binding.received)
		tl_flows_watch(request->reg->flows, request->asked->msg, route);
	if (!*change->old_contact)
		tl_registrar_log("added", &binding);
}

static void commit_removal(const struct request *request, const char *contact, bool replaced)
{
	const struct tl_location_binding binding = { .extension = (char *)request->extension,
						     .contact = (char *)contact };

	if (!replaced)
		tl_registrar_log("removed", &binding);
	tl_registrar_remove(request->reg, request->extension, contact);
}

static void commit(const struct request *request, const struct tl_register_plan *plan)
{
	for (guint i = 0; i < plan->changes->len; i++) {
		const struct tl_register_change *change =
			&g_array_index(plan->changes, struct tl_register_change, i);

		if (change->put)
			commit_put(request, change);
		if (*change->old_contact &&
		    !(change->put && strcmp(change->contact, change->old_contact) == 0))
			commit_removal(request, change->old_contact, change->put);
	}
}

/* Step 8: all the bindings there are now, with what is left of their time. */
static char *format_contacts(const struct request *request)
{
	const GPtrArray *bindings = tl_location_find(request->reg->location, request->extension);
	GString *text = g_string_new(NULL);

	for (guint i = 0; bindings && i < bindings->len; i++) {
		const struct tl_location_binding *binding = bindings->pdata[i];
		char q[G_ASCII_DTOSTR_BUF_SIZE];

		if (binding->expires_s <= request->now_s)
			continue;
		g_string_append_printf(text, "%s<%s>;expires=%" G_GINT64_FORMAT,
				       text->len ? ", " : "", binding->contact,
				       binding->expires_s - request->now_s);
		if (binding->q < 1)
			g_string_append_printf(text, ";q=%s",
					       g_ascii_formatd(q, sizeof(q), "%.3g", binding->q));
	}
	return g_string_free(text, FALSE);
}

static void reply_ok(const struct request *request, bool outbound)
{
	const struct tl_gateway *gateway = tl_dialplan_gateway(request->reg->dp);
	g_autofree char *contacts = format_contacts(request);
	sip_date_t date[1];

	sip_date_init(date);
	date->d_time = (sip_time_t)(g_get_real_time() / G_USEC_PER_SEC + TL_NTP_EPOCH_S);
	tl_request_reply(
		request->asked, SIP_200_OK, TAG_IF(*contacts, SIPTAG_CONTACT_STR(contacts)),
		TAG_IF(request->sip->sip_path, SIPTAG_PATH(request->sip->sip_path)),
		TAG_IF(gateway->service_route, SIPTAG_SERVICE_ROUTE_STR(gateway->service_route)),
		TAG_IF(outbound, SIPTAG_REQUIRE_STR("outbound")), SIPTAG_DATE(date), TAG_END());
}

static void reply_refusal(const struct request *request, const struct tl_register_plan *plan)
{
	sip_min_expires_t min[1];

	if (plan->status != 423) {
		tl_request_refuse(request->asked, plan->status, plan->phrase, NULL);
		return;
	}
	sip_min_expires_init(min);
	min->me_delta = plan->min_expires_s;
	tl_request_reply(request->asked, plan->status, plan->phrase, SIPTAG_MIN_EXPIRES(min),
			 TAG_END());
}

static void register_extension(const struct request *request,
			       const struct tl_extension_cfg *extension)
{
	struct tl_registrar *reg = request->reg;
	const struct tl_gateway *gateway = tl_dialplan_gateway(reg->dp);
	const struct tl_register_facts facts = {
		.sip = request->sip,
		.bindings = tl_location_find(reg->location, request->extension),
		.min_s = gateway->register_min_s,
		.max_s = gateway->register_max_s,
		.default_s = gateway->register_default_s,
		.max_contacts = extension->max_contacts,
		.now_s = request->now_s,
	};
	struct tl_register_plan plan;

	tl_register_plan_make(&facts, &plan);
	if (plan.status) {
		reply_refusal(request, &plan);
	} else {
		commit(request, &plan);
		reply_ok(request, plan.outbound);
	}
	tl_register_plan_done(&plan);
}

void tl_registrar_on_register(struct tl_request *request, void *user)
{
	static const char *const supported[] = { "path", "outbound", NULL };
	struct tl_registrar *reg = user;
	const sip_t *sip = request->sip;
	struct request visit = {
		.reg = reg, .asked = request, .sip = sip, .now_s = tl_registrar_now_s()
	};
	const struct tl_extension_cfg *extension;

	if (!sip->sip_to || !sip->sip_call_id || !sip->sip_cseq) {
		tl_request_refuse(request, SIP_400_BAD_REQUEST, NULL);
		return;
	}
	if (tl_request_refuse_required(request, supported)) /* step 2 */
		return;
	if (tl_access_check_extension(reg->access, reg->dp, request, &extension) < 0)
		return;
	/* its credentials are used up: a retransmission must find the answer */
	if (!tl_request_take(request))
		return;
	if (!is_own_number(reg, sip, extension)) {
		tl_request_refuse(request, SIP_403_FORBIDDEN, NULL);
		return;
	}
	visit.extension = extension->number;
	register_extension(&visit, extension);
}

/* --- asking --- */

/* By extension, and best q first. */
static gint by_rank(gconstpointer a, gconstpointer b, gpointer user)
{
	const struct tl_binding *first = a, *second = b;
	int order = strcmp(first->extension, second->extension);

	if (order != 0)
		return order;
	return first->q > second->q ? -1 : first->q < second->q;
}

struct lookup {
	struct tl_registrar *reg;
	bool unreachable; /* those too */
	struct tl_binding *bindings;
	size_t n, max;
	int64_t now_s;
};

static bool collect(const struct tl_location_binding *binding, void *user)
{
	struct lookup *lookup = user;
	enum tl_reach reach;
	unsigned rtt_ms;

	if (lookup->n >= lookup->max || binding->expires_s <= lookup->now_s)
		return false;
	reach = tl_pings_state(lookup->reg->pings, binding->extension, binding->contact, &rtt_ms);
	if (reach != TL_REACH_UNREACHABLE || lookup->unreachable)
		lookup->bindings[lookup->n++] = (struct tl_binding) {
			.extension = binding->extension,
			.contact = binding->contact,
			.route = binding->route,
			.user_agent = binding->user_agent,
			.q = binding->q,
			.expires_s = binding->expires_s,
			.reach = reach,
			.rtt_ms = rtt_ms,
		};
	return false;
}

size_t tl_registrar_lookup(struct tl_registrar *reg, const char *extension,
			   struct tl_binding *ret_bindings, size_t max)
{
	struct lookup lookup = { .reg = reg,
				 .unreachable = !extension,
				 .bindings = ret_bindings,
				 .max = max,
				 .now_s = tl_registrar_now_s() };
	const GPtrArray *bindings;

	bindings = extension ? tl_location_find(reg->location, extension) : NULL;
	for (guint i = 0; bindings && i < bindings->len; i++)
		collect(bindings->pdata[i], &lookup);
	if (!extension)
		tl_location_filter(reg->location, collect, TL_LOCATION_WITHDRAWN, &lookup);
	if (lookup.n > 1)
		g_qsort_with_data(ret_bindings, (gint)lookup.n, sizeof(*ret_bindings), by_rank,
				  NULL);
	return lookup.n;
}

size_t tl_registrar_count(const struct tl_registrar *reg)
{
	return tl_location_count(reg->location);
}

struct tl_location *tl_registrar_location(struct tl_registrar *reg)
{
	return reg->location;
}
