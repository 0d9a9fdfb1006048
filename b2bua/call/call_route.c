/* A call asks the dialplan, and again when a step has failed. */
#include "b2bua/call/call_priv.h"
#include "b2bua/log.h"
#include "b2bua/registrar/registrar.h"

/* A caller can make us refuse as often as he likes: one line a second. */
static void log_refused(const struct tl_call *call, int status)
{
	static struct tl_log_limit limit;
	char caller[96], callee[96];
	unsigned skipped;

	if (tl_log_allow(&limit, &skipped))
		g_message("call=%s refused source=%s from=\"%s\" to=\"%s\" route=%s status=%d "
			  "skipped=%u",
			  call->id, call->source,
			  tl_log_quote(call->caller, caller, sizeof(caller)),
			  tl_log_quote(call->callee, callee, sizeof(callee)),
			  call->route ? call->route : "none", status, skipped);
}

static void log_routed(const struct tl_call *call)
{
	char caller[96], callee[96];

	g_message("call=%s invite source=%s from=\"%s\" to=\"%s\" route=%s does=%s", call->id,
		  call->source, tl_log_quote(call->caller, caller, sizeof(caller)),
		  tl_log_quote(call->callee, callee, sizeof(callee)), call->route,
		  tl_verdict_name(call->decision->verdict));
}

enum tl_call_event tl_call_refuse(struct tl_call *call, const struct tl_cause *cause)
{
	tl_kept_cause_set(&call->end, cause);
	log_refused(call, cause->status);
	return TL_CALL_EV_ROUTE_REFUSE;
}

enum tl_call_event tl_call_refuse_preconditions(struct tl_call *call)
{
	static const struct tl_cause cause = { .status = 420, .unsupported = "precondition" };

	tl_leg_close(call->leg_a, &cause); /* it is our word, not a callee's */
	return tl_call_refuse(call, &cause);
}

enum tl_call_event tl_call_reject(struct tl_call *call)
{
	return tl_call_refuse(call, &(struct tl_cause) { .status = call->decision->status,
							 .phrase = call->decision->reason });
}

/* To what the route lists, an extension's telephones in its place; nobody there: 480. */
static enum tl_call_event redirect(struct tl_call *call)
{
	const struct tl_decision *d = call->decision;
	struct tl_contact contacts[TL_CONTACTS_MAX] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < d->n_redirects && n < TL_CONTACTS_MAX; i++) {
		struct tl_binding bindings[TL_CONTACTS_MAX];
		size_t found;

		if (d->redirects[i].uri) {
			contacts[n++].uri = d->redirects[i].uri;
			continue;
		}
		found = tl_registrar_lookup(call->app->registrar, d->redirects[i].extension->number,
					    bindings, TL_CONTACTS_MAX - n);
		for (size_t k = 0; k < found; k++)
			contacts[n++].uri = bindings[k].contact;
	}
	if (n == 0)
		return tl_call_refuse(call, &(struct tl_cause) { .status = 480 });
	return tl_call_refuse(
		call, &(struct tl_cause) { .status = 302, .contacts = contacts, .n_contacts = n });
}

/* Early media from end to end: he can't be told of media of ours any more. */
static bool hears_elsewhere(const struct tl_call *call)
{
	return call->a.have_local && !call->session && !tl_call_is_direct(call);
}

/* What the caller offers is acceptable: codecs, encryption, and where it wants to be sent to. NULL,
 * or why not: nobody is to ring for nothing. */
static const char *cannot_answer(const struct tl_call *call)
{
	static const char unusable[] = "No usable audio";
	struct tl_media_desc answer;

	if (!call->a.have_remote)
		return NULL;
	if (!tl_plan_crypto_fits(&call->a.remote, &call->a.policy))
		return unusable;
	if (call->a.have_local || tl_call_is_direct(call))
		return NULL;
	if (tl_plan_answer(&call->a.remote, &call->a.policy, NULL, NULL, &answer) < 0)
		return unusable;
	return tl_call_media_reaches(call, &call->a.remote)
		       ? NULL
		       : "Incompatible network address formats";
}

/* What must be reserved first (RFC 3312) is between the parties, or nobody's business. */
static bool can_meet(const struct tl_call *call)
{
	return call->a_answered || tl_call_is_direct(call) ||
	       !tl_leg_info(call->leg_a)->needs_preconditions;
}

/* Takes decision. */
static enum tl_call_event take_decision(struct tl_call *call, struct tl_decision *decision)
{
	struct tl_cause unusable = { .status = 488 };

	tl_decision_free(call->decision);
	call->decision = decision;
	call->step = 0;
	tl_call_want_route(call);
	tl_kept_cause_clear(&call->best);
	call->best_by_b = call->no_answer = false;
	g_clear_pointer(&call->declined, g_free);
	tl_call_limit_duration(call);
	g_free(call->route);
	call->route = g_strdup(decision->route);
	if (decision->verdict != TL_VERDICT_REJECT && decision->verdict != TL_VERDICT_REDIRECT) {
		log_routed(call);
		unusable.warning = cannot_answer(call);
		if (unusable.warning)
			return tl_call_refuse(call, &unusable);
		if (!can_meet(call))
			return tl_call_refuse_preconditions(call);
	}

	if (hears_elsewhere(call) && decision->verdict != TL_VERDICT_REDIRECT)
		return decision->verdict == TL_VERDICT_REJECT
			       ? tl_call_reject(call)
			       : tl_call_refuse(call, &(struct tl_cause) { .status = 480 });
	switch (decision->verdict) {
	case TL_VERDICT_RING:
		return decision->n_play ? TL_CALL_EV_ROUTE_PLAY : TL_CALL_EV_ROUTE_RING;
	case TL_VERDICT_ANSWER:
	case TL_VERDICT_ECHO:
		return TL_CALL_EV_ROUTE_SERVE;
	case TL_VERDICT_REJECT: /* heard as early media, where there is some */
		if (decision->n_play && call->a.have_remote && !call->a.remote.foreign &&
		    !call->a_answered)
			return TL_CALL_EV_ROUTE_PLAY;
		return tl_call_reject(call);
	case TL_VERDICT_REDIRECT:
		return redirect(call);
	case _TL_VERDICT_MAX:
	case _TL_VERDICT_INVALID:
		break;
	}
	return tl_call_refuse(call, &(struct tl_cause) { .status = 500 });
}

enum tl_call_event tl_call_route(struct tl_call *call)
{
	struct tl_decision *decision;

	if (tl_dialplan_decide(call->dp, &call->facts, &decision) < 0)
		return tl_call_refuse(call, &(struct tl_cause) { .status = 404 });
	return take_decision(call, decision);
}

/* Which follow-up the failure of the last step asks for. A phone that is not
 * there follows on-no-answer when the route says nothing of failures. */
static const struct tl_follow *follow_of(const struct tl_call *call)
{
	const struct tl_decision *d = call->decision;
	int status = call->best.cause.status;

	if (call->no_answer)
		return &d->on_no_answer;
	if (status == 486 || status == 600 || status == 603)
		return &d->on_busy;
	if ((status == 480 || status == 408) && d->on_failure.kind == TL_FOLLOW_NONE)
		return &d->on_no_answer;
	return &d->on_failure;
}

static enum tl_call_event follow(struct tl_call *call, const struct tl_follow *what)
{
	struct tl_decision *decision;

	if (++call->follows > TL_CALL_FOLLOWS) {
		g_warning("call=%s more than %d routes followed, the last one %s", call->id,
			  TL_CALL_FOLLOWS, call->route);
		return tl_call_refuse(call, &(struct tl_cause) { .status = 480 });
	}
	if (tl_dialplan_follow(call->dp, what, &call->facts, &decision) < 0)
		return tl_call_refuse(call, &(struct tl_cause) { .status = 500 });
	if (decision->verdict == TL_VERDICT_RING)
		tl_call_diverted(call, call->callee,
				 call->no_answer ? 408 : call->best.cause.status);
	return take_decision(call, decision);
}

static enum tl_call_event refuse_as_targets_did(struct tl_call *call)
{
	static const struct tl_cause no_answer = {
		.status = 480,
		.reason = "Q.850;cause=19;text=\"no answer\"",
	};

	struct tl_cause cause = call->best.cause;

	if (call->no_answer)
		return tl_call_refuse(call, &no_answer);
	if (cause.status == 0)
		return tl_call_refuse(call, &(struct tl_cause) { .status = 480 });
	if (call->best_by_b)
		call->ended_by = "b";
	/* RFC 3261 16.7 step 6: it is the target that is out of service, not we */
	if (call->best_by_b && cause.status == 503)
		cause = (struct tl_cause) { .status = 480,
					    .reason = cause.reason,
					    .headers = cause.headers,
					    .n_headers = cause.n_headers };
	return tl_call_refuse(call, &cause);
}

enum tl_call_event tl_call_route_next(struct tl_call *call)
{
	const struct tl_follow *what;

	if (call->step + 1 < call->decision->n_steps) {
		call->step++;
		return TL_CALL_EV_ROUTE_RING;
	}
	what = follow_of(call);
	if (what->kind != TL_FOLLOW_NONE)
		return follow(call, what);
	return refuse_as_targets_did(call);
}
