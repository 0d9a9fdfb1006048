/* Where routes lead by on-busy and the like. */
#include "dialplan/load/load.h"

enum visit { UNSEEN, ON_PATH, DONE };

/* Follow-ups that come back to a route would try the same phones for ever. One
 * route's edges at a time, with a stack of our own: chains can be long. */
struct path_step {
	const struct tl_route_cfg *route;
	unsigned edge;
};

static const char *const follow_keys[] = { "on-busy", "on-no-answer", "on-failure", "on-closed" };

static struct tl_route_cfg *follow_edge(const struct tl_dialplan *dp,
					const struct tl_route_cfg *route, unsigned edge)
{
	const struct tl_follow *follows[] = { &route->on_busy, &route->on_no_answer,
					      &route->on_failure, &route->on_closed };

	return follows[edge]->kind == TL_FOLLOW_ROUTE
		       ? g_hash_table_lookup(dp->route_by_name, follows[edge]->route)
		       : NULL;
}

static void mark_followed(struct tl_route_cfg *route)
{
	route->followed = true;
	route->follow_only = !route->n_from && !route->n_to && !route->n_from_number &&
			     !route->n_when && !route->transports && !route->offers &&
			     !route->n_header_tests && !route->rings_dialled;
}

static void walk_follows(struct tl_load *load, const struct tl_loaded *routes,
			 const struct tl_route_cfg *start, uint8_t *visits)
{
	const struct tl_dialplan *dp = load->parse.dp;
	g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(struct path_step));
	struct path_step step = { start, 0 };

	g_array_append_val(path, step);
	visits[start->order] = ON_PATH;
	while (path->len) {
		struct path_step *top = &g_array_index(path, struct path_step, path->len - 1);
		struct tl_route_cfg *next;

		if (top->edge == G_N_ELEMENTS(follow_keys)) {
			visits[top->route->order] = DONE;
			g_array_set_size(path, path->len - 1);
			continue;
		}
		next = follow_edge(dp, top->route, top->edge++);
		if (next)
			mark_followed(next);
		if (!next || visits[next->order] == DONE)
			continue;
		if (visits[next->order] == ON_PATH) {
			tl_load_object(load, &routes[top->route->order], follow_keys[top->edge - 1],
				       "comes back to route %s, and round again", next->name);
			continue;
		}
		visits[next->order] = ON_PATH;
		step = (struct path_step) { next, 0 };
		g_array_append_val(path, step);
	}
}

void tl_load_check_follows(struct tl_load *load)
{
	const struct tl_dialplan *dp = load->parse.dp;
	g_autofree uint8_t *visits = g_new0(uint8_t, MAX(dp->n_routes, 1));
	g_autofree struct tl_loaded *routes = g_new(struct tl_loaded, MAX(dp->n_routes, 1));
	size_t n = 0;

	for (unsigned i = 0; i < load->sections->len; i++)
		if (g_array_index(load->sections, struct tl_loaded, i).kind == TL_SECTION_ROUTE &&
		    g_array_index(load->sections, struct tl_loaded, i).object)
			routes[n++] = g_array_index(load->sections, struct tl_loaded, i);
	for (size_t i = 0; i < dp->n_routes; i++)
		if (visits[i] == UNSEEN)
			walk_follows(load, routes, &dp->routes[i], visits);
}
