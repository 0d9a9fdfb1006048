/*
 * Whom a callee sees, and what he is told of the way that the call has come.
 *
 *   what the caller asked ──► withheld?  ──► From         anonymous, or the number
 *   what the route says   ──►            ──► P-Asserted-Identity, P-Preferred-Identity or
 *                                            Remote-Party-ID, as the trunk wants them; a
 *                                            trunk that is not trusted gets none of a
 *                                            withheld caller's (RFC 3325 5)
 *   forwarding, 3xx       ──► Diversion (RFC 5806) or History-Info (RFC 7044)
 */
#include "b2bua/call/call_priv.h"
#include "b2bua/sip/headers.h"
#include "b2bua/sip/identity.h"
#include <string.h>

/* Is what a peer asserts believed? */
static bool is_trusted(const struct tl_source *source)
{
	return source->kind == TL_SOURCE_TRUNK && source->trunk->trust;
}

void tl_call_read_caller(struct tl_call *call, const struct tl_leg_info *info,
			 const struct tl_source *source)
{
	const struct tl_identity *id = &info->identity;
	const struct tl_party *party = &info->from;
	bool anonymous = party->host && g_ascii_strcasecmp(party->host, "anonymous.invalid") == 0;

	call->trusted = is_trusted(source);
	if (call->trusted && id->asserted.user)
		party = &id->asserted;
	else if (call->trusted && id->remote_party.user)
		party = &id->remote_party;
	else if (anonymous)
		call->anonymous = true;
	call->withheld = id->withheld || (anonymous && party != &info->from);
	call->caller_name = g_strdup(party->name);
	call->caller =
		g_strdup(source->kind == TL_SOURCE_TRUNK ? party->user : source->extension->number);
}

/* The decision that speaks for the caller. Who is called for an extension that redirects sees
 * the caller and not the extension, unless the route of that call says whom to show. */
static const struct tl_decision *speaks_for(const struct tl_branch *branch)
{
	const struct tl_decision *d = branch->decision;
	const struct tl_extension_cfg *forwarder = tl_hunt_forwarder(branch->hunt);

	return forwarder && strcmp(d->caller, forwarder->number) == 0 ? branch->call->decision : d;
}

/* A caller who is shown by a number that is the route's, and who has not asked for privacy but
 * came without an identity, is shown by that number. */
static bool is_withheld(const struct tl_call *call, const struct tl_decision *d)
{
	switch (d->privacy) {
	case TL_PRIVACY_OFF:
		return !*d->caller;
	case TL_PRIVACY_ID:
		return true;
	case TL_PRIVACY_KEEP:
	case _TL_PRIVACY_MAX:
	case _TL_PRIVACY_INVALID:
		break;
	}
	return !*d->caller || call->withheld ||
	       (call->anonymous && strcmp(d->caller, call->facts.caller) == 0);
}

/* "\"Alice\" <sip:+4930@pbx.test>"; the caller frees it. */
static char *address_of(const struct tl_branch *branch, const struct tl_party *party)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *text = g_strdup(
		tl_party_format(home, party, tl_dialplan_gateway(branch->call->dp)->domain));

	su_home_deinit(home);
	return text;
}

static void append_identity(const struct tl_branch *branch, const struct tl_party *party,
			    bool withheld, GString *lines)
{
	const struct tl_trunk_cfg *trunk = branch->trunk_cfg;
	g_autofree char *address = NULL;

	if (!trunk || !party->user || !*party->user)
		return;
	address = address_of(branch, party);
	tl_identity_append(lines, trunk->identity, trunk->trust, address, withheld);
}

/* --- the way that the call has come --- */

struct tl_diversion {
	char *number;
	const char *reason; /* RFC 5806 9.2 */
	int status;         /* RFC 4458 2.1 */
	unsigned counter;
};

static void diversion_free(struct tl_diversion *diversion)
{
	g_free(diversion->number);
	g_free(diversion);
}

static const char *reason_of(int status)
{
	switch (status) {
	case 302:
		return "unconditional";
	case 486:
	case 600:
		return "user-busy";
	case 408:
		return "no-answer";
	case 603:
		return "deflection";
	case 480:
	case 503:
		return "unavailable";
	default:
		return "unknown";
	}
}

void tl_call_diverted(struct tl_call *call, const char *number, int status)
{
	struct tl_diversion *diversion;

	if (!call->diversions)
		call->diversions = g_ptr_array_new_with_free_func((GDestroyNotify)diversion_free);
	diversion =
		call->diversions->len ? call->diversions->pdata[call->diversions->len - 1] : NULL;
	if (!diversion || strcmp(diversion->number, number) != 0) {
		diversion = g_new0(struct tl_diversion, 1);
		diversion->number = g_strdup(number);
		g_ptr_array_add(call->diversions, diversion);
	}
	diversion->counter++;
	diversion->reason = reason_of(status);
	diversion->status = status;
}

/* The number by which the outside knows who diverts. */
static const char *diverter_of(const struct tl_branch *branch,
			       const struct tl_extension_cfg *forwarder)
{
	if (branch->call->facts.source == TL_SOURCE_TRUNK)
		return branch->call->callee;
	return *branch->decision->caller ? branch->decision->caller : forwarder->number;
}

/* All diversions of a branch, the oldest first: *buf holds the last when it is the branch's own. */
static GPtrArray *diversions_of(const struct tl_branch *branch, struct tl_diversion *buf)
{
	const struct tl_call *call = branch->call;
	const struct tl_extension_cfg *forwarder = tl_hunt_forwarder(branch->hunt);
	GPtrArray *list = g_ptr_array_new();

	for (guint i = 0; call->diversions && i < call->diversions->len; i++)
		g_ptr_array_add(list, call->diversions->pdata[i]);
	/* a number of ours that leads out again diverts too */
	if (forwarder ||
	    (list->len == 0 && call->facts.source == TL_SOURCE_TRUNK && branch->trunk_cfg &&
	     branch->number && strcmp(branch->number, call->callee) != 0)) {
		*buf = (struct tl_diversion) {
			.number =
				(char *)(forwarder ? diverter_of(branch, forwarder) : call->callee),
			.reason = reason_of(302),
			.status = 302,
			.counter = 1,
		};
		g_ptr_array_add(list, buf);
	}
	return list;
}

static void append_diversions(const struct tl_branch *branch, const GPtrArray *list, GString *lines)
{
	const struct tl_identity *id = &tl_leg_info(branch->call->leg_a)->identity;

	for (guint i = list->len; i > 0; i--) { /* RFC 5806 9.1: the last one on top */
		const struct tl_diversion *diversion = list->pdata[i - 1];
		g_autofree char *address =
			address_of(branch, &(struct tl_party) { .user = diversion->number });

		g_string_append_printf(lines, "Diversion: %s;reason=%s;counter=%u\r\n", address,
				       diversion->reason, diversion->counter);
	}
	for (size_t i = 0; branch->call->trusted && i < id->n_diversions; i++)
		g_string_append_printf(lines, "Diversion: %s\r\n", id->diversions[i]);
}

/* "1.1" of the entry that came last, or NULL. */
static char *last_index(const struct tl_identity *id)
{
	const char *index =
		id->n_history ? strstr(id->history[id->n_history - 1], ";index=") : NULL;

	index = index ? index + strlen(";index=") : NULL;
	return index ? g_strndup(index, MIN(strspn(index, "0123456789."), 32)) : NULL;
}

/*
 * RFC 7044 10.1: who was asked, one entry each, and who is asked now:
 *
 *   <sip:100@pbx.test?Reason=SIP%3Bcause%3D486>;index=1
 *   <sip:200@pbx.test;cause=486>;index=1.1;mp=1
 */
static void append_history(const struct tl_branch *branch, const GPtrArray *list, GString *lines)
{
	const struct tl_call *call = branch->call;
	const struct tl_identity *id = &tl_leg_info(call->leg_a)->identity;
	const char *domain = tl_dialplan_gateway(call->dp)->domain;
	const char *target = branch->number ? branch->number : branch->extension->number;
	g_autoptr(GString) index = g_string_new(NULL);
	g_autofree char *last = call->trusted ? last_index(id) : NULL;
	int cause = 0;

	for (size_t i = 0; call->trusted && i < id->n_history; i++)
		g_string_append_printf(lines, "History-Info: %s\r\n", id->history[i]);
	g_string_printf(index, last ? "%s.1" : "1", last);
	for (guint i = 0; i <= list->len; i++) {
		const struct tl_diversion *diversion = i < list->len ? list->pdata[i] : NULL;
		g_autofree char *user =
			g_uri_escape_string(diversion ? diversion->number : target, "+", FALSE);
		g_autofree char *before = g_strdup(index->str);

		g_string_append_printf(lines, "History-Info: <sip:%s@%s", user, domain);
		if (cause)
			g_string_append_printf(lines, ";cause=%d", cause);
		if (diversion)
			g_string_append_printf(lines, "?Reason=SIP%%3Bcause%%3D%d",
					       diversion->status);
		g_string_append_printf(lines, ">;index=%s", index->str);
		if (cause) /* mapped by whom the entry above stands for */
			g_string_append_printf(lines, ";mp=%.*s", (int)(index->len - 2), before);
		g_string_append(lines, "\r\n");
		g_string_append(index, ".1");
		cause = diversion ? diversion->status : 0;
	}
}

static void append_way(const struct tl_branch *branch, GString *lines)
{
	enum tl_diversion_mode mode =
		branch->trunk_cfg ? branch->trunk_cfg->diversion : TL_DIVERSION_DIVERSION;
	struct tl_diversion own;
	GPtrArray *list = diversions_of(branch, &own);

	if (mode == TL_DIVERSION_DIVERSION || mode == TL_DIVERSION_BOTH)
		append_diversions(branch, list, lines);
	if (mode == TL_DIVERSION_HISTORY || mode == TL_DIVERSION_BOTH)
		append_history(branch, list, lines);
	g_ptr_array_free(list, TRUE);
}

char *tl_call_show_caller(const struct tl_branch *branch, struct tl_party *from)
{
	const struct tl_call *call = branch->call;
	const struct tl_decision *d = speaks_for(branch);
	bool own = strcmp(d->caller, call->facts.caller) == 0;
	/* a transferred party is not the one whose call this is by the dialplan */
	bool moved = own && strcmp(call->caller, call->facts.caller) != 0;
	bool withheld = is_withheld(call, d);
	GString *lines = g_string_new(NULL);

	from->user = own ? call->caller : d->caller;
	/* who is shown by another's number does not show his own name beside it */
	from->name = d->caller_name && !moved ? d->caller_name : own ? call->caller_name : NULL;
	append_identity(branch, from, withheld, lines);
	append_way(branch, lines);
	if (withheld)
		from->user = "";
	return g_string_free(lines, lines->len == 0);
}
