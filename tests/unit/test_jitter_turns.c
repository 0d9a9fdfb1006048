/* What comes seldom: absences, restarts, packets that come when their time has been filled. */
#include "../support/jitter_play.h"

/* Number and time go far back, or far ahead, at once: the second packet in a row tells. */
Test(jitter_turns, a_sender_begins_anew_behind_or_ahead)
{
	static const int leaps[] = { -20000, -100, 100, 20000 };

	for (size_t i = 0; i < sizeof leaps / sizeof *leaps; i++) {
		struct play p = begin();
		int refusals = 0;

		stream(&p, 0, 50, NULL);
		p.seq_offset = (uint16_t)leaps[i];
		p.ts_offset = 123456789;
		for (unsigned n = 50; n < 100; n++) {
			int64_t at_us = (int64_t)n * FRAME_US;
			int r;

			run_until(&p, at_us);
			r = put(&p, n, at_us);
			if (r == -ENOBUFS) {
				tl_jitter_reset(p.jb, CLOCK, &pool);
				r = put(&p, n, at_us);
			}
			refusals += r < 0;
		}
		run_until(&p, 100 * FRAME_US + MIN_MS * 1000);
		cr_expect_leq(refusals, 1, "by %d: %d", leaps[i], refusals);
		cr_expect_geq(p.packets, 95, "by %d: %u", leaps[i], p.packets);
		end(&p);
	}
}

/* A clock that leaps back by minutes is another one: nothing of it is late. */
Test(jitter_turns, nothing_is_refused_for_a_leap_of_time)
{
	struct play p = begin();

	stream(&p, 0, 50, NULL);
	p.ts_offset = (uint32_t)-1000000;
	stream(&p, 50, 100, NULL);
	cr_expect_eq(p.refused, 0, "%u", p.refused);
	end(&p);
}

/* Whoever takes was away: what came meanwhile is not played all at once. */
Test(jitter_turns, an_absence_is_not_made_up_for)
{
	struct play p = begin();
	unsigned before;

	stream(&p, 0, 50, NULL);
	for (unsigned n = 50; n < 80; n++)
		put(&p, n, (int64_t)n * FRAME_US);
	p.now_us = 80 * FRAME_US;
	before = p.packets + p.surplus;
	take(&p);
	cr_expect_leq(p.packets + p.surplus - before, 3, "%u", p.packets + p.surplus - before);
	end(&p);
}

/* Its hole has been filled, and the one after it waits for its turn. */
Test(jitter_turns, what_comes_after_its_hole_is_too_late)
{
	struct play p = begin();

	stream(&p, 0, 10, NULL);
	put(&p, 11, 10 * FRAME_US);
	put(&p, 12, 10 * FRAME_US);
	while (p.holes == 0) {
		take(&p);
		p.now_us += 1000;
	}
	cr_expect_eq(put(&p, 10, p.now_us), -ETIME);
	run_until(&p, 20 * FRAME_US);
	cr_expect_eq(p.packets, 12);
	cr_expect_eq(p.holes, 1);
	end(&p);
}

Test(jitter_turns, announced_silence_lasts)
{
	struct play p = begin();

	stream(&p, 0, 10, NULL);
	tl_jitter_expect_silence(p.jb, true);
	run_until(&p, 3000000);
	cr_expect_geq(p.silence_units, 2 * CLOCK, "%ld", (long)p.silence_units);
	tl_jitter_expect_silence(p.jb, false);
	p.silence_units = 0;
	run_until(&p, 6000000);
	cr_expect_eq(p.silence_units, 0, "a second of it has passed");
	end(&p);
}

Test(jitter_turns, who_sends_no_copies_any_more_is_waited_for_no_longer)
{
	const struct tl_jitter_cfg cfg = { CLOCK, 20, 15, MAX_MS };
	struct play p = { .jb = tl_jitter_new(&cfg) };

	tl_jitter_expect_copies(p.jb, true);
	stream(&p, 0, 10, NULL);
	put(&p, 11, 11 * FRAME_US);
	run_until(&p, 13 * FRAME_US);
	cr_expect_eq(tl_jitter_target_ms(p.jb), 30);
	tl_jitter_expect_copies(p.jb, false);
	cr_expect_eq(tl_jitter_target_ms(p.jb), 15);
	end(&p);
}

static int64_t long_way(unsigned n)
{
	return 100000;
}

/* The path becomes shorter by 0.1 s in a pause: that is made shorter by as much, and nothing of
 * what is said after it is cut out, or comes late. */
Test(jitter_turns, a_pause_corrects_the_delay)
{
	struct play p = begin();
	int64_t at_us = 80 * FRAME_US;

	stream(&p, 0, 50, long_way);
	run_until(&p, at_us);
	put_at(&p, 50, 80 * FRAME, at_us);
	run_until(&p, at_us + 10 * FRAME_US);
	cr_expect_eq(p.packets, 51);
	cr_expect_leq(p.delay_us, MIN_MS * 1000 + 2 * TICK_US, "%ld", (long)p.delay_us);
	cr_expect_eq(p.surplus + p.refused, 0);
	end(&p);
}
