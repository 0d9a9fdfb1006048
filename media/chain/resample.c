#include "media/chain/resample.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

enum {
	LOBES = 48, /* filter length in samples of the lower rate: pass band to 0.42 of it */
	PHASES_MAX = 640,
	TAPS_MAX = 1024,
	LANES = 16, /* filters are padded to this, so that the compiler makes vectors of it */
	CHUNK = 960,
	UNITY_BITS = 15,
};

struct tl_resampler {
	unsigned in_hz;
	unsigned up, down;                /* out rate : in rate, in lowest terms */
	unsigned taps;                    /* of one phase */
	unsigned skip;                    /* inputs still to come before the next output */
	unsigned phase;                   /* of the next output, 0..up-1 */
	int16_t *filters;                 /* up rows of taps, oldest input first */
	int16_t window[TAPS_MAX + CHUNK]; /* the last taps - 1 inputs, then new ones */
};

static unsigned common_divisor(unsigned a, unsigned b)
{
	return b ? common_divisor(b, a % b) : a;
}

/* Modified Bessel function of order 0, for the Kaiser window. */
static double bessel_0(double x)
{
	double sum = 1, term = 1;

	for (int k = 1; k < 32; k++) {
		term *= (x / (2 * k)) * (x / (2 * k));
		sum += term;
	}
	return sum;
}

/* at: distance from the filter's middle in input samples. */
static double low_pass(double at, double half_length, double cutoff)
{
	const double beta = 6; /* stop band 60 dB down */
	double x = at / half_length;
	double sinc = at == 0 ? 1 : sin(2 * G_PI * cutoff * at) / (2 * G_PI * cutoff * at);

	if (fabs(x) >= 1)
		return 0;
	return 2 * cutoff * sinc * bessel_0(beta * sqrt(1 - x * x)) / bessel_0(beta);
}

static void design_phase(struct tl_resampler *rs, unsigned phase)
{
	/* In input samples; 0.46: the slope ends just above half the lower rate. */
	double cutoff = 0.46 * MIN(1.0, (double)rs->up / rs->down);
	double half = rs->taps / 2.0;
	double taps[TAPS_MAX], sum = 0;

	for (unsigned i = 0; i < rs->taps; i++) {
		double at = (double)i - (half - 1) - (double)phase / rs->up;

		taps[i] = low_pass(at, half, cutoff);
		sum += taps[i];
	}
	/* Each phase passes DC alike, or a steady level would hum. */
	for (unsigned i = 0; i < rs->taps; i++)
		rs->filters[phase * rs->taps + i] =
			(int16_t)CLAMP(lrint(taps[i] / sum * (1 << UNITY_BITS)), -32768, 32767);
}

int tl_resampler_new(unsigned in_hz, unsigned out_hz, struct tl_resampler **ret_resampler)
{
	struct tl_resampler *rs;
	unsigned divisor, up, down, taps, offset;

	if (in_hz == 0 || out_hz == 0)
		return -ENOTSUP;
	divisor = common_divisor(in_hz, out_hz);
	up = out_hz / divisor;
	down = in_hz / divisor;
	taps = LOBES * MAX(1, (down + up - 1) / up);
	taps = (taps + LANES - 1) / LANES * LANES;
	if (up > PHASES_MAX || taps > TAPS_MAX)
		return -ENOTSUP;

	rs = g_new0(struct tl_resampler, 1);
	rs->in_hz = in_hz;
	rs->up = up;
	rs->down = down;
	rs->taps = taps;
	/* The filter's middle is taps / 2 inputs back. Started so far into the first input, outputs
	 * are late by a whole number of them. */
	offset = taps / 2 * up % down;
	rs->skip = 1 + offset / up;
	rs->phase = offset % up;
	rs->filters = g_new0(int16_t, (size_t)up * taps);
	for (unsigned phase = 0; phase < up; phase++)
		design_phase(rs, phase);
	*ret_resampler = rs;
	return 0;
}

void tl_resampler_free(struct tl_resampler *rs)
{
	if (!rs)
		return;
	g_free(rs->filters);
	g_free(rs);
}

unsigned tl_resampler_in_hz(const struct tl_resampler *rs)
{
	return rs->in_hz;
}

size_t tl_resampler_bound(const struct tl_resampler *rs, size_t n)
{
	return n * rs->up / rs->down + 2;
}

static int16_t dot(const int16_t *a, const int16_t *b, unsigned n)
{
	int32_t lanes[LANES] = { 0 };
	int64_t sum = 1 << (UNITY_BITS - 1);

	for (unsigned i = 0; i < n; i += LANES)
		for (unsigned lane = 0; lane < LANES; lane++)
			lanes[lane] += a[i + lane] * b[i + lane] >> 2;
	for (unsigned lane = 0; lane < LANES; lane++)
		sum += (int64_t)lanes[lane] * 4;
	sum >>= UNITY_BITS;
	return (int16_t)CLAMP(sum, INT16_MIN, INT16_MAX);
}

static size_t run_chunk(struct tl_resampler *rs, const int16_t *in, size_t n, int16_t *out)
{
	size_t kept = rs->taps - 1, end = kept + n, done = 0;
	size_t next = kept - 1 + rs->skip; /* newest input that the next output looks at */

	memcpy(rs->window + kept, in, n * sizeof *in);
	while (next < end) {
		out[done++] =
			dot(rs->window + next - kept, rs->filters + rs->phase * rs->taps, rs->taps);
		rs->phase += rs->down;
		next += rs->phase / rs->up;
		rs->phase %= rs->up;
	}
	rs->skip = next - (end - 1);
	memmove(rs->window, rs->window + n, kept * sizeof *in);
	return done;
}

size_t tl_resampler_run(struct tl_resampler *rs, const int16_t *in, size_t n, int16_t *out)
{
	size_t done = 0;

	while (n > 0) {
		size_t some = MIN(n, (size_t)CHUNK);

		done += run_chunk(rs, in, some, out + done);
		in += some;
		n -= some;
	}
	return done;
}

int16_t *tl_resample_all(const int16_t *in, size_t n, unsigned in_hz, unsigned out_hz,
			 size_t *ret_n)
{
	static const int16_t silence[TAPS_MAX];
	struct tl_resampler *rs;
	size_t late, want, got;
	int16_t *out;

	if (tl_resampler_new(in_hz, out_hz, &rs) < 0)
		return NULL;
	want = n * out_hz / in_hz;
	late = (size_t)rs->taps / 2 * rs->up / rs->down;
	out = g_new(int16_t, tl_resampler_bound(rs, n + rs->taps) + late + 2);
	got = tl_resampler_run(rs, in, n, out);
	got += tl_resampler_run(rs, silence, rs->taps, out + got);
	got = MIN(got - MIN(got, late), want);
	memmove(out, out + late, got * sizeof *out);
	tl_resampler_free(rs);
	*ret_n = got;
	return out;
}
