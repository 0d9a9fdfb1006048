/*
 * Between the bytes of a message and NTA stands Sofia's parser; this file
 * stands behind the parser. Its hook runs when the headers of a message have
 * been read, and takes away what the transaction layer would stumble over:
 *
 *   Via maddr        replies would go wherever it says, and a name in it is
 *                    resolved by a call that blocks the process
 *   Record-Route,    parameters that make url_param() read past their end
 *   Route
 *   a second 2xx     to an INVITE of ours: see stack_fork.h
 *   an ACK too soon  of an INVITE whose final response could not be sent ends in an assertion
 */
#include "b2bua/stack_priv.h"
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include "b2bua/stack_fork.h"

enum {
	VIAS_MAX = 64, /* more hops than Max-Forwards allows in practice */
	ROUTES_MAX = 32,
};

static issize_t (*extract_body)(msg_t *msg, msg_pub_t *pub, char b[], isize_t bytes, int eos);
static GHashTable *stacks; /* msg_mclass_t -> struct tl_stack: a parser has no other context */

static bool strip_vias(sip_t *sip)
{
	unsigned n = 0;

	for (sip_via_t *via = sip->sip_via; via; via = via->v_next) {
		if (++n > VIAS_MAX)
			return false;
		if (sip->sip_request && via->v_maddr)
			msg_header_remove_param(via->v_common, "maddr");
	}
	return true;
}

/* A message with an unusable route can't be followed by another one, so it must not make a
 * dialog. Whether we can send to the nearest hop is for the leg to say. */
static bool are_routes_safe(const sip_route_t *route)
{
	unsigned n = 0;

	for (; route; route = route->r_next)
		if (++n > ROUTES_MAX || !tl_uri_is_safe(route->r_url))
			return false;
	return true;
}

static void drop_routes(msg_t *msg, sip_t *sip)
{
	while (sip->sip_record_route)
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip->sip_record_route);
	while (sip->sip_contact)
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip->sip_contact);
}

/*
 * A request with such routes is refused. A response must still end its
 * transaction: it goes on without them, and the leg finds no way to its peer.
 */
static bool disarm(msg_t *msg, sip_t *sip)
{
	bool safe = are_routes_safe((const sip_route_t *)sip->sip_record_route) &&
		    are_routes_safe(sip->sip_route);

	if (!strip_vias(sip))
		return false;
	if (!safe && sip->sip_status)
		drop_routes(msg, sip);
	return safe || sip->sip_status;
}

/* NTA drops a response without a CSeq. */
static void take_fork(msg_t *msg, sip_t *sip)
{
	struct tl_stack *stack = g_hash_table_lookup(stacks, msg_mclass(msg));

	if (stack && stack->forks && tl_forks_take(stack->forks, sip))
		sip->sip_cseq = NULL;
}

/* An honest peer has nothing to acknowledge before a final response has been sent to it. */
static bool is_ack_too_soon(msg_t *msg, const sip_t *sip)
{
	struct tl_stack *stack = g_hash_table_lookup(stacks, msg_mclass(msg));
	nta_incoming_t *invite;
	sip_cseq_t cseq[1];
	sip_t probe = { 0 };

	if (!stack || !stack->agent || sip->sip_request->rq_method != sip_method_ack ||
	    !sip->sip_cseq || !sip->sip_call_id || !sip->sip_from || !sip->sip_to || !sip->sip_via)
		return false;
	*cseq = *sip->sip_cseq;
	cseq->cs_method = sip_method_invite;
	cseq->cs_method_name = sip_method_name_invite;
	probe.sip_request = sip->sip_request;
	probe.sip_cseq = cseq;
	probe.sip_call_id = sip->sip_call_id;
	probe.sip_from = sip->sip_from;
	probe.sip_to = sip->sip_to;
	invite = nta_incoming_find(stack->agent, &probe, sip->sip_via);
	return invite && nta_incoming_status(invite) < 200;
}

static issize_t on_body(msg_t *msg, msg_pub_t *pub, char b[], isize_t bytes, int eos)
{
	sip_t *sip = (sip_t *)pub;

	/* a stream asks again for each piece of a body: once is enough */
	if (!(sip->sip_flags & MSG_FLG_BODY) && (sip->sip_request || sip->sip_status)) {
		if (!disarm(msg, sip) || (sip->sip_request && is_ack_too_soon(msg, sip)))
			sip->sip_flags |= MSG_FLG_ERROR;
		take_fork(msg, sip);
	}
	return extract_body(msg, pub, b, bytes, eos);
}

msg_mclass_t *tl_guard_mclass_new(struct tl_stack *stack)
{
	msg_mclass_t *mclass = msg_mclass_clone(sip_default_mclass(), 0, 0);

	if (!stacks)
		stacks = g_hash_table_new(NULL, NULL);
	g_hash_table_insert(stacks, mclass, stack);
	extract_body = sip_default_mclass()->mc_extract_body;
	mclass->mc_extract_body = on_body;
	return mclass;
}

void tl_guard_mclass_free(msg_mclass_t *mclass)
{
	if (!mclass)
		return;
	g_hash_table_remove(stacks, mclass);
	if (g_hash_table_size(stacks) == 0)
		g_clear_pointer(&stacks, g_hash_table_destroy);
	free(mclass);
}

const char *tl_guard_broken_header(const sip_t *sip)
{
	static const char *const matter[] = {
		"Contact",
		"Record-Route",
		"Route",
		"Require",
		"Supported",
		"Content-Type",
		"Content-Length",
		"Content-Encoding",
		"Session-Expires",
		"Min-SE",
		"RSeq",
		"RAck",
		"Replaces",
		"Refer-To",
		"Max-Forwards",
		"Via",
		"From",
		"To",
		"CSeq",
		"Call-ID",
		"Authorization",
		"Proxy-Authorization",
		"Expires",
	};

	/* a header that was read in part keeps its own class; one that could not be told has a name
	 */
	for (const sip_header_t *h = (const sip_header_t *)sip->sip_error; h; h = h->sh_next) {
		const char *name = h->sh_class == sip_error_class ? h->sh_error->er_name
								  : h->sh_class->hc_name;

		for (size_t i = 0; name && i < G_N_ELEMENTS(matter); i++)
			if (g_ascii_strcasecmp(name, matter[i]) == 0)
				return matter[i];
	}
	return NULL;
}
