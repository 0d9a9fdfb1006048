/* Inviting: from a target of the dialplan to legs with their offers. */
#include "b2bua/call/call_priv.h"
#include "b2bua/log.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/stack.h"
#include "b2bua/trunk/trunk.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The address behind a URI's host, when it is a literal. */
static bool literal_of(const char *uri, struct sockaddr_storage *ret_peer)
{
	g_autofree char *host = NULL;
	const char *at = strrchr(uri, '@'), *colon = strchr(uri, ':');
	const char *start = at ? at + 1 : colon ? colon + 1 : uri;
	struct sockaddr_in *in4 = (struct sockaddr_in *)ret_peer;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_peer;

	memset(ret_peer, 0, sizeof(*ret_peer));
	if (*start == '[') {
		host = g_strndup(start + 1, strcspn(start + 1, "]"));
		in6->sin6_family = AF_INET6;
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
	}
	host = g_strndup(start, strcspn(start, ":;?>"));
	in4->sin_family = AF_INET;
	return inet_pton(AF_INET, host, &in4->sin_addr) == 1;
}

/*
 * Where packets to a target go, for choosing our address: its literal, or for
 * a name, which is resolved later and elsewhere, whatever the default route
 * leads to (TEST-NET-3 stands for "the outside"; nothing is sent there).
 */
void tl_call_peer_of(const struct tl_target *target, struct sockaddr_storage *ret_peer)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ret_peer;

	if (literal_of(target->next_hop ? target->next_hop
		       : target->route  ? target->route
					: target->request_uri,
		       ret_peer))
		return;
	memset(ret_peer, 0, sizeof(*ret_peer));
	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = htonl(0xcb007101); /* 203.0.113.1 */
}

/* Fills branch->media.local with our offer. 0, or the status of the failure. */
static int make_offer(struct tl_branch *branch, struct tl_target *target)
{
	struct tl_call *call = branch->call;
	struct tl_call_media *m = &branch->media;
	const struct tl_media_desc *peer = call->a.have_local    ? &call->a.local
					   : call->a.have_remote ? &call->a.remote
								 : NULL;
	struct sockaddr_storage ip;

	tl_call_peer_of(target, &m->peer);
	if (tl_call_is_direct(call)) {
		tl_call_direct_offer(branch, target);
		return 0;
	}
	if (tl_stack_media_ip(call->app->stack, (struct sockaddr *)&m->peer, &ip) < 0)
		return 503;
	if (tl_plan_offer(peer, &m->policy, &m->local) < 0)
		return 488;
	m->local.direction = TL_DIR_SENDRECV; /* a hold stays on its leg: call_modify.c */
	m->have_local = true;
	return tl_call_media_open(call, TL_SIDE_B, (struct sockaddr *)&ip,
				  (struct sockaddr *)&m->peer, &m->local);
}

static void note_failure(struct tl_call *call, const char *name, int status, const char *why)
{
	static struct tl_log_limit limit;
	unsigned skipped;

	if (tl_log_allow(&limit, &skipped))
		g_message("call=%s leg=b to=%s not called: %s skipped=%u", call->id, name, why,
			  skipped);
	if (tl_kept_cause_better(&call->best, &(struct tl_cause) { .status = status }))
		call->best_by_b = false;
}

/* Takes branch. ring_time_s: it is given up then; 0: with its step. */
static void invite(struct tl_branch *branch, struct tl_target *target, unsigned ring_time_s)
{
	struct tl_call *call = branch->call;
	const struct tl_leg_info *info = tl_leg_info(call->leg_a);
	g_autofree char *own_headers = tl_call_show_caller(branch, &target->from);
	struct tl_header_set headers;
	struct tl_stream streams[TL_STREAMS];
	char id[48];
	int status;

	tl_call_invite_headers(call, branch->decision, &headers);
	target->headers = headers.v;
	target->n_headers = headers.n;
	target->own_headers = own_headers;
	target->max_forwards = info->max_forwards;
	target->replaces = call->replaces;
	target->referred_by = call->referred_by;

	status = make_offer(branch, target);
	if (status) {
		note_failure(call, branch->name, status,
			     status == 488 ? "no codec in common" : "no media port or route");
		tl_branch_free(branch);
		return;
	}
	if (!tl_call_is_direct(call))
		tl_call_streams_offer(call, &branch->media, streams, target);
	g_snprintf(id, sizeof(id), "call=%s leg=b", call->id);
	if (tl_leg_invite(call->app->stack, target,
			  branch->media.have_local ? &branch->media.local : NULL, tl_branch_on_leg,
			  branch, id, &branch->leg) < 0) {
		note_failure(call, branch->name, 503, "its address can't be used");
		tl_branch_free(branch);
		return;
	}
	tl_leg_take_any(branch->leg, tl_call_is_direct(call));
	g_message("call=%s leg=b ring=%s", call->id, branch->name);
	branch->call_id = g_strdup(tl_leg_call_id(branch->leg));
	g_hash_table_insert(call->app->rung, branch->call_id, call);
	g_free(call->call_id_b);
	call->call_id_b = g_strdup(tl_leg_call_id(branch->leg));
	call->rung = true;
	g_ptr_array_add(call->branches, branch);
	if (ring_time_s)
		tl_branch_limit(branch, ring_time_s);
}

static struct tl_branch *new_branch(struct tl_call *call, const struct tl_decision *d,
				    struct tl_hunt *hunt, const char *kind, const char *name)
{
	struct tl_branch *branch = tl_branch_new(call, kind, name);

	branch->decision = d;
	branch->hunt = tl_hunt_ref(hunt);
	return branch;
}

static void ring_contact(struct tl_branch *branch, const struct tl_extension_cfg *ext,
			 const struct tl_binding *binding, unsigned ring_time_s)
{
	struct tl_target target = {
		.request_uri = binding->contact,
		.route = binding->route,
		.to = { .name = ext->name, .user = ext->number },
		.session_s = ext->session_expires_s,
	};

	branch->extension = ext;
	branch->q = binding->q;
	tl_call_want_extension(branch->call, &branch->media, ext);
	invite(branch, &target, ring_time_s);
}

/* How many contacts, of those sorted by q, share the best one. */
static size_t count_equals(const struct tl_binding *bindings, size_t n)
{
	size_t equal = 1;

	while (equal < n && bindings[equal].q >= bindings[0].q)
		equal++;
	return MIN(equal, n);
}

/* Those of the best q at once; when none of them can be called, those of the next. */
static bool ring_best(struct tl_call *call, const struct tl_decision *d,
		      const struct tl_extension_cfg *ext, const struct tl_binding *bindings,
		      size_t n, unsigned ring_time_s, struct tl_hunt *hunt)
{
	guint before = call->branches->len;

	while (n > 0 && call->branches->len == before) {
		size_t equal = count_equals(bindings, n);

		for (size_t i = 0; i < equal && call->branches->len < TL_CALL_BRANCHES; i++) {
			struct tl_branch *branch = new_branch(call, d, hunt, "", ext->number);

			branch->lower_s = equal < n ? ring_time_s : 0;
			ring_contact(branch, ext, &bindings[i], ring_time_s);
		}
		bindings += equal;
		n -= equal;
	}
	return call->branches->len > before;
}

/* A target's time is shared among the q values that its contacts have: whoever does not answer
 * would otherwise keep the next from ever ringing. */
static unsigned share_time(const struct tl_call *call, const struct tl_ring_target *t,
			   const struct tl_binding *bindings, size_t n)
{
	unsigned whole_s =
		t->ring_time_s ? t->ring_time_s : call->decision->steps[call->step].ring_time_s;
	unsigned groups = 0;

	for (size_t i = 0; i < n; i += count_equals(bindings + i, n - i))
		groups++;
	return groups > 1 ? MAX(whole_s / groups, 1) : t->ring_time_s;
}

static void ring_extension(struct tl_call *call, const struct tl_decision *d,
			   const struct tl_ring_target *t, struct tl_hunt *hunt)
{
	const struct tl_extension_cfg *ext = t->extension;
	struct tl_binding bindings[TL_CALL_CONTACTS];
	size_t n =
		tl_registrar_lookup(call->app->registrar, ext->number, bindings, TL_CALL_CONTACTS);

	if (n == 0)
		note_failure(call, ext->number, 480, "not registered");
	else
		(void)ring_best(call, d, ext, bindings, n, share_time(call, t, bindings, n), hunt);
}

bool tl_call_ring_lower(const struct tl_branch *branch, struct tl_hunt *hunt)
{
	struct tl_call *call = branch->call;
	struct tl_binding bindings[TL_CALL_CONTACTS];
	size_t first = 0, n = tl_registrar_lookup(call->app->registrar, branch->extension->number,
						  bindings, TL_CALL_CONTACTS);

	while (first < n && bindings[first].q >= branch->q)
		first++;
	return ring_best(call, branch->decision, branch->extension, bindings + first, n - first,
			 branch->lower_s, hunt);
}

/* RFC 3261 25.1: what stands unescaped in the user part. */
static char *escape_user(const char *user)
{
	return g_uri_escape_string(user, "!$&'()*+,;=?/", FALSE);
}

static char *trunk_uri(const struct tl_trunk_cfg *trunk, const char *number)
{
	GString *uri = g_string_new("sip:");
	g_autofree char *user = escape_user(number);
	bool v6 = strchr(trunk->host, ':') != NULL;

	g_string_append_printf(uri, v6 ? "%s@[%s]" : "%s@%s", user, trunk->host);
	if (trunk->port)
		g_string_append_printf(uri, ":%u", trunk->port);
	if (trunk->transport != _TL_TRANSPORT_INVALID && trunk->transport != TL_TRANSPORT_UDP)
		g_string_append_printf(uri, ";transport=%s", tl_transport_name(trunk->transport));
	return g_string_free(uri, FALSE);
}

/* Sends the INVITE to the server whose turn it is. Takes branch, whose trunk has been taken. */
static void invite_trunk(struct tl_branch *branch)
{
	const struct tl_trunk_cfg *trunk = branch->trunk_cfg;
	struct tl_call *call = branch->call;
	g_autofree char *own_uri = branch->uri ? NULL : trunk_uri(trunk, branch->number);
	struct tl_target target = {
		.request_uri = branch->uri ? branch->uri : own_uri,
		.next_hop = branch->hops ? branch->hops->pdata[branch->hop] : NULL,
		.route = branch->hops ? tl_trunk_route(call->app->trunks, trunk->name) : NULL,
		/* a carrier that knows us by an account wants its own domain in From */
		.from = { .host = trunk->user ? trunk->host : NULL },
		.to = { .user = branch->number, .host = trunk->host },
		.client = trunk->name,
		.auth_user = trunk->user,
		.auth_password = trunk->password,
		.session_s = trunk->session_expires_s,
		.silence_ms = trunk->failover_s * 1000,
	};

	tl_call_want_trunk(call, &branch->media, trunk);
	invite(branch, &target, branch->ring_time_s);
}

/* Why a trunk can't be called now, or NULL: it can, and has been taken. */
static const char *take_trunk(struct tl_branch *branch)
{
	struct tl_trunks *trunks = branch->call->app->trunks;
	const char *name = branch->trunk_cfg->name;

	if (!branch->uri) {
		branch->hops = tl_trunk_hops(trunks, name);
		if (branch->hops->len == 0)
			return tl_trunk_state(trunks, name) == TL_TRUNK_DOWN
				       ? "it is down"
				       : "where it is isn't known yet";
	}
	if (tl_trunk_take(trunks, name) < 0)
		return "its max-calls or calls-per-second is reached";
	branch->trunk = g_strdup(name);
	return NULL;
}

/* uri: where a redirection of the trunk's own leads, or NULL: the number dialled. */
static void ring_trunk(struct tl_call *call, const struct tl_decision *d,
		       const struct tl_trunk_cfg *trunk, const char *uri, unsigned ring_time_s,
		       struct tl_hunt *hunt)
{
	struct tl_branch *branch = new_branch(call, d, hunt, "trunk:", trunk->name);
	const char *why;

	branch->trunk_cfg = trunk;
	branch->number = g_strdup(d->callee);
	branch->uri = g_strdup(uri);
	branch->ring_time_s = ring_time_s;
	if (g_strcmp0(call->declined, d->callee) == 0 && !uri) {
		tl_branch_free(branch); /* the refusal has been kept */
		return;
	}
	why = take_trunk(branch);
	if (why) {
		note_failure(call, branch->name, 503, why);
		tl_branch_free(branch);
		return;
	}
	invite_trunk(branch);
}

bool tl_call_ring_next_server(struct tl_branch *lost, const struct tl_cause *cause)
{
	struct tl_call *call = lost->call;
	struct tl_branch *branch;
	guint n = call->branches->len;

	if (cause->status != 503 || !lost->hops || !lost->trunk)
		return false;
	tl_trunk_blame(call->app->trunks, lost->trunk, lost->hops->pdata[lost->hop]);
	if (lost->hop + 1 >= lost->hops->len)
		return false;
	g_message("call=%s leg=b to=%s server=%s failed: \"%s\", next=%s", call->id, lost->name,
		  (char *)lost->hops->pdata[lost->hop], cause->phrase ? cause->phrase : "",
		  (char *)lost->hops->pdata[lost->hop + 1]);
	branch = new_branch(call, lost->decision, lost->hunt, "trunk:", lost->trunk_cfg->name);
	branch->trunk_cfg = lost->trunk_cfg;
	branch->number = g_strdup(lost->number);
	branch->ring_time_s = lost->ring_time_s;
	branch->hops = g_ptr_array_ref(lost->hops);
	branch->hop = lost->hop + 1;
	branch->trunk = g_steal_pointer(&lost->trunk); /* it counts once */
	invite_trunk(branch);
	return call->branches->len > n;
}

void tl_call_ring_target(struct tl_call *call, const struct tl_decision *d,
			 const struct tl_ring_target *target, struct tl_hunt *hunt)
{
	switch (target->kind) {
	case TL_TARGET_EXTENSION:
		ring_extension(call, d, target, hunt);
		return;
	case TL_TARGET_TRUNK:
		ring_trunk(call, d, target->trunk, NULL, target->ring_time_s, hunt);
		return;
	case _TL_TARGET_MAX:
	case _TL_TARGET_INVALID:
		return;
	}
}

void tl_call_ring_uri(struct tl_call *call, const struct tl_decision *d,
		      const struct tl_trunk_cfg *trunk, const char *uri, struct tl_hunt *hunt)
{
	ring_trunk(call, d, trunk, uri, 0, hunt);
}
