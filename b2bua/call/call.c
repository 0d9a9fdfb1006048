#include "b2bua/call/call_priv.h"
#include "b2bua/call/call_transfer.h"
#include "b2bua/clock.h"
#include "b2bua/trunk/trunk.h"
#include <string.h>

enum { TURNS_MAX = 70 }; /* as Max-Forwards */

const char *tl_call_id(const struct tl_call *call)
{
	return call->id;
}

enum tl_call_state tl_call_state(const struct tl_call *call)
{
	return call->state;
}

void tl_call_start_timer(struct tl_call *call, su_timer_t **timer, unsigned ms, su_timer_f on_timer)
{
	tl_timer_start(timer, call->app->root, ms, on_timer, call);
}

static void set_state(struct tl_call *call, enum tl_call_state state)
{
	if (call->state == state)
		return;
	g_debug("call=%s state=%s was=%s", call->id, tl_call_state_name(state),
		tl_call_state_name(call->state));
	call->state = state;
}

/* A media step that failed ends the call with the status that it gave. */
static void stop_unless_ok(struct tl_call *call, int status, const char *what)
{
	if (status == 0)
		return;
	g_message("call=%s %s failed status=%d", call->id, what, status);
	tl_kept_cause_set(&call->end, &(struct tl_cause) { .status = status });
	call->ended_by = "gateway";
	tl_call_raise(call, TL_CALL_EV_STOP);
}

static void close_a(struct tl_call *call)
{
	struct tl_cause cause = tl_cause_for_caller(&call->end.cause);
	struct tl_header_set headers;

	if (!call->leg_a || tl_call_give_back(call, TL_SIDE_A))
		return;
	cause = tl_call_pass_cause(call, &cause, &headers);
	tl_leg_close(call->leg_a, &cause);
}

static void close_b(struct tl_call *call)
{
	struct tl_header_set headers;
	struct tl_cause cause = tl_call_pass_cause(call, &call->end.cause, &headers);

	if (call->b && !tl_call_give_back(call, TL_SIDE_B))
		tl_leg_close(call->b->leg, &cause);
}

static void drop_targets(struct tl_call *call)
{
	static const struct tl_cause elsewhere = {
		.reason = "SIP;cause=200;text=\"Call completed elsewhere\"",
	};

	struct tl_header_set headers;
	struct tl_cause cause = tl_call_pass_cause(call, &call->end.cause, &headers);

	tl_call_drop_targets(call, call->b ? &elsewhere : &cause);
}

static void join(struct tl_call *call)
{
	int status = tl_call_join(call);

	if (status)
		tl_call_raise(call, tl_call_refuse(call, &(struct tl_cause) { .status = status }));
}

static void perform(struct tl_call *call, enum tl_call_action action)
{
	switch (action) {
	case TL_CALL_DO_PLAY:
	case TL_CALL_DO_SERVE:
		stop_unless_ok(call, tl_call_media_play(call), "announcement");
		if (call->state == TL_CALL_SERVING)
			tl_call_transfer_done(call);
		return;
	case TL_CALL_DO_RING:
		tl_call_ring(call);
		return;
	case TL_CALL_DO_NEXT:
		tl_call_raise(call, tl_call_route_next(call));
		return;
	case TL_CALL_DO_PROGRESS:
		tl_call_media_progress(call);
		tl_call_transfer_progress(call, call->news->status);
		return;
	case TL_CALL_DO_BRIDGE:
		stop_unless_ok(call, tl_call_media_bridge(call), "bridge");
		if (call->state == TL_CALL_TALKING && call->a.have_remote && !call->direct_waits)
			tl_call_transfer_done(call);
		return;
	case TL_CALL_DO_JOIN:
		join(call);
		return;
	case TL_CALL_DO_MOVE:
		tl_call_move(call);
		return;
	case TL_CALL_DO_JOINED:
		tl_call_transfer_done(call);
		tl_call_hold_follow(call);
		return;
	case TL_CALL_DO_LEND:
		tl_call_rest(call);
		return;
	case TL_CALL_DO_RESUME:
		tl_call_resume(call);
		return;
	case TL_CALL_DO_DROP_TARGETS:
		drop_targets(call);
		return;
	case TL_CALL_DO_REFUSE_A:
	case TL_CALL_DO_CLOSE_A:
		close_a(call);
		return;
	case TL_CALL_DO_CLOSE_B:
		close_b(call);
		return;
	case TL_CALL_DO_FINISH:
		tl_call_finish(call);
		return;
	case _TL_CALL_ACTION_MAX:
		break;
	}
	g_assert_not_reached();
}

static void take_step(struct tl_call *call, enum tl_call_event event)
{
	struct tl_call_actions actions;
	enum tl_call_state next = tl_call_fsm_step(call->state, event, &actions);

	g_debug("call=%s event=%s state=%s", call->id, tl_call_event_name(event),
		tl_call_state_name(call->state));
	set_state(call, next);
	for (size_t i = 0; i < actions.n; i++) {
		perform(call, actions.v[i]);
		/* an action that failed has taken the call elsewhere */
		if (call->state != next)
			return;
	}
}

void tl_call_raise(struct tl_call *call, enum tl_call_event event)
{
	take_step(call, event);
	tl_call_direct_note(call);
	tl_call_show(call);
}

static void end_by_leg(struct tl_call *call, const struct tl_leg_event *event, const char *by,
		       enum tl_call_event what)
{
	if (call->state == TL_CALL_ENDED)
		return;
	call->ended_by = by;
	tl_kept_cause_set(&call->end, &event->cause);
	tl_call_raise(call, what);
}

static void on_acked(struct tl_call *call, const struct tl_leg_event *event)
{
	bool first;
	int status;

	tl_call_direct_settle(call);
	if (!event->desc) {
		/* our 2xx offered, and the ACK must answer (RFC 3264 4) */
		if (!call->a.have_remote)
			stop_unless_ok(call, 488, "answer in ACK");
		else
			tl_call_direct_unanswered(call);
		return;
	}
	first = !call->a.have_remote;
	status = tl_call_media_answered(call, &call->a, event->desc);
	if (first && status)
		stop_unless_ok(call, status, "answer in ACK");
	else if (call->play_pending)
		stop_unless_ok(call, tl_call_media_play(call), "announcement");
}

void tl_call_on_talk(struct tl_call *call, struct tl_leg *leg, enum tl_side side,
		     struct tl_call_media *m, const struct tl_leg_event *event)
{
	switch (event->type) {
	case TL_LEG_OFFERED:
		tl_call_media_reoffered(call, leg, m, event->desc);
		return;
	case TL_LEG_REANSWERED:
		tl_call_reanswered(call, m, event->desc);
		return;
	case TL_LEG_REFERRED:
		tl_call_referred(call, side, leg, event->refer);
		return;
	case TL_LEG_REFER_NEWS:
		tl_call_refer_news(call, event->status);
		return;
	case TL_LEG_REFER_DONE:
		tl_call_refer_done(call);
		return;
	case TL_LEG_INFO_DTMF:
		tl_call_media_digit(call, tl_side_other(side), event->digit, event->duration_ms,
				    false);
		return;
	case TL_LEG_INFO:
	case TL_LEG_INFO_REPLY:
		tl_call_info(call, leg, event);
		return;
	case TL_LEG_PROGRESS:
	case TL_LEG_ANSWERED:
	case TL_LEG_ACKED:
	case TL_LEG_REFUSED:
	case TL_LEG_GONE:
	case TL_LEG_OFFER_REFUSED:
	case _TL_LEG_EVENT_MAX:
		return;
	}
}

void tl_call_on_leg_a(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct tl_call *call = user;

	switch (event->type) {
	case TL_LEG_ACKED:
		on_acked(call, event);
		return;
	case TL_LEG_GONE:
	case TL_LEG_REFUSED:
		end_by_leg(call, event, "a", TL_CALL_EV_A_GONE);
		return;
	case TL_LEG_OFFERED:
	case TL_LEG_REANSWERED:
	case TL_LEG_REFERRED:
	case TL_LEG_REFER_NEWS:
	case TL_LEG_REFER_DONE:
	case TL_LEG_INFO_DTMF:
	case TL_LEG_INFO:
	case TL_LEG_INFO_REPLY:
		tl_call_on_talk(call, leg, TL_SIDE_A, &call->a, event);
		return;
	case TL_LEG_OFFER_REFUSED:
		tl_call_media_offer_refused(call, &call->a, event->cause.status);
		tl_call_not_moved(call, &call->a, event->cause.status);
		return;
	case TL_LEG_PROGRESS:
	case TL_LEG_ANSWERED:
	case _TL_LEG_EVENT_MAX:
		return;
	}
}

static const char *name_of(const struct tl_source *source)
{
	return source->kind == TL_SOURCE_TRUNK ? source->trunk->name : source->extension->number;
}

bool tl_call_is_loop(const struct tl_app *app, const char *call_id, const struct tl_source *source,
		     const char *callee)
{
	const struct tl_call *call = g_hash_table_lookup(app->rung, call_id);

	for (unsigned turns = 0; call && turns < TURNS_MAX; turns++) {
		if (call->facts.source == source->kind && call->callee &&
		    strcmp(call->source_name, name_of(source)) == 0 &&
		    strcmp(call->callee, callee) == 0)
			return true;
		call = g_hash_table_lookup(app->rung, call->call_id_a);
	}
	return call != NULL;
}

static void make_id(struct tl_app *app, char *ret_id, size_t bytes)
{
	do
		g_snprintf(ret_id, bytes, "%06x", g_random_int() & 0xffffff);
	while (g_hash_table_contains(app->calls, ret_id));
}

static void keep_facts(struct tl_call *call, const struct tl_leg_info *info,
		       const struct tl_source *source)
{
	bool trunk = source->kind == TL_SOURCE_TRUNK;

	call->source_name = g_strdup(trunk ? source->trunk->name : source->extension->number);
	call->source =
		g_strdup_printf("%s:%s", tl_source_kind_name(source->kind), call->source_name);
	tl_call_read_caller(call, info, source);
	call->callee = g_strdup(info->callee);
	call->facts = (struct tl_facts) {
		.source = source->kind,
		.source_name = call->source_name,
		.caller = call->caller,
		.callee = call->callee,
		.at_s = tl_clock_to_wall_ms(call->started_ms) / 1000,
		.transport = info->transport,
		.headers = info->fields,
		.n_headers = info->n_fields,
		.offered = info->offered,
		.lot = g_random_int(),
	};
}

static void keep_media(struct tl_call *call, const struct tl_leg_info *info,
		       const struct tl_source *source)
{
	g_autofree struct tl_media_desc *offer = tl_leg_take_offer(call->leg_a);
	bool trunk = source->kind == TL_SOURCE_TRUNK;

	if (trunk)
		tl_call_want_trunk(call, &call->a, source->trunk);
	else
		tl_call_want_extension(call, &call->a, source->extension);
	call->a.peer = info->source;
	tl_leg_set_session(call->leg_a, trunk ? source->trunk->session_expires_s
					      : source->extension->session_expires_s);
	if (offer) {
		call->a.remote = *offer;
		call->a.have_remote = true;
	}
}

struct tl_call *tl_call_alloc(struct tl_app *app, struct tl_dialplan *dp)
{
	struct tl_call *call = g_new0(struct tl_call, 1);

	call->app = app;
	call->dp = tl_dialplan_ref(dp);
	call->branches = g_ptr_array_new_with_free_func((GDestroyNotify)tl_branch_free);
	call->started_ms = tl_clock_ms();
	call->ended_by = "gateway";
	make_id(app, call->id, sizeof(call->id));
	g_hash_table_insert(app->calls, call->id, call);
	app->n_calls++;
	return call;
}

struct tl_call *tl_call_new(struct tl_app *app, struct tl_leg *leg, struct tl_dialplan *dp,
			    const struct tl_source *source)
{
	const struct tl_leg_info *info = tl_leg_info(leg);
	static const struct tl_cause trunk_full = {
		.status = 503,
		.phrase = "Trunk limit reached",
		.retry_after_s = 10,
	};
	struct tl_call *call = tl_call_alloc(app, dp);
	char leg_id[40];

	call->leg_a = leg;
	keep_facts(call, info, source);
	keep_media(call, info, source);
	call->call_id_a = g_strdup(tl_leg_call_id(leg));
	g_snprintf(leg_id, sizeof(leg_id), "call=%s leg=a", call->id);
	tl_leg_set_id(leg, leg_id);
	tl_leg_set_owner(leg, tl_call_on_leg_a, call);
	if (source->kind == TL_SOURCE_TRUNK) {
		if (tl_trunk_take(app->trunks, source->trunk->name) < 0) {
			tl_call_raise(call, tl_call_refuse(call, &trunk_full));
			return call;
		}
		call->trunk = g_strdup(source->trunk->name);
		tl_leg_set_client(leg, call->trunk);
	}
	tl_call_raise(call, info->has_replaces ? tl_call_replace(call) : tl_call_route(call));
	return call;
}

void tl_call_stop(struct tl_call *call, const char *why)
{
	g_autofree char *reason = g_strdup_printf("SIP;cause=480;text=\"%s\"", why);

	if (call->state == TL_CALL_ENDED)
		return;
	call->ended_by = "gateway";
	tl_kept_cause_set(&call->end, &(struct tl_cause) { .status = 480, .reason = reason });
	tl_call_raise(call, TL_CALL_EV_STOP);
}
