#pragma once
/*
 * What the dialplan says about one call. A decision is plain data; its strings
 * live as long as the decision, which holds a reference on the dialplan that
 * made it (a call may outlive a reload).
 */
#include <stdbool.h>
#include <stddef.h>
#include "dialplan/settings.h"

enum tl_verdict {
	TL_VERDICT_RING,   /* ring the steps below */
	TL_VERDICT_ANSWER, /* Twinleg answers: play the announcements, then hang up */
	TL_VERDICT_ECHO,   /* Twinleg answers and sends back what it hears */
	/* Refuse with status and reason; announcements, when there are some, are heard
	 * first, as early media: a caller without it is refused at once. */
	TL_VERDICT_REJECT,
	TL_VERDICT_REDIRECT, /* 302 with what `redirects` lists as Contacts */
	_TL_VERDICT_MAX,
	_TL_VERDICT_INVALID = -22,
};
const char *tl_verdict_name(enum tl_verdict v);

enum tl_target_kind {
	TL_TARGET_EXTENSION,
	TL_TARGET_TRUNK,
	_TL_TARGET_MAX,
	_TL_TARGET_INVALID = -22,
};

struct tl_ring_target {
	enum tl_target_kind kind;
	const struct tl_trunk_cfg *trunk;         /* when TL_TARGET_TRUNK */
	const struct tl_extension_cfg *extension; /* when TL_TARGET_EXTENSION */
	unsigned ring_time_s; /* it is given up after so long; never more than the step's */
	unsigned weight;      /* its share, when the route shares calls out; else 0 */
};

/*
 * Targets of one step ring all at once; steps follow one another ("then"). A
 * step is over when each target has refused, failed or run out of its time, at
 * the latest after ring_time_s. Shares by weight ("or") are steps already, in
 * the order that the lot has drawn.
 */
struct tl_ring_step {
	const struct tl_ring_target *targets;
	size_t n_targets;
	unsigned ring_time_s;
};

/* One Contact of a redirection: a URI, or all bindings of an extension, best q
 * first, as the location service has them (none: the call is refused with 480). */
struct tl_redirect {
	const char *uri;                          /* or NULL */
	const struct tl_extension_cfg *extension; /* or NULL */
};

/* Keys on-busy, on-no-answer, on-failure, on-closed. What is done is up to
 * tl_dialplan_follow(), which makes a decision of each kind but the first. */
enum tl_follow_kind {
	TL_FOLLOW_NONE,     /* pass the far side's answer to the caller */
	TL_FOLLOW_ROUTE,    /* go on with another route */
	TL_FOLLOW_REJECT,   /* refuse with status and reason, after announcements if any */
	TL_FOLLOW_PLAY,     /* answer, play, hang up */
	TL_FOLLOW_REDIRECT, /* 302 */
	_TL_FOLLOW_MAX,
	_TL_FOLLOW_INVALID = -22,
};

struct tl_follow {
	enum tl_follow_kind kind;
	const char *route;       /* name, when TL_FOLLOW_ROUTE */
	int status;              /* when TL_FOLLOW_REJECT: 400..699 */
	const char *reason;      /* phrase; NULL: the status's own */
	const char *const *play; /* absolute paths */
	size_t n_play;
	/* when TL_FOLLOW_REDIRECT; URIs are templates still, and an item with neither URI nor
	 * extension stands for the extension dialled */
	const struct tl_redirect *redirects;
	size_t n_redirects;
};

/* What is told of the caller. */
enum tl_privacy {
	TL_PRIVACY_KEEP, /* as the caller asked: a withheld identity stays withheld */
	TL_PRIVACY_OFF,  /* shown; a Privacy header does not go on */
	/* RFC 3323/3325: From is anonymous, Privacy: id is sent; who is trusted (a trunk that
	 * wants P-Asserted-Identity or Remote-Party-ID) gets caller there. */
	TL_PRIVACY_ID,
	_TL_PRIVACY_MAX,
	_TL_PRIVACY_INVALID = -22,
};
const char *tl_privacy_name(enum tl_privacy privacy); /* "keep", "off", "id" */

/* What becomes of a header field that comes from the other leg. */
enum tl_header_fate {
	TL_HEADER_DEFAULT, /* as headers.c has it: X-* and some more are carried */
	TL_HEADER_CARRY,
	TL_HEADER_DROP,
	_TL_HEADER_FATE_MAX,
	_TL_HEADER_FATE_INVALID = -22,
};

/* A field that the route adds to the INVITE of each leg b. It takes the place of
 * fields of this name that would be carried. */
struct tl_header_out {
	const char *name, *value;
};

enum tl_ringback_mode {
	TL_RINGBACK_AUTO, /* 180; our tone when the caller has early media and the callee sends none
			   */
	TL_RINGBACK_NONE, /* 180, never a sound of ours */
	TL_RINGBACK_FILE, /* 183, and the file in a loop till early media or the answer comes */
	_TL_RINGBACK_MAX,
	_TL_RINGBACK_INVALID = -22,
};

/* On which legs the line's echo is cancelled. */
enum tl_echo_at {
	TL_ECHO_AT_LEG, /* the route does not say: as the legs' own settings are */
	TL_ECHO_AT_NONE,
	TL_ECHO_AT_CALLER,
	TL_ECHO_AT_CALLEE,
	TL_ECHO_AT_BOTH,
	_TL_ECHO_AT_MAX,
	_TL_ECHO_AT_INVALID = -22,
};
const char *tl_echo_at_name(enum tl_echo_at at); /* "leg", "off", "caller", "callee", "both" */

enum tl_media_mode {
	TL_MEDIA_AUTO,   /* through the gateway, relayed or transcoded */
	TL_MEDIA_DIRECT, /* end to end: the legs' SDP passes through, no port of ours is used;
			  * nothing can be played, recorded or transcoded */
	_TL_MEDIA_MAX,
	_TL_MEDIA_INVALID = -22,
};
const char *tl_media_mode_name(enum tl_media_mode m); /* "auto", "direct" */

struct tl_decision {
	const char *route; /* name of the route that took the call; "": none was needed,
			    * an extension calls another */
	bool closed;       /* its hours are over: all below is what on-closed says */
	enum tl_verdict verdict;
	int status;                          /* when TL_VERDICT_REJECT */
	const char *reason;                  /* phrase, or NULL */
	const struct tl_redirect *redirects; /* when TL_VERDICT_REDIRECT, at least one */
	size_t n_redirects;

	const char *callee; /* after strip, prefix and template: what targets are dialled with */
	const char *caller; /* number shown to the callee; "": withheld */
	const char *caller_name; /* display name shown, or NULL */
	enum tl_privacy privacy;

	const struct tl_header_out *add_headers;
	size_t n_add_headers;
	/* Names, or beginnings of names as in "X-*"; ask tl_decision_header(). They count for
	 * requests and answers, both ways. */
	const char *const *drop_headers, *const *carry_headers;
	size_t n_drop_headers, n_carry_headers;

	const char *const *play; /* absolute paths of announcements before ringing, in order */
	size_t n_play;
	bool play_answered; /* heard after a 200 (true) or as early media (false) */
	enum tl_ringback_mode ringback;
	const char *ringback_file; /* absolute path, when TL_RINGBACK_FILE */
	enum tl_record_mode record;
	const char *hold_music; /* "": none; NULL: the route does not say */

	const struct tl_ring_step *steps;
	size_t n_steps;
	unsigned ring_time_s;    /* of steps that don't say their own */
	unsigned max_duration_s; /* 0: no limit */
	struct tl_follow on_busy, on_no_answer, on_failure;

	/* Both legs are held to these, each in its own order of preference; n_codecs 0:
	 * the route does not say, each leg has its own. */
	const char *const *codecs;
	size_t n_codecs;
	/* _TL_DTMF_INVALID, _TL_SRTP_INVALID, _TL_T38_INVALID: the route does not say, each leg has
	 * its own */
	enum tl_dtmf_mode dtmf;
	enum tl_srtp_policy srtp; /* of both legs; REQUIRED: a caller without is refused with 488 */
	enum tl_t38_mode t38;
	enum tl_echo_at echo_cancel;
	enum tl_media_mode media;
	enum tl_transfer_mode transfer; /* _TL_TRANSFER_INVALID: the route does not say */
};

/* Who cancels the echo of a leg with these settings, by the route and by itself. */
enum tl_echo_cancel tl_decision_echo(const struct tl_decision *decision, bool caller,
				     const struct tl_sound_cfg *own);

/* What the route says of a header field of this name; drop wins over carry. */
enum tl_header_fate tl_decision_header(const struct tl_decision *decision, const char *name);
