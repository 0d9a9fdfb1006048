/* Files -> a dialplan: sections become objects, then values fill them. */
#include "dialplan/load/load.h"

#include <errno.h>
#include <string.h>
#include "dialplan/load/expect.h"
#include "dialplan/text/value.h"

enum {
	KEYS_MAX = 96, /* rows of a section, for duplicates */
};

static void apply_defaults(struct tl_load *load, enum tl_section kind, void *object)
{
	static const struct tl_place built_in = { "built-in default", 0, 0, 0 };
	const struct tl_key *keys;
	size_t n;

	keys = tl_keys(kind, &n);
	for (size_t i = 0; i < n; i++) {
		struct tl_value value = { keys[i].initial, keys[i].name, built_in, built_in };

		if (keys[i].initial)
			keys[i].parse(&load->parse, &keys[i], &value, object);
	}
}

static void refuse_key(struct tl_load *load, enum tl_section kind, const struct tl_value *value)
{
	g_autofree char *quoted = tl_quote(value->key), *hint = NULL, *all = NULL;
	const char *names[KEYS_MAX + 1] = { NULL };
	const struct tl_key *keys;
	size_t n;

	if (strcmp(value->key, "include") == 0) {
		tl_diags_add(load->parse.diags, &value->key_at,
			     "include stands in [gateway], or before the first section of a file");
		return;
	}
	keys = tl_keys(kind, &n);
	for (size_t i = 0; i < n; i++)
		names[i] = keys[i].name;
	hint = tl_suggest_text(value->key, names, n);
	if (!*hint) {
		all = g_strjoinv(", ", (char **)names);
		g_free(hint);
		hint = g_strdup_printf(", expected one of %s", all);
	}
	tl_diags_add(load->parse.diags, &value->key_at, "unknown key %s in [%s]%s", quoted,
		     tl_section_name(kind), hint);
}

/* A password that others can read is none. */
static void refuse_shared_secret(struct tl_load *load, const struct tl_value *value)
{
	struct tl_ini_file *file =
		&g_array_index(load->ini.files, struct tl_ini_file, value->key_at.file_order);

	if (!file->shared)
		return;
	file->shared = false; /* once a file */
	tl_diags_add(load->parse.diags, &value->key_at,
		     "%s: others may read this file, which must not be where passwords are: "
		     "chmod o= %s",
		     value->key, file->path);
}

static void read_value(struct tl_load *load, struct tl_loaded *loaded, const struct tl_value *value,
		       const struct tl_value *seen[KEYS_MAX])
{
	const struct tl_key *keys, *key = tl_key_find(loaded->kind, value->key);
	size_t n, row;

	if (!key) {
		loaded->puzzling = true;
		refuse_key(load, loaded->kind, value);
		return;
	}
	keys = tl_keys(loaded->kind, &n);
	row = key - keys;
	if (seen[row] && !key->names) {
		tl_diags_add(load->parse.diags, &value->key_at, "%s stands at %s:%u already",
			     value->key, seen[row]->key_at.file, seen[row]->key_at.line);
		return;
	}
	seen[row] = value;
	if (key->parse == tl_parse_secret || key->parse == tl_parse_ha1 ||
	    key->parse == tl_parse_ha1_sha256)
		refuse_shared_secret(load, value);
	if (key->parse)
		key->parse(&load->parse, key, value, loaded->object);
}

static void read_section(struct tl_load *load, struct tl_loaded *loaded)
{
	const struct tl_value *seen[KEYS_MAX] = { NULL };
	const struct tl_key *keys;
	size_t n;

	if (loaded->kind != TL_SECTION_GATEWAY)
		apply_defaults(load, loaded->kind, loaded->object);
	for (unsigned i = 0; i < loaded->values->len; i++)
		read_value(load, loaded, loaded->values->pdata[i], seen);
	keys = tl_keys(loaded->kind, &n);
	for (size_t i = 0; i < n; i++)
		if (keys[i].required && !seen[i] && !loaded->puzzling)
			tl_diags_add(load->parse.diags, &loaded->section->at,
				     "[%s%s%s] needs %s = …", loaded->section->kind,
				     *loaded->section->name ? " " : "", loaded->section->name,
				     keys[i].name);
}

static void read_sections(struct tl_load *load, enum tl_section kind)
{
	for (unsigned i = 0; i < load->sections->len; i++) {
		struct tl_loaded *loaded = &g_array_index(load->sections, struct tl_loaded, i);

		if (loaded->kind == kind && loaded->object)
			read_section(load, loaded);
	}
}

const struct tl_value *tl_load_value(const struct tl_load *load, const struct tl_loaded *loaded,
				     const char *key)
{
	for (unsigned i = 0; i < loaded->values->len; i++) {
		const struct tl_value *value = loaded->values->pdata[i];

		if (strcmp(value->key, key) == 0)
			return value;
	}
	return NULL;
}

const struct tl_value *tl_load_own(const struct tl_loaded *loaded, const char *key)
{
	for (unsigned i = 0; i < loaded->n_own; i++) {
		const struct tl_value *value = loaded->values->pdata[i];

		if (strcmp(value->key, key) == 0)
			return value;
	}
	return NULL;
}

static void run_expectations(struct tl_load *load)
{
	for (unsigned i = 0; i < load->sections->len; i++) {
		const struct tl_loaded *loaded =
			&g_array_index(load->sections, struct tl_loaded, i);

		if (loaded->kind == TL_SECTION_EXPECT && loaded->object)
			tl_expect_run(&load->parse, loaded->object);
	}
}

/* Sections before values, so that a value may name any section, and [gateway]
 * before the others, which take their defaults from it. */
static void build(struct tl_load *load)
{
	struct tl_dialplan *dp = load->parse.dp;

	tl_load_sections(load);
	apply_defaults(load, TL_SECTION_GATEWAY, &dp->gateway);
	for (int kind = 0; kind < _TL_SECTION_MAX; kind++)
		read_sections(load, kind);
	for (size_t i = 0; i < dp->n_groups; i++)
		tl_group_sort(&dp->groups[i]);
	tl_load_inherit(load);
	tl_load_check(load);
	tl_diff_keep(load);
	dp->index = tl_index_new(dp->routes, dp->n_routes);
	/* with mistakes about, what routes do is not yet what was meant */
	if (tl_diags_count(load->parse.diags) == 0) {
		tl_load_shadows(load);
		run_expectations(load);
	}
}

static void load_init(struct tl_load *load, const char *dir)
{
	*load = (struct tl_load) { 0 };
	load->parse.dp = tl_dialplan_new();
	load->parse.pool = load->parse.dp->pool;
	load->parse.diags = tl_diags_new();
	load->parse.base_dir =
		dir ? tl_pool_take(load->parse.pool, g_canonicalize_filename(dir, NULL)) : NULL;
	for (int kind = 0; kind < _TL_SECTION_MAX; kind++)
		load->parse.names[kind] = g_ptr_array_new();
	load->sections = g_array_new(FALSE, FALSE, sizeof(struct tl_loaded));
	tl_ini_init(&load->ini, load->parse.pool, load->parse.diags);
}

/* Hands out the dialplan, or the mistakes. */
static int load_done(struct tl_load *load, int r, struct tl_dialplan **ret_dialplan,
		     struct tl_diags **ret_diags)
{
	struct tl_diags *diags = load->parse.diags;

	tl_ini_done(&load->ini);
	for (unsigned i = 0; i < load->sections->len; i++)
		g_clear_pointer(&g_array_index(load->sections, struct tl_loaded, i).values,
				g_ptr_array_unref);
	g_array_unref(load->sections);
	for (int kind = 0; kind < _TL_SECTION_MAX; kind++)
		g_ptr_array_unref(load->parse.names[kind]);
	if (r == 0 && tl_diags_count(diags))
		r = -EINVAL;
	tl_diags_close(diags);
	tl_diags_close(load->parse.dp->warnings);
	if (r < 0) {
		tl_dialplan_unref(load->parse.dp);
		*ret_diags = diags;
		return r;
	}
	tl_diags_free(diags);
	*ret_diags = NULL;
	*ret_dialplan = load->parse.dp;
	return 0;
}

static int load_file(struct tl_load *load, const char *path)
{
	g_autofree char *full = g_canonicalize_filename(path, NULL);
	g_autofree char *dir = g_path_get_dirname(full);
	struct tl_place at = { path, 0, 0, 0 };
	int r;

	load_init(load, dir);
	r = tl_ini_read_file(&load->ini, path, 0);
	if (r < 0)
		tl_diags_add(load->parse.diags, &at, "can't be read: %s",
			     r == -EINVAL ? "not a file" : g_strerror(-r));
	else
		build(load);
	return r;
}

int tl_dialplan_load(const char *path, struct tl_dialplan **ret_dialplan,
		     struct tl_diags **ret_diags)
{
	struct tl_load load;
	int r = load_file(&load, path);

	return load_done(&load, r, ret_dialplan, ret_diags);
}

int tl_dialplan_control(const char *path, char **ret_control)
{
	struct tl_load load;
	int r = load_file(&load, path);
	struct tl_dialplan *dp = NULL;
	struct tl_diags *diags = NULL;

	if (r == 0)
		*ret_control = g_strdup(load.parse.dp->gateway.control);
	(void)load_done(&load, r, &dp, &diags);
	tl_dialplan_unref(dp);
	tl_diags_free(diags);
	return r;
}

int tl_dialplan_parse(const char *text, size_t bytes, const char *name, const char *dir,
		      struct tl_dialplan **ret_dialplan, struct tl_diags **ret_diags)
{
	struct tl_load load;

	load_init(&load, dir);
	tl_ini_read_text(&load.ini, text, bytes, name, dir);
	build(&load);
	return load_done(&load, 0, ret_dialplan, ret_diags);
}
