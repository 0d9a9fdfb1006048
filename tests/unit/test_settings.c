#include "tests/support/dialplan_text.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>
#include "dialplan/keys/keys.h"
#include "dialplan/manual.h"

Test(settings, defaults)
{
	struct tl_dialplan *dp = dialplan_of("");
	const struct tl_gateway *gw = tl_dialplan_gateway(dp);
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	cr_expect_eq(gw->n_listen, 2);
	cr_expect_eq(gw->listen[0].transport, TL_TRANSPORT_UDP);
	cr_expect_str_eq(gw->listen[1].host, "0.0.0.0");
	cr_expect_eq(gw->listen[1].transport, TL_TRANSPORT_TCP);
	cr_expect_eq(gw->listen[1].port, 5060);
	cr_expect_str_eq(gw->domain, host);
	cr_expect_null(gw->advertise);
	cr_expect_eq(gw->rtp_port_min, 16384);
	cr_expect_eq(gw->rtp_port_max, 32767);
	cr_expect_eq(gw->workers, 0);
	cr_expect_eq(gw->n_codecs, 4);
	cr_expect_str_eq(gw->codecs[0], "opus");
	cr_expect_str_eq(gw->state, "/var/lib/twinleg");
	cr_expect_str_eq(gw->recordings, "/var/lib/twinleg/recordings");
	cr_expect_str_eq(gw->prompts, "/nowhere/prompts");
	cr_expect_str_eq(gw->control, "/run/twinleg/control");
	cr_expect_str_eq(gw->user_agent, "Twinleg");
	cr_expect_eq(gw->ring_time_s, 30);
	cr_expect_eq(gw->rtp_timeout_s, 60);
	cr_expect_eq(gw->jitter_min_ms, 0);
	cr_expect_eq(gw->jitter_max_ms, 200);
	cr_expect_eq(gw->register_min_s, 60);
	cr_expect_eq(gw->register_max_s, 3600);
	cr_expect_eq(gw->register_default_s, 600);
	cr_expect_eq(gw->opus_complexity, 5);
	tl_dialplan_unref(dp);
}

Test(settings, values)
{
	struct tl_dialplan *dp = dialplan_of(
		"[trunk t]\nhost = sip.carrier.example:5070\ntransport = tcp\nmax-calls = 30\n"
		"dtmf = inband\nregister = yes\nuser = u\npassword = \"; p\"\n"
		"[trunk v6]\nhost = tls:[2001:db8::7]\n"
		"[extension 1001]\nname = Alice Example\nha1 = D41D8CD98F00B204E9800998ECF8427E\n"
		"codecs = pcma, speex/16000\nmax-contacts = 2\n"
		"[gateway]\nlisten = udp:[::1]:5080, tls:192.0.2.1\ncertificate = c\ncodecs = "
		"GSM\nstate = db\n"
		"prompts = /p\njitter = 0-1s\n");
	const struct tl_trunk_cfg *trunk = tl_dialplan_trunk(dp, "t"),
				  *v6 = tl_dialplan_trunk(dp, "v6");
	const struct tl_extension_cfg *ext = tl_dialplan_extension(dp, "1001");
	const struct tl_gateway *gw = tl_dialplan_gateway(dp);
	size_t n;

	cr_expect_str_eq(trunk->host, "sip.carrier.example");
	cr_expect_eq(trunk->port, 5070);
	cr_expect_eq(trunk->transport, TL_TRANSPORT_TCP);
	cr_expect_eq(trunk->max_calls, 30);
	cr_expect_eq(trunk->dtmf, TL_DTMF_INBAND);
	cr_expect(trunk->registers);
	cr_expect_str_eq(trunk->password, "; p");
	cr_expect_str_eq(trunk->codecs[0], "GSM");
	cr_expect_str_eq(v6->host, "2001:db8::7");
	cr_expect_eq(v6->port, 0);
	cr_expect_eq(v6->transport, TL_TRANSPORT_TLS);
	cr_expect_null(v6->user);
	cr_expect_str_eq(ext->name, "Alice Example");
	cr_expect_str_eq(ext->ha1, "d41d8cd98f00b204e9800998ecf8427e");
	cr_expect_null(ext->password);
	cr_expect_str_eq(ext->codecs[0], "PCMA");
	cr_expect_str_eq(ext->codecs[1], "speex/16000");
	cr_expect_eq(ext->max_contacts, 2);
	cr_expect_str_eq(gw->listen[0].host, "::1");
	cr_expect_eq(gw->listen[1].port, 5061);
	cr_expect_str_eq(gw->state, "/nowhere/db");
	cr_expect_str_eq(gw->recordings, "/nowhere/db/recordings");
	cr_expect_str_eq(gw->prompts, "/p");
	cr_expect_eq(gw->jitter_max_ms, 1000);
	cr_expect_eq(tl_dialplan_trunks(dp, &n), trunk);
	cr_expect_eq(n, 2);
	cr_expect_eq(tl_dialplan_extensions(dp, &n), ext);
	cr_expect_eq(n, 1);
	cr_expect_null(tl_dialplan_trunk(dp, "nobody"));
	cr_expect_null(tl_dialplan_extension(dp, "1002"));
	tl_dialplan_unref(dp);
}

static const struct {
	const char *why, *address;
	uint16_t port;
	const char *trunk;
} callers[] = {
	{ "in the block", "198.51.100.9", 5060, "wide" },
	{ "the longer block wins", "198.51.100.130", 5060, "narrow" },
	{ "below it", "198.51.101.1", 5060, "-" },
	{ "a trunk's own address", "192.0.2.7", 40000, "own" },
	{ "allow replaces the own address", "192.0.2.8", 5060, "-" },
	{ "two trunks at one address: the port tells", "127.0.0.1", 5072, "second" },
	{ "or else the first of the file", "127.0.0.1", 9, "first" },
	{ "IPv6", "2001:db8::99", 5060, "six" },
	{ "IPv6, an odd number of bits", "2001:db8:8000::1", 5060, "-" },
	{ "IPv6, the own address", "::1", 5060, "loop" },
	{ "IPv4 on a dual-stack socket", "::ffff:198.51.100.9", 5060, "wide" },
	{ "a mapped block", "203.0.113.77", 5060, "mapped" },
};

Test(settings, trunks_by_address)
{
	struct tl_dialplan *dp = dialplan_of(
		"[trunk wide]\nhost = 192.0.2.8\nallow = 198.51.100.0/24\n"
		"[trunk narrow]\nhost = a.example\nallow = 10.0.0.0/8, 198.51.100.128/25\n"
		"[trunk own]\nhost = 192.0.2.7:5090\n"
		"[trunk first]\nhost = 127.0.0.1:5071\n[trunk second]\nhost = 127.0.0.1:5072\n"
		"[trunk six]\nhost = b.example\nallow = 2001:db8::/33\n"
		"[trunk loop]\nhost = [::1]\n"
		"[trunk mapped]\nhost = c.example\nallow = ::ffff:203.0.113.64/122\n");

	for (size_t i = 0; i < G_N_ELEMENTS(callers); i++) {
		struct sockaddr_in in = { .sin_family = AF_INET,
					  .sin_port = htons(callers[i].port) };
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
					    .sin6_port = htons(callers[i].port) };
		bool v6 = strchr(callers[i].address, ':');
		const struct tl_trunk_cfg *trunk;

		cr_assert_eq(inet_pton(v6 ? AF_INET6 : AF_INET, callers[i].address,
				       v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr),
			     1);
		trunk = tl_dialplan_trunk_by_address(dp, v6 ? (struct sockaddr *)&in6
							    : (struct sockaddr *)&in);
		cr_expect_str_eq(trunk ? trunk->name : "-", callers[i].trunk, "%s", callers[i].why);
	}
	tl_dialplan_unref(dp);
}

Test(settings, sources)
{
	static const struct {
		const char *text, *name;
		int kind; /* -1: refused */
	} sources[] = {
		{ "trunk:carrier", "carrier", TL_SOURCE_TRUNK },
		{ "extension:1001", "1001", TL_SOURCE_EXTENSION },
		{ "1001", "1001", TL_SOURCE_EXTENSION },
		{ "trunk", NULL, -1 },
		{ "extension", NULL, -1 },
		{ "trunk:", NULL, -1 },
		{ "sip:x", NULL, -1 },
		{ "", NULL, -1 },
		{ "trunks:x", NULL, -1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
		enum tl_source_kind kind;
		const char *name;
		int r = tl_source_parse(sources[i].text, &kind, &name);

		cr_expect_eq(r, sources[i].kind < 0 ? -EINVAL : 0, "%s", sources[i].text);
		if (r == 0) {
			cr_expect_eq((int)kind, sources[i].kind);
			cr_expect_str_eq(name, sources[i].name);
		}
	}
}

static char *text_of(const char *path)
{
	char *text = NULL;

	cr_assert(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static char *manual_text(enum tl_manual_form form)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	tl_manual_print(form, out);
	fclose(out);
	return text;
}

/* The first line in which two texts differ; NULL: none. */
static const char *first_difference(const char *a, const char *b)
{
	const char *line = a;

	for (; *a && *a == *b; a++, b++)
		if (*a == '\n')
			line = a + 1;
	return *a == *b ? NULL : line;
}

/* After a change of the table: sh tests/support/write_keys.sh BUILD/b2bua/twinleg */
Test(settings, the_sample_shows_the_table)
{
	g_autofree char *sample = text_of(TL_SOURCE_DIR "/conf/twinleg.ini");
	char *table = manual_text(TL_MANUAL_SAMPLE);
	char *start = strstr(sample, "; The gateway itself.\n");
	char *end = strstr(sample, "; A small company:\n");
	const char *difference;

	cr_assert(start && end && start < end);
	*end = '\0';
	difference = first_difference(table, start);
	cr_expect_null(difference, "conf/twinleg.ini is not as the table at: %.80s\n%s", difference,
		       "write it anew with tests/support/write_keys.sh");
	free(table);
}

Test(settings, the_manual_page_shows_the_table)
{
	g_autofree char *page = text_of(TL_SOURCE_DIR "/systemd/twinleg.ini.5");
	char *table = manual_text(TL_MANUAL_MAN);
	const char *difference = first_difference(table, page);

	cr_expect_null(difference, "systemd/twinleg.ini.5 is not as the table at: %.80s\n%s",
		       difference, "write it anew with tests/support/write_keys.sh");
	free(table);
}

Test(settings, the_table_as_text_has_a_line_for_each_key)
{
	char *table = manual_text(TL_MANUAL_TABLE);
	g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
	unsigned at = 1;

	for (int section = 0; section < _TL_SECTION_MAX; section++) {
		const struct tl_key *keys;
		size_t n;

		keys = tl_keys(section, &n);
		for (size_t i = 0; i < n; i++) {
			g_auto(GStrv) cells = g_strsplit(lines[at++], "\t", -1);

			cr_assert_eq(g_strv_length(cells), 5, "%s", keys[i].name);
			cr_expect_str_eq(cells[0], tl_section_name(section));
			cr_expect_str_eq(cells[1], keys[i].name);
			cr_expect_str_eq(cells[4], keys[i].help);
			cr_expect(keys[i].initial || keys[i].example, "%s has nothing to show",
				  keys[i].name);
		}
	}
	cr_expect_str_eq(lines[at], "");
	free(table);
}

Test(settings, like_another)
{
	struct tl_dialplan *dp =
		dialplan_of("[trunk base]\ncodecs = PCMA\nmax-calls = 7\nlike = root\n[trunk "
			    "root]\ndtmf = info\n"
			    "max-calls = 9\n"
			    "[trunk a]\nlike = base\nhost = a.example\n"
			    "[trunk b]\nhost = b.example\nmax-calls = 3\nlike = a\n"
			    "[extension 1]\npassword = x\nname = Alice\n[extension 2]\nlike = 1\n"
			    "ha1 = d41d8cd98f00b204e9800998ecf8427e\n"
			    "[route common]\nring-time = 7s\ncodecs = opus\nadd-header X-A = "
			    "1\nadd-header X-B = 2\n"
			    "[route r]\nlike = common\nadd-header x-b = 3\nring = 1\n"
			    "[route no]\nlike = common\nto = 5\nreject = 404\n");
	const struct tl_trunk_cfg *b = tl_dialplan_trunk(dp, "b");
	const struct tl_extension_cfg *two = tl_dialplan_extension(dp, "2");
	struct tl_decision *d;
	size_t n;

	tl_dialplan_trunks(dp, &n);
	cr_expect_eq(n, 2, "a model without a host is no trunk");
	cr_expect_null(tl_dialplan_trunk(dp, "base"));
	cr_expect_str_eq(b->host, "b.example");
	cr_expect_eq(b->max_calls, 3);
	cr_expect_eq(b->dtmf, TL_DTMF_INFO);
	cr_expect_eq(tl_dialplan_trunk(dp, "a")->max_calls, 7, "the nearer one counts");
	cr_expect_str_eq(b->codecs[0], "PCMA");
	cr_expect_str_eq(two->name, "Alice");
	cr_expect_null(two->password, "ha1 stands instead");
	d = decide(dp, "trunk:a 1 9", 0);
	cr_assert_not_null(d);
	cr_expect_eq(d->ring_time_s, 7);
	cr_assert_eq(d->n_add_headers, 2);
	cr_expect_str_eq(d->add_headers[0].value, "3");
	cr_expect_str_eq(d->add_headers[1].name, "X-A");
	tl_decision_free(d);
	tl_dialplan_unref(dp);
}

Test(settings, the_sample_loads)
{
	struct tl_dialplan *dp;
	struct tl_diags *diags;

	cr_assert_eq(tl_dialplan_load(TL_SOURCE_DIR "/conf/twinleg.ini", &dp, &diags), 0);
	cr_expect_eq(tl_dialplan_warnings(dp), 0);
	tl_dialplan_unref(dp);
}

/* Every example must be what its key takes: alone in its section, with what it refers to. */
Test(settings, examples_are_right)
{
	static const char others[] =
		"[trunk carrier]\nhost = a\n[extension 1001]\npassword = x\n[extension "
		"1002]\npassword = x\n"
		"[group sales]\nmembers = 1001\n[hours office]\n[hours holidays]\n[trunk "
		"backup]\nhost = c\n[route "
		"voicebox]\nanswer = echo\n";
	static const char *const needed[_TL_SECTION_MAX] = {
		[TL_SECTION_GATEWAY] = "",
		[TL_SECTION_TRUNK] = ("host = b\nuser = u\npassword = p\nallow-user = c\n"
				      "allow-password = p\n"),
		[TL_SECTION_EXTENSION] = "",
		[TL_SECTION_GROUP] = "members = 1001\n",
		[TL_SECTION_HOURS] = "",
		[TL_SECTION_ROUTE] = "to = 00(X.)\nring = 1001\n",
	};

	for (int section = 0; section < TL_SECTION_EXPECT; section++) {
		const struct tl_key *keys;
		size_t n;

		keys = tl_keys(section, &n);
		for (size_t i = 0; i < n; i++) {
			const char *value = keys[i].initial ? keys[i].initial : keys[i].example;
			g_autofree char *own = g_strdup_printf("%s = ", keys[i].name);
			g_autofree char *text = NULL, *mistakes = NULL;
			g_auto(GStrv) lines = g_strsplit(needed[section], "\n", -1);
			g_autoptr(GString) kept = g_string_new(NULL);

			/* files that the example names are not here; instead of ring come others */
			if (!strcmp(keys[i].name, "play") || !strcmp(keys[i].name, "include") ||
			    !strcmp(keys[i].name, "play-as") || !strcmp(keys[i].name, "on-closed"))
				continue;
			for (size_t k = 0; lines[k]; k++)
				if (!g_str_has_prefix(lines[k], own) &&
				    !(strstr("answer reject redirect", keys[i].name) &&
				      g_str_has_prefix(lines[k], "ring")))
					g_string_append_printf(kept, "%s\n", lines[k]);
			if (!strcmp(keys[i].name, "ha1-sha256")) /* beside the other one */
				g_string_append(kept, "ha1 = d41d8cd98f00b204e9800998ecf8427e\n");
			text = g_strdup_printf("%s[%s%s]\n%s%s%s\n", others,
					       tl_section_name(section), section ? " sample" : "",
					       kept->str, own, value);
			mistakes = mistakes_in(text);
			cr_expect_str_eq(mistakes, "", "%s", mistakes);
		}
	}
}
