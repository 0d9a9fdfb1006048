#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include "dialplan/route/rewrite.h"

static const struct {
	const char *why, *template, *pattern, *number, *result;
} templates[] = {
	{ "no group", "112", NULL, "999", "112" },
	{ "the whole number", "+49$0", NULL, "30", "+4930" },
	{ "a group", "+49$1", "0(X.)", "0301", "+49301" },
	{ "groups in another order", "$2-$1", "(XX)(X.)", "12345", "345-12" },
	{ "a dollar", "$$$0$$", NULL, "1", "$1$" },
	{ "a group that the pattern lacks is empty", "a$2b", "(X)", "1", "ab" },
	{ "a number that does not match has no groups", "a$1b$0", "(X)", "12", "ab12" },
	{ "digits after a group", "$12", "(X)X", "34", "32" },
};

Test(rewrite, expands_templates)
{
	struct tl_pool *pool = tl_pool_new();

	for (size_t i = 0; i < G_N_ELEMENTS(templates); i++) {
		g_autofree char *result = NULL;
		struct tl_pattern pattern;
		const char *why;
		size_t offset;

		if (templates[i].pattern)
			cr_assert_eq(tl_pattern_parse(pool, templates[i].pattern, &pattern, &why,
						      &offset),
				     0);
		result = tl_template_expand(templates[i].template,
					    templates[i].pattern ? &pattern : NULL,
					    templates[i].number);
		cr_expect_str_eq(result, templates[i].result, "%s", templates[i].why);
	}
	tl_pool_free(pool);
}

Test(rewrite, checks_templates)
{
	size_t offset = 99;

	cr_expect_eq(tl_template_check("plain", &offset), 0);
	cr_expect_eq(tl_template_check("$0", &offset), 0);
	cr_expect_eq(tl_template_check("$2$1", &offset), 2);
	cr_expect_eq(tl_template_check("$$9", &offset), 0);
	cr_expect_eq(tl_template_check("$$$9", &offset), 9);
	cr_expect_eq(tl_template_check("a$b", &offset), -EINVAL);
	cr_expect_eq(offset, 1);
	cr_expect_eq(tl_template_check("ab$", &offset), -EINVAL);
	cr_expect_eq(offset, 2);
}

Test(rewrite, strips_and_prefixes)
{
	static const struct {
		const char *number, *prefix, *result;
		unsigned strip;
	} cases[] = {
		{ "030", "+49", "+4930", 1 }, { "030", NULL, "030", 0 }, { "030", NULL, "", 3 },
		{ "030", "9", "9", 64 },      { "", "1", "1", 2 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *result =
			tl_number_rewrite(cases[i].number, cases[i].strip, cases[i].prefix);

		cr_expect_str_eq(result, cases[i].result);
	}
}
