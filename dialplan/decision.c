/* From the route that takes a call to the decision about it. */
#include "dialplan/decision.h"

#include <errno.h>
#include <string.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/rewrite.h"

/* A decision with what it holds on to. */
struct held_decision {
	struct tl_decision decision; /* first: tl_decision_free() gets its address */
	struct tl_dialplan *dp;
	char *callee, *redirect_to;
	struct tl_ring_step *steps;     /* when the route's own can't be lent */
	struct tl_ring_target *targets; /* of all steps */
};

const char *tl_verdict_name(enum tl_verdict v)
{
	static const char *const names[_TL_VERDICT_MAX] = {
		[TL_VERDICT_RING] = "ring",         [TL_VERDICT_ANSWER] = "answer",
		[TL_VERDICT_ECHO] = "echo",         [TL_VERDICT_REJECT] = "reject",
		[TL_VERDICT_REDIRECT] = "redirect",
	};

	return v >= 0 && v < _TL_VERDICT_MAX ? names[v] : "invalid";
}

static struct held_decision *held_new(struct tl_dialplan *dp, const struct tl_facts *facts)
{
	struct held_decision *held = g_new0(struct held_decision, 1);

	held->dp = tl_dialplan_ref(dp);
	held->decision.caller = facts->caller;
	if (facts->source == TL_SOURCE_EXTENSION) {
		const struct tl_extension_cfg *ext = tl_dialplan_extension(dp, facts->source_name);

		held->decision.caller_name = ext ? ext->name : NULL;
	}
	return held;
}

void tl_decision_free(struct tl_decision *decision)
{
	struct held_decision *held = (struct held_decision *)decision;

	if (!held)
		return;
	g_free(held->callee);
	g_free(held->redirect_to);
	g_free((char *)held->decision.caller);
	g_free(held->steps);
	g_free(held->targets);
	tl_dialplan_unref(held->dp);
	g_free(held);
}

static struct tl_ring_target dialled(const struct held_decision *held)
{
	return (struct tl_ring_target) {
		.kind = TL_TARGET_EXTENSION,
		.extension = tl_dialplan_extension(held->dp, held->callee),
	};
}

/* Copies the route's steps with the extension dialled in the place of "extension". */
static void set_dialled_steps(struct held_decision *held, const struct tl_route_cfg *route)
{
	struct tl_ring_target *target;
	size_t n = 0;

	for (size_t i = 0; i < route->n_steps; i++)
		n += route->steps[i].n_targets;
	target = held->targets = g_new(struct tl_ring_target, n);
	held->steps = g_new(struct tl_ring_step, route->n_steps);
	for (size_t i = 0; i < route->n_steps; i++) {
		held->steps[i] = (struct tl_ring_step) { target, route->steps[i].n_targets };
		for (size_t k = 0; k < route->steps[i].n_targets; k++) {
			*target = route->steps[i].targets[k];
			if (!target->trunk && !target->extension)
				*target = dialled(held);
			target++;
		}
	}
	held->decision.steps = held->steps;
}

static enum tl_verdict route_verdict(const struct tl_route_cfg *route)
{
	if (route->n_steps)
		return TL_VERDICT_RING;
	if (route->reject.kind == TL_FOLLOW_REJECT)
		return TL_VERDICT_REJECT;
	if (route->redirect)
		return TL_VERDICT_REDIRECT;
	return route->echo ? TL_VERDICT_ECHO : TL_VERDICT_ANSWER;
}

static const struct tl_pattern *matching(const struct tl_route_cfg *route, const char *callee)
{
	for (size_t i = 0; i < route->n_to; i++)
		if (tl_pattern_match(&route->to[i], callee))
			return &route->to[i];
	return NULL;
}

/* What is lent as it stands, for as long as the dialplan is held. */
static void lend_facts(struct tl_decision *d, const struct tl_route_cfg *route)
{
	d->route = route->name;
	d->verdict = route_verdict(route);
	d->status = route->reject.status;
	d->reason = route->reject.reason;
	d->play = route->play;
	d->n_play = route->n_play;
	d->play_answered = route->play_as == TL_PLAY_UNSAID ? d->verdict != TL_VERDICT_RING
							    : route->play_as == TL_PLAY_ANSWER;
	d->record = route->record;
	d->hold_music = route->hold_music;
	d->steps = route->steps;
	d->n_steps = route->n_steps;
	d->ring_time_s = route->ring_time_s;
	d->max_duration_s = route->max_duration_s;
	d->on_busy = route->on_busy;
	d->on_no_answer = route->on_no_answer;
	d->on_failure = route->on_failure;
}

static void apply_route(struct held_decision *held, const struct tl_route_cfg *route,
			const struct tl_facts *facts)
{
	struct tl_decision *d = &held->decision;

	lend_facts(d, route);
	held->callee = tl_route_callee(route, facts->callee);
	if (route->redirect)
		held->redirect_to = tl_template_expand(
			route->redirect, matching(route, facts->callee), facts->callee);
	d->redirect_to = held->redirect_to;
	if (route->caller)
		d->caller = route->caller;
	if (route->caller_name || (route->caller && !*route->caller))
		d->caller_name = route->caller_name;
	if (route->rings_dialled)
		set_dialled_steps(held, route);
}

/* An extension calls another: no route is needed. */
static void apply_extension(struct held_decision *held, const struct tl_facts *facts)
{
	struct tl_decision *d = &held->decision;

	held->callee = g_strdup(facts->callee);
	held->targets = g_new(struct tl_ring_target, 1);
	held->targets[0] = dialled(held);
	held->steps = g_new(struct tl_ring_step, 1);
	held->steps[0] = (struct tl_ring_step) { held->targets, 1 };
	d->route = "";
	d->verdict = TL_VERDICT_RING;
	d->steps = held->steps;
	d->n_steps = 1;
	d->ring_time_s = held->dp->gateway.ring_time_s;
}

struct tl_decision *tl_decision_make(struct tl_dialplan *dp, const struct tl_route_cfg *route,
				     const struct tl_facts *facts)
{
	struct held_decision *held;

	if (!route &&
	    (facts->source != TL_SOURCE_EXTENSION || !tl_dialplan_extension(dp, facts->callee)))
		return NULL;
	held = held_new(dp, facts);
	if (route)
		apply_route(held, route, facts);
	else
		apply_extension(held, facts);
	held->decision.callee = held->callee;
	held->decision.caller = g_strdup(held->decision.caller);
	return &held->decision;
}

const struct tl_route_cfg *tl_dialplan_find_route(const struct tl_dialplan *dp,
						  const struct tl_facts *facts)
{
	return tl_index_find(dp->index, dp, facts);
}

int tl_dialplan_decide(struct tl_dialplan *dp, const struct tl_facts *facts,
		       struct tl_decision **ret_decision)
{
	struct tl_decision *decision =
		tl_decision_make(dp, tl_dialplan_find_route(dp, facts), facts);

	if (!decision)
		return -ENOENT;
	*ret_decision = decision;
	return 0;
}

int tl_dialplan_follow(struct tl_dialplan *dp, const char *route, const struct tl_facts *facts,
		       struct tl_decision **ret_decision)
{
	const struct tl_route_cfg *next = g_hash_table_lookup(dp->route_by_name, route);

	if (!next || !tl_route_can_ring(dp, next, facts))
		return -ENOENT;
	*ret_decision = tl_decision_make(dp, next, facts);
	return 0;
}

static void append_target(GString *out, const struct tl_ring_target *target)
{
	if (target->trunk)
		g_string_append_printf(out, "trunk:%s", target->trunk->name);
	else
		g_string_append(out, target->extension ? target->extension->number : "extension");
}

char *tl_steps_text(const struct tl_ring_step *steps, size_t n)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		g_string_append(out, i ? " then " : "");
		for (size_t k = 0; k < steps[i].n_targets; k++) {
			g_string_append(out, k ? ", " : "");
			append_target(out, &steps[i].targets[k]);
		}
	}
	return g_string_free(out, FALSE);
}
