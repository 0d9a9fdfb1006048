#pragma once
/* Dialplans from text, for tests of what they say. */
#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>
#include "dialplan/dialplan.h"

/* All mistakes, a line each, "" when it loads; the caller frees it. */
static inline char *mistakes_in(const char *text)
{
	GString *out = g_string_new(NULL);
	struct tl_dialplan *dp;
	struct tl_diags *diags;

	if (tl_dialplan_parse(text, strlen(text), "t.ini", "/nowhere", &dp, &diags) == 0) {
		cr_expect_null(diags);
		tl_dialplan_unref(dp);
		return g_string_free(out, FALSE);
	}
	for (size_t i = 0; i < tl_diags_count(diags); i++)
		g_string_append_printf(out, "%s%s", i ? "\n" : "", tl_diags_text(diags, i));
	tl_diags_free(diags);
	return g_string_free(out, FALSE);
}

/* A dialplan that must load. */
static inline struct tl_dialplan *dialplan_of(const char *text)
{
	g_autofree char *mistakes = NULL;
	struct tl_dialplan *dp = NULL;
	struct tl_diags *diags;

	if (tl_dialplan_parse(text, strlen(text), "t.ini", "/nowhere", &dp, &diags) < 0) {
		tl_diags_free(diags);
		mistakes = mistakes_in(text);
		cr_assert_fail("%s", mistakes);
	}
	return dp;
}

/* "SOURCE CALLER CALLEE", CALLER "-" when withheld; words are lent from line, which is cut up. */
static inline struct tl_facts facts_of(char *line, int64_t at_s)
{
	struct tl_facts facts = { .at_s = at_s };
	const char *source = strtok(line, " ");

	facts.caller = strtok(NULL, " ");
	facts.callee = strtok(NULL, " ");
	cr_assert_eq(tl_source_parse(source, &facts.source, &facts.source_name), 0);
	if (strcmp(facts.caller, "-") == 0)
		facts.caller = "";
	return facts;
}

/* The decision about such a call; NULL: nobody takes it. */
static inline struct tl_decision *decide(struct tl_dialplan *dp, const char *line, int64_t at_s)
{
	g_autofree char *copy = g_strdup(line);
	struct tl_facts facts = facts_of(copy, at_s);
	struct tl_decision *decision;

	return tl_dialplan_decide(dp, &facts, &decision) == 0 ? decision : NULL;
}

/* Name of the route that takes it; "-" when nobody does. Lent by dp. */
static inline const char *route_of(struct tl_dialplan *dp, const char *line, int64_t at_s)
{
	struct tl_decision *decision = decide(dp, line, at_s);
	const char *route = decision ? decision->route : "-";

	tl_decision_free(decision);
	return route;
}
