#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "media/worker/mailbox.h"

enum { CELLS = 8, RESERVE = 2, POSTERS = 3, EACH = 20000 };

struct record {
	unsigned poster, number;
};

static bool is_readable(struct tl_mailbox *box)
{
	return poll(&(struct pollfd) { tl_mailbox_fd(box), POLLIN, 0 }, 1, 0) > 0;
}

Test(mailbox, keeps_order_and_refuses_when_full)
{
	struct tl_mailbox *box;
	struct record record;

	cr_assert_eq(tl_mailbox_new(sizeof record, CELLS, RESERVE, &box), 0);
	for (unsigned lap = 0; lap < 5; lap++) {
		for (unsigned i = 0; i < CELLS; i++)
			cr_expect_eq(tl_mailbox_post(box, &(struct record) { 0, i }, false),
				     i < CELLS - RESERVE ? 0 : -EAGAIN);
		for (unsigned i = CELLS - RESERVE; i <= CELLS; i++)
			cr_expect_eq(tl_mailbox_post(box, &(struct record) { 0, i }, true),
				     i < CELLS ? 0 : -EAGAIN, "urgent ones have the reserve");
		for (unsigned i = 0; i < CELLS; i++) {
			cr_assert(tl_mailbox_take(box, &record));
			cr_expect_eq(record.number, i);
		}
		cr_expect_not(tl_mailbox_take(box, &record));
	}
	tl_mailbox_free(box);
}

Test(mailbox, rings_once_for_many)
{
	struct tl_mailbox *box;
	struct record record = { 0 };

	cr_assert_eq(tl_mailbox_new(sizeof record, CELLS, RESERVE, &box), 0);
	cr_expect_not(is_readable(box));
	tl_mailbox_post(box, &record, false);
	tl_mailbox_post(box, &record, false);
	cr_expect(is_readable(box));
	tl_mailbox_clear(box);
	cr_expect_not(is_readable(box));
	tl_mailbox_wake(box);
	cr_expect(is_readable(box), "also without a record");
	tl_mailbox_free(box);
}

Test(mailbox, wants_a_power_of_two)
{
	struct tl_mailbox *box;

	cr_expect_eq(tl_mailbox_new(4, 0, 0, &box), -EINVAL);
	cr_expect_eq(tl_mailbox_new(4, 6, 0, &box), -EINVAL);
	cr_expect_eq(tl_mailbox_new(4, 8, 8, &box), -EINVAL);
}

struct poster {
	struct tl_mailbox *box;
	unsigned number;
};

static void *post_many(void *user)
{
	const struct poster *me = user;

	for (unsigned i = 0; i < EACH; i++)
		while (tl_mailbox_post(me->box, &(struct record) { me->number, i }, false) < 0)
			sched_yield();
	return NULL;
}

Test(mailbox, loses_nothing_between_threads)
{
	unsigned next[POSTERS] = { 0 }, taken = 0;
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];
	struct tl_mailbox *box;
	struct record record;

	cr_assert_eq(tl_mailbox_new(sizeof record, 64, RESERVE, &box), 0);
	for (unsigned i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster) { box, i };
		cr_assert_eq(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
	}
	while (taken < POSTERS * EACH) {
		struct pollfd fd = { tl_mailbox_fd(box), POLLIN, 0 };

		cr_assert_gt(poll(&fd, 1, 5000), 0, "a wake-up was lost");
		tl_mailbox_clear(box);
		for (; tl_mailbox_take(box, &record); taken++)
			if (record.number != next[record.poster]++)
				cr_assert_fail("out of order");
	}
	for (unsigned i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	tl_mailbox_free(box);
}
