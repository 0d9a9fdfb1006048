#pragma once
/*
 * One call's media, as the signalling thread holds it. Every function here is
 * for the signalling thread and none of them waits: orders go to the call's
 * worker as copied records, news comes back as events that
 * tl_media_dispatch() hands out on the signalling thread.
 */
#include <stdint.h>
#include <sys/socket.h>
#include "media/plan/plan.h"

struct tl_media;   /* the engine: workers, storage thread, port pool */
struct tl_session; /* one call */

struct tl_media_cfg {
	unsigned workers;                      /* 0: one a core */
	uint16_t rtp_port_min, rtp_port_max;   /* inclusive */
	unsigned jitter_min_ms, jitter_max_ms; /* bounds of the adaptive delay */
	unsigned rtp_timeout_s;                /* 0: never */
	unsigned opus_complexity;
};

/* Starts the threads. 0 or -errno. */
int tl_media_new(const struct tl_media_cfg *cfg, struct tl_media **ret_media); /* copies */
/* Ends every session, flushes every recording, joins the threads. NULL ok. */
void tl_media_free(struct tl_media *media);
/* New settings for calls to come (workers excepted: fixed at start). */
void tl_media_configure(struct tl_media *media, const struct tl_media_cfg *cfg);
/* Readable when events wait: poll it, then call tl_media_dispatch(). */
int tl_media_fd(const struct tl_media *media);
void tl_media_dispatch(struct tl_media *media);

struct tl_media_load { /* for status and admission */
	unsigned workers, sessions, ports_used, ports_free;
	uint64_t late_ticks;       /* ticks that began over 5 ms late */
	uint64_t tick_late_max_us; /* since the last call */
	int64_t storage_busy_us;   /* for so long the disk has not answered; 0: it has */
};
void tl_media_load_get(struct tl_media *media, struct tl_media_load *ret_load);
/* Asks every worker to come round to its orders. False: one of them has not since this was asked
 * last: it hangs, if that was long ago. */
bool tl_media_come_round(struct tl_media *media);

/* Counters of what came in from a side and went out to it. */
struct tl_side_stats {
	uint64_t rx_pkts, rx_bytes, tx_pkts, tx_bytes;
	uint64_t lost_pkts;    /* RFC 3550 A.3, cumulative */
	uint64_t late_pkts;    /* came after their turn; chain only */
	uint64_t concealed_ms; /* audio made up for holes */
	uint64_t junk_pkts;    /* not RTP, unknown payload type, or from a stranger */
	uint32_t jitter_us;    /* RFC 3550 6.4.1 */
	uint32_t delay_us;     /* from arrival to departure at the other side, mean */
	uint32_t delay_max_us;
	/* what its RTCP says of what we sent; 0: no report has come */
	uint64_t remote_lost_pkts;
	uint32_t remote_jitter_us, rtt_us;
	/* E-model, times 100, as we hear it and as it hears us; 0: nothing to judge by */
	unsigned mos, remote_mos;
	/* how loud what it says is: over the whole call, now (a second or so), and the highest
	 * sample; false: nothing has been heard that can be measured */
	bool is_metered;
	double level_dbm0, level_now_dbm0, peak_dbfs;
	struct sockaddr_storage source; /* latched; family 0: nothing came */
	const char *codec;              /* what arrives, static; NULL: nothing yet */
};
struct tl_session_stats {
	struct tl_side_stats side[_TL_SIDE_MAX];
	enum tl_path path[_TL_SIDE_MAX];
};

enum tl_media_event_type {
	TL_MEDIA_PLAYED,        /* the announcements for a side have ended (all were sent) */
	TL_MEDIA_PLAY_FAILED,   /* a file could not be read; text says why. PLAYED follows */
	TL_MEDIA_DTMF,          /* digit pressed at side, once, at its end */
	TL_MEDIA_TIMEOUT,       /* no RTP from any open receiving side for rtp_timeout_s */
	TL_MEDIA_CHAIN_FAILED,  /* transcoding can't go on; text says why */
	TL_MEDIA_FAX,           /* side is heard to be a fax or modem, where the plan wants to know;
				   once a kind of tone */
	TL_MEDIA_RECORD_FAILED, /* said once a recording; the call goes on */
	TL_MEDIA_CLOSED,        /* last event: stats are final, the session is freed after it */
	_TL_MEDIA_EVENT_MAX,
};
enum tl_fax_tone {
	TL_FAX_TONE_CNG,      /* 1100 Hz: a fax calls */
	TL_FAX_TONE_CED,      /* 2100 Hz: a fax or a data modem answers */
	TL_FAX_TONE_PREAMBLE, /* V.21 flags: it is a fax */
	_TL_FAX_TONE_MAX,
};
struct tl_media_event {
	enum tl_media_event_type type;
	enum tl_side side;
	char digit; /* 0-9 A-D * # */
	unsigned duration_ms;
	enum tl_fax_tone tone;
	const char *text;              /* lent during the callback; NULL: none */
	struct tl_session_stats stats; /* TL_MEDIA_CLOSED */
};
typedef void tl_media_event_fn(const struct tl_media_event *event, void *user);

/* id stands in log lines (copied, 31 bytes). */
int tl_session_new(struct tl_media *media, const char *id, tl_media_event_fn *on_event, void *user,
		   struct tl_session **ret_session);
/*
 * Takes a pair of ports for a side and binds them to ip (port ignored).
 * *ret_local is the RTP address; RTCP is the next port. Given back when the
 * session is closed. A side has one pair for each address, TL_PLAN_PORTS at
 * most: asking again returns the same. What is sent leaves by the pair that the
 * plan names. -EADDRNOTAVAIL: every pair is in use (SIP 503), or a fifth address.
 * -EAFNOSUPPORT: neither IPv4 nor IPv6.
 */
int tl_session_port(struct tl_session *session, enum tl_side side, const struct sockaddr *ip,
		    struct sockaddr_storage *ret_local);
/* Copies. Takes effect within a tick and without a gap; may be called again at
 * any time. -EAGAIN: the worker's inbox is full (SIP 503). */
int tl_session_apply(struct tl_session *session, const struct tl_plan *plan);
/*
 * Other streams, such as video: what comes in at one side goes out at the other,
 * RTCP too. stream: 0 to TL_STREAMS - 1. A side of a stream has one pair of ports:
 * -EADDRNOTAVAIL when it stands at another address than ip, or no pair is free.
 */
int tl_session_stream_port(struct tl_session *session, unsigned stream, enum tl_side side,
			   const struct sockaddr *ip, struct sockaddr_storage *ret_local);
/* Copies. -ENOENT: no side has ports. */
int tl_session_stream_apply(struct tl_session *session, unsigned stream,
			    const struct tl_stream_plan *plan);
/* Announcements for those at a side, one after another; replaces what plays.
 * Side must be open in the plan applied before. Paths are absolute; copied.
 * loop: until stopped. Meanwhile the side does not hear the other one. */
int tl_session_play(struct tl_session *session, enum tl_side side, const char *const *paths,
		    size_t n_paths, bool loop);
void tl_session_play_stop(struct tl_session *session, enum tl_side side);
/* RFC 4733 digit to a side. -ENOTSUP: it has no telephone-event. */
int tl_session_send_dtmf(struct tl_session *session, enum tl_side side, char digit,
			 unsigned duration_ms);
/* Stereo WAV, side A left and side B right, on one clock from now on. The file
 * is made by the storage thread. */
int tl_session_record(struct tl_session *session, const char *path, bool mono);
void tl_session_record_stop(struct tl_session *session);
/* The latest counters; may lag by a tick. */
void tl_session_stats(const struct tl_session *session, struct tl_session_stats *ret_stats);
/*
 * The session goes to another call: events go there from now on. swap: what was
 * side A is side B from now on, and the other way about, in every function and
 * event here; nothing changes on the worker. (So a transfer moves no leg whose
 * ports may stay. A recording keeps its channels: who was heard left stays left.)
 */
void tl_session_hand_over(struct tl_session *session, bool swap, tl_media_event_fn *on_event,
			  void *user);
/* Ends the call's media. TL_MEDIA_CLOSED comes once, later; until then user
 * must stay valid. No other function may be called on session after this. */
void tl_session_close(struct tl_session *session);
