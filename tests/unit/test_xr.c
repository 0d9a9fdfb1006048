#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtp/rtcp.h"

static const struct tl_xr_voip voip = {
	.ssrc = 0x11223344,
	.loss_rate = 1,
	.discard_rate = 2,
	.burst_density = 3,
	.gap_density = 4,
	.burst_ms = 500,
	.gap_ms = 6000,
	.rtt_ms = 70,
	.end_system_ms = 80,
	.signal_dbm0 = -19,
	.noise_dbm0 = TL_XR_UNAVAILABLE,
	.rerl_db = TL_XR_UNAVAILABLE,
	.gmin = 16,
	.r_factor = 88,
	.mos_lq = 42,
	.mos_cq = 41,
	.jitter_nominal_ms = 40,
	.jitter_max_ms = 200,
	.jitter_abs_max_ms = 200,
};

Test(xr, reads_back_in_a_compound_packet)
{
	const struct tl_rtcp_block block = { .ssrc = 0x11223344 };
	const struct tl_rtcp_out out = {
		.ssrc = 5, .cname = "abc", .block = &block, .voip = &voip
	};
	uint8_t bytes[TL_RTCP_MAX_BYTES];
	size_t n = tl_rtcp_write(&out, bytes);
	struct tl_xr_voip read;
	struct tl_rtcp rtcp;

	cr_assert_eq(tl_rtcp_parse(bytes, n, &rtcp), 0);
	cr_assert_not_null(rtcp.xr);
	cr_assert_eq(tl_xr_read_voip(rtcp.xr, rtcp.xr_bytes, 0x11223344, &read), 0);
	cr_expect(memcmp(&read, &voip, sizeof read) == 0);
	cr_expect_eq(tl_xr_read_voip(rtcp.xr, rtcp.xr_bytes, 7, &read), -ENOENT, "another stream");
}

/* RFC 3611 4.7, byte by byte. */
Test(xr, is_laid_out_as_the_rfc_says)
{
	static const uint8_t want[TL_XR_VOIP_BYTES] = {
		0x80, 207, 0,  10,  0,  0,  0,    5,    7,    0,  0,  8,   0x11, 0x22, 0x33,
		0x44, 1,   2,  3,   4,  1,  0xf4, 0x17, 0x70, 0,  70, 0,   80,   0xed, 127,
		127,  16,  88, 127, 42, 41, 0xf0, 0,    0,    40, 0,  200, 0,    200,
	};
	uint8_t bytes[TL_XR_VOIP_BYTES];

	cr_assert_eq(tl_xr_write_voip(bytes, 5, &voip), bytes + sizeof bytes);
	for (size_t i = 0; i < sizeof want; i++)
		cr_expect_eq(bytes[i], want[i], "byte %zu: %u", i, bytes[i]);
}

Test(xr, bears_lengths_that_lie)
{
	uint8_t bytes[TL_XR_VOIP_BYTES];
	struct tl_xr_voip read;

	tl_xr_write_voip(bytes, 5, &voip);
	for (size_t n = 0; n + 4 < sizeof bytes; n++) {
		uint8_t *body = malloc(n + 1); /* a sanitizer sees a read too far */

		memcpy(body + 1, bytes + 4, n);
		cr_expect_lt(tl_xr_read_voip(body + 1, n, 0x11223344, &read), 0, "%zu bytes", n);
		free(body);
	}
	bytes[11] = 0xff; /* its length */
	cr_expect_eq(tl_xr_read_voip(bytes + 4, sizeof bytes - 4, 0x11223344, &read), -EBADMSG);
}
