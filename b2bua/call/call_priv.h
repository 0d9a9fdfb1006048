#pragma once
/* What the files of a call share. Private to call*.c. */
#include <glib.h>
#include <sofia-sip/su_wait.h>
#include "b2bua/app.h"
#include "b2bua/call/call.h"
#include "b2bua/leg/leg.h"
#include "b2bua/sip/timer.h"
#include "media/session.h"

enum {
	TL_CALL_FOLLOWS = 10,   /* on-… routes followed before the call is refused */
	TL_CALL_BRANCHES = 32,  /* contacts rung at once */
	TL_CALL_CONTACTS = 8,   /* of one extension */
	TL_CALL_REDIRECTS = 10, /* contacts of redirections that a call follows */
};

/* A cause that owns its texts. */
struct tl_kept_cause {
	struct tl_cause cause; /* points into the fields below */
	char *phrase, *reason, *warning;
};

/* What a leg's own section allows; the route may say otherwise. */
struct tl_call_wishes {
	const struct tl_codec *codecs[TL_CODECS_MAX];
	size_t n_codecs;
	enum tl_dtmf_mode dtmf;
	enum tl_srtp_policy srtp;
	enum tl_t38_mode t38;
	struct tl_sound_cfg sound;
	enum tl_silence_mode silence;
};

/* What was said about media on one leg. */
struct tl_call_media {
	struct tl_call_wishes own_wishes;
	struct tl_media_policy policy; /* those, and the route's */
	struct tl_media_desc local, remote;
	bool have_local, have_remote;
	/* in a 200 to an offerless re-INVITE, till its ACK; or NULL */
	struct tl_media_desc *offered;
	struct sockaddr_storage peer; /* SIP peer: what address to show it */
	enum tl_dtmf_mode dtmf;
	struct tl_sound sound;

	/* call_hold.c */
	enum tl_hold_mode hold;
	const char *hold_music; /* of those whom it holds; lent by the dialplan; NULL: not said */
	bool hears_music;
	enum tl_direction own;            /* what it wants, whatever the other leg allows */
	unsigned untold;                  /* directions that the last offer or answer to it left out
					     since the other leg holds */
	unsigned refused_streams;         /* a bit each */
	struct tl_media_desc *held_offer; /* of its own, till the other leg has been asked */
	/* call_fax.c */
	enum tl_t38_mode t38;
	bool refuses_t38, refuses_g711, refuses_audio; /* has done so; the last: from T.38 */
	struct tl_media_desc *voice;                   /* what it spoke before T.38; or NULL */
	struct tl_media_desc *reoffer; /* in a re-INVITE of ours, till it is answered; or NULL */
};

/* One destination that is being rung; the one that answers becomes leg b. */
struct tl_branch {
	struct tl_call *call;
	struct tl_leg *leg;
	char *name;    /* "1001", "trunk:carrier" */
	char *call_id; /* of its leg, NULL before there was one */
	char *trunk;   /* name, while it counts against the trunk's max-calls */
	/* what it is, of call->dp: one of the two, for a trunk with the number dialled */
	const struct tl_extension_cfg *extension;
	const struct tl_trunk_cfg *trunk_cfg;
	char *number;
	GPtrArray *hops; /* of a trunk: its servers, referenced; or NULL */
	guint hop;       /* the one that is being tried */
	char *uri;       /* where a redirection of the trunk's led, or NULL */
	unsigned ring_time_s;
	const struct tl_decision *decision; /* that has it rung; only while it rings */
	struct tl_hunt *hunt; /* the redirections that led here, referenced; or NULL */
	su_timer_t *timer;    /* its own time, when that is shorter than the step's */
	double q;             /* of an extension's contact */
	unsigned lower_s;     /* for each q below, when these have been rung; 0: there is none */
	bool answers_late;    /* it picked up without an offer: its ACK answers ours */
	struct tl_call_media media;
};

struct tl_call {
	struct tl_app *app;
	char id[8];
	enum tl_call_state state;
	struct tl_decision *decision; /* NULL before the dialplan has spoken */
	struct tl_dialplan *dp;
	size_t step; /* of decision->steps */
	unsigned follows;

	/* the facts, kept for follow-up routes */
	struct tl_facts facts;
	char *source, *source_name, *caller, *callee;
	char *caller_name;     /* as it came; NULL: none */
	bool trusted;          /* what the caller's leg asserts is believed */
	bool withheld;         /* the caller asked for privacy */
	bool anonymous;        /* no identity came at all */
	GPtrArray *diversions; /* struct tl_diversion, the oldest first; or NULL */
	char *trunk;           /* the calling trunk, while it counts against its max-calls */

	struct tl_leg *leg_a;
	struct tl_call_media a;
	bool rung;         /* a target has been called */
	bool a_answered;   /* our 200 is out */
	bool a_ringing;    /* a 180 is out */
	bool play_pending; /* announcements wait for the ACK's answer */

	GPtrArray *branches;             /* struct tl_branch, ringing ones and the winner */
	struct tl_branch *b;             /* the winner, or NULL */
	const struct tl_leg_event *news; /* what a branch said, while it is dealt with */
	struct tl_branch *newsmaker;     /* which one */
	struct tl_branch *early;         /* whose early media the caller hears, or NULL */
	bool modems;                     /* a fax or another modem has been heard */
	bool fax_heard;                  /* it is a fax */
	bool ringing_back;               /* the caller hears our ringback tone */
	struct tl_kept_cause best;       /* of the refusals of this route's steps */
	bool best_by_b;                  /* a target said it; else we found out by ourselves */
	struct tl_kept_cause end;        /* what the caller gets, or what ended the call */
	bool no_answer;                  /* the time of the step, or of a target of it, ran out */
	char *declined;                  /* the number that a trunk has refused with 6xx, or NULL */
	unsigned redirects;              /* contacts followed */

	/* call_transfer.h */
	struct tl_call_transfer *transfer; /* of the new call, until it has worked; or NULL */
	struct tl_call *lent_to;           /* the new call that has legs of this one, or NULL */
	struct tl_dialplan *dp_too;        /* what a leg of another call lives by, or NULL */
	char *replaces, *referred_by;      /* headers for the targets, or NULL */
	char *asker;                       /* who asked for it: "extension:1001", or NULL */
	char *asker_name, *asker_number;   /* for the facts */
	char *linked;                      /* the record of the call before, or after */
	bool moved;                        /* leg a was re-INVITEd to meet leg b */
	bool passing;                      /* a REFER of this side was passed on */
	enum tl_side passes_of;
	unsigned retries;   /* of a re-INVITE that met the leg's own */
	unsigned transfers; /* how often its parties have been transferred */

	/* call_direct.c; legs of this call, or NULL */
	struct tl_leg *direct_asker; /* whose re-INVITE has been passed on, till it is answered */
	bool direct_offers;          /* by an offer; else it wants one */
	struct tl_leg *direct_waits; /* whose 2xx has offered: its ACK waits for the answer */
	bool direct_unsettled;       /* the caller knows another's answer: after its ACK b offers */
	bool direct_stays;           /* whatever the route says: a transfer of a call that was so */
	struct tl_session *session;  /* NULL: no media was needed yet */
	su_timer_t *ring_timer, *duration_timer, *hold_timer, *free_timer;

	/* the record; times by tl_clock_ms() */
	int64_t started_ms, ringing_ms, answered_ms, ended_ms;
	const char *ended_by;
	char *recording, *route, *target, *call_id_a, *call_id_b;
	struct tl_session_stats base_stats; /* when the session came here */
	struct tl_session_stats kept_stats; /* when it left */

	GHashTable *shown; /* call_board.c: what stands on the board; or NULL */
};

/* call.c */
void tl_call_raise(struct tl_call *call, enum tl_call_event event);
/* A new call that has nothing yet. */
struct tl_call *tl_call_alloc(struct tl_app *app, struct tl_dialplan *dp);
/* What a leg says while its call is up, whichever side it is. m: its media. */
void tl_call_on_talk(struct tl_call *call, struct tl_leg *leg, enum tl_side side,
		     struct tl_call_media *m, const struct tl_leg_event *event);
void tl_call_on_leg_a(struct tl_leg *leg, const struct tl_leg_event *event, void *user);
/* One of its timers, which hands the call to on_timer; see b2bua/sip/timer.h. */
void tl_call_start_timer(struct tl_call *call, su_timer_t **timer, unsigned ms,
			 su_timer_f on_timer);

/* call_route.c: asks the dialplan; which event its answer is */
enum tl_call_event tl_call_route(struct tl_call *call);
/* the next step, or the follow-up of the step that failed; may refuse */
enum tl_call_event tl_call_route_next(struct tl_call *call);

/* as the decision says, when its announcements have been heard */
enum tl_call_event tl_call_reject(struct tl_call *call);
/* what refuses the caller; logged */
enum tl_call_event tl_call_refuse(struct tl_call *call, const struct tl_cause *cause);
/* It requires preconditions, and meets us (RFC 3312): 420. */
enum tl_call_event tl_call_refuse_preconditions(struct tl_call *call);

/* call_board.c: those who watch the call's extensions see how it stands */
void tl_call_show(struct tl_call *call);
void tl_call_hide(struct tl_call *call);

/* call_ring.c */
void tl_call_ring(struct tl_call *call); /* may raise EXHAUSTED */
void tl_call_drop_targets(struct tl_call *call, const struct tl_cause *cause); /* all but b */
void tl_call_start_ring_timer(struct tl_call *call);
void tl_call_stop_ring_timer(struct tl_call *call);

/* call_invite.c */
void tl_call_peer_of(const struct tl_target *target, struct sockaddr_storage *ret_peer);
/* rings, or notes why not; d: the decision that names the target */
void tl_call_ring_target(struct tl_call *call, const struct tl_decision *d,
			 const struct tl_ring_target *target, struct tl_hunt *hunt);
/* RFC 3261 16.6: the extension's contacts of the next q below that of branch, which is still there.
 * False: nobody rings. */
bool tl_call_ring_lower(const struct tl_branch *branch, struct tl_hunt *hunt);
/* the same at a URI that the trunk itself has named */
void tl_call_ring_uri(struct tl_call *call, const struct tl_decision *d,
		      const struct tl_trunk_cfg *trunk, const char *uri, struct tl_hunt *hunt);

/* lost has ended with this cause: a server of a trunk that isn't there, or can't now (RFC
 * 3263 4.3). True: the next one is being rung in a branch of its own; lost is to be freed as
 * always. */
bool tl_call_ring_next_server(struct tl_branch *lost, const struct tl_cause *cause);

/* call_identity.c */
/* Whom the call is from: call->caller and what is beside it. */
void tl_call_read_caller(struct tl_call *call, const struct tl_leg_info *info,
			 const struct tl_source *source);
/* Fills from; the lines of headers that go with it, which the caller frees, or NULL. */
char *tl_call_show_caller(const struct tl_branch *branch, struct tl_party *from);
/* The call goes on to another because of what happened at number: status 302, 486, 408 … */
void tl_call_diverted(struct tl_call *call, const char *number, int status);

/* call_direct.c: media end to end; each counts only while tl_call_is_direct() */
bool tl_call_is_direct(const struct tl_call *call);
/* That may have changed: the legs are told what they may hand up. */
void tl_call_direct_note(struct tl_call *call);
/* Fills branch->media.local; or leaves it, and the INVITE asks for an offer. */
void tl_call_direct_offer(struct tl_branch *branch, struct tl_target *target);
int tl_call_direct_answer(struct tl_call *call); /* 0, or the SIP status to refuse with */
void tl_call_direct_reoffered(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			      const struct tl_media_desc *offer);
void tl_call_direct_reanswered(struct tl_call *call, struct tl_call_media *m,
			       const struct tl_media_desc *answer);
void tl_call_direct_refused(struct tl_call *call, int status);
/* call->news of call->newsmaker brings the answer that the caller is about to be told early. */
void tl_call_direct_early(struct tl_call *call);
/* The caller's ACK has come. */
void tl_call_direct_settle(struct tl_call *call);
/* A branch goes; what it was asked comes again. */
void tl_call_direct_forget(const struct tl_branch *branch);
/* An ACK has come that should have brought an answer. */
void tl_call_direct_unanswered(struct tl_call *call);
/* Both legs are there already: they learn of each other. 0, or the status that ends it. */
int tl_call_direct_join(struct tl_call *call);

/* call_branch.c */
/* One of the call, without a leg yet, named kind and name together. */
struct tl_branch *tl_branch_new(struct tl_call *call, const char *kind, const char *name);
void tl_branch_free(struct tl_branch *branch);                    /* closes its leg */
void tl_branch_limit(struct tl_branch *branch, unsigned seconds); /* it is given up then */
void tl_branch_on_leg(struct tl_leg *leg, const struct tl_leg_event *event, void *user);

/* call_redirect.c: a target answers with 3xx */
/* Is the 3xx for the caller to follow? */
bool tl_call_passes_redirect(const struct tl_branch *branch);
/* The hunt that is to go on when branch is gone, referenced; NULL: nothing is followed. */
struct tl_hunt *tl_call_redirected(struct tl_branch *branch, const struct tl_cause *cause);
/* The extension that redirected last; NULL: none. */
const struct tl_extension_cfg *tl_hunt_forwarder(const struct tl_hunt *hunt);
/* When nobody rings for it any more: the next step or contact. NULL ok. */
void tl_hunt_next(struct tl_hunt *hunt);
struct tl_hunt *tl_hunt_ref(struct tl_hunt *hunt);             /* NULL ok */
void tl_hunt_leave(struct tl_hunt *hunt);                      /* a reference less; NULL ok */
void tl_hunt_move(struct tl_hunt *hunt, struct tl_call *call); /* rings for that one; NULL ok */

/* call_headers.c: of headers that came on one leg, those that go to the other; lent by them */
void tl_call_pass_headers(const struct tl_call *call, const struct tl_header *headers, size_t n,
			  struct tl_header_set *ret_set);
/* What the caller's INVITE gives to those of leg b, with what the route adds. */
void tl_call_invite_headers(const struct tl_call *call, const struct tl_decision *d,
			    struct tl_header_set *ret_set);
/* The same with what ends a leg; lent by cause and buf. */
struct tl_cause tl_call_pass_cause(const struct tl_call *call, const struct tl_cause *cause,
				   struct tl_header_set *buf);
/* TL_LEG_INFO and TL_LEG_INFO_REPLY of either leg */
void tl_call_info(struct tl_call *call, struct tl_leg *leg, const struct tl_leg_event *event);

/* call_media.c: 0, or the SIP status to refuse with */
int tl_call_media_open(struct tl_call *call, enum tl_side side, const struct sockaddr *local_ip,
		       const struct sockaddr *peer, struct tl_media_desc *desc);
/* Another address of ours in local, where the leg is to be sent to by another family than that
 * which it is about to be told. */
int tl_call_media_place(struct tl_call *call, enum tl_side side, const struct tl_media_desc *remote,
			struct tl_media_desc *local);
/* Do we speak the family of its address? Also where it is none that we know. */
bool tl_call_media_reaches(const struct tl_call *call, const struct tl_media_desc *remote);
int tl_call_media_apply(struct tl_call *call);
void tl_call_media_progress(struct tl_call *call); /* call->news and call->newsmaker say what */
int tl_call_media_bridge(struct tl_call *call);
int tl_call_media_play(struct tl_call *call);
/* Leg b was there first: leg a is answered to meet it. */
int tl_call_media_answer(struct tl_call *call);
/* As the route says, from now on; once a call. */
void tl_call_media_record(struct tl_call *call);
/* Our ringing tone for leg a, which has media. */
void tl_call_media_ring_back(struct tl_call *call);
/* The route has changed in mid-call: its max-duration counts from the answer. */
void tl_call_limit_duration(struct tl_call *call);
void tl_call_media_digit(struct tl_call *call, enum tl_side to, char digit, unsigned duration_ms,
			 bool from_rtp);
void tl_call_on_media(const struct tl_media_event *event, void *user);

/* call_modify.c */
/* An offer came in the dialog, or NULL: it wants ours. Replies. */
void tl_call_media_reoffered(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			     const struct tl_media_desc *offer);
/* An offer of ours was answered after the first exchange, or by the first ACK. 0, or a SIP
 * status: the answer is of no use and nothing has changed. */
int tl_call_media_answered(struct tl_call *call, struct tl_call_media *m,
			   const struct tl_media_desc *answer);
/* Offers to a leg anew, from the RTP address given (its port is another one now); answered by
 * TL_LEG_REANSWERED. 0; -EBUSY: later; -ENOENT: nothing to offer. */
int tl_call_media_reoffer(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			  const struct sockaddr_storage *rtp);
/* A re-INVITE of ours was refused: all is as it was. */
void tl_call_media_offer_refused(struct tl_call *call, struct tl_call_media *m, int status);
/* Is there a leg that nothing may be sent to? Silence says nothing then. */
bool tl_call_media_on_hold(const struct tl_call *call);

/* Our address as the peer is to see it. */
void tl_call_tell_address(const struct tl_call *call, const struct sockaddr *peer,
			  const struct sockaddr_storage *local, struct sockaddr_storage *ret_told);

/* call_policy.c */
/* A leg's section, and the route if there is one yet. */
void tl_call_want_trunk(const struct tl_call *call, struct tl_call_media *m,
			const struct tl_trunk_cfg *trunk);
void tl_call_want_extension(const struct tl_call *call, struct tl_call_media *m,
			    const struct tl_extension_cfg *extension);
/* There is a route, or another one: for the caller's leg. */
void tl_call_want_route(struct tl_call *call);
/* What the first target may speak. False: nobody is to be rung. */
bool tl_call_expects(const struct tl_call *call, struct tl_media_policy *ret_policy);

/* call_stream.c */
/* What the caller offers beside the audio goes into target, whose media m is. buf: of TL_STREAMS,
 * lent to target. */
void tl_call_streams_offer(struct tl_call *call, const struct tl_call_media *m,
			   struct tl_stream *buf, struct tl_target *target);
/* The caller is about to be answered: with what the target took of it. */
void tl_call_streams_answer(struct tl_call *call);
/* The same for a later offer of a leg. */
void tl_call_streams_reoffered(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m);
void tl_call_streams_apply(struct tl_call *call);
/* A leg offers one that the other does not have yet. True: that one is being asked by a re-INVITE;
 * REANSWERED or OFFER_REFUSED will say. */
bool tl_call_streams_ask(struct tl_call *call, const struct tl_leg *leg,
			 const struct tl_call_media *m);
/* It has: what m's leg did not take is no longer said to it, nor is it asked again. */
void tl_call_streams_asked(struct tl_call *call, struct tl_call_media *m);

/* call_hold.c */
/* Something has been agreed upon: music and the other leg's re-INVITE follow. */
void tl_call_hold_follow(struct tl_call *call);
/* m->remote is new: an offer, or the answer to ours. */
void tl_call_hold_note(struct tl_call_media *m, bool answer);
/* An offer to m that changes nothing but the direction, to that: the formats in use under our own
 * numbers. */
void tl_call_hold_repeat(const struct tl_call *call, const struct tl_call_media *m,
			 struct tl_media_desc *ret);
/* What m may be told at the most, by its configuration and the other leg's direction. */
enum tl_direction tl_call_hold_direction(const struct tl_call *call, const struct tl_call_media *m);

/* call_fax.c */
/* m's leg offers something that the other leg should be asked for first. True: that is under way,
 * REANSWERED or OFFER_REFUSED will say; m's offer is to be held till then. */
bool tl_call_fax_ask(struct tl_call *call, struct tl_call_media *m,
		     const struct tl_media_desc *offer);
/* m's local and remote are about to become these: what it spoke is kept for afterwards. */
void tl_call_fax_note(struct tl_call_media *m, const struct tl_media_desc *next);
/* T.38 offered again to a leg that has it, to free; NULL: it has not. */
struct tl_media_desc *tl_call_fax_repeat(const struct tl_call_media *m);
/* Our offer was refused. True: m's leg has been asked for something else in its place. */
bool tl_call_fax_refused(struct tl_call *call, struct tl_call_media *m);
/* Something has been agreed upon, or heard: a leg may have to be asked for T.38. */
void tl_call_fax_follow(struct tl_call *call);
void tl_call_fax_heard(struct tl_call *call, enum tl_side side, enum tl_fax_tone tone);
/* What of it the worker must know. b: of the other leg, or NULL. */
void tl_call_fax_plan(const struct tl_call *call, const struct tl_call_media *b,
		      struct tl_plan *plan);

/* call_end.c */
void tl_kept_cause_set(struct tl_kept_cause *kept, const struct tl_cause *cause); /* copies */
void tl_kept_cause_clear(struct tl_kept_cause *kept);
/* Keeps the better of what was kept and this one, RFC 3261 16.7 step 6. True: this one. */
bool tl_kept_cause_better(struct tl_kept_cause *kept, const struct tl_cause *cause);
/* What the caller may see of it: nothing that is between us and the callee. */
struct tl_cause tl_cause_for_caller(const struct tl_cause *cause);
void tl_call_finish(struct tl_call *call);
