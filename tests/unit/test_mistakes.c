#include "tests/support/dialplan_text.h"

/* What users do wrong: where it is, what was expected, what was meant. A case stands at line 11. */
#define PLAN                                                                                       \
	"[gateway]\ndomain = x\n[trunk carrier]\nhost = 127.0.0.2\n"                               \
	"[extension 1001]\npassword = a\n[extension 1002]\npassword = b\n"                         \
	"[hours office]\nmon-fri = 08:00-18:00\n"
#define ROUTE "[route a]\nto = 1\n"

static const struct {
	const char *text, *mistakes;
} cases[] = {
	{ ROUTE "rign = 1001\n",
	  "t.ini:13:1: unknown key \"rign\" in [route] (did you mean \"ring\"?)" },
	{ ROUTE "Ring = 1001\n",
	  "t.ini:13:1: unknown key \"Ring\" in [route] (did you mean \"ring\"?)" },
	{ ROUTE "ring = 1001\nprivacy = kep\n", "t.ini:14:11: privacy: expected one of keep, off, "
						"id, not \"kep\" (did you mean \"keep\"?)" },
	{ ROUTE "ring = 1001\nring-time = 25\n", "t.ini:14:13: ring-time: expected a time such as "
						 "25s, 2m or 1h, from 1s to 1h, not \"25\"" },
	{ ROUTE "ring = 1001\nring-time = 2h\n", "t.ini:14:13: ring-time: expected a time such as "
						 "25s, 2m or 1h, from 1s to 1h, not \"2h\"" },
	{ ROUTE,
	  "t.ini:11:1: route a does nothing: it needs ring, play, answer, reject or redirect" },
	{ ROUTE "ring = 1001\nring = 1002\n", "t.ini:14:1: ring stands at t.ini:13 already" },
	{ ROUTE "ring = 1001\n[route a]\n", "t.ini:14:1: [route a] stands at t.ini:11 already" },
	{ ROUTE "ring = 1001\nreject = 486\n",
	  "t.ini:14:1: reject: the route has ring already: leave one out" },
	{ ROUTE "like = a\nring = 1001\n", "t.ini:13:8: like: comes back to this section" },
	{ ROUTE "ring = 1001\non-busy = route:a\n",
	  "t.ini:14:1: on-busy: comes back to route a, and round again" },
	{ ROUTE "ring = trunk:carier\n",
	  "t.ini:13:8: ring: there is no [trunk] \"carier\" (did you mean \"carrier\"?)" },
	{ ROUTE "ring = 1001, 1003\n",
	  "t.ini:13:14: ring: there is no [extension] \"1003\" (did you mean \"1001\"?)" },
	{ ROUTE "ring = 1001 fro 5s\n",
	  "t.ini:13:13: ring: expected \",\", \"then\" or \"or\", not \"fro\"" },
	{ ROUTE "ring = 1001 50%, 1002 50%\n",
	  "t.ini:13:18: ring: a share needs \"or\" between the targets" },
	{ ROUTE "ring = 1001\nwhen = offce\n",
	  "t.ini:14:8: when: there is no [hours] \"offce\" (did you mean \"office\"?)" },
	{ ROUTE "ring = 1001\nwhen = office, not office\n",
	  "t.ini:14:1: when: both office and not office" },
	{ ROUTE "ring = 1001\nwhen = office, office\n", "t.ini:14:1: when: office stands twice" },
	{ ROUTE "ring = 1001\nheader X-A = *, none\n",
	  "t.ini:11:1: header X-A: beside *, for any value, nothing else counts" },
	{ ROUTE "ring = 1001\ncodecs = pmca\n",
	  "t.ini:14:10: codecs: \"pmca\" is not a codec (did you mean \"PCMA\"?)" },
	{ ROUTE "ring = 1001\nstrip = 2\n",
	  "t.ini:14:1: strip: takes 2 characters off, but 1 matches numbers of 1" },
	{ ROUTE "ring = 1001\nadd-header Via = x\n",
	  "t.ini:14:1: header: \"add-header Via\" can't be set: the gateway writes that header "
	  "itself" },
	{ ROUTE "ring = 1001\ninclude = x\n",
	  "t.ini:14:1: include stands in [gateway], or before the first section of a file" },
	{ ROUTE "redirect = foo@bar\n", "t.ini:13:12: redirect: expected a URI such as "
					"sip:$0@other.example, NUMBER or extension, "
					"not \"foo@bar\"" },
	{ ROUTE "reject = 200 OK\n", "t.ini:13:10: reject: expected a status from 400 to 699 and a "
				     "reason, such as 486 Busy Here" },
	{ ROUTE "play = welcome.wav\n",
	  "t.ini:13:8: play: \"/nowhere/prompts/welcome.wav\": No such file or directory" },
	{ "[route a]\nto = 1(X.)\nnumber = $2\nring = 1001\n",
	  "t.ini:13:1: number: $2: the pattern 1(X.) has 1 group" },
	{ "[route a]\nto = 1[2\nring = 1001\n", "t.ini:12:7: to: \"[\" has no \"]\"" },
	{ "[route a]\nfrom = trnk:carrier\nring = 1001\n",
	  "t.ini:12:8: from: expected trunk:NAME, extension:NUMBER, group:NAME, trunk, extension "
	  "or "
	  "any, not \"trnk:carrier\"" },
	{ "[hours b]\nmon-fri = 8-18\n",
	  "t.ini:12:11: mon-fri: expected hours such as 08:00-18:00, or closed, not \"8-18\"" },
	{ "[hours b]\nmon = 08:00-18:00\nclosed = 2026-02-30\n",
	  "t.ini:13:10: closed: expected a date such as 2026-12-24, 2026-12-24..2026-12-26 or "
	  "12-24, "
	  "not \"2026-02-30\"" },
	{ "[rotue a]\nto = 1\n", "t.ini:11:1: unknown section \"rotue\", expected gateway, trunk, "
				 "extension, group, hours, "
				 "route or expect (did you mean \"route\"?)" },
	{ "[route]\nring = 1001\n", "t.ini:11:2: [route NAME] needs a name of letters, digits and "
				    "\"._-\", up to 64, not \"\"" },
	{ "[extension any]\npassword = x\n",
	  "t.ini:11:12: \"any\" has a meaning of its own: choose another name" },
	{ "[route a\nto = 1\n", "t.ini:11:1: expected \"]\" at the end of a section's line" },
	{ "[route a]\nto 1\nring = 1001\n",
	  "t.ini:12:1: expected \"key = value\" or \"[section]\"" },
	{ "[route a]\nto =\nring = 1001\n",
	  "t.ini:12:1: \"to\" has no value: give one, or leave the line out" },
	{ "[extension 9]\nname = M\xfcller\npassword = x\n", "t.ini:12:9: not UTF-8" },
	{ "[extension 9]\nname = M\033[2J\npassword = x\n", "t.ini:12:9: control character 0x1b" },
	{ "[extension 9]\nname = \"M\npassword = x\n",
	  "t.ini:12:8: the quote is not closed: it ends with \" before a comma, white space or the "
	  "end of the line" },
	{ "[gateway]\n", "t.ini:11:1: [gateway] stands at t.ini:1 already" },
	{ "[trunk b]\nport = 70000\n",
	  "t.ini:11:1: [trunk b] needs host = …\n"
	  "t.ini:12:8: port: expected a port, 1 to 65535, not \"70000\"" },
	{ "[expect e]\ncall = 1001 1 5\nrings = 1002\n",
	  "t.ini:13:9: rings: expected \"1002\", and it is \"none\"" },
	{ "[route a]\nto = 1[\nring = trunk:x\nprivacy = no\n[route c]\nring = 1001\nwhen = zz\n",
	  "t.ini:12:7: to: \"[\" has no \"]\"\n"
	  "t.ini:13:8: ring: there is no [trunk] \"x\"\n"
	  "t.ini:14:11: privacy: expected one of keep, off, id, not \"no\"\n"
	  "t.ini:17:8: when: there is no [hours] \"zz\"" },
};

Test(mistakes, are_said_with_their_place_and_what_was_expected)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(PLAN, cases[i].text, NULL);
		g_autofree char *mistakes = mistakes_in(text);

		cr_expect_str_eq(mistakes, cases[i].mistakes, "%s\n%s", cases[i].text, mistakes);
	}
}

/* Values that are right each by itself. */
#define PHONE  "[extension 1001]\npassword = a\n"
#define ON_ONE PHONE "[route r]\nto = 1\n"
#define HASH   "0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *mistakes;
} contradictions[] = {
	{ "[gateway]\nban-time = 2h\nban-max = 1h\n",
	  "t.ini:2:1: ban-time: 7200 s are more than ban-max, 3600 s" },
	{ "[gateway]\nservice-route = edge.example.net\n",
	  "t.ini:2:1: service-route: expected URIs in angle brackets, such as "
	  "<sip:edge.example.net;lr>" },
	{ "[gateway]\nservice-route = <sip:a;lr> <sip:b;lr>\n",
	  "t.ini:2:1: service-route: expected URIs in angle brackets, such as "
	  "<sip:edge.example.net;lr>" },
	{ "[gateway]\nservice-route = <sip:a;lr>, <sips:b;lr>\n", "" },
	{ "[gateway]\nlisten = tls:127.0.0.1:5061\n",
	  "t.ini:2:1: listen: tls needs certificate = FILE, too" },
	{ "[gateway]\nregister-min = 2h\nregister-max = 1h\n",
	  "t.ini:2:1: register-min: 7200 s are more than register-max, 3600 s" },
	{ "[gateway]\nregister-default = 2h\nregister-max = 1h\n",
	  "t.ini:2:1: register-default: 7200 s are not between register-min, 60 s, and "
	  "register-max, 3600 s" },
	{ "[gateway]\nregister-default = 30s\nregister-min = 60s\n",
	  "t.ini:2:1: register-default: 30 s are not between register-min, 60 s, and "
	  "register-max, 3600 s" },
	{ "[gateway]\ndigest = sha256\n[extension 1001]\nha1 = " HASH "\n",
	  "t.ini:4:1: ha1: is a hash for MD5, and digest in [gateway] offers SHA-256: give "
	  "ha1-sha256, or password" },
	{ "[gateway]\ndigest = md5\n[extension 1001]\nha1-sha256 = " HASH HASH "\n",
	  "t.ini:4:1: ha1-sha256: is a hash for SHA-256, and digest in [gateway] offers MD5: give "
	  "ha1, or password" },
	{ PHONE "ha1 = " HASH "\n",
	  "t.ini:3:1: ha1: stands instead of password: leave one of them out" },
	{ "[trunk a]\nhost = a\nallow-user = me\n",
	  "t.ini:3:1: allow-user: needs allow-password = … in the same section" },
	{ "[trunk a]\nhost = a\nallow-password = x\n",
	  "t.ini:3:1: allow-password: needs allow-user = … in the same section" },
	{ "[trunk a]\nhost = a\nallow-user = me\nallow-password = x\n"
	  "[trunk b]\nhost = b\nallow-user = me\nallow-password = y\n",
	  "t.ini:7:1: allow-user: [trunk a] has this name already" },
	{ PHONE "[trunk a]\nhost = a\nallow-user = 1001\nallow-password = x\n",
	  "t.ini:5:1: allow-user: there is an [extension 1001]" },
	{ "[trunk a]\nhost = a\nregister = yes\n",
	  "t.ini:3:1: register: needs user = … in the same section\n"
	  "t.ini:3:1: register: needs password = … in the same section" },
	{ ON_ONE "redirect = sip:$2@x\n", "t.ini:5:1: redirect: $2: the pattern 1 has 0 groups" },
	{ ON_ONE "redirect = sip:$0@x\nplay = p.wav\n",
	  "t.ini:6:1: play: nothing is heard on a route with redirect\n"
	  "t.ini:6:8: play: \"/nowhere/prompts/p.wav\": No such file or directory" },
	{ ON_ONE "ring = 1001\nplay-as = early\n",
	  "t.ini:6:1: play-as: has no effect without play" },
	{ ON_ONE "ring = 1001\non-closed = reject 480\n",
	  "t.ini:6:1: on-closed: has no effect without when" },
	{ ON_ONE "ring = 1001\nnumber = 5\nstrip = 1\n",
	  "t.ini:6:1: number: stands instead of strip and prefix" },
	{ ON_ONE "ring = 1001\nmedia = direct\nrecord = stereo\n",
	  "t.ini:7:1: record: needs the media that media = direct leaves to the parties" },
	{ ON_ONE "ring = 1001\ncaller = $1\n",
	  "t.ini:6:1: caller: $1 needs a pattern with groups in from-number" },
	{ ON_ONE "ring = 1001\nfrom-number = 5(X.)\ncaller = $2\n",
	  "t.ini:7:1: caller: $2: the pattern 5(X.) has 1 group" },
	{ ON_ONE "answer = echo\nadd-header X-A = 1\n",
	  "t.ini:6:1: add-header X-A: has no effect without ring" },
	{ ON_ONE "ring = 1001\nadd-header X-A = 1\nadd-header X-B = $1\n",
	  "t.ini:7:1: add-header X-B: $1: the pattern 1 has 0 groups" },
};

Test(mistakes, are_found_in_what_does_not_go_together)
{
	for (size_t i = 0; i < G_N_ELEMENTS(contradictions); i++) {
		g_autofree char *mistakes = mistakes_in(contradictions[i].text);

		cr_expect_str_eq(mistakes, contradictions[i].mistakes, "%s\n%s",
				 contradictions[i].text, mistakes);
	}
}

Test(mistakes, a_line_of_ten_megabytes_is_one)
{
	g_autofree char *number = g_strnfill(10000000, '1');
	g_autofree char *text = g_strconcat(PLAN ROUTE "ring = ", number, "\nrign = 1\n", NULL);
	g_autofree char *mistakes = mistakes_in(text);

	cr_expect_str_eq(mistakes,
			 "t.ini:13:1: line of 10000007 bytes; at most 16384 are read\n"
			 "t.ini:14:1: unknown key \"rign\" in [route] (did you mean \"ring\"?)");
}
