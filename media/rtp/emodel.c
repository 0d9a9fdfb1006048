#include "media/rtp/emodel.h"

#include <math.h>

/* G.107: all that is there without codec, loss and delay: Ro - Is with default values. */
static const double RATING = 93.2, RATING_MAX = 100;

/* G.107 3.5 has a long form; this is the usual straight one, within 1 of it up to 400 ms. */
static double delay_impairment(unsigned delay_ms)
{
	double d = delay_ms;

	return 0.024 * d + (d > 177.3 ? 0.11 * (d - 177.3) : 0);
}

/* G.107 7-29, for random loss. */
static double equipment_impairment(const struct tl_codec *codec, double percent_lost)
{
	double ie = codec ? codec->impairment : 0;
	double bpl = codec && codec->loss_robustness ? codec->loss_robustness : 25;

	return ie + (95 - ie) * percent_lost / (percent_lost + bpl);
}

double tl_emodel_rating(const struct tl_codec *codec, uint64_t lost, uint64_t expected,
			unsigned delay_ms)
{
	double percent = lost < expected ? 100.0 * (double)lost / (double)expected : 100;
	double r = RATING - delay_impairment(delay_ms) - equipment_impairment(codec, percent);

	return fmin(fmax(r, 0), RATING_MAX);
}

unsigned tl_emodel_mos(const struct tl_codec *codec, uint64_t lost, uint64_t expected,
		       unsigned delay_ms)
{
	double r, mos;

	if (expected == 0)
		return 0;
	r = tl_emodel_rating(codec, lost, expected, delay_ms);
	mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6; /* G.107 B-4 */
	return (unsigned)lround(fmax(mos, 1) * 100);
}
