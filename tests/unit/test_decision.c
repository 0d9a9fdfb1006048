#include "tests/support/dialplan_text.h"
#include <errno.h>

/* Monday 2026-11-23 10:00 UTC, and the Sunday before. */
enum { OPEN_S = 1795428000, CLOSED_S = OPEN_S - 86400 };

#define PEOPLE                                                                                     \
	"[trunk carrier]\nhost = a.example\n[trunk backup]\nhost = b.example\n"                    \
	"[extension 1001]\nname = Alice\npassword = a\n[extension 1002]\npassword = b\n"           \
	"[extension 1003]\npassword = c\n"                                                         \
	"[group sales]\nmembers = 1002, trunk:backup, 1001\n"                                      \
	"[hours office]\nmon-fri = 08:00-18:00\ntimezone = UTC\n"

static const struct tl_fact_header headers[] = {
	{ "X-Campaign", "spring" },
	{ "x-campaign", "summer sale" },
	{ "Subject", "hello" },
};

static struct tl_facts call_of(const char *caller, const char *callee)
{
	return (struct tl_facts) {
		.source = TL_SOURCE_TRUNK,
		.source_name = "carrier",
		.caller = caller,
		.callee = callee,
		.at_s = OPEN_S,
		.headers = headers,
		.n_headers = G_N_ELEMENTS(headers),
		.offered = 1u << TL_OFFERED_AUDIO | 1u << TL_OFFERED_VIDEO,
	};
}

/* A condition of a route, and whether the call above meets it. */
static const struct {
	const char *condition;
	bool holds;
	const char *why; /* of explain, when it does not */
} conditions[] = {
	{ "header X-Campaign = spring", true, NULL },
	{ "header X-CAMPAIGN = autumn, summer sale", true, NULL },
	{ "header X-Campaign = autumn, sum*", true, NULL },
	{ "header X-Campaign = summer", false, "header X-Campaign = summer, and it is \"spring\"" },
	{ "header X-Campaign = Spring", false, "header X-Campaign = Spring, and it is \"spring\"" },
	{ "header X-Campaign = *", true, NULL },
	{ "header X-Campaign = none", false, "header X-Campaign = none, and it is \"spring\"" },
	{ "header X-Other = *", false, "header X-Other = *, and the call has none" },
	{ "header X-Other = none", true, NULL },
	{ "header X-Other = a, none", true, NULL },
	{ "header X-Campaign = *\nheader Subject = bye", false,
	  "header Subject = bye, and it is \"hello\"" },
	{ "offers = video", true, NULL },
	{ "offers = fax, audio", true, NULL },
	{ "offers = fax", false, "offers = fax, and the caller offers audio, video" },
	{ "from = group:sales", false,
	  "from = group:sales, and the call comes from trunk:carrier" },
	{ "from = group:sales, trunk:carrier", true, NULL },
};

static char *explanation(struct tl_dialplan *dp, const struct tl_facts *facts)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	tl_dialplan_explain(dp, facts, out);
	fclose(out);
	return text;
}

Test(decision, conditions)
{
	for (size_t i = 0; i < G_N_ELEMENTS(conditions); i++) {
		g_autofree char *text = g_strdup_printf(PEOPLE "[route r]\n%s\nring = 1001\n",
							conditions[i].condition);
		struct tl_dialplan *dp = dialplan_of(text);
		struct tl_facts facts = call_of("1", "5");
		struct tl_decision *d = NULL;
		int r = tl_dialplan_decide(dp, &facts, &d);
		g_autofree char *told = explanation(dp, &facts);

		cr_expect_eq(r == 0, conditions[i].holds, "%s", conditions[i].condition);
		if (conditions[i].why)
			cr_expect(strstr(told, conditions[i].why), "%s", told);
		tl_decision_free(d);
		tl_dialplan_unref(dp);
	}
}

Test(decision, a_call_without_an_offer_counts_as_audio)
{
	struct tl_dialplan *dp = dialplan_of(PEOPLE "[route v]\noffers = video\nring = 1001\n"
						    "[route a]\noffers = audio\nring = 1001\n");

	cr_expect_str_eq(route_of(dp, "trunk:carrier 1 5", 0), "a");
	tl_dialplan_unref(dp);
}

Test(decision, members_of_a_group)
{
	struct tl_dialplan *dp = dialplan_of(PEOPLE "[group all]\nmembers = 1001, 1002, 1003\n"
						    "[route s]\nfrom = group:sales\nto = 5\nring = "
						    "1003\n"
						    "[route a]\nfrom = group:all\nto = X\nring = "
						    "1001\n");

	cr_expect_str_eq(route_of(dp, "1001 1 5", 0), "s");
	cr_expect_str_eq(route_of(dp, "1003 1 5", 0), "a");
	cr_expect_str_eq(route_of(dp, "1001 1 6", 0), "a");
	cr_expect_str_eq(route_of(dp, "trunk:backup 1 5", 0), "s");
	cr_expect_str_eq(route_of(dp, "trunk:backup 1 6", 0), "-");
	cr_expect_str_eq(route_of(dp, "trunk:carrier 1 5", 0), "-");
	tl_dialplan_unref(dp);
}

static struct tl_decision *decide_facts(struct tl_dialplan *dp, const struct tl_facts *facts)
{
	struct tl_decision *d = NULL;

	cr_assert_eq(tl_dialplan_decide(dp, facts, &d), 0);
	return d;
}

Test(decision, whom_and_how_long)
{
	struct tl_dialplan *dp = dialplan_of(
		PEOPLE "[route r]\nring-time = 25s\n"
		       "ring = 1001, 1003 for 10s then group:sales for 40s then extension\n");
	struct tl_facts facts = call_of("1", "1002");
	struct tl_decision *d = decide_facts(dp, &facts);

	cr_assert_eq(d->n_steps, 3);
	cr_expect_eq(d->steps[0].n_targets, 2);
	cr_expect_eq(d->steps[0].targets[0].ring_time_s, 25);
	cr_expect_eq(d->steps[0].targets[1].ring_time_s, 10);
	cr_expect_eq(d->steps[0].ring_time_s, 25);
	cr_assert_eq(d->steps[1].n_targets, 3);
	cr_expect_str_eq(d->steps[1].targets[0].extension->number, "1002");
	cr_expect_str_eq(d->steps[1].targets[1].trunk->name, "backup");
	cr_expect_eq(d->steps[1].ring_time_s, 40);
	cr_expect_str_eq(d->steps[2].targets[0].extension->number, "1002");
	cr_expect_eq(d->steps[2].ring_time_s, 25);
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

/* 30 000 lots: a share is right within 2 %, and every target comes once. */
Test(decision, shares_by_weight)
{
	enum { LOTS = 30000 };
	struct tl_dialplan *dp = dialplan_of(
		PEOPLE "[route r]\nring = trunk:carrier 70% or trunk:backup 20% for 5s or 1001 10% "
		       "then 1002\n");
	struct tl_facts facts = call_of("1", "5");
	unsigned first[3] = { 0 };

	for (unsigned i = 0; i < LOTS; i++) {
		struct tl_decision *d;
		unsigned seen = 0;

		facts.lot = i * 2654435761u;
		d = decide_facts(dp, &facts);
		cr_assert_eq(d->n_steps, 4);
		for (size_t k = 0; k < 3; k++) {
			const struct tl_ring_target *t = d->steps[k].targets;
			unsigned which = !t->trunk ? 2 : strcmp(t->trunk->name, "backup") ? 0 : 1;

			cr_assert_eq(d->steps[k].n_targets, 1);
			cr_expect_eq(t->ring_time_s, which == 1 ? 5 : 30);
			seen |= 1u << which;
			first[which] += k == 0;
		}
		cr_assert_eq(seen, 7, "each target has its turn");
		cr_expect_str_eq(d->steps[3].targets[0].extension->number, "1002");
		tl_decision_free(d);
	}
	cr_expect(ABS((int)first[0] - 21000) < 600, "%u", first[0]);
	cr_expect(ABS((int)first[1] - 6000) < 600, "%u", first[1]);
	cr_expect(ABS((int)first[2] - 3000) < 600, "%u", first[2]);
	tl_dialplan_unref(dp);
}

Test(decision, caller_and_headers)
{
	struct tl_dialplan *dp = dialplan_of(
		PEOPLE "[route r]\nto = 9(X)(!)\nfrom-number = 0(Z.)\ncaller = +49$1\n"
		       "caller-name = Example Ltd\nprivacy = id\nring = trunk:backup\n"
		       "add-header X-Area = $1\nadd-header X-Whole = \"all of $0; 5$$\"\n"
		       "add-header X-Rest = $2\ndrop-headers = X-Internal-*, User-to-User\n"
		       "carry-headers = Subject, X-Internal-Id\n");
	struct tl_facts facts = call_of("0170", "91");
	struct tl_decision *d = decide_facts(dp, &facts);

	cr_expect_str_eq(d->caller, "+49170");
	cr_expect_str_eq(d->caller_name, "Example Ltd");
	cr_expect_eq(d->privacy, TL_PRIVACY_ID);
	cr_assert_eq(d->n_add_headers, 2, "an empty value is left out");
	cr_expect_str_eq(d->add_headers[0].name, "X-Area");
	cr_expect_str_eq(d->add_headers[0].value, "1");
	cr_expect_str_eq(d->add_headers[1].value, "all of 91; 5$");
	cr_expect_eq(tl_decision_header(d, "subject"), TL_HEADER_CARRY);
	cr_expect_eq(tl_decision_header(d, "x-internal-id"), TL_HEADER_DROP, "drop wins");
	cr_expect_eq(tl_decision_header(d, "user-to-user"), TL_HEADER_DROP);
	cr_expect_eq(tl_decision_header(d, "X-Internal"), TL_HEADER_DEFAULT);
	tl_decision_free(d);

	facts.callee = "91\r\nVia: evil";
	d = decide_facts(dp, &facts);
	cr_assert_eq(d->n_add_headers, 3);
	cr_expect_str_eq(d->add_headers[2].value, "Via: evil", "no line ends in a header's value");
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

Test(decision, media_and_the_rest)
{
	struct tl_dialplan *dp = dialplan_of(
		PEOPLE "[route r]\nto = 1\nring = 1001\ncodecs = PCMA, opus\ndtmf = info\n"
		       "srtp = required\nt38 = offer\necho-cancel = callee\ntransfer = pass\nringback = "
		       "/etc/passwd\nmax-duration = 1h\n"
		       "[route d]\nto = 2\nring = 1001\nmedia = direct\nringback = none\n");
	struct tl_facts facts = call_of("1", "1");
	struct tl_decision *d = decide_facts(dp, &facts);

	cr_assert_eq(d->n_codecs, 2);
	cr_expect_str_eq(d->codecs[1], "opus");
	cr_expect_eq(d->dtmf, TL_DTMF_INFO);
	cr_expect_eq(d->srtp, TL_SRTP_REQUIRED);
	cr_expect_eq(d->t38, TL_T38_OFFER);
	cr_expect_eq(d->echo_cancel, TL_ECHO_AT_CALLEE);
	cr_expect_eq(d->transfer, TL_TRANSFER_PASS);
	cr_expect_eq(d->ringback, TL_RINGBACK_FILE);
	cr_expect_str_eq(d->ringback_file, "/etc/passwd");
	cr_expect_eq(d->media, TL_MEDIA_AUTO);
	tl_decision_free(d);
	facts.callee = "2";
	d = decide_facts(dp, &facts);
	cr_expect_eq(d->media, TL_MEDIA_DIRECT);
	cr_expect_eq(d->ringback, TL_RINGBACK_NONE);
	cr_expect_eq(d->n_codecs, 0);
	cr_expect_eq((int)d->dtmf, _TL_DTMF_INVALID, "the route does not say");
	cr_expect_eq((int)d->srtp, _TL_SRTP_INVALID);
	cr_expect_eq((int)d->t38, _TL_T38_INVALID);
	cr_expect_eq(d->echo_cancel, TL_ECHO_AT_LEG);
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

static const char closing[] = PEOPLE
	"[route a]\nto = 1\nwhen = office\nring = 1001\non-closed = play /etc/passwd\n"
	"[route b]\nto = 2\nwhen = office\nring = 1001\non-closed = reject 480 Closed\n"
	"[route c]\nto = 3\nwhen = office\nring = 1001\non-closed = redirect sip:$0@a\n"
	"[route d]\nto = 4\nwhen = office\nring = 1001\non-closed = route:e\n"
	"[route e]\nto = 9\nwhen = office\nring = 1002\non-closed = play /etc/group then reject "
	"486\n"
	"[route f]\nto = 5\nwhen = office\nring = 1001\n";

Test(decision, closed_hours)
{
	static const struct {
		const char *callee, *route;
		enum tl_verdict verdict;
		int status;
		size_t n_play;
	} cases[] = {
		{ "1", "a", TL_VERDICT_ANSWER, 0, 1 },
		{ "2", "b", TL_VERDICT_REJECT, 480, 0 },
		{ "3", "c", TL_VERDICT_REDIRECT, 0, 0 },
		{ "4", "e", TL_VERDICT_REJECT, 486, 1 },
	};
	struct tl_dialplan *dp = dialplan_of(closing);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_facts facts = call_of("1", cases[i].callee);
		struct tl_decision *d = decide_facts(dp, &facts);

		cr_expect_not(d->closed);
		cr_expect_eq(d->verdict, TL_VERDICT_RING);
		tl_decision_free(d);
		facts.at_s = CLOSED_S;
		d = decide_facts(dp, &facts);
		cr_expect(d->closed);
		cr_expect_str_eq(d->route, cases[i].route);
		cr_expect_eq(d->verdict, cases[i].verdict);
		cr_expect_eq(d->n_play, cases[i].n_play);
		cr_expect_eq(d->play_answered, cases[i].verdict == TL_VERDICT_ANSWER);
		if (cases[i].status)
			cr_expect_eq(d->status, cases[i].status);
		if (cases[i].verdict == TL_VERDICT_REDIRECT)
			cr_expect_str_eq(d->redirects[0].uri, "sip:3@a");
		tl_decision_free(d);
	}
	cr_expect_str_eq(route_of(dp, "trunk:carrier 1 5", CLOSED_S), "-", "without on-closed");
	tl_dialplan_unref(dp);
}

Test(decision, what_follows)
{
	struct tl_dialplan *dp = dialplan_of(
		PEOPLE "[route r]\nto = (X)X\nring = 1001\non-busy = redirect extension, 1002, "
		       "sip:$0@x\n"
		       "on-no-answer = play /etc/passwd\non-failure = play /etc/group then reject "
		       "404 Gone Fishing\n");
	struct tl_facts facts = call_of("1", "42");
	struct tl_decision *d = decide_facts(dp, &facts), *next;

	cr_assert_eq(tl_dialplan_follow(dp, &d->on_busy, &facts, &next), 0);
	cr_expect_eq(next->verdict, TL_VERDICT_REDIRECT);
	cr_assert_eq(next->n_redirects, 2, "there is no extension 42");
	cr_expect_str_eq(next->redirects[0].extension->number, "1002");
	cr_expect_str_eq(next->redirects[1].uri, "sip:42@x");
	tl_decision_free(next);
	cr_assert_eq(tl_dialplan_follow(dp, &d->on_no_answer, &facts, &next), 0);
	cr_expect_eq(next->verdict, TL_VERDICT_ANSWER);
	cr_expect_str_eq(next->play[0], "/etc/passwd");
	cr_expect(next->play_answered);
	tl_decision_free(next);
	cr_assert_eq(tl_dialplan_follow(dp, &d->on_failure, &facts, &next), 0);
	cr_expect_eq(next->verdict, TL_VERDICT_REJECT);
	cr_expect_eq(next->status, 404);
	cr_expect_str_eq(next->reason, "Gone Fishing");
	cr_expect_eq(next->n_play, 1);
	cr_expect_not(next->play_answered);
	tl_decision_free(next);
	cr_expect_eq(tl_dialplan_follow(dp, &(struct tl_follow) { 0 }, &facts, &next), -ENOENT);
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

Test(decision, redirects)
{
	struct tl_dialplan *dp =
		dialplan_of(PEOPLE "[route one]\nto = 7!\nredirect = sip:$0@other.example;x=1\n"
				   "[route here]\nto = 1!\nredirect = extension\n"
				   "[route dead]\nto = 2!\nplay = /etc/passwd\nreject = 603\n");
	struct tl_facts facts = call_of("1", "7@evil>");
	struct tl_decision *d = decide_facts(dp, &facts);

	cr_expect_str_eq(d->redirects[0].uri, "sip:7%40evil%3E@other.example;x=1",
			 "what was dialled can't leave the user part");
	tl_decision_free(d);
	facts.callee = "1001";
	d = decide_facts(dp, &facts);
	cr_expect_str_eq(d->redirects[0].extension->name, "Alice");
	tl_decision_free(d);
	facts.callee = "1009";
	d = decide_facts(dp, &facts);
	cr_expect_eq(d->verdict, TL_VERDICT_REJECT, "nobody to look up");
	cr_expect_eq(d->status, 404);
	tl_decision_free(d);
	facts.callee = "2";
	d = decide_facts(dp, &facts);
	cr_expect_eq(d->verdict, TL_VERDICT_REJECT);
	cr_expect_eq(d->n_play, 1);
	cr_expect_not(d->play_answered, "heard before the refusal");
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}
