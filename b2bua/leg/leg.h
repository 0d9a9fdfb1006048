#pragma once
/*
 * One leg: a SIP dialog that ends in Twinleg, and the INVITE usage in it.
 * Built on Sofia-SIP's transaction and dialog-matching layer (nta_leg,
 * nta_incoming, nta_outgoing); see README "Why NTA". No Sofia type in sight.
 *
 * A leg does its protocol duty by itself: retransmissions, ACK, answers to
 * CANCEL and to requests it can judge alone, digest authentication of our
 * requests, glare, the rest of a dialog after its owner has let go. It tells
 * its owner only what concerns the call, as events, and never knows that there
 * is another leg.
 *
 * Signalling thread only. An event callback may call any verb of the leg,
 * tl_leg_release() included; verbs never call back before they return.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include "media/desc.h"
#include "b2bua/sip/stream.h"
#include "dialplan/facts.h"
#include "dialplan/settings.h"

struct tl_stack;
struct tl_leg;

enum tl_leg_state {
	TL_LEG_IDLE,
	TL_LEG_INCOMING,  /* INVITE came; nothing but 100 was sent */
	TL_LEG_CALLING,   /* INVITE sent; nothing or 100 came */
	TL_LEG_EARLY,     /* 101..199 sent or came */
	TL_LEG_ANSWERING, /* 2xx sent, ACK not yet seen */
	TL_LEG_UP,
	TL_LEG_CLOSING, /* CANCEL, BYE or final refusal is under way */
	TL_LEG_OVER,
	_TL_LEG_MAX,
	_TL_LEG_INVALID = -22,
};
const char *tl_leg_state_name(enum tl_leg_state state);

/* A header that may go from one leg to the other: none of the gateway's own. */
struct tl_header {
	const char *name, *value;
};
enum { TL_HEADERS_MAX = 24 }; /* of one message; more stay behind */
struct tl_header_set {
	struct tl_header v[TL_HEADERS_MAX];
	size_t n;
};

/* One Contact of a 3xx. */
struct tl_contact {
	const char *uri;
	const char *user; /* unescaped, "" when there is none; NULL in what we send */
	const char *host; /* NULL: a telephone number (RFC 3966), or in what we send */
};
enum { TL_CONTACTS_MAX = 8 };

/* A refusal or an end: SIP status with phrase, or a Reason (RFC 3326). */
struct tl_cause {
	int status;                        /* 300..699; 0: none (a plain BYE) */
	const char *phrase;                /* NULL: the status's own */
	const char *reason;                /* Reason header's value to carry to the other leg:
					      `SIP;cause=200;text="..."`, or NULL */
	unsigned retry_after_s;            /* 0: none */
	const char *warning;               /* text of a Warning 399, or NULL */
	const struct tl_contact *contacts; /* 3xx: where to, the preferred first */
	size_t n_contacts;
	const char *unsupported;         /* 420: the option tags, static; or NULL */
	const struct tl_header *headers; /* of the response, BYE or CANCEL; n_headers 0: none */
	size_t n_headers;
};

/* An identity as shown: display name may be NULL; user part may be "" (withheld). */
struct tl_party {
	const char *name, *user, *host; /* host NULL: ours */
};

/* A dialog by its names, as the one who is asked sees them (RFC 3891): to_tag is ours. */
struct tl_replaces {
	const char *call_id, *to_tag, *from_tag;
	bool early_only;
};
/* As the value of a Replaces header; to free. */
char *tl_replaces_format(const struct tl_replaces *replaces);

/* What a REFER asks for. */
struct tl_refer {
	const char *callee; /* user part of Refer-To, unescaped */
	const char *uri;    /* Refer-To, without its headers */
	bool has_replaces;
	struct tl_replaces replaces;
	const char *referred_by; /* the header's value, or NULL */
	/* outside a dialog: the one that it is about (RFC 4538) */
	bool has_target;
	struct tl_replaces target;
};

/* Who it says is calling, beside From, and how it came here: identity.h. */
enum { TL_IDENTITY_HOPS = 8 }; /* diversions and history entries kept; more are lost */
struct tl_identity {
	struct tl_party asserted, remote_party; /* user NULL: none; host NULL: a tel URI */
	bool withheld;                          /* the caller asks not to be shown */
	const char *diversions[TL_IDENTITY_HOPS], *history[TL_IDENTITY_HOPS]; /* values */
	size_t n_diversions, n_history;
};

/* What an incoming INVITE said; lent by tl_leg_caller() as long as the leg lives. */
struct tl_leg_info {
	struct tl_party from, to;
	struct tl_identity identity;
	const char *callee; /* user part of the Request-URI, unescaped */
	const char *call_id;
	struct sockaddr_storage source; /* where it came from */
	enum tl_transport transport;
	bool has_offer;                  /* the INVITE bore one: tl_leg_take_offer() */
	unsigned max_forwards;           /* as it came, 1 to 70 */
	const struct tl_header *headers; /* those that are not the gateway's own */
	size_t n_headers;
	const struct tl_fact_header *fields; /* all there are, within bounds, for conditions */
	size_t n_fields;
	unsigned offered; /* bits of enum tl_offered: what the SDP asks for */
	bool has_replaces;
	struct tl_replaces replaces;
	bool needs_preconditions; /* Require: precondition, which is between the parties */
};
/* Of an outgoing leg, from is who was called, and what else there is of its own. */
const struct tl_leg_info *tl_leg_info(const struct tl_leg *leg);
/* The offer that an INVITE bore, once: to g_free(). NULL: none, or it was taken. */
struct tl_media_desc *tl_leg_take_offer(struct tl_leg *leg);

enum tl_leg_event_type {
	TL_LEG_PROGRESS, /* outgoing: 101..199 with status; desc: its SDP, or NULL */
	TL_LEG_ANSWERED, /* outgoing: 2xx; desc: the answer. If we sent no offer, it is the peer's,
			    and tl_leg_accept() sends the ACK with our answer. Without usable SDP
			    the leg ends itself and sends REFUSED 488 instead */
	TL_LEG_REFUSED,  /* outgoing: 3xx..6xx, unreachable (503/408 by RFC 3261 8.1.3.1); over */
	TL_LEG_ACKED, /* incoming: ACK; desc: the answer, when our 2xx offered, else NULL. Again for
			 a re-INVITE without an offer, whose ACK is to bring the answer */
	TL_LEG_OFFERED,    /* re-INVITE, UPDATE, PRACK, or the 2xx to a re-INVITE of ours that asked
			      for it: desc is the offer, or NULL: it wants ours. Reply by
			      tl_leg_accept() or tl_leg_decline(), which ends a leg that we asked */
	TL_LEG_REANSWERED, /* our tl_leg_offer() was accepted; desc: the answer */
	TL_LEG_OFFER_REFUSED, /* our tl_leg_offer() was refused; cause; nothing has changed */
	TL_LEG_INFO_DTMF,  /* INFO application/dtmf-relay or application/dtmf: digit, duration_ms */
	TL_LEG_INFO,       /* INFO with another body that may be carried, or MESSAGE. Reply by
			      tl_leg_reply_info(), now or later */
	TL_LEG_INFO_REPLY, /* our tl_leg_send_info() was answered: serial, status */
	TL_LEG_REFERRED,   /* REFER; refer. Reply at once, by tl_leg_refer_accept() or _decline() */
	TL_LEG_REFER_NEWS, /* how our REFER goes: status; 200 and above: the last word */
	TL_LEG_REFER_DONE, /* the last NOTIFY was answered, or never will be */
	TL_LEG_GONE,       /* BYE, CANCEL (status 487), no ACK, dialog lost; cause; over */
	_TL_LEG_EVENT_MAX,
};
const char *tl_leg_event_name(enum tl_leg_event_type type);

struct tl_leg_body {
	bool message;     /* it travels in a MESSAGE (RFC 3428), not an INFO */
	const char *type; /* "application/media_control+xml" */
	const char *data;
	size_t bytes; /* at most TL_LEG_INFO_BYTES */
};
enum { TL_LEG_INFO_BYTES = 16384 };

struct tl_leg_event { /* all lent during the callback */
	enum tl_leg_event_type type;
	int status;
	const struct tl_media_desc *desc;
	bool reliable; /* of TL_LEG_PROGRESS */
	struct tl_cause cause;
	char digit;
	unsigned duration_ms;
	struct tl_leg_body body;         /* of TL_LEG_INFO */
	unsigned serial;                 /* which INFO */
	const struct tl_refer *refer;    /* of TL_LEG_REFERRED */
	const struct tl_header *headers; /* of the response or request */
	size_t n_headers;
};
typedef void tl_leg_event_fn(struct tl_leg *leg, const struct tl_leg_event *event, void *user);

/* Who gets the events. Before anything else for an incoming leg. */
void tl_leg_set_owner(struct tl_leg *leg, tl_leg_event_fn *on_event, void *user);
/* The owner's user pointer, when on_event is its function; else NULL. */
void *tl_leg_owner(const struct tl_leg *leg, tl_leg_event_fn *on_event);
/* id stands first in log lines: "call=6f1c03 leg=a". Copied. */
void tl_leg_set_id(struct tl_leg *leg, const char *id);

/* Incoming: whose client side TLS takes when the peer must be connected to. Copied. */
void tl_leg_set_client(struct tl_leg *leg, const char *client);

#define TL_LEG_NO_RESPONSE "No Response"

struct tl_target {               /* whom to invite; copied */
	const char *request_uri; /* sip:user@host:port;transport=… */
	const char *route;       /* next hop in place of the URI's host, or NULL (loose route) */
	/* literal, where the INVITE goes, or NULL: as request_uri says. Beside it, route is the
	 * value of the Route header and nothing else. */
	const char *next_hop;
	struct tl_party from, to;
	const char *auth_user, *auth_password; /* for 401/407, or NULL */
	const struct tl_header *headers;
	size_t n_headers;
	const struct tl_leg *sdp_of;        /* tl_leg_pass_sdp(); or NULL */
	const char *replaces, *referred_by; /* values of these headers, or NULL */
	const char *own_headers; /* whole lines of the gateway's own, "Diversion: …\r\n", or NULL */
	const struct tl_stream *streams[TL_STREAMS]; /* beside the audio; NULL: none */
	/* of the INVITE that this one stems from: one less is sent. 0: there is none */
	unsigned max_forwards;
	unsigned session_s;  /* session timer to ask for, RFC 4028; 0: none */
	const char *client;  /* whose client side TLS takes (tl_stack_client()), or NULL */
	unsigned silence_ms; /* nothing at all within it: REFUSED 503 TL_LEG_NO_RESPONSE; 0: 32 s */
	unsigned timeout_s;  /* no final answer within it: CANCEL, REFUSED 408; 0: never */
};

/* Sends INVITE. offer's rtp and rtcp are filled; NULL: offerless. 0: the leg,
 * owned by the caller. -EINVAL: the target's URI can't be used. */
int tl_leg_invite(struct tl_stack *stack, const struct tl_target *target,
		  const struct tl_media_desc *offer, tl_leg_event_fn *on_event, void *user,
		  const char *id, struct tl_leg **ret_leg);

/* Session timer for a caller that could have one and did not ask; 0: none. Before the answer. */
void tl_leg_set_session(struct tl_leg *leg, unsigned expires_s);

/* From now on this leg is told what the other one's peer has said of media, as it is: sdp.h.
 * The descriptions that the verbs take still count for us. */
bool tl_leg_pass_sdp(struct tl_leg *leg, const struct tl_leg *from); /* is it something new? */
/* It has refused what was passed on last. */
void tl_leg_unpass_sdp(struct tl_leg *leg);
/* Whether the peer's descriptions may be desc->foreign, which can only be passed on like that; else
 * they are refused here. The offer of an incoming INVITE may be so in any case. */
void tl_leg_take_any(struct tl_leg *leg, bool any);

/* --- incoming legs --- 180..189; desc: early media's answer, or NULL. -EBUSY: too many reliable
 * ones wait for their PRACK. */
int tl_leg_progress(struct tl_leg *leg, int status, const struct tl_media_desc *desc,
		    const struct tl_header *headers, size_t n_headers);
/* Must the next provisional response bear an offer of ours (RFC 3261 13.2.1)? It is reliable, and
 * REANSWERED comes with the answer in its PRACK. */
bool tl_leg_wants_offer(const struct tl_leg *leg);
/* From now on they are reliable, if the caller takes that. */
void tl_leg_rely(struct tl_leg *leg);
/* Has one of those settled what is said of media? The 200 says no more. */
bool tl_leg_is_settled(const struct tl_leg *leg);
/* 200 with desc: the answer, or our offer when the INVITE had none. */
int tl_leg_answer(struct tl_leg *leg, const struct tl_media_desc *desc,
		  const struct tl_header *headers, size_t n_headers);

/* --- offers inside the dialog, either direction --- */
/* Sends a re-INVITE. -EBUSY: one is under way. NULL: it asks for the peer's offer, OFFERED. */
int tl_leg_offer(struct tl_leg *leg, const struct tl_media_desc *offer);
/* The same by UPDATE, before the answer to the INVITE. -EAGAIN: the peer can't be asked before. */
int tl_leg_offer_early(struct tl_leg *leg, const struct tl_media_desc *offer);
/* During a PROGRESS of an outgoing leg, which may have come of one of several telephones: this one
 * is spoken to till one answers, and offers of the others are put off. */
void tl_leg_choose(struct tl_leg *leg);
/* Is this PROGRESS of that one? */
bool tl_leg_is_chosen(const struct tl_leg *leg);
int tl_leg_accept(struct tl_leg *leg, const struct tl_media_desc *desc);
int tl_leg_decline(struct tl_leg *leg, int status);
/* Does an offer of the peer wait for either? It may have been cancelled. */
bool tl_leg_is_asked(const struct tl_leg *leg);

/* --- a transfer that the peer asks for: leg_refer.c draws it --- */
void tl_leg_refer_accept(struct tl_leg *leg); /* 202, and NOTIFY 100 */
void tl_leg_refer_decline(struct tl_leg *leg, int status, const char *phrase);
/*
 * From the accept to the end the leg may be released and over, yet it lives: whoever has
 * accepted must bring it to an end. tell: NOTIFY with a provisional status. end: with the final
 * one. True: TL_LEG_REFER_DONE follows (unless the leg is released); false: there was nothing to
 * tell, and it is over.
 */
void tl_leg_refer_tell(struct tl_leg *leg, int status);
bool tl_leg_refer_end(struct tl_leg *leg, int status);
/* REFER to a URI; TL_LEG_REFER_NEWS follow. -EBUSY: not now; -EIO. referred_by: a value, or NULL.
 */
int tl_leg_refer(struct tl_leg *leg, const char *uri, const char *referred_by);
/* The dialog's names as the peer knows them: to_tag is its own. Lent. */
void tl_leg_names(const struct tl_leg *leg, struct tl_replaces *ret_names);
/* The same of a dialog that an outgoing leg's INVITE has made and no 2xx has confirmed: the first
 * of them that has a tag. False: there is none. As it would be asked to be replaced: to_tag is
 * ours.
 */
bool tl_leg_early_names(const struct tl_leg *leg, struct tl_replaces *ret_names);
/* Do they name one of those? */
bool tl_leg_is_early(const struct tl_leg *leg, const struct tl_replaces *names);
/* The leg of ours that Replaces names, or NULL; it may be one that is about to end. */
struct tl_leg *tl_leg_find(struct tl_stack *stack, const struct tl_replaces *replaces);

/* --- streams beside the audio, by number (stream.h) --- what the peer said last; NULL: nothing, or
 * refused. Lent until its next description. */
const struct tl_stream *tl_leg_stream(const struct tl_leg *leg, unsigned number);
/* What our next descriptions say; NULL: refused. Copies. */
void tl_leg_say_stream(struct tl_leg *leg, unsigned number, const struct tl_stream *stream);
const struct tl_stream *tl_leg_said_stream(const struct tl_leg *leg, unsigned number);

/* Who is at the other end now, after a transfer: stands in every UPDATE and re-INVITE from now on,
 * as P-Asserted-Identity, and in From when the peer says that it can take that (RFC 4916). A party
 * without a user is kept to ourselves. */
void tl_leg_identify(struct tl_leg *leg, const struct tl_party *party);
/* Says it by an UPDATE, when the peer takes those; by_invite: else by a re-INVITE that offers what
 * stands. At once, or when the ACK has come and no offer is under way. */
void tl_leg_tell_identity(struct tl_leg *leg, bool by_invite);
bool tl_leg_changes_from(const struct tl_leg *leg);

/* INFO application/dtmf-relay. */
int tl_leg_send_dtmf(struct tl_leg *leg, char digit, unsigned duration_ms);

/*
 * An INFO of another kind on its way from one leg to the other. serial is the
 * caller's, and comes back with TL_LEG_INFO_REPLY. -ENOTCONN: the dialog is not up; -EBUSY:
 * enough of them are under way.
 */
int tl_leg_send_info(struct tl_leg *leg, const struct tl_leg_body *body,
		     const struct tl_header *headers, size_t n_headers, unsigned serial);
/* Answers a TL_LEG_INFO. Nothing happens when it is gone. */
void tl_leg_reply_info(struct tl_leg *leg, unsigned serial, int status);

/* Ends it whatever its state: refuses (cause.status, else 480), CANCELs, or
 * sends BYE; a 2xx that crosses the CANCEL is acknowledged and ended. No event
 * follows. cause may be NULL. */
void tl_leg_close(struct tl_leg *leg, const struct tl_cause *cause);
/* Lets go: closes if still alive, sends no more events; the leg frees itself
 * when its last transaction ends. NULL ok. */
void tl_leg_release(struct tl_leg *leg);

enum tl_leg_state tl_leg_state(const struct tl_leg *leg);
const char *tl_leg_call_id(const struct tl_leg *leg);
/* The local IP that packets to the peer leave from: for RTP ports. Port 0.
 * Known for incoming legs; for targets see tl_stack_local_ip(). */
void tl_leg_local_ip(const struct tl_leg *leg, struct sockaddr_storage *ret_ip);
