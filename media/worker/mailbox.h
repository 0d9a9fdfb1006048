#pragma once
/*
 * A bounded queue of fixed-size records between threads: any number of
 * posters, one taker. Records are copied; neither side ever waits. The taker
 * polls an eventfd. Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>

struct tl_mailbox;

/* capacity: a power of two. reserve: places that only urgent posts may use. 0 or -errno. */
int tl_mailbox_new(size_t record_bytes, size_t capacity, size_t reserve,
		   struct tl_mailbox **ret_box);
void tl_mailbox_free(struct tl_mailbox *box); /* no thread uses it any more; NULL ok */
/* Any thread. -EAGAIN: full. */
int tl_mailbox_post(struct tl_mailbox *box, const void *record, bool urgent);
/* Makes the taker look, without a record. Any thread. */
void tl_mailbox_wake(struct tl_mailbox *box);

/* The taker's side: when fd is readable, clear, then take until false. */
int tl_mailbox_fd(const struct tl_mailbox *box);
void tl_mailbox_clear(struct tl_mailbox *box);
bool tl_mailbox_take(struct tl_mailbox *box, void *ret_record);
