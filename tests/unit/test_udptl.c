/* UDPTL against datagrams written by hand from T.38 9.1, and against itself. */
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "media/fax/udptl.h"

struct heard {
	GString *text; /* "kind+lost " of each packet, kind: that of an indicator */
};

static void on_ifp(const uint8_t *ifp, size_t bytes, unsigned lost, void *user)
{
	struct heard *heard = user;

	g_string_append_printf(heard->text, "%u", ifp[0] >> 1);
	if (lost)
		g_string_append_printf(heard->text, "+%u", lost);
	if (bytes != 1)
		g_string_append_printf(heard->text, "(%zu)", bytes);
	g_string_append_c(heard->text, ' ');
}

static struct tl_udptl *new_udptl(enum tl_t38_recovery recovery)
{
	struct tl_t38 agreed = tl_t38_ours();

	agreed.recovery = recovery;
	return tl_udptl_new(&agreed);
}

#define READ(udptl, heard, ...)                                                                    \
	tl_udptl_read(udptl, (const uint8_t[]) { __VA_ARGS__ },                                    \
		      sizeof((const uint8_t[]) { __VA_ARGS__ }), on_ifp, heard)

/* Indicators of one byte: kind << 1 */
Test(udptl, what_is_lost_comes_back_by_repetition)
{
	struct tl_udptl *udptl = new_udptl(TL_T38_RECOVERY_REDUNDANCY);
	struct heard heard = { g_string_new(NULL) };

	cr_expect_eq(READ(udptl, &heard, 0, 0, 1, 2, 0, 0), 1);
	cr_expect_eq(READ(udptl, &heard, 0, 0, 1, 2, 0, 0), 0, "a repeat");
	cr_expect_eq(READ(udptl, &heard, 0, 3, 1, 8, 0, 2, 1, 6, 1, 4), 3, "1 and 2 were lost");
	cr_expect_eq(READ(udptl, &heard, 0, 2, 1, 6, 0, 0), 0, "late");
	cr_expect_eq(READ(udptl, &heard, 0, 6, 1, 14, 0, 0), 1, "4 and 5 are gone");
	cr_expect_str_eq(heard.text->str, "1 2 3 4 7+2 ");
	g_string_free(heard.text, TRUE);
	tl_udptl_free(udptl);
}

Test(udptl, what_is_lost_comes_back_by_parity)
{
	struct tl_udptl *udptl = new_udptl(TL_T38_RECOVERY_FEC);
	struct heard heard = { g_string_new(NULL) };

	READ(udptl, &heard, 0, 0, 1, 2, 0x80, 1, 0, 0);
	READ(udptl, &heard, 0, 1, 1, 4, 0x80, 1, 0, 0);
	READ(udptl, &heard, 0, 2, 1, 6, 0x80, 1, 0, 0);
	/* 3 is lost; span 2, two entries: parity of 0 and 2, and of 1 and 3 */
	cr_expect_eq(READ(udptl, &heard, 0, 4, 1, 10, 0x80, 1, 2, 2, 1, 2 ^ 6, 1, 4 ^ 8), 2);
	cr_expect_str_eq(heard.text->str, "1 2 3 4 5 ");
	g_string_free(heard.text, TRUE);
	tl_udptl_free(udptl);
}

Test(udptl, refuses_what_is_no_udptl_and_follows_a_peer_that_begins_anew)
{
	struct tl_udptl *udptl = new_udptl(TL_T38_RECOVERY_REDUNDANCY);
	struct heard heard = { g_string_new(NULL) };

	cr_expect_eq(READ(udptl, &heard, 0), -EBADMSG);
	cr_expect_eq(READ(udptl, &heard, 0, 0, 5, 2), -EBADMSG, "longer than there is");
	cr_expect_eq(READ(udptl, &heard, 0, 0, 1, 2, 0, 1), -EBADMSG, "one repeat is missing");
	cr_expect_eq(READ(udptl, &heard, 0, 0, 1, 2, 0x80, 2, 0, 1, 1), -EBADMSG, "a long span");
	cr_expect_eq(READ(udptl, &heard, 0, 0, 0xc1, 2, 0, 0), -EBADMSG, "in fragments");
	cr_expect_eq(READ(udptl, &heard, 0, 0, 3, 0xc0, 1, 0x80, 0, 0), -EBADMSG, "half a field");
	cr_expect_eq(READ(udptl, &heard, 0x80, 8, 1, 2, 0, 0), -EBADMSG, "late RTP");
	cr_expect_eq(READ(udptl, &heard, 0x80, 8, 1, 2, 0, 0), -EBADMSG, "more of it");
	cr_expect_eq(READ(udptl, &heard, 0, 9, 1, 2, 0, 0), 1, "may begin anywhere");
	cr_expect_eq(READ(udptl, &heard, 0x40, 0, 1, 4, 0, 0), -EBADMSG, "out of all order");
	cr_expect_eq(READ(udptl, &heard, 0x40, 1, 1, 6, 0, 0), 1, "but here is the next");
	cr_expect_str_eq(heard.text->str, "1 3 ");
	g_string_free(heard.text, TRUE);
	tl_udptl_free(udptl);
}

/* Every third datagram, or two of six in a row, is lost; numbers go round meanwhile. */
static void converse(enum tl_t38_recovery recovery, unsigned period, unsigned lost)
{
	struct tl_udptl *udptl = new_udptl(recovery);
	struct heard heard = { g_string_new(NULL) };
	uint8_t data[TL_UDPTL_BYTES];

	tl_udptl_skip(udptl, 32000);
	cr_expect_eq(READ(udptl, &heard, 124, 255, 1, 0, 0, 0), 1);
	g_string_truncate(heard.text, 0);
	for (unsigned i = 0; i < 40000; i++) {
		uint8_t ifp = (uint8_t)(i % 16 << 1);
		size_t n = tl_udptl_write(udptl, &ifp, 1, data);

		if (i % period < period - lost)
			cr_assert_gt(tl_udptl_read(udptl, data, n, on_ifp, &heard), 0);
	}
	cr_expect_not(strchr(heard.text->str, '+'), "something stayed lost");
	g_string_free(heard.text, TRUE);
	tl_udptl_free(udptl);
}

Test(udptl, reads_what_it_writes_over_a_bad_net)
{
	converse(TL_T38_RECOVERY_REDUNDANCY, 3, 1);
	converse(TL_T38_RECOVERY_REDUNDANCY, 6, 3);
	converse(TL_T38_RECOVERY_FEC, 13, 1);
	converse(TL_T38_RECOVERY_FEC, 13, 3);
}

Test(udptl, stays_within_what_the_peer_takes)
{
	struct tl_t38 agreed = tl_t38_ours();
	struct tl_udptl *udptl;
	/* data, V.17, one field of 60 octets */
	uint8_t ifp[65] = { 0xc0 | 8 << 1, 1, 0x80 | 6 << 4, 0, 59 }, data[TL_UDPTL_BYTES];

	agreed.max_datagram_bytes = 150;
	for (int recovery = 0; recovery <= TL_T38_RECOVERY_FEC; recovery++) {
		agreed.recovery = (enum tl_t38_recovery)recovery;
		udptl = tl_udptl_new(&agreed);
		for (unsigned i = 0; i < 50; i++)
			cr_assert_leq(tl_udptl_write(udptl, ifp, sizeof ifp, data), 150);
		tl_udptl_free(udptl);
	}
}

Test(udptl, measures_ifp_packets)
{
	static const struct {
		const char *why;
		uint8_t data[12];
		size_t n;
		unsigned version;
		int bytes;
	} cases[] = {
		{ "nothing", { 0 }, 0, 0, -EBADMSG },
		{ "CED", { 2 << 1 }, 1, 0, 1 },
		{ "CED and padding", { 2 << 1, 0, 0 }, 3, 0, 1 },
		{ "an indicator with data", { 0x84, 0 }, 2, 0, -EBADMSG },
		{ "data without", { 0x40 }, 1, 0, -EBADMSG },
		{ "no fields", { 0xc0, 0 }, 2, 0, 2 },
		{ "two octets", { 0xc0, 1, 0x80, 0, 1, 5, 6, 9 }, 8, 0, 7 },
		{ "one of two octets", { 0xc0, 1, 0x80, 0, 1, 5 }, 6, 0, -EBADMSG },
		{ "two fields in a byte, version 0", { 0xc0, 2, 0x21 }, 3, 0, 3 },
		{ "two fields in two bytes, version 1", { 0xc0, 2, 0x10, 0x08 }, 4, 1, 4 },
		{ "octets behind half a byte", { 0xc0, 2, 0x28, 0, 0, 7 }, 6, 0, 6 },
		{ "V.34, version 3", { 0x20, 0x40 }, 2, 3, 2 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		cr_expect_eq(tl_ifp_measure(cases[i].data, cases[i].n, cases[i].version),
			     cases[i].bytes, "%s", cases[i].why);
}
