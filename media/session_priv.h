#pragma once
/*
 * What engine.c and session.c share: the engine and the signalling thread's
 * handle of a call. Signalling thread. Private to media/.
 */
#include <glib.h>

#include "media/worker/port.h"
#include "media/file/storage.h"
#include "media/worker/worker.h"

enum { TL_SESSION_ID_BYTES = 32 };

struct tl_media {
	struct tl_media_cfg cfg;
	struct tl_storage *storage;
	struct tl_prompts *prompts;
	struct tl_ports *ports;
	struct tl_mailbox *outbox;
	GPtrArray *workers;
	GArray *loads;       /* unsigned: calls of each worker */
	GPtrArray *sessions; /* by slot; NULL: free */
	GArray *generations; /* uint32_t, by slot */
	GQueue free_slots;   /* GUINT_TO_POINTER(slot) */
	unsigned n_sessions;
};

struct tl_session {
	/* fixed at creation, readable anywhere */
	struct tl_media *media;
	struct tl_worker *worker;
	unsigned worker_index;
	struct tl_media_id id;
	char name[TL_SESSION_ID_BYTES];

	/* signalling thread */
	tl_media_event_fn *on_event;
	void *user;
	bool closed;
	bool swapped; /* the call's side A is the worker's side B */
	union tl_address local[_TL_SIDE_MAX][TL_PLAN_PORTS]; /* family 0: none */
	bool takes_digits[_TL_SIDE_MAX];                     /* by the last plan */
	union tl_address streams[TL_STREAMS][_TL_SIDE_MAX];  /* the same, of other streams */

	/* lent to the worker from close on */
	struct tl_closing closing;
	/* written by the worker, relaxed reads elsewhere */
	struct tl_session_counters counters;
};

/* Gives its ports back and frees it: the worker knows it no more. */
void tl_session_free(struct tl_session *session);
