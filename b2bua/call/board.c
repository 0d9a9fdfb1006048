#include "b2bua/call/board.h"
#include <string.h>

struct tl_board {
	GHashTable *by_extension; /* number -> GPtrArray of entries; both owned */
	tl_board_fn *fn;
	void *user;
};

static const char *const state_names[_TL_BOARD_MAX] = {
	[TL_BOARD_TRYING] = "trying",
	[TL_BOARD_EARLY] = "early",
	[TL_BOARD_CONFIRMED] = "confirmed",
};

const char *tl_board_state_name(enum tl_board_state state)
{
	if ((int)state < 0 || state >= _TL_BOARD_MAX)
		return "invalid";
	return state_names[state];
}

static void free_entry(gpointer data)
{
	struct tl_board_entry *entry = data;

	g_free(entry->id);
	g_free(entry->remote);
	g_free(entry->call_id);
	g_free(entry->local_tag);
	g_free(entry->remote_tag);
	g_free(entry);
}

static void free_entries(gpointer data)
{
	g_ptr_array_free(data, TRUE);
}

struct tl_board *tl_board_new(void)
{
	struct tl_board *board = g_new0(struct tl_board, 1);

	board->by_extension = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_entries);
	return board;
}

void tl_board_free(struct tl_board *board)
{
	if (!board)
		return;
	g_hash_table_destroy(board->by_extension);
	g_free(board);
}

void tl_board_observe(struct tl_board *board, tl_board_fn *fn, void *user)
{
	board->fn = fn;
	board->user = user;
}

static void tell(struct tl_board *board, const char *extension)
{
	if (board->fn)
		board->fn(extension, board->user);
}

static struct tl_board_entry *find_entry(GPtrArray *entries, const char *id, guint *ret_index)
{
	for (guint i = 0; entries && i < entries->len; i++) {
		struct tl_board_entry *entry = entries->pdata[i];

		if (strcmp(entry->id, id) != 0)
			continue;
		*ret_index = i;
		return entry;
	}
	return NULL;
}

static bool is_same(const struct tl_board_entry *a, const struct tl_board_entry *b)
{
	return a->state == b->state && a->initiator == b->initiator &&
	       g_strcmp0(a->remote, b->remote ? b->remote : "") == 0 &&
	       g_strcmp0(a->call_id, b->call_id) == 0 && g_strcmp0(a->local_tag, b->local_tag) == 0;
}

void tl_board_set(struct tl_board *board, const char *extension, const struct tl_board_entry *entry)
{
	GPtrArray *entries = g_hash_table_lookup(board->by_extension, extension);
	struct tl_board_entry *there, *copy;
	guint i;

	there = find_entry(entries, entry->id, &i);
	if (there && is_same(there, entry))
		return;
	copy = g_memdup2(entry, sizeof(*entry));
	copy->id = g_strdup(entry->id);
	copy->remote = g_strdup(entry->remote ? entry->remote : "");
	copy->call_id = g_strdup(entry->call_id);
	copy->local_tag = g_strdup(entry->local_tag);
	copy->remote_tag = g_strdup(entry->remote_tag);
	if (!entries) {
		entries = g_ptr_array_new_with_free_func(free_entry);
		g_hash_table_insert(board->by_extension, g_strdup(extension), entries);
	}
	if (there) {
		free_entry(there);
		entries->pdata[i] = copy;
	} else {
		g_ptr_array_add(entries, copy);
	}
	tell(board, extension);
}

void tl_board_remove(struct tl_board *board, const char *extension, const char *id)
{
	GPtrArray *entries = g_hash_table_lookup(board->by_extension, extension);
	guint i;

	if (!find_entry(entries, id, &i))
		return;
	g_ptr_array_remove_index(entries, i);
	if (entries->len == 0)
		g_hash_table_remove(board->by_extension, extension);
	tell(board, extension);
}

const GPtrArray *tl_board_find(const struct tl_board *board, const char *extension)
{
	return g_hash_table_lookup(board->by_extension, extension);
}
