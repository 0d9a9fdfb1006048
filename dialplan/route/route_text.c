/* A route in words, for explain. */
#include "dialplan/route/route.h"

static void append_source(GString *out, const char *before, const struct tl_source *source)
{
	const char *name = source->group ? source->group->name : source->name;

	g_string_append_printf(out, "%s%s%s%s", before,
			       source->group ? "group" : tl_source_kind_name(source->kind),
			       name ? ":" : "", name ? name : "");
}

static char *join_from(const struct tl_route_cfg *route)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < route->n_from; i++)
		append_source(out, i ? ", " : "", &route->from[i]);
	return g_string_free(out, FALSE);
}

static char *join_patterns(const struct tl_pattern *patterns, size_t n)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "", patterns[i].text);
	return g_string_free(out, FALSE);
}

static char *join_transports(const struct tl_route_cfg *route)
{
	GString *out = g_string_new(NULL);

	for (int t = 0; t < _TL_TRANSPORT_MAX; t++)
		if (route->transports & 1u << t)
			g_string_append_printf(out, "%s%s", out->len ? ", " : "",
					       tl_transport_name(t));
	return g_string_free(out, FALSE);
}

/* "audio, video" */
static char *join_offered(unsigned bits)
{
	GString *out = g_string_new(NULL);

	for (int kind = 0; kind < _TL_OFFERED_MAX; kind++)
		if (bits & 1u << kind)
			g_string_append_printf(out, "%s%s", out->len ? ", " : "",
					       tl_offered_name(kind));
	return g_string_free(out, FALSE);
}

static char *header_miss(const struct tl_route_cfg *route, const struct tl_facts *facts)
{
	const char *name = tl_route_missed_header(route, facts), *value = NULL;
	g_autoptr(GString) wanted = g_string_new(NULL);
	g_autofree char *quoted = NULL;

	for (size_t i = 0; i < route->n_header_tests; i++)
		if (route->header_tests[i].name == name)
			g_string_append_printf(wanted, "%s%s", wanted->len ? ", " : "",
					       route->header_tests[i].value);
	for (size_t i = 0; i < facts->n_headers && !value; i++)
		if (g_ascii_strcasecmp(facts->headers[i].name, name) == 0)
			value = facts->headers[i].value;
	if (!value)
		return g_strdup_printf("header %s = %s, and the call has none", name, wanted->str);
	quoted = tl_quote(value);
	return g_strdup_printf("header %s = %s, and it is %s", name, wanted->str, quoted);
}

static char *join_when(const struct tl_route_cfg *route)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < route->n_when; i++)
		g_string_append_printf(out, "%s%s%s", i ? ", " : "",
				       route->when[i].outside ? "not " : "",
				       route->when[i].hours->name);
	return g_string_free(out, FALSE);
}

char *tl_route_miss_text(const struct tl_route_cfg *route, const struct tl_facts *facts,
			 enum tl_condition condition)
{
	g_autofree char *said = NULL, *offered = NULL, *callee = tl_quote(facts->callee);
	g_autofree char *caller = *facts->caller ? tl_quote(facts->caller) : g_strdup("withheld");

	switch (condition) {
	case TL_CONDITION_FOLLOW:
		return g_strdup(
			"it has no condition, and is there for what follows on other routes");
	case TL_CONDITION_FROM:
		said = join_from(route);
		return g_strdup_printf("from = %s, and the call comes from %s:%s", said,
				       tl_source_kind_name(facts->source), facts->source_name);
	case TL_CONDITION_TO:
		said = join_patterns(route->to, route->n_to);
		return g_strdup_printf("to = %s does not match %s", said, callee);
	case TL_CONDITION_FROM_NUMBER:
		said = join_patterns(route->from_number, route->n_from_number);
		return g_strdup_printf("from-number = %s does not match the caller, %s", said,
				       caller);
	case TL_CONDITION_TRANSPORT:
		said = join_transports(route);
		return g_strdup_printf("transport = %s, and the call came by %s", said,
				       tl_transport_name(facts->transport));
	case TL_CONDITION_OFFERS:
		said = join_offered(route->offers);
		offered = join_offered(tl_facts_offered(facts));
		return g_strdup_printf("offers = %s, and the caller offers %s", said, offered);
	case TL_CONDITION_HEADER:
		return header_miss(route, facts);
	case TL_CONDITION_DIALLED:
		said = tl_route_callee(route, facts->callee);
		return g_strdup_printf("ring = extension, and there is no [extension %s]", said);
	case TL_CONDITION_WHEN:
		said = join_when(route);
		return g_strdup_printf("when = %s does not hold at that time", said);
	case TL_CONDITION_NONE:
	case _TL_CONDITION_MAX:
		break;
	}
	return g_strdup("all conditions hold");
}

static char *join_files(const char *const *paths, size_t n)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "", paths[i]);
	return g_string_free(out, FALSE);
}

char *tl_redirects_text(const struct tl_redirect *redirects, size_t n)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "",
				       redirects[i].uri         ? redirects[i].uri
				       : redirects[i].extension ? redirects[i].extension->number
								: "extension");
	return g_string_free(out, FALSE);
}

char *tl_follow_text(const struct tl_follow *follow)
{
	g_autofree char *list = NULL;

	switch (follow->kind) {
	case TL_FOLLOW_ROUTE:
		return g_strdup_printf("route:%s", follow->route);
	case TL_FOLLOW_REJECT:
		list = join_files(follow->play, follow->n_play);
		return g_strdup_printf("%s%s%sreject %d%s%s", *list ? "play " : "", list,
				       *list ? " then " : "", follow->status,
				       follow->reason ? " " : "",
				       follow->reason ? follow->reason : "");
	case TL_FOLLOW_PLAY:
		list = join_files(follow->play, follow->n_play);
		return g_strdup_printf("play %s", list);
	case TL_FOLLOW_REDIRECT:
		list = tl_redirects_text(follow->redirects, follow->n_redirects);
		return g_strdup_printf("redirect %s", list);
	case TL_FOLLOW_NONE:
	case _TL_FOLLOW_MAX:
	case _TL_FOLLOW_INVALID:
		break;
	}
	return NULL;
}
