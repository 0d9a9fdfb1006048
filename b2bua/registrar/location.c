#include "b2bua/registrar/location.h"

#include <string.h>

struct tl_location {
	GHashTable *by_extension; /* number -> GPtrArray of bindings; both owned */
	unsigned count;
};

static void free_binding(gpointer data)
{
	struct tl_location_binding *binding = data;

	g_free(binding->extension);
	g_free(binding->contact);
	g_free(binding->route);
	g_free(binding->call_id);
	g_free(binding->user_agent);
	g_free(binding->instance);
	g_free(binding);
}

static void free_bindings(gpointer data)
{
	g_ptr_array_free(data, TRUE);
}

struct tl_location *tl_location_new(void)
{
	struct tl_location *location = g_new0(struct tl_location, 1);

	location->by_extension =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_bindings);
	return location;
}

void tl_location_free(struct tl_location *location)
{
	if (!location)
		return;
	g_hash_table_destroy(location->by_extension);
	g_free(location);
}

const GPtrArray *tl_location_find(struct tl_location *location, const char *extension)
{
	return g_hash_table_lookup(location->by_extension, extension);
}

static int index_of(const GPtrArray *bindings, const char *contact)
{
	for (guint i = 0; bindings && i < bindings->len; i++) {
		const struct tl_location_binding *binding = bindings->pdata[i];

		if (strcmp(binding->contact, contact) == 0)
			return (int)i;
	}
	return -1;
}

static struct tl_location_binding *copy_binding(const struct tl_location_binding *binding)
{
	struct tl_location_binding *copy = g_new(struct tl_location_binding, 1);

	*copy = *binding;
	copy->extension = g_strdup(binding->extension);
	copy->contact = g_strdup(binding->contact);
	copy->route = g_strdup(binding->route);
	copy->call_id = g_strdup(binding->call_id);
	copy->user_agent = g_strdup(binding->user_agent);
	copy->instance = g_strdup(binding->instance);
	return copy;
}

void tl_location_put(struct tl_location *location, const struct tl_location_binding *binding)
{
	GPtrArray *bindings = g_hash_table_lookup(location->by_extension, binding->extension);
	struct tl_location_binding *copy = copy_binding(binding);
	int i = index_of(bindings, binding->contact);

	if (i >= 0) {
		free_binding(bindings->pdata[i]);
		bindings->pdata[i] = copy;
		return;
	}
	if (!bindings) {
		bindings = g_ptr_array_new_with_free_func(free_binding);
		g_hash_table_insert(location->by_extension, g_strdup(binding->extension), bindings);
	}
	g_ptr_array_add(bindings, copy);
	location->count++;
}

void tl_location_remove(struct tl_location *location, const char *extension, const char *contact)
{
	GPtrArray *bindings = g_hash_table_lookup(location->by_extension, extension);
	int i = index_of(bindings, contact);

	if (i < 0)
		return;
	location->count--;
	g_ptr_array_remove_index(bindings, (guint)i);
	if (bindings->len == 0)
		g_hash_table_remove(location->by_extension, extension);
}

unsigned tl_location_count(const struct tl_location *location)
{
	return location->count;
}

void tl_location_filter(struct tl_location *location, tl_location_fn *fn, void *user)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, location->by_extension);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		GPtrArray *bindings = value;

		for (guint i = bindings->len; i > 0; i--) {
			if (!fn(bindings->pdata[i - 1], user))
				continue;
			g_ptr_array_remove_index(bindings, i - 1);
			location->count--;
		}
		if (bindings->len == 0)
			g_hash_table_iter_remove(&iter);
	}
}
