/*
 * REFER outside a call (RFC 3515 2.4): an extension asks for a call, or for the transfer of one
 * that it has. call.h says who may.
 *
 *   1001's computer        Twinleg          1001's telephone        2000
 *     | REFER -----------> |                      |                   |   Refer-To: 2000
 *     | <------------- 202 | INVITE ------------> |                   |   From: 2000
 *     | <----- NOTIFY, 100 | <---------------- 200 |                   |
 *     |                    | INVITE ----------------------------------> |  as if 1001 had called
 *     | <----- NOTIFY, 180 | <------------------------------------ 180 |
 *     | <----- NOTIFY, 200 | <------------------------------------ 200 |
 *
 * The telephone that answers is leg a of the call from then on, answered long ago, as it is
 * in a blind transfer: call_transfer.h.
 */
#include "b2bua/call/call_transfer.h"
#include "b2bua/clock.h"
#include "b2bua/log.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/headers.h"
#include "b2bua/sip/stack.h"
#include <string.h>

enum { RING_S = 60 }; /* he has asked for it: he is there */

/* --- one of his telephones answers --- */

static const struct tl_cause elsewhere = {
	.reason = "SIP;cause=200;text=\"Call completed elsewhere\"",
};

static void refuse(struct tl_call *call, int status)
{
	tl_call_raise(call, tl_call_refuse(call, &(struct tl_cause) { .status = status }));
}

/* He is called what he asked for, and the rest goes as if he had dialled it. */
static void go_on(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;
	int status;

	call->leg_a = g_steal_pointer(&branch->leg);
	call->a = branch->media;
	memset(&branch->media, 0, sizeof(branch->media));
	call->a.remote = *event->desc;
	call->a.have_remote = true;
	call->a_answered = true;
	call->call_id_a = g_strdup(branch->call_id);
	tl_leg_set_owner(call->leg_a, tl_call_on_leg_a, call);
	g_ptr_array_remove(call->branches, branch); /* frees it */
	tl_call_drop_targets(call, &elsewhere);
	tl_call_hold_note(&call->a, false);
	status = tl_call_media_apply(call);
	if (status)
		refuse(call, status);
	else
		tl_call_raise(call, tl_call_route(call));
}

static void lose(struct tl_branch *branch, const struct tl_cause *cause)
{
	struct tl_call *call = branch->call;

	(void)tl_kept_cause_better(&call->best, cause);
	g_ptr_array_remove(call->branches, branch); /* frees it */
	if (call->branches->len == 0)
		refuse(call, call->best.cause.status ? call->best.cause.status : 480);
}

static void on_leg(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct tl_branch *branch = user;

	if (event->type == TL_LEG_ANSWERED)
		go_on(branch, event);
	else if (event->type == TL_LEG_REFUSED || event->type == TL_LEG_GONE)
		lose(branch, &event->cause);
	else if (event->type == TL_LEG_OFFERED)
		(void)tl_leg_decline(leg, 491);
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_call *call = (struct tl_call *)arg;

	tl_call_stop_ring_timer(call);
	tl_call_drop_targets(call, NULL);
	refuse(call, 408);
}

/* --- they ring --- */

/* 0, or the status of the failure. */
static int make_offer(struct tl_branch *branch, const struct tl_target *target)
{
	struct tl_call *call = branch->call;
	struct tl_call_media *m = &branch->media;
	struct sockaddr_storage ip;

	tl_call_peer_of(target, &m->peer);
	if (tl_stack_media_ip(call->app->stack, (struct sockaddr *)&m->peer, &ip) < 0)
		return 503;
	if (tl_plan_offer(NULL, &m->policy, &m->local) < 0)
		return 488;
	m->have_local = true;
	return tl_call_media_open(call, TL_SIDE_A, (struct sockaddr *)&ip,
				  (struct sockaddr *)&m->peer, &m->local);
}

/* False: it can't be called. */
static bool ring(struct tl_call *call, const struct tl_extension_cfg *ext,
		 const struct tl_binding *binding)
{
	struct tl_branch *branch = tl_branch_new(call, "", ext->number);
	struct tl_target target = {
		.request_uri = binding->contact,
		.route = binding->route,
		.from = { .user = call->callee },
		.to = { .name = ext->name, .user = ext->number },
		.session_s = ext->session_expires_s,
	};
	g_autofree char *id = g_strdup_printf("call=%s leg=a", call->id);
	int status;

	branch->extension = ext;
	tl_call_want_extension(call, &branch->media, ext);
	status = make_offer(branch, &target);
	if (status == 0 && tl_leg_invite(call->app->stack, &target, &branch->media.local, on_leg,
					 branch, id, &branch->leg) < 0)
		status = 503;
	if (status) {
		(void)tl_kept_cause_better(&call->best, &(struct tl_cause) { .status = status });
		tl_branch_free(branch);
		return false;
	}
	branch->call_id = g_strdup(tl_leg_call_id(branch->leg));
	g_hash_table_insert(call->app->rung, branch->call_id, call);
	g_ptr_array_add(call->branches, branch);
	return true;
}

static struct tl_call *new_call(struct tl_app *app, const struct tl_extension_cfg *ext,
				struct tl_leg *asker, const struct tl_refer *refer)
{
	struct tl_call *call = tl_call_alloc(app, app->dp);

	call->source_name = g_strdup(ext->number);
	call->source = g_strconcat("extension:", ext->number, NULL);
	call->asker = g_strdup(call->source);
	call->caller = g_strdup(ext->number);
	call->caller_name = g_strdup(ext->name);
	call->callee = g_strdup(refer->callee);
	call->referred_by = g_strdup(refer->referred_by);
	call->facts = (struct tl_facts) {
		.source = TL_SOURCE_EXTENSION,
		.source_name = call->source_name,
		.caller = call->caller,
		.callee = call->callee,
		.at_s = tl_clock_to_wall_ms(call->started_ms) / 1000,
		.transport = tl_leg_info(asker)->transport,
		.lot = g_random_int(),
	};
	if (refer->has_replaces) /* a dialog that others have with each other */
		call->replaces = tl_replaces_format(&refer->replaces);
	call->transfer = g_new0(struct tl_call_transfer, 1);
	call->transfer->asker = asker;
	return call;
}

/* Is there a route? Else nobody need lift his telephone for it. */
static bool leads_anywhere(const struct tl_call *call)
{
	struct tl_decision *decision;

	if (tl_dialplan_decide(call->dp, &call->facts, &decision) < 0)
		return false;
	tl_decision_free(decision);
	return true;
}

static void click_to_dial(struct tl_app *app, const struct tl_extension_cfg *ext,
			  struct tl_leg *asker, const struct tl_refer *refer)
{
	struct tl_call *call = new_call(app, ext, asker, refer);
	struct tl_binding bindings[TL_CALL_CONTACTS];
	size_t n = tl_registrar_lookup(app->registrar, ext->number, bindings, TL_CALL_CONTACTS);
	char to[128];

	if (!leads_anywhere(call)) {
		tl_leg_refer_decline(asker, 404, NULL);
		call->transfer->asker = NULL;
		refuse(call, 404);
		return;
	}
	g_message("call=%s refer source=%s to=\"%s\" outside a call", call->id, call->source,
		  tl_log_quote(refer->uri, to, sizeof(to)));
	tl_leg_refer_accept(asker);
	for (size_t i = 0; i < n; i++)
		(void)ring(call, ext, &bindings[i]);
	if (call->branches->len == 0)
		refuse(call, call->best.cause.status ? call->best.cause.status : 480);
	else
		tl_call_start_timer(call, &call->ring_timer, RING_S * 1000, on_timer);
}

/* --- it is about a call that there is --- */

/* The asker's leg that a dialog names, and its call; NULL: none of his. */
static struct tl_call *find_own(struct tl_app *app, const struct tl_source *source,
				const struct tl_replaces *names, enum tl_side *ret_side,
				int *ret_status)
{
	struct tl_leg *leg = tl_leg_find(app->stack, names);
	struct tl_call *call = leg ? tl_call_of_leg(leg, ret_side) : NULL;
	g_autofree char *label = call ? tl_call_label(call, *ret_side) : NULL;
	g_autofree char *own = g_strconcat(
		tl_source_kind_name(source->kind), ":",
		source->kind == TL_SOURCE_TRUNK ? source->trunk->name : source->extension->number,
		NULL);

	*ret_status = !call ? 481 : 403;
	return call && strcmp(label, own) == 0 ? call : NULL;
}

/* True: it has been dealt with. */
static bool transfer_own(struct tl_app *app, const struct tl_source *source, struct tl_leg *asker,
			 const struct tl_refer *refer)
{
	struct tl_refer to_him = *refer;
	enum tl_side side;
	struct tl_call *call;
	int status;

	if (refer->has_target) {
		call = find_own(app, source, &refer->target, &side, &status);
	} else if (refer->has_replaces && source->extension) {
		call = find_own(app, source, &refer->replaces, &side, &status);
		if (!call && status == 481)
			return false; /* others have it with each other */
		/* he takes the place of himself: on the telephone that he lifts now */
		to_him.callee = source->extension->number;
		to_him.has_replaces = false;
	} else {
		return false;
	}
	if (call)
		tl_call_referred(call, side, asker, &to_him);
	else
		tl_leg_refer_decline(asker, status, NULL);
	return true;
}

/* --- who may --- */

/* 0, or why not. */
static int check(const struct tl_source *source, const struct tl_leg *asker)
{
	const char *callee = tl_leg_info(asker)->callee;

	if (!source->extension || (*callee && strcmp(callee, source->extension->number) != 0))
		return 403; /* whom else should we call, in his name? */
	return source->extension->transfer == TL_TRANSFER_OFF ? 603 : 0;
}

void tl_call_refer_outside(struct tl_app *app, struct tl_request *request,
			   const struct tl_source *source)
{
	struct tl_refer refer;
	struct tl_leg *asker;
	int status;

	if (tl_leg_new_referred(request, &asker, &refer) < 0)
		return;
	if (!transfer_own(app, source, asker, &refer)) {
		status = check(source, asker);
		if (status)
			tl_leg_refer_decline(asker, status, NULL);
		else
			click_to_dial(app, source->extension, asker, &refer);
	}
	tl_leg_release(asker); /* it lives as long as there is something to tell */
}
