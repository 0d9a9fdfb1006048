#include "media/elements/g722_coder.h"

#include <string.h>

#include "media/elements/lanes.h"

/*
 * Numbers that are one in the standard stand in all eight lanes here: then
 * nothing has to be spread, and additions saturate for nothing. What an encoder
 * waits for is the way round from one prediction to the next, so that way
 * stays in vectors; the codes, and the logarithm of the step, are looked up beside it.
 */
enum {
	LOW_SHIFT = 8, /* of the scale factors */
	HIGH_SHIFT = 10,
	LOW_NB_MAX = 18432,
	HIGH_NB_MAX = 22528,
	LOW_DET = 32, /* at first */
	HIGH_DET = 8,
	A2_MAX = 12288,
	A1_ROOM = 15360,
	HEARD_MAX = 16383,
	HIGH_EMPTY = 0xc0, /* the high band's code for next to nothing */
	CHUNK = 160,       /* samples of a band that are filtered at a time */
	TAPS = 16,         /* 12, and 4 of 0 */
};

/* Decision levels of the low band's quantizer (table 3), times 16: multiplied by the step, the high
 * 16 bits are a level. The last three are beyond any magnitude. */
#define LEVEL(v) ((int16_t)(uint16_t)((v)*16))
static const int16_t levels[32] = {
	LEVEL(35),   LEVEL(72),   LEVEL(110),  LEVEL(150),  LEVEL(190),  LEVEL(233),
	LEVEL(276),  LEVEL(323),  LEVEL(370),  LEVEL(422),  LEVEL(473),  LEVEL(530),
	LEVEL(587),  LEVEL(650),  LEVEL(714),  LEVEL(786),  LEVEL(858),  LEVEL(940),
	LEVEL(1023), LEVEL(1121), LEVEL(1219), LEVEL(1339), LEVEL(1458), LEVEL(1612),
	LEVEL(1765), LEVEL(1980), LEVEL(2195), LEVEL(2557), LEVEL(2919),
};
enum { LEVELS = 29 };
/* Of these, the ones at which the prediction's coarser quantizer takes its next output. */
static const int16_t steps[8] = { LEVEL(72),  LEVEL(233),  LEVEL(422),  LEVEL(650),
				  LEVEL(940), LEVEL(1339), LEVEL(1980), 0 };
static const int16_t step_outputs[8] = { 1200, 2584, 4240, 6288, 8968, 12896, 20456, 0 };
static const int16_t step_growths[8] = { -60, -30, 58, 172, 334, 538, 1198, 3042 };
/* The low band's outputs: by 6 bits, what is heard; by the upper 4, what the prediction gets. */
static const int16_t low_heard[64] = {
	-136,   -136,   -136,  -136,  -24808, -21904, -19008, -16704, -14984, -13512, -12280,
	-11192, -10232, -9360, -8576, -7856,  -7192,  -6576,  -6000,  -5456,  -4944,  -4464,
	-4008,  -3576,  -3168, -2776, -2400,  -2032,  -1688,  -1360,  -1040,  -728,   24808,
	21904,  19008,  16704, 14984, 13512,  12280,  11192,  10232,  9360,   8576,   7856,
	7192,   6576,   6000,  5456,  4944,   4464,   4008,   3576,   3168,   2776,   2400,
	2032,   1688,   1360,  1040,  728,    432,    136,    -432,   -136,
};
static const struct {
	int16_t d, growth;
} low[16] = { { 0, -60 },      { -20456, 3042 }, { -12896, 1198 }, { -8968, 538 },
	      { -6288, 334 },  { -4240, 172 },   { -2584, 58 },    { -1200, -30 },
	      { 20456, 3042 }, { 12896, 1198 },  { 8968, 538 },    { 6288, 334 },
	      { 4240, 172 },   { 2584, 58 },     { 1200, -30 },    { 0, -60 } },
  high[4] = { { -7408, 798 }, { -1616, -214 }, { 7408, 798 }, { 1616, -214 } };
enum { HIGH_LEVEL = 564, HIGH_NEAR = 1616, HIGH_FAR = 7408 };

static const int16_t powers[32] = {
	2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543,
	2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091, 3158, 3228,
	3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
};
/* Half of the quadrature mirror filters' 24 coefficients; the others are the same backwards. */
static const int16_t mirror[TAPS] = { 3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11 };
static const int16_t mirrored[TAPS] = { -11, 53, -156, 362, -805, 3876, 951, -210, 32, 12, -11, 3 };

/* A band while a packet is coded: in registers. */
struct band {
	tl_lanes b, d, a1, a2, r1, p1, p2, s, sz;
	int32_t nb, det;
};

static inline struct band take_up(const struct tl_g722_band *from)
{
	return (struct band) {
		.b = tl_lanes_load(from->b),
		.d = tl_lanes_load(from->d),
		.a1 = tl_lanes_all(from->a1),
		.a2 = tl_lanes_all(from->a2),
		.r1 = tl_lanes_all(from->r1),
		.p1 = tl_lanes_all(from->p1),
		.p2 = tl_lanes_all(from->p2),
		.s = tl_lanes_all(from->s),
		.sz = tl_lanes_all(from->sz),
		.nb = from->nb,
		.det = from->det,
	};
}

static inline void put_down(struct tl_g722_band *to, const struct band *band)
{
	tl_lanes_store(to->b, band->b);
	tl_lanes_store(to->d, band->d);
	to->a1 = (int16_t)tl_lanes_first(band->a1);
	to->a2 = (int16_t)tl_lanes_first(band->a2);
	to->r1 = (int16_t)tl_lanes_first(band->r1);
	to->p1 = (int16_t)tl_lanes_first(band->p1);
	to->p2 = (int16_t)tl_lanes_first(band->p2);
	to->s = (int16_t)tl_lanes_first(band->s);
	to->sz = (int16_t)tl_lanes_first(band->sz);
	to->nb = (int16_t)band->nb;
	to->det = (int16_t)band->det;
}

/* v, negative where sign is -1. */
static inline tl_lanes with_sign(tl_lanes v, tl_lanes sign)
{
	return tl_lanes_minus(tl_lanes_xor(v, sign), sign);
}

static inline tl_lanes within(tl_lanes v, tl_lanes most)
{
	return tl_lanes_max(tl_lanes_min(v, most), tl_lanes_minus(tl_lanes_all(0), most));
}

/* The step's logarithm, and the step (LOGSCL, SCALEL; LOGSCH, SCALEH). */
static inline void scale(struct band *band, int32_t growth, int32_t nb_max, int32_t shift)
{
	int32_t nb = (band->nb * 127 >> 7) + growth;

	nb = nb < 0 ? 0 : nb > nb_max ? nb_max : nb;
	band->nb = nb;
	band->det = powers[nb >> 6 & 31] << 4 >> (shift + 4 - (nb >> 11)) << 2;
}

/* UPPOL2, UPPOL1: p is the sign of what the zeros alone rebuild. */
static inline void move_poles(struct band *band, tl_lanes p)
{
	tl_lanes unlike1 = tl_lanes_xor(p, band->p1), unlike2 = tl_lanes_xor(p, band->p2);
	tl_lanes twice = tl_lanes_add(band->a1, band->a1), lean = tl_lanes_add(twice, twice), a2;

	lean = with_sign(lean, tl_lanes_xor(unlike1, tl_lanes_all(-1)));
	a2 = tl_lanes_add(tl_lanes_shift7(lean), with_sign(tl_lanes_all(128), unlike2));
	a2 = tl_lanes_add(a2, tl_lanes_product(band->a2, tl_lanes_all(32512)));
	band->a2 = within(a2, tl_lanes_all(A2_MAX));
	band->a1 = within(tl_lanes_add(tl_lanes_product(band->a1, tl_lanes_all(32640)),
				       with_sign(tl_lanes_all(192), unlike1)),
			  tl_lanes_minus(tl_lanes_all(A1_ROOM), band->a2));
	band->p2 = band->p1;
	band->p1 = p;
}

/* UPZERO, FILTEZ */
static inline void move_zeros(struct band *band, tl_lanes d)
{
	tl_lanes unlike = tl_lanes_sign(tl_lanes_xor(band->d, d));
	tl_lanes none = tl_lanes_equal(d, tl_lanes_all(0));
	tl_lanes move = tl_lanes_and(tl_lanes_xor(none, tl_lanes_all(-1)), tl_lanes_all(128));

	band->b = tl_lanes_add(tl_lanes_product(band->b, tl_lanes_all(32640)),
			       with_sign(move, unlike));
	band->d = tl_lanes_push6(band->d, tl_lanes_first(d));
	band->sz = tl_lanes_sum(tl_lanes_product(band->b, tl_lanes_add(band->d, band->d)));
}

/* The next prediction, with the difference d to this one (block 4). Called, it would carry the band
 * through memory for each sample. */
static inline __attribute__((always_inline)) void predict(struct band *band, tl_lanes d)
{
	tl_lanes r = tl_lanes_add(band->s, d), sp;

	move_poles(band, tl_lanes_sign(tl_lanes_add(band->sz, d)));
	sp = tl_lanes_add(tl_lanes_product(tl_lanes_add(r, r), band->a1),
			  tl_lanes_product(tl_lanes_add(band->r1, band->r1), band->a2));
	band->r1 = r;
	move_zeros(band, d);
	band->s = tl_lanes_add(sp, band->sz);
}

/* How many levels a magnitude reaches (QUANTL). */
static inline unsigned count_levels(tl_lanes magnitude, tl_lanes det)
{
	tl_lanes beyond[4];
	uint32_t bits;

	for (int i = 0; i < 4; i++)
		beyond[i] = tl_lanes_above(tl_lanes_high(tl_lanes_load(levels + 8 * i), det),
					   magnitude);
	bits = tl_lanes_bits(beyond[0], beyond[1]) | tl_lanes_bits(beyond[2], beyond[3]) << 16;
	return (unsigned)__builtin_ctz(bits | 1u << LEVELS);
}

static inline unsigned encode_low(struct band *band, int32_t x)
{
	tl_lanes e = tl_lanes_minus(tl_lanes_all(x), band->s), sign = tl_lanes_sign(e);
	tl_lanes magnitude = tl_lanes_xor(e, sign), det = tl_lanes_all(band->det);
	tl_lanes outputs = tl_lanes_load(step_outputs);
	/* what comes out for each step, if e is positive, and if it is not: rounded down */
	tl_lanes up = tl_lanes_product(outputs, det);
	tl_lanes down = tl_lanes_minus(
		tl_lanes_all(0), tl_lanes_product(tl_lanes_minus(tl_lanes_all(0), outputs), det));
	tl_lanes out = tl_lanes_xor(up, tl_lanes_and(tl_lanes_xor(up, down), sign));
	tl_lanes beyond = tl_lanes_above(tl_lanes_high(tl_lanes_load(steps), det), magnitude);
	tl_lanes reached = tl_lanes_xor(beyond, tl_lanes_all(-1));
	unsigned level = count_levels(magnitude, det);

	predict(band, with_sign(tl_lanes_largest(tl_lanes_and(out, reached)), sign));
	scale(band, step_growths[__builtin_ctz(tl_lanes_bits(beyond, beyond) | 1u << 7)],
	      LOW_NB_MAX, LOW_SHIFT);
	if (tl_lanes_first(sign) == 0)
		return 61 - level;
	return (level < 2 ? 63 : 33) - level;
}

static inline unsigned encode_high(struct band *band, int32_t x)
{
	tl_lanes e = tl_lanes_minus(tl_lanes_all(x), band->s);
	int32_t first = tl_lanes_first(e), magnitude = first < 0 ? ~first : first;
	bool near = magnitude < HIGH_LEVEL * band->det >> 12;
	unsigned code = (first < 0 ? 0u : 2u) | near;

	predict(band, tl_lanes_all(band->det * high[code].d >> 15));
	scale(band, high[code].growth, HIGH_NB_MAX, HIGH_SHIFT);
	return code;
}

/* What is heard of a band: the difference as fine as it came, on the prediction. */
static inline int16_t hear(const struct band *band, int32_t output)
{
	tl_lanes heard = tl_lanes_add(band->s, tl_lanes_all(band->det * output >> 15));

	heard = tl_lanes_min(heard, tl_lanes_all(HEARD_MAX));
	return (int16_t)tl_lanes_first(tl_lanes_max(heard, tl_lanes_all(-HEARD_MAX - 1)));
}

static inline int16_t decode_low(struct band *band, unsigned code)
{
	int16_t heard = hear(band, low_heard[code]);
	int32_t d = band->det * low[code >> 2].d >> 15;

	scale(band, low[code >> 2].growth, LOW_NB_MAX, LOW_SHIFT);
	predict(band, tl_lanes_all(d));
	return heard;
}

static inline int16_t decode_high(struct band *band, unsigned code)
{
	int16_t heard = hear(band, high[code].d);
	int32_t d = band->det * high[code].d >> 15;

	scale(band, high[code].growth, HIGH_NB_MAX, HIGH_SHIFT);
	predict(band, tl_lanes_all(d));
	return heard;
}

void tl_g722_init(struct tl_g722 *g722, bool narrow)
{
	memset(g722, 0, sizeof *g722);
	g722->narrow = narrow;
	g722->low.det = LOW_DET;
	g722->high.det = HIGH_DET;
}

/* What the filters look at: every second sample, with those of the chunk before. */
struct line {
	int16_t v[TL_G722_HISTORY + CHUNK + TAPS];
};

static void begin_line(struct line *line, const int16_t history[TL_G722_HISTORY], size_t n)
{
	memcpy(line->v, history, TL_G722_HISTORY * sizeof *history);
	/* coefficients of 0 look here */
	memset(line->v + TL_G722_HISTORY + n, 0, TAPS * sizeof *line->v);
}

static void end_line(const struct line *line, int16_t history[TL_G722_HISTORY], size_t n)
{
	memcpy(history, line->v + n, TL_G722_HISTORY * sizeof *history);
}

static void encode_wide(struct tl_g722 *g722, const int16_t *pcm, size_t n, uint8_t *payload)
{
	struct band low_band = take_up(&g722->low), high_band = take_up(&g722->high);
	struct line odd, even;

	begin_line(&odd, g722->odd, n);
	begin_line(&even, g722->even, n);
	for (size_t i = 0; i < n; i++) {
		odd.v[TL_G722_HISTORY + i] = pcm[2 * i];
		even.v[TL_G722_HISTORY + i] = pcm[2 * i + 1];
	}
	for (size_t i = 0; i < n; i++) {
		int32_t a = tl_lanes_dot16(odd.v + i, mirror);
		int32_t b = tl_lanes_dot16(even.v + i, mirrored);
		unsigned code = encode_high(&high_band, (b - a) >> 14) << 6;

		payload[i] = (uint8_t)(code | encode_low(&low_band, (b + a) >> 14));
	}
	end_line(&odd, g722->odd, n);
	end_line(&even, g722->even, n);
	put_down(&g722->low, &low_band);
	put_down(&g722->high, &high_band);
}

static void encode_narrow(struct tl_g722 *g722, const int16_t *pcm, size_t n, uint8_t *payload)
{
	struct band low_band = take_up(&g722->low);

	for (size_t i = 0; i < n; i++)
		payload[i] = (uint8_t)(HIGH_EMPTY | encode_low(&low_band, pcm[i] >> 1));
	put_down(&g722->low, &low_band);
}

size_t tl_g722_encode(struct tl_g722 *g722, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	size_t bytes = g722->narrow ? samples : samples / 2;

	if (g722->narrow) {
		encode_narrow(g722, pcm, bytes, payload);
		return bytes;
	}
	for (size_t at = 0, n; at < bytes; at += n) {
		n = bytes - at < CHUNK ? bytes - at : CHUNK;
		encode_wide(g722, pcm + 2 * at, n, payload + at);
	}
	return bytes;
}

static inline int16_t fit(int32_t v)
{
	return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

static void decode_wide(struct tl_g722 *g722, const uint8_t *payload, size_t n, int16_t *pcm)
{
	struct band low_band = take_up(&g722->low), high_band = take_up(&g722->high);
	struct line sum, difference;

	begin_line(&sum, g722->odd, n);
	begin_line(&difference, g722->even, n);
	for (size_t i = 0; i < n; i++) {
		int16_t l = decode_low(&low_band, payload[i] & 63);
		int16_t h = decode_high(&high_band, payload[i] >> 6);

		sum.v[TL_G722_HISTORY + i] = (int16_t)(l + h);
		difference.v[TL_G722_HISTORY + i] = (int16_t)(l - h);
	}
	for (size_t i = 0; i < n; i++) {
		pcm[2 * i] = fit(tl_lanes_dot16(difference.v + i, mirrored) >> 11);
		pcm[2 * i + 1] = fit(tl_lanes_dot16(sum.v + i, mirror) >> 11);
	}
	end_line(&sum, g722->odd, n);
	end_line(&difference, g722->even, n);
	put_down(&g722->low, &low_band);
	put_down(&g722->high, &high_band);
}

static void decode_narrow(struct tl_g722 *g722, const uint8_t *payload, size_t n, int16_t *pcm)
{
	struct band low_band = take_up(&g722->low);

	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(decode_low(&low_band, payload[i] & 63) * 2);
	put_down(&g722->low, &low_band);
}

size_t tl_g722_decode(struct tl_g722 *g722, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (g722->narrow) {
		decode_narrow(g722, payload, bytes, pcm);
		return bytes;
	}
	for (size_t at = 0, n; at < bytes; at += n) {
		n = bytes - at < CHUNK ? bytes - at : CHUNK;
		decode_wide(g722, payload + at, n, pcm + 2 * at);
	}
	return bytes * 2;
}
