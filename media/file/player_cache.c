#include "media/file/player_priv.h"

struct entry {
	char *name;
	void *value;
	size_t bytes;
	GDestroyNotify destroy;
	GList link; /* in order of use */
};

struct tl_cache {
	GHashTable *entries;
	GQueue used; /* head: most recently */
	size_t bytes, max_bytes;
};

struct tl_cache *tl_cache_new(size_t max_bytes)
{
	struct tl_cache *cache = g_new0(struct tl_cache, 1);

	cache->entries = g_hash_table_new(g_str_hash, g_str_equal);
	cache->max_bytes = max_bytes;
	return cache;
}

static void drop(struct tl_cache *cache, struct entry *entry)
{
	g_hash_table_remove(cache->entries, entry->name);
	g_queue_unlink(&cache->used, &entry->link);
	cache->bytes -= entry->bytes;
	entry->destroy(entry->value);
	g_free(entry->name);
	g_free(entry);
}

void tl_cache_free(struct tl_cache *cache)
{
	if (!cache)
		return;
	while (cache->used.head)
		drop(cache, cache->used.head->data);
	g_hash_table_destroy(cache->entries);
	g_free(cache);
}

void *tl_cache_get(struct tl_cache *cache, const char *name)
{
	struct entry *entry = g_hash_table_lookup(cache->entries, name);

	if (!entry)
		return NULL;
	g_queue_unlink(&cache->used, &entry->link);
	g_queue_push_head_link(&cache->used, &entry->link);
	return entry->value;
}

void tl_cache_put(struct tl_cache *cache, const char *name, void *value, size_t bytes,
		  GDestroyNotify destroy)
{
	struct entry *entry = g_hash_table_lookup(cache->entries, name);

	if (entry)
		drop(cache, entry);
	entry = g_new0(struct entry, 1);
	entry->name = g_strdup(name);
	entry->value = value;
	entry->bytes = bytes + sizeof *entry + strlen(name);
	entry->destroy = destroy;
	entry->link.data = entry;
	g_hash_table_insert(cache->entries, entry->name, entry);
	g_queue_push_head_link(&cache->used, &entry->link);
	cache->bytes += entry->bytes;
	while (cache->bytes > cache->max_bytes && cache->used.tail != &entry->link)
		drop(cache, cache->used.tail->data);
}
