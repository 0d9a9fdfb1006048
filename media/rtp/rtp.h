#pragma once
/*
 * The RTP header, RFC 3550 5.1, and arithmetic with its wrapping numbers.
 * Pure. Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TL_RTP_HEADER_BYTES = 12, /* as we send it: no CSRC, no extension */
	TL_RTP_PT_COMFORT_NOISE = 13,
};

struct tl_rtp {
	uint8_t pt;
	bool marker;
	uint16_t seq;
	uint32_t ts, ssrc;
	uint16_t payload_at, payload_bytes; /* behind CSRCs and extension, without padding */
};

/* -EBADMSG: not an RTP packet, or one whose parts don't fit in n bytes. */
int tl_rtp_parse(const uint8_t *data, size_t n, struct tl_rtp *ret_rtp);
/* Writes the fixed header; payload_at and payload_bytes play no part. */
void tl_rtp_write(uint8_t to[TL_RTP_HEADER_BYTES], const struct tl_rtp *rtp);
/* RTP or RTCP on one port? RFC 5761 4: by the second byte. */
bool tl_rtp_looks_like_rtcp(const uint8_t *data, size_t n);

/* How far b is behind a, in the shorter direction round the circle. */
static inline int tl_rtp_seq_minus(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

static inline int32_t tl_rtp_ts_minus(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline int64_t tl_rtp_units_to_us(int64_t units, unsigned clock_hz)
{
	return units * 1000000 / clock_hz;
}

static inline int64_t tl_rtp_us_to_units(int64_t us, unsigned clock_hz)
{
	/* In two steps: microseconds of a long life times hertz would overflow. */
	return us / 1000000 * clock_hz + us % 1000000 * clock_hz / 1000000;
}
