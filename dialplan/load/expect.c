#include "dialplan/load/expect.h"

#include <string.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/text/value.h"

bool tl_parse_later(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		    void *object)
{
	*(struct tl_value *)tl_field(object, key) = *value;
	return true;
}

/* The call of an expectation, and whether it says when. */
struct asked {
	struct tl_facts facts;
	bool timed;
};

bool tl_parse_expect_header(struct tl_parse *p, const struct tl_key *key,
			    const struct tl_value *value, void *object)
{
	struct tl_expect *expect = object;
	struct tl_fact_header *headers =
		tl_pool_alloc(p->pool, expect->n_headers + 1, sizeof(*headers));
	const char *name = value->key + strlen("header");

	if (expect->n_headers)
		memcpy(headers, expect->headers, expect->n_headers * sizeof(*headers));
	headers[expect->n_headers++] = (struct tl_fact_header) {
		name + strspn(name, " \t"),
		tl_value_unquote(p->pool, value),
	};
	expect->headers = headers;
	return true;
}

/* What the call is beside its numbers. */
static bool read_circumstances(struct tl_parse *p, const struct tl_expect *expect,
			       struct tl_facts *facts)
{
	struct tl_key offers = { .offset = offsetof(struct tl_facts, offered) };
	struct tl_key transport = { 0 };
	unsigned bits = 0;

	facts->headers = expect->headers;
	facts->n_headers = expect->n_headers;
	if (expect->offers.text && !tl_parse_offers(p, &offers, &expect->offers, facts))
		return false;
	if (!expect->transport.text)
		return true;
	if (!tl_parse_transports(p, &transport, &expect->transport, &bits))
		return false;
	for (int t = 0; t < _TL_TRANSPORT_MAX; t++)
		if (bits == 1u << t)
			facts->transport = t;
	return true;
}

static bool check_source(struct tl_parse *p, const struct tl_value *call,
			 const struct tl_facts *facts)
{
	enum tl_section section =
		facts->source == TL_SOURCE_TRUNK ? TL_SECTION_TRUNK : TL_SECTION_EXTENSION;
	g_autofree char *quoted = NULL, *hint = NULL;

	if (facts->source == TL_SOURCE_TRUNK ? !!tl_dialplan_trunk(p->dp, facts->source_name)
					     : !!tl_dialplan_extension(p->dp, facts->source_name))
		return true;
	quoted = tl_quote(facts->source_name);
	hint = tl_suggest_section(p, section, facts->source_name);
	return tl_mistake(p, call, "there is no [%s] %s%s", tl_section_name(section), quoted, hint);
}

/* SOURCE CALLER CALLEE [at DATE TIME [ZONE]] */
static bool read_call(struct tl_parse *p, const struct tl_value *call, struct asked *ret)
{
	static const char expected[] =
		"\"SOURCE CALLER CALLEE\", perhaps \"at YYYY-MM-DD HH:MM\", such as "
		"\"trunk:carrier +49170111222 +4930555100 at 2026-11-23 10:00\"";
	const char *at = strstr(call->text, " at ");
	struct asked asked = { .timed = at != NULL };
	g_auto(GStrv) words = g_strsplit_set(call->text, " \t", -1);
	const char *word[4] = { NULL };
	size_t n = 0;

	for (size_t i = 0; words[i] && n < G_N_ELEMENTS(word); i++)
		if (*words[i])
			word[n++] = words[i];
	if (n < 3 || (n > 3 && (strcmp(word[3], "at") != 0 || !at)) ||
	    tl_source_parse(word[0], &asked.facts.source, &asked.facts.source_name) < 0)
		return tl_mistake_expected(p, call, expected);
	asked.facts.source_name = tl_pool_strdup(p->pool, asked.facts.source_name);
	asked.facts.caller =
		strcmp(word[1], "withheld") == 0 ? "" : tl_pool_strdup(p->pool, word[1]);
	asked.facts.callee = tl_pool_strdup(p->pool, word[2]);
	at = at ? at + strlen(" at ") : "";
	if (asked.timed && tl_time_parse(at + strspn(at, " \t"), &asked.facts.at_s) < 0)
		return tl_mistake_expected(p, call, expected);
	*ret = asked;
	return check_source(p, call, &asked.facts);
}

/* Would some route's hours decide who takes the call? */
static bool needs_time(const struct tl_dialplan *dp, const struct tl_facts *facts)
{
	for (size_t i = 0; i < dp->n_routes; i++) {
		const struct tl_route_cfg *route = &dp->routes[i];
		enum tl_condition missed = tl_route_miss(dp, route, facts);

		if (route->n_when && (missed == TL_CONDITION_WHEN || missed == TL_CONDITION_NONE))
			return true;
		if (missed == TL_CONDITION_NONE)
			return false;
	}
	return false;
}

/* A mistake unless both texts are the same; actual NULL or "" reads as "none". */
static void compare(struct tl_parse *p, const struct tl_value *value, const char *expected,
		    const char *actual)
{
	g_autofree char *want = NULL, *have = NULL;

	actual = actual && *actual ? actual : "none";
	if (!value->text || strcmp(expected, actual) == 0)
		return;
	want = tl_quote(expected);
	have = tl_quote(actual);
	tl_mistake(p, value, "expected %s, and it is %s", want, have);
}

static void compare_route(struct tl_parse *p, const struct tl_expect *expect,
			  const struct tl_decision *d)
{
	const char *name = expect->route.text;
	g_autofree char *quoted = NULL, *hint = NULL;

	if (!name)
		return;
	if (strcmp(name, "none") == 0 || g_hash_table_contains(p->dp->route_by_name, name)) {
		compare(p, &expect->route, name, d ? d->route : NULL);
		return;
	}
	quoted = tl_quote(name);
	hint = tl_suggest_section(p, TL_SECTION_ROUTE, name);
	tl_mistake(p, &expect->route, "there is no [route] %s%s", quoted, hint);
}

/* Where calls are shared out, what the route says rather than this call's lot. */
static char *rung_text(const struct tl_dialplan *dp, const struct tl_decision *d)
{
	const struct tl_route_cfg *route = g_hash_table_lookup(dp->route_by_name, d->route);
	bool shared = false;

	for (size_t i = 0; i < d->n_steps; i++)
		shared = shared || d->steps[i].targets[0].weight;
	return shared && route ? tl_steps_text(route->steps, route->n_steps)
			       : tl_steps_text(d->steps, d->n_steps);
}

static void compare_rings(struct tl_parse *p, const struct tl_value *rings,
			  const struct tl_decision *d)
{
	g_autofree char *want = NULL, *have = NULL;
	const struct tl_ring_step *steps = NULL;
	size_t n = 0;
	bool dialled;

	if (!rings->text)
		return;
	if (strcmp(rings->text, "none") != 0 && !tl_ring_read(p, rings, &steps, &n, &dialled))
		return;
	want = n ? tl_steps_text(steps, n) : g_strdup("none");
	have = d ? rung_text(p->dp, d) : NULL;
	compare(p, rings, want, have);
}

static void compare_plays(struct tl_parse *p, const struct tl_value *plays,
			  const struct tl_decision *d)
{
	g_autoptr(GString) want = g_string_new(NULL), have = g_string_new(NULL);
	struct tl_value rest = *plays, item;

	if (!plays->text)
		return;
	if (strcmp(plays->text, "none") == 0)
		g_string_assign(want, "none");
	else
		while (tl_value_next(p->pool, &rest, &item))
			g_string_append_printf(want, "%s%s", want->len ? ", " : "",
					       tl_play_path(p, &item));
	for (size_t i = 0; d && i < d->n_play; i++)
		g_string_append_printf(have, "%s%s", i ? ", " : "", d->play[i]);
	compare(p, plays, want->str, have->str);
}

static void compare_outcome(struct tl_parse *p, const struct tl_expect *expect,
			    const struct tl_decision *d)
{
	bool rejects = d && d->verdict == TL_VERDICT_REJECT;
	g_autofree char *status = rejects ? g_strdup_printf("%d", d->status) : NULL;
	g_autofree char *want =
		g_strndup(expect->rejects.text ? expect->rejects.text : "",
			  strcspn(expect->rejects.text ? expect->rejects.text : "", " \t"));

	compare_route(p, expect, d);
	compare_rings(p, &expect->rings, d);
	compare_plays(p, &expect->plays, d);
	compare(p, &expect->rejects, want, status);
	compare(p, &expect->redirects, expect->redirects.text,
		d && d->n_redirects ? d->redirects[0].uri : NULL);
	compare(p, &expect->dials, expect->dials.text, d ? d->callee : NULL);
	compare(p, &expect->shows, expect->shows.text,
		d && !*d->caller ? "withheld"
		: d              ? d->caller
				 : NULL);
}

static char *join_names(const char *const *names, size_t n)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "", names[i]);
	return g_string_free(out, FALSE);
}

/* The facts that are one word each, and the list of codecs. */
static void compare_facts(struct tl_parse *p, const struct tl_expect *expect,
			  const struct tl_decision *d)
{
	static const char *const records[] = { "off", "stereo", "mono" };
	g_autofree char *codecs = d ? join_names(d->codecs, d->n_codecs) : NULL;
	const struct {
		const struct tl_value *value;
		const char *actual;
	} facts[] = {
		{ &expect->caller_name, d ? d->caller_name : NULL },
		{ &expect->privacy, d ? tl_privacy_name(d->privacy) : NULL },
		{ &expect->codecs, codecs },
		{ &expect->media, d ? tl_media_mode_name(d->media) : NULL },
		{ &expect->dtmf, d && (int)d->dtmf >= 0 ? tl_dtmf_mode_name(d->dtmf) : NULL },
		{ &expect->srtp, d && (int)d->srtp >= 0 ? tl_srtp_policy_name(d->srtp) : NULL },
		{ &expect->record, d ? records[d->record] : NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(facts); i++)
		compare(p, facts[i].value, facts[i].value->text, facts[i].actual);
}

void tl_expect_run(struct tl_parse *p, const struct tl_expect *expect)
{
	struct tl_decision *decision = NULL;
	struct asked asked;

	if (!read_call(p, &expect->call, &asked) || !read_circumstances(p, expect, &asked.facts))
		return;
	if (!asked.timed && needs_time(p->dp, &asked.facts)) {
		tl_mistake(p, &expect->call,
			   "the answer depends on the hour: add \"at YYYY-MM-DD HH:MM\"");
		return;
	}
	if (tl_dialplan_decide(p->dp, &asked.facts, &decision) < 0)
		decision = NULL;
	compare_outcome(p, expect, decision);
	compare_facts(p, expect, decision);
	tl_decision_free(decision);
}
