/* What those who watch its extensions see of a call. */
#include "b2bua/call/call_priv.h"
#include <string.h>
#include "b2bua/call/board.h"

#define EXTENSION "extension:"

/* Entry of a call on the board: "a 1001", "b 1002". */
static char *key_of(char side, const char *extension)
{
	return g_strdup_printf("%c %s", side, extension);
}

static enum tl_board_state state_of_a(const struct tl_call *call)
{
	if (call->a_answered)
		return TL_BOARD_CONFIRMED;
	return call->a_ringing || call->state == TL_CALL_PLAYING ? TL_BOARD_EARLY : TL_BOARD_TRYING;
}

static enum tl_board_state state_of_branch(const struct tl_branch *branch)
{
	if (branch == branch->call->b)
		return TL_BOARD_CONFIRMED;
	return tl_leg_state(branch->leg) == TL_LEG_EARLY ? TL_BOARD_EARLY : TL_BOARD_TRYING;
}

/* An extension that several of its phones ring for is shown once, as far as the farthest is. */
static void add(GHashTable *now, char side, const char *extension, enum tl_board_state state)
{
	g_autofree char *key = key_of(side, extension);
	gpointer there;

	if (g_hash_table_lookup_extended(now, key, NULL, &there) &&
	    GPOINTER_TO_INT(there) >= (int)state)
		return;
	g_hash_table_replace(now, g_steal_pointer(&key), GINT_TO_POINTER((int)state));
}

static GHashTable *collect(const struct tl_call *call)
{
	GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	if (call->state == TL_CALL_NEW || call->state == TL_CALL_ENDED)
		return now;
	/* by who is there now: a transfer may have seated somebody else */
	if (call->leg_a && call->source && g_str_has_prefix(call->source, EXTENSION))
		add(now, 'a', call->source + strlen(EXTENSION), state_of_a(call));
	for (guint i = 0; i < call->branches->len; i++) {
		const struct tl_branch *branch = call->branches->pdata[i];

		if (branch->leg && !g_str_has_prefix(branch->name, "trunk:"))
			add(now, 'b', branch->name, state_of_branch(branch));
	}
	return now;
}

static void remove_gone(struct tl_call *call, GHashTable *now)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, call->shown);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const char *name = key;
		g_autofree char *id = NULL;

		if (now && g_hash_table_contains(now, name))
			continue;
		id = g_strdup_printf("%s%c", call->id, name[0]);
		tl_board_remove(call->app->board, name + 2, id);
	}
}

/* How one of its phones that ring is named. */
static void add_names(const struct tl_call *call, const char *extension,
		      struct tl_board_entry *entry)
{
	struct tl_replaces names;

	for (guint i = 0; i < call->branches->len; i++) {
		const struct tl_branch *branch = call->branches->pdata[i];

		if (!branch->leg || strcmp(branch->name, extension) != 0 ||
		    !tl_leg_early_names(branch->leg, &names))
			continue;
		entry->call_id = (char *)names.call_id;
		entry->local_tag = (char *)names.from_tag;
		entry->remote_tag = (char *)names.to_tag;
		return;
	}
}

static void put_all(struct tl_call *call, GHashTable *now)
{
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, now);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const char *name = key;
		bool initiator = name[0] == 'a';
		g_autofree char *id = g_strdup_printf("%s%c", call->id, name[0]);
		const char *caller = call->decision ? call->decision->caller : "";
		struct tl_board_entry entry = {
			.id = id,
			.state = (enum tl_board_state)GPOINTER_TO_INT(value),
			.initiator = initiator,
			.remote = (char *)(initiator ? call->callee : caller),
		};

		if (!initiator && entry.state == TL_BOARD_EARLY)
			add_names(call, name + 2, &entry);
		tl_board_set(call->app->board, name + 2, &entry);
	}
}

void tl_call_show(struct tl_call *call)
{
	GHashTable *now;

	if (!call->app->board)
		return;
	now = collect(call);
	if (call->shown)
		remove_gone(call, now);
	put_all(call, now);
	if (call->shown)
		g_hash_table_destroy(call->shown);
	call->shown = now;
}

void tl_call_hide(struct tl_call *call)
{
	if (!call->shown)
		return;
	remove_gone(call, NULL);
	g_clear_pointer(&call->shown, g_hash_table_destroy);
}
