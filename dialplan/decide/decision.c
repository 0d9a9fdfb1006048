/* From the route that takes a call to the decision about it. */
#include "dialplan/decision.h"

#include <errno.h>
#include <string.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/route/rewrite.h"

enum { CLOSED_DEPTH = 32 }; /* routes that on-closed may go through; load refuses circles */

/* A decision with what it holds on to. */
struct held_decision {
	struct tl_decision decision; /* first: tl_decision_free() gets its address */
	struct tl_dialplan *dp;
	struct tl_pool *pool; /* what was made for this call */
};

static struct held_decision *held_new(struct tl_dialplan *dp, const struct tl_facts *facts)
{
	struct held_decision *held = g_new0(struct held_decision, 1);
	struct tl_decision *d = &held->decision;

	held->dp = tl_dialplan_ref(dp);
	held->pool = tl_pool_new();
	d->route = "";
	d->callee = tl_pool_strdup(held->pool, facts->callee);
	d->caller = tl_pool_strdup(held->pool, facts->caller);
	d->ring_time_s = dp->gateway.ring_time_s;
	d->dtmf = _TL_DTMF_INVALID;
	d->srtp = _TL_SRTP_INVALID;
	d->t38 = _TL_T38_INVALID;
	d->transfer = _TL_TRANSFER_INVALID;
	if (facts->source == TL_SOURCE_EXTENSION) {
		const struct tl_extension_cfg *ext = tl_dialplan_extension(dp, facts->source_name);

		d->caller_name = ext ? ext->name : NULL;
	}
	return held;
}

void tl_decision_free(struct tl_decision *decision)
{
	struct held_decision *held = (struct held_decision *)decision;

	if (!held)
		return;
	tl_pool_free(held->pool);
	tl_dialplan_unref(held->dp);
	g_free(held);
}

static enum tl_verdict route_verdict(const struct tl_route_cfg *route)
{
	if (route->n_steps)
		return TL_VERDICT_RING;
	if (route->reject.kind == TL_FOLLOW_REJECT)
		return TL_VERDICT_REJECT;
	if (route->n_redirects)
		return TL_VERDICT_REDIRECT;
	return route->echo ? TL_VERDICT_ECHO : TL_VERDICT_ANSWER;
}

static const struct tl_pattern *matching(const struct tl_pattern *patterns, size_t n,
					 const char *number)
{
	for (size_t i = 0; i < n; i++)
		if (tl_pattern_match(&patterns[i], number))
			return &patterns[i];
	return NULL;
}

/* The pattern whose groups templates put in. */
static const struct tl_pattern *dialled_pattern(const struct tl_route_cfg *route,
						const struct tl_facts *facts)
{
	return route ? matching(route->to, route->n_to, facts->callee) : NULL;
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
	d->play_answered =
		route->play_as == TL_PLAY_UNSAID
			? d->verdict != TL_VERDICT_RING && d->verdict != TL_VERDICT_REJECT
			: route->play_as == TL_PLAY_ANSWER;
	d->ringback = route->ringback;
	d->ringback_file = route->ringback_file;
	d->record = route->record;
	d->hold_music = route->hold_music;
	d->ring_time_s = route->ring_time_s;
	d->max_duration_s = route->max_duration_s;
	d->on_busy = route->on_busy;
	d->on_no_answer = route->on_no_answer;
	d->on_failure = route->on_failure;
	d->codecs = route->codecs;
	d->n_codecs = route->n_codecs;
	d->dtmf = route->dtmf;
	d->srtp = route->srtp;
	d->t38 = route->t38;
	d->echo_cancel = route->echo_cancel;
	d->media = route->media;
	d->transfer = route->transfer;
	d->drop_headers = route->drop_headers;
	d->n_drop_headers = route->n_drop_headers;
	d->carry_headers = route->carry_headers;
	d->n_carry_headers = route->n_carry_headers;
}

static void set_caller(struct held_decision *held, const struct tl_route_cfg *route,
		       const struct tl_facts *facts)
{
	struct tl_decision *d = &held->decision;

	if (route->caller)
		d->caller =
			tl_pool_take(held->pool, tl_template_expand(route->caller,
								    matching(route->from_number,
									     route->n_from_number,
									     facts->caller),
								    facts->caller));
	if (route->caller_name || (route->caller && !*route->caller))
		d->caller_name = route->caller_name;
	d->privacy = route->privacy;
}

/* A value that came out empty adds nothing. */
static void set_headers(struct held_decision *held, const struct tl_route_cfg *route,
			const struct tl_facts *facts)
{
	struct tl_header_out *out;
	size_t n = 0;

	if (!route->n_add_headers)
		return;
	out = tl_pool_alloc(held->pool, route->n_add_headers, sizeof(*out));
	for (size_t i = 0; i < route->n_add_headers; i++) {
		const char *value = tl_pool_take(
			held->pool,
			tl_template_expand_header(route->add_headers[i].value,
						  dialled_pattern(route, facts), facts->callee));

		if (*value)
			out[n++] = (struct tl_header_out) { route->add_headers[i].name, value };
	}
	held->decision.add_headers = out;
	held->decision.n_add_headers = n;
}

/* Contacts of a redirection; one that stands for an extension that does not exist is left out. */
static void set_redirects(struct held_decision *held, const struct tl_route_cfg *route,
			  const struct tl_redirect *redirects, size_t n,
			  const struct tl_facts *facts)
{
	struct tl_redirect *out = tl_pool_alloc(held->pool, n, sizeof(*out));
	struct tl_decision *d = &held->decision;

	d->redirects = out;
	d->n_redirects = 0;
	for (size_t i = 0; i < n; i++) {
		struct tl_redirect item = redirects[i];

		if (item.uri)
			item.uri = tl_pool_take(
				held->pool,
				tl_template_expand_uri(item.uri, dialled_pattern(route, facts),
						       facts->callee));
		else if (!item.extension)
			item.extension = tl_dialplan_extension(held->dp, d->callee);
		if (item.uri || item.extension)
			out[d->n_redirects++] = item;
	}
	if (d->n_redirects)
		return;
	d->verdict = TL_VERDICT_REJECT;
	d->status = 404;
}

static void apply_route(struct held_decision *held, const struct tl_route_cfg *route,
			const struct tl_facts *facts)
{
	struct tl_decision *d = &held->decision;

	lend_facts(d, route);
	d->callee = tl_pool_take(held->pool, tl_route_callee(route, facts->callee));
	set_caller(held, route, facts);
	set_headers(held, route, facts);
	if (route->n_redirects)
		set_redirects(held, route, route->redirects, route->n_redirects, facts);
	d->steps =
		tl_steps_draw(held->pool, route->steps, route->n_steps, route->ring_time_s,
			      tl_dialplan_extension(held->dp, d->callee), facts->lot, &d->n_steps);
}

/* What a follow-up says that is not another route. */
static void apply_follow(struct held_decision *held, const struct tl_route_cfg *route,
			 const struct tl_follow *follow, const struct tl_facts *facts)
{
	struct tl_decision *d = &held->decision;

	d->route = route ? route->name : "";
	d->play = follow->play;
	d->n_play = follow->n_play;
	d->play_answered = follow->kind == TL_FOLLOW_PLAY;
	switch (follow->kind) {
	case TL_FOLLOW_PLAY:
		d->verdict = TL_VERDICT_ANSWER;
		return;
	case TL_FOLLOW_REDIRECT:
		d->verdict = TL_VERDICT_REDIRECT;
		set_redirects(held, route, follow->redirects, follow->n_redirects, facts);
		return;
	case TL_FOLLOW_REJECT:
	case TL_FOLLOW_NONE:
	case TL_FOLLOW_ROUTE:
	case _TL_FOLLOW_MAX:
	case _TL_FOLLOW_INVALID:
		break;
	}
	d->verdict = TL_VERDICT_REJECT;
	d->status = follow->status;
	d->reason = follow->reason;
}

/* An extension calls another: no route is needed. */
static struct tl_decision *call_extension(struct tl_dialplan *dp, const struct tl_facts *facts)
{
	static const struct tl_ring_target dialled = { .kind = TL_TARGET_EXTENSION };
	static const struct tl_ring_step step = { &dialled, 1, 0 };
	const struct tl_extension_cfg *callee = tl_dialplan_extension(dp, facts->callee);
	struct held_decision *held;
	struct tl_decision *d;

	if (facts->source != TL_SOURCE_EXTENSION || !callee)
		return NULL;
	held = held_new(dp, facts);
	d = &held->decision;
	d->verdict = TL_VERDICT_RING;
	d->steps = tl_steps_draw(held->pool, &step, 1, d->ring_time_s, callee, 0, &d->n_steps);
	return d;
}

/* The route that counts when its hours are over, or NULL and what is done instead. */
static const struct tl_route_cfg *after_hours(const struct tl_dialplan *dp,
					      const struct tl_route_cfg **route,
					      const struct tl_facts *facts)
{
	for (unsigned i = 0; i < CLOSED_DEPTH; i++) {
		const struct tl_follow *follow = &(*route)->on_closed;

		if (follow->kind == TL_FOLLOW_NONE || tl_route_open(*route, facts))
			return *route;
		if (follow->kind != TL_FOLLOW_ROUTE)
			return NULL;
		*route = g_hash_table_lookup(dp->route_by_name, follow->route);
	}
	return *route;
}

/* What the route does with the call, or (NULL) an extension's call to another;
 * NULL: nothing takes it. */
static struct tl_decision *make_decision(struct tl_dialplan *dp, const struct tl_route_cfg *route,
					 const struct tl_facts *facts)
{
	const struct tl_route_cfg *first = route, *open;
	struct held_decision *held;

	if (!route)
		return call_extension(dp, facts);
	open = after_hours(dp, &route, facts);
	held = held_new(dp, facts);
	if (open)
		apply_route(held, open, facts);
	else
		apply_follow(held, route, &route->on_closed, facts);
	held->decision.closed = open != first;
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
	struct tl_decision *decision = make_decision(dp, tl_dialplan_find_route(dp, facts), facts);

	if (!decision)
		return -ENOENT;
	*ret_decision = decision;
	return 0;
}

int tl_dialplan_follow(struct tl_dialplan *dp, const struct tl_follow *follow,
		       const struct tl_facts *facts, struct tl_decision **ret_decision)
{
	const struct tl_route_cfg *next;
	struct held_decision *held;

	if (follow->kind == TL_FOLLOW_NONE)
		return -ENOENT;
	if (follow->kind == TL_FOLLOW_ROUTE) {
		next = g_hash_table_lookup(dp->route_by_name, follow->route);
		if (!next || !tl_route_can_ring(dp, next, facts))
			return -ENOENT;
		*ret_decision = make_decision(dp, next, facts);
		return 0;
	}
	held = held_new(dp, facts);
	apply_follow(held, NULL, follow, facts);
	*ret_decision = &held->decision;
	return 0;
}

/* "X-*" or a whole name; header names have no case (RFC 3261 7.3.1). */
static bool names_header(const char *pattern, const char *name)
{
	size_t bytes = strlen(pattern);

	if (bytes && pattern[bytes - 1] == '*')
		return g_ascii_strncasecmp(pattern, name, bytes - 1) == 0;
	return g_ascii_strcasecmp(pattern, name) == 0;
}

enum tl_header_fate tl_decision_header(const struct tl_decision *decision, const char *name)
{
	for (size_t i = 0; i < decision->n_drop_headers; i++)
		if (names_header(decision->drop_headers[i], name))
			return TL_HEADER_DROP;
	for (size_t i = 0; i < decision->n_carry_headers; i++)
		if (names_header(decision->carry_headers[i], name))
			return TL_HEADER_CARRY;
	return TL_HEADER_DEFAULT;
}

enum tl_echo_cancel tl_decision_echo(const struct tl_decision *decision, bool caller,
				     const struct tl_sound_cfg *own)
{
	enum tl_echo_at at = decision ? decision->echo_cancel : TL_ECHO_AT_LEG;
	bool here = at == TL_ECHO_AT_BOTH || at == (caller ? TL_ECHO_AT_CALLER : TL_ECHO_AT_CALLEE);

	if (at == TL_ECHO_AT_LEG || (here && own->echo_cancel != TL_ECHO_CANCEL_OFF))
		return own->echo_cancel;
	return here ? TL_ECHO_CANCEL_AUTO : TL_ECHO_CANCEL_OFF;
}
