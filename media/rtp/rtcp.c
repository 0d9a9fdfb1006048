#include "media/rtp/rtcp.h"

#include <string.h>

#include "media/cursor.h"

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|  count  |      type     |   length in words, less one   |
 * |                      SSRC of who sends it                     |
 * |                              ...                              |
 */
enum {
	VERSION = 2,
	PADDING_BIT = 0x20,
	COUNT_MASK = 0x1f,
	TYPE_SR = 200,
	TYPE_RR = 201,
	TYPE_SDES = 202,
	TYPE_BYE = 203,
	TYPE_XR = 207,
	SDES_CNAME = 1,
};

static const uint64_t NTP_EPOCH_S = 2208988800; /* from 1900 to 1970 */

static int take_block(struct tl_cursor *c, struct tl_rtcp_block *ret_block)
{
	uint32_t lost;

	if (tl_take_be32(c, &ret_block->ssrc) < 0 || tl_take_be32(c, &lost) < 0 ||
	    tl_take_be32(c, &ret_block->highest_seq) < 0 ||
	    tl_take_be32(c, &ret_block->jitter) < 0 || tl_take_be32(c, &ret_block->lsr) < 0 ||
	    tl_take_be32(c, &ret_block->dlsr) < 0)
		return -EBADMSG;
	ret_block->fraction_lost = (uint8_t)(lost >> 24);
	ret_block->cumulative_lost = (int32_t)(lost << 8) >> 8;
	return 0;
}

static int take_sender_info(struct tl_cursor *c, struct tl_rtcp *rtcp)
{
	uint32_t seconds, fraction, ts, packets, octets;

	if (tl_take_be32(c, &seconds) < 0 || tl_take_be32(c, &fraction) < 0 ||
	    tl_take_be32(c, &ts) < 0 || tl_take_be32(c, &packets) < 0 ||
	    tl_take_be32(c, &octets) < 0)
		return -EBADMSG;
	rtcp->has_sr = true;
	rtcp->sr_ntp_mid = seconds << 16 | fraction >> 16;
	return 0;
}

static int take_report(struct tl_cursor *c, uint8_t type, unsigned blocks, struct tl_rtcp *rtcp)
{
	if (tl_take_be32(c, &rtcp->ssrc) < 0)
		return -EBADMSG;
	if (type == TYPE_SR && take_sender_info(c, rtcp) < 0)
		return -EBADMSG;
	for (unsigned i = 0; i < blocks; i++) {
		struct tl_rtcp_block block;

		if (take_block(c, &block) < 0)
			return -EBADMSG;
		if (rtcp->n_blocks < TL_RTCP_BLOCKS)
			rtcp->blocks[rtcp->n_blocks++] = block;
	}
	return 0;
}

/* One packet of the compound; its body goes to *ret_body. */
static int take_packet(struct tl_cursor *c, uint8_t *ret_type, unsigned *ret_count,
		       struct tl_cursor *ret_body)
{
	uint8_t first;
	uint16_t words;

	if (tl_take_u8(c, &first) < 0 || first >> 6 != VERSION || tl_take_u8(c, ret_type) < 0 ||
	    tl_take_be16(c, &words) < 0)
		return -EBADMSG;
	ret_body->left = (size_t)words * 4;
	if (tl_take_span(c, ret_body->left, &ret_body->at) < 0)
		return -EBADMSG;
	/* RFC 3550 A.2: only the last packet may be padded. */
	if ((first & PADDING_BIT) && c->left > 0)
		return -EBADMSG;
	*ret_count = first & COUNT_MASK;
	return 0;
}

int tl_rtcp_parse(const uint8_t *data, size_t n, struct tl_rtcp *ret_rtcp)
{
	struct tl_cursor c = { data, n }, body;
	struct tl_rtcp rtcp = { 0 };
	bool reported = false;
	unsigned count;
	uint8_t type;

	do {
		if (take_packet(&c, &type, &count, &body) < 0)
			return -EBADMSG;
		if (type == TYPE_SR || type == TYPE_RR) {
			if (take_report(&body, type, count, &rtcp) < 0)
				return -EBADMSG;
			reported = true;
		}
		if (!reported)
			return -EBADMSG; /* each compound begins with a report */
		if (type == TYPE_XR && !rtcp.xr) {
			rtcp.xr = body.at;
			rtcp.xr_bytes = body.left;
		}
		rtcp.bye = rtcp.bye || type == TYPE_BYE;
	} while (c.left > 0);
	*ret_rtcp = rtcp;
	return 0;
}

static uint8_t *put_head(uint8_t *to, unsigned count, uint8_t type, size_t bytes)
{
	*to++ = (uint8_t)(VERSION << 6 | count);
	*to++ = type;
	return tl_put_be16(to, (uint16_t)(bytes / 4 - 1));
}

static uint8_t *put_report(uint8_t *to, const struct tl_rtcp_out *out)
{
	size_t bytes = 8 + (out->sender ? 20 : 0) + (out->block ? 24 : 0);

	to = put_head(to, out->block ? 1 : 0, out->sender ? TYPE_SR : TYPE_RR, bytes);
	to = tl_put_be32(to, out->ssrc);
	if (out->sender) {
		to = tl_put_be32(to, (uint32_t)(out->ntp >> 32));
		to = tl_put_be32(to, (uint32_t)out->ntp);
		to = tl_put_be32(to, out->rtp_ts);
		to = tl_put_be32(to, out->packets);
		to = tl_put_be32(to, out->octets);
	}
	if (out->block) {
		to = tl_put_be32(to, out->block->ssrc);
		to = tl_put_be32(to, (uint32_t)out->block->fraction_lost << 24 |
					     ((uint32_t)out->block->cumulative_lost & 0xffffff));
		to = tl_put_be32(to, out->block->highest_seq);
		to = tl_put_be32(to, out->block->jitter);
		to = tl_put_be32(to, out->block->lsr);
		to = tl_put_be32(to, out->block->dlsr);
	}
	return to;
}

static uint8_t *put_cname(uint8_t *to, const struct tl_rtcp_out *out)
{
	size_t n = strnlen(out->cname, TL_RTCP_CNAME_BYTES);
	/* The item, and at least one zero byte that ends the list, to the next word. */
	size_t item = (2 + n + 1 + 3) / 4 * 4;

	to = put_head(to, 1, TYPE_SDES, 8 + item);
	to = tl_put_be32(to, out->ssrc);
	memset(to, 0, item);
	to[0] = SDES_CNAME;
	to[1] = (uint8_t)n;
	memcpy(to + 2, out->cname, n);
	return to + item;
}

size_t tl_rtcp_write(const struct tl_rtcp_out *out, uint8_t to[TL_RTCP_MAX_BYTES])
{
	uint8_t *end = put_cname(put_report(to, out), out);

	if (out->voip)
		end = tl_xr_write_voip(end, out->ssrc, out->voip);
	if (out->bye) {
		end = put_head(end, 1, TYPE_BYE, 8);
		end = tl_put_be32(end, out->ssrc);
	}
	return (size_t)(end - to);
}

uint64_t tl_rtcp_ntp(int64_t unix_us)
{
	uint64_t us = (uint64_t)unix_us;

	return (us / 1000000 + NTP_EPOCH_S) << 32 | (us % 1000000 << 32) / 1000000;
}
