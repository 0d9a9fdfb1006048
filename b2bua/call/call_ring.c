/* Ringing: a step's targets become legs; what those say becomes call events. */
#include "b2bua/call/call_priv.h"
#include "b2bua/log.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/stack.h"
#include "b2bua/trunk/trunk.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

void tl_branch_free(struct tl_branch *branch)
{
	tl_leg_release(branch->leg);
	if (branch->call->early == branch)
		branch->call->early = NULL;
	if (branch->trunk)
		tl_trunk_give(branch->call->app->trunks, branch->trunk);
	g_free(branch->media.offered);
	g_free(branch->media.reoffer);
	g_free(branch->trunk);
	g_free(branch->name);
	g_free(branch);
}

static void stop_ring_timer(struct tl_call *call)
{
	if (call->ring_timer)
		su_timer_destroy(call->ring_timer);
	call->ring_timer = NULL;
}

static void win(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;

	stop_ring_timer(call);
	call->b = branch;
	if (event->desc) {
		branch->media.remote = *event->desc;
		branch->media.have_remote = true;
	}
	g_free(call->target);
	call->target = g_strdup(branch->name);
	g_free(call->call_id_b);
	call->call_id_b = g_strdup(tl_leg_call_id(branch->leg));
	call->news = event;
	tl_call_raise(call, TL_CALL_EV_ANSWERED);
	call->news = NULL;
}

static void lose(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;
	bool was_heard = call->early == branch;
	struct tl_cause cause = event->cause;

	if (cause.status < 400) /* a redirection is the callee's wish, not the caller's to follow */
		cause = (struct tl_cause) { .status = 480 };
	if (tl_kept_cause_better(&call->best, &cause))
		call->best_by_b = true;
	g_ptr_array_remove(call->branches, branch); /* frees it */
	if (was_heard)
		(void)tl_call_media_apply(call);
	if (call->branches->len > 0) {
		tl_call_show(call);
		return;
	}
	stop_ring_timer(call);
	tl_call_raise(call, TL_CALL_EV_EXHAUSTED);
}

static void make_progress(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;

	if (!call->ringing_ms)
		call->ringing_ms = g_get_real_time() / 1000;
	if (event->desc) {
		branch->media.remote = *event->desc;
		branch->media.have_remote = true;
	}
	call->news = event;
	call->newsmaker = branch;
	tl_call_raise(call, TL_CALL_EV_PROGRESS);
	call->news = NULL;
	call->newsmaker = NULL;
}

static void hang_up(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;

	if (branch != call->b) {
		lose(branch, event);
		return;
	}
	call->ended_by = "b";
	tl_kept_cause_set(&call->end, &event->cause);
	tl_call_raise(call, TL_CALL_EV_B_GONE);
}

static void on_leg_b(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct tl_branch *branch = user;
	struct tl_call *call = branch->call;

	switch (event->type) {
	case TL_LEG_PROGRESS:
		make_progress(branch, event);
		return;
	case TL_LEG_ANSWERED:
		win(branch, event);
		return;
	case TL_LEG_REFUSED:
	case TL_LEG_GONE:
		hang_up(branch, event);
		return;
	case TL_LEG_OFFERED:
		tl_call_media_reoffered(call, leg, &branch->media, event->desc);
		return;
	case TL_LEG_ACKED:
	case TL_LEG_REANSWERED:
		if (event->desc)
			(void)tl_call_media_answered(call, &branch->media, event->desc);
		return;
	case TL_LEG_INFO_DTMF:
		tl_call_media_digit(call, TL_SIDE_A, event->digit, event->duration_ms, false);
		return;
	case TL_LEG_INFO:
	case TL_LEG_INFO_REPLY:
		tl_call_info(call, leg, event);
		return;
	case TL_LEG_OFFER_REFUSED:
		tl_call_media_offer_refused(call, &branch->media);
		return;
	case _TL_LEG_EVENT_MAX:
		return;
	}
}

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
static void peer_of(const struct tl_target *target, struct sockaddr_storage *ret_peer)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ret_peer;

	if (literal_of(target->route ? target->route : target->request_uri, ret_peer))
		return;
	memset(ret_peer, 0, sizeof(*ret_peer));
	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = htonl(0xcb007101); /* 203.0.113.1 */
}

/* Fills branch->media.local with our offer. 0, or the status of the failure. */
static int make_offer(struct tl_branch *branch, const struct tl_target *target)
{
	struct tl_call *call = branch->call;
	struct tl_call_media *m = &branch->media;
	const struct tl_media_desc *peer = call->a.have_local    ? &call->a.local
					   : call->a.have_remote ? &call->a.remote
								 : NULL;
	struct sockaddr_storage ip;

	peer_of(target, &m->peer);
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

/*
 * Whom the callee sees. A caller whose number is replaced by another does not
 * show his own name beside it; who came without an identity (RFC 3323 4.1.1.3)
 * goes on without one.
 */
static void show_caller(const struct tl_call *call, struct tl_party *from)
{
	const struct tl_decision *d = call->decision;
	const struct tl_party *came = &tl_leg_info(call->leg_a)->from;
	bool own = strcmp(d->caller, call->caller) == 0;

	from->user = d->caller;
	from->name = d->caller_name ? d->caller_name : own ? came->name : NULL;
	if (own && came->host && g_ascii_strcasecmp(came->host, "anonymous.invalid") == 0)
		from->user = "";
}

/* Takes branch. */
static void invite(struct tl_branch *branch, struct tl_target *target)
{
	struct tl_call *call = branch->call;
	const struct tl_leg_info *info = tl_leg_info(call->leg_a);
	struct tl_header_set headers;
	char id[48];
	int status;

	show_caller(call, &target->from);
	tl_call_pass_headers(call, info->headers, info->n_headers, &headers);
	target->headers = headers.v;
	target->n_headers = headers.n;
	target->max_forwards = info->max_forwards;

	status = make_offer(branch, target);
	if (status) {
		note_failure(call, branch->name, status,
			     status == 488 ? "no codec in common" : "no media port or route");
		tl_branch_free(branch);
		return;
	}
	g_snprintf(id, sizeof(id), "call=%s leg=b", call->id);
	if (tl_leg_invite(call->app->stack, target, &branch->media.local, on_leg_b, branch, id,
			  &branch->leg) < 0) {
		note_failure(call, branch->name, 503, "its address can't be used");
		tl_branch_free(branch);
		return;
	}
	g_message("call=%s leg=b ring=%s", call->id, branch->name);
	g_free(call->call_id_b);
	call->call_id_b = g_strdup(tl_leg_call_id(branch->leg));
	call->rung = true;
	g_ptr_array_add(call->branches, branch);
}

static struct tl_branch *new_branch(struct tl_call *call, const char *kind, const char *name)
{
	struct tl_branch *branch = g_new0(struct tl_branch, 1);

	branch->call = call;
	branch->name = g_strconcat(kind, name, NULL);
	return branch;
}

static void ring_extension(struct tl_call *call, const struct tl_extension_cfg *ext)
{
	struct tl_binding bindings[TL_CALL_CONTACTS];
	size_t n =
		tl_registrar_lookup(call->app->registrar, ext->number, bindings, TL_CALL_CONTACTS);

	if (n == 0)
		note_failure(call, ext->number, 480, "not registered");
	for (size_t i = 0; i < n && call->branches->len < TL_CALL_BRANCHES; i++) {
		struct tl_branch *branch = new_branch(call, "", ext->number);
		struct tl_target target = {
			.request_uri = bindings[i].contact,
			.route = bindings[i].route,
			.to = { .name = ext->name, .user = ext->number },
			.session_s = ext->session_expires_s,
		};

		branch->media.dtmf = ext->dtmf;
		branch->media.hold = ext->hold;
		branch->media.hold_music = ext->hold_music;
		tl_call_policy(&branch->media.policy, ext->codecs, ext->n_codecs,
			       tl_dialplan_gateway(call->dp), ext->dtmf);
		invite(branch, &target);
	}
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

static void ring_trunk(struct tl_call *call, const struct tl_trunk_cfg *trunk)
{
	g_autofree char *uri = trunk_uri(trunk, call->decision->callee);
	struct tl_branch *branch = new_branch(call, "trunk:", trunk->name);
	struct tl_target target = {
		.request_uri = uri,
		/* a carrier that knows us by an account wants its own domain in From */
		.from = { .host = trunk->user ? trunk->host : NULL },
		.to = { .user = call->decision->callee, .host = trunk->host },
		.auth_user = trunk->user,
		.auth_password = trunk->password,
		.session_s = trunk->session_expires_s,
	};

	if (tl_trunk_take(call->app->trunks, trunk->name) < 0) {
		note_failure(call, branch->name, 503, "its max-calls is reached");
		tl_branch_free(branch);
		return;
	}
	branch->trunk = g_strdup(trunk->name);
	branch->media.dtmf = trunk->dtmf;
	branch->media.hold = trunk->hold;
	branch->media.hold_music = trunk->hold_music;
	tl_call_policy(&branch->media.policy, trunk->codecs, trunk->n_codecs,
		       tl_dialplan_gateway(call->dp), trunk->dtmf);
	invite(branch, &target);
}

static void on_ring_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_call *call = (struct tl_call *)arg;

	stop_ring_timer(call);
	call->no_answer = true;
	g_message("call=%s no answer in %u s", call->id, call->decision->ring_time_s);
	tl_call_raise(call, TL_CALL_EV_NO_ANSWER);
}

/* For the record: who is rung last, until somebody answers. */
static void name_targets(struct tl_call *call, const struct tl_ring_step *step)
{
	GString *names = g_string_new(NULL);

	for (size_t i = 0; i < step->n_targets; i++) {
		const struct tl_ring_target *t = &step->targets[i];
		bool trunk = t->kind == TL_TARGET_TRUNK;

		g_string_append_printf(names, "%s%s%s", i ? ", " : "", trunk ? "trunk:" : "",
				       trunk ? t->trunk->name : t->extension->number);
	}
	g_free(call->target);
	call->target = g_string_free(names, FALSE);
}

void tl_call_ring(struct tl_call *call)
{
	const struct tl_ring_step *step = &call->decision->steps[call->step];

	call->no_answer = false;
	name_targets(call, step);
	for (size_t i = 0; i < step->n_targets; i++) {
		switch (step->targets[i].kind) {
		case TL_TARGET_EXTENSION:
			ring_extension(call, step->targets[i].extension);
			break;
		case TL_TARGET_TRUNK:
			ring_trunk(call, step->targets[i].trunk);
			break;
		case _TL_TARGET_MAX:
		case _TL_TARGET_INVALID:
			break;
		}
	}
	if (call->branches->len == 0) {
		tl_call_raise(call, TL_CALL_EV_EXHAUSTED);
		return;
	}
	stop_ring_timer(call);
	call->ring_timer = tl_call_timer(call, call->decision->ring_time_s * 1000, on_ring_timer);
}

void tl_call_drop_targets(struct tl_call *call, const struct tl_cause *cause)
{
	for (guint i = call->branches->len; i > 0; i--) {
		struct tl_branch *branch = call->branches->pdata[i - 1];

		if (branch == call->b)
			continue;
		tl_leg_close(branch->leg, cause);
		g_ptr_array_remove_index(call->branches, i - 1);
	}
	if (!call->b)
		stop_ring_timer(call);
}
