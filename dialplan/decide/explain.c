/* A decision in words: who was asked, why not, and what happens. */
#include <string.h>
#include "dialplan/decide/said.h"

/* One call being explained. */
struct telling {
	struct tl_dialplan *dp;
	const struct tl_facts *facts;
	FILE *out;
	GPtrArray *lines; /* keys and texts of the winner's facts, by turns */
};

enum { KEY_COLUMNS_MIN = 16, KEY_COLUMNS_MAX = 32 };

static bool source_exists(const struct telling *t)
{
	return t->facts->source == TL_SOURCE_TRUNK
		       ? tl_dialplan_trunk(t->dp, t->facts->source_name) != NULL
		       : tl_dialplan_extension(t->dp, t->facts->source_name) != NULL;
}

static void tell_call(const struct telling *t)
{
	g_autoptr(GDateTime) moment = g_date_time_new_from_unix_local(t->facts->at_s);
	g_autofree char *when =
		moment ? g_date_time_format(moment, "%a %Y-%m-%d %H:%M:%S %z") : NULL;
	g_autofree char *caller = tl_quote(t->facts->caller), *callee = tl_quote(t->facts->callee);

	fprintf(t->out, "call from %s:%s, caller %s, to %s, by %s, at %s\n",
		tl_source_kind_name(t->facts->source), t->facts->source_name,
		*t->facts->caller ? caller : "withheld", callee,
		tl_transport_name(t->facts->transport), when ? when : "an impossible time");
	if (!source_exists(t))
		fprintf(t->out, "  there is no [%s %s]\n", tl_source_kind_name(t->facts->source),
			t->facts->source_name);
}

static void tell_missed(const struct telling *t, const struct tl_route_cfg *route)
{
	enum tl_condition missed = tl_route_miss(t->dp, route, t->facts);
	g_autofree char *why = tl_route_miss_text(route, t->facts, missed);

	fprintf(t->out, "  route %s (%s:%u): %s%s\n", route->name, route->at.file, route->at.line,
		missed == TL_CONDITION_NONE ? "takes it: " : "no: ", why);
}

/* A reader of the file would take it for something else. */
static bool needs_quotes(const char *text)
{
	return *text == '"' || strstr(text, " ;") || strstr(text, "\t;");
}

static void keep_fact(const struct telling *t, const struct tl_said *row, const char *named,
		      const struct tl_saying *saying)
{
	g_autofree char *text = row->text(saying);
	const char *quote;

	if (!text || !*text || g_strcmp0(text, row->usual) == 0)
		return;
	for (char *c = text; *c; c++) /* a caller's number can hold anything */
		*c = g_ascii_iscntrl(*c) ? '?' : *c;
	quote = row->form == TL_SAID_TEXT && needs_quotes(text) ? "\"" : "";
	g_ptr_array_add(t->lines, g_strdup_printf("%s%s%s", row->key, *named ? " " : "", named));
	g_ptr_array_add(t->lines, g_strdup_printf("%s%s%s", quote, text, quote));
}

/* "    dials            = +4930123456": as it may stand in an [expect] section. */
static void tell_lines(const struct telling *t)
{
	size_t columns = KEY_COLUMNS_MIN;

	for (guint i = 0; i < t->lines->len; i += 2)
		columns = MAX(columns, strlen(t->lines->pdata[i]));
	columns = MIN(columns, (size_t)KEY_COLUMNS_MAX);
	for (guint i = 0; i < t->lines->len; i += 2)
		fprintf(t->out, "    %-*s = %s\n", (int)columns, (char *)t->lines->pdata[i],
			(char *)t->lines->pdata[i + 1]);
}

static void keep_headers(const struct telling *t, const struct tl_said *row,
			 const struct tl_decision *d)
{
	for (size_t i = 0; i < d->n_add_headers; i++) {
		struct tl_saying saying = { t->dp, t->facts, d, .header = &d->add_headers[i] };

		keep_fact(t, row, d->add_headers[i].name, &saying);
	}
}

/* Those from first to end, for each that is rung. */
static void keep_targets(const struct telling *t, const struct tl_said *first,
			 const struct tl_said *end, const struct tl_decision *d)
{
	for (size_t i = 0; i < d->n_steps; i++) {
		for (size_t k = 0; k < d->steps[i].n_targets; k++) {
			const struct tl_ring_target *target = &d->steps[i].targets[k];
			g_autofree char *named = tl_target_text(target);
			struct tl_saying saying = { t->dp, t->facts, d, .target = target };

			for (const struct tl_said *row = first; row < end; row++)
				keep_fact(t, row, named, &saying);
		}
	}
}

static void keep_facts(const struct telling *t, const struct tl_decision *d)
{
	struct tl_saying saying = { t->dp, t->facts, d, NULL, NULL };
	const struct tl_said *rows, *row, *end;
	size_t n;

	rows = tl_said_rows(&n);
	for (row = rows; row < rows + n; row = end) {
		end = row + 1;
		if (row->of == TL_SAID_OF_TARGET) {
			while (end < rows + n && end->of == TL_SAID_OF_TARGET)
				end++;
			keep_targets(t, row, end, d);
		} else if (row->of == TL_SAID_OF_HEADER) {
			keep_headers(t, row, d);
		} else if (row->of == TL_SAID_OF_CALL || d->verdict == TL_VERDICT_RING) {
			keep_fact(t, row, "", &saying);
		}
	}
}

static void tell_decision(const struct telling *t, const struct tl_decision *d)
{
	if (*d->route)
		fprintf(t->out, "route %s takes the call:\n", d->route);
	else
		fputs("no route is needed, an extension calls another:\n", t->out);
	keep_facts(t, d);
	tell_lines(t);
}

void tl_dialplan_explain(struct tl_dialplan *dp, const struct tl_facts *facts, FILE *out)
{
	const struct tl_route_cfg *winner = tl_dialplan_find_route(dp, facts);
	size_t asked = winner ? winner->order + 1 : dp->n_routes;
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	struct telling t = { dp, facts, out, lines };
	struct tl_decision *decision;

	tell_call(&t);
	for (size_t i = 0; i < asked; i++)
		tell_missed(&t, &dp->routes[i]);
	if (tl_dialplan_decide(dp, facts, &decision) < 0) {
		fputs("no route takes the call: it is refused with 404\n", out);
		return;
	}
	tell_decision(&t, decision);
	tl_decision_free(decision);
}
