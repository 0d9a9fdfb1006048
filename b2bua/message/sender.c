#include "b2bua/message/sender.h"
#include <string.h>
#include <sofia-sip/su_alloc.h>
#include "b2bua/sip/headers.h"
#include "dialplan/decision.h"

static bool is_anonymous(const sip_t *sip)
{
	const char *host = sip->sip_from->a_url->url_host;

	return host && g_ascii_strcasecmp(host, "anonymous.invalid") == 0;
}

/* Whom a trusted trunk names, else NULL. */
static const struct tl_party *believed(const struct tl_source *source,
				       const struct tl_identity *identity)
{
	if (source->kind != TL_SOURCE_TRUNK || !source->trunk->trust)
		return NULL;
	if (identity->asserted.user)
		return &identity->asserted;
	return identity->remote_party.user ? &identity->remote_party : NULL;
}

const char *tl_sender_number(su_home_t *home, const sip_t *sip, const struct tl_source *source)
{
	struct tl_identity identity;
	const struct tl_party *party;

	if (source->kind == TL_SOURCE_EXTENSION)
		return source->extension->number;
	tl_identity_read(home, sip, &identity);
	party = believed(source, &identity);
	return party ? party->user : tl_user_of(home, sip->sip_from->a_url);
}

/* As with calls: who asks for privacy has it; who only came without an identity is shown by the
 * number that the route gives him. */
static bool is_withheld(const struct tl_decision *decision, const struct tl_identity *identity,
			bool anonymous, const char *number)
{
	switch (decision->privacy) {
	case TL_PRIVACY_OFF:
		return !*decision->caller;
	case TL_PRIVACY_ID:
		return true;
	case TL_PRIVACY_KEEP:
	case _TL_PRIVACY_MAX:
	case _TL_PRIVACY_INVALID:
		break;
	}
	return !*decision->caller || identity->withheld ||
	       (anonymous && strcmp(decision->caller, number) == 0);
}

void tl_sender_read(su_home_t *home, const sip_t *sip, const struct tl_source *source,
		    const struct tl_decision *decision, const char *number,
		    struct tl_sender *ret_sender)
{
	bool own = strcmp(decision->caller, number) == 0;
	const char *name = decision->caller_name;
	const struct tl_party *party;
	struct tl_identity identity;

	tl_identity_read(home, sip, &identity);
	party = believed(source, &identity);
	if (!name && own)
		name = party ? party->name : tl_display_of(home, sip->sip_from->a_display);
	*ret_sender = (struct tl_sender) {
		.user = su_strdup(home, decision->caller),
		.name = su_strdup(home, name),
		.withheld = is_withheld(decision, &identity, is_anonymous(sip) && !party, number),
	};
}
