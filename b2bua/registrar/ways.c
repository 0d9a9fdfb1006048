#include "b2bua/registrar/ways.h"

#include <glib.h>

enum {
	WAYS_MAX = 16384,
	KEEP_S = 300, /* whoever comes back later has lost the call as well */
};

struct tl_ways {
	GHashTable *lost; /* name_of() -> struct way */
};

struct way {
	char *hop;
	int64_t since_s;
};

static void way_free(gpointer data)
{
	struct way *way = data;

	g_free(way->hop);
	g_free(way);
}

struct tl_ways *tl_ways_new(void)
{
	struct tl_ways *ways = g_new0(struct tl_ways, 1);

	ways->lost = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, way_free);
	return ways;
}

void tl_ways_free(struct tl_ways *ways)
{
	g_hash_table_destroy(ways->lost);
	g_free(ways);
}

/* Another extension may say the same Contact or instance, and is another telephone. */
static char *name_of(const struct tl_location_binding *binding)
{
	if (binding->instance && binding->reg_id)
		return g_strdup_printf("%s\n%s\n%u", binding->extension, binding->instance,
				       binding->reg_id);
	return g_strdup_printf("%s\n%s", binding->extension, binding->contact);
}

void tl_ways_lose(struct tl_ways *ways, const struct tl_location_binding *binding, int64_t now_s)
{
	struct way *way;

	if (g_hash_table_size(ways->lost) >= WAYS_MAX)
		return;
	way = g_new0(struct way, 1);
	way->hop = g_strdup(binding->route);
	way->since_s = now_s;
	g_hash_table_replace(ways->lost, name_of(binding), way);
}

char *tl_ways_find(struct tl_ways *ways, const struct tl_location_binding *binding)
{
	g_autofree char *name = name_of(binding);
	const struct way *way = g_hash_table_lookup(ways->lost, name);
	char *hop = way ? g_strdup(way->hop) : NULL;

	g_hash_table_remove(ways->lost, name);
	return hop;
}

static gboolean is_old(gpointer name, gpointer value, gpointer user)
{
	const struct way *way = value;
	const int64_t *now_s = user;

	return *now_s - way->since_s > KEEP_S;
}

void tl_ways_sweep(struct tl_ways *ways, int64_t now_s)
{
	g_hash_table_foreach_remove(ways->lost, is_old, &now_s);
}
