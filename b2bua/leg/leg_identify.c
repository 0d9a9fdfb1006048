/*
 * Connected identity: a transfer puts somebody else at the other end of the call, and
 * telephones show whom they talk to.
 *
 *   UPDATE                                            RFC 3311, no offer
 *   P-Asserted-Identity: "Bob" <sip:1002@pbx.test>    RFC 3325 9.1
 *   From: "Bob" <sip:1002@pbx.test>;tag=ours          when it says Supported: from-change
 */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>

void tl_leg_note_abilities(struct tl_leg *leg, const sip_t *sip)
{
	if (sip->sip_allow)
		leg->peer_updates = sip_is_allowed(sip->sip_allow, SIP_METHOD_UPDATE);
	if (sip->sip_supported)
		leg->peer_changes_from = sip_has_feature(sip->sip_supported, "from-change");
}

bool tl_leg_changes_from(const struct tl_leg *leg)
{
	return leg->peer_changes_from;
}

void tl_leg_identify(struct tl_leg *leg, const struct tl_party *party)
{
	char *text;

	su_free(leg->home, leg->asserted);
	su_free(leg->home, leg->changed_from);
	leg->asserted = leg->changed_from = NULL;
	if (!party->user || !*party->user)
		return;
	text = tl_party_format(leg->home, party, leg->stack->domain);
	leg->asserted = su_sprintf(leg->home, "P-Asserted-Identity: %s", text);
	if (leg->peer_changes_from)
		leg->changed_from =
			su_sprintf(leg->home, "%s;tag=%s", text, nta_leg_get_tag(leg->dialog));
	su_free(leg->home, text);
}

void tl_leg_tell_identity(struct tl_leg *leg, bool by_invite)
{
	leg->untold = TL_UNTOLD_NOTHING;
	if (!leg->asserted)
		return;
	if (leg->state == TL_LEG_ANSWERING)
		leg->untold = by_invite ? TL_UNTOLD_BY_INVITE : TL_UNTOLD_BY_UPDATE;
	else if (leg->state == TL_LEG_UP && leg->peer_updates)
		tl_leg_send_update(leg);
	else if (leg->state == TL_LEG_UP && by_invite && leg->local && /* changes nothing else */
		 tl_leg_offer(leg, leg->local) == -EBUSY)
		leg->untold = TL_UNTOLD_BY_INVITE;
}

void tl_leg_tell_untold(struct tl_leg *leg)
{
	if (leg->untold != TL_UNTOLD_NOTHING)
		tl_leg_tell_identity(leg, leg->untold == TL_UNTOLD_BY_INVITE);
}
