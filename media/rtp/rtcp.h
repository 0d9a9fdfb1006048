#pragma once
/*
 * RTCP: reading and writing of compound packets, RFC 3550 6. Pure.
 * Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/rtp/xr.h"

enum {
	TL_RTCP_MAX_BYTES = 256, /* the longest that we write */
	TL_RTCP_CNAME_BYTES = 32,
	TL_RTCP_BLOCKS = 31, /* report blocks in a packet: their count has 5 bits */
};

struct tl_rtcp_block {
	uint32_t ssrc; /* of whom it speaks */
	uint8_t fraction_lost;
	int32_t cumulative_lost;
	uint32_t highest_seq, jitter, lsr, dlsr;
};

/* What matters to us of a compound packet. */
struct tl_rtcp {
	uint32_t ssrc; /* who sent it */
	bool has_sr;
	uint32_t sr_ntp_mid; /* middle 32 bits of the sender report's NTP time: our next LSR */
	size_t n_blocks;
	struct tl_rtcp_block blocks[TL_RTCP_BLOCKS];
	const uint8_t *xr; /* body of the first extended report, lent; NULL: none */
	size_t xr_bytes;
	bool bye;
};

/* -EBADMSG: not a valid compound packet (RFC 3550 A.2): version, lengths, the first one a report.
 */
int tl_rtcp_parse(const uint8_t *data, size_t n, struct tl_rtcp *ret_rtcp);

struct tl_rtcp_out {
	uint32_t ssrc;
	const char *cname; /* at most TL_RTCP_CNAME_BYTES */
	bool sender;       /* SR, else RR */
	uint64_t ntp;      /* NTP time now, 32.32 */
	uint32_t rtp_ts, packets, octets;
	const struct tl_rtcp_block *block; /* NULL: nothing was received */
	const struct tl_xr_voip *voip;     /* NULL: no extended report */
	bool bye;
};
/* Writes SR or RR, SDES, and XR and BYE when asked. Returns its length. */
size_t tl_rtcp_write(const struct tl_rtcp_out *out, uint8_t to[TL_RTCP_MAX_BYTES]);
/* Wall clock time as NTP has it: seconds since 1900, 32.32. */
uint64_t tl_rtcp_ntp(int64_t unix_us);
