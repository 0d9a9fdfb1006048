/*
 * Between the bytes of a message and NTA stands Sofia's parser; this file
 * stands behind the parser. Its hook runs at the empty line behind the headers,
 * and takes away what the transaction layer would stumble over:
 *
 *   Via maddr        replies would go wherever it says, and a name in it is
 *                    resolved by a call that blocks the process
 *   Record-Route,    parameters that make url_param() read past their end
 *   Route
 *   a second 2xx     to an INVITE of ours: see stack_fork.h
 *   an ACK too soon  of an INVITE whose final response could not be sent ends in an assertion
 *
 * A request whose first line or Via can't be read would be dropped in silence, and its
 * sender would repeat it for half a minute: it gets 400 instead. What the parser is too
 * strict for is in stack_lenient.h.
 *
 * A message that ends without that line would pass by the hook. So its first
 * line is sealed when it is read, such that NTA drops the message without a
 * word, and the hook breaks the seal.
 */
#include "b2bua/sip/stack_priv.h"
#include <stdlib.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include "b2bua/log.h"
#include "b2bua/sip/stack_fork.h"
#include "b2bua/sip/stack_lenient.h"
#include "b2bua/sip/stack_stream.h"

enum {
	VIAS_MAX = 64, /* more hops than Max-Forwards allows in practice */
	ROUTES_MAX = 32,
};

/* Sofia's classes of first lines, with our parse functions. */
static struct msg_hclass_s request_class, status_class;
static issize_t (*extract_body)(msg_t *msg, msg_pub_t *pub, char b[], isize_t bytes, int eos);
static GHashTable *stacks; /* msg_mclass_t -> struct tl_stack: a parser has no other context */

/* NTA has no word for an ACK that it can't take, and a URI without a type is nothing that it
 * takes. The method's name stays, and the type finds room in the URI's padding. */
static void seal_request(sip_request_t *request)
{
	request->rq_url->url_pad[1] = request->rq_url->url_type;
	request->rq_url->url_type = url_invalid;
	request->rq_method = sip_method_ack;
}

static void unseal_request(sip_request_t *request)
{
	if (request->rq_url->url_type != url_invalid)
		return;
	request->rq_url->url_type = request->rq_url->url_pad[1];
	request->rq_url->url_pad[1] = 0;
	request->rq_method = tl_lenient_method(request->rq_method_name);
}

/* Stands where the scheme of a Request-URI does, and is known by its address. */
static const char unreadable[] = "unreadable";

/* What was cut off first is the method. An ACK is never answered. */
static issize_t stand_in(su_home_t *home, msg_header_t *h, const char *method)
{
	static const char line[] = "UNREADABLE sip:unreadable.invalid SIP/2.0";
	issize_t r;

	if (g_str_has_prefix(method, "ACK"))
		return -1;
	r = sip_request_class->hc_parse(home, h, su_strdup(home, line), sizeof(line) - 1);
	if (r >= 0)
		((sip_request_t *)h)->rq_url->url_scheme = unreadable;
	return r;
}

/* Most of it can't be answered, for want of a Via: whoever looks for the reason finds it here. */
static void log_line(const char *line)
{
	static struct tl_log_limit limit;
	unsigned skipped;
	char text[80];

	if (tl_log_allow(&limit, &skipped))
		g_message("no SIP/2.0: line=\"%s\"%s skipped=%u",
			  tl_log_quote(line, text, sizeof(text)),
			  strstr(line, " HTTP/1.") ? ", and there is no WebSocket here" : "",
			  skipped);
}

static issize_t parse_request(su_home_t *home, msg_header_t *h, char *text, isize_t bytes)
{
	char line[256];
	issize_t r;

	h->sh_class = sip_request_class;
	tl_lenient_strip_nuls((msg_t *)home); /* a message is its own home */
	g_strlcpy(line, text, sizeof(line));  /* the parser cuts it */
	r = tl_lenient_request(home, (sip_request_t *)h, text, bytes);
	if (r < 0 || ((sip_request_t *)h)->rq_version != sip_version_2_0)
		log_line(line);
	if (r < 0)
		r = stand_in(home, h, text);
	if (r >= 0)
		seal_request((sip_request_t *)h);
	return r;
}

/* NTA drops what is of another version. */
static const char sealed_version[] = "SIP/0";

static issize_t parse_status(su_home_t *home, msg_header_t *h, char *text, isize_t bytes)
{
	issize_t r = sip_status_class->hc_parse(home, h, text, bytes);
	sip_status_t *status = (sip_status_t *)h;

	h->sh_class = sip_status_class;
	if (r >= 0 && g_ascii_strcasecmp(status->st_version, sip_version_2_0) == 0)
		status->st_version = sealed_version;
	return r;
}

static void unseal_status(sip_status_t *status)
{
	if (status->st_version == sealed_version)
		status->st_version = sip_version_2_0;
}

static bool strip_vias(sip_t *sip)
{
	unsigned n = 0;

	for (sip_via_t *via = sip->sip_via; via; via = via->v_next) {
		if (++n > VIAS_MAX || tl_lenient_is_broken(via))
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

	if (sip->sip_request && sip->sip_via)
		tl_lenient_match_transport(msg, sip);
	if (!strip_vias(sip))
		return false;
	if (!safe && sip->sip_status)
		drop_routes(msg, sip);
	if (sip->sip_request)
		tl_lenient_supply_contact(msg, sip);
	return safe || sip->sip_status;
}

/* NTA drops a response without a CSeq. */
static void take_fork(msg_t *msg, sip_t *sip)
{
	struct tl_stack *stack = g_hash_table_lookup(stacks, msg_mclass(msg));

	if (stack && stack->forks && tl_forks_take(stack->forks, sip))
		sip->sip_cseq = NULL;
}

/*
 * An honest peer has nothing to acknowledge before a final response has been sent to it, and its
 * ACK of a 2xx belongs to the dialog that this has made (RFC 3261 13.2.2.4). NTA looks at the
 * INVITE's branch alone, and would take one that names another tag.
 */
static bool is_ack_astray(msg_t *msg, const sip_t *sip)
{
	struct tl_stack *stack = g_hash_table_lookup(stacks, msg_mclass(msg));
	nta_incoming_t *invite;
	const char *tag;
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
	if (!invite || nta_incoming_status(invite) < 200)
		return invite;
	tag = nta_incoming_gettag(invite);
	return nta_incoming_status(invite) < 300 && tag && sip->sip_to->a_tag &&
	       g_ascii_strcasecmp(tag, sip->sip_to->a_tag) != 0;
}

static bool is_unreadable(const sip_t *sip)
{
	return sip->sip_request && sip->sip_request->rq_url->url_scheme == unreadable;
}

static issize_t on_body(msg_t *msg, msg_pub_t *pub, char b[], isize_t bytes, int eos)
{
	sip_t *sip = (sip_t *)pub;

	/* a stream asks again for each piece of a body: once is enough */
	if (!(sip->sip_flags & MSG_FLG_BODY) && (sip->sip_request || sip->sip_status)) {
		if (sip->sip_request)
			unseal_request(sip->sip_request);
		if (sip->sip_status)
			unseal_status(sip->sip_status);
		if (!disarm(msg, sip) || is_unreadable(sip) || tl_stream_is_cut(sip) ||
		    !tl_lenient_supply_length(msg, sip) ||
		    (sip->sip_request && is_ack_astray(msg, sip)))
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
	request_class = *sip_request_class;
	request_class.hc_parse = parse_request;
	mclass->mc_request->hr_class = &request_class;
	status_class = *sip_status_class;
	status_class.hc_parse = parse_status;
	mclass->mc_status->hr_class = &status_class;
	tl_lenient_install(mclass);
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
		"Contact", /* dropped by the library, it would make a REGISTER a query */
		"Path",
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

	if (sip->sip_content_length && sip->sip_content_length->l_length && !sip->sip_payload)
		return "Content-Length"; /* Sofia misses a body that is cut, not one that is gone */
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
