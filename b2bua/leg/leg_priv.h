#pragma once
/*
 * What the files of a leg share. Private to leg*.c, and to stack.c for the end.
 *
 * Whoever is called by NTA brackets its work with tl_leg_enter() and
 * tl_leg_leave(): the owner may release the leg inside a callback, and the
 * memory goes with the last bracket.
 */
#include <glib.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/su_alloc.h>
#include "b2bua/sip/digest.h"
#include "b2bua/sip/headers.h"
#include "b2bua/leg/leg.h"
#include "b2bua/sip/sdp.h"
#include "b2bua/sip/stack_priv.h"
#include "b2bua/sip/timer.h"

/* The initial INVITE of an outgoing leg: kept to be sent again with credentials. */
struct tl_leg_request {
	char *uri;     /* Request-URI */
	char *route;   /* Route header, or NULL */
	char *headers; /* those that cross, or NULL */
	char *privacy; /* Privacy header, or NULL */
	char *replaces, *referred_by;
	unsigned max_forwards;
	unsigned timeout_s;
};

/* An offer of the peer that the owner has not answered yet. */
enum tl_leg_pending {
	TL_PENDING_NONE,
	TL_PENDING_INVITE,
	TL_PENDING_UPDATE,
	TL_PENDING_ACK, /* the 2xx to our offerless (re-)INVITE offered; our ACK is to answer */
};

/* What is said of preconditions (RFC 3312) beside a description. */
enum tl_leg_preconditions {
	TL_PRECONDITIONS_NONE,
	TL_PRECONDITIONS_SUPPORTED,
	TL_PRECONDITIONS_REQUIRED,
};

enum { TL_LEG_INFOS = 4 }; /* on their way through a leg at once, each direction */

/* An INFO that goes through: one that came and waits for its answer, or one of ours. */
struct tl_leg_carried {
	nta_incoming_t *irq; /* NULL: free */
	nta_outgoing_t *orq; /* NULL: free */
	unsigned serial;
};

/* Who is at the other end now, when it could not be said at once. */
enum tl_leg_untold { TL_UNTOLD_NOTHING, TL_UNTOLD_BY_UPDATE, TL_UNTOLD_BY_INVITE };

/* An answer that is not yet sent. */
struct tl_leg_held {
	struct tl_media_desc desc;
	bool has_desc;
	char *headers;
};

struct tl_leg {
	struct tl_stack *stack;
	su_home_t home[1]; /* texts that live as long as the leg */
	enum tl_leg_state state;
	bool incoming, released;
	unsigned depth; /* of calls from NTA: see above */
	tl_leg_event_fn *on_event;
	void *user;
	char *id; /* "call=6f1c03 leg=a" */
	struct tl_leg_info info;
	struct tl_media_desc *first_offer; /* of the INVITE, till it is taken; or NULL */
	struct tl_header_set headers;      /* info.headers */
	struct tl_sdp_session *sdp;
	bool takes_any; /* descriptions */
	/* by the peer with its last description; with those that we pass on to it */
	enum tl_leg_preconditions heard_preconditions, says_preconditions;

	/* the dialog */
	nta_leg_t *dialog;
	char *contact;  /* ours */
	char *next_hop; /* where packets go while there is no route set, or NULL */
	bool hop_stays; /* also when the target is known: the peer is behind a NAT */
	bool hop_lost;  /* it did, till that connection closed */
	enum tl_transport transport;
	unsigned port_serial; /* of the listen address that contact names; 0: none */
	char *client;         /* the client side for TLS that its requests take, or NULL */
	struct tl_digest *digest;

	/* server side: the INVITE or re-INVITE until its ACK, an UPDATE until its answer */
	nta_incoming_t *invite, *update;
	bool reliable;            /* it requires reliable provisionals, or gets them */
	bool takes_reliable;      /* it could */
	bool said_reliably;       /* one of those had our SDP */
	bool prack_answered;      /* that was an offer, and its PRACK the answer */
	unsigned unacknowledged;  /* how many of them wait for their PRACK */
	unsigned owed;            /* of any reliable ones */
	struct tl_leg_held *held; /* the 2xx that waits for it, or NULL */
	bool initial;             /* invite is the one that began the dialog */
	bool awaits_answer;       /* our 2xx to it offered, so its ACK answers */
	char *closing_reason;     /* of the BYE that waits for the ACK, or NULL */
	char *closing_headers;    /* of the BYE, the CANCEL or the refusal, or NULL */
	enum tl_leg_pending pending;
	bool pending_offer; /* it bears one; else it wants ours */

	/* client side */
	nta_outgoing_t *out; /* the INVITE or re-INVITE until its final response */
	nta_outgoing_t *bye;
	GPtrArray *others; /* nta_outgoing_t: INFO, PRACK, UPDATE */
	struct tl_leg_carried infos_in[TL_LEG_INFOS], infos_out[TL_LEG_INFOS];
	unsigned info_serial; /* of the last one that came */
	bool plain_digits;    /* it sends them as application/dtmf, and gets them so */
	struct tl_leg_request *request;
	bool offerless;                            /* our INVITE had no offer */
	uint32_t invite_cseq;                      /* of out */
	char *branch;                              /* of out: its ACK belongs to it */
	char *authorization, *proxy_authorization; /* of out: its ACK bears the same */
	struct tl_media_desc *offer;               /* of our re-INVITE, kept for glare */
	bool asks;                                 /* that one has none: it wants the peer's */
	unsigned glare;                            /* how often it met the peer's */

	enum tl_leg_untold untold;

	struct tl_leg_refer *refer; /* of the peer, while it is dealt with; or NULL */
	bool was_referred;          /* there has been one */
	bool refers;                /* leg_refer_out.c: ours, and the peer still says how it goes */

	char *asserted, *changed_from; /* leg_identify.c; of home, or NULL */
	bool peer_changes_from;        /* RFC 4916 */

	GPtrArray *early;                         /* struct tl_early, a fork each; NULL: none yet */
	struct tl_early *latest, *chosen, *aimed; /* of those, or NULL: who spoke last, who is
						     spoken to, whose target is the dialog's */
	struct tl_media_desc
		*early_offer; /* in an UPDATE of a fork, till it is answered; or NULL */

	/* leg_update.c: our offer before the answer; or NULL */
	nta_outgoing_t *update_out; /* of others */
	struct tl_media_desc *update_offer;

	su_timer_t *silence_timer; /* nothing has come of our INVITE */
	bool responded;            /* something has */
	su_timer_t *timer;         /* no final answer; glare */
	su_timer_t *session_timer; /* RFC 4028 */
	unsigned expires_s;        /* what we ask for; 0: nothing */
	unsigned min_se_s;         /* the longest Min-SE that a 422 told us; 0: none */
	unsigned session_s;        /* agreed interval; 0: none */
	bool we_refresh;
	bool peer_updates;           /* its Allow names UPDATE */
	struct tl_media_desc *local; /* what we said last of our media, for a refresh by INVITE */
};

/* leg.c */
struct tl_leg *tl_leg_new(struct tl_stack *stack, bool incoming);
void tl_leg_enter(struct tl_leg *leg);
void tl_leg_leave(struct tl_leg *leg);
/* Both ends have said yes: our 2xx makes the dialog (RFC 3261 12.1), whose ACK may be lost or late.
 */
bool tl_leg_has_dialog(const struct tl_leg *leg);
void tl_leg_set_state(struct tl_leg *leg, enum tl_leg_state state);
void tl_leg_emit(struct tl_leg *leg, const struct tl_leg_event *event);
/* With a cause: REFUSED, OFFER_REFUSED, GONE. */
void tl_leg_emit_cause(struct tl_leg *leg, enum tl_leg_event_type type,
		       const struct tl_cause *cause);
/* One of its timers, which hands the leg to on_timer; see b2bua/sip/timer.h. */
void tl_leg_start_timer(struct tl_leg *leg, su_timer_t **timer, unsigned ms, su_timer_f on_timer);
/* 1: *ret_desc was read; 0: no body; -ENOTSUP: not SDP (415); -EBADMSG (400); -ENOENT (488). */
int tl_leg_read_sdp(struct tl_leg *leg, const sip_t *sip, struct tl_media_desc *ret_desc);
/* The same of a text that was read before: 0, or as above. */
int tl_leg_read_text(struct tl_leg *leg, const char *text, size_t bytes,
		     struct tl_media_desc *ret_desc);
/* The SIP status for what tl_leg_read_sdp() returned below 0. */
int tl_leg_sdp_status(int r);
/* Our SDP as a payload from home. */
sip_payload_t *tl_leg_payload(struct tl_leg *leg, su_home_t *home, const struct tl_media_desc *desc,
			      bool answer);
/* Replies to a request in the dialog with what every reply bears. */
void tl_leg_reply(struct tl_leg *leg, nta_incoming_t *irq, int status, const char *phrase);
/* The same, and forgets irq. */
void tl_leg_refuse(struct tl_leg *leg, nta_incoming_t *irq, int status, const char *phrase);

/* Our Contact towards info.source, by leg->transport. */
void tl_leg_set_contact(struct tl_leg *leg, const char *user);

/* leg_request.c: requests in the dialog. tags may hold more headers. NULL: could not. */
nta_outgoing_t *tl_leg_send(struct tl_leg *leg, nta_response_f *on_response, sip_method_t method,
			    const char *name, tag_type_t tag, tag_value_t value, ...);
/* A short one whose answer matters little; 0 or -errno. */
int tl_leg_send_other(struct tl_leg *leg, sip_method_t method, const char *name, tag_type_t tag,
		      tag_value_t value, ...);
/* A response to one of leg->others has come, in NTA's callback: if it is final take() has it, and
 * then the transaction is forgotten. Returns what the callback does. */
typedef void tl_leg_other_fn(struct tl_leg *leg, const nta_outgoing_t *orq, int status,
			     const sip_t *sip);
int tl_leg_take_other(struct tl_leg *leg, nta_outgoing_t *orq, const sip_t *sip,
		      tl_leg_other_fn *take);
/* The final response to one of leg->others: forgets it, and sees whether the dialog still is. */
void tl_leg_other_done(struct tl_leg *leg, nta_outgoing_t *orq);
void tl_leg_send_ack(struct tl_leg *leg, const struct tl_media_desc *answer);
void tl_leg_send_bye(struct tl_leg *leg, const char *reason);
/* Route set and target of the dialog, from what begins it. -EBADMSG: unusable. */
int tl_leg_take_target(struct tl_leg *leg, const sip_t *sip);
/* Its target alone, from a later INVITE or UPDATE, or a 2xx to ours. -EBADMSG: unusable. */
int tl_leg_refresh_target(struct tl_leg *leg, const sip_t *sip);
/* Would that one do? 0 or -EBADMSG. */
int tl_leg_check_refresh(const struct tl_leg *leg, const sip_t *sip);

/* leg_hop.c */
/* Where a request goes when the URI alone would not say it rightly: see hop.h. NULL: the route set
 * or the target say it all. Of the leg, or from home. */
const char *tl_leg_hop(const struct tl_leg *leg, su_home_t *home);
/* The peer has sent a request from where it is now. */
void tl_leg_follow(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip);

/* leg_invite.c: the connection to client's peer could not be made; does the leg wait for it? */
void tl_leg_unreachable(struct tl_leg *leg, const char *client);

/* leg_modify.c */
void tl_leg_on_reinvite(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip);
void tl_leg_on_update(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip);

/* leg_incoming.c */
void tl_leg_drop_held(struct tl_leg *leg);
/* The dialog that a taken request begins, and all that its leg knows of the peer. 0 or -errno. */
int tl_leg_begin(struct tl_leg *leg, struct tl_request *request);
/* The peer's next INVITE has come before the ACK of its last, which was lost or overtaken: it has
 * our 2xx, then. When that ACK is to bring an answer it is waited for (RFC 5407 3.1.4, 3.1.5). NTA
 * repeats the 2xx until the ACK has come all the same. */
void tl_leg_imply_ack(struct tl_leg *leg);
int tl_leg_on_ack_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq, const sip_t *sip);

/* leg_dialog.c */
int tl_leg_on_request(nta_leg_magic_t *magic, nta_leg_t *dialog, nta_incoming_t *irq,
		      const sip_t *sip);

/* leg_info.c */
void tl_leg_on_info(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip);
void tl_leg_on_message(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip);
/* Answers those that wait: 481, the dialog is over. */
void tl_leg_drop_infos(struct tl_leg *leg);

/* leg_refer.c */
void tl_leg_on_refer(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip);
/* leg_refer_out.c */
void tl_leg_on_notify(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip);
/* leg_refer.c; for the end of the stack: says nothing more. */
void tl_leg_refer_drop(struct tl_leg *leg);

/* leg_replaces.c: texts are allocated from home. -EBADMSG: can't be read. */
int tl_replaces_parse(su_home_t *home, const char *text, struct tl_replaces *ret_replaces);
/* Target-Dialog (RFC 4538) of a request, in the same terms: 1; 0: it has none. */
int tl_target_dialog_read(su_home_t *home, const sip_t *sip, struct tl_replaces *ret_target);
/* The header of a request: 1; 0: it has none. */
int tl_replaces_read(su_home_t *home, const sip_t *sip, struct tl_replaces *ret_replaces);

/* leg_identify.c */
/* The ACK has come, or an offer is over: is there something to say? */
void tl_leg_tell_untold(struct tl_leg *leg);
/* What a request or a 2xx of the peer says that it can do. */
void tl_leg_note_abilities(struct tl_leg *leg, const sip_t *sip);

/* leg_close.c */
/* The peer or the network has ended it: state, BYE where one is due, GONE. */
void tl_leg_lost(struct tl_leg *leg, const struct tl_cause *cause, bool say_bye);
/* Ends every leg at once, for the end of the stack; the owners hear nothing. */
void tl_legs_end(struct tl_stack *stack);

/* leg_early.c: provisional responses to our INVITE, by fork (To tag) */
void tl_leg_on_progress(struct tl_leg *leg, const sip_t *sip);
/* What a fork has said of its media, or NULL. *ret_settled: its 2xx can't change it. */
const struct tl_media_desc *tl_leg_early(const struct tl_leg *leg, const char *tag,
					 bool *ret_settled);
/* It was changed by an offer of the fork that we have accepted, or its answer to ours: in sip. */
void tl_leg_early_replace(struct tl_leg *leg, const char *tag, const sip_t *sip,
			  const struct tl_media_desc *desc);
/* Reads what a fork has said of its media again, since others may have spoken after it. */
int tl_leg_early_recall(struct tl_leg *leg, const char *tag, struct tl_media_desc *ret_desc);
/* Is the fork another one than the chosen one? False: none is chosen. */
bool tl_leg_early_is_other(const struct tl_leg *leg, const char *tag);
/* Has the chosen fork answered reliably, and does it take UPDATE? */
bool tl_leg_early_takes_update(const struct tl_leg *leg);
/* Requests of the dialog go to the chosen fork; the To that they must bear, lent; or NULL. */
const sip_to_t *tl_leg_early_aim(struct tl_leg *leg);
void tl_leg_early_forget(struct tl_leg *leg);

/* leg_update.c */
/* Another fork has answered, so our offer is not for it. */
void tl_leg_drop_update(struct tl_leg *leg);
void tl_leg_note_preconditions(struct tl_leg *leg, const sip_t *sip);
/* Option tags of a message with a description: for Supported, which are these too; for Require,
 * NULL: none. */
const char *tl_leg_supported(const struct tl_leg *leg, su_home_t *home, const char *tags);
const char *tl_leg_required(const struct tl_leg *leg);

/* leg_timer.c: an UPDATE without an offer refreshes the session, and says who is there */
void tl_leg_send_update(struct tl_leg *leg);

/* leg_timer.c: session timers, RFC 4028 */
/* What a request of the peer asks for. 0; -1: too small, refuse with the next function. */
int tl_leg_session_ask(struct tl_leg *leg, const sip_t *sip);
void tl_leg_session_refuse(struct tl_leg *leg, nta_incoming_t *irq); /* takes irq */
/* We are about to accept irq with a 2xx: what it grants. */
void tl_leg_session_grant(struct tl_leg *leg, nta_incoming_t *irq);
/* Session-Expires of that 2xx, or NULL. */
const char *tl_leg_session_expires(const struct tl_leg *leg, su_home_t *home);
/* With each such 2xx. */
void tl_leg_session_start(struct tl_leg *leg);
/* A 2xx to an INVITE or UPDATE of ours: what it grants; starts. */
void tl_leg_session_agree(struct tl_leg *leg, const sip_t *sip);
/* A 422 to one of ours: true: ask again, for as much as it wants. */
bool tl_leg_session_raise(struct tl_leg *leg, const sip_t *sip);
/* Session-Expires of a later request of ours, and Min-SE; or NULL. */
const char *tl_leg_session_again(const struct tl_leg *leg, su_home_t *home);
const char *tl_leg_session_min(const struct tl_leg *leg, su_home_t *home);
void tl_leg_session_stop(struct tl_leg *leg);
