#include "media/plan/amr.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "media/bits.h"

enum {
	MODES_NARROW = 8,
	MODES_WIDE = 9,
	USUAL_NARROW = 7, /* 12.2 kbit/s */
	USUAL_WIDE = 2,   /* 12.65 kbit/s: what networks carry; the rest is for a request */
	RESERVED = 1000,
};

/* Bits of each frame type: 3GPP TS 26.101 table 1 with the other coders' silence, TS 26.201 table
 * 1; and lost speech and no data, which have none. */
static const uint16_t bits_narrow[16] = {
	95, 103, 118, 134, 148, 159, 204, 244, 39, 43, 38, 37, RESERVED, RESERVED, RESERVED, 0,
};
static const uint16_t bits_wide[16] = {
	132, 177, 253,      285,      317,      365,      397, 461,
	477, 40,  RESERVED, RESERVED, RESERVED, RESERVED, 0,   0,
};

static size_t frame_bits(const struct tl_amr *amr, unsigned type)
{
	return amr->wide ? bits_wide[type] : bits_narrow[type];
}

/* "0,2,4,7" */
static unsigned read_modes(const char *text, unsigned n_modes)
{
	unsigned modes = 0;
	char *end;

	while (*text) {
		unsigned long mode = strtoul(text, &end, 10);

		if (end == text)
			break;
		if (mode < n_modes)
			modes |= 1u << mode;
		text = end + strspn(end, ", ");
	}
	return modes;
}

static unsigned number(const struct tl_format *format, const char *key, unsigned otherwise)
{
	tl_fmtp_get_uint(format->fmtp, key, &otherwise);
	return otherwise;
}

bool tl_amr_read(const struct tl_format *format, struct tl_amr *ret_amr)
{
	struct tl_amr amr = { .wide = format->codec->clock_hz == 16000 };
	unsigned n_modes = amr.wide ? MODES_WIDE : MODES_NARROW;
	char set[TL_FMTP_BYTES];

	/* Each of these implies octet-align, and none is used on telephones. */
	if (number(format, "crc", 0) || number(format, "robust-sorting", 0) ||
	    tl_fmtp_get(format->fmtp, "interleaving", set, sizeof set) ||
	    number(format, "channels", 1) != 1)
		return false;
	amr.octet_align = number(format, "octet-align", 0) == 1;
	amr.modes = (1u << n_modes) - 1;
	if (tl_fmtp_get(format->fmtp, "mode-set", set, sizeof set))
		amr.modes = read_modes(set, n_modes);
	amr.change_period = MAX(number(format, "mode-change-period", 1), 1u);
	amr.change_neighbor = number(format, "mode-change-neighbor", 0) == 1;
	*ret_amr = amr;
	return amr.modes != 0;
}

size_t tl_amr_frames(const struct tl_amr *amr, const uint8_t *payload, size_t bytes,
		     struct tl_amr_frame frames[TL_AMR_FRAMES], unsigned *ret_request)
{
	struct tl_bits bits = { .data = payload, .n = bytes * 8 };
	size_t n = 0;
	bool more = true;

	*ret_request = tl_bits_take(&bits, 4);
	tl_bits_skip(&bits, amr->octet_align ? 4 : 0);
	for (; more; n++) {
		if (n == TL_AMR_FRAMES)
			return 0;
		more = tl_bits_take(&bits, 1);
		frames[n].type = (uint8_t)tl_bits_take(&bits, 4);
		frames[n].good = tl_bits_take(&bits, 1);
		tl_bits_skip(&bits, amr->octet_align ? 2 : 0);
		if (bits.overrun || frame_bits(amr, frames[n].type) == RESERVED)
			return 0;
	}
	for (size_t i = 0; i < n; i++) {
		size_t size = frame_bits(amr, frames[i].type);

		frames[i].at_bit = bits.at;
		tl_bits_skip(&bits, amr->octet_align ? (size + 7) / 8 * 8 : size);
	}
	return bits.overrun ? 0 : n;
}

/* n bits to the beginning of out, what is left of its last byte 0. */
static void copy_bits(uint8_t *out, const uint8_t *from, size_t at_bit, size_t n)
{
	unsigned shift = at_bit % 8;

	from += at_bit / 8;
	for (size_t i = 0; i * 8 < n; i++) {
		size_t left = n - i * 8;

		out[i] = (uint8_t)(from[i] << shift);
		if (shift && left > 8 - shift)
			out[i] |= from[i + 1] >> (8 - shift);
		if (left < 8)
			out[i] &= (uint8_t)(0xff00 >> left);
	}
}

size_t tl_amr_cut(const struct tl_amr *amr, const uint8_t *payload,
		  const struct tl_amr_frame *frame, uint8_t out[TL_AMR_FRAME_BYTES])
{
	size_t n = frame_bits(amr, frame->type);

	out[0] = (uint8_t)(frame->type << 3 | (frame->good ? 4 : 0));
	copy_bits(out + 1, payload, frame->at_bit, n);
	return 1 + (n + 7) / 8;
}

/* n bits from the beginning of from to at_bit of out, whose bits from there on are 0. */
static size_t append_bits(uint8_t *out, size_t at_bit, const uint8_t *from, size_t n)
{
	unsigned shift = at_bit % 8;

	out += at_bit / 8;
	for (size_t i = 0; i * 8 < n; i++) {
		out[i] |= from[i] >> shift;
		if (shift && n - i * 8 > 8 - shift)
			out[i + 1] |= (uint8_t)(from[i] << (8 - shift));
	}
	return at_bit + n;
}

size_t tl_amr_pack(const struct tl_amr *amr, unsigned request,
		   const uint8_t frames[][TL_AMR_FRAME_BYTES], size_t n, uint8_t *out)
{
	uint8_t head = (uint8_t)(request << 4);
	size_t at = 0;

	memset(out, 0, n * TL_AMR_FRAME_BYTES + 1);
	at = append_bits(out, at, &head, amr->octet_align ? 8 : 4);
	for (size_t i = 0; i < n; i++) {
		uint8_t entry = (uint8_t)((frames[i][0] & 0x7c) | (i + 1 < n ? 0x80 : 0));

		at = append_bits(out, at, &entry, amr->octet_align ? 8 : 6);
	}
	for (size_t i = 0; i < n; i++) {
		size_t size = frame_bits(amr, frames[i][0] >> 3 & 15);

		at = append_bits(out, at, frames[i] + 1,
				 amr->octet_align ? (size + 7) / 8 * 8 : size);
	}
	return (at + 7) / 8;
}

/* The highest of the set that is not above limit, else its lowest. */
static unsigned best_mode(unsigned modes, unsigned limit)
{
	unsigned below = modes & ((2u << limit) - 1);

	return below ? (unsigned)g_bit_nth_msf(below, -1) : (unsigned)g_bit_nth_lsf(modes, -1);
}

unsigned tl_amr_mode(const struct tl_amr *amr, unsigned request, int now, unsigned frame)
{
	unsigned usual = amr->wide ? USUAL_WIDE : USUAL_NARROW;
	bool asked = request < (amr->wide ? MODES_WIDE : MODES_NARROW);
	unsigned wanted = best_mode(amr->modes, asked ? request : usual);

	if (now < 0)
		return wanted;
	if (wanted == (unsigned)now || frame % amr->change_period)
		return (unsigned)now;
	if (!amr->change_neighbor)
		return wanted;
	return wanted > (unsigned)now ? (unsigned)g_bit_nth_lsf(amr->modes, now)
				      : best_mode(amr->modes, (unsigned)now - 1);
}
