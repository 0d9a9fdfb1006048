#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "media/rtp/srtp.h"
#include "media/rtp/srtp_ciphers.h"

enum { PAYLOAD = 160 };

static struct tl_crypto crypto_of(enum tl_srtp_suite suite, uint8_t fill)
{
	struct tl_crypto crypto = { .tag = 1, .suite = suite };

	memset(crypto.key, fill, sizeof crypto.key);
	return crypto;
}

static void write_packet(struct tl_packet *packet, uint16_t seq, uint16_t at)
{
	struct tl_rtp rtp = { .pt = 8, .seq = seq, .ts = seq * 160u, .ssrc = 77 };

	memset(packet, 0, sizeof *packet);
	packet->at = at;
	tl_rtp_write(packet->data + at, &rtp);
	for (int i = 0; i < PAYLOAD; i++)
		packet->data[at + TL_RTP_HEADER_BYTES + i] = (uint8_t)(i * 7 + seq);
	packet->bytes = TL_RTP_HEADER_BYTES + PAYLOAD;
}

static void open_pair(enum tl_srtp_suite suite, struct tl_srtp **ret_out, struct tl_srtp **ret_in)
{
	struct tl_crypto crypto = crypto_of(suite, 0x5a);

	cr_assert_eq(tl_srtp_init(), 0);
	cr_assert_eq(tl_srtp_new(&crypto, true, ret_out), 0, "%s", tl_srtp_suite_name(suite));
	cr_assert_eq(tl_srtp_new(&crypto, false, ret_in), 0);
}

Test(srtp, each_suite_there_and_back_past_the_rollover)
{
	for (int suite = TL_SRTP_NONE + 1; suite < _TL_SRTP_SUITE_MAX; suite++) {
		struct tl_srtp *out, *in;

		open_pair((enum tl_srtp_suite)suite, &out, &in);
		for (uint32_t n = 65500; n < 65600; n++) {
			struct tl_packet packet, plain;
			uint16_t at = n % 2 ? 16 : 0;

			write_packet(&plain, (uint16_t)n, at);
			packet = plain;
			cr_assert_eq(tl_srtp_protect(out, &packet, false), 0);
			cr_expect_eq(packet.bytes, plain.bytes + tl_srtp_suite_overhead((
									 enum tl_srtp_suite)suite));
			cr_expect_arr_neq(packet.data + at + TL_RTP_HEADER_BYTES,
					  plain.data + at + TL_RTP_HEADER_BYTES, PAYLOAD);
			cr_assert_eq(tl_srtp_unprotect(in, &packet, false), 0, "suite %d n %u",
				     suite, n);
			cr_expect_eq(packet.bytes, plain.bytes);
			cr_expect_arr_eq(packet.data + at, plain.data + at, plain.bytes);
		}
		tl_srtp_free(out);
		tl_srtp_free(in);
	}
}

/* RFC 3711 3.1: before the tag; RFC 7714 8.2: behind it, since that belongs to the ciphertext. */
static void insert_mki(struct tl_packet *packet, size_t before_end)
{
	static const uint8_t mki[] = { 0, 0, 1, 2 };
	uint8_t *end = packet->data + packet->at + packet->bytes;

	memmove(end - before_end + sizeof mki, end - before_end, before_end);
	memcpy(end - before_end, mki, sizeof mki);
	packet->bytes += (uint16_t)sizeof mki;
}

Test(srtp, each_suite_with_a_key_that_is_named)
{
	for (int suite = TL_SRTP_NONE + 1; suite < _TL_SRTP_SUITE_MAX; suite++) {
		bool gcm = suite <= TL_SRTP_AEAD_AES_256_GCM;
		struct tl_crypto crypto = crypto_of((enum tl_srtp_suite)suite, 0x5a);
		struct tl_srtp *out, *plain_in, *in;
		struct tl_packet packet, plain;

		open_pair((enum tl_srtp_suite)suite, &out, &plain_in);
		crypto.mki = 258;
		crypto.mki_bytes = 4;
		cr_assert_eq(tl_srtp_new(&crypto, false, &in), 0);
		cr_expect(!tl_srtp_has(plain_in, &crypto));
		write_packet(&plain, 7, 0);
		packet = plain;
		cr_assert_eq(tl_srtp_protect(out, &packet, false), 0);
		insert_mki(&packet, gcm ? 0 : tl_srtp_suite_overhead((enum tl_srtp_suite)suite));
		cr_assert_eq(tl_srtp_unprotect(in, &packet, false), 0, "suite %d", suite);
		cr_expect_eq(packet.bytes, plain.bytes);
		cr_expect_arr_eq(packet.data, plain.data, plain.bytes);
		write_packet(&packet, 8, 0); /* without it */
		cr_assert_eq(tl_srtp_protect(out, &packet, false), 0);
		cr_expect_eq(tl_srtp_unprotect(in, &packet, false), -EBADMSG);
		tl_srtp_free(out);
		tl_srtp_free(plain_in);
		tl_srtp_free(in);
	}
}

Test(srtp, what_is_forged_replayed_or_plain_is_refused)
{
	struct tl_packet packet, copy, plain;
	struct tl_srtp *out, *in, *other;
	struct tl_crypto wrong = crypto_of(TL_SRTP_AES_CM_128_HMAC_SHA1_80, 0x11);

	open_pair(TL_SRTP_AES_CM_128_HMAC_SHA1_80, &out, &in);
	cr_assert_eq(tl_srtp_new(&wrong, false, &other), 0);
	write_packet(&plain, 1, 0);
	packet = plain;
	cr_assert_eq(tl_srtp_protect(out, &packet, false), 0);
	copy = packet;
	cr_expect_eq(tl_srtp_unprotect(other, &copy, false), -EBADMSG, "another key");
	copy = packet;
	copy.data[40] ^= 1;
	cr_expect_eq(tl_srtp_unprotect(in, &copy, false), -EBADMSG, "a bit changed");
	cr_expect_eq(tl_srtp_unprotect(in, &plain, false), -EBADMSG, "not encrypted");
	for (uint16_t n = 0; n < 40; n++) {
		copy = packet;
		copy.bytes = n;
		cr_expect_eq(tl_srtp_unprotect(in, &copy, false), -EBADMSG, "%u bytes", n);
	}
	copy = packet;
	cr_expect_eq(tl_srtp_unprotect(in, &copy, false), 0);
	copy = packet;
	cr_expect_eq(tl_srtp_unprotect(in, &copy, false), -EBADMSG, "a second time");
	plain.bytes = TL_PACKET_BYTES;
	cr_expect_eq(tl_srtp_protect(out, &plain, false), -EBADMSG, "no room for the tag");
	tl_srtp_free(out);
	tl_srtp_free(in);
	tl_srtp_free(other);
}

Test(srtp, a_repeated_packet_goes_out_again)
{
	struct tl_packet packet, again;
	struct tl_srtp *out, *in;

	open_pair(TL_SRTP_AEAD_AES_128_GCM, &out, &in);
	write_packet(&packet, 9, 0);
	again = packet;
	cr_expect_eq(tl_srtp_protect(out, &packet, false), 0);
	cr_expect_eq(tl_srtp_protect(out, &again, false), 0);
	tl_srtp_free(out);
	tl_srtp_free(in);
}

Test(srtp, reports_are_encrypted_too)
{
	/* a receiver report without blocks, RFC 3550 6.4.2 */
	static const uint8_t report[] = { 0x80, 201, 0, 1, 0, 0, 0, 77 };

	for (int suite = TL_SRTP_NONE + 1; suite < _TL_SRTP_SUITE_MAX; suite++) {
		struct tl_packet packet = { .bytes = sizeof report };
		struct tl_srtp *out, *in;

		open_pair((enum tl_srtp_suite)suite, &out, &in);
		memcpy(packet.data, report, sizeof report);
		cr_assert_eq(tl_srtp_protect(out, &packet, true), 0);
		cr_expect_gt(packet.bytes, sizeof report);
		cr_assert_eq(tl_srtp_unprotect(in, &packet, true), 0);
		cr_expect_arr_eq(packet.data, report, sizeof report);
		tl_srtp_free(out);
		tl_srtp_free(in);
	}
}

Test(srtp, a_context_knows_its_key)
{
	struct tl_crypto crypto = crypto_of(TL_SRTP_AES_256_CM_HMAC_SHA1_80, 0x5a),
			 none = { .suite = TL_SRTP_NONE };
	struct tl_srtp *out, *in;

	open_pair(TL_SRTP_AES_256_CM_HMAC_SHA1_80, &out, &in);
	crypto.tag = 9;
	cr_expect(tl_srtp_has(out, &crypto), "the tag is no part of it");
	crypto.key[45] ^= 1;
	cr_expect_not(tl_srtp_has(out, &crypto));
	cr_expect_not(tl_srtp_has(out, &none));
	cr_expect_not(tl_srtp_has(NULL, &none));
	cr_expect_eq(tl_srtp_new(&none, true, &in), -ENOTSUP);
	tl_srtp_free(out);
	tl_srtp_free(in);
}

Test(srtp, takes_the_ciphers_of_ours)
{
	cr_assert_eq(tl_srtp_init(), 0);
	cr_expect_eq(tl_srtp_ciphers_use(), 0,
		     "libsrtp2 refuses one, or it fails its test vectors");
}
