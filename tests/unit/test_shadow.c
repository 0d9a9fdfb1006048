#include "tests/support/dialplan_text.h"

/* Routes start at line 9. */
#define PLAN                                                                                       \
	"[trunk a]\nhost = a\n[trunk b]\nhost = b\n[extension 1]\npassword = x\n"                  \
	"[group g]\nmembers = trunk:a, 1\n"
#define TAKES_ALL " takes all that it could"

static const struct {
	const char *why, *text, *warning; /* its end; "" : there is none */
} cases[] = {
	{ "a wider pattern", "[route r]\nto = 08.\nring = 1\n[route s]\nto = 0800X.\nring = 1\n",
	  "t.ini:12:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "a narrower one above",
	  "[route r]\nto = 0800X.\nring = 1\n[route s]\nto = 08.\nring = 1\n", "" },
	{ "one of two patterns is left",
	  "[route r]\nto = 08.\nring = 1\n[route s]\nto = 0800X., 09\nring = 1\n", "" },
	{ "no pattern at all", "[route r]\nring = 1\n[route s]\nto = 112\nring = 1\n",
	  "t.ini:11:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "one above for each pattern",
	  "[route r]\nto = 1X\nring = 1\n[route q]\nto = 2.\nring = 1\n"
	  "[route s]\nto = 15, 2X\nring = 1\n",
	  "t.ini:15:1: route s never takes a call: route q at t.ini:12, and those above it, take "
	  "all that it could" },
	{ "the tail is not the same",
	  "[route r]\nto = 1.\nring = 1\n[route s]\nto = 1!\nring = 1\n", "" },
	{ "sets", "[route r]\nto = N\nring = 1\n[route s]\nto = [3-5]\nring = 1\n",
	  "t.ini:12:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "sets the other way", "[route r]\nto = [3-5]\nring = 1\n[route s]\nto = N\nring = 1\n",
	  "" },
	{ "any trunk above one",
	  "[route r]\nfrom = trunk\nring = 1\n[route s]\nfrom = trunk:a\nring = 1\n",
	  "t.ini:12:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "another trunk",
	  "[route r]\nfrom = trunk:b\nring = 1\n[route s]\nfrom = trunk:a\nring = 1\n", "" },
	{ "a group's member",
	  "[route r]\nfrom = group:g\nring = 1\n[route s]\nfrom = trunk:a\nring = 1\n",
	  "t.ini:12:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "a group is more than one of it",
	  "[route r]\nfrom = trunk:a\nring = 1\n[route s]\nfrom = group:g\nring = 1\n", "" },
	{ "all sources named, one is left",
	  "[route r]\nfrom = trunk\nring = 1\n[route s]\nfrom = trunk:a, 1\nring = 1\n", "" },
	{ "a further condition", "[route r]\ntransport = tls\nring = 1\n[route s]\nring = 1\n",
	  "" },
	{ "the same condition",
	  "[route r]\ntransport = tls, tcp\nring = 1\n[route s]\ntransport = tls\nring = 1\n",
	  "t.ini:12:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "media", "[route r]\noffers = fax\nring = 1\n[route s]\noffers = fax, video\nring = 1\n",
	  "" },
	{ "headers", "[route r]\nheader X-A = 1\nring = 1\n[route s]\nheader X-A = 2\nring = 1\n",
	  "" },
	{ "the same headers",
	  "[route r]\nheader X-A = 1\nring = 1\n[route s]\nheader x-a = 1\nto = 5\nring = 1\n",
	  "t.ini:12:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "callers",
	  "[route r]\nfrom-number = +49!\nring = 1\n[route s]\nfrom-number = +4930X.\nring = 1\n",
	  "t.ini:12:1: route s never takes a call: route r at t.ini:9" TAKES_ALL },
	{ "the tail of one of several callers",
	  "[route r]\nfrom-number = 1., 2.\nring = 1\n[route s]\nfrom-number = 15, 2!\n"
	  "ring = 1\n",
	  "" },
	{ "callers of another kind",
	  "[route r]\nfrom-number = +49!\nring = 1\n[route s]\nto = 5\nring = 1\n", "" },
	{ "hours",
	  "[hours h]\nmon = 08:00-10:00\n[route r]\nwhen = h\nring = 1\n[route s]\nring = 1\n",
	  "" },
	{ "hours, and what follows them",
	  "[hours h]\nmon = 08:00-10:00\n[route r]\nwhen = h\nring = 1\non-closed = reject 480\n"
	  "[route s]\nring = 1\n",
	  "t.ini:15:1: route s never takes a call: route r at t.ini:11" TAKES_ALL },
	{ "the same hours, and what follows them",
	  "[hours h]\nmon = 08:00-10:00\n[route r]\nwhen = h\nring = 1\n"
	  "[route s]\nwhen = h\nring = 1\non-closed = reject 480\n",
	  "" },
	{ "the same hours",
	  "[hours h]\nmon = 08:00-10:00\n[route r]\nwhen = h\nring = 1\n"
	  "[route s]\nwhen = h\nring = 1\n",
	  "t.ini:14:1: route s never takes a call: route r at t.ini:11" TAKES_ALL },
	{ "only followed",
	  "[route r]\nring = 1\n[route q]\nto = 5\nring = 1\n"
	  "on-busy = route:r\n",
	  "" },
	{ "whoever was dialled may not be there",
	  "[route r]\nring = extension\n[route s]\nto = 5\nring = 1\n", "" },
	{ "it is there to be followed",
	  "[route r]\nring = 1\non-busy = route:s\n[route s]\nto = 5\nring = 1\n", "" },
};

Test(shadow, warns_of_routes_that_never_take_a_call)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(PLAN, cases[i].text, NULL);
		struct tl_dialplan *dp = dialplan_of(text);
		size_t n = tl_dialplan_warnings(dp);

		cr_expect_eq(n, *cases[i].warning ? 1 : 0, "%s: %zu", cases[i].why, n);
		if (n && *cases[i].warning)
			cr_expect_str_eq(tl_dialplan_warning(dp, 0), cases[i].warning, "%s",
					 cases[i].why);
		tl_dialplan_unref(dp);
	}
}
