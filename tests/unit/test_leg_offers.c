/* Offers and answers of a leg whose call is up. */
#include "tests/support/leg_pair.h"

Test(leg_offers, an_offerless_invite_is_answered_in_the_ack)
{
	struct pair p;

	pair_start(&p);
	call_by(&p, TL_TRANSPORT_UDP, false, NULL);
	run_until(&p, p.a.events[TL_LEG_ANSWERED] == 1);
	cr_expect(p.a.had_desc, "the 200 offers");
	cr_expect_not(tl_leg_info(p.b.leg)->has_offer);
	cr_expect_eq(tl_leg_accept(p.a.leg, &p.a.desc), 0);
	run_until(&p, p.b.events[TL_LEG_ACKED] == 1);
	cr_expect(p.b.had_desc, "the ACK answers");
	pair_stop(&p);
}

Test(leg_offers, an_offer_in_the_dialog_is_accepted)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	p.a.desc.direction = TL_DIR_SENDONLY;
	p.b.desc.direction = TL_DIR_RECVONLY;
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), -EBUSY);
	run_until(&p, p.a.events[TL_LEG_REANSWERED] == 1);
	cr_expect_eq(p.b.events[TL_LEG_OFFERED], 1);
	cr_expect_eq(p.b.direction, TL_DIR_SENDONLY);
	cr_expect_eq(p.a.direction, TL_DIR_RECVONLY);
	/* and from the other side */
	run_until(&p, tl_leg_offer(p.b.leg, &p.b.desc) == 0);
	run_until(&p, p.b.events[TL_LEG_REANSWERED] == 1);
	cr_expect_eq(p.a.events[TL_LEG_OFFERED], 1);
	pair_stop(&p);
}

Test(leg_offers, an_offer_in_the_dialog_is_declined_and_nothing_has_changed)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	p.b.declines_offers = true;
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	run_until(&p, p.a.events[TL_LEG_OFFER_REFUSED] == 1);
	cr_expect_eq(p.a.status, 488);
	cr_expect_eq(tl_leg_state(p.a.leg), TL_LEG_UP);
	cr_expect_eq(tl_leg_state(p.b.leg), TL_LEG_UP);
	p.b.declines_offers = false;
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0, "and again");
	run_until(&p, p.a.events[TL_LEG_REANSWERED] == 1);
	pair_stop(&p);
}

Test(leg_offers, offers_that_meet_are_both_made_in_the_end)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	cr_expect_eq(tl_leg_offer(p.b.leg, &p.b.desc), 0);
	run_until(&p, p.a.events[TL_LEG_REANSWERED] == 1 && p.b.events[TL_LEG_REANSWERED] == 1);
	cr_expect_eq(p.a.events[TL_LEG_OFFERED], 1);
	cr_expect_eq(p.b.events[TL_LEG_OFFERED], 1);
	pair_stop(&p);
}

Test(leg_offers, hanging_up_during_an_offer_ends_both)
{
	struct pair p;

	pair_start(&p);
	call_up(&p);
	cr_expect_eq(tl_leg_offer(p.a.leg, &p.a.desc), 0);
	tl_leg_close(p.a.leg, NULL);
	run_until(&p, p.b.events[TL_LEG_GONE] == 1);
	pair_stop(&p);
}
