#include "tests/support/dialplan_text.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

/* Sections that the cases below refer to; a case's own text starts at line 8. */
#define PEOPLE                                                                                     \
	"[trunk carrier]\nhost = sip.carrier.example\n"                                            \
	"[extension 1001]\npassword = a\n"                                                         \
	"[hours office]\nmon = 08:00-18:00\n\n"

static const struct {
	const char *text, *mistakes;
} cases[] = {
	/* sections */
	{ "[extnsion 5]\nx = y\n", "8:1: unknown section \"extnsion\", expected gateway, trunk, "
				   "extension, group, hours, route or "
				   "expect (did you mean \"extension\"?)" },
	{ "[trunk]\nhost = x\n",
	  "8:2: [trunk NAME] needs a name of letters, digits and \"._-\", up to "
	  "64, not \"\"" },
	{ "[route a b]\nring = 1001\n",
	  "8:8: [route NAME] needs a name of letters, digits and \"._-\", "
	  "up to 64, not \"a b\"" },
	{ "[extension then]\npassword = x\n",
	  "8:12: \"then\" has a meaning of its own: choose another name" },
	{ "[gateway x]\n", "8:10: [gateway] has no name, not \"x\"" },
	{ "[gateway]\n[gateway]\n", "9:1: [gateway] stands at t.ini:8 already" },
	{ "[trunk carrier]\nhost = x\n", "8:1: [trunk carrier] stands at t.ini:1 already" },
	{ "[expect a]\ncall = 1001 1 1001\n[expect a]\ncall = 1001 1 1001\n",
	  "10:1: [expect a] stands at t.ini:8 already" },
	/* keys */
	{ "[gateway]\nlisen = x\n",
	  "9:1: unknown key \"lisen\" in [gateway] (did you mean \"listen\"?)" },
	{ "[group g]\nmembers = 1001\ncolour = red\n",
	  "10:1: unknown key \"colour\" in [group], expected one of like, members" },
	{ "[gateway]\ndomain = a\ndomain = a\n", "10:1: domain stands at t.ini:9 already" },
	{ "[trunk t]\nuser = x\n", "8:1: [trunk t] needs host = …" },
	{ "[expect]\nroute = none\n", "8:1: [expect] needs call = …" },
	/* values of [gateway] */
	{ "[gateway]\nlisten = udp:localhost:5060\n",
	  "9:10: listen: expected transport:address:port such as udp:0.0.0.0:5060 or "
	  "tcp:[::1]:5060, not \"udp:localhost:5060\"" },
	{ "[gateway]\nlisten = udp:1.2.3.4:5060,0.0.0.0:5060\n",
	  "9:27: listen: expected transport:address:port such as udp:0.0.0.0:5060 or "
	  "tcp:[::1]:5060, not \"0.0.0.0:5060\"" },
	{ "[gateway]\nlisten = udp:1.2.3.4, udp:1.2.3.4:5060\n",
	  "9:23: listen: udp:1.2.3.4:5060 is listed twice" },
	{ "[gateway]\nadvertise = me.example\n", "9:13: advertise: expected an IP address, not "
						 "\"me.example\"" },
	{ "[gateway]\ndomain = a b\n", "9:10: domain: expected one word of letters, digits, \".\", "
				       "\"_\", \"-\", \"+\", not \"a b\"" },
	{ "[gateway]\nrtp-ports = 20000\n",
	  "9:13: rtp-ports: expected a range of ports such as 16384-32767, not \"20000\"" },
	{ "[gateway]\nrtp-ports = 20000-19000\n",
	  "9:13: rtp-ports: expected a range of ports such as 16384-32767, not \"20000-19000\"" },
	{ "[gateway]\nworkers = -1\n", "9:11: workers: expected a number 0 to 256, not \"-1\"" },
	{ "[gateway]\nworkers = 99999999999999999999\n",
	  "9:11: workers: expected a number 0 to 256, not \"99999999999999999999\"" },
	{ "[gateway]\nring-time = 25\n",
	  "9:13: ring-time: expected a time such as 25s, 2m or 1h, from "
	  "1s to 1h, not \"25\"" },
	{ "[gateway]\nring-time = 1500ms\n",
	  "9:13: ring-time: expected a time such as 25s, 2m or 1h, "
	  "from 1s to 1h, not \"1500ms\"" },
	{ "[gateway]\nring-time = 2h\n",
	  "9:13: ring-time: expected a time such as 25s, 2m or 1h, from "
	  "1s to 1h, not \"2h\"" },
	{ "[gateway]\nregister-max = 40d\n",
	  "9:16: register-max: expected a time such as 25s, 2m or "
	  "1h, from 1s to 30d, not \"40d\"" },
	{ "[gateway]\njitter = 200ms-20ms\n",
	  "9:10: jitter: expected a range such as 20ms-200ms, within "
	  "0ms and 2000ms, not \"200ms-20ms\"" },
	{ "[gateway]\ncodecs = opsu, PCMA, pcma\n",
	  "9:10: codecs: \"opsu\" is not a codec (did you mean \"opus\"?)\n"
	  "t.ini:9:22: codecs: PCMA is listed twice" },
	{ "[gateway]\ncodecs = PCMA,\n", "9:15: codecs: \"\" is not a codec" },
	{ "[gateway]\nregister-min = 2h\n",
	  "9:1: register-min: 7200 s are more than register-max, 3600 s" },
	{ "[gateway]\nregister-default = 30s\n", "9:1: register-default: 30 s are not between "
						 "register-min, 60 s, and register-max, 3600 s" },
	/* values of [trunk] */
	{ "[trunk t]\nhost = a b\n", "9:8: host: expected a host such as sip.carrier.example, "
				     "198.51.100.7:5070, [2001:db8::7] or "
				     "tcp:sip.carrier.example, not \"a b\"" },
	{ "[trunk t]\nhost = 1.2.3.256\n",
	  "9:8: host: expected a host such as sip.carrier.example, 198.51.100.7:5070, "
	  "[2001:db8::7] or "
	  "tcp:sip.carrier.example, not \"1.2.3.256\"" },
	{ "[trunk t]\nhost = a:5060\nport = 5070\n",
	  "10:8: port: host and port both name a port: leave one out" },
	{ "[trunk t]\ntransport = udp\nhost = tcp:a\n",
	  "10:8: host: host and transport both name one: leave one out" },
	{ "[trunk t]\nhost = a\ntransport = utp\n",
	  "10:13: transport: expected udp, tcp or tls, not "
	  "\"utp\"" },
	{ "[trunk t]\nhost = a\nport = 0\n", "10:8: port: expected a port, 1 to 65535, not \"0\"" },
	{ "[trunk t]\nhost = a\nregister = ja\n",
	  "10:12: register: expected one of no, yes, not \"ja\"" },
	{ "[trunk t]\nhost = a\nregister = yes\n",
	  "10:1: register: needs user = … in the same section\n"
	  "t.ini:10:1: register: needs password = … in the same section" },
	{ "[trunk t]\nhost = a\nallow = 10.0.0.0/8, ::/129, 10.0.0.1/24\n",
	  "10:21: allow: expected an address or a block such as 198.51.100.0/24 or 2001:db8::/32, "
	  "not "
	  "\"::/129\"\n"
	  "t.ini:10:29: allow: 10.0.0.1/24 has bits set beyond its first 24" },
	{ "[trunk t]\nhost = a\ndtmf = inbnd\n",
	  "10:8: dtmf: expected one of auto, rtp, info, inband, not \"inbnd\" (did you mean "
	  "\"inband\"?)" },
	/* values of [extension] */
	{ "[extension 2]\nha1 = secret\n",
	  "9:7: ha1: expected 32 hex digits: MD5 of user:realm:password" },
	{ "[extension 2]\nha1-sha256 = d41d8cd98f00b204e9800998ecf8427e\n",
	  "9:14: ha1-sha256: expected 64 hex digits: SHA-256 of user:realm:password" },
	{ "[extension 2]\npassword = x\nha1 = d41d8cd98f00b204e9800998ecf8427e\n",
	  "10:1: ha1: stands instead of password: leave one of them out" },
	/* names */
	{ "[route r]\nfrom = trunk:carier\nring = 1001\n",
	  "9:8: from: there is no [trunk] \"carier\" (did you mean \"carrier\"?)" },
	{ "[route r]\nfrom = extension:1010, sip:x\nring = 1001\n",
	  "9:8: from: there is no [extension] \"1010\" (did you mean \"1001\"?)\n"
	  "t.ini:9:24: from: expected trunk:NAME, extension:NUMBER, group:NAME, trunk, extension "
	  "or any, not "
	  "\"sip:x\"" },
	{ "[route r]\nwhen = not offices\nring = 1001\n",
	  "9:8: when: there is no [hours] \"offices\" (did you mean \"office\"?)" },
	{ "[route r]\nring = 1001, 1011 then trunk:cartier\n",
	  "9:14: ring: there is no [extension] \"1011\" (did you mean \"1001\"?)\n"
	  "t.ini:9:24: ring: there is no [trunk] \"cartier\" (did you mean \"carrier\"?)" },
	{ "[route r]\nring = 1001\non-busy = route:s\n",
	  "10:17: on-busy: there is no [route] \"s\"" },
	/* values of [route] */
	{ "[route r]\nto = 0.1, 0X.\nring = 1001\n",
	  "9:7: to: \".\" and \"!\" stand at the end only; in quotes they are characters" },
	{ "[route r]\nring = 1001 1001\n",
	  "9:13: ring: expected \",\", \"then\" or \"or\", not \"1001\"" },
	{ "[route r]\nring = 1001, 1001\n", "9:14: ring: 1001 rings twice at once" },
	{ "[route r]\nring = 1001 then\n",
	  "9:17: ring: expected NUMBER, trunk:NAME, group:NAME or extension" },
	{ "[route r]\nring = foo:1\n",
	  "9:8: ring: expected NUMBER, trunk:NAME or group:NAME, with \",\", \"then\" or "
	  "\"or\" between them, not \"foo:1\"" },
	{ "[route r]\nplay = none.wav\n",
	  "9:8: play: \"/nowhere/prompts/none.wav\": No such file or "
	  "directory" },
	{ "[route r]\nplay = /etc\n", "9:8: play: \"/etc\" is not a file" },
	{ "[route r]\nring = 1001\non-busy = voicebox\n",
	  "10:11: on-busy: expected route:NAME, reject 486 Busy Here, play FILE, "
	  "play FILE then reject 486, or redirect URI, not \"voicebox\"" },
	{ "[route r]\nring = 1001\non-busy = reject 200 OK\n",
	  "10:18: on-busy: expected a status from 400 to 699 and a reason, such as 486 Busy Here" },
	{ "[route r]\nreject = 700\n",
	  "9:10: reject: expected a status from 400 to 699 and a reason, such "
	  "as 486 Busy Here" },
	{ "[route r]\nredirect = mailto:a\n",
	  "9:12: redirect: expected a URI such as sip:$0@other.example, NUMBER or "
	  "extension, not \"mailto:a\"" },
	{ "[route r]\nredirect = sip:a@b.example:5070;transport=tcp, sip:$0@[2001:db8::1]:5060, "
	  "tel:1, "
	  "sip:b.example, sip:x@\n",
	  "9:97: redirect: expected a URI such as sip:$0@other.example, NUMBER or "
	  "extension, not \"sip:x@\"" },
	{ "[route r]\nredirect = sip:a@b:99999\n",
	  "9:12: redirect: expected a URI such as sip:$0@other.example, NUMBER or "
	  "extension, not \"sip:a@b:99999\"" },
	{ "[route r]\nanswer = music\n", "9:10: answer: expected echo, not \"music\"" },
	{ "[route r]\nring = 1001\nnumber = +$a\n",
	  "10:10: number: \"$\" must be followed by a digit, or by \"$\" for itself" },
	{ "[route r]\nring = 1001\nprefix = <\n",
	  "10:10: prefix: \"<\" can't stand in a number or URI" },
	{ "[route r]\nring = 1001\nrecord = yess\n",
	  "10:10: record: expected one of off, stereo, mono, no, yes, not \"yess\" (did you mean "
	  "\"yes\"?)" },
	{ "[route r]\nring = 1001\ntransport = sctp\n",
	  "10:13: transport: expected udp, tcp or tls, not \"sctp\"" },
	/* routes as a whole */
	{ "[route r]\nto = 1\n",
	  "8:1: route r does nothing: it needs ring, play, answer, reject or redirect" },
	{ "[route r]\nring = 1001\nreject = 404\n",
	  "10:1: reject: the route has ring already: leave one "
	  "out" },
	{ "[route r]\nplay = /etc/passwd\nredirect = sip:a@b\n",
	  "9:1: play: nothing is heard on a route with redirect" },
	{ "[route r]\nplay = /etc/passwd\nplay-as = answer\nreject = 404\n",
	  "10:1: play-as: a call that is rejected is never answered" },
	{ "[route r]\nanswer = echo\nring-time = 5s\non-busy = reject 486\n",
	  "10:1: ring-time: has no effect without ring\n"
	  "t.ini:11:1: on-busy: has no effect without ring" },
	{ "[route r]\nring = 1001\nplay-as = early\n",
	  "10:1: play-as: has no effect without play" },
	{ "[route r]\nplay = /etc/passwd\nplay-as = early\n",
	  "10:1: play-as: early is for announcements before ringing" },
	{ "[route r]\nto = X\nring = 1001\nnumber = 1\nstrip = 1\n",
	  "11:1: number: stands instead of strip and prefix" },
	{ "[route r]\nto = (X)(X), (X)\nring = 1001\nnumber = $2\n",
	  "11:1: number: $2: the pattern (X) has 1 group" },
	{ "[route r]\nring = 1001\nnumber = $1\n",
	  "10:1: number: $1 needs a pattern with groups in to" },
	{ "[route r]\nto = 0X.\nring = 1001\nstrip = 4\n",
	  "11:1: strip: takes 4 characters off, but 0X. matches numbers of 3" },
	{ "[route a]\nring = 1001\non-busy = route:b\n[route b]\nring = 1001\n"
	  "on-failure = route:c\n[route c]\nring = 1001\non-no-answer = route:a\non-busy = "
	  "route:c\n",
	  "16:1: on-no-answer: comes back to route a, and round again\n"
	  "t.ini:17:1: on-busy: comes back to route c, and round again" },
	{ "[hours h]\n[route a]\nring = 1001\nwhen = h\non-closed = route:a\n",
	  "12:1: on-closed: comes back to route a, and round again" },
	{ "[route a]\nring = 1001\non-closed = reject 480\n",
	  "10:1: on-closed: has no effect without when" },
	{ "[route r]\nring = 1001\non-busy = play nowhere.wav then reject 42\n",
	  "10:16: on-busy: \"/nowhere/prompts/nowhere.wav\": No such file or directory\n"
	  "t.ini:10:40: on-busy: expected a status from 400 to 699 and a reason, such as 486 Busy "
	  "Here" },
	{ "[route r]\nring = 1001\non-busy = redirect 1010, sip:$x@a\n",
	  "10:20: on-busy: there is no [extension] \"1010\" (did you mean \"1001\"?)\n"
	  "t.ini:10:26: on-busy: \"$\" must be followed by a digit, or by \"$\" for itself" },
	/* whom to ring, and how long */
	{ "[route r]\nring = 1001 50%, 1001\n",
	  "9:18: ring: 1001 rings twice at once\n"
	  "t.ini:9:18: ring: a share needs \"or\" between the targets" },
	{ "[route r]\nring = 1001 50% or trunk:carrier\n",
	  "9:20: ring: some targets have a share here, and some have none" },
	{ "[route r]\nring = 1001 0% or trunk:carrier\n",
	  "9:13: ring: expected a share such as 70%, not \"0%\"" },
	{ "[group g]\nmembers = 1001, trunk:carrier\n[route r]\nring = extension, 1001 or "
	  "group:g\n",
	  "11:24: ring: \",\" (all at once) and \"or\" (one of them) don't mix in a step" },
	{ "[route r]\nring = 1001 for 2h\n",
	  "9:17: ring: expected a time such as 20s, from 1s to 1h, not \"2h\"" },
	{ "[route r]\nring = 1001 for\n",
	  "9:16: ring: expected a time such as 20s, from 1s to 1h, not \"\"" },
	{ "[route r]\nring = group:h\n", "9:8: ring: there is no [group] \"h\"" },
	{ "[group sales]\nmembers = 1001, 1010, trunk:cartier, all\n[route r]\nring = group:sale\n",
	  "9:17: members: there is no [extension] \"1010\" (did you mean \"1001\"?)\n"
	  "t.ini:9:23: members: there is no [trunk] \"cartier\" (did you mean \"carrier\"?)\n"
	  "t.ini:9:38: members: there is no [extension] \"all\"\n"
	  "t.ini:11:8: ring: there is no [group] \"sale\" (did you mean \"sales\"?)" },
	{ "[group g]\n", "8:1: [group g] needs members = …" },
	{ "[group or]\nmembers = 1001\n",
	  "8:8: \"or\" has a meaning of its own: choose another name" },
	/* headers and media */
	{ "[route r]\nring = 1001\nheader X-A: = x\n",
	  "10:1: header: \"header X-A:\" does not end with the name of a SIP header" },
	{ "[route r]\nring = 1001\nheader X-A = x\nheader x-a = y\n",
	  "11:1: header: \"header x-a\" stands here already: list the values in one line" },
	{ "[route r]\nring = 1001\nheader X-A = a*b, *, none, x*\n",
	  "10:14: header X-A: expected a value, or * for any, none, or text*, not \"a*b\"" },
	{ "[route r]\nring = 1001\nadd-header Via = x\nadd-header X-A = $\n",
	  "10:1: header: \"add-header Via\" can't be set: the gateway writes that header itself\n"
	  "t.ini:11:18: add-header X-A: \"$\" must be followed by a digit, or by \"$\" for "
	  "itself" },
	{ "[route r]\nring = 1001\nadd-header X-A = $1\n",
	  "10:1: add-header X-A: $1 needs a pattern with groups in to" },
	{ "[route r]\nring = 1001\ncaller = $1\n",
	  "10:1: caller: $1 needs a pattern with groups in from-number" },
	{ "[route r]\nring = 1001\ndrop-headers = X-*, a b\ncarry-headers = Contact\n",
	  "10:21: drop-headers: expected the name of a SIP header, such as X-Campaign, not \"a "
	  "b\"\n"
	  "t.ini:11:17: carry-headers: Contact is the gateway's own: it never goes through" },
	{ "[route r]\nring = 1001\noffers = voice\n",
	  "10:10: offers: expected audio, fax or video, not \"voice\"" },
	{ "[route r]\nring = 1001\nprivacy = yes\ndtmf = sip\nsrtp = on\ntransfer = remote\n",
	  "10:11: privacy: expected one of keep, off, id, not \"yes\"\n"
	  "t.ini:11:8: dtmf: expected one of auto, rtp, info, inband, not \"sip\"\n"
	  "t.ini:12:8: srtp: expected one of off, optional, offer, required, not \"on\"\n"
	  "t.ini:13:12: transfer: expected one of local, pass, off, not \"remote\"" },
	{ "[route r]\nring = 1001\nmedia = direct\nrecord = mono\n"
	  "ringback = /etc/passwd\n",
	  "11:1: record: needs the media that media = direct leaves to the parties\n"
	  "t.ini:12:1: ringback: needs the media that media = direct leaves to the parties" },
	{ "[route r]\nanswer = echo\nprivacy = id\nadd-header X-A = 1\n",
	  "10:1: privacy: has no effect without ring\n"
	  "t.ini:11:1: add-header X-A: has no effect without ring" },
	/* like */
	{ "[trunk t]\nlike = cartier\n",
	  "8:1: [trunk t] needs host = …\n"
	  "t.ini:9:8: like: there is no [trunk] \"cartier\" (did you mean \"carrier\"?)" },
	{ "[trunk t]\nlike = t\nhost = a\n", "9:8: like: comes back to this section" },
	{ "[hours a]\nlike = b\n[hours b]\nlike = a\n",
	  "9:8: like: comes back to this section\nt.ini:11:8: like: comes back to this section" },
	{ "[route a]\nring-tme = 5s\n[route b]\nlike = a\nring = 1001\n[route c]\nlike = a\nring = "
	  "1001\n",
	  "9:1: unknown key \"ring-tme\" in [route] (did you mean \"ring-time\"?)" },
	{ "[trunk base]\ncodecs = PCMA\n[trunk t]\nlike = base\nhost = a\n[route r]\nring = "
	  "trunk:base\n",
	  "14:8: ring: there is no [trunk] \"base\" that is more than a model for others" },
	/* no cascade after a broken section, and all mistakes in one go */
	{ "[routes r]\nring = 9\n[route s]\nring = 9\n[gateway]\nworkers = x\n",
	  "8:1: unknown section \"routes\", expected gateway, trunk, extension, group, hours, "
	  "route or "
	  "expect "
	  "(did you mean \"route\"?)\n"
	  "t.ini:11:8: ring: there is no [extension] \"9\"\n"
	  "t.ini:13:11: workers: expected a number 0 to 256, not \"x\"" },
};

Test(load, says_every_mistake)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(PEOPLE, cases[i].text, NULL);
		g_autofree char *expected = g_strconcat("t.ini:", cases[i].mistakes, NULL);
		g_autofree char *mistakes = mistakes_in(text);

		cr_expect_str_eq(mistakes, expected, "%s\n%s", cases[i].text, mistakes);
	}
}

static const char *const good[] = {
	"",
	"[gateway]\n",
	"[gateway]\nlisten = tls:[::]:5061, udp:0.0.0.0\ncertificate = c\nrtp-ports = 1024 - "
	"65535\n",
	"[gateway]\nring-time = 1m30s\nrtp-timeout = 0\njitter = 0-0\nregister-max = 1d\n",
	"[trunk t]\nhost = [::1]:5070\nallow = 0.0.0.0/0, ::/0, 10.1.2.3, 2001:db8::1\n",
	"[trunk t]\nhost = 2001:db8::7\ntransport = TLS\nport = 5062\n",
	"[trunk t]\nhost = tcp:[2001:db8::7]:5062\nregister = Yes\nuser = u\npassword = \"; x\"\n",
	"[extension a.b_c-d+e*f#]\nha1 = D41D8CD98F00B204E9800998ECF8427E\n",
	"[route r]\nring = 1001 , trunk:carrier then extension:1001\n",
	"[route r]\non-busy = reject 486\nring = 1001\non-failure = reject  480  Not Here\n",
	"[route a]\nring = 1001\non-busy = route:c\non-failure = route:c\n[route c]\nreject=404\n",
	"[group g]\nmembers = 1001, trunk:carrier\n[route r]\nfrom = group:g\n"
	"ring = group:g for 5s then 1001 70% for 1m or trunk:carrier 30% then extension\n",
	"[route r]\nplay = /etc/passwd\nreject = 404\n",
	"[hours h]\n[route r]\nwhen = h\non-closed = redirect sip:$0@a, extension, 1001\n"
	"on-busy = play /etc/passwd, /etc/group then reject 486 Busy\non-failure = play "
	"/etc/passwd\nring = 1001\n",
	"[route r]\nto = (X.)\nheader  X-A = \"a, b\", none\nheader X-B = *\noffers = video, Fax\n"
	"add-header X-C = $1 and $0\nring = 1001\nringback = none\n",
	"[route r]\nanswer = echo\nplay = /etc/passwd, \"/etc/group\"\n",
	"[expect]\ncall = 1001 1 9\n[expect]\ncall = 1001 1 9\nroute = none\n",
};

Test(load, takes_what_is_right)
{
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *text = g_strconcat(PEOPLE, good[i], NULL);
		g_autofree char *mistakes = mistakes_in(text);

		cr_expect_str_eq(mistakes, "", "%s", mistakes);
	}
}

Test(load, passwords_are_not_repeated)
{
	static const char *const texts[] = {
		"[extension 1]\npassword hunter2\n",
		"[extension 1]\npasword = hunter2\n",
		"[extension 1]\nha1 = hunter2\n",
		"[extension 1]\npassword = hunter2\npassword = hunter2\n",
		"[extension 1]\npassword = hunter2\x01\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *mistakes = mistakes_in(texts[i]);

		cr_expect_neq(*mistakes, '\0');
		cr_expect_null(strstr(mistakes, "hunter2"), "%s", mistakes);
	}
}

Test(load, a_thousand_mistakes_are_enough)
{
	g_autoptr(GString) text = g_string_new("[gateway]\n");
	g_autofree char *mistakes = NULL;
	g_auto(GStrv) lines = NULL;

	for (int i = 0; i < 1500; i++)
		g_string_append(text, "x = y\n");
	mistakes = mistakes_in(text->str);
	lines = g_strsplit(mistakes, "\n", -1);
	cr_expect_eq(g_strv_length(lines), 1001);
	cr_expect_str_eq(lines[1000], "and 500 more mistakes");
}

Test(load, mistakes_among_many_names_stay_cheap)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *mistakes = NULL;

	for (int i = 0; i < 20000; i++)
		g_string_append_printf(text, "[extension %d]\npassword = x\n", 100000 + i);
	for (int i = 0; i < 2000; i++)
		g_string_append_printf(text, "[route r%d]\nring = 99999%d\n", i, i);
	mistakes = mistakes_in(text->str);
	cr_expect(g_str_has_suffix(mistakes, "and 1000 more mistakes"));
}

static char *temporary_file(const char *text, mode_t mode)
{
	char *path = NULL;
	int fd = g_file_open_tmp(NULL, &path, NULL);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
	return path;
}

Test(load, refuses_passwords_that_others_may_read)
{
	static const char text[] =
		"[extension 1]\npassword = hunter2\n[extension 2]\npassword = y\n";
	static const struct {
		mode_t mode;
		int r;
	} modes[] = { { 0600, 0 }, { 0640, 0 }, { 0644, -EINVAL }, { 0602, -EINVAL } };

	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_autofree char *path = temporary_file(text, modes[i].mode), *expected = NULL;
		struct tl_dialplan *dp = NULL;
		struct tl_diags *diags = NULL;

		cr_expect_eq(tl_dialplan_load(path, &dp, &diags), modes[i].r);
		expected =
			g_strdup_printf("%s:2:1: password: others may read this file, which must "
					"not be where passwords are: chmod o= %s",
					path, path);
		if (modes[i].r < 0) {
			cr_expect_eq(tl_diags_count(diags), 1, "once a file");
			cr_expect_str_eq(tl_diags_text(diags, 0), expected);
		}
		tl_diags_free(diags);
		tl_dialplan_unref(dp);
		g_unlink(path);
	}
}

Test(load, warns_of_an_extension_that_nobody_can_be)
{
	struct tl_dialplan *dp = dialplan_of("[extension 1]\nname = x\n");

	cr_assert_eq(tl_dialplan_warnings(dp), 1);
	cr_expect_str_eq(tl_dialplan_warning(dp, 0),
			 "t.ini:1:1: extension 1 has no password, so no "
			 "phone can register as it");
	tl_dialplan_unref(dp);
}

Test(load, files_that_are_none)
{
	static const struct {
		const char *path, *text;
		int r;
	} files[] = {
		{ "/nowhere/x.ini", "/nowhere/x.ini: can't be read: No such file or directory",
		  -ENOENT },
		{ "/etc", "/etc: can't be read: Is a directory", -EISDIR },
		{ "/dev/null", "/dev/null: can't be read: not a file", -EINVAL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		struct tl_dialplan *dp;
		struct tl_diags *diags;

		cr_expect_eq(tl_dialplan_load(files[i].path, &dp, &diags), files[i].r);
		cr_expect_eq(tl_diags_count(diags), 1);
		cr_expect_str_eq(tl_diags_text(diags, 0), files[i].text);
		tl_diags_free(diags);
	}
}

Test(load, where_orders_are_taken_is_found_in_a_file_with_mistakes)
{
	static const struct {
		const char *text, *control;
	} files[] = {
		{ "[gateway]\ncontrol = /run/here\n", "/run/here" },
		{ "[gateway]\nbogus = 1\ncontrol = /run/here\n[route x]\nring = nobody\n[",
		  "/run/here" },
		{ "[gateway]\nbogus = 1\n", "/run/twinleg/control" },
	};
	char *control = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = temporary_file(files[i].text, 0600);

		cr_assert_eq(tl_dialplan_control(path, &control), 0);
		cr_expect_str_eq(control, files[i].control);
		g_free(control);
		g_unlink(path);
	}
	cr_expect_eq(tl_dialplan_control("/nowhere/x.ini", &control), -ENOENT);
}
