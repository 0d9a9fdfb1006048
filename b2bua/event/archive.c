#include "b2bua/event/archive.h"
#include <glib.h>
#include <string.h>
#include "b2bua/store/store.h"

enum {
	TEXT_BYTES = 8192, /* of one; what is longer is not kept */
	READ_MAX = 100000,
};

struct tl_archive {
	struct tl_store *store;
	GPtrArray *read; /* struct kept, owned */
};

struct kept {
	char *id;
	int64_t expires_s;
	json_t *json; /* NULL: it can't be read */
};

static void kept_free(gpointer data)
{
	struct kept *kept = data;

	json_decref(kept->json);
	g_free(kept->id);
	g_free(kept);
}

static void on_stored(const char *id, int64_t expires_s, const char *text, void *user)
{
	struct tl_archive *archive = user;
	struct kept *kept;

	if (archive->read->len >= READ_MAX)
		return;
	kept = g_new0(struct kept, 1);
	kept->id = g_strdup(id);
	kept->expires_s = expires_s;
	kept->json = json_loads(text, 0, NULL);
	g_ptr_array_add(archive->read, kept);
}

struct tl_archive *tl_archive_new(struct tl_store *store)
{
	struct tl_archive *archive = g_new0(struct tl_archive, 1);

	archive->store = store;
	archive->read = g_ptr_array_new_with_free_func(kept_free);
	if (store && tl_store_subscriptions_load(store, on_stored, archive) < 0)
		g_warning("events: the subscriptions can't be read; watchers must subscribe anew");
	return archive;
}

void tl_archive_free(struct tl_archive *archive)
{
	if (!archive)
		return;
	g_ptr_array_free(archive->read, TRUE);
	g_free(archive);
}

void tl_archive_restore(struct tl_archive *archive, int64_t now_s, tl_archive_fn *fn, void *user)
{
	g_autoptr(GPtrArray) read = archive->read;

	archive->read = g_ptr_array_new_with_free_func(kept_free);
	for (guint i = 0; i < read->len; i++) {
		const struct kept *kept = read->pdata[i];

		if (kept->json && kept->expires_s > now_s)
			fn(kept->id, kept->expires_s, kept->json, user);
		else
			tl_archive_remove(archive, kept->id);
	}
}

void tl_archive_put(struct tl_archive *archive, const char *id, int64_t expires_s, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text && strlen(text) < TEXT_BYTES)
		tl_store_subscription_put(archive->store, id, expires_s, text);
	free(text);
	json_decref(json);
}

void tl_archive_remove(struct tl_archive *archive, const char *id)
{
	tl_store_subscription_remove(archive->store, id);
}
