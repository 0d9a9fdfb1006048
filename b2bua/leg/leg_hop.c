/*
 * Where requests of ours inside the dialog go first, and how that follows a peer whose way changes
 * during a call: a NAT gives it another port, or its connection closes and it makes a new one.
 */
#include "b2bua/leg/leg_priv.h"
#include <sofia-sip/nta_tport.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/hop.h"
#include "b2bua/sip/tls.h"

/* A trunk that called us by TLS, and whose connection is gone, is to be connected to. */
static bool is_flow_lost(const struct tl_leg *leg, const sip_contact_t *target)
{
	return leg->incoming && leg->transport == TL_TRANSPORT_TLS && leg->client && target &&
	       !tl_tls_accepted((const struct sockaddr *)&leg->info.source);
}

/* By TLS a name stands for the peer that we have been talking to, which has proved to be it. */
static bool is_flow_of(const struct tl_leg *leg, const url_t *url)
{
	struct sockaddr_storage addr;

	return leg->next_hop && leg->transport == TL_TRANSPORT_TLS &&
	       !tl_stack_literal(url->url_host, &addr);
}

const char *tl_leg_hop(const struct tl_leg *leg, su_home_t *home)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;

	nta_leg_get_route(leg->dialog, &route, &target);
	if (route)
		return is_flow_of(leg, route->r_url)
			       ? leg->next_hop
			       : tl_hop_explicit(home, route->r_url, leg->transport);
	if (leg->next_hop && (leg->hop_stays || !target) && !is_flow_lost(leg, target))
		return leg->next_hop;
	if (target && is_flow_of(leg, target->m_url))
		return leg->next_hop;
	return target ? tl_hop_explicit(home, target->m_url, leg->transport) : NULL;
}

static void set_next_hop(struct tl_leg *leg, const char *hop)
{
	su_free(leg->home, leg->next_hop);
	leg->next_hop = su_strdup(leg->home, hop);
}

void tl_leg_follow(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct sockaddr_storage source;
	char text[TL_ADDRESS_BYTES];
	g_autofree char *hop = NULL;
	msg_t *msg;

	if (!leg->hop_stays || (leg->request && leg->request->route) || sip->sip_record_route ||
	    sip->sip_via->v_next)
		return;
	msg = nta_incoming_getrequest(irq);
	if (!msg)
		return;
	tl_stack_source(leg->stack, msg, &source, &leg->transport);
	msg_destroy(msg);
	hop = g_strdup_printf("sip:%s;transport=%s",
			      tl_address_text((const struct sockaddr *)&source, text),
			      tl_transport_name(leg->transport));
	if (g_strcmp0(hop, leg->next_hop) != 0)
		set_next_hop(leg, hop);
}

static void move_legs(struct tl_stack *stack, const char *old_hop, const char *hop)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, stack->legs);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		struct tl_leg *leg = key;

		if (!(leg->hop_stays || leg->hop_lost) || g_strcmp0(leg->next_hop, old_hop) != 0)
			continue;
		if (hop)
			set_next_hop(leg, hop);
		leg->hop_stays = hop != NULL;
		leg->hop_lost = !hop;
	}
}

void tl_stack_follow(struct tl_stack *stack, tl_rehop_fn *fn, void *user)
{
	g_hash_table_insert(stack->followers, user, (gpointer)fn);
}

void tl_stack_unfollow(struct tl_stack *stack, void *user)
{
	g_hash_table_remove(stack->followers, user);
}

void tl_stack_rehop(struct tl_stack *stack, const char *old_hop, const char *hop)
{
	GHashTableIter iter;
	gpointer user, fn;

	move_legs(stack, old_hop, hop);
	g_hash_table_iter_init(&iter, stack->followers);
	while (g_hash_table_iter_next(&iter, &user, &fn))
		((tl_rehop_fn *)fn)(user, old_hop, hop);
}
