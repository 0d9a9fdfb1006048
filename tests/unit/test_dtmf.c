#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "media/rtp/dtmf.h"

enum { CLOCK = 8000, STEP_US = 20000 };

Test(dtmf, knows_digits_and_events)
{
	static const char digits[] = "0123456789*#ABCD";

	for (uint8_t event = 0; event < TL_EVENT_DIGITS; event++) {
		cr_expect_eq(tl_dtmf_digit(event), digits[event]);
		cr_expect_eq(tl_dtmf_event(digits[event]), event);
	}
	cr_expect_eq(tl_dtmf_event('c'), 14);
	cr_expect_eq(tl_dtmf_digit(16), '\0', "flash");
	cr_expect_eq(tl_dtmf_event('E'), -EINVAL);
	cr_expect_eq(tl_dtmf_event('\0'), -EINVAL);
}

Test(dtmf, reads_and_writes_a_payload)
{
	const struct tl_event event = { 11, true, 10, 0x1234 };
	uint8_t bytes[TL_EVENT_BYTES];
	struct tl_event back;

	tl_event_write(bytes, &event);
	cr_expect_arr_eq(bytes, ((uint8_t[]) { 11, 0x8a, 0x12, 0x34 }), sizeof bytes);
	cr_assert_eq(tl_event_parse(bytes, sizeof bytes, &back), 0);
	cr_expect(back.end);
	cr_expect_eq(back.duration, 0x1234);
	cr_expect_eq(tl_event_parse(bytes, 3, &back), -EBADMSG);
}

/* One packet: which event, at what timestamp, how long, its end, after how many 20 ms. */
struct packet {
	uint8_t event;
	uint32_t ts;
	uint16_t duration;
	bool end;
	int at;
};

static void expect_digits(const char *why, const struct packet *packets, size_t n, const char *want)
{
	struct tl_dtmf_rx rx = { 0 };
	struct tl_dtmf_report report;
	char told[32] = "";
	int64_t now_us = 0;

	for (size_t i = 0; i < n; i++) {
		const struct tl_event event = { packets[i].event, packets[i].end, 10,
						packets[i].duration };
		enum tl_dtmf_news news;
		bool begins;

		for (; now_us < (int64_t)packets[i].at * STEP_US; now_us += STEP_US)
			if (tl_dtmf_expire(&rx, now_us, &report))
				strncat(told, &(char) { tl_dtmf_digit(report.event) }, 1);
		if (tl_dtmf_receive(&rx, &event, packets[i].ts, now_us, &news, &begins, &report))
			strncat(told, &(char) { tl_dtmf_digit(report.event) }, 1);
	}
	if (tl_dtmf_expire(&rx, now_us + 1000000, &report))
		strncat(told, &(char) { tl_dtmf_digit(report.event) }, 1);
	cr_expect_str_eq(told, want, "%s", why);
}

#define CASE(why, want, ...)                                                                       \
	{                                                                                          \
		why, want, { __VA_ARGS__ },                                                        \
			sizeof((struct packet[]) { __VA_ARGS__ }) / sizeof(struct packet)          \
	}

Test(dtmf, tells_each_digit_once)
{
	static const struct {
		const char *why, *want;
		struct packet packets[12];
		size_t n;
	} cases[] = {
		CASE("three ends", "5", { 5, 100, 160, 0, 0 }, { 5, 100, 320, 0, 1 },
		     { 5, 100, 480, 1, 2 }, { 5, 100, 480, 1, 2 }, { 5, 100, 480, 1, 3 }),
		CASE("only an end arrives", "5", { 5, 100, 480, 1, 0 }),
		CASE("the end is lost, another digit follows", "56", { 5, 100, 160, 0, 0 },
		     { 6, 900, 160, 0, 5 }, { 6, 900, 320, 1, 6 }),
		CASE("no end, nothing follows", "5", { 5, 100, 160, 0, 0 }, { 5, 100, 320, 0, 1 }),
		CASE("its end comes after all, late", "5", { 5, 100, 160, 0, 0 },
		     { 5, 100, 480, 1, 50 }),
		CASE("the same digit twice", "55", { 5, 100, 320, 1, 0 }, { 5, 900, 320, 1, 5 }),
		CASE("overtaken packets", "5", { 5, 100, 320, 0, 1 }, { 5, 100, 160, 0, 1 },
		     { 5, 100, 480, 1, 2 }, { 5, 100, 320, 0, 2 }),
		CASE("the last of the digit before", "56", { 5, 100, 320, 1, 0 },
		     { 6, 900, 160, 0, 1 }, { 5, 100, 320, 1, 1 }, { 6, 900, 320, 1, 2 }),
		CASE("two ends, one packet each", "56", { 5, 100, 160, 0, 0 },
		     { 6, 900, 320, 1, 1 }, { 6, 900, 320, 1, 1 }),
		CASE("two ends, the second alone", "56", { 5, 100, 160, 0, 0 },
		     { 6, 900, 320, 1, 1 }),
		CASE("the timestamp wraps", "56", { 5, 0xffffff00, 320, 1, 0 },
		     { 6, 100, 320, 1, 2 }),
		CASE("a new source whose time is before", "56", { 5, 100000, 320, 1, 0 },
		     { 6, 50, 320, 1, 200 }),
		CASE("longer than a segment", "5", { 5, 100, 0xffff, 0, 0 },
		     { 5, 100 + 0xffff, 160, 0, 1 }, { 5, 100 + 0xffff, 320, 1, 2 }),
		CASE("the last packet of a segment is lost", "5", { 5, 100, 0xff00, 0, 0 },
		     { 5, 100 + 0xffff, 160, 0, 1 }, { 5, 100 + 0xffff, 320, 1, 2 }),
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_digits(cases[i].why, cases[i].packets, cases[i].n, cases[i].want);
}

Test(dtmf, says_what_is_to_be_passed_on)
{
	static const struct {
		struct tl_event event;
		uint32_t ts;
		enum tl_dtmf_news news;
		bool begins;
	} steps[] = {
		{ { 1, false, 10, 160 }, 100, TL_DTMF_BEGINS, true },
		{ { 1, false, 10, 320 }, 100, TL_DTMF_GOES_ON, false },
		{ { 1, false, 10, 240 }, 100, TL_DTMF_OLD, false },
		{ { 1, true, 10, 480 }, 100, TL_DTMF_ENDS, false },
		{ { 1, true, 10, 480 }, 100, TL_DTMF_END_REPEATED, false },
		{ { 1, false, 10, 320 }, 100, TL_DTMF_OLD, false },
		{ { 2, true, 10, 480 }, 900, TL_DTMF_ENDS, true },
		{ { 1, true, 10, 480 }, 100, TL_DTMF_OLD, false },
	};
	struct tl_dtmf_rx rx = { 0 };

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct tl_dtmf_report report;
		enum tl_dtmf_news news;
		bool begins;

		tl_dtmf_receive(&rx, &steps[i].event, steps[i].ts, 0, &news, &begins, &report);
		cr_expect_eq(news, steps[i].news, "step %zu", i);
		cr_expect_eq(begins, steps[i].begins, "step %zu", i);
	}
}

Test(dtmf, waits_for_the_repeats_of_an_end)
{
	const struct tl_event going = { 1, false, 10, 160 }, ended = { 1, true, 10, 320 };
	struct tl_dtmf_rx rx = { 0 };
	struct tl_dtmf_report report;
	enum tl_dtmf_news news;
	bool begins;

	cr_expect_not(tl_dtmf_is_coming(&rx, 0));
	tl_dtmf_receive(&rx, &going, 100, 0, &news, &begins, &report);
	cr_expect(tl_dtmf_is_coming(&rx, 100000));
	tl_dtmf_receive(&rx, &ended, 100, 100000, &news, &begins, &report);
	cr_expect(tl_dtmf_is_coming(&rx, 120000));
	tl_dtmf_receive(&rx, &ended, 100, 120000, &news, &begins, &report);
	cr_expect(tl_dtmf_is_coming(&rx, 140000));
	cr_expect_not(tl_dtmf_is_coming(&rx, 146000), "the third is lost");
	tl_dtmf_receive(&rx, &ended, 100, 150000, &news, &begins, &report);
	cr_expect_not(tl_dtmf_is_coming(&rx, 150000), "that was all");
}

/*
 * RFC 4733 2.5.1: one timestamp a digit is the sender's affair; here the
 * durations grow by 20 ms and the end comes three times.
 */
Test(dtmf, sends_a_proper_event)
{
	struct tl_dtmf_packet packet;
	struct tl_dtmf_tx tx = { 0 };
	unsigned packets = 0, ends = 0, before = 0;
	int64_t due_us;

	cr_assert_eq(tl_dtmf_push(&tx, 7, 100), 0);
	for (int64_t now_us = 0; now_us < 1000000; now_us += 10000) {
		while (tl_dtmf_take(&tx, CLOCK, now_us, &packet, &due_us)) {
			cr_expect_eq(packet.event.event, 7);
			cr_expect_eq(packet.first, packets == 0);
			cr_expect_geq(packet.event.duration, before);
			cr_expect(!packet.event.end || packet.event.duration == 800);
			before = packet.event.duration;
			ends += packet.event.end;
			packets++;
			cr_expect_eq(packet.last, ends == TL_EVENT_END_REPEATS);
		}
	}
	cr_expect_eq(ends, TL_EVENT_END_REPEATS);
	cr_expect_eq(packets, 4 + TL_EVENT_END_REPEATS);
	cr_expect_not(tl_dtmf_is_sending(&tx));
	cr_expect_eq(due_us, INT64_MAX);
}

Test(dtmf, sends_a_queue_with_pauses_and_refuses_too_much)
{
	struct tl_dtmf_packet packet;
	struct tl_dtmf_tx tx = { 0 };
	struct tl_dtmf_rx rx = { 0 };
	int64_t due_us, last_end_us = -1000000;
	unsigned told = 0;
	uint32_t ts = 0;

	for (unsigned i = 0; i < TL_DTMF_QUEUE; i++)
		cr_expect_eq(tl_dtmf_push(&tx, i % 10, 1), 0, "made long enough to be heard");
	cr_expect_eq(tl_dtmf_push(&tx, 1, 100), -EAGAIN);
	for (int64_t now_us = 0; tl_dtmf_is_sending(&tx); now_us += 10000) {
		while (tl_dtmf_take(&tx, CLOCK, now_us, &packet, &due_us)) {
			struct tl_dtmf_report report;
			enum tl_dtmf_news news;
			bool begins;

			if (packet.first) {
				cr_expect_geq(now_us - last_end_us, 40000);
				ts = (uint32_t)(now_us / 125);
			}
			if (packet.last)
				last_end_us = now_us;
			if (tl_dtmf_receive(&rx, &packet.event, ts, now_us, &news, &begins,
					    &report))
				cr_expect_eq(report.event, told++ % 10);
		}
	}
	cr_expect_eq(told, TL_DTMF_QUEUE);
}

/* INFO with a shorter duration than has been sent by then: time can't go back. */
Test(dtmf, a_held_digit_lasts_no_less_than_it_has)
{
	struct tl_dtmf_packet packet;
	struct tl_dtmf_tx tx = { 0 };
	int64_t due_us, now_us = 0;
	unsigned lasted = 0, ends = 0;

	cr_assert_eq(tl_dtmf_hold(&tx, 5), 0);
	for (; now_us < 300000; now_us += 10000)
		while (tl_dtmf_take(&tx, CLOCK, now_us, &packet, &due_us))
			lasted = packet.event.duration;
	cr_expect_geq(lasted, 250 * CLOCK / 1000);
	tl_dtmf_release(&tx, 100);
	for (; tl_dtmf_is_sending(&tx); now_us += 10000) {
		while (tl_dtmf_take(&tx, CLOCK, now_us, &packet, &due_us)) {
			cr_expect_geq(packet.event.duration, lasted);
			lasted = packet.event.duration;
			ends += packet.event.end;
		}
		cr_assert_lt(now_us, 1000000, "it ends");
	}
	cr_expect_eq(ends, TL_EVENT_END_REPEATS);
	cr_expect_leq(lasted, 400 * CLOCK / 1000);
}
