#pragma once
/*
 * One [route NAME]: conditions, all of which must hold, and the facts that then
 * count for the call. Private to dialplan/.
 */
#include "dialplan/dialplan.h"
#include "dialplan/text/diags.h"
#include "dialplan/route/hours.h"
#include "dialplan/route/pattern.h"

struct tl_source {
	enum tl_source_kind kind;     /* _TL_SOURCE_MAX: any, or one of group */
	const char *name;             /* NULL: any of the kind */
	const struct tl_group *group; /* NULL: none */
};

/* [group NAME]. */
struct tl_group {
	const char *name;
	struct tl_source *members; /* sorted by kind and name; each with a name */
	size_t n_members;
};
bool tl_group_has(const struct tl_group *group, enum tl_source_kind kind, const char *name);
/* Sorts the members, for tl_group_has(). */
void tl_group_sort(struct tl_group *group);

/* Key "header NAME": any field of this name for which one of the tests holds. */
struct tl_header_test {
	const char *name;
	const char *value; /* as written: "*", "none", text or "text*" */
};

struct tl_when {
	const struct tl_hours *hours;
	bool outside; /* "not NAME": it must be closed */
};

/* Conditions in the order in which they are tried; `when` last, so that a route
 * which fails only there is known to depend on the time. */
enum tl_condition {
	TL_CONDITION_NONE,   /* none failed */
	TL_CONDITION_FOLLOW, /* the route is there for others' on-busy and the like */
	TL_CONDITION_FROM,
	TL_CONDITION_TO,
	TL_CONDITION_FROM_NUMBER,
	TL_CONDITION_TRANSPORT,
	TL_CONDITION_OFFERS,
	TL_CONDITION_HEADER,
	TL_CONDITION_DIALLED, /* ring = extension, and the number is none's */
	TL_CONDITION_WHEN,
	_TL_CONDITION_MAX,
};

enum tl_play_as { /* words of the key play-as */
		  TL_PLAY_EARLY,
		  TL_PLAY_ANSWER,
		  TL_PLAY_UNSAID, /* early before ringing, answered otherwise */
};

struct tl_route_cfg {
	const char *name;
	struct tl_place at;
	unsigned order;

	const struct tl_source *from;
	const struct tl_pattern *to, *from_number;
	const struct tl_when *when;
	size_t n_from, n_to, n_from_number, n_when;
	unsigned transports;                       /* a bit each; 0: any */
	unsigned offers;                           /* the same, of enum tl_offered */
	const struct tl_header_test *header_tests; /* those of one name stand together */
	size_t n_header_tests;
	/* Another route leads here and no condition is said: it takes no call by
	 * itself, or every voice box would need a condition that never holds. */
	bool follow_only;
	bool followed; /* another route leads here */

	const struct tl_ring_step *steps;
	size_t n_steps;
	bool rings_dialled; /* some target is "extension": whichever was dialled */
	unsigned ring_time_s, max_duration_s;
	const char *const *play;
	size_t n_play;
	enum tl_play_as play_as;
	enum tl_record_mode record;
	const char *hold_music;              /* "": none; NULL: not said */
	bool echo;                           /* answer = echo */
	struct tl_follow reject;             /* TL_FOLLOW_NONE: there is none */
	const struct tl_redirect *redirects; /* as in struct tl_follow */
	size_t n_redirects;
	const char *const *codecs;
	size_t n_codecs;
	enum tl_dtmf_mode dtmf;
	enum tl_srtp_policy srtp;
	enum tl_t38_mode t38;
	enum tl_echo_at echo_cancel;
	enum tl_media_mode media;
	enum tl_transfer_mode transfer;
	enum tl_ringback_mode ringback;
	const char *ringback_file;

	unsigned strip;
	const char *prefix, *number;      /* number: template; NULL: none */
	const char *caller, *caller_name; /* caller "": withheld; NULL: as received */
	enum tl_privacy privacy;
	const struct tl_header_out *add_headers; /* values are templates */
	const char *const *drop_headers, *const *carry_headers;
	size_t n_add_headers, n_drop_headers, n_carry_headers;
	struct tl_follow on_busy, on_no_answer, on_failure, on_closed;
};

/* The first condition that fails. */
enum tl_condition tl_route_miss(const struct tl_dialplan *dp, const struct tl_route_cfg *route,
				const struct tl_facts *facts);
/* The name of the first header of which no test holds; NULL: all do. */
const char *tl_route_missed_header(const struct tl_route_cfg *route, const struct tl_facts *facts);
/* What the call offers; a call without an offer gets ours, which is for audio. */
unsigned tl_facts_offered(const struct tl_facts *facts);
/* Do its hours hold? Without `when` they always do. */
bool tl_route_open(const struct tl_route_cfg *route, const struct tl_facts *facts);
/* False: it rings the extension dialled, and there is none of that number. */
bool tl_route_can_ring(const struct tl_dialplan *dp, const struct tl_route_cfg *route,
		       const struct tl_facts *facts);
/* The sentence for explain: which condition failed and why; the caller frees it. */
char *tl_route_miss_text(const struct tl_route_cfg *route, const struct tl_facts *facts,
			 enum tl_condition condition);
/* The number dialled, as the route rewrites it; the caller frees it. */
char *tl_route_callee(const struct tl_route_cfg *route, const char *callee);
/* What follows, as a configuration has it ("route:voicebox"); the caller frees it. NULL: nothing
 * does, the far side's answer goes to the caller. */
char *tl_follow_text(const struct tl_follow *follow);
/* "sip:1@other.example, 1001"; the caller frees it. */
char *tl_redirects_text(const struct tl_redirect *redirects, size_t n);
