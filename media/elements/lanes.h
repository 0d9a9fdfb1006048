#pragma once
/*
 * Eight 16-bit numbers at once, in the arithmetic of speech coders: sums saturate,
 * products are of fractions of 1 << 15. SSE2 where there is that, which is every
 * x86-64; elsewhere the compiler's own vectors. Pure. Private to media/.
 */
#include <stdint.h>

#ifdef __SSE2__

#include <emmintrin.h>

typedef __m128i tl_lanes;

static inline tl_lanes tl_lanes_load(const int16_t from[8])
{
	return _mm_loadu_si128((const void *)from);
}

static inline void tl_lanes_store(int16_t to[8], tl_lanes a)
{
	_mm_storeu_si128((void *)to, a);
}

static inline tl_lanes tl_lanes_all(int32_t v)
{
	return _mm_set1_epi16((int16_t)v);
}

static inline int32_t tl_lanes_first(tl_lanes a)
{
	return (int16_t)_mm_extract_epi16(a, 0);
}

static inline tl_lanes tl_lanes_add(tl_lanes a, tl_lanes b)
{
	return _mm_adds_epi16(a, b);
}

static inline tl_lanes tl_lanes_minus(tl_lanes a, tl_lanes b)
{
	return _mm_subs_epi16(a, b);
}

static inline tl_lanes tl_lanes_min(tl_lanes a, tl_lanes b)
{
	return _mm_min_epi16(a, b);
}

static inline tl_lanes tl_lanes_max(tl_lanes a, tl_lanes b)
{
	return _mm_max_epi16(a, b);
}

static inline tl_lanes tl_lanes_and(tl_lanes a, tl_lanes b)
{
	return _mm_and_si128(a, b);
}

static inline tl_lanes tl_lanes_xor(tl_lanes a, tl_lanes b)
{
	return _mm_xor_si128(a, b);
}

/* -1 where it is so, else 0. */
static inline tl_lanes tl_lanes_equal(tl_lanes a, tl_lanes b)
{
	return _mm_cmpeq_epi16(a, b);
}

static inline tl_lanes tl_lanes_above(tl_lanes a, tl_lanes b)
{
	return _mm_cmpgt_epi16(a, b);
}

/* -1 where it is negative. */
static inline tl_lanes tl_lanes_sign(tl_lanes a)
{
	return _mm_srai_epi16(a, 15);
}

/* a >> 7 */
static inline tl_lanes tl_lanes_shift7(tl_lanes a)
{
	return _mm_srai_epi16(a, 7);
}

/* a * b >> 15 */
static inline tl_lanes tl_lanes_product(tl_lanes a, tl_lanes b)
{
	return _mm_or_si128(_mm_slli_epi16(_mm_mulhi_epi16(a, b), 1),
			    _mm_srli_epi16(_mm_mullo_epi16(a, b), 15));
}

/* a * b >> 16, of numbers without sign */
static inline tl_lanes tl_lanes_high(tl_lanes a, tl_lanes b)
{
	return _mm_mulhi_epu16(a, b);
}

/* v comes in at lane 0, the one in lane 5 falls out; 6 and 7 stay as they are: 0. */
static inline tl_lanes tl_lanes_push6(tl_lanes a, int32_t v)
{
	a = _mm_and_si128(_mm_slli_si128(a, 2), _mm_setr_epi16(0, -1, -1, -1, -1, -1, 0, 0));
	return _mm_insert_epi16(a, v, 0);
}

/* The sum of all eight, saturated once, in every lane. */
static inline tl_lanes tl_lanes_sum(tl_lanes a)
{
	a = _mm_madd_epi16(a, _mm_set1_epi16(1));
	a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0x4e));
	a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0xb1));
	return _mm_packs_epi32(a, a);
}

/* The largest of all eight, in every lane. */
static inline tl_lanes tl_lanes_largest(tl_lanes a)
{
	a = _mm_max_epi16(a, _mm_shuffle_epi32(a, 0x4e));
	a = _mm_max_epi16(a, _mm_shuffle_epi32(a, 0xb1));
	return _mm_max_epi16(a, _mm_or_si128(_mm_slli_epi32(a, 16), _mm_srli_epi32(a, 16)));
}

/* Bit i: is lane i of a (i of b from 8 on) not 0? They are 0 or -1. */
static inline uint32_t tl_lanes_bits(tl_lanes a, tl_lanes b)
{
	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(a, b));
}

/* The sum of products of 16 numbers each. */
static inline int32_t tl_lanes_dot16(const int16_t *a, const int16_t *b)
{
	tl_lanes sum = _mm_add_epi32(_mm_madd_epi16(tl_lanes_load(a), tl_lanes_load(b)),
				     _mm_madd_epi16(tl_lanes_load(a + 8), tl_lanes_load(b + 8)));

	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
	return _mm_cvtsi128_si32(sum);
}

#else

#include <string.h>

typedef int16_t tl_lanes __attribute__((vector_size(16)));
typedef uint16_t tl_lanes_unsigned __attribute__((vector_size(16)));
typedef int32_t tl_lanes_wide __attribute__((vector_size(32)));
typedef uint32_t tl_lanes_wide_unsigned __attribute__((vector_size(32)));

static inline tl_lanes tl_lanes_load(const int16_t from[8])
{
	tl_lanes a;

	memcpy(&a, from, sizeof a);
	return a;
}

static inline void tl_lanes_store(int16_t to[8], tl_lanes a)
{
	memcpy(to, &a, sizeof a);
}

static inline tl_lanes tl_lanes_all(int32_t v)
{
	int16_t x = (int16_t)v;

	return (tl_lanes) { x, x, x, x, x, x, x, x };
}

static inline int32_t tl_lanes_first(tl_lanes a)
{
	return a[0];
}

static inline tl_lanes tl_lanes_and(tl_lanes a, tl_lanes b)
{
	return a & b;
}

static inline tl_lanes tl_lanes_xor(tl_lanes a, tl_lanes b)
{
	return a ^ b;
}

static inline tl_lanes tl_lanes_equal(tl_lanes a, tl_lanes b)
{
	return a == b;
}

static inline tl_lanes tl_lanes_above(tl_lanes a, tl_lanes b)
{
	return a > b;
}

static inline tl_lanes tl_lanes_sign(tl_lanes a)
{
	return a >> 15;
}

static inline tl_lanes tl_lanes_shift7(tl_lanes a)
{
	return a >> 7;
}

/* a where mask is -1, b where it is 0 */
static inline tl_lanes tl_lanes_choose(tl_lanes mask, tl_lanes a, tl_lanes b)
{
	return (a & mask) | (b & ~mask);
}

static inline tl_lanes tl_lanes_min(tl_lanes a, tl_lanes b)
{
	return tl_lanes_choose(a < b, a, b);
}

static inline tl_lanes tl_lanes_max(tl_lanes a, tl_lanes b)
{
	return tl_lanes_choose(a > b, a, b);
}

/* A sum has overflowed where its sign is that of neither part. */
static inline tl_lanes tl_lanes_add(tl_lanes a, tl_lanes b)
{
	tl_lanes sum = (tl_lanes)((tl_lanes_unsigned)a + (tl_lanes_unsigned)b);

	return tl_lanes_choose(((a ^ sum) & (b ^ sum)) >> 15, (a >> 15) ^ tl_lanes_all(INT16_MAX),
			       sum);
}

static inline tl_lanes tl_lanes_minus(tl_lanes a, tl_lanes b)
{
	tl_lanes difference = (tl_lanes)((tl_lanes_unsigned)a - (tl_lanes_unsigned)b);

	return tl_lanes_choose(((a ^ b) & (a ^ difference)) >> 15,
			       (a >> 15) ^ tl_lanes_all(INT16_MAX), difference);
}

static inline tl_lanes tl_lanes_product(tl_lanes a, tl_lanes b)
{
	tl_lanes_wide product = __builtin_convertvector(a, tl_lanes_wide) *
				__builtin_convertvector(b, tl_lanes_wide);

	return __builtin_convertvector(product >> 15, tl_lanes);
}

static inline tl_lanes tl_lanes_high(tl_lanes a, tl_lanes b)
{
	tl_lanes_wide_unsigned product =
		__builtin_convertvector((tl_lanes_unsigned)a, tl_lanes_wide_unsigned) *
		__builtin_convertvector((tl_lanes_unsigned)b, tl_lanes_wide_unsigned);

	return (tl_lanes) __builtin_convertvector(product >> 16, tl_lanes_unsigned);
}

static inline tl_lanes tl_lanes_push6(tl_lanes a, int32_t v)
{
	return (tl_lanes) { (int16_t)v, a[0], a[1], a[2], a[3], a[4], 0, 0 };
}

static inline tl_lanes tl_lanes_sum(tl_lanes a)
{
	int32_t sum = 0;

	for (int i = 0; i < 8; i++)
		sum += a[i];
	return tl_lanes_all(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
}

static inline tl_lanes tl_lanes_largest(tl_lanes a)
{
	int16_t most = a[0];

	for (int i = 1; i < 8; i++)
		most = a[i] > most ? a[i] : most;
	return tl_lanes_all(most);
}

static inline uint32_t tl_lanes_bits(tl_lanes a, tl_lanes b)
{
	uint32_t bits = 0;

	for (int i = 0; i < 8; i++)
		bits |= (a[i] & 1u) << i | (b[i] & 1u) << (i + 8);
	return bits;
}

static inline int32_t tl_lanes_dot16(const int16_t *a, const int16_t *b)
{
	int32_t sum = 0;

	for (int i = 0; i < 16; i++)
		sum += a[i] * b[i];
	return sum;
}

#endif
