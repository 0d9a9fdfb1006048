#include <criterion/criterion.h>

#include "media/rtp/emodel.h"

/* Against values that G.107, G.113 and their calculators give. */
Test(emodel, known_scores)
{
	static const struct {
		const char *codec;
		unsigned lost, expected, delay_ms, mos, within;
	} rows[] = {
		{ "PCMA", 0, 1000, 0, 441, 2 },       { "PCMA", 0, 1000, 150, 434, 4 },
		{ "PCMA", 0, 1000, 400, 320, 40 },    { "PCMA", 20, 1000, 50, 417, 10 },
		{ "PCMA", 100, 1000, 50, 335, 2 },    { "G729", 0, 1000, 50, 410, 8 },
		{ "G729", 50, 1000, 50, 318, 25 },    { "PCMU", 1000, 1000, 50, 100, 20 },
		{ "PCMU", 5000, 1000, 5000, 100, 0 },
	};

	cr_assert_eq(tl_codec_init(), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned mos = tl_emodel_mos(tl_codec_by_name(rows[i].codec), rows[i].lost,
					     rows[i].expected, rows[i].delay_ms);

		cr_expect(mos + rows[i].within >= rows[i].mos &&
				  mos <= rows[i].mos + rows[i].within,
			  "row %zu: %u", i, mos);
	}
	cr_expect_eq(tl_emodel_mos(NULL, 0, 0, 0), 0, "nothing was said");
}

Test(emodel, never_better_with_more_loss_or_delay)
{
	unsigned before = 500;

	cr_assert_eq(tl_codec_init(), 0);
	for (unsigned lost = 0; lost <= 100; lost++) {
		unsigned mos = tl_emodel_mos(tl_codec_by_name("opus"), lost, 100, lost * 10);

		cr_expect_leq(mos, before);
		before = mos;
	}
}
