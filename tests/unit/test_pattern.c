#include <criterion/criterion.h>
#include <string.h>
#include "dialplan/route/pattern.h"

static const struct {
	const char *why, *pattern, *number;
	bool matches;
} cases[] = {
	{ "literal digits", "112", "112", true },
	{ "a whole number, not its start", "112", "1123", false },
	{ "nor a part of it", "112", "11", false },
	{ "X is a digit", "X", "0", true },
	{ "X is no letter", "X", "a", false },
	{ "X is one digit", "X", "12", false },
	{ "Z is not 0", "Z", "0", false },
	{ "Z is 1", "Z", "1", true },
	{ "N is not 1", "N", "1", false },
	{ "N is 2", "N", "2", true },
	{ "N is 9", "N", "9", true },
	{ "a set", "0[135]", "03", true },
	{ "not in the set", "0[135]", "02", false },
	{ "a range", "0[1-9]", "09", true },
	{ "below the range", "0[1-9]", "00", false },
	{ "ranges and characters together", "[a-c7*]", "*", true },
	{ "a minus at the end of a set is itself", "[1-]", "-", true },
	{ "X in a set is itself", "[X]", "X", true },
	{ "dot is one", "00.", "001", true },
	{ "dot is more", "00.", "0049301", true },
	{ "dot is not none", "00.", "00", false },
	{ "dot takes any character", "0.", "0abc", true },
	{ "bang is none", "00!", "00", true },
	{ "bang is more", "00!", "001", true },
	{ "bang needs its prefix", "00!", "0", false },
	{ "plus is itself", "+49X.", "+4930", true },
	{ "plus is not a digit", "X.", "+49", false },
	{ "star and hash", "*9#", "*9#", true },
	{ "a name", "alice", "alice", true },
	{ "case counts", "alice", "Alice", false },
	{ "upper-case letters but X, Z and N are themselves", "Alice", "Alice", true },
	{ "N in a name is a digit", "Nina", "Nina", false },
	{ "unless quoted", "\"Nina\"", "Nina", true },
	{ "a dot in quotes", "\"a.b\"", "a.b", true },
	{ "quotes within", "1\"X\"2", "1X2", true },
	{ "groups don't change what matches", "0([1-9]X.)", "030123", true },
	{ "two groups", "(XX)(X!)", "123", true },
	{ "bytes beyond ASCII are themselves", "\xc3\xa4", "\xc3\xa4", true },
	{ "and in no set", "[0-~]", "\xc3", false },
	{ "empty number, any", "!", "", true },
	{ "empty number, some", ".", "", false },
};

Test(pattern, matches_numbers)
{
	struct tl_pool *pool = tl_pool_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tl_pattern pattern;
		const char *why;
		size_t offset;

		cr_assert_eq(tl_pattern_parse(pool, cases[i].pattern, &pattern, &why, &offset), 0,
			     "%s", cases[i].why);
		cr_expect_eq(tl_pattern_match(&pattern, cases[i].number), cases[i].matches, "%s",
			     cases[i].why);
	}
	tl_pool_free(pool);
}

static const struct {
	const char *pattern;
	size_t offset;
	const char *why;
} refused[] = {
	{ "", 0, "an empty pattern matches nothing" },
	{ "0.1", 1, "\".\" and \"!\" stand at the end only; in quotes they are characters" },
	{ "0!.", 1, "\".\" and \"!\" stand at the end only; in quotes they are characters" },
	{ "0[12", 1, "\"[\" has no \"]\"" },
	{ "0]", 1, "\"]\" has no \"[\"" },
	{ "[]", 0, "an empty set matches nothing" },
	{ "[12][9-3]", 5, "the range runs backwards" },
	{ "[\xc3\xa4]", 1, "a set holds ASCII characters only" },
	{ "(1", 2, "\"(\" has no \")\"" },
	{ "1)", 1, "\")\" has no \"(\"" },
	{ "((1))", 1, "groups can't hold groups" },
	{ "0.(1)", 2, "nothing may follow \".\" or \"!\"" },
	{ "()()()()()()()()()()", 18, "a pattern has at most 9 groups" },
	{ "1\"2", 1, "the quote is not closed" },
	{ "1 2", 1, "white space in a pattern: patterns are separated by commas" },
	{ "00000000001111111111222222222233333333334444444444555555555566666", 64,
	  "a pattern has at most 64 characters" },
};

Test(pattern, says_what_is_wrong_and_where)
{
	struct tl_pool *pool = tl_pool_new();

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct tl_pattern pattern;
		const char *why = "";
		size_t offset = 0;

		cr_expect_eq(tl_pattern_parse(pool, refused[i].pattern, &pattern, &why, &offset),
			     -22, "%s", refused[i].pattern);
		cr_expect_str_eq(why, refused[i].why);
		cr_expect_eq(offset, refused[i].offset, "%s at %zu", refused[i].pattern, offset);
	}
	tl_pool_free(pool);
}

static const struct {
	const char *pattern, *number, *groups[3];
	size_t min_bytes;
} groups[] = {
	{ "0([1-9]X.)", "030123", { "30123" }, 4 },
	{ "(XX)-(X!)", "12-3", { "12", "3" }, 4 },
	{ "(XX)(!)", "12", { "12", "" }, 2 },
	{ "1()2(.)", "123", { "", "3" }, 3 },
	{ "(1)2.", "1234", { "1" }, 3 },
};

Test(pattern, captures_groups)
{
	struct tl_pool *pool = tl_pool_new();

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct tl_pattern pattern;
		const char *why;
		size_t offset, bytes;
		unsigned n = 0;

		cr_assert_eq(tl_pattern_parse(pool, groups[i].pattern, &pattern, &why, &offset), 0);
		cr_assert(tl_pattern_match(&pattern, groups[i].number));
		cr_expect_eq(tl_pattern_min_bytes(&pattern), groups[i].min_bytes);
		for (; groups[i].groups[n]; n++) {
			const char *text = tl_pattern_group(&pattern, groups[i].number, n, &bytes);

			cr_expect_eq(bytes, strlen(groups[i].groups[n]), "%s $%u",
				     groups[i].pattern, n + 1);
			cr_expect_eq(memcmp(text, groups[i].groups[n], bytes), 0);
		}
		cr_expect_eq(pattern.n_groups, n);
	}
	tl_pool_free(pool);
}
