#pragma once
/*
 * A media worker: one thread, an epoll loop, and the calls that live on it.
 * Orders reach it as copied records; a call is known by its slot and
 * generation, and an order for a call that is gone is dropped with what it
 * carries. Private to media/.
 */
#include <stdatomic.h>

#include "media/flow/flow.h"
#include "media/worker/mailbox.h"

struct tl_worker;

enum tl_cmd_op {
	TL_CMD_OPEN,
	TL_CMD_PORT,
	TL_CMD_APPLY,
	TL_CMD_STREAM,
	TL_CMD_PLAY,
	TL_CMD_PLAY_STOP,
	TL_CMD_DTMF,
	TL_CMD_RECORD,
	TL_CMD_RECORD_STOP,
};

/* Copied whole; what it points to changes hands with it. */
struct tl_cmd {
	enum tl_cmd_op op;
	struct tl_media_id id;
	enum tl_side side;
	unsigned stream; /* 0: the audio */
	union {
		struct {
			struct tl_session_counters *counters; /* lent until CLOSED */
			struct tl_media_cfg cfg;
		} open;
		struct tl_flow_port port;
		struct tl_plan *plan;
		struct tl_stream_plan *stream_plan;
		struct tl_play_order *play;
		struct {
			char digit;
			unsigned duration_ms;
		} dtmf;
		struct {
			char *path;
			bool mono;
		} record;
	};
};

/* Closing needs no place in a queue, so it can't be refused: the call's own memory links it in. */
struct tl_closing {
	struct tl_closing *next;
	struct tl_media_id id;
};

struct tl_worker_cfg {
	unsigned index;
	struct tl_storage *storage;
	struct tl_prompts *prompts;
	struct tl_mailbox *outbox; /* of struct tl_media_news */
};

/* Starts the thread. 0 or -errno. */
int tl_worker_new(const struct tl_worker_cfg *cfg, struct tl_worker **ret_worker); /* copies */
/* Ends its calls, then the thread, and joins it. NULL ok. */
void tl_worker_free(struct tl_worker *worker);
/* Signalling thread. -EAGAIN: the inbox is full, and cmd is still the caller's. urgent: may use
 * the places kept for orders that can't be refused. */
int tl_worker_post(struct tl_worker *worker, const struct tl_cmd *cmd, bool urgent);
/* Lends closing until TL_MEDIA_CLOSED, which comes after all that was posted before. */
void tl_worker_post_close(struct tl_worker *worker, struct tl_closing *closing);
/* Frees what an order carries. */
void tl_cmd_done(struct tl_cmd *cmd);

/* tl_media_come_round() of this one. Signalling thread. */
bool tl_worker_come_round(struct tl_worker *worker);
uint64_t tl_worker_late_ticks(const struct tl_worker *worker);
uint64_t tl_worker_take_late_max_us(struct tl_worker *worker); /* since the last call */
