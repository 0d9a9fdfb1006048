#include "b2bua/registrar/location.h"

#include <string.h>

struct observer {
	tl_location_observer_fn *fn;
	void *user;
};

struct tl_location {
	GHashTable *by_extension; /* number -> GPtrArray of bindings; both owned */
	unsigned count;
	GArray *observers; /* struct observer */
};

const char *tl_location_event_name(enum tl_location_event event)
{
	static const char *const names[_TL_LOCATION_EVENT_MAX] = {
		[TL_LOCATION_ADDED] = "added",         [TL_LOCATION_REFRESHED] = "refreshed",
		[TL_LOCATION_REMOVED] = "removed",     [TL_LOCATION_EXPIRED] = "expired",
		[TL_LOCATION_WITHDRAWN] = "withdrawn",
	};

	if ((int)event < 0 || event >= _TL_LOCATION_EVENT_MAX)
		return "unknown";
	return names[event];
}

static void free_binding(struct tl_location_binding *binding)
{
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
	GPtrArray *bindings = data;

	for (guint i = 0; i < bindings->len; i++)
		free_binding(bindings->pdata[i]);
	g_ptr_array_free(bindings, TRUE);
}

struct tl_location *tl_location_new(void)
{
	struct tl_location *location = g_new0(struct tl_location, 1);

	location->by_extension =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_bindings);
	location->observers = g_array_new(FALSE, FALSE, sizeof(struct observer));
	return location;
}

void tl_location_free(struct tl_location *location)
{
	if (!location)
		return;
	g_hash_table_destroy(location->by_extension);
	g_array_free(location->observers, TRUE);
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

void tl_location_observe(struct tl_location *location, tl_location_observer_fn *fn, void *user)
{
	const struct observer observer = { .fn = fn, .user = user };

	g_array_append_val(location->observers, observer);
}

void tl_location_unobserve(struct tl_location *location, tl_location_observer_fn *fn, void *user)
{
	for (guint i = 0; i < location->observers->len; i++) {
		const struct observer *observer =
			&g_array_index(location->observers, struct observer, i);

		if (observer->fn == fn && observer->user == user) {
			g_array_remove_index(location->observers, i);
			return;
		}
	}
}

static void tell(struct tl_location *location, enum tl_location_event event,
		 const struct tl_location_binding *binding)
{
	for (guint i = 0; i < location->observers->len; i++) {
		struct observer observer = g_array_index(location->observers, struct observer, i);

		observer.fn(event, binding, observer.user);
	}
}

void tl_location_put(struct tl_location *location, const struct tl_location_binding *binding)
{
	GPtrArray *bindings = g_hash_table_lookup(location->by_extension, binding->extension);
	struct tl_location_binding *copy = copy_binding(binding);
	int i = index_of(bindings, binding->contact);

	if (i >= 0) {
		free_binding(bindings->pdata[i]);
		bindings->pdata[i] = copy;
		tell(location, TL_LOCATION_REFRESHED, copy);
		return;
	}
	if (!bindings) {
		bindings = g_ptr_array_new(); /* freed one by one, after their observers */
		g_hash_table_insert(location->by_extension, g_strdup(binding->extension), bindings);
	}
	g_ptr_array_add(bindings, copy);
	location->count++;
	tell(location, TL_LOCATION_ADDED, copy);
}

static void part(struct tl_location *location, struct tl_location_binding *binding,
		 enum tl_location_event why)
{
	location->count--;
	tell(location, why, binding);
	free_binding(binding);
}

void tl_location_remove(struct tl_location *location, const char *extension, const char *contact,
			enum tl_location_event why)
{
	GPtrArray *bindings = g_hash_table_lookup(location->by_extension, extension);
	struct tl_location_binding *binding;
	int i = index_of(bindings, contact);

	if (i < 0)
		return;
	binding = g_ptr_array_remove_index(bindings, (guint)i);
	if (bindings->len == 0)
		g_hash_table_remove(location->by_extension, extension);
	part(location, binding, why);
}

unsigned tl_location_count(const struct tl_location *location)
{
	return location->count;
}

void tl_location_filter(struct tl_location *location, tl_location_fn *fn,
			enum tl_location_event why, void *user)
{
	g_autoptr(GPtrArray) gone = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, location->by_extension);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		GPtrArray *bindings = value;

		for (guint i = bindings->len; i > 0; i--)
			if (fn(bindings->pdata[i - 1], user))
				g_ptr_array_add(gone, g_ptr_array_remove_index(bindings, i - 1));
		if (bindings->len == 0)
			g_hash_table_iter_remove(&iter);
	}
	for (guint i = 0; i < gone->len; i++)
		part(location, gone->pdata[i], why);
}
