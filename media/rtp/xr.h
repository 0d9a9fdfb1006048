#pragma once
/*
 * RTCP extended reports: the VoIP metrics block of RFC 3611 4.7, written and
 * read. Pure. Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TL_XR_VOIP_BYTES = 44,   /* packet header, SSRC of the sender, block */
	TL_XR_UNAVAILABLE = 127, /* of a level, a rating or a score */
};

struct tl_xr_voip {
	uint32_t ssrc;                                               /* whose stream it is about */
	uint8_t loss_rate, discard_rate, burst_density, gap_density; /* in 1/256 */
	uint16_t burst_ms, gap_ms, rtt_ms, end_system_ms;
	int8_t signal_dbm0, noise_dbm0; /* TL_XR_UNAVAILABLE: not measured */
	uint8_t rerl_db;
	uint8_t gmin;
	uint8_t r_factor;       /* 0 to 100 */
	uint8_t mos_lq, mos_cq; /* times 10: listening, and conversation */
	uint16_t jitter_nominal_ms, jitter_max_ms, jitter_abs_max_ms;
};

/* An XR packet with one block, from ssrc. Returns what follows it. */
uint8_t *tl_xr_write_voip(uint8_t *to, uint32_t ssrc, const struct tl_xr_voip *voip);
/* The body of an XR packet, behind its header: the first VoIP metrics block about ssrc. -ENOENT:
 * none; -EBADMSG: lengths that lie. */
int tl_xr_read_voip(const uint8_t *body, size_t n, uint32_t ssrc, struct tl_xr_voip *ret_voip);
