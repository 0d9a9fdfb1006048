#include "tests/support/dialplan_text.h"
#include <errno.h>

#define PEOPLE                                                                                     \
	"[trunk carrier]\nhost = sip.carrier.example\n"                                            \
	"[trunk backup]\nhost = 192.0.2.7\n"                                                       \
	"[extension 1001]\nname = Alice\npassword = a\n"                                           \
	"[extension 1002]\npassword = b\n"

static const char plan[] = PEOPLE
	"[route emergency]\nto = 110, 112\nring = trunk:carrier then trunk:backup\n"
	"[route blocked]\nfrom = trunk\nfrom-number = +49666!\nreject = 603 Decline\n"
	"[route secure]\nto = 99!\ntransport = tls\nanswer = echo\n"
	"[route boss]\nfrom = extension:1001\nto = 0.\nring = trunk:backup\n"
	"[route out]\nfrom = extension\nto = 0([1-9]X.)\nnumber = +49$1\ncaller = +4930555100\n"
	"caller-name = Example\nring = trunk:carrier\nring-time = 12s\nmax-duration = 2h\n"
	"on-busy = reject 486 All Busy\non-failure = route:voicebox\n"
	"[route direct]\nfrom = trunk:carrier, trunk:backup\nto = +4930555Z.\nstrip = 8\n"
	"ring = extension\n"
	"[route moved]\nto = 7(X)X\nredirect = sip:$1@other.example\n"
	"[route voicebox]\nring = 1002\nrecord = yes\n"
	"[route rest]\nfrom = trunk\nreject = 404\n";

static const struct {
	const char *why, *call, *route;
} calls[] = {
	{ "anybody", "trunk:carrier 1 112", "emergency" },
	{ "the second of a list", "1001 1001 110", "emergency" },
	{ "the caller's number", "trunk:carrier +496661 +49305551001", "blocked" },
	{ "of a trunk only", "1001 +496661 666", "-" },
	{ "a withheld number", "trunk:carrier - +49305551001", "direct" },
	{ "the wrong transport", "1001 1 99", "-" },
	{ "the first in the file wins: extension", "1001 1 0301", "boss" },
	{ "another extension goes on", "1002 1 0301", "out" },
	{ "the extension dialled exists", "trunk:backup 1 +49305551002", "direct" },
	{ "it does not", "trunk:backup 1 +49305551003", "rest" },
	{ "a route with no condition is there for follow-ups", "1001 1 555", "-" },
	{ "extensions need no route", "1001 1 1002", "" },
	{ "trunks do", "trunk:carrier 1 1002", "rest" },
	{ "an unknown source", "trunk:nobody 1 5", "rest" },
	{ "nothing dialled", "1001 1 -", "-" },
};

Test(route, takes_calls)
{
	struct tl_dialplan *dp = dialplan_of(plan);

	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
		cr_expect_str_eq(route_of(dp, calls[i].call, 0), calls[i].route, "%s",
				 calls[i].why);
	tl_dialplan_unref(dp);
}

Test(route, transports_are_told_apart)
{
	struct tl_dialplan *dp = dialplan_of(plan);
	struct tl_facts facts = { .source = TL_SOURCE_EXTENSION,
				  .source_name = "1001",
				  .caller = "1001",
				  .callee = "990",
				  .transport = TL_TRANSPORT_TLS };
	struct tl_decision *d;

	cr_assert_eq(tl_dialplan_decide(dp, &facts, &d), 0);
	cr_expect_eq(d->verdict, TL_VERDICT_ECHO);
	tl_decision_free(d);
	facts.transport = TL_TRANSPORT_UDP;
	cr_expect_eq(tl_dialplan_decide(dp, &facts, &d), -ENOENT);
	tl_dialplan_unref(dp);
}

Test(route, states_what_to_do)
{
	struct tl_dialplan *dp = dialplan_of(plan);
	struct tl_decision *d = decide(dp, "1002 1002 030123", 0);

	cr_expect_eq(d->verdict, TL_VERDICT_RING);
	cr_expect_str_eq(d->callee, "+4930123");
	cr_expect_str_eq(d->caller, "+4930555100");
	cr_expect_str_eq(d->caller_name, "Example");
	cr_expect_eq(d->n_steps, 1);
	cr_expect_eq(d->steps[0].n_targets, 1);
	cr_expect_eq(d->steps[0].targets[0].kind, TL_TARGET_TRUNK);
	cr_expect_eq(d->steps[0].targets[0].trunk, tl_dialplan_trunk(dp, "carrier"));
	cr_expect_eq(d->ring_time_s, 12);
	cr_expect_eq(d->max_duration_s, 7200);
	cr_expect_eq(d->record, TL_RECORD_OFF);
	cr_expect_eq(d->on_busy.kind, TL_FOLLOW_REJECT);
	cr_expect_eq(d->on_busy.status, 486);
	cr_expect_str_eq(d->on_busy.reason, "All Busy");
	cr_expect_eq(d->on_no_answer.kind, TL_FOLLOW_NONE);
	cr_expect_str_eq(d->on_failure.route, "voicebox");
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

Test(route, a_decision_outlives_its_dialplan)
{
	struct tl_dialplan *dp = dialplan_of(plan);
	struct tl_decision *d = decide(dp, "trunk:carrier +49170 +49305551001", 0);

	tl_dialplan_unref(dp);
	cr_expect_str_eq(d->route, "direct");
	cr_expect_str_eq(d->callee, "1001");
	cr_expect_str_eq(d->caller, "+49170");
	cr_expect_null(d->caller_name);
	cr_expect_str_eq(d->steps[0].targets[0].extension->name, "Alice");
	cr_expect_eq(d->ring_time_s, 30, "the gateway's own");
	tl_decision_free(d);
	tl_decision_free(NULL);
}

Test(route, other_verdicts)
{
	struct tl_dialplan *dp = dialplan_of(plan);
	struct tl_decision *d = decide(dp, "1001 1001 742", 0);

	cr_expect_eq(d->verdict, TL_VERDICT_REDIRECT);
	cr_expect_str_eq(d->redirects[0].uri, "sip:4@other.example");
	tl_decision_free(d);
	d = decide(dp, "trunk:carrier +49666 1", 0);
	cr_expect_eq(d->verdict, TL_VERDICT_REJECT);
	cr_expect_eq(d->status, 603);
	cr_expect_str_eq(d->reason, "Decline");
	tl_decision_free(d);
	d = decide(dp, "trunk:carrier 1 1", 0);
	cr_expect_eq(d->status, 404);
	cr_expect_null(d->reason);
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

Test(route, steps_follow_one_another)
{
	struct tl_dialplan *dp = dialplan_of(
		PEOPLE "[route r]\nto = 5\nring = 1001 ,extension:1002 then trunk:carrier,1001\n");
	struct tl_decision *d = decide(dp, "trunk:carrier 1 5", 0);

	cr_assert_eq(d->n_steps, 2);
	cr_expect_eq(d->steps[0].n_targets, 2);
	cr_expect_str_eq(d->steps[0].targets[1].extension->number, "1002");
	cr_expect_eq(d->steps[1].n_targets, 2);
	cr_expect_str_eq(d->steps[1].targets[0].trunk->name, "carrier");
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

Test(route, the_extension_dialled_is_one_target_of_many)
{
	struct tl_dialplan *dp = dialplan_of(
		PEOPLE
		"[route r]\nto = 5X.\nstrip = 1\nring = extension, 1001 then trunk:carrier\n");
	struct tl_decision *d = decide(dp, "trunk:carrier 1 51002", 0);

	cr_expect_str_eq(d->steps[0].targets[0].extension->number, "1002");
	cr_expect_str_eq(d->steps[0].targets[1].extension->number, "1001");
	cr_expect_str_eq(d->steps[1].targets[0].trunk->name, "carrier");
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

Test(route, identities)
{
	struct tl_dialplan *dp =
		dialplan_of(PEOPLE "[route hidden]\nto = 1\ncaller = withheld\nring = 1002\n"
				   "[route named]\nto = 2\ncaller-name = Desk\nring = 1002\n"
				   "[route plain]\nto = 3\nring = 1002\n");
	static const struct {
		const char *call, *caller, *name;
	} cases[] = {
		{ "1001 1001 1", "", NULL },           { "1001 1001 2", "1001", "Desk" },
		{ "1001 1001 3", "1001", "Alice" },    { "trunk:carrier +49 3", "+49", NULL },
		{ "1001 1001 1002", "1001", "Alice" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_decision *d = decide(dp, cases[i].call, 0);

		cr_expect_str_eq(d->caller, cases[i].caller);
		cr_expect_str_eq(d->caller_name ? d->caller_name : "-",
				 cases[i].name ? cases[i].name : "-");
		tl_decision_free(d);
	}
	tl_dialplan_unref(dp);
}

static int follow(struct tl_dialplan *dp, const char *route, const struct tl_facts *facts,
		  struct tl_decision **ret)
{
	struct tl_follow what = { .kind = TL_FOLLOW_ROUTE, .route = route };

	return tl_dialplan_follow(dp, &what, facts, ret);
}

Test(route, follows_by_name_whatever_the_conditions)
{
	struct tl_dialplan *dp = dialplan_of(plan);
	struct tl_facts facts = {
		.source = TL_SOURCE_TRUNK, .source_name = "carrier", .caller = "1", .callee = "5"
	};
	struct tl_decision *d;

	cr_assert_eq(follow(dp, "voicebox", &facts, &d), 0);
	cr_expect_str_eq(d->route, "voicebox");
	cr_expect_eq(d->record, TL_RECORD_STEREO);
	tl_decision_free(d);
	cr_assert_eq(follow(dp, "out", &facts, &d), 0);
	cr_expect_str_eq(d->callee, "+49", "the pattern does not match: its group is empty");
	tl_decision_free(d);
	cr_expect_eq(follow(dp, "direct", &facts, &d), -ENOENT,
		     "there is no extension of that number");
	cr_expect_eq(follow(dp, "nowhere", &facts, &d), -ENOENT);
	tl_dialplan_unref(dp);
}

/* Few kinds of anything, so that routes overlap, nest and miss in every way. */
static void append_random_route(GString *text, GRand *rand, int i)
{
	static const char *const froms[] = { "",
					     "",
					     "from = any\n",
					     "from = trunk\n",
					     "from = extension\n",
					     "from = trunk:carrier\n",
					     "from = extension:1001, trunk:backup\n" };
	static const char *const parts[] = { "0", "1", "X", "Z", "N", "[0-2]", "[12]", "1", "0" };
	static const char *const tails[] = { "", "", ".", "!" };

	g_string_append_printf(text, "[route r%d]\nring = 1001\n%s", i,
			       froms[g_rand_int_range(rand, 0, G_N_ELEMENTS(froms))]);
	for (int key = 0; key < 2; key++) {
		if (g_rand_int_range(rand, 0, 3) == 0)
			continue;
		g_string_append(text, key ? "from-number = " : "to = ");
		for (int k = 0, n = g_rand_int_range(rand, 1, 3); k < n; k++) {
			g_string_append(text, k ? ", 1" : "");
			for (int j = g_rand_int_range(rand, k ? 0 : 1, 5); j > 0; j--)
				g_string_append(
					text,
					parts[g_rand_int_range(rand, 0, G_N_ELEMENTS(parts))]);
			g_string_append(text, tails[g_rand_int_range(rand, 0, 4)]);
		}
		g_string_append_c(text, '\n');
	}
}

/* The route by asking all in turn, as explain does: its last line says who takes it. */
static char *route_in_turn(struct tl_dialplan *dp, const struct tl_facts *facts)
{
	char *told = NULL, *result = NULL;
	size_t bytes;
	FILE *out = open_memstream(&told, &bytes);
	char *taken, *end;

	tl_dialplan_explain(dp, facts, out);
	fclose(out);
	taken = strstr(told, "): takes it");
	if (taken) {
		while (strncmp(taken, "\n  route ", 9) != 0)
			taken--;
		end = strchr(taken + 9, ' ');
		result = g_strndup(taken + 9, end - taken - 9);
	}
	free(told);
	return result ? result : g_strdup("-");
}

Test(route, the_index_finds_the_first_of_the_file)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(5060);
	static const char *const sources[] = { "trunk:carrier", "trunk:backup", "1001", "1002" };

	for (int round = 0; round < 20; round++) {
		g_autoptr(GString) text = g_string_new(PEOPLE);
		struct tl_dialplan *dp;

		for (int i = 0; i < 60; i++)
			append_random_route(text, rand, i);
		dp = dialplan_of(text->str);
		for (int i = 0; i < 200; i++) {
			int length = g_rand_int_range(rand, 1, 7);
			struct tl_facts facts = { 0 };
			char callee[8] = "", caller[8] = "";
			g_autofree char *expected = NULL;
			struct tl_decision *d = NULL;

			for (int k = 0; k < length; k++) {
				callee[k] = '0' + g_rand_int_range(rand, 0, 4);
				caller[k / 2] = '0' + g_rand_int_range(rand, 0, 4);
			}
			tl_source_parse(sources[g_rand_int_range(rand, 0, 4)], &facts.source,
					&facts.source_name);
			facts.callee = callee;
			facts.caller = caller;
			expected = route_in_turn(dp, &facts);
			if (tl_dialplan_decide(dp, &facts, &d) < 0)
				d = NULL;
			cr_assert_str_eq(d ? d->route : "-", expected, "%s -> %s", caller, callee);
			tl_decision_free(d);
		}
		tl_dialplan_unref(dp);
	}
}
