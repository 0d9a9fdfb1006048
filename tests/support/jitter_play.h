#pragma once
/*
 * A jitter buffer that a test feeds and empties, by a clock of its own, and what came out of it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtp/jitter.h"

enum { CLOCK = 8000, FRAME = 160, FRAME_US = 20000, TICK_US = 10000, MIN_MS = 40, MAX_MS = 200 };

static struct tl_pool pool;

/* A buffer, and what came out of it: one letter a slot. */
struct play {
	struct tl_jitter *jb;
	int64_t now_us;
	uint32_t ts_offset;
	uint16_t seq_offset;
	unsigned packets, surplus, holes, refused;
	unsigned lent; /* holes with what followed them */
	int64_t silence_units, made_units;
	uint16_t last_seq;
	bool disorder;
	unsigned after_loss; /* packets that said so */
	int64_t delay_us;    /* of the last packet, from its arrival */
	int64_t started_us;  /* the first */
	char log[64];
	size_t n_log;
};

static inline struct play begin(void)
{
	const struct tl_jitter_cfg cfg = { CLOCK, 20, MIN_MS, MAX_MS };
	struct play p = { .jb = tl_jitter_new(&cfg) };

	return p;
}

static inline void end(struct play *p)
{
	tl_jitter_free(p->jb, &pool);
	tl_pool_done(&pool);
}

static inline int put_at(struct play *p, unsigned n, uint32_t ts, int64_t arrived_us)
{
	struct tl_packet *packet = tl_pool_take(&pool);
	int r;

	packet->arrived_us = arrived_us;
	packet->rtp =
		(struct tl_rtp) { .seq = (uint16_t)(n + p->seq_offset), .ts = ts + p->ts_offset };
	r = tl_jitter_put(p->jb, packet, FRAME);
	if (r < 0) {
		tl_pool_give(&pool, packet);
		p->refused++;
	}
	return r;
}

/* Packet n of a stream without pauses. */
static inline int put(struct play *p, unsigned n, int64_t arrived_us)
{
	return put_at(p, n, n * FRAME, arrived_us);
}

static inline void note_slot(struct play *p, const struct tl_slot *slot)
{
	static const char letters[] = { [TL_SLOT_PACKET] = 'p',
					[TL_SLOT_SURPLUS] = 'x',
					[TL_SLOT_HOLE] = 'o',
					[TL_SLOT_SILENCE] = 's' };

	if (p->n_log < sizeof p->log - 1)
		p->log[p->n_log++] = letters[slot->kind];
	p->after_loss += slot->holed;
	if (slot->packet) {
		uint16_t seq = slot->packet->rtp.seq;

		if (p->packets + p->surplus > 0 && tl_rtp_seq_minus(seq, p->last_seq) <= 0)
			p->disorder = true;
		if (p->packets == 0)
			p->started_us = p->now_us;
		p->last_seq = seq;
		p->delay_us = p->now_us - slot->packet->arrived_us;
		tl_pool_give(&pool, slot->packet);
	}
	p->packets += slot->kind == TL_SLOT_PACKET;
	p->surplus += slot->kind == TL_SLOT_SURPLUS;
	p->holes += slot->kind == TL_SLOT_HOLE;
	p->lent += slot->next != NULL;
	if (slot->kind == TL_SLOT_SILENCE)
		p->silence_units += slot->units;
	if (slot->kind != TL_SLOT_SURPLUS)
		p->made_units += slot->units;
}

static inline void take(struct play *p)
{
	struct tl_slot slot = { 0 };
	int64_t due_us;

	while (tl_jitter_take(p->jb, p->now_us, &slot, &due_us) > 0)
		note_slot(p, &slot);
}

static inline void run_until(struct play *p, int64_t us)
{
	for (; p->now_us < us; p->now_us += TICK_US)
		take(p);
}

/* Packets from..to, each so much late, ticks in between. */
static inline void stream(struct play *p, unsigned from, unsigned to,
			  int64_t (*late_us)(unsigned n))
{
	for (unsigned n = from; n < to; n++) {
		int64_t at_us = (int64_t)n * FRAME_US + (late_us ? late_us(n) : 0);

		run_until(p, at_us);
		put(p, n, at_us);
	}
}
