#pragma once
/*
 * Reorders and paces the packets of one RTP stream, and says what to do with
 * time that no packet fills. Its delay follows the jitter that it sees, within
 * bounds. Holds no clock: time comes in as now_us (monotonic). One thread;
 * allocates at creation only. Private to media/.
 *
 *   arrival   1 2   4 3     6 7             8 9       (5 never comes)
 *   take          1 2 3 4 o 6 7 s s s s s s 8 9       o hole, s silence
 */
#include "media/rtp/packet.h"

struct tl_jitter;

struct tl_jitter_cfg {
	unsigned clock_hz;       /* of the RTP timestamps */
	unsigned frame_ms;       /* a packet's length as long as none has come */
	unsigned min_ms, max_ms; /* bounds of the delay */
};

enum tl_slot_kind {
	TL_SLOT_PACKET,  /* caller owns it */
	TL_SLOT_SURPLUS, /* a packet to be thrown away: the delay has become too long; as above */
	TL_SLOT_HOLE,    /* lost, or too late: conceal */
	TL_SLOT_SILENCE, /* nothing was sent for this time, or nothing has come */
};

struct tl_slot {
	enum tl_slot_kind kind;
	struct tl_packet *packet;     /* NULL: none */
	uint32_t units;               /* its length on the RTP clock */
	int64_t at_us;                /* when it was due */
	const struct tl_packet *next; /* right after this hole, lent until the next take; NULL: more
					 is missing, or none is there */
	bool holed;                   /* a packet: of those before it some have not come */
	bool resumed; /* the first since the start or a pause: nothing joins it to what was before
		       */
};

struct tl_jitter *tl_jitter_new(const struct tl_jitter_cfg *cfg); /* copies */
/* Packets still held go back to the pool. NULL ok. */
void tl_jitter_free(struct tl_jitter *jb, struct tl_pool *pool);
/* Forgets the stream: another source, another clock. What was learnt of the path stays. */
void tl_jitter_reset(struct tl_jitter *jb, unsigned clock_hz, struct tl_pool *pool);
/* A packet will be put in a moment (fetch.h). */
void tl_jitter_fetch(const struct tl_jitter *jb);
unsigned tl_jitter_clock_hz(const struct tl_jitter *jb);

/*
 * Takes packet when it returns 0: units is its length. -EEXIST: duplicate;
 * -ETIME: too late; -ENOBUFS: further ahead than there is room for; in these
 * cases the caller still owns it. After -ENOBUFS, reset and put again.
 */
int tl_jitter_put(struct tl_jitter *jb, struct tl_packet *packet, uint32_t units);
/* This sequence number came and was no audio (a digit, comfort noise): not a hole. */
void tl_jitter_pass(struct tl_jitter *jb, uint16_t seq);
/* 1: *ret_slot says what is next, to be called again until 0. 0: nothing is due before
 * *ret_due_us; INT64_MAX: before something is put. Called some milliseconds before that, it may
 * give a packet all the same: a caller who is awake anyway saves a wake-up. */
int tl_jitter_take(struct tl_jitter *jb, int64_t now_us, struct tl_slot *ret_slot,
		   int64_t *ret_due_us);
/*
 * For a caller who need not wait. hurry: the packet is the very next one, in time, and none is
 * held: it is taken as soon as put, and need not be kept; *ret_at_us: when it was due. False: put
 * it. take_next: the very next one is held; 1 and *ret_slot, or 0.
 */
bool tl_jitter_hurry(struct tl_jitter *jb, const struct tl_rtp *rtp, uint32_t units,
		     int64_t arrived_us, int64_t *ret_at_us);
int tl_jitter_take_next(struct tl_jitter *jb, struct tl_slot *ret_slot);
/* A packet may hold a copy of the one before it (Opus's in-band FEC): while some are lost, the
 * delay is such that the next one has come by the time that its copy is wanted. */
void tl_jitter_expect_copies(struct tl_jitter *jb, bool copies);
/* Silence was announced (comfort noise, DTX): it is given for as long as it lasts, instead of for a
 * second at the most. False: that holds again. */
void tl_jitter_expect_silence(struct tl_jitter *jb, bool silence);
/* The same without waiting, for as long as a packet is held: the stream ends here. */
int tl_jitter_take_rest(struct tl_jitter *jb, struct tl_slot *ret_slot);
int64_t tl_jitter_due_us(const struct tl_jitter *jb); /* as *ret_due_us above */
unsigned tl_jitter_target_ms(const struct tl_jitter *jb);
