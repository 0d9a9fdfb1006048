#include "media/plan/speex.h"

#include <glib.h>

#include "media/bits.h"

enum {
	MODE_BITS = 5, /* one of wide band, which is 0 where a frame begins, and four of mode */
	MODE_USER = 13,
	MODE_SIGNAL = 14,
	MODE_END = 15,
};

/* A message between coders inside the stream, its bits by its kind (Speex manual, table 5.1). */
static void skip_signal(struct tl_bits *bits)
{
	static const size_t length[16] = { 1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64 };

	tl_bits_skip(bits, length[tl_bits_take(bits, 4)]);
}

/* The layer above 4 kHz, when one follows: a 1, three bits of mode (table 10.1). */
static void skip_wide_layer(struct tl_bits *bits)
{
	static const size_t length[8] = { 4, 36, 112, 192, 352 }; /* with those four */
	struct tl_bits ahead = *bits;
	size_t size;

	if (bits->n == bits->at || tl_bits_take(&ahead, 1) == 0)
		return;
	size = length[tl_bits_take(&ahead, 3)];
	if (size == 0)
		bits->overrun = true;
	tl_bits_skip(bits, size);
}

/* Frames one after another, each with the number of its mode first (table 9.1); fewer bits than
 * that number takes are padding. */
size_t tl_speex_frames(const uint8_t *payload, size_t bytes, size_t ends[TL_SPEEX_FRAMES])
{
	static const size_t length[9] = { 5, 43, 119, 160, 220, 300, 364, 492, 79 };
	struct tl_bits bits = { .data = payload, .n = bytes * 8 };
	size_t n = 0;

	while (bits.n - bits.at >= MODE_BITS) {
		unsigned mode = tl_bits_take(&bits, MODE_BITS);

		if (mode == MODE_END)
			break;
		if (mode == MODE_SIGNAL) {
			skip_signal(&bits);
		} else if (mode == MODE_USER) {
			tl_bits_skip(&bits, tl_bits_take(&bits, 4) * 8);
		} else if (mode < G_N_ELEMENTS(length) && n < TL_SPEEX_FRAMES) {
			tl_bits_skip(&bits, length[mode] - MODE_BITS);
			skip_wide_layer(&bits);
			ends[n++] = bits.at;
		} else {
			return 0;
		}
		if (bits.overrun)
			return 0;
	}
	return n;
}
