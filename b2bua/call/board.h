#pragma once
/*
 * Which extensions are in a call now, and how far each call has come: what a
 * busy lamp shows. The calls keep it (call_board.c); whoever observes is told
 * an extension's number after each change. Signalling thread.
 */
#include <glib.h>
#include <stdbool.h>

enum tl_board_state {
	TL_BOARD_TRYING, /* called, nothing heard yet */
	TL_BOARD_EARLY,  /* it rings, or there is early media */
	TL_BOARD_CONFIRMED,
	_TL_BOARD_MAX,
	_TL_BOARD_INVALID = -22,
};
const char *tl_board_state_name(enum tl_board_state state); /* RFC 4235 3.7.1's words */

struct tl_board_entry {
	char *id; /* of the call, and "a" or "b": names the entry while it stands */
	enum tl_board_state state;
	bool initiator; /* the extension calls; else it is called */
	char *remote;   /* the other side's number as the extension knows it; "" withheld */
	/* The names of a dialog that rings, as the extension knows them: its own tag is local.
	 * NULL: it does not ring. */
	char *call_id, *local_tag, *remote_tag;
};

struct tl_board;

struct tl_board *tl_board_new(void);
void tl_board_free(struct tl_board *board); /* NULL ok */

/* extension is lent. */
typedef void tl_board_fn(const char *extension, void *user);
/* One observer; NULL: none. It must not change the board. */
void tl_board_observe(struct tl_board *board, tl_board_fn *fn, void *user);

/* Puts an entry, or takes the place of the one with its id; copies. The same again is no change. */
void tl_board_set(struct tl_board *board, const char *extension,
		  const struct tl_board_entry *entry);
void tl_board_remove(struct tl_board *board, const char *extension, const char *id);
/* struct tl_board_entry, oldest first; NULL: it is in no call. Lent until the next change. */
const GPtrArray *tl_board_find(const struct tl_board *board, const char *extension);
