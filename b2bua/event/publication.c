#include "b2bua/event/publication.h"
#include <string.h>
#include <glib.h>

/* All that is published of one extension's event. */
struct resource {
	char *event, *extension;
	GPtrArray *pieces; /* struct tl_publication, oldest first */
};

struct tl_publications {
	GHashTable *resources; /* "event extension" -> struct resource; both owned */
};

static void free_piece(gpointer data)
{
	struct tl_publication *piece = data;

	tl_pidf_free(piece->pidf);
	g_free(piece->summary);
	g_free(piece);
}

static void free_resource(gpointer data)
{
	struct resource *resource = data;

	g_ptr_array_free(resource->pieces, TRUE);
	g_free(resource->event);
	g_free(resource->extension);
	g_free(resource);
}

struct tl_publications *tl_publications_new(void)
{
	struct tl_publications *publications = g_new0(struct tl_publications, 1);

	publications->resources =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_resource);
	return publications;
}

void tl_publications_free(struct tl_publications *publications)
{
	if (!publications)
		return;
	g_hash_table_destroy(publications->resources);
	g_free(publications);
}

static char *key_of(const char *event, const char *extension)
{
	return g_strdup_printf("%s %s", event, extension);
}

static struct resource *find_resource(struct tl_publications *publications, const char *event,
				      const char *extension)
{
	g_autofree char *key = key_of(event, extension);

	return g_hash_table_lookup(publications->resources, key);
}

static struct resource *get_resource(struct tl_publications *publications, const char *event,
				     const char *extension)
{
	struct resource *resource = find_resource(publications, event, extension);

	if (resource)
		return resource;
	resource = g_new0(struct resource, 1);
	resource->event = g_strdup(event);
	resource->extension = g_strdup(extension);
	resource->pieces = g_ptr_array_new_with_free_func(free_piece);
	g_hash_table_insert(publications->resources, key_of(event, extension), resource);
	return resource;
}

static struct tl_publication *find_piece(const struct resource *resource, const char *etag,
					 int64_t now_s)
{
	for (guint i = 0; resource && i < resource->pieces->len; i++) {
		struct tl_publication *piece = resource->pieces->pdata[i];

		if (piece->expires_s > now_s && strcmp(piece->etag, etag) == 0)
			return piece;
	}
	return NULL;
}

static void drop_empty(struct tl_publications *publications, struct resource *resource)
{
	g_autofree char *key = NULL;

	if (resource->pieces->len > 0)
		return;
	key = key_of(resource->event, resource->extension);
	g_hash_table_remove(publications->resources, key);
}

static void make_room(struct resource *resource)
{
	guint first = 0;

	if (resource->pieces->len < TL_PUBLICATIONS_EACH)
		return;
	for (guint i = 1; i < resource->pieces->len; i++) {
		const struct tl_publication *a = resource->pieces->pdata[first];
		const struct tl_publication *b = resource->pieces->pdata[i];

		if (b->expires_s < a->expires_s)
			first = i;
	}
	g_ptr_array_remove_index(resource->pieces, first);
}

/* RFC 3903 6, step 6: a new tag each time, so that who holds an old one learns it. */
static void tag(char ret_etag[static TL_ETAG_BYTES])
{
	g_snprintf(ret_etag, TL_ETAG_BYTES, "%08x%08x", g_random_int(), g_random_int());
}

static void put_state(struct tl_publication *piece, const struct tl_publish *publish)
{
	if (publish->pidf || publish->summary) {
		tl_pidf_free(piece->pidf);
		g_free(piece->summary);
		piece->pidf = publish->pidf;
		piece->summary = publish->summary;
	}
	piece->expires_s = publish->now_s + publish->expires_s;
	tag(piece->etag);
}

static int take_new(struct tl_publications *publications, const struct tl_publish *publish,
		    char ret_etag[static TL_ETAG_BYTES])
{
	struct tl_publication *piece;
	struct resource *resource;

	if (!publish->pidf && !publish->summary)
		return 400;
	if (publish->expires_s == 0) {
		tag(ret_etag);
		tl_pidf_free(publish->pidf);
		g_free(publish->summary);
		return 200;
	}
	resource = get_resource(publications, publish->event, publish->extension);
	make_room(resource);
	piece = g_new0(struct tl_publication, 1);
	put_state(piece, publish);
	g_ptr_array_add(resource->pieces, piece);
	g_strlcpy(ret_etag, piece->etag, TL_ETAG_BYTES);
	return 200;
}

int tl_publications_take(struct tl_publications *publications, const struct tl_publish *publish,
			 char ret_etag[static TL_ETAG_BYTES])
{
	struct resource *resource;
	struct tl_publication *piece;

	if (!publish->etag)
		return take_new(publications, publish, ret_etag);
	resource = find_resource(publications, publish->event, publish->extension);
	piece = find_piece(resource, publish->etag, publish->now_s);
	if (!piece) {
		tl_pidf_free(publish->pidf);
		g_free(publish->summary);
		return 412;
	}
	put_state(piece, publish);
	g_strlcpy(ret_etag, piece->etag, TL_ETAG_BYTES);
	if (publish->expires_s == 0) {
		g_ptr_array_remove(resource->pieces, piece);
		drop_empty(publications, resource);
	}
	return 200;
}

size_t tl_publications_find(struct tl_publications *publications, const char *event,
			    const char *extension, int64_t now_s,
			    const struct tl_publication **ret_found, size_t max)
{
	const struct resource *resource = find_resource(publications, event, extension);
	size_t n = 0;

	for (guint i = resource ? resource->pieces->len : 0; i > 0 && n < max; i--) {
		const struct tl_publication *piece = resource->pieces->pdata[i - 1];

		if (piece->expires_s > now_s)
			ret_found[n++] = piece;
	}
	return n;
}

static bool drop_ended(struct resource *resource, int64_t now_s)
{
	guint before = resource->pieces->len;

	for (guint i = before; i > 0; i--) {
		const struct tl_publication *piece = resource->pieces->pdata[i - 1];

		if (piece->expires_s <= now_s)
			g_ptr_array_remove_index(resource->pieces, i - 1);
	}
	return resource->pieces->len != before;
}

void tl_publications_sweep(struct tl_publications *publications, int64_t now_s,
			   tl_publication_fn *fn, void *user)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, publications->resources);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct resource *resource = value;

		if (drop_ended(resource, now_s))
			fn(resource->event, resource->extension, user);
		if (resource->pieces->len == 0)
			g_hash_table_iter_remove(&iter);
	}
}

void tl_publications_prune(struct tl_publications *publications,
			   int (*is_gone)(const char *extension, void *user), void *user)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, publications->resources);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (is_gone(((struct resource *)value)->extension, user))
			g_hash_table_iter_remove(&iter);
}
