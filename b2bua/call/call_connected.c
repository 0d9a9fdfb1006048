/* After a transfer the legs are told who is at the other end now. */
#include "b2bua/call/call_transfer.h"

/*
 * Telephones of ours are told whom they talk to now; what a trunk does with it nobody
 * knows, so it is told only when it says that it can take it.
 */
static bool is_told(const struct tl_call *call, enum tl_side side)
{
	g_autofree char *label = tl_call_label(call, side);

	return g_str_has_prefix(label, "extension:") ||
	       tl_leg_changes_from(tl_call_leg(call, side));
}

void tl_call_identify(struct tl_call *call, enum tl_side side)
{
	struct tl_leg *leg = tl_call_leg(call, side);
	struct tl_leg *other = tl_call_leg(call, tl_side_other(side));
	struct tl_party party = { 0 };
	const struct tl_party *came;

	if (!leg || !other || !is_told(call, side))
		return;
	came = &tl_leg_info(other)->from;
	if (side == TL_SIDE_B && (call->withheld || call->anonymous))
		return;
	if (!came->host || g_ascii_strcasecmp(came->host, "anonymous.invalid") != 0) {
		party.name = came->name;
		party.user = side == TL_SIDE_B ? call->caller : came->user;
	}
	tl_leg_identify(leg, &party);
}

void tl_call_tell_identities(struct tl_call *call, bool moved)
{
	if (call->state != TL_CALL_TALKING)
		return;
	/* leg a has read it in the re-INVITE that moved it */
	if (!moved) {
		tl_call_identify(call, TL_SIDE_A);
		tl_leg_tell_identity(call->leg_a);
	}
	/* one that this call has invited has read it in From */
	if (call->dp_too && call->b) {
		tl_call_identify(call, TL_SIDE_B);
		tl_leg_tell_identity(call->b->leg);
	}
}
