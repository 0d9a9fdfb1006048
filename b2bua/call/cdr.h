#pragma once
/*
 * One record a call, written at its end: who, where to, when, how it ended,
 * what was heard. A row in the store (JSON) and a line in the log. Signalling thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include "media/session.h"

struct tl_store;

struct tl_cdr {                      /* strings lent; NULL: unknown */
	const char *id;              /* the call's id in logs */
	const char *source;          /* "trunk:carrier" */
	const char *caller, *callee; /* as received */
	const char *route;           /* dialplan route */
	const char *target;          /* who answered: "1001" or "trunk:carrier" */
	const char *call_id_a, *call_id_b;
	int64_t started_ms, ringing_ms, answered_ms, ended_ms; /* Unix time, ms; 0: never */
	int status;           /* final SIP status towards the caller; 200 when answered */
	const char *ended_by; /* "a", "b", "gateway" */
	const char *reason;
	const char *recording;      /* path */
	const char *linked;         /* id of the call that a leg came from, or went to */
	const char *transferred_by; /* "extension:1001" */
	bool quiet;                 /* stored, but no line in the log */
	struct tl_session_stats stats;
};
/* Counters that have grown since base was read become what they have grown by. */
void tl_cdr_since(struct tl_session_stats *stats, const struct tl_session_stats *base);
/* store NULL: log only. Copies. */
void tl_cdr_write(struct tl_store *store, const struct tl_cdr *cdr);
/* As a JSON object of jansson, a new reference: for control and cdr. */
struct json_t;
struct json_t *tl_cdr_json(const struct tl_cdr *cdr);
