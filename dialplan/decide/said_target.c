/* What one who is rung gets, in words: how he is called, who is shown to him, and his media. */
#include <string.h>
#include "dialplan/decide/said.h"

char *tl_target_text(const struct tl_ring_target *target)
{
	return target->trunk ? g_strdup_printf("trunk:%s", target->trunk->name)
			     : g_strdup(target->extension->number);
}

static void append_uri(GString *out, const char *callee, const char *host, uint16_t port,
		       enum tl_transport transport)
{
	bool v6 = strchr(host, ':');

	g_string_append_printf(out, "%ssip:%s@%s%s%s", out->len ? ", " : "", callee, v6 ? "[" : "",
			       host, v6 ? "]" : "");
	if (port)
		g_string_append_printf(out, ":%u", port);
	if ((int)transport >= 0)
		g_string_append_printf(out, ";transport=%s", tl_transport_name(transport));
}

/* A trunk's servers as they are tried; which contacts an extension has is not known here. */
char *tl_said_uri(const struct tl_saying *s)
{
	const struct tl_trunk_cfg *trunk = s->target->trunk;
	GString *out;

	if (!trunk)
		return g_strdup("its contacts");
	out = g_string_new(NULL);
	append_uri(out, s->decision->callee, trunk->host, trunk->port, trunk->transport);
	for (size_t i = 1; i < trunk->n_places; i++)
		append_uri(out, s->decision->callee, trunk->places[i].host, trunk->places[i].port,
			   (int)trunk->places[i].transport >= 0 ? trunk->places[i].transport
								: trunk->transport);
	return g_string_free(out, FALSE);
}

/* Does the route let the call use a codec? */
static bool is_allowed(const struct tl_decision *d, const char *codec)
{
	for (size_t i = 0; i < d->n_codecs; i++)
		if (strcmp(d->codecs[i], codec) == 0)
			return true;
	return !d->n_codecs;
}

static const char *const *codecs_of(const struct tl_ring_target *target, size_t *ret_n)
{
	*ret_n = target->trunk ? target->trunk->n_codecs : target->extension->n_codecs;
	return target->trunk ? target->trunk->codecs : target->extension->codecs;
}

/* Its own, of those that the route allows. */
char *tl_said_offered_codecs(const struct tl_saying *s)
{
	GString *out = g_string_new(NULL);
	const char *const *names;
	size_t n;

	names = codecs_of(s->target, &n);
	for (size_t i = 0; i < n; i++)
		if (is_allowed(s->decision, names[i]))
			g_string_append_printf(out, "%s%s", out->len ? ", " : "", names[i]);
	if (out->len && s->decision->media == TL_MEDIA_AUTO)
		return g_string_free(out, FALSE);
	g_string_free(out, TRUE);
	return NULL;
}

static bool source_speaks(const struct tl_saying *s, const char *codec)
{
	const struct tl_facts *facts = s->facts;
	struct tl_ring_target source = { 0 };
	const char *const *names;
	size_t n;

	if (facts->source == TL_SOURCE_TRUNK)
		source.trunk = tl_dialplan_trunk(s->dp, facts->source_name);
	else
		source.extension = tl_dialplan_extension(s->dp, facts->source_name);
	if (!source.trunk && !source.extension)
		return false;
	names = codecs_of(&source, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], codec) == 0)
			return true;
	return false;
}

static enum tl_echo_cancel echo_of(const struct tl_saying *s)
{
	const struct tl_ring_target *target = s->target;

	return tl_decision_echo(s->decision, false,
				target->trunk ? &target->trunk->sound : &target->extension->sound);
}

/* By what both sections say: a phone may speak less than that. */
char *tl_said_path(const struct tl_saying *s)
{
	const char *const *names;
	size_t n;

	if (s->decision->media == TL_MEDIA_DIRECT)
		return g_strdup("direct");
	if (echo_of(s) != TL_ECHO_CANCEL_OFF)
		return g_strdup("transcode");
	names = codecs_of(s->target, &n);
	for (size_t i = 0; i < n; i++)
		if (is_allowed(s->decision, names[i]) && source_speaks(s, names[i]))
			return g_strdup("relay");
	return g_strdup("transcode");
}

/* Which headers tell a trunk who calls; "anonymous": From does not. */
char *tl_said_identity(const struct tl_saying *s)
{
	const struct tl_decision *d = s->decision;
	const struct tl_trunk_cfg *trunk = s->target->trunk;
	bool withheld = d->privacy == TL_PRIVACY_ID || !*d->caller, asserts;

	if (!trunk)
		return NULL;
	asserts = trunk->identity != TL_IDENTITY_FROM && *d->caller &&
		  (!withheld || trunk->trust || trunk->identity == TL_IDENTITY_PPI);
	return g_strdup_printf("%s%s%s", withheld ? "anonymous" : "from", asserts ? ", " : "",
			       asserts ? tl_identity_mode_name(trunk->identity) : "");
}

char *tl_said_target_dtmf(const struct tl_saying *s)
{
	const struct tl_ring_target *target = s->target;

	if (s->decision->media == TL_MEDIA_DIRECT)
		return NULL;
	if ((int)s->decision->dtmf >= 0)
		return g_strdup(tl_dtmf_mode_name(s->decision->dtmf));
	return g_strdup(
		tl_dtmf_mode_name(target->trunk ? target->trunk->dtmf : target->extension->dtmf));
}

char *tl_said_target_srtp(const struct tl_saying *s)
{
	const struct tl_ring_target *target = s->target;

	if (s->decision->media == TL_MEDIA_DIRECT)
		return NULL;
	if ((int)s->decision->srtp >= 0)
		return g_strdup(tl_srtp_policy_name(s->decision->srtp));
	return g_strdup(
		tl_srtp_policy_name(target->trunk ? target->trunk->srtp : target->extension->srtp));
}

char *tl_said_target_t38(const struct tl_saying *s)
{
	const struct tl_ring_target *target = s->target;

	if (s->decision->media == TL_MEDIA_DIRECT)
		return NULL;
	if ((int)s->decision->t38 >= 0)
		return g_strdup(tl_t38_mode_name(s->decision->t38));
	return g_strdup(
		tl_t38_mode_name(target->trunk ? target->trunk->t38 : target->extension->t38));
}

char *tl_said_target_echo(const struct tl_saying *s)
{
	if (s->decision->media == TL_MEDIA_DIRECT)
		return NULL;
	return g_strdup(tl_echo_cancel_name(echo_of(s)));
}
