#include "media/rtp/jitter.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>

#include "media/fetch.h"
#include "media/rtp/delay.h"
#include "media/rtp/shelf.h"

/*
 * Two clocks meet here. The sender's, as timestamps: next_ts is the first unit
 * not played yet. Ours: play_us is when it is due. Both advance together; the
 * delay grows or shrinks where only one of them moves.
 *
 *   play_us = sent (next_ts) + fastest transit seen + target delay
 *
 * Where the target is short, what is missing at play_us is waited for: a packet that is a little
 * late goes out as much late, which whoever plays it has a buffer for, and nothing is made up.
 */

enum {
	STARVED_MAX_MS = 1000, /* silence is made up no longer than this; then the buffer rests */
	JUMP_MS = 2000,        /* a gap in the timestamps beyond this is another timeline */
	BEHIND_MAX_US = 300000,
	STEP_MIN_US = 2000, /* of what is made up: peers may send packets of one sample */
	SHRINK_EVERY_US = 400000,
	SHRINK_BEYOND_US = 80000, /* too long by more than this and a packet: one is thrown away */
	EARLY_US = 9000,          /* a packet that is there may be played so much before its time */
	PATIENCE_US = 20000,      /* nothing is made up at a shorter delay */
	GRACE_US = 5000,          /* nor right at its time: the delay may be short by so much */
	SLACK_US = 15000,         /* the tick's own jitter is no reason to adapt */
	PACE_SHORT_US =
		2000, /* so much below the target the delay is left alone: it costs packets; */
	PACE_LONG_US = 3000, /* and so much above it: a worker that a packet wakes plays it then */
	PACE_SHARE = 16,     /* of what the delay is off goes into the pace of one packet, */
	PACE_MOST = 10,      /* but no more than one part in so many of its length */
	LATE_IN_A_ROW = 5,   /* then the path has changed for good */
	COPY_US = 10000,     /* more than a packet's length, to wait for the one after it */
	LOSSY_US = 30000000, /* since the last loss */
};

struct tl_jitter {
	struct tl_jitter_cfg cfg;
	struct tl_delay delay;
	bool started; /* the timeline below holds */
	bool taken;   /* something was, since the start */
	bool silence; /* was announced */
	bool copies;  /* of lost packets are in the next ones */
	int64_t lost_us;
	uint32_t next_ts;
	int64_t play_us;
	uint32_t frame_units;
	int64_t starved_us; /* since the last packet */
	int64_t adapted_us;
	unsigned late_in_a_row;
	bool has_bad_seq;
	uint16_t bad_seq; /* RFC 3550 A.1: two in a row make a restart */
	struct tl_shelf shelf;
};

static int64_t to_us(const struct tl_jitter *jb, int64_t units)
{
	return tl_rtp_units_to_us(units, jb->cfg.clock_hz);
}

static uint32_t to_units(const struct tl_jitter *jb, int64_t us)
{
	return (uint32_t)tl_rtp_us_to_units(us, jb->cfg.clock_hz);
}

struct tl_jitter *tl_jitter_new(const struct tl_jitter_cfg *cfg)
{
	struct tl_jitter *jb = g_new0(struct tl_jitter, 1);

	jb->cfg = *cfg;
	jb->cfg.max_ms = MAX(cfg->min_ms, cfg->max_ms);
	jb->frame_units = cfg->clock_hz * cfg->frame_ms / 1000;
	tl_delay_init(&jb->delay, jb->cfg.min_ms, jb->cfg.max_ms);
	return jb;
}

static void empty(struct tl_jitter *jb, struct tl_pool *pool)
{
	tl_shelf_clear(&jb->shelf, pool);
	jb->started = false;
}

void tl_jitter_free(struct tl_jitter *jb, struct tl_pool *pool)
{
	if (!jb)
		return;
	empty(jb, pool);
	g_free(jb);
}

void tl_jitter_reset(struct tl_jitter *jb, unsigned clock_hz, struct tl_pool *pool)
{
	empty(jb, pool);
	if (clock_hz != jb->cfg.clock_hz)
		jb->frame_units = clock_hz * jb->cfg.frame_ms / 1000;
	jb->cfg.clock_hz = clock_hz;
	tl_delay_new_timeline(&jb->delay);
}

void tl_jitter_fetch(const struct tl_jitter *jb)
{
	const struct tl_cell *next = &jb->shelf.cells[jb->shelf.next_seq % TL_SHELF_CELLS];

	tl_fetch(jb, offsetof(struct tl_jitter, shelf.cells));
	tl_fetch(next, 2 * sizeof *next);
	if (next->kind == TL_CELL_PACKET)
		tl_fetch(next->packet, sizeof *next->packet - sizeof next->packet->data + 192);
}

unsigned tl_jitter_clock_hz(const struct tl_jitter *jb)
{
	return jb->cfg.clock_hz;
}

/* When the time that begins at play_us is filled, with whatever there is. */
TL_HOT(chain) static int64_t due_us(const struct tl_jitter *jb)
{
	int64_t delay_us;

	if (tl_shelf_has(&jb->shelf, jb->shelf.next_seq))
		return jb->play_us;
	delay_us = tl_delay_of(&jb->delay, jb->next_ts, jb->cfg.clock_hz, jb->play_us);
	return jb->play_us + CLAMP(PATIENCE_US - delay_us, GRACE_US, PATIENCE_US);
}

int64_t tl_jitter_due_us(const struct tl_jitter *jb)
{
	return jb->started ? due_us(jb) : INT64_MAX;
}

void tl_jitter_expect_silence(struct tl_jitter *jb, bool silence)
{
	jb->silence = silence;
}

void tl_jitter_expect_copies(struct tl_jitter *jb, bool copies)
{
	jb->copies = copies;
	if (!copies)
		tl_delay_set_floor(&jb->delay, 0);
}

unsigned tl_jitter_target_ms(const struct tl_jitter *jb)
{
	return (unsigned)(tl_delay_target_us(&jb->delay) / 1000);
}

static void start(struct tl_jitter *jb, const struct tl_packet *packet)
{
	jb->started = true;
	jb->taken = false;
	jb->shelf.next_seq = jb->shelf.high_seq = packet->rtp.seq;
	jb->next_ts = packet->rtp.ts;
	jb->play_us = packet->arrived_us + tl_delay_target_us(&jb->delay);
	jb->starved_us = 0;
	jb->late_in_a_row = 0;
	jb->has_bad_seq = false;
	jb->adapted_us = packet->arrived_us;
}

/* Nothing was played yet and an earlier packet comes: the stream begins with it. */
static bool extend_start(struct tl_jitter *jb, const struct tl_packet *packet)
{
	int ahead = tl_rtp_seq_minus(jb->shelf.high_seq, packet->rtp.seq);

	int64_t earlier_us = to_us(jb, tl_rtp_ts_minus(jb->next_ts, packet->rtp.ts));

	if (jb->taken || ahead >= TL_SHELF_CELLS || earlier_us < 0 ||
	    earlier_us > (int64_t)JUMP_MS * 1000)
		return false;
	jb->play_us -= earlier_us;
	jb->shelf.next_seq = packet->rtp.seq;
	jb->next_ts = packet->rtp.ts;
	return true;
}

/* Behind what was played. A sender that began anew is told by two in a row. */
static int refuse_old(struct tl_jitter *jb, const struct tl_packet *packet)
{
	uint16_t seq = packet->rtp.seq;

	if (tl_rtp_seq_minus(jb->shelf.next_seq, seq) <= TL_SHELF_CELLS)
		return -ETIME;
	if (jb->has_bad_seq && seq == jb->bad_seq)
		return -ENOBUFS;
	jb->has_bad_seq = true;
	jb->bad_seq = (uint16_t)(seq + 1);
	return -ETIME;
}

/*
 * The packet's time has begun already, and silence was played for it. If the
 * delay may grow by as much, the silence was an insertion and the audio follows
 * whole; else it is lost.
 */
static int place_late(struct tl_jitter *jb, const struct tl_packet *packet, int64_t late_us)
{
	int64_t delay_us = tl_delay_of(&jb->delay, jb->next_ts, jb->cfg.clock_hz, jb->play_us);
	bool fits = delay_us + late_us <= (int64_t)jb->cfg.max_ms * 1000;

	if (late_us >= (int64_t)JUMP_MS * 1000)
		return 0; /* not late, but another timeline */
	if (!tl_shelf_is_empty(&jb->shelf))
		return -ETIME;
	if (!fits && ++jb->late_in_a_row < LATE_IN_A_ROW) {
		jb->shelf.next_seq = (uint16_t)(packet->rtp.seq + 1);
		jb->shelf.high_seq = packet->rtp.seq;
		return -ETIME;
	}
	if (!fits) {
		/* Measured from now on against the path that there is. */
		tl_delay_new_timeline(&jb->delay);
		tl_delay_note(&jb->delay, packet->rtp.ts, jb->cfg.clock_hz, packet->arrived_us);
	}
	jb->next_ts = packet->rtp.ts;
	return 0;
}

static int admit(struct tl_jitter *jb, const struct tl_packet *packet, uint32_t units)
{
	int ahead = tl_rtp_seq_minus(packet->rtp.seq, jb->shelf.next_seq);
	int32_t late;

	if (ahead < 0 && !extend_start(jb, packet))
		return refuse_old(jb, packet);
	if (ahead >= TL_SHELF_CELLS)
		return -ENOBUFS;
	late = tl_rtp_ts_minus(jb->next_ts, packet->rtp.ts);
	if (late > 0 && jb->taken)
		return place_late(jb, packet, to_us(jb, late));
	return 0;
}

TL_HOT(chain) int tl_jitter_put(struct tl_jitter *jb, struct tl_packet *packet, uint32_t units)
{
	struct tl_cell *cell = tl_shelf_at(&jb->shelf, packet->rtp.seq);
	int r;

	if (cell->kind != TL_CELL_EMPTY && cell->seq == packet->rtp.seq && jb->started)
		return -EEXIST;
	tl_delay_note(&jb->delay, packet->rtp.ts, jb->cfg.clock_hz, packet->arrived_us);
	if (!jb->started)
		start(jb, packet);
	r = admit(jb, packet, units);
	if (r < 0)
		return r;
	jb->late_in_a_row = 0;
	jb->has_bad_seq = false;
	if (units)
		jb->frame_units = units;
	*cell = (struct tl_cell) { TL_CELL_PACKET, packet->rtp.seq, packet->rtp.ts,
				   units ? units : jb->frame_units, packet };
	tl_shelf_note(&jb->shelf, packet->rtp.seq);
	return 0;
}

void tl_jitter_pass(struct tl_jitter *jb, uint16_t seq)
{
	int ahead = tl_rtp_seq_minus(seq, jb->shelf.next_seq);

	if (!jb->started || ahead < 0 || ahead >= TL_SHELF_CELLS ||
	    tl_shelf_at(&jb->shelf, seq)->kind == TL_CELL_PACKET)
		return;
	*tl_shelf_at(&jb->shelf, seq) = (struct tl_cell) { .kind = TL_CELL_PASSED, .seq = seq };
	tl_shelf_note(&jb->shelf, seq);
}

static void advance(struct tl_jitter *jb, uint32_t units)
{
	jb->next_ts += units;
	jb->play_us += to_us(jb, units);
}

static int give_silence(struct tl_jitter *jb, uint32_t units, struct tl_slot *ret_slot)
{
	*ret_slot = (struct tl_slot) { .kind = TL_SLOT_SILENCE, .units = units };
	return 1;
}

/* What is made up comes in pieces of a packet's length. */
static uint32_t step_of(const struct tl_jitter *jb)
{
	return MAX(jb->frame_units, to_units(jb, STEP_MIN_US));
}

TL_ASIDE static int starve(struct tl_jitter *jb, struct tl_slot *ret_slot, int64_t *ret_due_us)
{
	uint32_t units = step_of(jb);

	if (!jb->taken || (!jb->silence && jb->starved_us >= (int64_t)STARVED_MAX_MS * 1000)) {
		tl_shelf_forget_passed(&jb->shelf);
		jb->started = false;
		*ret_due_us = INT64_MAX;
		return 0;
	}
	jb->starved_us += to_us(jb, units);
	advance(jb, units);
	return give_silence(jb, units, ret_slot);
}

/* The stretch up to the head was lost, or never sent. */
TL_ASIDE static int fill_gap(struct tl_jitter *jb, const struct tl_cell *head, bool holed,
			     struct tl_slot *ret_slot)
{
	uint32_t gap = head->ts - jb->next_ts, step = MIN(gap, step_of(jb));

	advance(jb, step);
	if (!holed)
		return give_silence(jb, step, ret_slot);
	*ret_slot = (struct tl_slot) {
		.kind = TL_SLOT_HOLE,
		.units = step,
		.next = step == gap ? head->packet : NULL,
	};
	return 1;
}

/* In a pause the delay can be corrected unheard: more of it is played, or less. */
TL_ASIDE static void align_pause(struct tl_jitter *jb, const struct tl_cell *head)
{
	int64_t gap_us = to_us(jb, tl_rtp_ts_minus(head->ts, jb->next_ts));
	int64_t shift_us =
		jb->play_us + gap_us - tl_delay_play_at(&jb->delay, head->ts, jb->cfg.clock_hz);

	if (llabs(shift_us) <= SLACK_US || llabs(shift_us) > (int64_t)JUMP_MS * 1000)
		return;
	jb->next_ts += to_units(jb, MIN(shift_us, gap_us));
	jb->adapted_us = jb->play_us;
}

/*
 * How much sooner (below 0) or later than its own length after this packet the
 * next is due. Nothing plays here that has a clock of its own: what leaves is
 * sent at the talker's pace, whatever its clock, and the delay is corrected by
 * sending a little faster or slower. So no audio is cut out or made up.
 */
static int64_t pace(int64_t off_us, int64_t frame_us)
{
	int64_t most_us = frame_us / PACE_MOST;

	if (off_us < -PACE_SHORT_US)
		return MIN((-off_us - PACE_SHORT_US) / PACE_SHARE + 1, most_us);
	if (off_us > PACE_LONG_US)
		return -MIN((off_us - PACE_LONG_US) / PACE_SHARE + 1, most_us);
	return 0;
}

static bool is_surplus(const struct tl_jitter *jb, int64_t off_us, int64_t frame_us, int64_t now_us)
{
	return jb->taken && off_us > frame_us + SHRINK_BEYOND_US &&
	       now_us - jb->adapted_us >= SHRINK_EVERY_US;
}

/* What the delay of this packet, played next, differs from what it should be. */
static int64_t off_us_of(const struct tl_jitter *jb, uint32_t ts)
{
	return tl_delay_of(&jb->delay, ts, jb->cfg.clock_hz, jb->play_us) -
	       tl_delay_target_us(&jb->delay);
}

static void play(struct tl_jitter *jb, uint32_t units, int64_t off_us)
{
	int64_t frame_us = to_us(jb, units);

	jb->next_ts += units;
	jb->play_us += frame_us + pace(off_us, frame_us);
	jb->starved_us = 0;
}

static int give_packet(struct tl_jitter *jb, struct tl_cell *head, bool holed, int64_t now_us,
		       struct tl_slot *ret_slot)
{
	int64_t off_us = off_us_of(jb, head->ts);
	bool surplus = is_surplus(jb, off_us, to_us(jb, head->units), now_us);

	*ret_slot = (struct tl_slot) {
		.kind = surplus ? TL_SLOT_SURPLUS : TL_SLOT_PACKET,
		.packet = head->packet,
		.units = head->units,
		.holed = holed,
		.resumed = !jb->taken,
	};
	jb->next_ts = head->ts;
	if (surplus) {
		jb->adapted_us = now_us;
		jb->next_ts += head->units;
		jb->starved_us = 0;
	} else {
		play(jb, head->units, off_us);
	}
	jb->taken = true;
	tl_shelf_advance(&jb->shelf, (uint16_t)(head->seq + 1));
	return 1;
}

/* What plays next is there, and what was before it is not. */
static void note_loss(struct tl_jitter *jb, bool lost, int64_t now_us)
{
	if (!jb->copies)
		return;
	if (lost) {
		jb->lost_us = now_us;
		tl_delay_set_floor(&jb->delay, to_us(jb, jb->frame_units) + COPY_US);
	} else if (now_us - jb->lost_us > LOSSY_US) {
		tl_delay_set_floor(&jb->delay, 0);
	}
}

TL_HOT(chain)
static int take_slot(struct tl_jitter *jb, int64_t now_us, struct tl_slot *ret_slot,
		     int64_t *ret_due_us)
{
	struct tl_cell *head;
	bool holed = false;
	int64_t gap_us;

	*ret_due_us = tl_jitter_due_us(jb);
	if (!jb->started || now_us + EARLY_US < jb->play_us)
		return 0;
	/* Who was away for so long does not make up for it: it would come all at once. */
	if (now_us - jb->play_us > BEHIND_MAX_US)
		jb->play_us = now_us;
	head = tl_shelf_head(&jb->shelf, &holed);
	if (now_us < jb->play_us && (!head || !jb->taken || head->ts != jb->next_ts))
		return 0;
	if (!tl_shelf_has(&jb->shelf, jb->shelf.next_seq) && now_us < due_us(jb))
		return 0; /* what is missing has still time to come */
	if (!head)
		return starve(jb, ret_slot, ret_due_us);
	note_loss(jb, holed, now_us);
	if (!holed && jb->taken && tl_rtp_ts_minus(head->ts, jb->next_ts) > 0)
		align_pause(jb, head);
	gap_us = to_us(jb, tl_rtp_ts_minus(head->ts, jb->next_ts));
	if (gap_us > (int64_t)JUMP_MS * 1000) {
		/* Another timeline: play it from here on. */
		jb->next_ts = head->ts;
		jb->play_us = MAX(jb->play_us, now_us - to_us(jb, head->units));
	} else if (gap_us > 0 && jb->taken) {
		return fill_gap(jb, head, holed, ret_slot);
	}
	return give_packet(jb, head, holed, now_us, ret_slot);
}

int tl_jitter_take_rest(struct tl_jitter *jb, struct tl_slot *ret_slot)
{
	int64_t ignored_us;

	if (!jb->started || !tl_shelf_head(&jb->shelf, &(bool) { false }))
		return 0;
	return tl_jitter_take(jb, due_us(jb), ret_slot, &ignored_us);
}

TL_HOT(chain)
int tl_jitter_take(struct tl_jitter *jb, int64_t now_us, struct tl_slot *ret_slot,
		   int64_t *ret_due_us)
{
	int64_t at_us = jb->play_us;
	int r = take_slot(jb, now_us, ret_slot, ret_due_us);

	if (r > 0)
		ret_slot->at_us = at_us;
	return r;
}

static bool is_next(const struct tl_jitter *jb, uint16_t seq, uint32_t ts)
{
	return jb->started && jb->taken && seq == jb->shelf.next_seq && ts == jb->next_ts;
}

bool tl_jitter_hurry(struct tl_jitter *jb, const struct tl_rtp *rtp, uint32_t units,
		     int64_t arrived_us, int64_t *ret_at_us)
{
	if (!is_next(jb, rtp->seq, rtp->ts) ||
	    tl_rtp_seq_minus(jb->shelf.high_seq, rtp->seq) >= 0 || arrived_us >= due_us(jb) ||
	    is_surplus(jb, off_us_of(jb, rtp->ts), to_us(jb, units), arrived_us))
		return false;
	tl_delay_note(&jb->delay, rtp->ts, jb->cfg.clock_hz, arrived_us);
	jb->late_in_a_row = 0;
	jb->has_bad_seq = false;
	jb->frame_units = units;
	jb->shelf.high_seq = jb->shelf.next_seq++;
	*ret_at_us = jb->play_us;
	play(jb, units, off_us_of(jb, rtp->ts));
	return true;
}

int tl_jitter_take_next(struct tl_jitter *jb, struct tl_slot *ret_slot)
{
	const struct tl_cell *next = tl_shelf_at(&jb->shelf, jb->shelf.next_seq);
	int64_t ignored_us;

	if (next->kind != TL_CELL_PACKET || !is_next(jb, next->seq, next->ts))
		return 0;
	return tl_jitter_take(jb, jb->play_us, ret_slot, &ignored_us);
}
