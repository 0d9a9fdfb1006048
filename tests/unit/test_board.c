#include <criterion/criterion.h>
#include "b2bua/call/board.h"

static unsigned n_told;

static void on_change(const char *extension, void *user)
{
	n_told++;
	cr_expect_str_eq(extension, "1001");
}

static void set(struct tl_board *board, const char *id, enum tl_board_state state)
{
	tl_board_set(board, "1001",
		     &(struct tl_board_entry) { .id = (char *)id, .state = state, .remote = NULL });
}

Test(board, tells_of_changes_and_of_nothing_else)
{
	struct tl_board *board = tl_board_new();
	const GPtrArray *entries;

	tl_board_observe(board, on_change, NULL);
	set(board, "1a", TL_BOARD_TRYING);
	set(board, "1a", TL_BOARD_TRYING);
	cr_expect_eq(n_told, 1);
	set(board, "1a", TL_BOARD_EARLY);
	set(board, "2b", TL_BOARD_CONFIRMED);
	cr_expect_eq(n_told, 3);
	entries = tl_board_find(board, "1001");
	cr_assert_eq(entries->len, 2);
	cr_expect_eq(((struct tl_board_entry *)entries->pdata[0])->state, TL_BOARD_EARLY);
	cr_expect_str_eq(((struct tl_board_entry *)entries->pdata[0])->remote, "");
	tl_board_remove(board, "1001", "3a");
	tl_board_remove(board, "1002", "1a");
	cr_expect_eq(n_told, 3);
	tl_board_remove(board, "1001", "1a");
	tl_board_remove(board, "1001", "2b");
	cr_expect_eq(n_told, 5);
	cr_expect_null(tl_board_find(board, "1001"));
	tl_board_free(board);
}

Test(board, states_have_the_words_of_rfc_4235)
{
	cr_expect_str_eq(tl_board_state_name(TL_BOARD_TRYING), "trying");
	cr_expect_str_eq(tl_board_state_name(TL_BOARD_EARLY), "early");
	cr_expect_str_eq(tl_board_state_name(TL_BOARD_CONFIRMED), "confirmed");
	cr_expect_str_eq(tl_board_state_name(_TL_BOARD_INVALID), "invalid");
}
