#pragma once
/*
 * A call's media on its worker: two ends, and what flows from each to the other.
 *
 *   end A  --- in: source, reception, digits, ear --->  out: one RTP stream  --- end B
 *   end A  <--  out: one RTP stream  <--- in: source, reception, digits, ear --- end B
 *
 * Everything here runs on the worker that owns the call, at the time that
 * env->now_us says. Private to media/.
 */
#include "media/worker/io.h"
#include "media/file/player.h"
#include "media/file/recorder.h"
#include "media/session.h"

struct tl_media_id {
	uint32_t slot, generation;
};

enum { TL_EVENT_TEXT_BYTES = 160 };

/* News for the signalling thread. Copied whole. */
struct tl_media_news {
	struct tl_media_id id;
	enum tl_media_event_type type;
	enum tl_side side;
	char digit;
	unsigned duration_ms;
	enum tl_fax_tone tone;
	char text[TL_EVENT_TEXT_BYTES]; /* "": none */
};

/* What all the calls of a worker share. */
struct tl_flow_env {
	int64_t now_us;
	struct tl_io *io;
	struct tl_pool *pool;
	struct tl_storage *storage;
	struct tl_prompts *prompts;
	struct tl_mailbox *outbox;
	void (*on_news)(const struct tl_media_news *news, void *user); /* copies */
	void *user;
};

/* Announcements to play. Owned by whom it was handed to. */
struct tl_play_order {
	bool loop;
	size_t n_paths;
	char **paths; /* NULL at the end */
};
void tl_play_order_free(struct tl_play_order *order); /* NULL ok */

struct tl_flow_pair;

/* Lends env and counters for as long as the pair lives. */
struct tl_flow_pair *tl_flow_new(struct tl_flow_env *env, struct tl_media_id id,
				 struct tl_session_counters *counters,
				 const struct tl_media_cfg *cfg); /* copies cfg */
/* Says BYE, closes the sockets, ends the recording. NULL ok. */
void tl_flow_free(struct tl_flow_pair *pair);
struct tl_media_id tl_flow_id(const struct tl_flow_pair *pair);

/* A pair of bound sockets, and the number of the one for RTP. */
struct tl_flow_port {
	uint16_t number;
	int rtp_fd, rtcp_fd;
};

/* Takes the descriptors; at most TL_PLAN_PORTS a side. tag: see tl_flow_input(). */
void tl_flow_add_port(struct tl_flow_pair *pair, enum tl_side side, struct tl_flow_port port,
		      uint32_t rtp_tag, uint32_t rtcp_tag);
void tl_flow_apply(struct tl_flow_pair *pair, struct tl_plan *plan); /* takes, from g_new */
void tl_flow_play(struct tl_flow_pair *pair, enum tl_side side,
		  struct tl_play_order *order); /* takes */
void tl_flow_play_stop(struct tl_flow_pair *pair, enum tl_side side);
void tl_flow_send_dtmf(struct tl_flow_pair *pair, enum tl_side side, char digit,
		       unsigned duration_ms);
void tl_flow_record(struct tl_flow_pair *pair, const char *path, bool mono);
void tl_flow_record_stop(struct tl_flow_pair *pair);

/* Other streams, relay.h; stream: 1 to TL_STREAMS. */
void tl_flow_stream_port(struct tl_flow_pair *pair, unsigned stream, enum tl_side side,
			 struct tl_flow_port port, uint32_t rtp_tag, uint32_t rtcp_tag);
void tl_flow_stream_apply(struct tl_flow_pair *pair, unsigned stream,
			  const struct tl_stream_plan *plan); /* copies */
void tl_flow_stream_input(struct tl_flow_pair *pair, unsigned stream, enum tl_side side, bool rtcp,
			  struct tl_packet *packet); /* takes packet */

/* A packet for a side is about to come: what it will need of the pair is fetched into the caches
 * meanwhile (fetch.h). First far ahead, then near, when the first has had time to work. */
void tl_flow_fetch(const struct tl_flow_pair *pair, enum tl_side side, bool near);
/* The same for the code that it will go through; that stays in the caches while many calls use it.
 */
void tl_flow_fetch_code(const struct tl_flow_pair *pair);
/* Take a packet that came for a side. */
void tl_flow_input(struct tl_flow_pair *pair, enum tl_side side, struct tl_packet *packet);
void tl_flow_rtcp_input(struct tl_flow_pair *pair, enum tl_side side, struct tl_packet *packet);

/* When the pair wants its next tick; INT64_MAX: it doesn't. Any call above may bring it nearer. */
int64_t tl_flow_due_us(const struct tl_flow_pair *pair);
/* Of the sides that want one by then: what is due by now is done, and what may go early. */
void tl_flow_tick(struct tl_flow_pair *pair, int64_t until_us);
/* Once a second: reports, time-outs. */
void tl_flow_second(struct tl_flow_pair *pair);
