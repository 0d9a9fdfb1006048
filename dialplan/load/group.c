/* [group NAME]: trunks and extensions under one name. */
#include <stdlib.h>
#include <string.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/text/value.h"

static int compare_members(const void *left, const void *right)
{
	const struct tl_source *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

void tl_group_sort(struct tl_group *group)
{
	if (group->n_members)
		qsort(group->members, group->n_members, sizeof(group->members[0]), compare_members);
}

bool tl_group_has(const struct tl_group *group, enum tl_source_kind kind, const char *name)
{
	struct tl_source wanted = { .kind = kind, .name = name };

	return group->n_members &&
	       bsearch(&wanted, group->members, group->n_members, sizeof(wanted), compare_members);
}

bool tl_parse_members(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		      void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_source));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item)) {
		struct tl_source member;

		if (tl_source_read(p, &item, &member))
			g_array_append_val(list, member);
		else
			ok = false;
	}
	tl_list_store(p, key, list, object);
	return ok;
}
