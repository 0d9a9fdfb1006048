#include "dialplan/load/expect.h"

#include <string.h>
#include "dialplan/decide/said.h"
#include "dialplan/text/value.h"

bool tl_parse_later(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		    void *object)
{
	*(struct tl_value *)tl_field(object, key) = *value;
	return true;
}

/* Room for one more at the end of a list in the pool. */
static void *grow(struct tl_parse *p, const void *list, size_t n, size_t bytes)
{
	char *copy = tl_pool_alloc(p->pool, n + 1, bytes);

	if (n)
		memcpy(copy, list, n * bytes);
	return copy;
}

bool tl_parse_said(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	struct tl_expect *expect = object;
	struct tl_value *said = grow(p, expect->said, expect->n_said, sizeof(*said));

	said[expect->n_said++] = *value;
	expect->said = said;
	return true;
}

bool tl_key_is_said_of_one(const char *key)
{
	const char *named;

	return tl_said_find(key, &named) && *named;
}

bool tl_parse_expect_header(struct tl_parse *p, const struct tl_key *key,
			    const struct tl_value *value, void *object)
{
	struct tl_expect *expect = object;
	const char *name = value->key + strlen("header");
	struct tl_fact_header *headers =
		grow(p, expect->headers, expect->n_headers, sizeof(*headers));

	headers[expect->n_headers++] = (struct tl_fact_header) {
		name + strspn(name, " \t"),
		tl_value_unquote(p->pool, value),
	};
	expect->headers = headers;
	return true;
}

/* The call of an expectation, and whether it says when. */
struct asked {
	struct tl_facts facts;
	bool timed;
};

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

/* --- what is said, as the fact's own text would have it --- */

/* "a,b" as "a, b" */
static char *read_list(struct tl_parse *p, const struct tl_value *value)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	struct tl_value rest = *value, item;

	while (tl_value_next(p->pool, &rest, &item))
		g_ptr_array_add(items, (char *)tl_value_unquote(p->pool, &item));
	return tl_list_text((const char *const *)items->pdata, items->len);
}

static char *read_files(struct tl_parse *p, const struct tl_value *value)
{
	static const char *const words[] = { "auto", "default" };
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	struct tl_value rest = *value, item;

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(value->text, words[i]) == 0)
			return g_strdup(value->text);
	while (tl_value_next(p->pool, &rest, &item))
		g_ptr_array_add(paths, (char *)tl_play_path(p, &item));
	return tl_list_text((const char *const *)paths->pdata, paths->len);
}

static char *read_follow(struct tl_parse *p, const struct tl_value *value)
{
	struct tl_key at_start = { 0 };
	struct tl_follow follow = { 0 };

	return tl_parse_follow(p, &at_start, value, &follow) ? tl_follow_text(&follow) : NULL;
}

static char *read_time(struct tl_parse *p, const struct tl_value *value)
{
	int64_t ms;

	if (tl_duration_read(value->text, &ms))
		return tl_seconds_text(ms / 1000);
	(void)tl_mistake_expected(p, value, "a time such as 25s");
	return NULL;
}

/* What a value says; NULL: a mistake was added. The caller frees it. */
static char *read_said(struct tl_parse *p, const struct tl_said *row, const struct tl_value *value)
{
	if (strcmp(value->text, "none") == 0)
		return g_strdup("none");
	switch (row->form) {
	case TL_SAID_LIST:
		return read_list(p, value);
	case TL_SAID_FILES:
		return read_files(p, value);
	case TL_SAID_FOLLOW:
		return read_follow(p, value);
	case TL_SAID_TIME:
		return read_time(p, value);
	case TL_SAID_TEXT:
	case TL_SAID_STATUS:
	case TL_SAID_RINGS:
		break;
	}
	return g_strdup(tl_value_unquote(p->pool, value));
}

/* --- comparing --- */

/* A mistake unless both texts are the same; actual NULL or "" reads as "none". */
static void compare(struct tl_parse *p, const struct tl_value *value, const char *expected,
		    const char *actual)
{
	g_autofree char *want = NULL, *have = NULL;

	actual = actual && *actual ? actual : "none";
	if (strcmp(expected, actual) == 0)
		return;
	want = tl_quote(expected);
	have = tl_quote(actual);
	tl_mistake(p, value, "expected %s, and it is %s", want, have);
}

/* "reject 486" holds for "reject 486 Busy Here". */
static bool leaves_reason_out(const char *expected, const char *actual)
{
	size_t bytes = strlen(expected);

	return bytes && g_ascii_isdigit(expected[bytes - 1]) && actual &&
	       strncmp(expected, actual, bytes) == 0 && actual[bytes] == ' ';
}

/* Both as steps with as much said of each target as the expectation says. */
static void compare_rings(struct tl_parse *p, const struct tl_value *value,
			  const struct tl_decision *d, const char *actual)
{
	struct tl_value have_value = *value;
	const struct tl_ring_step *want, *have = NULL;
	size_t n_want, n_have = 0;
	struct tl_steps_words words = { .ring_time_s = d ? d->ring_time_s : 0 };
	g_autofree char *want_text = NULL, *have_text = NULL;
	bool dialled;

	if (!tl_ring_read(p, value, &want, &n_want, &dialled))
		return;
	have_value.text = actual;
	if (actual && !tl_ring_read(p, &have_value, &have, &n_have, &dialled))
		return;
	for (size_t i = 0; i < n_want; i++) {
		for (size_t k = 0; k < want[i].n_targets; k++) {
			words.times = words.times || want[i].targets[k].ring_time_s;
			words.shares = words.shares || want[i].targets[k].weight > 1;
		}
	}
	if (d)
		words.dialled = tl_dialplan_extension(p->dp, d->callee);
	want_text = tl_steps_text(want, n_want, &words);
	have_text = actual ? tl_steps_text(have, n_have, &words) : NULL;
	compare(p, value, want_text, have_text);
}

static void compare_row(struct tl_parse *p, const struct tl_said *row, const struct tl_value *value,
			const struct tl_saying *saying)
{
	g_autofree char *have = saying->decision ? row->text(saying) : NULL, *want = NULL;

	if (row->form == TL_SAID_RINGS && strcmp(value->text, "none") != 0) {
		compare_rings(p, value, saying->decision, have);
		return;
	}
	want = read_said(p, row, value);
	if (!want)
		return;
	if ((row->form == TL_SAID_STATUS || row->form == TL_SAID_FOLLOW) &&
	    leaves_reason_out(want, have))
		return;
	compare(p, value, want, have);
}

/* The section that a key's end names is there; else a mistake was added. */
static bool check_named(struct tl_parse *p, const struct tl_value *value, const char *named)
{
	struct tl_value at_key = *value;
	struct tl_source source;

	at_key.at = value->key_at;
	at_key.text = named;
	return tl_source_read(p, &at_key, &source);
}

/* Of one who is rung: nobody of that name is none. */
static void compare_target(struct tl_parse *p, const struct tl_said *row,
			   const struct tl_value *value, const char *named,
			   struct tl_saying *saying)
{
	const struct tl_decision *d = saying->decision;

	if (!check_named(p, value, named))
		return;
	for (size_t i = 0; d && i < d->n_steps; i++) {
		for (size_t k = 0; k < d->steps[i].n_targets; k++) {
			g_autofree char *name = tl_target_text(&d->steps[i].targets[k]);

			if (strcmp(name, named) != 0)
				continue;
			saying->target = &d->steps[i].targets[k];
			compare_row(p, row, value, saying);
			return;
		}
	}
	tl_mistake(p, value, "%s is not rung", named);
}

static void compare_header(struct tl_parse *p, const struct tl_said *row,
			   const struct tl_value *value, const char *named,
			   struct tl_saying *saying)
{
	const struct tl_decision *d = saying->decision;

	for (size_t i = 0; d && i < d->n_add_headers; i++) {
		if (g_ascii_strcasecmp(d->add_headers[i].name, named) != 0)
			continue;
		saying->header = &d->add_headers[i];
		compare_row(p, row, value, saying);
		return;
	}
	compare(p, value, tl_value_unquote(p->pool, value), NULL);
}

static void compare_said(struct tl_parse *p, const struct tl_value *value,
			 const struct tl_facts *facts, const struct tl_decision *d)
{
	const char *named;
	const struct tl_said *row = tl_said_find(value->key, &named);
	struct tl_saying saying = { p->dp, facts, d, NULL, NULL };

	if (row->of == TL_SAID_OF_TARGET)
		compare_target(p, row, value, named, &saying);
	else if (row->of == TL_SAID_OF_HEADER)
		compare_header(p, row, value, named, &saying);
	else
		compare_row(p, row, value, &saying);
}

static void compare_route(struct tl_parse *p, const struct tl_value *route,
			  const struct tl_decision *d)
{
	const char *name = route->text;
	g_autofree char *quoted = NULL, *hint = NULL;

	if (!name)
		return;
	if (strcmp(name, "none") == 0 || g_hash_table_contains(p->dp->route_by_name, name)) {
		compare(p, route, name, d ? d->route : NULL);
		return;
	}
	quoted = tl_quote(name);
	hint = tl_suggest_section(p, TL_SECTION_ROUTE, name);
	tl_mistake(p, route, "there is no [route] %s%s", quoted, hint);
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
	compare_route(p, &expect->route, decision);
	for (size_t i = 0; i < expect->n_said; i++)
		compare_said(p, &expect->said[i], &asked.facts, decision);
	tl_decision_free(decision);
}
