#include <criterion/criterion.h>

#include "media/rtp/reception.h"

enum { CLOCK = 8000, FRAME = 160, FRAME_US = 20000 };

static enum tl_reception_verdict note(struct tl_reception *r, uint32_t ssrc, uint16_t seq,
				      int64_t late_us)
{
	const struct tl_rtp rtp = { .ssrc = ssrc, .seq = seq, .ts = (uint32_t)seq * FRAME };

	return tl_reception_note(r, &rtp, CLOCK, true, (int64_t)seq * FRAME_US + late_us);
}

Test(reception, counts_what_is_missing)
{
	static const struct {
		const char *why;
		uint16_t seqs[8];
		size_t n;
		uint64_t lost;
	} cases[] = {
		{ "all there", { 1, 2, 3, 4 }, 4, 0 },
		{ "one missing", { 1, 2, 4, 5 }, 4, 1 },
		{ "late is not lost", { 1, 3, 2, 4 }, 4, 0 },
		{ "wrap", { 65534, 65535, 0, 1 }, 4, 0 },
		{ "loss at the wrap", { 65534, 65535, 1, 2 }, 4, 1 },
		{ "duplicates don't make it negative", { 1, 1, 1, 2 }, 4, 0 },
		{ "a stray far off", { 1, 2, 30000, 3, 4 }, 5, 0 },
		{ "a restart is another source", { 1, 3, 30000, 30001, 30002 }, 5, 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tl_reception r = { 0 };

		for (size_t k = 0; k < cases[i].n; k++)
			note(&r, 1, cases[i].seqs[k], 0);
		cr_expect_eq(tl_reception_lost(&r), cases[i].lost, "%s", cases[i].why);
	}
}

Test(reception, tells_a_new_source)
{
	struct tl_reception r = { 0 };

	cr_expect_eq(note(&r, 1, 10, 0), TL_RECEPTION_NEW_SOURCE);
	cr_expect_eq(note(&r, 1, 12, 0), TL_RECEPTION_NORMAL);
	cr_expect_eq(note(&r, 2, 500, 0), TL_RECEPTION_NEW_SOURCE);
	cr_expect_eq(note(&r, 2, 40000, 0), TL_RECEPTION_JUMPED);
	cr_expect_eq(note(&r, 2, 40001, 0), TL_RECEPTION_NEW_SOURCE, "two in a row");
	cr_expect_eq(tl_reception_lost(&r), 1, "of the first source, kept");
}

Test(reception, measures_jitter)
{
	struct tl_reception r = { 0 };

	for (uint16_t i = 0; i < 200; i++)
		note(&r, 1, i, 0);
	cr_expect_eq(tl_reception_jitter_us(&r), 0);
	/* Each second packet 10 ms late: differences of 10 ms each time. */
	for (uint16_t i = 200; i < 600; i++)
		note(&r, 1, i, i % 2 ? 10000 : 0);
	cr_expect_geq(tl_reception_jitter_us(&r), 9000);
	cr_expect_leq(tl_reception_jitter_us(&r), 10500);
}

Test(reception, reports_since_the_last_report)
{
	struct tl_reception_report report;
	struct tl_reception r = { 0 };

	for (uint16_t i = 0; i < 100; i++)
		if (i % 4 != 1)
			note(&r, 1, i, 0);
	tl_reception_report(&r, &report);
	cr_expect_eq(report.cumulative_lost, 25);
	cr_expect_eq(report.fraction_lost, 64, "a quarter");
	cr_expect_eq(report.highest_seq, 99);
	for (uint16_t i = 100; i < 200; i++)
		note(&r, 1, i, 0);
	tl_reception_report(&r, &report);
	cr_expect_eq(report.cumulative_lost, 25);
	cr_expect_eq(report.fraction_lost, 0);
}

/* RFC 3550 6.4.1: 24 bits, signed. */
Test(reception, a_report_counts_no_further_than_its_24_bits)
{
	struct tl_reception_report report;
	struct tl_reception r = { 0 };

	for (unsigned i = 0; i < 3000; i++)
		note(&r, 1, (uint16_t)(i * 2900), 0);
	tl_reception_report(&r, &report);
	cr_expect_eq(report.cumulative_lost, 0x7fffff);
	r.received += 2 * 0x7fffff + 0x100000; /* as many came twice */
	tl_reception_report(&r, &report);
	cr_expect_eq(report.cumulative_lost, -0x800000);
	cr_expect_eq(report.fraction_lost, 0);
}
