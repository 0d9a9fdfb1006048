#include <criterion/criterion.h>
#include <glib.h>

#include "media/rtp/jitter.h"

/* A buffer that need not hold anything: on a good path it doesn't. */

enum { CLOCK = 8000, FRAME = 160, FRAME_US = 20000, MAX_MS = 200 };

static struct tl_pool pool;

struct play {
	struct tl_jitter *jb;
	int64_t now_us;
	unsigned packets, made_up; /* the latter in packets' lengths */
	int64_t delay_us;          /* of the last packet */
};

static struct play begin(unsigned min_ms)
{
	const struct tl_jitter_cfg cfg = { CLOCK, FRAME_US / 1000, min_ms, MAX_MS };

	return (struct play) { .jb = tl_jitter_new(&cfg) };
}

static void end(struct play *p)
{
	tl_jitter_free(p->jb, &pool);
	tl_pool_done(&pool);
}

static void put(struct play *p, unsigned n)
{
	struct tl_packet *packet = tl_pool_take(&pool);

	packet->arrived_us = p->now_us;
	packet->rtp = (struct tl_rtp) { .seq = (uint16_t)n, .ts = n * FRAME };
	cr_assert_eq(tl_jitter_put(p->jb, packet, FRAME), 0);
}

static void take(struct play *p)
{
	struct tl_slot slot = { 0 };
	int64_t due_us;

	while (tl_jitter_take(p->jb, p->now_us, &slot, &due_us) > 0) {
		p->packets += slot.kind == TL_SLOT_PACKET;
		p->made_up += slot.packet ? 0 : slot.units / FRAME;
		if (slot.packet)
			p->delay_us = p->now_us - slot.packet->arrived_us;
		tl_pool_give(&pool, slot.packet);
	}
}

static void run_until(struct play *p, int64_t us)
{
	for (; p->now_us < us; p->now_us += 1000)
		take(p);
	p->now_us = us > p->now_us ? us : p->now_us;
}

Test(jitter_short, holds_nothing_on_a_good_path)
{
	struct play p = begin(0);

	for (unsigned n = 0; n < 500; n++) {
		run_until(&p, n * FRAME_US);
		put(&p, n);
		take(&p);
		cr_assert_eq(p.packets, n + 1);
		cr_assert_eq(p.delay_us, 0);
	}
	cr_expect_eq(p.made_up, 0);
	end(&p);
}

/* Each a little later than the one before, and none so late that it is missed: they go as they
 * come. */
Test(jitter_short, makes_nothing_up_for_what_is_a_little_late)
{
	struct play p = begin(0);

	for (unsigned n = 0; n < 20; n++) {
		run_until(&p, n * (FRAME_US + 900));
		put(&p, n);
		take(&p);
		cr_assert_eq(p.packets, n + 1);
	}
	cr_expect_eq(p.made_up, 0);
	end(&p);
}

Test(jitter_short, makes_up_what_is_missing_no_later_than_a_phone_would_play_it)
{
	struct play p = begin(0);

	for (unsigned n = 0; n < 100; n++) {
		run_until(&p, n * FRAME_US);
		if (n != 50 && n != 51)
			put(&p, n);
		take(&p);
		if (n == 51) /* the first of them, 20 ms after it was due; and no more */
			cr_expect_eq(p.made_up, 1);
	}
	cr_expect_eq(p.packets, 98);
	cr_expect_eq(p.made_up, 2);
	end(&p);
}

/* Also where the delay is long: a packet that comes 4 ms after its time is not given up. */
Test(jitter_short, bears_a_little_more_than_its_delay)
{
	struct play p = begin(40);

	for (unsigned n = 0; n < 100; n++) {
		run_until(&p, n * FRAME_US + (n == 50) * 44000);
		put(&p, n);
	}
	run_until(&p, 99 * FRAME_US + 41000);
	cr_expect_eq(p.packets, 100);
	cr_expect_eq(p.made_up, 0);
	end(&p);
}

/* Packets from one number up to another, of which those of so long after the first come when that
 * is over. */
static void stall(struct play *p, unsigned from, unsigned to, int64_t stall_us)
{
	int64_t over_us = from * FRAME_US + stall_us;

	for (unsigned n = from; n < to; n++) {
		run_until(p, MAX((int64_t)n * FRAME_US, over_us));
		put(p, n);
		take(p);
	}
}

enum { STALL_US = 150000, STALL_LENGTHS = STALL_US / FRAME_US + 1 };

/* What was made up for it is the only trace of it some seconds later. */
Test(jitter_short, one_stall_is_no_reason_to_wait_ever_after)
{
	struct play p = begin(0);

	stall(&p, 0, 150, 0);
	stall(&p, 150, 350, STALL_US);
	cr_expect_leq(p.made_up, STALL_LENGTHS, "%u made up", p.made_up);
	cr_expect_geq(p.packets, 348, "%u packets", p.packets);
	cr_expect_leq(tl_jitter_target_ms(p.jb), 5, "%u ms", tl_jitter_target_ms(p.jb));
	cr_expect_leq(p.delay_us, 10000, "%lld us", (long long)p.delay_us);
	end(&p);
}

/* Also where one is the first that is known of the path. */
Test(jitter_short, one_stall_at_the_beginning_is_none_either)
{
	struct play p = begin(0);

	stall(&p, 0, 5, 0);
	stall(&p, 5, 205, STALL_US);
	cr_expect_leq(p.delay_us, 10000, "%lld us", (long long)p.delay_us);
	end(&p);
}

Test(jitter_short, stalls_that_come_again_are_waited_for)
{
	struct play p = begin(0);
	unsigned before;

	stall(&p, 0, 150, 0);
	stall(&p, 150, 300, STALL_US);
	stall(&p, 300, 450, STALL_US);
	cr_expect_geq(p.delay_us, 60000, "%lld us", (long long)p.delay_us);
	stall(&p, 450, 600, STALL_US);
	before = p.made_up;
	stall(&p, 600, 750, STALL_US);
	cr_expect_leq(p.made_up, before + 2, "%u made up", p.made_up - before);
	end(&p);
}

/* A path that has become longer is learnt as soon as before: it is no accident. */
Test(jitter_short, a_longer_way_is_learnt)
{
	struct play p = begin(0);

	stall(&p, 0, 50, 0);
	for (unsigned n = 50; n < 150; n++) {
		run_until(&p, n * FRAME_US + 60000);
		put(&p, n);
		take(&p);
	}
	cr_expect_leq(p.made_up, 4);
	cr_expect_eq(p.packets, 150);
	end(&p);
}
