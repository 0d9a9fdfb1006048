#include "dialplan/route/route.h"

#include <string.h>
#include "dialplan/route/rewrite.h"

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

		if (from->group) {
			if (tl_group_has(from->group, facts->source, facts->source_name))
				return true;
			continue;
		}
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

/* A call without an offer gets ours, which is for audio. */
unsigned tl_facts_offered(const struct tl_facts *facts)
{
	return facts->offered ? facts->offered : 1u << TL_OFFERED_AUDIO;
}

static bool offers_hold(const struct tl_route_cfg *route, const struct tl_facts *facts)
{
	return !route->offers || route->offers & tl_facts_offered(facts);
}

static bool value_fits(const char *wanted, const char *value)
{
	size_t bytes = strlen(wanted);

	if (wanted[bytes - 1] == '*')
		return strncmp(wanted, value, bytes - 1) == 0;
	return strcmp(wanted, value) == 0;
}

static bool test_holds(const struct tl_header_test *test, const struct tl_facts *facts)
{
	bool absent = strcmp(test->value, "none") == 0;

	for (size_t i = 0; i < facts->n_headers; i++) {
		if (g_ascii_strcasecmp(facts->headers[i].name, test->name) != 0)
			continue;
		if (absent)
			return false;
		if (value_fits(test->value, facts->headers[i].value))
			return true;
	}
	return absent;
}

/* The name of the first header of which no value holds; NULL: all do. */
const char *tl_route_missed_header(const struct tl_route_cfg *route, const struct tl_facts *facts)
{
	size_t i = 0;

	while (i < route->n_header_tests) {
		const char *name = route->header_tests[i].name;
		bool held = false;

		for (; i < route->n_header_tests && route->header_tests[i].name == name; i++)
			held = held || test_holds(&route->header_tests[i], facts);
		if (!held)
			return name;
	}
	return NULL;
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
	if (!offers_hold(route, facts))
		return TL_CONDITION_OFFERS;
	if (tl_route_missed_header(route, facts))
		return TL_CONDITION_HEADER;
	if (!tl_route_can_ring(dp, route, facts))
		return TL_CONDITION_DIALLED;
	/* a route that says what follows on closed hours takes the call even then */
	if (route->on_closed.kind != TL_FOLLOW_NONE || tl_route_open(route, facts))
		return TL_CONDITION_NONE;
	return TL_CONDITION_WHEN;
}

char *tl_route_callee(const struct tl_route_cfg *route, const char *callee)
{
	if (!route->number)
		return tl_number_rewrite(callee, route->strip, route->prefix);
	return tl_template_expand(route->number, find_match(route->to, route->n_to, callee),
				  callee);
}
