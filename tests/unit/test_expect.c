#include "tests/support/dialplan_text.h"

/* A case's own lines start at line 21. */
#define PLAN                                                                                       \
	"[trunk carrier]\nhost = sip.carrier.example\n"                                            \
	"[extension 1001]\npassword = a\n[extension 1002]\npassword = b\n"                         \
	"[hours office]\nmon-fri = 08:00-18:00\ntimezone = UTC\n"                                  \
	"[route support]\nto = 5\nwhen = office\nring = 1001, 1002\n"                              \
	"[route out]\nto = 0(X.)\nnumber = +49$1\ncaller = 77\nring = trunk:carrier\n"             \
	"\n[expect it]\n"

static const struct {
	const char *why, *text, *mistake; /* "" : the expectation holds */
} cases[] = {
	{ "all of it",
	  "call = trunk:carrier 1 5 at 2026-11-23 10:00 UTC\nroute = support\n"
	  "rings = 1001,1002\nplays = none\ndials = 5\nshows = 1\nrejects = none\n"
	  "redirects = none\n",
	  "" },
	{ "the order of keys does not matter", "route = out\ncall = 1001 1 012\ndials = +4912\n",
	  "" },
	{ "no route", "call = 1001 1 8\nroute = none\nrings = none\n", "" },
	{ "an extension calls another", "call = 1001 1 1002\nroute = none\nrings = 1002\n", "" },
	{ "a withheld number", "call = 1001 withheld 1002\nshows = withheld\n", "" },
	{ "what a route states",
	  "call = 1001 1 012\ncaller-name = Alice\nprivacy = keep\ncodecs = none\nmedia = auto\n"
	  "dtmf = none\nsrtp = none\nrecord = off\nheader X-A = b\noffers = video\ntransport = "
	  "tls\n",
	  "t.ini:22:15: caller-name: expected \"Alice\", and it is \"none\"" },
	{ "otherwise", "call = 1001 1 012\nprivacy = id\ncodecs = opus\nrecord = mono\n",
	  "t.ini:22:11: privacy: expected \"id\", and it is \"keep\"\n"
	  "t.ini:23:10: codecs: expected \"opus\", and it is \"none\"\n"
	  "t.ini:24:10: record: expected \"mono\", and it is \"off\"" },
	{ "another route", "call = 1001 1 012\nroute = support\n",
	  "t.ini:22:9: route: expected \"support\", and it is \"out\"" },
	{ "nobody", "call = 1001 1 8\nroute = out\n",
	  "t.ini:22:9: route: expected \"out\", and it is \"none\"" },
	{ "out of hours", "call = 1001 1 5 at 2026-11-22 10:00 UTC\nroute = support\n",
	  "t.ini:22:9: route: expected \"support\", and it is \"none\"" },
	{ "other phones", "call = 1001 1 012\nrings = 1001 then trunk:carrier\n",
	  "t.ini:22:9: rings: expected \"1001 then trunk:carrier\", and it is \"trunk:carrier\"" },
	{ "another order", "call = 1001 1 5 at 2026-11-23 10:00 UTC\nrings = 1002, 1001\n",
	  "t.ini:22:9: rings: expected \"1002, 1001\", and it is \"1001, 1002\"" },
	{ "another number", "call = 1001 1 012\ndials = 012\nshows = 1\n",
	  "t.ini:22:9: dials: expected \"012\", and it is \"+4912\"\n"
	  "t.ini:23:9: shows: expected \"1\", and it is \"77\"" },
	{ "no announcement", "call = 1001 1 012\nplays = a.wav\n",
	  "t.ini:22:9: plays: expected \"/nowhere/prompts/a.wav\", and it is \"none\"" },
	{ "no refusal", "call = 1001 1 012\nrejects = 404\n",
	  "t.ini:22:11: rejects: expected \"404\", and it is \"none\"" },
	{ "no redirect", "call = 1001 1 012\nredirects = sip:x@y\n",
	  "t.ini:22:13: redirects: expected \"sip:x@y\", and it is \"none\"" },
	{ "an unknown route", "call = 1001 1 012\nroute = ouf\n",
	  "t.ini:22:9: route: there is no [route] \"ouf\" (did you mean \"out\"?)" },
	{ "an unknown phone", "call = 1001 1 012\nrings = 1003\n",
	  "t.ini:22:9: rings: there is no [extension] \"1003\" (did you mean \"1001\"?)" },
	{ "an unknown source", "call = trunk:carier 1 012\n",
	  "t.ini:21:8: call: there is no [trunk] \"carier\" (did you mean \"carrier\"?)" },
	{ "no time, and hours decide", "call = 1001 1 5\nroute = support\n",
	  "t.ini:21:8: call: the answer depends on the hour: add \"at YYYY-MM-DD HH:MM\"" },
	{ "too few words", "call = 1001 012\n",
	  "t.ini:21:8: call: expected \"SOURCE CALLER CALLEE\", perhaps \"at YYYY-MM-DD HH:MM\", "
	  "such as "
	  "\"trunk:carrier +49170111222 +4930555100 at 2026-11-23 10:00\", not \"1001 012\"" },
	{ "a word too many", "call = 1001 1 012 now\n", "t.ini:21:8: call: expected" },
	{ "not a time", "call = 1001 1 012 at noon\n", "t.ini:21:8: call: expected" },
	{ "nothing after at", "call = 1001 1 012 at\n", "t.ini:21:8: call: expected" },
};

Test(expect, compares_what_is_with_what_was_expected)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(PLAN, cases[i].text, NULL);
		g_autofree char *mistakes = mistakes_in(text);

		if (*cases[i].mistake)
			cr_expect(g_str_has_prefix(mistakes, cases[i].mistake), "%s: %s",
				  cases[i].why, mistakes);
		else
			cr_expect_str_eq(mistakes, "", "%s: %s", cases[i].why, mistakes);
	}
}

Test(expect, refusals_and_redirects)
{
	g_autofree char *mistakes =
		mistakes_in("[extension 1]\npassword = x\n"
			    "[route a]\nto = 1.\nreject = 403 No\n[route b]\nto = (2.)\n"
			    "redirect = sip:$1@o.example\n"
			    "[expect]\ncall = 1 1 11\nrejects = 403 No\n"
			    "[expect]\ncall = 1 1 12\nrejects = 486\n"
			    "[expect]\ncall = 1 1 12\nrejects = 403\n"
			    "[expect]\ncall = 1 1 21\nredirects = sip:21@o.example\n");

	cr_expect_str_eq(mistakes, "t.ini:14:11: rejects: expected \"486\", and it is \"403 No\"");
}

/* All that a dialplan can state, and calls that meet each of it. */
static const char everything[] =
	"[gateway]\nprompts = /etc\ndomain = pbx.test\n"
	"[trunk carrier]\nhost = tls:[2001:db8::1]:5071, backup.example:5070\n"
	"codecs = PCMA\nidentity = pai\ntrust = yes\ndtmf = info\nt38 = offer\n"
	"[trunk second]\nhost = b.example\ncodecs = G722\nsrtp = required\nidentity = rpid\n"
	"echo-cancel = spandsp\n"
	"[extension 1001]\nname = Alice \"the\" ; a comment\npassword = a\n"
	"[extension 1002]\npassword = b\ncodecs = PCMU\n"
	"[hours office]\nmon-fri = 08:00-18:00\ntimezone = UTC\n"
	"[route all]\nto = 5(X.)\nplay = passwd, group\nplay-as = answer\n"
	"ring = 1001 for 5s, 1002 then trunk:carrier 70% or trunk:second 30% for 90s\n"
	"ring-time = 20s\nmax-duration = 1h30m\nrecord = mono\nringback = passwd\n"
	"caller = 77\ncaller-name = A; B\nprivacy = id\nadd-header X-A = a, b; c=$1\n"
	"add-header X-B = \"q ; r\"\ndrop-headers = X-C*, Subject\ncarry-headers = Organization\n"
	"codecs = G722, PCMA\ndtmf = rtp\nsrtp = offer\nt38 = off\ntransfer = off\nhold-music = "
	"none\n"
	"echo-cancel = callee\n"
	"on-busy = route:other\non-no-answer = play passwd then reject 480 Gone Home\n"
	"on-failure = redirect sip:$1@o.example, 1002, extension\n"
	"[route other]\nto = 6X\nring = extension, 1002\nmedia = direct\nhold-music = passwd\n"
	"number = 1001\n"
	"[route hours]\nto = 7X\nwhen = office\nring = 1001\non-closed = play passwd\n"
	"[route no]\nto = 8\nreject = 603 Go Away\nplay = group\n"
	"[route away]\nto = 9(X)\nredirect = sip:$1@o.example, 1001, tel:112\n"
	"[route echo]\nto = 4\nanswer = echo\n";

static char *explained(const char *call)
{
	struct tl_dialplan *dp = dialplan_of(everything);
	g_autofree char *copy = g_strdup(call);
	struct tl_facts facts = facts_of(copy, 1795428000); /* a Monday, 10:00 UTC */
	char *told = NULL, *kept;
	size_t bytes;
	FILE *out = open_memstream(&told, &bytes);

	if (g_str_has_suffix(call, " closed"))
		facts.at_s -= 86400;
	tl_dialplan_explain(dp, &facts, out);
	fclose(out);
	tl_dialplan_unref(dp);
	kept = g_strdup(told);
	free(told);
	return kept;
}

/* What explain prints of a call, as the lines of an [expect] section. */
static char *expectation_of(const char *call)
{
	g_autofree char *told = explained(call);
	GString *out = g_string_new(everything);
	g_auto(GStrv) words = g_strsplit(call, " ", -1), lines = g_strsplit(told, "\n", -1);

	g_string_append_printf(out, "[expect]\ncall = %s %s %s at 2026-11-%d 10:00 UTC\n", words[0],
			       strcmp(words[1], "-") == 0 ? "withheld" : words[1], words[2],
			       words[3] ? 22 : 23);
	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "    "))
			g_string_append_printf(out, "%s\n", *line);
	return g_string_free(out, FALSE);
}

Test(expect, whatever_explain_prints_holds)
{
	static const char *const calls[] = {
		"trunk:carrier +49 512",
		"1001 1001 512",
		"trunk:second - 512",
		"1001 1001 61",
		"1002 1 70",
		"1002 1 70 closed",
		"1001 - 8",
		"1001 - 95",
		"1001 1 4",
		"1001 1001 1002",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		g_autofree char *text = expectation_of(calls[i]), *mistakes = mistakes_in(text);

		cr_expect_str_eq(mistakes, "", "%s\n%s", mistakes, text + strlen(everything));
	}
}

static const struct {
	const char *said, *mistake; /* of a call from 1001 to 512 */
} facts[] = {
	{ "rings = 1001, 1002 then trunk:carrier or trunk:second", "" },
	{ "rings = 1001, 1002 then trunk:carrier 70% or trunk:second 30%", "" },
	{ "rings = 1001 for 5s, 1002 for 20s then trunk:carrier or trunk:second for 1m30s", "" },
	{ "rings = 1001, 1002 then trunk:carrier 60% or trunk:second 40%", "rings: expected" },
	{ "rings = 1001 for 6s, 1002 then trunk:carrier or trunk:second", "rings: expected" },
	{ "rings = 1001 or", "rings: expected NUMBER" },
	{ "ring-time = 0m20s", "" },
	{ "ring-time = twenty", "ring-time: expected a time such as 25s, not \"twenty\"" },
	{ "max-duration = 90m", "" },
	{ "max-duration = none", "max-duration: expected \"none\", and it is \"1h30m\"" },
	{ "play-as = early", "play-as: expected \"early\", and it is \"answer\"" },
	{ "ringback = none", "ringback: expected \"none\", and it is \"/etc/passwd\"" },
	{ "ringback = passwd", "" },
	{ "hold-music = default", "hold-music: expected \"default\", and it is \"none\"" },
	{ "transfer = off", "" },
	{ "transfer = local", "transfer: expected \"local\", and it is \"off\"" },
	{ "on-busy = none", "on-busy: expected \"none\", and it is \"route:other\"" },
	{ "on-busy = route:othre", "on-busy: there is no [route] \"othre\" (did you mean" },
	{ "on-no-answer = play passwd then reject 480", "" },
	{ "on-no-answer = play passwd then reject 486", "on-no-answer: expected" },
	{ "on-closed = none", "" },
	{ "closed = yes", "closed: expected \"yes\", and it is \"no\"" },
	{ "add-header x-a = a, b; c=12", "" },
	{ "add-header X-A = other",
	  "add-header X-A: expected \"other\", and it is \"a, b; c=12\"" },
	{ "add-header X-Z = 1", "add-header X-Z: expected \"1\", and it is \"none\"" },
	{ "add-header X-Z = none", "" },
	{ "drop-headers = X-C*,Subject", "" },
	{ "carry-headers = none", "carry-headers: expected \"none\", and it is \"Organization\"" },
	{ "uri trunk:carrier = sip:512@[2001:db8::1]:5071;transport=tls, "
	  "sip:512@backup.example:5070;transport=tls",
	  "" },
	{ "uri trunk:second = sip:512@c.example",
	  "uri trunk:second: expected \"sip:512@c.example\", and it is \"sip:512@b.example\"" },
	{ "uri trunk:third = x", "uri trunk:third: there is no [trunk] \"third\"" },
	{ "identity trunk:carrier = anonymous,pai", "" },
	{ "identity trunk:second = anonymous", "" },
	{ "codecs trunk:second = G722", "" },
	{ "path trunk:second = relay",
	  "path trunk:second: expected \"relay\", and it is \"transcode\"" },
	{ "path 1002 = transcode", "" },
	{ "dtmf 1002 = rtp", "" },
	{ "srtp trunk:carrier = off", "srtp trunk:carrier: expected \"off\", and it is \"offer\"" },
	{ "srtp trunk:carier = off", "srtp trunk:carier: there is no [trunk] \"carier\" (did" },
	{ "echo-cancel = callee", "" },
	{ "echo-cancel 1002 = auto", "" },
	{ "echo-cancel trunk:second = auto",
	  "echo-cancel trunk:second: expected \"auto\", and it is \"spandsp\"" },
	{ "sorry trunk:carrier = off", "unknown key \"sorry trunk:carrier\" in [expect]" },
};

Test(expect, every_fact_can_be_expected)
{
	for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
		g_autofree char *text = g_strconcat(everything, "[expect]\ncall = 1001 1001 512\n",
						    facts[i].said, "\n", NULL);
		g_autofree char *mistakes = mistakes_in(text);
		const char *why = strchr(mistakes, ' ');

		cr_expect(*facts[i].mistake ? why && g_str_has_prefix(why + 1, facts[i].mistake)
					    : !*mistakes,
			  "%s: %s", facts[i].said, mistakes);
	}
}
