/* What one configuration says that another does not. */
#include <string.h>
#include "dialplan/load/load.h"
#include "dialplan/text/value.h"

/* One line of a section. The text of a secret is compared and never shown. */
struct kept_value {
	const char *key, *text;
};

struct tl_kept_section {
	char *title; /* "trunk carrier" */
	const struct kept_value *values;
	unsigned n;
};

void tl_diff_keep(struct tl_load *load)
{
	struct tl_dialplan *dp = load->parse.dp;

	dp->kept = tl_pool_alloc(dp->pool, load->sections->len, sizeof(struct tl_kept_section));
	for (unsigned i = 0; i < load->sections->len; i++) {
		const struct tl_loaded *loaded =
			&g_array_index(load->sections, struct tl_loaded, i);
		struct kept_value *values =
			tl_pool_alloc(dp->pool, loaded->values->len, sizeof(*values));
		const char *name = loaded->section->name;

		if (loaded->kind == TL_SECTION_EXPECT)
			continue;
		for (unsigned k = 0; k < loaded->values->len; k++) {
			const struct tl_value *value = loaded->values->pdata[k];

			values[k] = (struct kept_value) { value->key, value->text };
		}
		dp->kept[dp->n_kept++] = (struct tl_kept_section) {
			.title = tl_pool_take(
				dp->pool, g_strdup_printf("%s%s%s", tl_section_name(loaded->kind),
							  *name ? " " : "", name)),
			.values = values,
			.n = loaded->values->len,
		};
	}
}

static GHashTable *by_title(const struct tl_dialplan *dp)
{
	GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < dp->n_kept; i++)
		g_hash_table_insert(table, dp->kept[i].title, &dp->kept[i]);
	return table;
}

static const char *text_of(const struct tl_kept_section *section, const char *key)
{
	for (unsigned i = 0; i < section->n; i++)
		if (strcmp(section->values[i].key, key) == 0)
			return section->values[i].text;
	return NULL;
}

/* Appends the keys of a that b lacks or has otherwise, each once. */
static void append_changes(GString *out, const struct tl_kept_section *a,
			   const struct tl_kept_section *b, bool missing_only)
{
	for (unsigned i = 0; i < a->n; i++) {
		const char *other = text_of(b, a->values[i].key);

		if (text_of(a, a->values[i].key) != a->values[i].text)
			continue; /* a later line of this key, of a section that is taken over */
		if (other && (missing_only || strcmp(other, a->values[i].text) == 0))
			continue;
		g_string_append_printf(out, "%s%s", out->len ? ", " : "", a->values[i].key);
	}
}

static char *changed_keys(const struct tl_kept_section *old, const struct tl_kept_section *fresh)
{
	GString *out = g_string_new(NULL);

	append_changes(out, fresh, old, false);
	append_changes(out, old, fresh, true);
	return g_string_free(out, FALSE);
}

/* Do the routes that both have stand in the same order? */
static bool same_order(const struct tl_dialplan *old, const struct tl_dialplan *fresh)
{
	size_t k = 0;

	for (size_t i = 0; i < fresh->n_routes; i++) {
		if (!g_hash_table_contains(old->route_by_name, fresh->routes[i].name))
			continue;
		while (!g_hash_table_contains(fresh->route_by_name, old->routes[k].name))
			k++;
		if (strcmp(old->routes[k++].name, fresh->routes[i].name) != 0)
			return false;
	}
	return true;
}

char **tl_dialplan_diff(const struct tl_dialplan *old, const struct tl_dialplan *fresh)
{
	g_autoptr(GHashTable) before = by_title(old), after = by_title(fresh);
	GPtrArray *lines = g_ptr_array_new();

	for (size_t i = 0; i < old->n_kept; i++)
		if (!g_hash_table_contains(after, old->kept[i].title))
			g_ptr_array_add(lines, g_strdup_printf("[%s] removed", old->kept[i].title));
	for (size_t i = 0; i < fresh->n_kept; i++) {
		const struct tl_kept_section *section = &fresh->kept[i];
		const struct tl_kept_section *was = g_hash_table_lookup(before, section->title);
		g_autofree char *keys = was ? changed_keys(was, section) : NULL;

		if (!was)
			g_ptr_array_add(lines, g_strdup_printf("[%s] added", section->title));
		else if (*keys)
			g_ptr_array_add(lines,
					g_strdup_printf("[%s] changed: %s", section->title, keys));
	}
	if (!same_order(old, fresh))
		g_ptr_array_add(lines, g_strdup("[route] sections stand in another order"));
	g_ptr_array_add(lines, NULL);
	return (char **)g_ptr_array_free(lines, FALSE);
}
