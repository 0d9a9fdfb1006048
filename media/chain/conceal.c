#include "media/chain/conceal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "media/fetch.h"

/* In units of 1/8000 s, so that one set serves every rate. */
enum {
	LAG_MIN = 20,  /* 400 Hz */
	LAG_MAX = 120, /* 66 Hz */
	SPAN = 160,    /* of the newest audio is held against the older */
	HISTORY = SPAN + LAG_MAX,
	ROOM = HISTORY + 480, /* three packets come before it is moved to the front again */
	OFFSET = 8,           /* a jump at the beginning of a hole is spread over so much */
	OVERLAP = 40,         /* of what comes after a hole is blended with what was made up */
	FULL = 80,            /* made-up audio keeps its level for so long */
	GONE = 480,           /* and is silent from here on: 60 ms */
	UNIT_HZ = 8000,
};

/*
 *            span           hole
 *   ... ~~~~/\~~~~/\~~~~/\ | /\~~~~ /\~~~~ ... | (blended) next packet
 *              |<- lag ->|   repeated, fading
 */
struct tl_conceal {
	size_t scale;     /* samples a unit: rate / 8000, at least 1 */
	size_t lag;       /* of the pitch, samples */
	size_t at;        /* in cycle, next to be heard */
	size_t made;      /* samples of this hole so far; 0: no hole */
	float offset;     /* how far the made-up audio jumps where it begins */
	int16_t *history; /* the newest audio, oldest first: HISTORY up to end */
	size_t end;
	int16_t *cycle; /* one period, made so that its end leads into its beginning */
};

struct tl_conceal *tl_conceal_new(unsigned rate_hz)
{
	struct tl_conceal *conceal = g_new0(struct tl_conceal, 1);

	conceal->scale = MAX(rate_hz / UNIT_HZ, 1u);
	conceal->history = g_new0(int16_t, ROOM * conceal->scale);
	conceal->end = HISTORY * conceal->scale;
	conceal->cycle = g_new0(int16_t, LAG_MAX * conceal->scale);
	return conceal;
}

void tl_conceal_free(struct tl_conceal *conceal)
{
	if (!conceal)
		return;
	g_free(conceal->history);
	g_free(conceal->cycle);
	g_free(conceal);
}

/* The end of what was heard. */
static const int16_t *newest(const struct tl_conceal *conceal)
{
	return conceal->history + conceal->end;
}

static void append(struct tl_conceal *conceal, const int16_t *pcm, size_t samples)
{
	size_t size = HISTORY * conceal->scale, n = MIN(samples, size);

	if (conceal->end + n > ROOM * conceal->scale) {
		memmove(conceal->history, newest(conceal) - (size - n), (size - n) * sizeof *pcm);
		conceal->end = size - n;
	}
	memcpy(conceal->history + conceal->end, pcm + samples - n, n * sizeof *pcm);
	conceal->end += n;
}

void tl_conceal_fetch(const struct tl_conceal *conceal)
{
	tl_fetch(conceal, sizeof *conceal);
	tl_fetch(newest(conceal), SPAN * conceal->scale * sizeof *conceal->history);
}

/* How alike the newest span is to what was heard lag samples earlier: normalized correlation. */
static float likeness(const struct tl_conceal *conceal, size_t lag)
{
	const int16_t *now = newest(conceal) - SPAN * conceal->scale;
	float together = 0, energy = 1;

	for (size_t i = 0; i < SPAN * conceal->scale; i += conceal->scale) {
		float then = now[(ptrdiff_t)i - (ptrdiff_t)lag];

		together += now[i] * then;
		energy += then * then;
	}
	return together / sqrtf(energy);
}

/* The history in units of 1/8000 s, and in 12 bits: a span's products add up in 32, which the
 * compiler makes vectors of. */
static void simplify(const struct tl_conceal *conceal, int16_t *units)
{
	const int16_t *oldest = newest(conceal) - HISTORY * conceal->scale;
	unsigned loudest = 0, shift = 0;

	for (size_t i = 0; i < HISTORY; i++) {
		units[i] = oldest[i * conceal->scale];
		loudest |= (unsigned)abs(units[i]);
	}
	while (loudest >> shift > 2047)
		shift++;
	for (size_t i = 0; i < HISTORY; i++)
		units[i] = (int16_t)(units[i] >> shift);
}

static int32_t span_product(const int16_t *a, const int16_t *b)
{
	int32_t sum = 0;

	for (int i = 0; i < SPAN; i++)
		sum += a[i] * b[i];
	return sum;
}

/* In units. Of two lags that are alike the shorter is the pitch, the longer a multiple of it, which
 * serves as well; so the best is taken as it is. */
static size_t coarse_lag(const struct tl_conceal *conceal)
{
	int16_t units[HISTORY];
	const int16_t *now = units + HISTORY - SPAN, *then = now - LAG_MIN;
	int32_t energy;
	size_t best = LAG_MIN;
	float most = -INFINITY;

	simplify(conceal, units);
	energy = span_product(then, then);
	for (size_t lag = LAG_MIN;; lag++) {
		float alike = (float)span_product(now, then) / sqrtf((float)energy + 1);

		if (alike > most) {
			most = alike;
			best = lag;
		}
		if (lag == LAG_MAX)
			return best;
		then--;
		energy += then[0] * then[0] - then[SPAN] * then[SPAN];
	}
}

static size_t find_lag(const struct tl_conceal *conceal)
{
	size_t scale = conceal->scale, low = LAG_MIN * scale, high = LAG_MAX * scale;
	size_t coarse = coarse_lag(conceal) * scale, best = coarse;
	float most = -INFINITY;

	if (scale == 1)
		return coarse;
	for (size_t lag = MAX(coarse - scale, low); lag <= MIN(coarse + scale, high); lag++) {
		float alike = likeness(conceal, lag);

		if (alike > most) {
			most = alike;
			best = lag;
		}
	}
	return best;
}

/* The last quarter of the period turns into that of the period before, which is what stood in front
 * of this one's beginning. */
static void make_cycle(struct tl_conceal *conceal)
{
	const int16_t *last = newest(conceal) - conceal->lag;
	const int16_t *before = last - conceal->lag;
	size_t lag = conceal->lag, quarter = lag / 4;

	memcpy(conceal->cycle, last, lag * sizeof *last);
	for (size_t i = lag - quarter; i < lag; i++) {
		float turn = (float)(i - (lag - quarter) + 1) / (float)(quarter + 1);

		conceal->cycle[i] = (int16_t)((1 - turn) * last[i] + turn * before[i]);
	}
}

static void begin_hole(struct tl_conceal *conceal)
{
	const int16_t *end = newest(conceal);

	conceal->lag = find_lag(conceal);
	make_cycle(conceal);
	conceal->at = 0;
	/* What would have come before the cycle's beginning, against what did. */
	conceal->offset = (float)end[-1] - end[-1 - (ptrdiff_t)conceal->lag];
}

/* The next sample that is made up, without its fading. */
static float next_sample(struct tl_conceal *conceal)
{
	size_t spread = OFFSET * conceal->scale;
	float sample = conceal->cycle[conceal->at];

	if (conceal->made < spread)
		sample += conceal->offset * (float)(spread - conceal->made) / (float)spread;
	conceal->at = conceal->at + 1 == conceal->lag ? 0 : conceal->at + 1;
	return sample;
}

static float level(const struct tl_conceal *conceal)
{
	size_t full = FULL * conceal->scale, gone = GONE * conceal->scale;

	if (conceal->made < full)
		return 1;
	if (conceal->made >= gone)
		return 0;
	return (float)(gone - conceal->made) / (float)(gone - full);
}

void tl_conceal_fill(struct tl_conceal *conceal, int16_t *pcm, size_t samples)
{
	if (!conceal->made)
		begin_hole(conceal);
	for (size_t i = 0; i < samples; i++) {
		float sample = next_sample(conceal) * level(conceal);

		pcm[i] = (int16_t)CLAMP(sample, INT16_MIN, INT16_MAX);
		conceal->made++;
	}
	append(conceal, pcm, samples);
}

void tl_conceal_cut(struct tl_conceal *conceal)
{
	if (conceal->made)
		return;
	begin_hole(conceal);
	conceal->made = 1;
}

TL_HOT(chain) void tl_conceal_heard(struct tl_conceal *conceal, int16_t *pcm, size_t samples)
{
	size_t overlap = MIN(OVERLAP * conceal->scale, samples);

	if (conceal->made) {
		float kept = level(conceal);

		for (size_t i = 0; i < overlap; i++) {
			float turn = (float)(i + 1) / (float)(overlap + 1);
			float sample = (1 - turn) * kept * next_sample(conceal) + turn * pcm[i];

			pcm[i] = (int16_t)CLAMP(sample, INT16_MIN, INT16_MAX);
		}
		conceal->made = 0;
	}
	append(conceal, pcm, samples);
}
