/*
 * Routes that never take a call, since those above them take all that they could:
 *
 *   [route service]  to = 08.       every call to 0800… is taken here
 *   [route free]     to = 0800X.    a warning
 *
 * A warning and no mistake: somebody may be about to move lines. What is said is so;
 * what only several routes together shadow may go unsaid.
 */
#include "dialplan/load/load.h"

enum { CASES_MAX = 1024 }; /* sources times patterns of one route: more are not looked at */

/* Part of a route: calls from one of its sources to one of its patterns. */
struct part {
	const struct tl_route_cfg *route;
	const struct tl_source *from; /* NULL: any */
	const struct tl_pattern *to;  /* NULL: any */
};

static bool source_covers(const struct tl_source *wide, const struct tl_source *narrow)
{
	if (!wide->group && wide->kind == _TL_SOURCE_MAX)
		return true;
	if (!narrow)
		return false;
	if (wide->group)
		return narrow->group == wide->group ||
		       (narrow->name && tl_group_has(wide->group, narrow->kind, narrow->name));
	return !narrow->group && wide->kind == narrow->kind &&
	       (!wide->name || g_strcmp0(wide->name, narrow->name) == 0);
}

static bool from_covers(const struct tl_route_cfg *wide, const struct part *part)
{
	for (size_t i = 0; i < wide->n_from; i++)
		if (source_covers(&wide->from[i], part->from))
			return true;
	return !wide->n_from;
}

static bool any_covers(const struct tl_pattern *wide, size_t n, const struct tl_pattern *narrow)
{
	for (size_t i = 0; i < n; i++)
		if (narrow && tl_pattern_covers(&wide[i], narrow))
			return true;
	return !n;
}

static bool callers_covered(const struct tl_route_cfg *wide, const struct tl_route_cfg *narrow)
{
	if (!narrow->n_from_number)
		return !wide->n_from_number;
	for (size_t i = 0; i < narrow->n_from_number; i++)
		if (!any_covers(wide->from_number, wide->n_from_number, &narrow->from_number[i]))
			return false;
	return true;
}

/* Bits of which a call must have one: all that narrow would take are among wide's. */
static bool bits_cover(unsigned wide, unsigned narrow)
{
	return !wide || (narrow && !(narrow & ~wide));
}

static bool headers_cover(const struct tl_route_cfg *wide, const struct tl_route_cfg *narrow)
{
	if (wide->n_header_tests != narrow->n_header_tests)
		return !wide->n_header_tests;
	for (size_t i = 0; i < wide->n_header_tests; i++)
		if (g_ascii_strcasecmp(wide->header_tests[i].name, narrow->header_tests[i].name) ||
		    g_strcmp0(wide->header_tests[i].value, narrow->header_tests[i].value) != 0)
			return false;
	return true;
}

static bool hours_cover(const struct tl_route_cfg *wide, const struct tl_route_cfg *narrow)
{
	if (!wide->n_when || wide->on_closed.kind != TL_FOLLOW_NONE)
		return true;
	if (wide->n_when != narrow->n_when || narrow->on_closed.kind != TL_FOLLOW_NONE)
		return false;
	for (size_t i = 0; i < wide->n_when; i++)
		if (wide->when[i].hours != narrow->when[i].hours ||
		    wide->when[i].outside != narrow->when[i].outside)
			return false;
	return true;
}

static bool covers(const struct tl_route_cfg *wide, void *user)
{
	const struct part *part = user;
	const struct tl_route_cfg *narrow = part->route;

	return wide->order < narrow->order && !wide->rings_dialled && from_covers(wide, part) &&
	       any_covers(wide->to, wide->n_to, part->to) && callers_covered(wide, narrow) &&
	       bits_cover(wide->transports, narrow->transports) &&
	       bits_cover(wide->offers, narrow->offers) && headers_cover(wide, narrow) &&
	       hours_cover(wide, narrow);
}

/* The route above that takes all calls of a part, or NULL. */
static const struct tl_route_cfg *find_cover(const struct tl_dialplan *dp, const struct part *part)
{
	const struct tl_route_cfg *route = part->route;
	const struct tl_source *from = part->from;
	g_autofree char *callee = part->to ? tl_pattern_sample(part->to) : g_strdup("");
	g_autofree char *caller =
		route->n_from_number ? tl_pattern_sample(&route->from_number[0]) : g_strdup("");
	struct tl_facts facts = { .source_name = "", .callee = callee, .caller = caller };

	if (from && from->group && from->group->n_members)
		from = &from->group->members[0];
	if (from && from->kind != _TL_SOURCE_MAX)
		facts.source = from->kind;
	if (from && from->name)
		facts.source_name = from->name;
	return tl_index_find_if(dp->index, &facts, covers, (void *)part);
}

/* The route that takes all that this one could; several: the last of them. NULL: it is of use. */
static const struct tl_route_cfg *find_shadow(const struct tl_dialplan *dp,
					      const struct tl_route_cfg *route, bool *ret_several)
{
	size_t n_from = MAX(route->n_from, 1), n_to = MAX(route->n_to, 1);
	const struct tl_route_cfg *cover = NULL, *last = NULL;

	*ret_several = false;
	if (n_from * n_to > CASES_MAX)
		return NULL;
	for (size_t i = 0; i < n_from * n_to; i++) {
		struct part part = {
			route,
			route->n_from ? &route->from[i / n_to] : NULL,
			route->n_to ? &route->to[i % n_to] : NULL,
		};

		cover = find_cover(dp, &part);
		if (!cover)
			return NULL;
		*ret_several = *ret_several || (last && last != cover);
		last = !last || cover->order > last->order ? cover : last;
	}
	return last;
}

void tl_load_shadows(struct tl_load *load)
{
	const struct tl_dialplan *dp = load->parse.dp;

	for (size_t i = 1; i < dp->n_routes; i++) {
		const struct tl_route_cfg *route = &dp->routes[i], *shadow;
		bool several;

		if (route->follow_only || route->followed)
			continue;
		shadow = find_shadow(dp, route, &several);
		if (shadow)
			tl_diags_add(dp->warnings, &route->at,
				     "route %s never takes a call: route %s at %s:%u%s %s all that "
				     "it could",
				     route->name, shadow->name, shadow->at.file, shadow->at.line,
				     several ? ", and those above it," : "",
				     several ? "take" : "takes");
	}
}
