#pragma once
/*
 * What a jitter buffer holds, each packet at the place of its sequence number. In line, for each
 * packet goes through it. Private to jitter.c; owns its packets.
 *
 *   next_seq           high_seq
 *      5    6    7    8    9
 *      -    P    -    x    P      P packet, x came and was no audio, - has not come
 */
#include "media/rtp/packet.h"

enum { TL_SHELF_CELLS = 64 }; /* a power of two */

enum tl_cell_kind { TL_CELL_EMPTY, TL_CELL_PACKET, TL_CELL_PASSED };

struct tl_cell {
	enum tl_cell_kind kind;
	uint16_t seq;
	uint32_t ts, units;
	struct tl_packet *packet;
};

struct tl_shelf {
	uint16_t next_seq, high_seq; /* to be played next; the highest that has come */
	struct tl_cell cells[TL_SHELF_CELLS];
};

static inline struct tl_cell *tl_shelf_at(struct tl_shelf *shelf, uint16_t seq)
{
	return &shelf->cells[seq % TL_SHELF_CELLS];
}

/* Has this number come, as audio or as something else? */
static inline bool tl_shelf_has(const struct tl_shelf *shelf, uint16_t seq)
{
	const struct tl_cell *cell = &shelf->cells[seq % TL_SHELF_CELLS];

	return cell->kind != TL_CELL_EMPTY && cell->seq == seq;
}

/* This number has come. */
static inline void tl_shelf_note(struct tl_shelf *shelf, uint16_t seq)
{
	if (tl_rtp_seq_minus(seq, shelf->high_seq) > 0)
		shelf->high_seq = seq;
}

/* The earliest packet held. *ret_holed: numbers before it are missing. NULL: none is held. */
static inline struct tl_cell *tl_shelf_head(struct tl_shelf *shelf, bool *ret_holed)
{
	bool holed = false;

	for (uint16_t seq = shelf->next_seq; tl_rtp_seq_minus(shelf->high_seq, seq) >= 0; seq++) {
		struct tl_cell *cell = tl_shelf_at(shelf, seq);
		bool there = tl_shelf_has(shelf, seq);

		if (there && cell->kind == TL_CELL_PACKET) {
			*ret_holed = holed;
			return cell;
		}
		holed = holed || !there;
	}
	return NULL;
}

/* What was before seq is over; its packets have been taken out. */
static inline void tl_shelf_advance(struct tl_shelf *shelf, uint16_t seq)
{
	for (; tl_rtp_seq_minus(seq, shelf->next_seq) > 0; shelf->next_seq++)
		tl_shelf_at(shelf, shelf->next_seq)->kind = TL_CELL_EMPTY;
}

static inline bool tl_shelf_is_empty(const struct tl_shelf *shelf)
{
	for (size_t i = 0; i < TL_SHELF_CELLS; i++)
		if (shelf->cells[i].kind == TL_CELL_PACKET)
			return false;
	return true;
}

/* Packets go back to the pool. */
static inline void tl_shelf_clear(struct tl_shelf *shelf, struct tl_pool *pool)
{
	for (size_t i = 0; i < TL_SHELF_CELLS; i++) {
		if (shelf->cells[i].kind == TL_CELL_PACKET)
			tl_pool_give(pool, shelf->cells[i].packet);
		shelf->cells[i].kind = TL_CELL_EMPTY;
	}
}

/* For a shelf without packets: what came and was none is over, too. */
static inline void tl_shelf_forget_passed(struct tl_shelf *shelf)
{
	for (size_t i = 0; i < TL_SHELF_CELLS; i++)
		shelf->cells[i].kind = TL_CELL_EMPTY;
}
