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
			    "[expect]\ncall = 1 1 21\nredirects = sip:21@o.example\n");

	cr_expect_str_eq(mistakes, "t.ini:14:11: rejects: expected \"486\", and it is \"403\"");
}
