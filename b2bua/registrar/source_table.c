#include "b2bua/registrar/source_table.h"

#include <glib.h>

struct slot {
	struct tl_address_key key;
	GList link; /* in by_touch; data is the slot */
	max_align_t record[];
};

struct tl_source_table {
	size_t record_bytes;
	unsigned max;
	GHashTable *slots; /* key -> slot, owned */
	GQueue by_touch;   /* first: to be forgotten next */
};

struct tl_source_table *tl_source_table_new(size_t record_bytes, unsigned max)
{
	struct tl_source_table *table = g_new0(struct tl_source_table, 1);

	table->record_bytes = record_bytes;
	table->max = MAX(max, 1);
	table->slots =
		g_hash_table_new_full(tl_address_key_hash, tl_address_key_equal, NULL, g_free);
	return table;
}

void tl_source_table_free(struct tl_source_table *table)
{
	if (!table)
		return;
	g_hash_table_destroy(table->slots);
	g_free(table);
}

void *tl_source_table_find(struct tl_source_table *table, const struct sockaddr *source)
{
	struct tl_address_key key = tl_address_key(source);
	struct slot *slot = g_hash_table_lookup(table->slots, &key);

	return slot ? slot->record : NULL;
}

static void forget(struct tl_source_table *table, struct slot *slot)
{
	g_queue_unlink(&table->by_touch, &slot->link);
	g_hash_table_remove(table->slots, &slot->key);
}

bool tl_source_table_remove(struct tl_source_table *table, const struct sockaddr *source)
{
	struct tl_address_key key = tl_address_key(source);
	struct slot *slot = g_hash_table_lookup(table->slots, &key);

	if (slot)
		forget(table, slot);
	return slot != NULL;
}

void tl_source_table_each(struct tl_source_table *table, tl_source_table_fn *fn, void *user)
{
	for (GList *l = table->by_touch.head; l; l = l->next) {
		struct slot *slot = l->data;

		fn(&slot->key, slot->record, user);
	}
}

void *tl_source_table_touch(struct tl_source_table *table, const struct sockaddr *source,
			    int *ret_made)
{
	struct tl_address_key key = tl_address_key(source);
	struct slot *slot = g_hash_table_lookup(table->slots, &key);

	*ret_made = slot == NULL;
	if (slot) {
		g_queue_unlink(&table->by_touch, &slot->link);
	} else {
		if (table->by_touch.length >= table->max)
			forget(table, g_queue_peek_head(&table->by_touch));
		slot = g_malloc0(sizeof(*slot) + table->record_bytes);
		slot->key = key;
		slot->link.data = slot;
		g_hash_table_insert(table->slots, &slot->key, slot);
	}
	g_queue_push_tail_link(&table->by_touch, &slot->link);
	return slot->record;
}

unsigned tl_source_table_count(const struct tl_source_table *table)
{
	return table->by_touch.length;
}
