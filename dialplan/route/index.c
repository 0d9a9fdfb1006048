#include "dialplan/route/index.h"

#include <string.h>

/*
 * A trie over pattern elements. Edges with a literal are kept sorted by it; edges
 * with a set are few, and one for each different set. What ends at a node, with or
 * without a tail, are routes in file order:
 *
 *   to = 0[1-9]X., 0800X!     (root) -0-> o -[1-9]-> o -X-> o   tail "."
 *                                          \-8-> o -0-> o -0-> o -X-> o   tail "!"
 */
struct edge {
	struct tl_pattern_element element;
	struct node *to;
};

struct node {
	GArray *literals;             /* struct edge */
	GArray *sets;                 /* struct edge */
	GArray *routes[_TL_TAIL_MAX]; /* const struct tl_route_cfg * */
	unsigned first;               /* lowest order at or below this node */
};

enum looked_up { BY_CALLEE, BY_CALLER, N_LOOKED_UP };

/* The tries of one source. */
struct forest {
	struct node *roots[N_LOOKED_UP];
};

struct tl_index {
	struct forest any, kinds[_TL_SOURCE_MAX];
	GHashTable *named[_TL_SOURCE_MAX];  /* name -> struct forest * */
	GHashTable *groups;                 /* struct tl_group -> struct forest * */
	GHashTable *joined[_TL_SOURCE_MAX]; /* name -> GPtrArray of its groups' forests */
};

/* One walk for one call. */
struct search {
	const struct tl_facts *facts;
	tl_index_fn *does;
	void *user;
	const struct tl_route_cfg *best;
};

static struct node *node_new(void)
{
	struct node *node = g_new0(struct node, 1);

	node->first = G_MAXUINT;
	return node;
}

static void node_free(struct node *node);

static void edges_free(GArray *edges)
{
	for (unsigned i = 0; edges && i < edges->len; i++)
		node_free(g_array_index(edges, struct edge, i).to);
	g_clear_pointer(&edges, g_array_unref);
}

/* As deep as a pattern is long: TL_PATTERN_ELEMENTS. */
static void node_free(struct node *node)
{
	if (!node)
		return;
	edges_free(node->literals);
	edges_free(node->sets);
	for (int i = 0; i < _TL_TAIL_MAX; i++)
		g_clear_pointer(&node->routes[i], g_array_unref);
	g_free(node);
}

/* Position of the first literal edge that is not below c. */
static unsigned literal_slot(const GArray *edges, char c)
{
	unsigned low = 0, high = edges->len;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (g_array_index(edges, struct edge, middle).element.literal < c)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct node *literal_next(const GArray *edges, char c)
{
	unsigned slot = edges ? literal_slot(edges, c) : 0;

	if (!edges || slot == edges->len)
		return NULL;
	return g_array_index(edges, struct edge, slot).element.literal == c
		       ? g_array_index(edges, struct edge, slot).to
		       : NULL;
}

static struct node *set_next(const GArray *edges, const struct tl_charset *set)
{
	for (unsigned i = 0; edges && i < edges->len; i++) {
		const struct edge *edge = &g_array_index(edges, struct edge, i);

		if (memcmp(edge->element.set, set, sizeof(*set)) == 0)
			return edge->to;
	}
	return NULL;
}

static struct node *grow(struct node *node, const struct tl_pattern_element *element)
{
	GArray **edges = element->set ? &node->sets : &node->literals;
	struct node *next = element->set ? set_next(*edges, element->set)
					 : literal_next(*edges, element->literal);
	struct edge edge;

	if (next)
		return next;
	edge = (struct edge) { *element, node_new() };
	if (!*edges)
		*edges = g_array_new(FALSE, FALSE, sizeof(edge));
	g_array_insert_val(*edges,
			   element->set ? (*edges)->len : literal_slot(*edges, element->literal),
			   edge);
	return edge.to;
}

/* Routes come in file order, so that each list stays sorted. */
static void insert(struct node **root, const struct tl_pattern *pattern,
		   const struct tl_route_cfg *route)
{
	struct node *node = *root ? *root : (*root = node_new());
	GArray **routes;

	node->first = MIN(node->first, route->order);
	for (unsigned i = 0; i < pattern->n; i++) {
		node = grow(node, &pattern->elements[i]);
		node->first = MIN(node->first, route->order);
	}
	routes = &node->routes[pattern->tail];
	if (!*routes)
		*routes = g_array_new(FALSE, FALSE, sizeof(route));
	g_array_append_val(*routes, route);
}

static void insert_in_forest(struct forest *forest, const struct tl_route_cfg *route)
{
	static const struct tl_pattern everything = { .tail = TL_TAIL_ANY };
	enum looked_up by = route->n_to || !route->n_from_number ? BY_CALLEE : BY_CALLER;
	const struct tl_pattern *patterns = by == BY_CALLEE ? route->to : route->from_number;
	size_t n = by == BY_CALLEE ? route->n_to : route->n_from_number;

	for (size_t i = 0; i < n; i++)
		insert(&forest->roots[by], &patterns[i], route);
	if (!n)
		insert(&forest->roots[by], &everything, route);
}

/* A group's members learn of its forest when that is planted. */
static struct forest *find_group(struct tl_index *index, const struct tl_group *group)
{
	struct forest *forest = g_hash_table_lookup(index->groups, group);

	if (forest)
		return forest;
	forest = g_new0(struct forest, 1);
	g_hash_table_insert(index->groups, (void *)group, forest);
	for (size_t i = 0; i < group->n_members; i++) {
		GHashTable *joined = index->joined[group->members[i].kind];
		char *name = (char *)group->members[i].name;
		GPtrArray *forests = g_hash_table_lookup(joined, name);

		if (!forests) {
			forests = g_ptr_array_new();
			g_hash_table_insert(joined, name, forests);
		}
		g_ptr_array_add(forests, forest);
	}
	return forest;
}

static struct forest *find_forest(struct tl_index *index, const struct tl_source *source)
{
	struct forest *forest;

	if (source->group)
		return find_group(index, source->group);
	if (source->kind == _TL_SOURCE_MAX)
		return &index->any;
	if (!source->name)
		return &index->kinds[source->kind];
	forest = g_hash_table_lookup(index->named[source->kind], source->name);
	if (!forest) {
		forest = g_new0(struct forest, 1);
		g_hash_table_insert(index->named[source->kind], (char *)source->name, forest);
	}
	return forest;
}

static void forest_clear(struct forest *forest)
{
	for (int i = 0; i < N_LOOKED_UP; i++)
		g_clear_pointer(&forest->roots[i], node_free);
}

static void forest_free(void *forest)
{
	forest_clear(forest);
	g_free(forest);
}

struct tl_index *tl_index_new(const struct tl_route_cfg *routes, size_t n)
{
	struct tl_index *index = g_new0(struct tl_index, 1);

	index->groups = g_hash_table_new_full(NULL, NULL, NULL, forest_free);
	for (int kind = 0; kind < _TL_SOURCE_MAX; kind++) {
		index->named[kind] =
			g_hash_table_new_full(g_str_hash, g_str_equal, NULL, forest_free);
		index->joined[kind] = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
							    (GDestroyNotify)g_ptr_array_unref);
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < routes[i].n_from; k++)
			insert_in_forest(find_forest(index, &routes[i].from[k]), &routes[i]);
		if (!routes[i].n_from && !routes[i].follow_only)
			insert_in_forest(&index->any, &routes[i]);
	}
	return index;
}

void tl_index_free(struct tl_index *index)
{
	if (!index)
		return;
	forest_clear(&index->any);
	for (int kind = 0; kind < _TL_SOURCE_MAX; kind++) {
		forest_clear(&index->kinds[kind]);
		g_hash_table_unref(index->named[kind]);
		g_hash_table_unref(index->joined[kind]);
	}
	g_hash_table_unref(index->groups);
	g_free(index);
}

static bool beats(const struct search *search, unsigned order)
{
	return !search->best || order < search->best->order;
}

static void try_routes(struct search *search, const GArray *routes)
{
	for (unsigned i = 0; routes && i < routes->len; i++) {
		const struct tl_route_cfg *route =
			g_array_index(routes, const struct tl_route_cfg *, i);

		if (!beats(search, route->order))
			return;
		if (search->does(route, search->user))
			search->best = route;
	}
}

/* Below a node whose first route comes after the best so far nothing can win. */
static void walk(struct search *search, const struct node *node, const char *rest)
{
	struct node *next;

	if (!node || !beats(search, node->first))
		return;
	try_routes(search, node->routes[TL_TAIL_ANY]);
	if (!*rest) {
		try_routes(search, node->routes[TL_TAIL_NONE]);
		return;
	}
	try_routes(search, node->routes[TL_TAIL_SOME]);
	next = literal_next(node->literals, *rest);
	walk(search, next, rest + 1);
	for (unsigned i = 0; node->sets && i < node->sets->len; i++) {
		const struct edge *edge = &g_array_index(node->sets, struct edge, i);

		if (tl_pattern_element_match(&edge->element, *rest))
			walk(search, edge->to, rest + 1);
	}
}

static void walk_forest(struct search *search, const struct forest *forest)
{
	if (!forest)
		return;
	walk(search, forest->roots[BY_CALLEE], search->facts->callee);
	walk(search, forest->roots[BY_CALLER], search->facts->caller);
}

const struct tl_route_cfg *tl_index_find_if(const struct tl_index *index,
					    const struct tl_facts *facts, tl_index_fn *does,
					    void *user)
{
	struct search search = { facts, does, user, NULL };
	const GPtrArray *groups =
		g_hash_table_lookup(index->joined[facts->source], facts->source_name);

	walk_forest(&search, &index->any);
	walk_forest(&search, &index->kinds[facts->source]);
	walk_forest(&search, g_hash_table_lookup(index->named[facts->source], facts->source_name));
	for (unsigned i = 0; groups && i < groups->len; i++)
		walk_forest(&search, groups->pdata[i]);
	return search.best;
}

struct question {
	const struct tl_dialplan *dp;
	const struct tl_facts *facts;
};

static bool takes_call(const struct tl_route_cfg *route, void *user)
{
	const struct question *q = user;

	return tl_route_miss(q->dp, route, q->facts) == TL_CONDITION_NONE;
}

const struct tl_route_cfg *tl_index_find(const struct tl_index *index, const struct tl_dialplan *dp,
					 const struct tl_facts *facts)
{
	struct question q = { dp, facts };

	return tl_index_find_if(index, facts, takes_call, &q);
}
