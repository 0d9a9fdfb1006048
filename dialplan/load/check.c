/* What no single value shows: values that depend on others, or contradict them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "dialplan/load/load.h"
#include "dialplan/route/rewrite.h"
#include "dialplan/text/value.h"

void tl_load_object(struct tl_load *load, const struct tl_loaded *loaded, const char *key,
		    const char *format, ...)
{
	const struct tl_value *value = tl_load_value(load, loaded, key);
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	tl_diags_add(load->parse.diags, value ? &value->key_at : &loaded->section->at, "%s: %s",
		     key, text);
}

/* RFC 3261 26.3.1: a TLS server has a certificate. */
static void check_tls(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_gateway *gw = loaded->object;
	bool wanted = false;

	for (size_t i = 0; i < gw->n_listen; i++)
		wanted |= gw->listen[i].transport == TL_TRANSPORT_TLS;
	if (wanted && !gw->certificate)
		tl_load_object(load, loaded, "listen", "tls needs certificate = FILE, too");
}

static void inherit_session(const struct tl_gateway *gw, unsigned *expires_s)
{
	if (*expires_s == TL_SESSION_UNSAID)
		*expires_s = gw->session_expires_s;
}

void tl_load_inherit(struct tl_load *load)
{
	struct tl_dialplan *dp = load->parse.dp;
	struct tl_gateway *gw = &dp->gateway;
	const char *host = g_get_host_name();

	if (!gw->domain)
		gw->domain = tl_pool_strdup(dp->pool, *host ? host : "twinleg.local");
	if (!gw->recordings && gw->state)
		gw->recordings =
			tl_pool_take(dp->pool, g_build_filename(gw->state, "recordings", NULL));
	for (size_t i = 0; i < dp->n_trunks; i++) {
		if (!dp->trunks[i].codecs) {
			dp->trunks[i].codecs = gw->codecs;
			dp->trunks[i].n_codecs = gw->n_codecs;
		}
		inherit_session(gw, &dp->trunks[i].session_expires_s);
	}
	for (size_t i = 0; i < dp->n_extensions; i++) {
		if (!dp->extensions[i].codecs) {
			dp->extensions[i].codecs = gw->codecs;
			dp->extensions[i].n_codecs = gw->n_codecs;
		}
		inherit_session(gw, &dp->extensions[i].session_expires_s);
	}
	for (size_t i = 0; i < dp->n_routes; i++)
		if (!dp->routes[i].ring_time_s)
			dp->routes[i].ring_time_s = gw->ring_time_s;
}

/* "<sip:…>, <sip:…>", with nothing that would end the header. */
static bool is_route(const char *text)
{
	g_auto(GStrv) hops = g_strsplit(text, ",", -1);

	for (char **hop = hops; *hop; hop++) {
		const char *uri = g_strstrip(*hop);
		size_t n = strlen(uri);

		if (!g_str_has_prefix(uri, "<sip") || n < 7 || uri[n - 1] != '>' ||
		    strcspn(uri + 1, "<> \"\t\r\n") != n - 2)
			return false;
	}
	return *hops != NULL;
}

static void check_gateway(struct tl_load *load, const struct tl_loaded *loaded)
{
	struct tl_gateway *gw = loaded->object;
	const struct tl_value *music = tl_load_value(load, loaded, "hold-music");

	if (music) /* now that prompts is known, wherever it stood */
		(void)tl_parse_music(&load->parse, tl_key_find(loaded->kind, "hold-music"), music,
				     gw);
	if (gw->service_route && !is_route(gw->service_route))
		tl_load_object(
			load, loaded, "service-route",
			"expected URIs in angle brackets, such as <sip:edge.example.net;lr>");
	if (gw->ban_time_s > gw->ban_max_s)
		tl_load_object(load, loaded, "ban-time", "%u s are more than ban-max, %u s",
			       gw->ban_time_s, gw->ban_max_s);
	check_tls(load, loaded);
	if (gw->register_min_s > gw->register_max_s)
		tl_load_object(load, loaded, "register-min",
			       "%u s are more than register-max, %u s", gw->register_min_s,
			       gw->register_max_s);
	else if (gw->register_default_s < gw->register_min_s ||
		 gw->register_default_s > gw->register_max_s)
		tl_load_object(load, loaded, "register-default",
			       "%u s are not between register-min, %u s, and register-max, %u s",
			       gw->register_default_s, gw->register_min_s, gw->register_max_s);
}

/* A name stands for one who calls only. */
static void check_allow_user(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_trunk_cfg *trunk = loaded->object, *same;

	if (!trunk->allow_user != !trunk->allow_password)
		tl_load_object(load, loaded, trunk->allow_user ? "allow-user" : "allow-password",
			       "needs %s = … in the same section",
			       trunk->allow_user ? "allow-password" : "allow-user");
	if (!trunk->allow_user)
		return;
	same = tl_dialplan_trunk_by_user(load->parse.dp, trunk->allow_user);
	if (same != trunk)
		tl_load_object(load, loaded, "allow-user", "[trunk %s] has this name already",
			       same->name);
	if (tl_dialplan_extension(load->parse.dp, trunk->allow_user))
		tl_load_object(load, loaded, "allow-user", "there is an [extension %s]",
			       trunk->allow_user);
}

static void check_trunk(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_trunk_cfg *trunk = loaded->object;

	check_allow_user(load, loaded);

	if (trunk->registers && !trunk->user)
		tl_load_object(load, loaded, "register", "needs user = … in the same section");
	if (trunk->registers && !trunk->password)
		tl_load_object(load, loaded, "register", "needs password = … in the same section");
}

/* Each algorithm that [gateway] offers needs the password or a hash of its own. */
static void check_hashes(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_extension_cfg *ext = loaded->object;
	enum tl_digest_offer digest = load->parse.dp->gateway.digest;

	if (ext->password)
		return;
	if (ext->ha1 && !ext->ha1_sha256 && digest != TL_DIGEST_MD5)
		tl_load_object(load, loaded, "ha1",
			       "is a hash for MD5, and digest in [gateway] offers SHA-256: give "
			       "ha1-sha256, or password");
	if (ext->ha1_sha256 && !ext->ha1 && digest != TL_DIGEST_SHA256)
		tl_load_object(
			load, loaded, "ha1-sha256",
			"is a hash for SHA-256, and digest in [gateway] offers MD5: give ha1, or "
			"password");
}

static void check_extension(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_extension_cfg *ext = loaded->object;
	const char *hash = ext->ha1 ? "ha1" : ext->ha1_sha256 ? "ha1-sha256" : NULL;

	if (ext->password && hash)
		tl_load_object(load, loaded, hash,
			       "stands instead of password: leave one of them out");
	check_hashes(load, loaded);
	if (!ext->password && !hash && !tl_load_value(load, loaded, "ha1") &&
	    !tl_load_value(load, loaded, "ha1-sha256"))
		tl_diags_add(load->parse.dp->warnings, &loaded->section->at,
			     "extension %s has no password, so no phone can register as it",
			     ext->number);
}

/* The keys that say what becomes of a call, of which a route has exactly one;
 * announcements alone count when there is none of the others. */
static const char *const actions[] = { "ring", "answer", "reject", "redirect" };

static void check_action(struct tl_load *load, const struct tl_loaded *loaded)
{
	const char *first = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
		if (!tl_load_value(load, loaded, actions[i]))
			continue;
		if (first)
			tl_load_object(load, loaded, actions[i],
				       "the route has %s already: leave one out", first);
		first = first ? first : actions[i];
	}
	if (!first && !loaded->puzzling && !tl_load_value(load, loaded, "play"))
		tl_diags_add(
			load->parse.diags, &loaded->section->at,
			"route %s does nothing: it needs ring, play, answer, reject or redirect",
			loaded->section->name);
	if (first && strcmp(first, "redirect") == 0 && tl_load_value(load, loaded, "play"))
		tl_load_object(load, loaded, "play", "nothing is heard on a route with %s", first);
}

/* Keys that would be of no effect are mistakes: whoever wrote them meant something. */
static void check_idle_keys(struct tl_load *load, const struct tl_loaded *loaded)
{
	static const char *const with_ring[] = {
		"ring-time",   "on-busy", "on-no-answer", "on-failure",    "caller",
		"caller-name", "privacy", "drop-headers", "carry-headers", "ringback",
		"hold-music",  "media",   "transfer",
	};
	const struct tl_route_cfg *route = loaded->object;
	const char *own_header = NULL;

	for (unsigned i = 0; i < loaded->n_own && !own_header; i++) {
		const struct tl_value *value = loaded->values->pdata[i];

		own_header = tl_key_adds_header(value->key) ? value->key : NULL;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(with_ring); i++)
		if (tl_load_own(loaded, with_ring[i]) && !tl_load_value(load, loaded, "ring"))
			tl_load_object(load, loaded, with_ring[i], "has no effect without ring");
	if (tl_load_value(load, loaded, "play-as") && !tl_load_value(load, loaded, "play"))
		tl_load_object(load, loaded, "play-as", "has no effect without play");
	else if (route->play_as == TL_PLAY_EARLY && !tl_load_value(load, loaded, "ring") &&
		 !tl_load_value(load, loaded, "reject"))
		tl_load_object(load, loaded, "play-as",
			       "early is for announcements before ringing");
	else if (route->play_as == TL_PLAY_ANSWER && tl_load_value(load, loaded, "reject"))
		tl_load_object(load, loaded, "play-as",
			       "a call that is rejected is never answered");
	if (own_header && !tl_load_value(load, loaded, "ring"))
		tl_load_object(load, loaded, own_header, "has no effect without ring");
	if (tl_load_value(load, loaded, "on-closed") && !route->n_when)
		tl_load_object(load, loaded, "on-closed", "has no effect without when");
	if (tl_load_value(load, loaded, "number") &&
	    (tl_load_value(load, loaded, "strip") || tl_load_value(load, loaded, "prefix")))
		tl_load_object(load, loaded, "number", "stands instead of strip and prefix");
}

/* Whoever leaves media to the parties hears nothing of it, and changes nothing. */
static void check_direct(struct tl_load *load, const struct tl_loaded *loaded)
{
	static const char *const needing[] = { "play", "record", "codecs",     "dtmf",
					       "srtp", "t38",    "echo-cancel" };
	const struct tl_route_cfg *route = loaded->object;

	if (route->media != TL_MEDIA_DIRECT)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(needing); i++)
		if (tl_load_own(loaded, needing[i]))
			tl_load_object(load, loaded, needing[i],
				       "needs the media that media = direct leaves to the parties");
	if (route->ringback == TL_RINGBACK_FILE)
		tl_load_object(load, loaded, "ringback",
			       "needs the media that media = direct leaves to the parties");
}

static void check_caller_groups(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_route_cfg *route = loaded->object;
	size_t offset;
	int highest = route->caller ? tl_template_check(route->caller, &offset) : 0;

	if (highest > 0 && !route->n_from_number)
		tl_load_object(load, loaded, "caller",
			       "$%d needs a pattern with groups in from-number", highest);
	for (size_t i = 0; i < route->n_from_number; i++)
		if (highest > (int)route->from_number[i].n_groups)
			tl_load_object(load, loaded, "caller", "$%d: the pattern %s has %u group%s",
				       highest, route->from_number[i].text,
				       route->from_number[i].n_groups,
				       route->from_number[i].n_groups == 1 ? "" : "s");
}

static void check_groups(struct tl_load *load, const struct tl_loaded *loaded, const char *key,
			 const char *text)
{
	const struct tl_route_cfg *route = loaded->object;
	size_t offset;
	int highest = text ? tl_template_check(text, &offset) : 0;

	if (highest > 0 && !route->n_to)
		tl_load_object(load, loaded, key, "$%d needs a pattern with groups in to", highest);
	for (size_t i = 0; i < route->n_to; i++)
		if (highest > (int)route->to[i].n_groups)
			tl_load_object(load, loaded, key, "$%d: the pattern %s has %u group%s",
				       highest, route->to[i].text, route->to[i].n_groups,
				       route->to[i].n_groups == 1 ? "" : "s");
}

static void check_strip(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_route_cfg *route = loaded->object;

	for (size_t i = 0; i < route->n_to; i++) {
		size_t shortest = tl_pattern_min_bytes(&route->to[i]);

		if (route->strip > shortest)
			tl_load_object(load, loaded, "strip",
				       "takes %u characters off, but %s matches numbers of %zu",
				       route->strip, route->to[i].text, shortest);
	}
}

/* Conditions that no call, or every call, meets. */
static void check_contradictions(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_route_cfg *route = loaded->object;

	for (size_t i = 0; i < route->n_when; i++) {
		const char *name = route->when[i].hours->name;

		for (size_t k = 0; k < i; k++) {
			if (route->when[i].hours != route->when[k].hours)
				continue;
			if (route->when[i].outside == route->when[k].outside)
				tl_load_object(load, loaded, "when", "%s stands twice", name);
			else
				tl_load_object(load, loaded, "when", "both %s and not %s", name,
					       name);
		}
	}
	for (size_t i = 0; i < route->n_header_tests; i++)
		for (size_t k = 0; k < i; k++)
			if (route->header_tests[i].name == route->header_tests[k].name &&
			    strcmp(route->header_tests[k].value, "*") == 0)
				tl_diags_add(load->parse.diags, &route->at,
					     "header %s: beside *, for any value, nothing else "
					     "counts",
					     route->header_tests[i].name);
}

static void check_route(struct tl_load *load, const struct tl_loaded *loaded)
{
	const struct tl_route_cfg *route = loaded->object;

	check_contradictions(load, loaded);
	check_action(load, loaded);
	check_idle_keys(load, loaded);
	check_direct(load, loaded);
	check_caller_groups(load, loaded);
	check_groups(load, loaded, "number", route->number);
	for (size_t i = 0; i < route->n_add_headers; i++) {
		g_autofree char *key = g_strconcat("add-header ", route->add_headers[i].name, NULL);

		check_groups(load, loaded, key, route->add_headers[i].value);
	}
	for (size_t i = 0; i < route->n_redirects; i++)
		check_groups(load, loaded, "redirect", route->redirects[i].uri);
	check_strip(load, loaded);
}

static int compare_admissions(const void *left, const void *right)
{
	const struct tl_admission *a = left, *b = right;

	if (a->cidr.prefix_bits != b->cidr.prefix_bits)
		return a->cidr.prefix_bits > b->cidr.prefix_bits ? -1 : 1;
	return a->trunk < b->trunk ? -1 : a->trunk > b->trunk; /* one array, in file order */
}

/* A trunk without allow may call from its own address. */
static bool own_address(const char *host, struct tl_cidr *ret_cidr)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	*ret_cidr = (struct tl_cidr) { 0 };
	if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(&ret_cidr->addr, &in, sizeof(in));
		ret_cidr->prefix_bits = 32;
		return true;
	}
	memcpy(&ret_cidr->addr, &in6, sizeof(in6));
	ret_cidr->prefix_bits = 128;
	return inet_pton(AF_INET6, host, &((struct sockaddr_in6 *)&ret_cidr->addr)->sin6_addr) == 1;
}

static void list_admissions(struct tl_load *load)
{
	struct tl_dialplan *dp = load->parse.dp;
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_admission));

	for (size_t i = 0; i < dp->n_trunks; i++) {
		const struct tl_trunk_cfg *trunk = &dp->trunks[i];
		struct tl_admission admission = { .trunk = trunk };

		for (size_t k = 0; k < trunk->n_allow; k++) {
			admission.cidr = trunk->allow[k];
			g_array_append_val(list, admission);
		}
		for (size_t k = 0; !trunk->n_allow && k < trunk->n_places; k++)
			if (own_address(trunk->places[k].host, &admission.cidr))
				g_array_append_val(list, admission);
	}
	g_array_sort(list, compare_admissions);
	dp->admissions = tl_pool_copy(dp->pool, list->data, list->len, sizeof(struct tl_admission));
	dp->n_admissions = list->len;
	g_array_unref(list);
}

void tl_load_check(struct tl_load *load)
{
	static void (*const checks[_TL_SECTION_MAX])(struct tl_load *, const struct tl_loaded *) = {
		[TL_SECTION_GATEWAY] = check_gateway,
		[TL_SECTION_TRUNK] = check_trunk,
		[TL_SECTION_EXTENSION] = check_extension,
		[TL_SECTION_ROUTE] = check_route,
	};

	for (unsigned i = 0; i < load->sections->len; i++) {
		const struct tl_loaded *loaded =
			&g_array_index(load->sections, struct tl_loaded, i);

		if (checks[loaded->kind] && loaded->object)
			checks[loaded->kind](load, loaded);
	}
	tl_load_check_follows(load);
	list_admissions(load);
}
