#include "tests/support/dialplan_text.h"

static const char plan[] =
	"[trunk carrier]\nhost = sip.carrier.example\n"
	"[trunk six]\nhost = tcp:[2001:db8::7]:5070\n"
	"[extension 1001]\nname = Alice\npassword = a\n[extension 1002]\npassword = b\n"
	"[hours office]\nmon-fri = 08:00-18:00\ntimezone = UTC\n"
	"[hours lunch]\nmon-fri = 12:00-13:00\ntimezone = UTC\n"
	"[route day]\nfrom = trunk:carrier, extension:1002, extension\nto = 5, 6X.\n"
	"when = office, not lunch\nplay = /etc/passwd\nring = 1001, 1002 then trunk:six\n"
	"record = stereo\nring-time = 20s\nmax-duration = 1h\non-busy = route:box\n"
	"on-failure = reject 480 Nobody Here\n"
	"[route secure]\nfrom = any\nto = 7!\ntransport = tls, tcp\nanswer = echo\n"
	"[route known]\nfrom-number = +49!\nto = 8!\nreject = 403 Not You\n"
	"[route did]\nfrom = trunk\nto = 9X.\nstrip = 1\nring = extension\n"
	"[route away]\nto = 4(X.)\nredirect = sip:$1@other.example\n"
	"[route box]\nplay = /etc/passwd\n";

#define MISS(name, line, why) "  route " name " (t.ini:" #line "): no: " why "\n"
#define HIT(name, line)       "  route " name " (t.ini:" #line "): takes it: all conditions hold\n"

static const struct {
	const char *call;
	int64_t at_s;
	const char *told; /* after the first line */
} cases[] = {
	{ "trunk:carrier +49 5", 1795428000, /* a Monday, 10:00 */
	  HIT("day", 16) "route day takes the call:\n"
			 "    plays              = /etc/passwd\n"
			 "    play-as            = early\n"
			 "    dials              = 5\n"
			 "    shows              = +49\n"
			 "    rings              = 1001, 1002 then trunk:six\n"
			 "    ring-time          = 20s\n"
			 "    uri 1001           = its contacts\n"
			 "    codecs 1001        = opus, G722, PCMA, PCMU\n"
			 "    path 1001          = relay\n"
			 "    uri 1002           = its contacts\n"
			 "    codecs 1002        = opus, G722, PCMA, PCMU\n"
			 "    path 1002          = relay\n"
			 "    uri trunk:six      = sip:5@[2001:db8::7]:5070;transport=tcp\n"
			 "    identity trunk:six = from\n"
			 "    codecs trunk:six   = opus, G722, PCMA, PCMU\n"
			 "    path trunk:six     = relay\n"
			 "    record             = stereo\n"
			 "    max-duration       = 1h\n"
			 "    on-busy            = route:box\n"
			 "    on-failure         = reject 480 Nobody Here\n" },
	{ "trunk:carrier +49 5", 1795428000 + 9000, /* 12:30 */
	  MISS("day", 16, "when = office, not lunch does not hold at that time") MISS(
		  "secure", 27, "to = 7! does not match \"5\"") MISS("known", 32,
								     "to = 8! does not match \"5\"")
		  MISS("did", 36, "to = 9X. does not match \"5\"")
			  MISS("away", 41, "to = 4(X.) does not match \"5\"") MISS(
				  "box", 44,
				  "it has no condition, and is there for what follows on other "
				  "routes") "no route takes the call: it is refused with 404\n" },
	{ "trunk:six - 81", 0,
	  MISS("day", 16,
	       "from = trunk:carrier, extension:1002, extension, and the call comes from "
	       "trunk:six") MISS("secure", 27, "to = 7! does not match \"81\"")
		  MISS("known", 32, "from-number = +49! does not match the caller, withheld") MISS(
			  "did", 36, "to = 9X. does not match \"81\"")
			  MISS("away", 41, "to = 4(X.) does not match \"81\"") MISS(
				  "box", 44,
				  "it has no condition, and is there for what follows on other "
				  "routes") "no route takes the call: it is refused with 404\n" },
	{ "1001 +4930 8", 0,
	  MISS("day", 16, "to = 5, 6X. does not match \"8\"") MISS("secure", 27,
								   "to = 7! does not match \"8\"")
		  HIT("known",
		      32) "route known takes the call:\n    rejects          = 403 Not You\n" },
	{ "1001 1 700", 0,
	  MISS("day", 16, "to = 5, 6X. does not match \"700\"") MISS(
		  "secure", 27, "transport = tcp, tls, and the call came by udp")
		  MISS("known", 32, "to = 8! does not match \"700\"") MISS(
			  "did", 36, "from = trunk, and the call comes from extension:1001")
			  MISS("away", 41, "to = 4(X.) does not match \"700\"") MISS(
				  "box", 44,
				  "it has no condition, and is there for what follows on other "
				  "routes") "no route takes the call: it is refused with 404\n" },
	{ "1001 1001 1002", 0,
	  MISS("day", 16, "to = 5, 6X. does not match \"1002\"") MISS(
		  "secure", 27, "to = 7! does not match \"1002\"")
		  MISS("known", 32, "to = 8! does not match \"1002\"") MISS(
			  "did", 36, "from = trunk, and the call comes from extension:1001")
			  MISS("away", 41, "to = 4(X.) does not match \"1002\"") MISS(
				  "box", 44,
				  "it has no condition, and is there for what follows on other "
				  "routes") "no route is needed, an extension calls another:\n"
					    "    dials            = 1002\n"
					    "    shows            = 1001\n"
					    "    caller-name      = Alice\n"
					    "    rings            = 1002\n"
					    "    ring-time        = 30s\n"
					    "    uri 1002         = its contacts\n"
					    "    codecs 1002      = opus, G722, PCMA, PCMU\n"
					    "    path 1002        = relay\n" },
};

static char *explain(struct tl_dialplan *dp, const char *call, int64_t at_s)
{
	g_autofree char *copy = g_strdup(call);
	struct tl_facts facts = facts_of(copy, at_s);
	char *told = NULL, *kept;
	size_t bytes;
	FILE *out = open_memstream(&told, &bytes);

	tl_dialplan_explain(dp, &facts, out);
	fclose(out);
	kept = g_strdup(told);
	free(told);
	return kept;
}

Test(explain, says_why)
{
	struct tl_dialplan *dp = dialplan_of(plan);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *told = explain(dp, cases[i].call, cases[i].at_s);

		cr_expect_str_eq(strchr(told, '\n') + 1, cases[i].told, "%s", told);
	}
	tl_dialplan_unref(dp);
}

Test(explain, the_other_verdicts)
{
	struct tl_dialplan *dp =
		dialplan_of("[extension 1]\npassword = x\n[route e]\nto = 1\nanswer = echo\nplay = "
			    "/etc/passwd\n"
			    "[route p]\nto = 2\nplay = /etc/passwd\nrecord = mono\n"
			    "[route r]\nto = 3X.\nredirect = tel:$0\n"
			    "[route d]\nto = 91\nstrip = 1\nring = extension\ncaller = withheld\n"
			    "[route d2]\nto = 92\nstrip = 1\nring = extension\n");
	static const struct {
		const char *call, *end;
	} ends[] = {
		{ "1 1 1", "    plays            = /etc/passwd\n    play-as          = answer\n"
			   "    answers          = echo\n" },
		{ "1 1 2", "    answers          = play\n    record           = mono\n" },
		{ "1 1 333", "    redirects        = tel:333\n" },
		{ "1 1 91", "    dials            = 1\n    shows            = withheld\n"
			    "    rings            = 1\n    ring-time        = 30s\n"
			    "    uri 1            = its contacts\n"
			    "    codecs 1         = opus, G722, PCMA, PCMU\n"
			    "    path 1           = relay\n" },
		{ "1 1 92", "no: ring = extension, and there is no [extension 2]\n"
			    "no route takes the call: it is refused with 404\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *told = explain(dp, ends[i].call, 0);

		cr_expect(g_str_has_suffix(told, ends[i].end), "%s", told);
	}
	tl_dialplan_unref(dp);
}

Test(explain, a_source_that_is_not_there)
{
	struct tl_dialplan *dp = dialplan_of("[trunk t]\nhost = a\n");
	g_autofree char *trunk = explain(dp, "trunk:u 1 2", 0);
	g_autofree char *extension = explain(dp, "1 1 2", 0);

	cr_expect(strstr(trunk, "\n  there is no [trunk u]\n"), "%s", trunk);
	cr_expect(strstr(extension, "\n  there is no [extension 1]\n"), "%s", extension);
	tl_dialplan_unref(dp);
}

Test(explain, is_safe_to_print)
{
	struct tl_dialplan *dp = dialplan_of("[trunk t]\nhost = a\n");
	struct tl_facts facts = {
		.source = TL_SOURCE_TRUNK, .source_name = "t", .caller = "\x1b[2J", .callee = "a\nb"
	};
	char *told = NULL;
	size_t bytes;
	FILE *out = open_memstream(&told, &bytes);

	tl_dialplan_explain(dp, &facts, out);
	fclose(out);
	cr_expect(g_str_has_prefix(told,
				   "call from trunk:t, caller \"\\u001b[2J\", to \"a\\u000ab\","),
		  "%s", told);
	free(told);
	tl_dialplan_unref(dp);
}

Test(explain, what_the_winner_would_do)
{
	struct tl_dialplan *dp = dialplan_of(
		"[trunk t]\nhost = a\ncodecs = PCMA, GSM\n[extension 1]\npassword = hunter2\nname "
		"= Alice\n"
		"[route r]\nto = 5(X)\ncaller = 7\nprivacy = id\nadd-header X-A = $1\n"
		"drop-headers = X-B*\ncodecs = GSM, opus\nring = 1 for 5s, trunk:t for 9s\n"
		"dtmf = info\nsrtp = required\nt38 = off\ntransfer = pass\nringback = "
		"none\n"
		"[hours h]\nsun = closed\n[route c]\nto = 8\nwhen = h\nring = 1\n"
		"on-closed = redirect 1\n");
	g_autofree char *told = explain(dp, "1 1 55", 0), *closed = explain(dp, "1 1 8", 0);

	cr_expect(g_str_has_suffix(told, "route r takes the call:\n"
					 "    dials            = 55\n"
					 "    shows            = 7\n"
					 "    caller-name      = Alice\n"
					 "    privacy          = id\n"
					 "    rings            = 1 for 5s, trunk:t for 9s\n"
					 "    ring-time        = 30s\n"
					 "    uri 1            = its contacts\n"
					 "    codecs 1         = opus\n"
					 "    path 1           = relay\n"
					 "    dtmf 1           = info\n"
					 "    srtp 1           = required\n"
					 "    t38 1            = off\n"
					 "    uri trunk:t      = sip:55@a\n"
					 "    identity trunk:t = anonymous\n"
					 "    codecs trunk:t   = GSM\n"
					 "    path trunk:t     = transcode\n"
					 "    dtmf trunk:t     = info\n"
					 "    srtp trunk:t     = required\n"
					 "    t38 trunk:t      = off\n"
					 "    add-header X-A   = 5\n"
					 "    drop-headers     = X-B*\n"
					 "    ringback         = none\n"
					 "    codecs           = GSM, opus\n"
					 "    dtmf             = info\n"
					 "    srtp             = required\n"
					 "    t38              = off\n"
					 "    transfer         = pass\n"),
		  "%s", told);
	cr_expect(g_str_has_suffix(closed, "route c takes the call:\n"
					   "    closed           = yes\n"
					   "    redirects        = 1\n"
					   "    on-closed        = redirect 1\n"),
		  "%s", closed);
	cr_expect_null(strstr(told, "hunter2"));
	tl_dialplan_unref(dp);
}
