#include "media/rtp/xr.h"

#include <errno.h>

#include "media/cursor.h"

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|reserved |   PT=XR=207   |   length in words, less one   |
 * |                      SSRC of who sends it                     |
 * |     BT=7      |   reserved    |       block length = 8        |
 * |                        SSRC of source                         |
 * |   loss rate   | discard rate  | burst density |  gap density  |
 * |       burst duration          |         gap duration          |
 * |     round trip delay          |       end system delay        |
 * | signal level  |  noise level  |     RERL      |     Gmin      |
 * |   R factor    | ext. R factor |    MOS-LQ     |    MOS-CQ     |
 * |   RX config   |   reserved    |          JB nominal           |
 * |          JB maximum           |          JB abs max           |
 */
enum {
	VERSION_BITS = 2 << 6,
	TYPE_XR = 207,
	BLOCK_VOIP = 7,
	VOIP_WORDS = 8,
	PLC_ENHANCED = 3 << 6, /* RX config: losses are concealed, */
	ADAPTIVE = 3 << 4,     /* and the delay follows jitter */
};

uint8_t *tl_xr_write_voip(uint8_t *to, uint32_t ssrc, const struct tl_xr_voip *voip)
{
	*to++ = VERSION_BITS;
	*to++ = TYPE_XR;
	to = tl_put_be16(to, TL_XR_VOIP_BYTES / 4 - 1);
	to = tl_put_be32(to, ssrc);
	*to++ = BLOCK_VOIP;
	*to++ = 0;
	to = tl_put_be16(to, VOIP_WORDS);
	to = tl_put_be32(to, voip->ssrc);
	*to++ = voip->loss_rate;
	*to++ = voip->discard_rate;
	*to++ = voip->burst_density;
	*to++ = voip->gap_density;
	to = tl_put_be16(to, voip->burst_ms);
	to = tl_put_be16(to, voip->gap_ms);
	to = tl_put_be16(to, voip->rtt_ms);
	to = tl_put_be16(to, voip->end_system_ms);
	*to++ = (uint8_t)voip->signal_dbm0;
	*to++ = (uint8_t)voip->noise_dbm0;
	*to++ = voip->rerl_db;
	*to++ = voip->gmin;
	*to++ = voip->r_factor;
	*to++ = TL_XR_UNAVAILABLE;
	*to++ = voip->mos_lq;
	*to++ = voip->mos_cq;
	*to++ = PLC_ENHANCED | ADAPTIVE;
	*to++ = 0;
	to = tl_put_be16(to, voip->jitter_nominal_ms);
	to = tl_put_be16(to, voip->jitter_max_ms);
	return tl_put_be16(to, voip->jitter_abs_max_ms);
}

static int take_rates(struct tl_cursor *c, struct tl_xr_voip *voip)
{
	if (tl_take_be32(c, &voip->ssrc) < 0 || tl_take_u8(c, &voip->loss_rate) < 0 ||
	    tl_take_u8(c, &voip->discard_rate) < 0 || tl_take_u8(c, &voip->burst_density) < 0 ||
	    tl_take_u8(c, &voip->gap_density) < 0 || tl_take_be16(c, &voip->burst_ms) < 0 ||
	    tl_take_be16(c, &voip->gap_ms) < 0 || tl_take_be16(c, &voip->rtt_ms) < 0 ||
	    tl_take_be16(c, &voip->end_system_ms) < 0)
		return -EBADMSG;
	return 0;
}

static int take_scores(struct tl_cursor *c, struct tl_xr_voip *voip)
{
	uint8_t signal, noise, ignored;

	if (tl_take_u8(c, &signal) < 0 || tl_take_u8(c, &noise) < 0 ||
	    tl_take_u8(c, &voip->rerl_db) < 0 || tl_take_u8(c, &voip->gmin) < 0 ||
	    tl_take_u8(c, &voip->r_factor) < 0 || tl_take_u8(c, &ignored) < 0 ||
	    tl_take_u8(c, &voip->mos_lq) < 0 || tl_take_u8(c, &voip->mos_cq) < 0 ||
	    tl_take_u8(c, &ignored) < 0 || tl_take_u8(c, &ignored) < 0 ||
	    tl_take_be16(c, &voip->jitter_nominal_ms) < 0 ||
	    tl_take_be16(c, &voip->jitter_max_ms) < 0 ||
	    tl_take_be16(c, &voip->jitter_abs_max_ms) < 0)
		return -EBADMSG;
	voip->signal_dbm0 = (int8_t)signal;
	voip->noise_dbm0 = (int8_t)noise;
	return 0;
}

int tl_xr_read_voip(const uint8_t *body, size_t n, uint32_t ssrc, struct tl_xr_voip *ret_voip)
{
	struct tl_cursor c = { body, n }, block;
	uint32_t sender;

	if (tl_take_be32(&c, &sender) < 0)
		return -EBADMSG;
	while (c.left > 0) {
		struct tl_xr_voip voip = { 0 };
		uint8_t type, specific;
		uint16_t words;

		if (tl_take_u8(&c, &type) < 0 || tl_take_u8(&c, &specific) < 0 ||
		    tl_take_be16(&c, &words) < 0)
			return -EBADMSG;
		block.left = (size_t)words * 4;
		if (tl_take_span(&c, block.left, &block.at) < 0)
			return -EBADMSG;
		if (type != BLOCK_VOIP || words != VOIP_WORDS)
			continue;
		if (take_rates(&block, &voip) < 0 || take_scores(&block, &voip) < 0)
			return -EBADMSG;
		if (voip.ssrc == ssrc) {
			*ret_voip = voip;
			return 0;
		}
	}
	return -ENOENT;
}
