/* Which sections there are: their kinds, their names, an object for each. */
#include <string.h>
#include "dialplan/load/expect.h"
#include "dialplan/load/load.h"

enum { NAME_BYTES = 64 };

static const size_t object_bytes[_TL_SECTION_MAX] = {
	[TL_SECTION_GATEWAY] = sizeof(struct tl_gateway),
	[TL_SECTION_TRUNK] = sizeof(struct tl_trunk_cfg),
	[TL_SECTION_EXTENSION] = sizeof(struct tl_extension_cfg),
	[TL_SECTION_GROUP] = sizeof(struct tl_group),
	[TL_SECTION_HOURS] = sizeof(struct tl_hours),
	[TL_SECTION_ROUTE] = sizeof(struct tl_route_cfg),
	[TL_SECTION_EXPECT] = sizeof(struct tl_expect),
};

static enum tl_section find_kind(const char *name)
{
	for (int kind = 0; kind < _TL_SECTION_MAX; kind++)
		if (strcmp(tl_section_name(kind), name) == 0)
			return kind;
	return _TL_SECTION_INVALID;
}

static bool refuse_kind(struct tl_load *load, const struct tl_ini_section *section)
{
	const char *names[_TL_SECTION_MAX];
	g_autofree char *quoted = tl_quote(section->kind), *hint = NULL;

	for (int kind = 0; kind < _TL_SECTION_MAX; kind++)
		names[kind] = tl_section_name(kind);
	hint = tl_suggest_text(section->kind, names, _TL_SECTION_MAX);
	tl_diags_add(load->parse.diags, &section->at,
		     "unknown section %s, expected gateway, trunk, extension, group, hours, route "
		     "or expect%s",
		     quoted, hint);
	return false;
}

static bool is_reserved(const char *name)
{
	static const char *const words[] = { "any", "extension", "for",  "group", "none",
					     "not", "or",        "then", "trunk", "withheld" };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

/* Names appear in lists and after "trunk:", so they are plain words. */
static bool check_name(struct tl_load *load, const struct tl_ini_section *section,
		       enum tl_section kind)
{
	const char *extra = kind == TL_SECTION_EXTENSION ? "._-+*#" : "._-";
	g_autofree char *quoted = tl_quote(section->name);
	bool ok = *section->name && strlen(section->name) <= NAME_BYTES;

	if (kind == TL_SECTION_GATEWAY) {
		if (*section->name)
			tl_diags_add(load->parse.diags, &section->name_at,
				     "[gateway] has no name, not %s", quoted);
		return !*section->name;
	}
	if (kind == TL_SECTION_EXPECT)
		return true;
	for (const char *c = section->name; *c; c++)
		ok = ok && (g_ascii_isalnum(*c) || strchr(extra, *c));
	if (ok && !is_reserved(section->name))
		return true;
	if (ok)
		tl_diags_add(load->parse.diags, &section->name_at,
			     "%s has a meaning of its own: choose another name", quoted);
	else
		tl_diags_add(
			load->parse.diags, &section->name_at,
			"[%s NAME] needs a name of letters, digits and \"%s\", up to %d, not %s",
			section->kind, extra, NAME_BYTES, quoted);
	return false;
}

static GHashTable *names_of(struct tl_dialplan *dp, enum tl_section kind)
{
	switch (kind) {
	case TL_SECTION_TRUNK:
		return dp->trunk_by_name;
	case TL_SECTION_EXTENSION:
		return dp->extension_by_number;
	case TL_SECTION_GROUP:
		return dp->group_by_name;
	case TL_SECTION_HOURS:
		return dp->hours_by_name;
	case TL_SECTION_ROUTE:
		return dp->route_by_name;
	case TL_SECTION_GATEWAY:
	case TL_SECTION_EXPECT:
	case _TL_SECTION_MAX:
	case _TL_SECTION_INVALID:
		break;
	}
	return NULL;
}

/* seen: "kind name" -> the first section so called. */
static bool check_duplicate(struct tl_load *load, const struct tl_ini_section *section,
			    enum tl_section kind, GHashTable *seen)
{
	const struct tl_ini_section *first;
	char *title =
		g_strdup_printf("%s%s%s", section->kind, *section->name ? " " : "", section->name);

	if (kind == TL_SECTION_EXPECT && !*section->name) {
		g_free(title); /* nothing refers to an expectation: it may go without a name */
		return true;
	}
	first = g_hash_table_lookup(seen, title);
	if (first) {
		tl_diags_add(load->parse.diags, &section->at, "[%s] stands at %s:%u already", title,
			     first->at.file, first->at.line);
		g_free(title);
		return false;
	}
	g_hash_table_insert(seen, title, (void *)section);
	return true;
}

/* Picks the sections that are well-formed. */
static void pick_sections(struct tl_load *load)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (unsigned i = 0; i < load->ini.sections->len; i++) {
		const struct tl_ini_section *section =
			&g_array_index(load->ini.sections, struct tl_ini_section, i);
		struct tl_loaded loaded = { .section = section, .kind = find_kind(section->kind) };

		if (loaded.kind < 0) {
			refuse_kind(load, section);
			continue;
		}
		if (!check_name(load, section, loaded.kind) ||
		    !check_duplicate(load, section, loaded.kind, seen))
			continue;
		g_array_append_val(load->sections, loaded);
		if (*section->name)
			g_ptr_array_add(load->parse.names[loaded.kind], (char *)section->name);
	}
}

/* How many of each kind become objects. */
static void count_objects(const struct tl_load *load, size_t ret_n[_TL_SECTION_MAX])
{
	for (unsigned i = 0; i < load->sections->len; i++) {
		const struct tl_loaded *loaded =
			&g_array_index(load->sections, struct tl_loaded, i);

		ret_n[loaded->kind] += !loaded->only_model;
	}
}

/* The fields that a section's header fills. */
static void name_object(struct tl_loaded *loaded, unsigned order)
{
	const struct tl_ini_section *section = loaded->section;

	switch (loaded->kind) {
	case TL_SECTION_TRUNK:
		*(struct tl_trunk_cfg *)loaded->object = (struct tl_trunk_cfg) {
			.name = section->name,
			.host = "",
			.transport = _TL_TRANSPORT_INVALID,
			.session_expires_s = TL_SESSION_UNSAID,
		};
		break;
	case TL_SECTION_EXTENSION:
		*(struct tl_extension_cfg *)loaded->object = (struct tl_extension_cfg) {
			.number = section->name,
			.session_expires_s = TL_SESSION_UNSAID,
		};
		break;
	case TL_SECTION_GROUP:
		((struct tl_group *)loaded->object)->name = section->name;
		break;
	case TL_SECTION_HOURS:
		((struct tl_hours *)loaded->object)->name = section->name;
		((struct tl_hours *)loaded->object)->at = section->at;
		break;
	case TL_SECTION_ROUTE:
		*(struct tl_route_cfg *)loaded->object = (struct tl_route_cfg) {
			.name = section->name,
			.at = section->at,
			.order = order,
			.play_as = TL_PLAY_UNSAID,
			.dtmf = _TL_DTMF_INVALID,
			.srtp = _TL_SRTP_INVALID,
			.t38 = _TL_T38_INVALID,
			.transfer = _TL_TRANSFER_INVALID,
		};
		break;
	case TL_SECTION_EXPECT:
		((struct tl_expect *)loaded->object)->name = section->name;
		((struct tl_expect *)loaded->object)->at = section->at;
		break;
	case TL_SECTION_GATEWAY:
	case _TL_SECTION_MAX:
	case _TL_SECTION_INVALID:
		break;
	}
}

void tl_load_sections(struct tl_load *load)
{
	struct tl_dialplan *dp = load->parse.dp;
	size_t n[_TL_SECTION_MAX] = { 0 }, used[_TL_SECTION_MAX] = { 0 };
	void *arrays[_TL_SECTION_MAX];

	pick_sections(load);
	tl_load_like(load);
	count_objects(load, n);
	for (int kind = 0; kind < _TL_SECTION_MAX; kind++)
		arrays[kind] = kind == TL_SECTION_GATEWAY
				       ? &dp->gateway
				       : tl_pool_alloc(dp->pool, n[kind], object_bytes[kind]);
	dp->trunks = arrays[TL_SECTION_TRUNK];
	dp->n_trunks = n[TL_SECTION_TRUNK];
	dp->extensions = arrays[TL_SECTION_EXTENSION];
	dp->n_extensions = n[TL_SECTION_EXTENSION];
	dp->groups = arrays[TL_SECTION_GROUP];
	dp->n_groups = n[TL_SECTION_GROUP];
	dp->hours = arrays[TL_SECTION_HOURS];
	dp->n_hours = n[TL_SECTION_HOURS];
	dp->routes = arrays[TL_SECTION_ROUTE];
	dp->n_routes = n[TL_SECTION_ROUTE];

	for (unsigned i = 0; i < load->sections->len; i++) {
		struct tl_loaded *loaded = &g_array_index(load->sections, struct tl_loaded, i);
		GHashTable *names = names_of(dp, loaded->kind);
		size_t order;

		if (loaded->only_model)
			continue;
		order = used[loaded->kind]++;
		loaded->object = (char *)arrays[loaded->kind] + order * object_bytes[loaded->kind];
		name_object(loaded, order);
		if (names)
			g_hash_table_insert(names, (char *)loaded->section->name, loaded->object);
	}
}
