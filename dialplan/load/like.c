/* like = NAME: what a section takes over from another of its kind. */
#include <string.h>
#include "dialplan/load/load.h"

/* Keys of which one stands instead of the others: who says one takes none of them over. */
static const char *const instead[][5] = {
	{ "ring", "answer", "reject", "redirect", NULL },
	{ "number", "strip", "prefix", NULL },
	{ "password", "ha1", "ha1-sha256", NULL },
};

enum { LIKE_DEPTH = 32 };

static bool same_key(const char *a, const char *b)
{
	if (g_ascii_strcasecmp(a, b) == 0) /* "header X-A" and "header x-a" */
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(instead); i++)
		if (g_strv_contains(instead[i], a) && g_strv_contains(instead[i], b))
			return true;
	return false;
}

static bool says(const GPtrArray *values, unsigned n, const char *key)
{
	for (unsigned i = 0; i < n; i++)
		if (same_key(((const struct tl_value *)values->pdata[i])->key, key))
			return true;
	return false;
}

static const struct tl_value *find_like(const struct tl_loaded *loaded)
{
	for (unsigned i = 0; i < loaded->n_own; i++) {
		const struct tl_value *value = loaded->values->pdata[i];

		if (strcmp(value->key, "like") == 0)
			return value;
	}
	return NULL;
}

static char *title_of(enum tl_section kind, const char *name)
{
	return g_strdup_printf("%s %s", tl_section_name(kind), name);
}

/* The section that a like names; NULL after a mistake. */
static struct tl_loaded *find_model(struct tl_load *load, GHashTable *titles,
				    const struct tl_loaded *loaded, const struct tl_value *like)
{
	g_autofree char *title = title_of(loaded->kind, like->text);
	struct tl_loaded *model = g_hash_table_lookup(titles, title);
	g_autofree char *quoted = NULL, *hint = NULL;

	if (model)
		return model;
	quoted = tl_quote(like->text);
	hint = tl_suggest_section(&load->parse, loaded->kind, like->text);
	tl_mistake(&load->parse, like, "there is no [%s] %s%s", tl_section_name(loaded->kind),
		   quoted, hint);
	return NULL;
}

/* Appends what the models of a section say, the nearest first. */
static void take_over(struct tl_load *load, GHashTable *titles, struct tl_loaded *loaded)
{
	const struct tl_value *like = find_like(loaded);
	struct tl_loaded *model = loaded;

	for (unsigned depth = 0; like; depth++) {
		unsigned n = loaded->values->len;

		model = find_model(load, titles, model, like);
		if (!model)
			return;
		if (model == loaded || depth == LIKE_DEPTH) {
			tl_mistake(&load->parse, like, "%s",
				   model == loaded ? "comes back to this section"
						   : "more than 32 sections, one like the other");
			return;
		}
		model->is_model = true;
		for (unsigned i = 0; i < model->n_own; i++) {
			const struct tl_value *value = model->values->pdata[i];

			if (!says(loaded->values, n, value->key))
				g_ptr_array_add(loaded->values, (void *)value);
		}
		like = find_like(model);
	}
}

/* Nothing but a model for others: it lacks what makes it a thing of its own. */
static bool is_incomplete(const struct tl_loaded *loaded)
{
	static const char *const needed[_TL_SECTION_MAX][6] = {
		[TL_SECTION_TRUNK] = { "host" },
		[TL_SECTION_EXTENSION] = { "password", "ha1", "ha1-sha256" },
		[TL_SECTION_GROUP] = { "members" },
		[TL_SECTION_ROUTE] = { "ring", "answer", "reject", "redirect", "play" },
		[TL_SECTION_EXPECT] = { "call" },
	};

	if (!loaded->is_model || !needed[loaded->kind][0])
		return false;
	for (unsigned i = 0; i < loaded->values->len; i++) {
		const struct tl_value *value = loaded->values->pdata[i];

		if (g_strv_contains(needed[loaded->kind], value->key))
			return false;
	}
	return true;
}

static void collect_own(struct tl_load *load, struct tl_loaded *loaded)
{
	loaded->n_own = loaded->section->n;
	loaded->values = g_ptr_array_sized_new(loaded->section->n);
	for (size_t i = 0; i < loaded->section->n; i++)
		g_ptr_array_add(loaded->values, &g_array_index(load->ini.entries, struct tl_value,
							       loaded->section->first + i));
}

void tl_load_like(struct tl_load *load)
{
	g_autoptr(GHashTable) titles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (unsigned i = 0; i < load->sections->len; i++) {
		struct tl_loaded *loaded = &g_array_index(load->sections, struct tl_loaded, i);

		collect_own(load, loaded);
		if (*loaded->section->name)
			g_hash_table_insert(titles, title_of(loaded->kind, loaded->section->name),
					    loaded);
	}
	for (unsigned i = 0; i < load->sections->len; i++)
		take_over(load, titles, &g_array_index(load->sections, struct tl_loaded, i));
	for (unsigned i = 0; i < load->sections->len; i++) {
		struct tl_loaded *loaded = &g_array_index(load->sections, struct tl_loaded, i);

		loaded->only_model = is_incomplete(loaded);
	}
}
