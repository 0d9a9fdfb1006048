#pragma once
/*
 * Transfers that Twinleg carries out itself. Signalling thread.
 *
 * The model. A transfer is a second call beside the transferor's. The legs that
 * are to stay move into it, with all that belongs to them; the transferor's leg
 * stays where it is, and waits. So each call still has one record, one pair of
 * legs, one state, and the way back is the way forth, backwards.
 *
 *   blind: B (1001) refers A to X           the new call is N
 *
 *     call O   A ─── B            O lends A and the media session to N. N asks the
 *              │     ·            dialplan as B and rings X, as any call does: A is its
 *     call N   A ─── X            leg a, answered long ago. X answers: O ends, B gets BYE.
 *                                 X refuses: A and the session go back to O.
 *
 *   attended: B refers A to C, Replaces naming B's other call K with C
 *
 *     call O   A ─── B            N takes A of O, and C and the session of K. A gets a
 *     call K   B ─── C            re-INVITE with the ports that B had in K; when it has
 *     call N   A ─── C            answered, O and K end. Else both get their legs back.
 *
 *   K still rings: N takes K's targets while they ring, and whatever K's route says.
 *   INVITE with Replaces: N is the new caller's call, which takes the other leg of the one named.
 *
 * Media. A session never leaves its worker and knows nothing of this. It is handed
 * from call to call, and who was at side B is at side A by a change of names
 * (tl_session_hand_over()), so the leg that stays in its session keeps its ports
 * and needs no re-INVITE: the plan alone changes. Only a leg that comes from
 * another session is re-INVITEd. Nothing crosses workers.
 *
 * Whoever hangs up ends what is his: the transferor after the 202 ends O (or K), and N goes on
 * without a way back; a leg that was lent ends N, and the transferor is told and released.
 */
#include "b2bua/call/call_priv.h"

enum {
	TL_CALL_TRANSFERS = 8, /* of the same party, one after another: a loop has an end */
};

/* A leg with all that belongs to it, on its way from one call to another. */
struct tl_call_party {
	struct tl_leg *leg;
	struct tl_call_media media;
	char *label;              /* "trunk:carrier", "extension:1001" */
	char *number, *name;      /* name NULL: none */
	bool withheld, anonymous; /* as in struct tl_call */
	char *trunk;              /* name, while it counts against the trunk's max-calls */
};

/* Where a leg of the new call came from. */
struct tl_call_loan {
	struct tl_call *from; /* NULL: it was not lent, or there is nobody to give it back to */
	enum tl_side side;    /* there */
	bool session;         /* the media session came with it */
	bool for_good;        /* it rings on for the new call, whatever becomes of that */
	struct tl_call_media media; /* what stood between it and that session */
};

struct tl_call_transfer {
	struct tl_leg *asker;                   /* whose REFER it is; NULL: nobody is to be told */
	struct tl_call_loan loan[_TL_SIDE_MAX]; /* of leg a, of leg b */
};

/* --- call_party.c: moving legs; the media plan is for the caller to apply --- */
/* "extension:1001" of a side. To free. */
char *tl_call_label(const struct tl_call *call, enum tl_side side);
struct tl_leg *tl_call_leg(const struct tl_call *call, enum tl_side side);
/* The call and the side that a leg has there; NULL: none of those that talk or ring. */
struct tl_call *tl_call_of_leg(struct tl_leg *leg, enum tl_side *ret_side);
/* to's side gets the leg at from's. With the session, which turns so that the leg is there. */
void tl_call_lend(struct tl_call *from, enum tl_side from_side, struct tl_call *to,
		  enum tl_side side, bool session);
/* The targets that ring for from ring for to, with session, route and all. */
void tl_call_lend_targets(struct tl_call *from, struct tl_call *to);
/* from's caller, not answered yet, becomes who answers to: its leg b. */
void tl_call_seat_answerer(struct tl_call *from, struct tl_call *to);
/* The leg at a side goes back to where it came from, which then goes on. False: there is no way
 * back. */
bool tl_call_give_back(struct tl_call *call, enum tl_side side);

/* --- call_transfer.c --- */
/* TL_LEG_REFERRED came from a leg of the call, or a REFER outside that is about it. asker: where it
 * is to be answered. Replies. */
void tl_call_referred(struct tl_call *call, enum tl_side side, struct tl_leg *asker,
		      const struct tl_refer *refer);
/* What the transferor is told meanwhile. */
void tl_call_transfer_progress(struct tl_call *call, int status);
/* It has worked: the calls that lent the legs end. */
void tl_call_transfer_done(struct tl_call *call);
/* For the end of a call, whatever its part in a transfer. */
void tl_call_transfer_forget(struct tl_call *call);

/* May call's caller take the place of the leg at a side of another call? */
bool tl_call_may_replace(const struct tl_call *call, const struct tl_call *replaced,
			 enum tl_side side);
/* The last word has reached the transferor. */
void tl_call_refer_done(struct tl_call *call);
/* The legs are away; they are back. */
void tl_call_rest(struct tl_call *call);
void tl_call_resume(struct tl_call *call);

/* --- call_pass.c --- */
/* The REFER goes to the other leg, and has been accepted. False: it can't; nothing has happened.
 * facts: of the asker's call to the target. */
bool tl_call_pass_refer(struct tl_call *call, enum tl_side side, const struct tl_facts *facts,
			struct tl_call *other, enum tl_side other_side,
			const struct tl_refer *refer);
/* What the other leg's peer says of it. */
void tl_call_refer_news(struct tl_call *call, int status);

/* --- call_connected.c --- */
/* The leg at a side may say, from its next request on, who is at the other end. */
void tl_call_identify(struct tl_call *call, enum tl_side side);
/* Both are told; moved: leg a has been, by a re-INVITE. */
void tl_call_tell_identities(struct tl_call *call, bool moved);

/* --- call_join.c --- */
/* Leg a is offered the session that leg b will be in. */
void tl_call_move(struct tl_call *call);
/* Our offer to a leg was answered, or refused; also outside transfers. */
void tl_call_reanswered(struct tl_call *call, struct tl_call_media *m,
			const struct tl_media_desc *answer);
void tl_call_not_moved(struct tl_call *call, const struct tl_call_media *m, int status);
/* The two legs are there; 0, or the status that ends it. JOINED is raised now or later. */
int tl_call_join(struct tl_call *call);
/* The INVITE of leg a names a dialog that it replaces: the event that its call begins with. */
enum tl_call_event tl_call_replace(struct tl_call *call);

/* --- call_pickup.c --- */
/* The same when it is one that rings. True: it is, and *ret_status says 0, or why not. */
bool tl_call_pick_up(struct tl_call *call, const struct tl_replaces *names, int *ret_status);
