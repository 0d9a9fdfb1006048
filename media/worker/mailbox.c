#include "media/worker/mailbox.h"

#include <errno.h>
#include <glib.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * A ring of cells, each with a turn number that says whose it is:
 *
 *   turn == ticket        free for the poster who draws this ticket
 *   turn == ticket + 1    filled; the taker's
 *   turn == ticket + N    free again, one lap later
 *
 * Posters draw tickets by compare and swap; the taker is alone.
 */
struct cell {
	_Atomic size_t turn;
	uint8_t record[];
};

struct tl_mailbox {
	size_t record_bytes, cell_bytes, capacity, reserve;
	uint8_t *cells;
	int fd;
	_Atomic bool rung; /* the eventfd was written since the last clear */
	_Alignas(64) _Atomic size_t ticket;
	_Alignas(64) _Atomic size_t taken;
};

static struct cell *cell_at(const struct tl_mailbox *box, size_t ticket)
{
	return (struct cell *)(void *)(box->cells +
				       (ticket & (box->capacity - 1)) * box->cell_bytes);
}

int tl_mailbox_new(size_t record_bytes, size_t capacity, size_t reserve,
		   struct tl_mailbox **ret_box)
{
	struct tl_mailbox *box;

	if (capacity == 0 || (capacity & (capacity - 1)) != 0 || reserve >= capacity)
		return -EINVAL;
	box = g_aligned_alloc0(1, sizeof *box, 64);
	box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (box->fd < 0) {
		g_aligned_free(box);
		return -errno;
	}
	box->record_bytes = record_bytes;
	box->cell_bytes = (sizeof(struct cell) + record_bytes + 7) / 8 * 8;
	box->capacity = capacity;
	box->reserve = reserve;
	box->cells = g_malloc0_n(capacity, box->cell_bytes);
	for (size_t i = 0; i < capacity; i++)
		atomic_init(&cell_at(box, i)->turn, i);
	*ret_box = box;
	return 0;
}

void tl_mailbox_free(struct tl_mailbox *box)
{
	if (!box)
		return;
	close(box->fd);
	g_free(box->cells);
	g_aligned_free(box);
}

void tl_mailbox_wake(struct tl_mailbox *box)
{
	uint64_t one = 1;

	/* An eventfd counts to 2^64: this write can't fail, nor can it wait. */
	if (!atomic_exchange_explicit(&box->rung, true, memory_order_acq_rel) &&
	    write(box->fd, &one, sizeof one) < 0)
		g_debug("eventfd: %s", g_strerror(errno));
}

static bool has_room(const struct tl_mailbox *box, size_t ticket, bool urgent)
{
	size_t used = ticket - atomic_load_explicit(&box->taken, memory_order_relaxed);

	return urgent || used < box->capacity - box->reserve;
}

int tl_mailbox_post(struct tl_mailbox *box, const void *record, bool urgent)
{
	size_t ticket = atomic_load_explicit(&box->ticket, memory_order_relaxed);
	struct cell *cell;

	for (;;) {
		size_t turn;

		cell = cell_at(box, ticket);
		turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
		if (turn == ticket) {
			if (!has_room(box, ticket, urgent))
				return -EAGAIN;
			if (atomic_compare_exchange_weak_explicit(&box->ticket, &ticket, ticket + 1,
								  memory_order_relaxed,
								  memory_order_relaxed))
				break;
		} else if ((ptrdiff_t)(turn - ticket) < 0) {
			return -EAGAIN; /* the last lap's record is still there */
		} else {
			ticket = atomic_load_explicit(&box->ticket, memory_order_relaxed);
		}
	}
	memcpy(cell->record, record, box->record_bytes);
	atomic_store_explicit(&cell->turn, ticket + 1, memory_order_release);
	tl_mailbox_wake(box);
	return 0;
}

int tl_mailbox_fd(const struct tl_mailbox *box)
{
	return box->fd;
}

void tl_mailbox_clear(struct tl_mailbox *box)
{
	uint64_t count;

	if (read(box->fd, &count, sizeof count) < 0 && errno != EAGAIN)
		g_debug("eventfd: %s", g_strerror(errno));
	/* After the read and before the takes: a record that these miss rings again. */
	atomic_exchange_explicit(&box->rung, false, memory_order_acq_rel);
}

bool tl_mailbox_take(struct tl_mailbox *box, void *ret_record)
{
	size_t ticket = atomic_load_explicit(&box->taken, memory_order_relaxed);
	struct cell *cell = cell_at(box, ticket);

	if (atomic_load_explicit(&cell->turn, memory_order_acquire) != ticket + 1)
		return false;
	memcpy(ret_record, cell->record, box->record_bytes);
	atomic_store_explicit(&cell->turn, ticket + box->capacity, memory_order_release);
	atomic_store_explicit(&box->taken, ticket + 1, memory_order_relaxed);
	return true;
}
