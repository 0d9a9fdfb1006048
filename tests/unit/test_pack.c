#include <criterion/criterion.h>
#include <errno.h>

#include "media/rtp/pack.h"

enum { CLOCK = 8000, FRAME = 160, FRAME_US = 20000, SSRC = 77 };

static struct tl_pack fresh(void)
{
	struct tl_pack pack;

	tl_pack_init(&pack, SSRC, 1000, 50000);
	return pack;
}

static struct tl_rtp relay(struct tl_pack *pack, uint32_t ssrc, uint16_t seq, uint32_t ts,
			   int64_t now_us)
{
	const struct tl_rtp in = { .ssrc = ssrc, .seq = seq, .ts = ts };
	struct tl_rtp out = { 0 };

	cr_assert_eq(tl_pack_relay(pack, &in, true, FRAME, CLOCK, now_us, &out), 0);
	cr_expect_eq(out.ssrc, SSRC);
	return out;
}

static struct tl_rtp own(struct tl_pack *pack, enum tl_feeder feeder, int64_t now_us)
{
	struct tl_rtp out = { 0 };

	tl_pack_own(pack, feeder, FRAME, CLOCK, now_us, &out);
	cr_expect_eq(out.ssrc, SSRC);
	return out;
}

Test(pack, keeps_order_and_losses_of_a_relayed_stream)
{
	static const uint16_t in[] = { 65534, 65535, 1, 0, 2, 5 };
	struct tl_pack pack = fresh();

	for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
		uint16_t step = (uint16_t)(in[i] - 65534);
		struct tl_rtp out = relay(&pack, 1, in[i], 9000u + step * FRAME, step * FRAME_US);

		cr_expect_eq(out.seq, 1001 + step);
		cr_expect_eq(out.ts, 50000u + step * FRAME);
		cr_expect_eq(out.marker, i == 0);
	}
}

Test(pack, joins_another_source_without_a_seam)
{
	struct tl_pack pack = fresh();
	struct tl_rtp first = relay(&pack, 1, 10, 1000, 0), second, third;

	/* Another SSRC, half a second later, with numbers of its own. */
	second = relay(&pack, 2, 40000, 999999, 500000);
	cr_expect_eq(second.seq, first.seq + 1);
	cr_expect_eq(second.ts, first.ts + CLOCK / 2);
	cr_expect(second.marker);
	/* The same SSRC, but its sender began anew. */
	third = relay(&pack, 2, 7, 5, 520000);
	cr_expect_eq(third.seq, second.seq + 1);
	cr_expect_eq(third.ts, second.ts + FRAME);
	/* And a timestamp that leaps while the sequence does not. */
	cr_expect_eq(relay(&pack, 2, 8, 4000000000u, 540000).ts, third.ts + FRAME);
}

Test(pack, never_steps_back_within_what_was_sent)
{
	struct tl_pack pack = fresh();
	struct tl_rtp first = relay(&pack, 1, 10, 1000, 0);

	cr_expect_eq(relay(&pack, 2, 99, 0, 1000).ts, first.ts + FRAME, "after 1 ms only");
}

Test(pack, drops_what_came_before_the_switch)
{
	const struct tl_rtp old = { .ssrc = 1, .seq = 9, .ts = 840 };
	struct tl_pack pack = fresh();
	struct tl_rtp out = { 0 };

	own(&pack, TL_FEEDER_PLAYER, 0);
	relay(&pack, 1, 10, 1000, FRAME_US);
	cr_expect_eq(tl_pack_relay(&pack, &old, true, FRAME, CLOCK, FRAME_US, &out), -ESTALE,
		     "its number was used by the announcement");
}

Test(pack, hides_packets_that_were_withheld)
{
	struct tl_pack pack = fresh();
	struct tl_rtp before = relay(&pack, 1, 10, 1000, 0), after;

	for (uint16_t seq = 11; seq < 60; seq++)
		tl_pack_skip(&pack, &(struct tl_rtp) { .ssrc = 1, .seq = seq });
	after = relay(&pack, 1, 60, 1000 + 50 * FRAME, 50 * FRAME_US);
	cr_expect_eq(after.seq, before.seq + 1);
	cr_expect_eq(after.ts, before.ts + 50 * FRAME);
}

Test(pack, shows_a_real_loss_beside_a_withheld_packet)
{
	struct tl_pack pack = fresh();
	struct tl_rtp before = relay(&pack, 1, 10, 1000, 0);

	/* 11 is lost, 12 withheld. */
	tl_pack_skip(&pack, &(struct tl_rtp) { .ssrc = 1, .seq = 12 });
	cr_expect_eq(relay(&pack, 1, 13, 1000 + 3 * FRAME, 3 * FRAME_US).seq, before.seq + 2);
}

Test(pack, numbers_its_own_packets_in_a_row)
{
	struct tl_pack pack = fresh();
	struct tl_rtp before = own(&pack, TL_FEEDER_CHAIN, 0);

	cr_expect(before.marker);
	for (int i = 1; i < 10; i++) {
		/* The tick is uneven, the stream is not. */
		struct tl_rtp out = own(&pack, TL_FEEDER_CHAIN, i * FRAME_US + i % 3 * 4000);

		cr_expect_eq(out.seq, before.seq + i);
		cr_expect_eq(out.ts, before.ts + (uint32_t)i * FRAME);
		cr_expect_not(out.marker);
	}
}

Test(pack, marks_a_talk_spurt_and_moves_time_on)
{
	struct tl_pack pack = fresh();
	struct tl_rtp before = own(&pack, TL_FEEDER_CHAIN, 0), after;

	tl_pack_pause(&pack);
	after = own(&pack, TL_FEEDER_CHAIN, 3000000);
	cr_expect(after.marker);
	cr_expect_eq(after.seq, before.seq + 1);
	cr_expect_eq(after.ts, before.ts + 3 * CLOCK);
}

Test(pack, changes_feeders_in_one_stream)
{
	struct tl_pack pack = fresh();
	struct tl_rtp last = relay(&pack, 1, 10, 1000, 0);
	int64_t now_us = 0;

	for (int i = 0; i < 12; i++) {
		struct tl_rtp out;

		now_us += FRAME_US;
		if (i % 4 == 0)
			out = own(&pack, TL_FEEDER_PLAYER, now_us);
		else if (i % 4 == 1)
			out = own(&pack, TL_FEEDER_CHAIN, now_us);
		else
			out = relay(&pack, 1, (uint16_t)(11 + i), 1000u + (unsigned)(i + 1) * FRAME,
				    now_us);
		cr_expect_eq(out.seq, last.seq + 1);
		cr_expect_eq(out.ts, last.ts + FRAME);
		last = out;
	}
}

Test(pack, slips_digits_in_beside_relayed_audio)
{
	struct tl_pack pack = fresh();
	struct tl_rtp before = relay(&pack, 1, 10, 1000, 0), digit = { 0 };

	tl_pack_insert(&pack, &digit);
	cr_expect_eq(digit.seq, before.seq + 1);
	cr_expect_eq(tl_pack_clock(&pack, CLOCK, FRAME_US), before.ts + FRAME);
	cr_expect_eq(relay(&pack, 1, 11, 1000 + FRAME, FRAME_US).seq, before.seq + 2);
}

Test(pack, maps_events_without_losing_the_time)
{
	struct tl_pack pack = fresh();
	struct tl_rtp before = relay(&pack, 1, 10, 1000, 0), out = { 0 };

	for (uint16_t i = 0; i < 10; i++) {
		const struct tl_rtp in = { .ssrc = 1,
					   .seq = (uint16_t)(11 + i),
					   .ts = 1000 + FRAME };

		cr_assert_eq(tl_pack_relay(&pack, &in, false, 0, CLOCK, (i + 1) * FRAME_US, &out),
			     0);
		cr_expect_eq(out.ts, before.ts + FRAME);
		cr_expect_eq(out.seq, before.seq + 1 + i);
	}
	cr_expect_eq(own(&pack, TL_FEEDER_PLAYER, 11 * FRAME_US).ts, before.ts + 11 * FRAME);
}

Test(pack, follows_a_new_clock)
{
	struct tl_pack pack = fresh();
	struct tl_rtp before = relay(&pack, 1, 10, 1000, 0), out = { 0 };

	tl_pack_own(&pack, TL_FEEDER_CHAIN, 960, 48000, FRAME_US, &out);
	cr_expect_eq(out.ts, before.ts + 960);
}

/* Two telephones of one kind may begin with the same SSRC and the same numbers. */
Test(pack, goes_on_behind_what_was_sent_when_another_counts_alike)
{
	struct tl_pack pack = fresh();
	struct tl_rtp last, next;

	for (int i = 0; i < 20; i++)
		last = relay(&pack, 1, (uint16_t)(1000 + i), 5000u + (unsigned)i * FRAME,
			     i * FRAME_US);
	tl_pack_part(&pack);
	next = relay(&pack, 1, 1000, 5000, 20 * FRAME_US);
	cr_expect_eq(next.seq, last.seq + 1);
	cr_expect_eq(next.ts, last.ts + FRAME);
	cr_expect(next.marker);
}
