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
	TL_VERDICT_RING,     /* ring the steps below */
	TL_VERDICT_ANSWER,   /* Twinleg answers: play the announcements, then hang up */
	TL_VERDICT_ECHO,     /* Twinleg answers and sends back what it hears */
	TL_VERDICT_REJECT,   /* refuse with status and reason */
	TL_VERDICT_REDIRECT, /* 302 with redirect_to */
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
};

/* Targets of one step ring all at once; steps follow one another ("then"). */
struct tl_ring_step {
	const struct tl_ring_target *targets;
	size_t n_targets;
};

/* Keys on-busy, on-no-answer, on-failure. */
enum tl_follow_kind {
	TL_FOLLOW_NONE,   /* pass the far side's answer to the caller */
	TL_FOLLOW_ROUTE,  /* go on with another route: tl_dialplan_follow() */
	TL_FOLLOW_REJECT, /* refuse with status and reason */
	_TL_FOLLOW_MAX,
	_TL_FOLLOW_INVALID = -22,
};

struct tl_follow {
	enum tl_follow_kind kind;
	const char *route;  /* name, when TL_FOLLOW_ROUTE */
	int status;         /* when TL_FOLLOW_REJECT: 400..699 */
	const char *reason; /* phrase; NULL: the status's own */
};

struct tl_decision {
	const char *route; /* name of the route that took the call; "": none was needed,
			    * an extension calls another */
	enum tl_verdict verdict;
	int status;              /* when TL_VERDICT_REJECT */
	const char *reason;      /* phrase, or NULL */
	const char *redirect_to; /* URI, when TL_VERDICT_REDIRECT */

	const char *callee; /* after strip, prefix and template: what targets are dialled with */
	const char *caller; /* number shown to the callee; "": withheld */
	const char *caller_name; /* display name shown, or NULL */

	const char *const *play; /* absolute paths of announcements, in order */
	size_t n_play;
	bool play_answered; /* heard after a 200 (true) or as early media (false) */
	enum tl_record_mode record;
	const char *hold_music; /* "": none; NULL: the route does not say */
	const struct tl_ring_step *steps;
	size_t n_steps;
	unsigned ring_time_s;    /* of each step */
	unsigned max_duration_s; /* 0: no limit */
	struct tl_follow on_busy, on_no_answer, on_failure;
};
