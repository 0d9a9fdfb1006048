#include "b2bua/sip/flow.h"

#include <glib.h>
#include <sofia-sip/nta.h>

/* what stands behind Sofia's names for whose callback it is */
struct flow;
#define TP_CLIENT_T struct flow
#include <sofia-sip/tport.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/sip/stack.h"

struct tl_flows {
	struct tl_stack *stack;
	GHashTable *by_tport; /* tport_t -> struct flow, owned */
	tl_flow_closed_fn *on_closed;
	void *user;
};

struct flow {
	struct tl_flows *flows;
	tport_t *tport; /* a reference */
	int pend;       /* our place among those who hear of its errors */
	char *hop;
};

static void flow_free(gpointer data)
{
	struct flow *flow = data;

	tport_release(flow->tport, flow->pend, NULL, NULL, flow, 0);
	tport_unref(flow->tport);
	g_free(flow->hop);
	g_free(flow);
}

/* A connection has no error that it outlives. */
static void on_error(tp_stack_t *agent, tp_client_t *client, tport_t *tport, msg_t *msg, int error)
{
	struct flow *flow = client;
	struct tl_flows *flows = flow->flows;
	g_autofree char *hop = g_strdup(flow->hop);

	g_hash_table_remove(flows->by_tport, tport);
	flows->on_closed(hop, flows->user);
}

struct tl_flows *tl_flows_new(struct tl_stack *stack, tl_flow_closed_fn *on_closed, void *user)
{
	struct tl_flows *flows = g_new0(struct tl_flows, 1);

	flows->stack = stack;
	flows->by_tport = g_hash_table_new_full(NULL, NULL, NULL, flow_free);
	flows->on_closed = on_closed;
	flows->user = user;
	return flows;
}

void tl_flows_free(struct tl_flows *flows)
{
	if (!flows)
		return;
	g_hash_table_destroy(flows->by_tport);
	g_free(flows);
}

static void watch(struct tl_flows *flows, tport_t *tport, const char *hop)
{
	struct flow *flow;

	if (!tport || tport_is_primary(tport) || g_hash_table_contains(flows->by_tport, tport))
		return;
	flow = g_new0(struct flow, 1);
	flow->flows = flows;
	flow->hop = g_strdup(hop);
	flow->pend = tport_pend(tport, NULL, on_error, flow);
	if (flow->pend < 0) { /* it has gone already, or memory has */
		g_free(flow->hop);
		g_free(flow);
		return;
	}
	flow->tport = tport_ref(tport);
	/* NTA has its transports keep silent about an orderly end */
	tport_set_params(tport, TPTAG_SDWN_ERROR(1), TAG_END());
	g_hash_table_insert(flows->by_tport, tport, flow);
}

void tl_flows_watch(struct tl_flows *flows, msg_t *msg, const char *hop)
{
	watch(flows, tport_delivered_by(nta_agent_tports(tl_stack_agent(flows->stack)), msg), hop);
}

void tl_flows_watch_sent(struct tl_flows *flows, nta_outgoing_t *orq, const char *hop)
{
	tport_t *tport = nta_outgoing_transport(orq); /* a reference */

	watch(flows, tport, hop);
	if (tport)
		tport_unref(tport);
}
