#include "media/rtp/rtp.h"

#include <errno.h>

#include "media/cursor.h"
#include "media/fetch.h"

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |                             SSRC                              |
 * |                        CSRC, CC times                         |
 * |      profile (when X)         |  words of extension           |
 * |                         extension ...                         |
 */
enum {
	VERSION = 2,
	PADDING_BIT = 0x20,
	EXTENSION_BIT = 0x10,
	CSRC_MASK = 0x0f,
	MARKER_BIT = 0x80,
	PT_MASK = 0x7f,
	RTCP_TYPE_FIRST =
		192, /* RFC 5761 4: where an RTP marker and payload type 64..95 would be */
	RTCP_TYPE_LAST = 223,
};

static int skip_extension(struct tl_cursor *c)
{
	const uint8_t *body;
	uint16_t profile, words;

	if (tl_take_be16(c, &profile) < 0 || tl_take_be16(c, &words) < 0 ||
	    tl_take_span(c, (size_t)words * 4, &body) < 0)
		return -EBADMSG;
	return 0;
}

/* RFC 3550 5.1: the last byte counts the padding, itself included. */
static int strip_padding(struct tl_cursor *c)
{
	uint8_t padding;

	if (c->left == 0)
		return -EBADMSG;
	padding = c->at[c->left - 1];
	if (padding == 0 || padding > c->left)
		return -EBADMSG;
	c->left -= padding;
	return 0;
}

TL_HOT(packet) int tl_rtp_parse(const uint8_t *data, size_t n, struct tl_rtp *ret_rtp)
{
	struct tl_cursor c = { data, n };
	struct tl_rtp rtp = { 0 };
	const uint8_t *csrcs;
	uint8_t first, second;

	if (n > UINT16_MAX || tl_take_u8(&c, &first) < 0 || first >> 6 != VERSION ||
	    tl_take_u8(&c, &second) < 0 || tl_take_be16(&c, &rtp.seq) < 0 ||
	    tl_take_be32(&c, &rtp.ts) < 0 || tl_take_be32(&c, &rtp.ssrc) < 0 ||
	    tl_take_span(&c, (size_t)(first & CSRC_MASK) * 4, &csrcs) < 0)
		return -EBADMSG;
	if ((first & EXTENSION_BIT) && skip_extension(&c) < 0)
		return -EBADMSG;
	if ((first & PADDING_BIT) && strip_padding(&c) < 0)
		return -EBADMSG;
	rtp.pt = second & PT_MASK;
	rtp.marker = second & MARKER_BIT;
	rtp.payload_at = (uint16_t)(c.at - data);
	rtp.payload_bytes = (uint16_t)c.left;
	*ret_rtp = rtp;
	return 0;
}

TL_HOT(packet) void tl_rtp_write(uint8_t to[TL_RTP_HEADER_BYTES], const struct tl_rtp *rtp)
{
	to[0] = VERSION << 6;
	to[1] = (uint8_t)((rtp->marker ? MARKER_BIT : 0) | rtp->pt);
	to = tl_put_be16(to + 2, rtp->seq);
	to = tl_put_be32(to, rtp->ts);
	tl_put_be32(to, rtp->ssrc);
}

bool tl_rtp_looks_like_rtcp(const uint8_t *data, size_t n)
{
	return n >= 2 && data[0] >> 6 == VERSION && data[1] >= RTCP_TYPE_FIRST &&
	       data[1] <= RTCP_TYPE_LAST;
}
