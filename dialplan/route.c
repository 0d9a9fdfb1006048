#include "dialplan/route.h"

#include <string.h>
#include "dialplan/rewrite.h"

const char *tl_source_kind_name(enum tl_source_kind kind)
{
	static const char *const names[_TL_SOURCE_MAX] = {
		[TL_SOURCE_TRUNK] = "trunk",
		[TL_SOURCE_EXTENSION] = "extension",
	};

	return kind >= 0 && kind < _TL_SOURCE_MAX ? names[kind] : "any";
}

static bool from_holds(const struct tl_route_cfg *route, const struct tl_facts *facts)
{
	for (size_t i = 0; i < route->n_from; i++) {
		const struct tl_source *from = &route->from[i];

		if (from->kind != _TL_SOURCE_MAX && from->kind != facts->source)
			continue;
		if (!from->name || strcmp(from->name, facts->source_name) == 0)
			return true;
	}
	return !route->n_from;
}

static const struct tl_pattern *find_match(const struct tl_pattern *patterns, size_t n,
					   const char *number)
{
	for (size_t i = 0; i < n; i++)
		if (tl_pattern_match(&patterns[i], number))
			return &patterns[i];
	return NULL;
}

static bool transport_holds(const struct tl_route_cfg *route, const struct tl_facts *facts)
{
	return !route->transports || route->transports & 1u << facts->transport;
}

bool tl_route_can_ring(const struct tl_dialplan *dp, const struct tl_route_cfg *route,
		       const struct tl_facts *facts)
{
	g_autofree char *callee = NULL;

	if (!route->rings_dialled)
		return true;
	callee = tl_route_callee(route, facts->callee);
	return tl_dialplan_extension(dp, callee);
}

/* One of the names must be open, and none of those after "not". */
bool tl_route_open(const struct tl_route_cfg *route, const struct tl_facts *facts)
{
	bool named = false, open = false;

	for (size_t i = 0; i < route->n_when; i++) {
		const struct tl_when *when = &route->when[i];
		bool now = tl_hours_open(when->hours, facts->at_s);

		if (when->outside && now)
			return false;
		named = named || !when->outside;
		open = open || (!when->outside && now);
	}
	return open || !named;
}

enum tl_condition tl_route_miss(const struct tl_dialplan *dp, const struct tl_route_cfg *route,
				const struct tl_facts *facts)
{
	if (route->follow_only)
		return TL_CONDITION_FOLLOW;
	if (!from_holds(route, facts))
		return TL_CONDITION_FROM;
	if (route->n_to && !find_match(route->to, route->n_to, facts->callee))
		return TL_CONDITION_TO;
	if (route->n_from_number &&
	    !find_match(route->from_number, route->n_from_number, facts->caller))
		return TL_CONDITION_FROM_NUMBER;
	if (!transport_holds(route, facts))
		return TL_CONDITION_TRANSPORT;
	if (!tl_route_can_ring(dp, route, facts))
		return TL_CONDITION_DIALLED;
	/* a route that says what follows on closed hours takes the call even then */
	if (route->on_closed.kind != TL_FOLLOW_NONE || tl_route_open(route, facts))
		return TL_CONDITION_NONE;
	return TL_CONDITION_WHEN;
}

static char *join_from(const struct tl_route_cfg *route)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < route->n_from; i++)
		g_string_append_printf(out, "%s%s%s%s", i ? ", " : "",
				       tl_source_kind_name(route->from[i].kind),
				       route->from[i].name ? ":" : "",
				       route->from[i].name ? route->from[i].name : "");
	return g_string_free(out, FALSE);
}

static char *join_patterns(const struct tl_pattern *patterns, size_t n)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "", patterns[i].text);
	return g_string_free(out, FALSE);
}

static char *join_transports(const struct tl_route_cfg *route)
{
	GString *out = g_string_new(NULL);

	for (int t = 0; t < _TL_TRANSPORT_MAX; t++)
		if (route->transports & 1u << t)
			g_string_append_printf(out, "%s%s", out->len ? ", " : "",
					       tl_transport_name(t));
	return g_string_free(out, FALSE);
}

static char *join_when(const struct tl_route_cfg *route)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < route->n_when; i++)
		g_string_append_printf(out, "%s%s%s", i ? ", " : "",
				       route->when[i].outside ? "not " : "",
				       route->when[i].hours->name);
	return g_string_free(out, FALSE);
}

char *tl_route_miss_text(const struct tl_route_cfg *route, const struct tl_facts *facts,
			 enum tl_condition condition)
{
	g_autofree char *said = NULL, *callee = tl_quote(facts->callee);
	g_autofree char *caller = *facts->caller ? tl_quote(facts->caller) : g_strdup("withheld");

	switch (condition) {
	case TL_CONDITION_FOLLOW:
		return g_strdup(
			"it has no condition, and is there for what follows on other routes");
	case TL_CONDITION_FROM:
		said = join_from(route);
		return g_strdup_printf("from = %s, and the call comes from %s:%s", said,
				       tl_source_kind_name(facts->source), facts->source_name);
	case TL_CONDITION_TO:
		said = join_patterns(route->to, route->n_to);
		return g_strdup_printf("to = %s does not match %s", said, callee);
	case TL_CONDITION_FROM_NUMBER:
		said = join_patterns(route->from_number, route->n_from_number);
		return g_strdup_printf("from-number = %s does not match the caller, %s", said,
				       caller);
	case TL_CONDITION_TRANSPORT:
		said = join_transports(route);
		return g_strdup_printf("transport = %s, and the call came by %s", said,
				       tl_transport_name(facts->transport));
	case TL_CONDITION_DIALLED:
		said = tl_route_callee(route, facts->callee);
		return g_strdup_printf("ring = extension, and there is no [extension %s]", said);
	case TL_CONDITION_WHEN:
		said = join_when(route);
		return g_strdup_printf("when = %s does not hold at that time", said);
	case TL_CONDITION_NONE:
	case _TL_CONDITION_MAX:
		break;
	}
	return g_strdup("all conditions hold");
}

char *tl_route_callee(const struct tl_route_cfg *route, const char *callee)
{
	if (!route->number)
		return tl_number_rewrite(callee, route->strip, route->prefix);
	return tl_template_expand(route->number, find_match(route->to, route->n_to, callee),
				  callee);
}

char *tl_follow_text(const struct tl_follow *follow)
{
	switch (follow->kind) {
	case TL_FOLLOW_ROUTE:
		return g_strdup_printf("route %s", follow->route);
	case TL_FOLLOW_REJECT:
		return g_strdup_printf("reject %d%s%s", follow->status, follow->reason ? " " : "",
				       follow->reason ? follow->reason : "");
	case TL_FOLLOW_PLAY:
	case TL_FOLLOW_REDIRECT:
	case TL_FOLLOW_NONE:
	case _TL_FOLLOW_MAX:
	case _TL_FOLLOW_INVALID:
		break;
	}
	return g_strdup("the far side's answer goes to the caller");
}
