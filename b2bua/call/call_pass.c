/*
 * transfer = pass: the REFER of one leg goes to the other, whose peer then does
 * it. It must be somewhere where that peer can call by itself:
 *
 *   the peer is a telephone of ours    us: it dials the number, with Replaces as we know it
 *   it is a trunk                      its own host, when the dialplan would call the target by
 *                                      this very trunk; Replaces names its own dialog with us
 *
 * What can't be passed on is carried out here.
 */
#include "b2bua/call/call_transfer.h"
#include <string.h>

/* "?Replaces=…" as it stands in a URI; "" without. To free. */
static char *escape_replaces(const struct tl_replaces *replaces)
{
	g_autofree char *text = replaces ? tl_replaces_format(replaces) : NULL;
	g_autofree char *escaped = text ? g_uri_escape_string(text, NULL, FALSE) : NULL;

	return escaped ? g_strdup_printf("?Replaces=%s", escaped) : g_strdup("");
}

static char *format_uri(const char *user, const char *host, unsigned port,
			const struct tl_replaces *replaces)
{
	g_autofree char *name = g_uri_escape_string(user, "!$&'()*+,=/", FALSE);
	g_autofree char *headers = escape_replaces(replaces);
	g_autofree char *colon = port ? g_strdup_printf(":%u", port) : g_strdup("");
	bool v6 = strchr(host, ':') != NULL;

	return g_strdup_printf(v6 ? "sip:%s@[%s]%s%s" : "sip:%s@%s%s%s", name, host, colon,
			       headers);
}

/* The number that the trunk is to be given, when the asker's call would go there first. */
static char *number_by_trunk(const struct tl_call *call, const struct tl_facts *facts,
			     const struct tl_trunk_cfg *trunk)
{
	struct tl_decision *d;
	char *number = NULL;

	if (tl_dialplan_decide(call->dp, facts, &d) < 0)
		return NULL;
	if (d->verdict == TL_VERDICT_RING && d->n_play == 0 && d->steps[0].n_targets == 1 &&
	    d->steps[0].targets[0].kind == TL_TARGET_TRUNK &&
	    strcmp(d->steps[0].targets[0].trunk->name, trunk->name) == 0)
		number = g_strdup(d->callee);
	tl_decision_free(d);
	return number;
}

/* Where the peer at far is to go, or NULL. other: the call that is to be replaced, or NULL. */
static char *find_uri(struct tl_call *call, enum tl_side far, const struct tl_facts *facts,
		      struct tl_call *other, enum tl_side other_far, const struct tl_refer *refer)
{
	g_autofree char *label = tl_call_label(call, far);
	g_autofree char *other_label = other ? tl_call_label(other, other_far) : NULL;
	g_autofree char *number = NULL;
	const struct tl_trunk_cfg *trunk;
	enum tl_source_kind kind;
	struct tl_replaces own;
	const char *name;

	if (tl_source_parse(label, &kind, &name) < 0)
		return NULL;
	if (kind != TL_SOURCE_TRUNK)
		return format_uri(refer->callee, tl_dialplan_gateway(call->dp)->domain, 0,
				  refer->has_replaces ? &refer->replaces : NULL);
	trunk = tl_dialplan_trunk(call->dp, name);
	if (!trunk || (refer->has_replaces && g_strcmp0(label, other_label) != 0))
		return NULL;
	if (other) {
		tl_leg_names(tl_call_leg(other, other_far), &own);
		return format_uri(tl_leg_info(tl_call_leg(other, other_far))->from.user,
				  trunk->host, trunk->port, &own);
	}
	number = number_by_trunk(call, facts, trunk);
	return number ? format_uri(number, trunk->host, trunk->port, NULL) : NULL;
}

bool tl_call_pass_refer(struct tl_call *call, enum tl_side side, const struct tl_facts *facts,
			struct tl_call *other, enum tl_side other_side,
			const struct tl_refer *refer)
{
	enum tl_side far = tl_side_other(side);
	g_autofree char *uri = find_uri(call, far, facts, other, tl_side_other(other_side), refer);

	if (!uri || tl_leg_refer(tl_call_leg(call, far), uri, refer->referred_by) < 0)
		return false;
	g_message("call=%s leg=%s refer passed on to leg=%s", call->id, tl_side_name(side),
		  tl_side_name(far));
	call->passing = true;
	call->passes_of = side;
	tl_leg_refer_accept(tl_call_leg(call, side));
	return true;
}

void tl_call_refer_news(struct tl_call *call, int status)
{
	struct tl_leg *asker = call->passing ? tl_call_leg(call, call->passes_of) : NULL;

	if (!asker)
		return;
	if (status < 200) {
		tl_leg_refer_tell(asker, status);
		return;
	}
	call->passing = false;
	(void)tl_leg_refer_end(asker, status);
}
