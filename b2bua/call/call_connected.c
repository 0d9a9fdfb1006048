/* After a transfer the legs are told who is at the other end now. */
#include "b2bua/call/call_transfer.h"

static enum tl_connected_mode mode_of(const struct tl_call *call, enum tl_side side)
{
	g_autofree char *label = tl_call_label(call, side);
	const struct tl_extension_cfg *extension;
	const struct tl_trunk_cfg *trunk;
	enum tl_source_kind kind;
	const char *name;

	if (tl_source_parse(label, &kind, &name) < 0)
		return TL_CONNECTED_OFF;
	if (kind != TL_SOURCE_TRUNK) {
		extension = tl_dialplan_extension(call->dp, name);
		return extension ? extension->connected : TL_CONNECTED_UPDATE;
	}
	trunk = tl_dialplan_trunk(call->dp, name);
	/* what it would do with it nobody knows */
	if (!trunk || (trunk->connected == TL_CONNECTED_UPDATE &&
		       !tl_leg_changes_from(tl_call_leg(call, side))))
		return TL_CONNECTED_OFF;
	return trunk->connected;
}

static void tell(const struct tl_call *call, enum tl_side side)
{
	tl_leg_tell_identity(tl_call_leg(call, side), mode_of(call, side) == TL_CONNECTED_REINVITE);
}

void tl_call_identify(struct tl_call *call, enum tl_side side)
{
	struct tl_leg *leg = tl_call_leg(call, side);
	struct tl_leg *other = tl_call_leg(call, tl_side_other(side));
	struct tl_party party = { 0 };
	const struct tl_party *came;

	if (!leg || !other || mode_of(call, side) == TL_CONNECTED_OFF)
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
		tell(call, TL_SIDE_A);
	}
	/* one that this call has invited has read it in From */
	if (call->dp_too && call->b) {
		tl_call_identify(call, TL_SIDE_B);
		tell(call, TL_SIDE_B);
	}
}
