/* The values of [route] sections: conditions and rewriting; ring_parse.c has the rest. */
#include <string.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/route/rewrite.h"
#include "dialplan/text/value.h"

/* The name of a section of this kind, as the table of names has it; NULL after a mistake. */
static const char *resolve(struct tl_parse *p, const struct tl_value *value, GHashTable *table,
			   enum tl_section section, const char *name)
{
	g_autofree char *hint = NULL, *quoted = NULL;
	const char *known;

	if (g_hash_table_lookup_extended(table, name, (void **)&known, NULL))
		return known;
	hint = tl_suggest_section(p, section, name);
	quoted = tl_quote(name);
	tl_mistake(p, value, "there is no [%s] %s%s", tl_section_name(section), quoted, hint);
	return NULL;
}

bool tl_source_read(struct tl_parse *p, const struct tl_value *item, struct tl_source *ret)
{
	enum tl_source_kind kind;
	const char *name;

	if (tl_source_parse(item->text, &kind, &name) < 0)
		return tl_mistake_expected(p, item, "trunk:NAME, extension:NUMBER or NUMBER");
	name = kind == TL_SOURCE_TRUNK
		       ? resolve(p, item, p->dp->trunk_by_name, TL_SECTION_TRUNK, name)
		       : resolve(p, item, p->dp->extension_by_number, TL_SECTION_EXTENSION, name);
	*ret = (struct tl_source) { .kind = kind, .name = name };
	return name;
}

const struct tl_group *tl_group_read(struct tl_parse *p, const struct tl_value *item,
				     const char *name)
{
	name = resolve(p, item, p->dp->group_by_name, TL_SECTION_GROUP, name);
	return name ? g_hash_table_lookup(p->dp->group_by_name, name) : NULL;
}

static bool read_from(struct tl_parse *p, const struct tl_value *item, struct tl_source *ret)
{
	enum tl_source_kind kind;
	const char *name;

	for (kind = 0; kind < _TL_SOURCE_MAX; kind++)
		if (strcmp(item->text, tl_source_kind_name(kind)) == 0)
			break;
	*ret = (struct tl_source) { .kind = kind };
	if (kind < _TL_SOURCE_MAX || strcmp(item->text, "any") == 0)
		return true;
	if (g_str_has_prefix(item->text, "group:")) {
		ret->group = tl_group_read(p, item, item->text + strlen("group:"));
		return ret->group;
	}
	if (tl_source_parse(item->text, &kind, &name) < 0)
		return tl_mistake_expected(
			p, item,
			"trunk:NAME, extension:NUMBER, group:NAME, trunk, extension or any");
	return tl_source_read(p, item, ret);
}

bool tl_parse_sources(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		      void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_source));
	struct tl_value rest = *value, item;
	struct tl_source source;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item))
		if (read_from(p, &item, &source))
			g_array_append_val(list, source);
		else
			ok = false;
	tl_list_store(p, key, list, object);
	return ok;
}

bool tl_parse_patterns(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		       void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_pattern));
	struct tl_value rest = *value, item;
	struct tl_pattern pattern;
	const char *why;
	size_t offset;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item)) {
		if (tl_pattern_parse(p->pool, item.text, &pattern, &why, &offset) < 0) {
			item.at.column += offset;
			ok = tl_mistake(p, &item, "%s", why);
		} else {
			g_array_append_val(list, pattern);
		}
	}
	tl_list_store(p, key, list, object);
	return ok;
}

bool tl_parse_transports(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			 void *object)
{
	unsigned *bits = tl_field(object, key);
	struct tl_value rest = *value, item;
	bool ok = true;
	int t;

	while (tl_value_next(p->pool, &rest, &item)) {
		for (t = 0; t < _TL_TRANSPORT_MAX; t++)
			if (g_ascii_strcasecmp(item.text, tl_transport_name(t)) == 0)
				break;
		if (t < _TL_TRANSPORT_MAX)
			*bits |= 1u << t;
		else
			ok = tl_mistake_expected(p, &item, "udp, tcp or tls");
	}
	return ok;
}

bool tl_parse_when(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_when));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item)) {
		struct tl_when when = { .outside = g_str_has_prefix(item.text, "not ") };
		const char *name = item.text + (when.outside ? strlen("not ") : 0);

		name += strspn(name, " \t");
		name = resolve(p, &item, p->dp->hours_by_name, TL_SECTION_HOURS, name);
		if (name) {
			when.hours = g_hash_table_lookup(p->dp->hours_by_name, name);
			g_array_append_val(list, when);
		} else {
			ok = false;
		}
	}
	tl_list_store(p, key, list, object);
	return ok;
}

/* Characters that would leave the user part or the URI that a text is put in. */
static bool check_uri_text(struct tl_parse *p, const struct tl_value *value, const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || strchr("<>\"\\^`{|}", *c))
			return tl_mistake(p, value, "\"%c\" can't stand in a number or URI", *c);
	return true;
}

bool tl_template_read(struct tl_parse *p, const struct tl_value *value, const char *text)
{
	size_t offset;

	if (tl_template_check(text, &offset) < 0)
		return tl_mistake(p, value,
				  "\"$\" must be followed by a digit, or by \"$\" for itself");
	return check_uri_text(p, value, text);
}

bool tl_parse_caller(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	const char *text = tl_value_unquote(p->pool, value);

	if (!tl_template_read(p, value, text))
		return false;
	*(const char **)tl_field(object, key) = strcmp(text, "withheld") == 0 ? "" : text;
	return true;
}

bool tl_parse_number_text(struct tl_parse *p, const struct tl_key *key,
			  const struct tl_value *value, void *object)
{
	return check_uri_text(p, value, tl_value_unquote(p->pool, value)) &&
	       tl_parse_text(p, key, value, object);
}

bool tl_parse_template(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		       void *object)
{
	return tl_template_read(p, value, tl_value_unquote(p->pool, value)) &&
	       tl_parse_text(p, key, value, object);
}
