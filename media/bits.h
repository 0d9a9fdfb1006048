#pragma once
/*
 * Reads and writes bits from the highest of the first byte on. Reading past
 * the end gives 0 and is remembered. Pure. Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tl_bits {
	const uint8_t *data;
	size_t n, at; /* bits */
	bool overrun;
};

static inline void tl_bits_skip(struct tl_bits *bits, size_t n)
{
	if (n > bits->n - bits->at) {
		bits->overrun = true;
		n = bits->n - bits->at;
	}
	bits->at += n;
}

/* n at most 32. */
static inline unsigned tl_bits_take(struct tl_bits *bits, unsigned n)
{
	unsigned value = 0;
	size_t from = bits->at;

	tl_bits_skip(bits, n);
	if (bits->overrun)
		return 0;
	for (; from < bits->at; from++)
		value = value << 1 | (bits->data[from / 8] >> (7 - from % 8) & 1);
	return value;
}
