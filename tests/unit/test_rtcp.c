#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtp/rtcp.h"

#define RR_EMPTY 0x80, 201, 0, 1, 1, 2, 3, 4
#define BYE      0x81, 203, 0, 1, 1, 2, 3, 4

static int parse(const uint8_t *bytes, size_t n, struct tl_rtcp *ret)
{
	uint8_t *data = malloc(n + 1); /* a sanitizer sees a read too far */
	int r;

	memcpy(data + 1, bytes, n);
	r = tl_rtcp_parse(data + 1, n, ret);
	free(data);
	return r;
}

Test(rtcp, refuses_what_is_no_compound_packet)
{
	static const struct {
		const char *why;
		int r;
		size_t n;
		uint8_t data[40];
	} cases[] = {
		{ "empty receiver report", 0, 8, { RR_EMPTY } },
		{ "with BYE", 0, 16, { RR_EMPTY, BYE } },
		{ "unknown type behind", 0, 16, { RR_EMPTY, 0x80, 207, 0, 1, 0, 0, 0, 0 } },
		{ "nothing", -EBADMSG, 0, { 0 } },
		{ "half a header", -EBADMSG, 3, { RR_EMPTY } },
		{ "cut", -EBADMSG, 7, { RR_EMPTY } },
		{ "BYE first", -EBADMSG, 8, { BYE } },
		{ "version 1", -EBADMSG, 8, { 0x40, 201, 0, 1 } },
		{ "length beyond the end", -EBADMSG, 8, { 0x80, 201, 0, 2 } },
		{ "huge length", -EBADMSG, 8, { 0x80, 201, 0xff, 0xff } },
		{ "a block announced, none there", -EBADMSG, 8, { 0x81, 201, 0, 1 } },
		{ "no room for an SSRC", -EBADMSG, 4, { 0x80, 201, 0, 0 } },
		{ "sender report without its figures", -EBADMSG, 8, { 0x80, 200, 0, 1 } },
		{ "padding before the last", -EBADMSG, 16, { 0xa0, 201, 0, 1, 1, 2, 3, 4, BYE } },
		{ "a byte too many", -EBADMSG, 9, { RR_EMPTY, 0x80 } },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tl_rtcp rtcp;

		cr_expect_eq(parse(cases[i].data, cases[i].n, &rtcp), cases[i].r, "%s",
			     cases[i].why);
	}
}

Test(rtcp, reads_back_its_own_reports)
{
	const struct tl_rtcp_block block = {
		.ssrc = 0xabcd,
		.fraction_lost = 12,
		.cumulative_lost = -3,
		.highest_seq = 0x20005,
		.jitter = 77,
		.lsr = 0x11223344,
		.dlsr = 65536,
	};
	static const char *const cnames[] = { "", "a", "ab", "abc", "abcd", "0123456789abcdef" };

	for (size_t i = 0; i < sizeof cnames / sizeof *cnames; i++) {
		const struct tl_rtcp_out out = {
			.ssrc = 0x1234,
			.cname = cnames[i],
			.sender = i % 2,
			.rtp_ts = 5,
			.ntp = 0x0102030405060708,
			.packets = 10,
			.octets = 1600,
			.block = &block,
			.bye = i > 2,
		};
		uint8_t bytes[TL_RTCP_MAX_BYTES];
		size_t n = tl_rtcp_write(&out, bytes);
		struct tl_rtcp in;

		cr_assert_eq(n % 4, 0);
		cr_assert_eq(parse(bytes, n, &in), 0, "%s", cnames[i]);
		cr_expect_eq(in.ssrc, 0x1234);
		cr_expect_eq(in.has_sr, out.sender);
		if (out.sender)
			cr_expect_eq(in.sr_ntp_mid, 0x03040506);
		cr_expect_eq(in.bye, out.bye);
		cr_assert_eq(in.n_blocks, 1);
		cr_expect_eq(in.blocks[0].cumulative_lost, -3, "24 bits, with a sign");
		cr_expect_eq(in.blocks[0].fraction_lost, 12);
		cr_expect_eq(in.blocks[0].highest_seq, 0x20005);
		cr_expect_eq(in.blocks[0].lsr, 0x11223344);
	}
}

Test(rtcp, says_what_the_standard_says)
{
	/* RFC 3550 6.4.2 and 6.5: RR without a block, then SDES with one CNAME. */
	static const uint8_t wanted[] = { 0x80, 201, 0, 1, 0, 0, 0,   7,   0x81, 202, 0, 3,
					  0,    0,   0, 7, 1, 2, 'a', 'b', 0,    0,   0, 0 };
	const struct tl_rtcp_out out = { .ssrc = 7, .cname = "ab" };
	uint8_t bytes[TL_RTCP_MAX_BYTES];

	cr_assert_eq(tl_rtcp_write(&out, bytes), sizeof wanted);
	cr_expect_arr_eq(bytes, wanted, sizeof wanted);
}

Test(rtcp, knows_ntp_time)
{
	cr_expect_eq(tl_rtcp_ntp(0), 2208988800ULL << 32);
	cr_expect_eq(tl_rtcp_ntp(1500000) >> 32, 2208988801ULL);
	cr_expect_eq((uint32_t)tl_rtcp_ntp(1500000), 0x80000000u);
}
