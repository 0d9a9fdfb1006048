#include "../support/jitter_play.h"

Test(jitter, releases_nothing_before_the_target_delay)
{
	struct play p = begin();
	struct tl_slot slot = { 0 };
	int64_t due_us;

	put(&p, 1, 0);
	cr_expect_eq(tl_jitter_take(p.jb, MIN_MS * 1000 - 1, &slot, &due_us), 0);
	cr_expect_eq(due_us, MIN_MS * 1000);
	cr_expect_eq(tl_jitter_take(p.jb, MIN_MS * 1000, &slot, &due_us), 1);
	cr_expect_eq(slot.kind, TL_SLOT_PACKET);
	cr_expect(slot.resumed);
	tl_pool_give(&pool, slot.packet);
	end(&p);
}

Test(jitter, plays_what_comes)
{
	static const struct {
		const char *why;
		unsigned n[10];
		size_t count;
		const char *want;
	} cases[] = {
		{ "in order", { 1, 2, 3, 4 }, 4, "pppp" },
		{ "out of order", { 1, 3, 2, 4 }, 4, "pppp" },
		{ "the first one late", { 2, 1, 3, 4 }, 4, "pppp" },
		{ "one lost", { 1, 2, 4, 5 }, 4, "ppopp" },
		{ "two lost", { 1, 4, 5 }, 3, "poopp" },
		{ "duplicates", { 1, 2, 2, 1, 3 }, 5, "ppp" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int wrapping = 0; wrapping < 2; wrapping++) {
			struct play p = begin();

			if (wrapping) {
				p.seq_offset = 65534;
				p.ts_offset = UINT32_MAX - 2 * FRAME;
			}
			/* All at hand before the first is due. */
			for (size_t k = 0; k < cases[i].count; k++)
				put(&p, cases[i].n[k], 0);
			run_until(&p, (int64_t)(MIN_MS * 1000 + strlen(cases[i].want) * FRAME_US));
			p.log[strlen(cases[i].want)] = '\0';
			cr_expect_str_eq(p.log, cases[i].want, "%s", cases[i].why);
			cr_expect_eq(p.after_loss, strchr(cases[i].want, 'o') != NULL, "%s",
				     cases[i].why);
			cr_expect_not(p.disorder, "%s", cases[i].why);
			end(&p);
		}
	}
}

/* Two are lost: only of the second one's audio may the packet after it hold a copy. */
Test(jitter, lends_what_follows_a_hole)
{
	static const uint16_t wants[] = { 0, 0, 4, 0 };
	struct play p = begin();
	struct tl_slot slot = { 0 };
	int64_t due_us;

	put(&p, 1, 0);
	put(&p, 4, 0);
	for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
		cr_assert_eq(tl_jitter_take(p.jb, MIN_MS * 1000 + 4 * FRAME_US, &slot, &due_us), 1);
		cr_expect_eq(slot.next ? slot.next->rtp.seq : 0, wants[i], "slot %zu", i);
		tl_pool_give(&pool, slot.packet);
	}
	end(&p);
}

/* Packets from..to as they were sent, but for every 25th; the one after that is 1 ms late. A look
 * each ms. */
static void lose_some(struct play *p, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++) {
		int64_t at_us = n * FRAME_US + (n % 25 == 8) * 1000;

		for (; p->now_us < at_us; p->now_us += 1000)
			take(p);
		if (n % 25 != 7)
			put(p, n, at_us);
	}
}

/* A packet is given up as the next one is about to come: whether its copy is there is luck. */
Test(jitter, waits_for_copies_while_some_are_lost)
{
	for (int copies = 0; copies < 2; copies++) {
		const struct tl_jitter_cfg cfg = { CLOCK, 20, 15, MAX_MS };
		struct play p = { .jb = tl_jitter_new(&cfg) };

		tl_jitter_expect_copies(p.jb, copies);
		lose_some(&p, 0, 100);
		p.lent = 0;
		lose_some(&p, 100, 600);
		cr_expect_eq(p.lent, copies ? 20 : 0, "%u of 20 had what followed", p.lent);
		cr_expect_eq(tl_jitter_target_ms(p.jb), copies ? 30 : 15);
		stream(&p, 600, 2300, NULL);
		cr_expect_eq(tl_jitter_target_ms(p.jb), 15, "nothing is lost any more");
		cr_expect_leq(p.delay_us, 30000);
		cr_expect_eq(p.surplus, 0);
		end(&p);
	}
}

Test(jitter, is_steady_on_a_good_path)
{
	struct play p = begin();

	stream(&p, 0, 500, NULL);
	run_until(&p, 500 * FRAME_US);
	cr_expect_geq(p.packets, 497);
	cr_expect_eq(p.holes + p.surplus + p.refused, 0);
	cr_expect_eq(p.silence_units, 0);
	cr_expect_leq(p.delay_us, MIN_MS * 1000 + TICK_US);
	end(&p);
}

static int64_t slow_at_first(unsigned n)
{
	return n == 0 ? 9000 : 0;
}

/* A packet that comes wakes a worker up, which then has one to play: not a second time later. */
Test(jitter, is_due_when_packets_come)
{
	struct play p = begin();

	stream(&p, 0, 500, slow_at_first);
	cr_expect_leq(llabs(tl_jitter_due_us(p.jb) - 499 * FRAME_US), 4000);
	cr_expect_eq(p.holes + p.surplus + p.refused, 0);
	cr_expect_eq(p.silence_units, 0);
	end(&p);
}

static int64_t jittery(unsigned n)
{
	return n % 7 == 3 ? 70000 : n % 3 * 5000;
}

Test(jitter, learns_the_delay_that_a_path_needs)
{
	struct play p = begin();

	stream(&p, 0, 500, jittery);
	cr_expect_geq(tl_jitter_target_ms(p.jb), 70);
	cr_expect_leq(tl_jitter_target_ms(p.jb), 90);
	p.packets = p.holes = p.surplus = p.refused = 0;
	p.silence_units = 0;
	stream(&p, 500, 1000, jittery);
	cr_expect_eq(p.holes + p.refused, 0, "none comes too late any more");
	cr_expect_eq(p.silence_units, 0);
	cr_expect_not(p.disorder);
	/* The path becomes good: the delay comes down again. */
	stream(&p, 1000, 4000, NULL);
	cr_expect_leq(p.delay_us, 65000);
	cr_expect_eq(p.surplus + p.holes + p.refused, 0, "by its pace, not by cutting audio out");
	cr_expect_eq(p.silence_units, 0);
	end(&p);
}

Test(jitter, stays_within_its_bounds)
{
	struct play p = begin();

	srand(1);
	for (unsigned n = 0; n < 1000; n++) {
		int64_t at_us = (int64_t)n * FRAME_US;

		run_until(&p, at_us);
		/* One in four is hopelessly late. */
		put(&p, n, at_us + (rand() % 4 == 0 ? 400000 : 0));
	}
	cr_expect_leq(tl_jitter_target_ms(p.jb), MAX_MS);
	end(&p);
}

/* 20 packets of speech, a pause, 20 packets: no number is missing, the timestamps leap. */
static void speak_with_pause(struct play *p, unsigned pause)
{
	for (unsigned n = 0; n < 40; n++) {
		unsigned at = n < 20 ? n : n + pause;

		run_until(p, (int64_t)at * FRAME_US);
		put_at(p, n, at * FRAME, (int64_t)at * FRAME_US);
	}
	run_until(p, (int64_t)(40 + pause + 4) * FRAME_US);
}

Test(jitter, plays_a_pause_as_silence_of_its_length)
{
	static const unsigned pauses[] = { 1, 2, 5, 25 };

	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		struct play p = begin();

		speak_with_pause(&p, pauses[i]);
		cr_expect_eq(p.packets, 40, "pause of %u", pauses[i]);
		cr_expect_eq(p.holes, 0, "nothing was lost");
		/* What is made up after the last packet is cut at the same place for all. */
		cr_expect_eq(p.silence_units / FRAME, pauses[i] + 2);
		end(&p);
	}
}

Test(jitter, rests_when_nothing_comes)
{
	struct play p = begin();
	struct tl_slot slot = { 0 };
	int64_t due_us;

	stream(&p, 0, 10, NULL);
	run_until(&p, 10 * FRAME_US + 3000000);
	cr_expect_eq(p.packets, 10);
	cr_expect_leq(p.silence_units, CLOCK + FRAME);
	cr_expect_eq(tl_jitter_take(p.jb, p.now_us, &slot, &due_us), 0);
	cr_expect_eq(due_us, INT64_MAX, "no tick is wanted");
	/* Half a minute later the talker goes on. */
	put_at(&p, 10, 30 * CLOCK, 30000000);
	cr_assert_eq(tl_jitter_take(p.jb, 30000000 + MAX_MS * 1000, &slot, &due_us), 1);
	cr_expect(slot.resumed);
	tl_pool_give(&pool, slot.packet);
	end(&p);
}

Test(jitter, does_not_take_digits_for_losses)
{
	struct play p = begin();

	for (unsigned n = 0; n < 20; n++) {
		run_until(&p, (int64_t)n * FRAME_US);
		if (n >= 8 && n < 12)
			tl_jitter_pass(p.jb, (uint16_t)n);
		else
			put(&p, n, (int64_t)n * FRAME_US);
	}
	run_until(&p, 20 * FRAME_US + MIN_MS * 1000);
	cr_expect_eq(p.holes, 0);
	cr_expect_eq(p.silence_units / FRAME, 4);
	cr_expect_eq(p.packets, 16);
	end(&p);
}

/* For an hour: what the two clocks make of it is 720 ms at 200 ppm. */
Test(jitter, absorbs_clocks_that_differ)
{
	static const int ppm[] = { 200, -200, 500 };

	for (size_t i = 0; i < sizeof ppm / sizeof *ppm; i++) {
		struct play p = begin();
		const unsigned n = 180000;

		for (unsigned k = 0; k < n; k++) {
			int64_t at_us =
				(int64_t)k * FRAME_US + (int64_t)k * FRAME_US * ppm[i] / 1000000;

			run_until(&p, at_us);
			put(&p, k, at_us);
			if (k > 10) {
				cr_assert_leq(p.delay_us, (MIN_MS + 20) * 1000, "packet %u", k);
				cr_assert_geq(p.delay_us, (MIN_MS - 20) * 1000, "packet %u", k);
			}
		}
		cr_expect_eq(p.surplus + p.refused + p.holes + p.silence_units, 0, "not a click");
		cr_expect_not(p.disorder);
		end(&p);
	}
}

static int64_t stepped(unsigned n)
{
	return n < 200 ? 0 : 150000;
}

static int64_t stepped_beyond(unsigned n)
{
	return n < 200 ? 0 : 400000;
}

Test(jitter, survives_a_longer_path)
{
	struct play p = begin();

	stream(&p, 0, 1000, stepped);
	cr_expect_leq(p.refused, 5);
	cr_expect_geq(p.packets, 980);
	cr_expect_not(p.disorder);
	end(&p);

	p = begin();
	stream(&p, 0, 1000, stepped_beyond);
	cr_expect_geq(p.packets, 960, "%u", p.packets);
	end(&p);
}

Test(jitter, follows_a_sender_that_begins_anew)
{
	struct play p = begin();
	int refusals = 0;

	stream(&p, 0, 50, NULL);
	for (unsigned n = 50; n < 100; n++) {
		int64_t at_us = (int64_t)n * FRAME_US;
		int r;

		run_until(&p, at_us);
		r = put_at(&p, n + 20000, n * FRAME + 123456789, at_us);
		if (r == -ENOBUFS) {
			tl_jitter_reset(p.jb, CLOCK, &pool);
			r = put_at(&p, n + 20000, n * FRAME + 123456789, at_us);
		}
		refusals += r < 0;
	}
	run_until(&p, 100 * FRAME_US + MIN_MS * 1000);
	cr_expect_leq(refusals, 1);
	cr_expect_geq(p.packets, 95);
	end(&p);
}

Test(jitter, follows_a_leap_of_time_alone)
{
	static const uint32_t leaps[] = { 1000000, (uint32_t)-1000000, 0x80000000 };

	for (size_t i = 0; i < sizeof leaps / sizeof *leaps; i++) {
		struct play p = begin();

		stream(&p, 0, 50, NULL);
		p.ts_offset = leaps[i];
		stream(&p, 50, 100, NULL);
		run_until(&p, 100 * FRAME_US + MAX_MS * 1000);
		cr_expect_geq(p.packets, 95, "leap %zu: %u", i, p.packets);
		end(&p);
	}
}

Test(jitter, holds_no_more_than_there_is_room_for)
{
	struct play p = begin();
	unsigned n = 0;

	while (put(&p, n, 0) == 0)
		n++;
	cr_expect_leq(n, 64);
	cr_expect_eq(put(&p, n, 0), -ENOBUFS);
	end(&p);
}

Test(jitter, bears_any_input)
{
	struct play p = begin();

	srand(7);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned n = (unsigned)rand();
		int r;

		p.now_us += rand() % 30000;
		r = rand() % 8 == 0
			    ? put_at(&p, n, (uint32_t)rand() * 3, p.now_us)
			    : put_at(&p, i, i * FRAME + (uint32_t)(rand() % 4000), p.now_us);
		if (r == -ENOBUFS)
			tl_jitter_reset(p.jb, rand() % 2 ? 8000 : 48000, &pool);
		if (rand() % 16 == 0)
			tl_jitter_pass(p.jb, (uint16_t)(i + 1));
		take(&p);
	}
	cr_expect_gt(p.packets, 1000);
	end(&p);
}
