#include "media/fax/ifp.h"

#include <stdbool.h>

#include "media/cursor.h"

enum {
	HAS_DATA = 0x80,
	IS_DATA = 0x40,
	IS_EXTENDED = 0x20,
	FIELD_HAS_DATA = 0x80,
	FIELD_IS_EXTENDED = 0x40,
};

static int skip_octets(struct tl_cursor *c)
{
	const uint8_t *octets;
	uint16_t n;

	if (tl_take_be16(c, &n) < 0)
		return -EBADMSG;
	return tl_take_span(c, (size_t)n + 1, &octets);
}

/* half: 4 bits of the byte before are left for this one. */
static int skip_field_v0(struct tl_cursor *c, bool *half)
{
	uint8_t byte;

	if (*half) {
		byte = (uint8_t)(c->at[-1] << 4);
		*half = false;
	} else {
		if (tl_take_u8(c, &byte) < 0)
			return -EBADMSG;
		*half = !(byte & FIELD_HAS_DATA);
	}
	return byte & FIELD_HAS_DATA ? skip_octets(c) : 0;
}

static int skip_field(struct tl_cursor *c)
{
	uint8_t byte, more;

	if (tl_take_u8(c, &byte) < 0 || (byte & FIELD_IS_EXTENDED && tl_take_u8(c, &more) < 0))
		return -EBADMSG;
	return byte & FIELD_HAS_DATA ? skip_octets(c) : 0;
}

static int skip_fields(struct tl_cursor *c, unsigned version)
{
	bool half = false;
	uint8_t count;

	if (tl_take_u8(c, &count) < 0)
		return -EBADMSG;
	for (unsigned i = 0; i < count; i++)
		if ((version == 0 ? skip_field_v0(c, &half) : skip_field(c)) < 0)
			return -EBADMSG;
	return 0;
}

int tl_ifp_measure(const uint8_t *data, size_t n, unsigned version)
{
	struct tl_cursor c = { data, n };
	uint8_t first, more;

	if (tl_take_u8(&c, &first) < 0 || (first & IS_EXTENDED && tl_take_u8(&c, &more) < 0))
		return -EBADMSG;
	if (!(first & IS_DATA) != !(first & HAS_DATA))
		return -EBADMSG; /* a kind without its data, or the other way about */
	if (first & HAS_DATA && skip_fields(&c, version) < 0)
		return -EBADMSG;
	return n - c.left <= TL_IFP_BYTES ? (int)(n - c.left) : -EBADMSG;
}
