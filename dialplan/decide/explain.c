/* A decision in words: who was asked, why not, and what happens. */
#include <string.h>
#include "dialplan/dialplan_priv.h"

/* One call being explained. */
struct telling {
	struct tl_dialplan *dp;
	const struct tl_facts *facts;
	FILE *out;
};

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

static void tell_target(const struct telling *t, const struct tl_decision *d,
			const struct tl_ring_target *target)
{
	const struct tl_trunk_cfg *trunk = target->trunk;
	bool v6;

	if (!trunk) {
		fprintf(t->out, "extension %s%s%s%s", target->extension->number,
			target->extension->name ? " (" : "",
			target->extension->name ? target->extension->name : "",
			target->extension->name ? ")" : "");
		return;
	}
	v6 = strchr(trunk->host, ':');
	fprintf(t->out, "trunk %s as sip:%s@%s%s%s", trunk->name, d->callee, v6 ? "[" : "",
		trunk->host, v6 ? "]" : "");
	if (trunk->port)
		fprintf(t->out, ":%u", trunk->port);
	if (trunk->transport >= 0)
		fprintf(t->out, ";transport=%s", tl_transport_name(trunk->transport));
}

/* One time for all, or those of each in their order. */
static void tell_times(const struct telling *t, const struct tl_ring_step *step)
{
	bool same = true;

	for (size_t k = 1; k < step->n_targets; k++)
		same = same && step->targets[k].ring_time_s == step->targets[0].ring_time_s;
	fputs(", for ", t->out);
	for (size_t k = 0; k < (same ? 1 : step->n_targets); k++)
		fprintf(t->out, "%s%u", k ? ", " : "", step->targets[k].ring_time_s);
	fputs(" s\n", t->out);
}

static void tell_steps(const struct telling *t, const struct tl_decision *d)
{
	for (size_t i = 0; i < d->n_steps; i++) {
		fprintf(t->out, "    %s", i ? "then rings   " : "rings        ");
		for (size_t k = 0; k < d->steps[i].n_targets; k++) {
			fputs(k ? ", " : "", t->out);
			tell_target(t, d, &d->steps[i].targets[k]);
		}
		tell_times(t, &d->steps[i]);
	}
}

/* The codecs that a target is offered: its own, of those that the route allows. */
static void tell_codecs(const struct telling *t, const struct tl_decision *d,
			const struct tl_ring_target *target)
{
	const char *const *names =
		target->trunk ? target->trunk->codecs : target->extension->codecs;
	size_t n = target->trunk ? target->trunk->n_codecs : target->extension->n_codecs;
	bool any = false;

	fputs("    offers       ", t->out);
	for (size_t i = 0; i < n; i++) {
		bool allowed = !d->n_codecs;

		for (size_t k = 0; k < d->n_codecs && !allowed; k++)
			allowed = strcmp(d->codecs[k], names[i]) == 0;
		if (allowed)
			fprintf(t->out, "%s%s", any ? ", " : "", names[i]);
		any = any || allowed;
	}
	fprintf(t->out, "%s to %s %s\n", any ? "" : "no codec",
		target->trunk ? "trunk" : "extension",
		target->trunk ? target->trunk->name : target->extension->number);
}

static void tell_headers(const struct telling *t, const struct tl_decision *d)
{
	for (size_t i = 0; i < d->n_add_headers; i++) {
		g_autofree char *value = tl_quote(d->add_headers[i].value);

		fprintf(t->out, "    adds         %s: %s\n", d->add_headers[i].name, value);
	}
	for (size_t i = 0; i < d->n_drop_headers; i++)
		fprintf(t->out, "    drops        %s\n", d->drop_headers[i]);
	for (size_t i = 0; i < d->n_carry_headers; i++)
		fprintf(t->out, "    carries      %s\n", d->carry_headers[i]);
}

/* What differs from what a call has anyway. */
static void tell_media(const struct telling *t, const struct tl_decision *d)
{
	if (d->ringback != TL_RINGBACK_AUTO)
		fprintf(t->out, "    ringback     %s\n",
			d->ringback == TL_RINGBACK_FILE ? d->ringback_file : "none");
	if ((int)d->dtmf >= 0)
		fprintf(t->out, "    digits       %s\n", tl_dtmf_mode_name(d->dtmf));
	if ((int)d->srtp >= 0)
		fprintf(t->out, "    srtp         %s\n", tl_srtp_policy_name(d->srtp));
	if (d->media != TL_MEDIA_AUTO)
		fputs("    media        direct, between the parties\n", t->out);
	if ((int)d->transfer >= 0)
		fprintf(t->out, "    transfers    %s\n", tl_transfer_mode_name(d->transfer));
}

static void tell_follow(const struct telling *t, const char *when, const struct tl_follow *follow)
{
	g_autofree char *text = tl_follow_text(follow);

	if (follow->kind != TL_FOLLOW_NONE)
		fprintf(t->out, "    %s%s\n", when, text);
}

static void tell_verdict(const struct telling *t, const struct tl_decision *d)
{
	switch (d->verdict) {
	case TL_VERDICT_RING:
		fprintf(t->out, "    dials        %s\n", d->callee);
		fprintf(t->out, "    shows        %s%s%s%s\n", *d->caller ? d->caller : "withheld",
			d->caller_name ? " \"" : "", d->caller_name ? d->caller_name : "",
			d->caller_name ? "\"" : "");
		if (d->privacy != TL_PRIVACY_KEEP)
			fprintf(t->out, "    privacy      %s\n", tl_privacy_name(d->privacy));
		tell_headers(t, d);
		tell_steps(t, d);
		for (size_t i = 0; i < d->n_steps; i++)
			for (size_t k = 0; d->media == TL_MEDIA_AUTO && k < d->steps[i].n_targets;
			     k++)
				tell_codecs(t, d, &d->steps[i].targets[k]);
		tell_media(t, d);
		break;
	case TL_VERDICT_ANSWER:
		fputs("    answers, and hangs up after the announcements\n", t->out);
		break;
	case TL_VERDICT_ECHO:
		fputs("    answers with an echo\n", t->out);
		break;
	case TL_VERDICT_REJECT:
		fprintf(t->out, "    rejects      %d%s%s\n", d->status, d->reason ? " " : "",
			d->reason ? d->reason : "");
		break;
	case TL_VERDICT_REDIRECT:
		for (size_t i = 0; i < d->n_redirects; i++)
			fprintf(t->out, "    redirects    to %s%s (302)\n",
				d->redirects[i].uri ? "" : "where extension ",
				d->redirects[i].uri ? d->redirects[i].uri
						    : d->redirects[i].extension->number);
		break;
	case _TL_VERDICT_MAX:
	case _TL_VERDICT_INVALID:
		break;
	}
}

static void tell_decision(const struct telling *t, const struct tl_decision *d)
{
	static const char *const record_names[_TL_RECORD_MAX] = {
		[TL_RECORD_STEREO] = "stereo, caller left, callee right",
		[TL_RECORD_MONO] = "mono",
	};

	if (*d->route)
		fprintf(t->out, "route %s takes the call%s:\n", d->route,
			d->closed ? ", whose hours are over" : "");
	else
		fputs("no route is needed, an extension calls another:\n", t->out);
	for (size_t i = 0; i < d->n_play; i++)
		fprintf(t->out, "    plays        %s (%s)\n", d->play[i],
			d->play_answered ? "after the answer" : "before the answer");
	tell_verdict(t, d);
	if (d->record != TL_RECORD_OFF)
		fprintf(t->out, "    records      %s\n", record_names[d->record]);
	if (d->max_duration_s)
		fprintf(t->out, "    ends after   %u s\n", d->max_duration_s);
	tell_follow(t, "on busy      ", &d->on_busy);
	tell_follow(t, "on no answer ", &d->on_no_answer);
	tell_follow(t, "on failure   ", &d->on_failure);
}

void tl_dialplan_explain(struct tl_dialplan *dp, const struct tl_facts *facts, FILE *out)
{
	const struct tl_route_cfg *winner = tl_dialplan_find_route(dp, facts);
	size_t asked = winner ? winner->order + 1 : dp->n_routes;
	struct telling t = { dp, facts, out };
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
