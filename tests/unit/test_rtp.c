#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtp/rtp.h"

#define HEADER(first, pt) first, pt, 0x12, 0x34, 0, 0, 0x10, 0, 0xca, 0xfe, 0xba, 0xbe

Test(rtp, takes_apart_what_fits_and_refuses_the_rest)
{
	static const struct {
		const char *why;
		int r;
		unsigned payload_at, payload_bytes;
		size_t n;
		uint8_t data[40];
	} cases[] = {
		{ "bare header", 0, 12, 0, 12, { HEADER(0x80, 8) } },
		{ "payload", 0, 12, 3, 15, { HEADER(0x80, 8), 1, 2, 3 } },
		{ "nothing", -EBADMSG, 0, 0, 0, { 0 } },
		{ "one byte short", -EBADMSG, 0, 0, 11, { HEADER(0x80, 8) } },
		{ "version 1", -EBADMSG, 0, 0, 12, { HEADER(0x40, 8) } },
		{ "version 3, as STUN never has it", -EBADMSG, 0, 0, 12, { HEADER(0xc0, 8) } },
		{ "two CSRCs", 0, 20, 1, 21, { HEADER(0x82, 8), 1, 1, 1, 1, 2, 2, 2, 2, 9 } },
		{ "CSRCs beyond the end", -EBADMSG, 0, 0, 16, { HEADER(0x82, 8), 1, 1, 1, 1 } },
		{ "extension",
		  0,
		  20,
		  2,
		  22,
		  { HEADER(0x90, 8), 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 9, 9 } },
		{ "empty extension", 0, 16, 1, 17, { HEADER(0x90, 8), 0xbe, 0xde, 0, 0, 9 } },
		{ "extension cut in its head", -EBADMSG, 0, 0, 15, { HEADER(0x90, 8), 1, 1, 0 } },
		{ "extension beyond the end",
		  -EBADMSG,
		  0,
		  0,
		  20,
		  { HEADER(0x90, 8), 0xbe, 0xde, 0, 2, 7, 7, 7, 7 } },
		{ "huge extension", -EBADMSG, 0, 0, 16, { HEADER(0x90, 8), 0, 0, 0xff, 0xff } },
		{ "padding", 0, 12, 2, 16, { HEADER(0xa0, 8), 9, 9, 0, 2 } },
		{ "all padding", 0, 12, 0, 14, { HEADER(0xa0, 8), 0, 2 } },
		{ "no room for padding", -EBADMSG, 0, 0, 12, { HEADER(0xa0, 8) } },
		{ "padding of 0", -EBADMSG, 0, 0, 14, { HEADER(0xa0, 8), 9, 0 } },
		{ "more padding than payload", -EBADMSG, 0, 0, 14, { HEADER(0xa0, 8), 9, 3 } },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		/* Exactly as long as it is, so that a sanitizer sees a read too far. */
		uint8_t *data = malloc(cases[i].n + 1);
		struct tl_rtp rtp = { 0 };

		memcpy(data + 1, cases[i].data, cases[i].n);
		cr_expect_eq(tl_rtp_parse(data + 1, cases[i].n, &rtp), cases[i].r, "%s",
			     cases[i].why);
		free(data);
		if (cases[i].r < 0)
			continue;
		cr_expect_eq(rtp.payload_at, cases[i].payload_at, "%s", cases[i].why);
		cr_expect_eq(rtp.payload_bytes, cases[i].payload_bytes, "%s", cases[i].why);
		cr_expect_eq(rtp.seq, 0x1234);
		cr_expect_eq(rtp.ts, 0x1000);
		cr_expect_eq(rtp.ssrc, 0xcafebabe);
	}
}

Test(rtp, writes_what_it_reads)
{
	const struct tl_rtp in = { 101, true, 0xfffe, 0x89abcdef, 0x01234567, 0, 0 };
	uint8_t header[TL_RTP_HEADER_BYTES];
	struct tl_rtp out;

	tl_rtp_write(header, &in);
	cr_assert_eq(tl_rtp_parse(header, sizeof header, &out), 0);
	cr_expect_eq(out.pt, in.pt);
	cr_expect_eq(out.marker, in.marker);
	cr_expect_eq(out.seq, in.seq);
	cr_expect_eq(out.ts, in.ts);
	cr_expect_eq(out.ssrc, in.ssrc);
}

Test(rtp, tells_rtcp_on_the_same_port)
{
	cr_expect(tl_rtp_looks_like_rtcp((uint8_t[]) { 0x80, 200 }, 2));
	cr_expect(tl_rtp_looks_like_rtcp((uint8_t[]) { 0x81, 203 }, 2));
	cr_expect_not(tl_rtp_looks_like_rtcp((uint8_t[]) { 0x80, 0x80 | 8 }, 2), "a marker");
	cr_expect_not(tl_rtp_looks_like_rtcp((uint8_t[]) { 0x80, 0x80 | 101 }, 2));
	cr_expect_not(tl_rtp_looks_like_rtcp((uint8_t[]) { 0x80 }, 1));
	cr_expect_not(tl_rtp_looks_like_rtcp((uint8_t[]) { 0x00, 200 }, 2), "STUN");
}

Test(rtp, counts_round_the_circle)
{
	static const struct {
		uint16_t a, b;
		int minus;
	} cases[] = {
		{ 5, 3, 2 }, { 3, 5, -2 }, { 0, 65535, 1 }, { 65535, 0, -1 }, { 1000, 64536, 2000 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(tl_rtp_seq_minus(cases[i].a, cases[i].b), cases[i].minus);
	cr_expect_eq(tl_rtp_ts_minus(100, 0xffffff9c), 200);
}

Test(rtp, converts_times_without_overflow)
{
	const int64_t year_us = 365LL * 86400 * 1000000;

	cr_expect_eq(tl_rtp_us_to_units(20000, 8000), 160);
	cr_expect_eq(tl_rtp_units_to_us(960, 48000), 20000);
	cr_expect_eq(tl_rtp_us_to_units(10 * year_us, 48000), 10 * year_us / 1000000 * 48000);
}
