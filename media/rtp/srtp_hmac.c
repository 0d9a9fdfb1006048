#define OPENSSL_SUPPRESS_DEPRECATED
#include "media/rtp/srtp_ciphers.h"

#include <glib.h>
#include <openssl/sha.h>
#include <string.h>

/*
 * HMAC-SHA1 (RFC 2104) with the states after the padded key kept: a tag then costs
 * the hash of the packet and one block more. By SHA1_Update() and its like, though they
 * are called deprecated since OpenSSL 3: a state is a plain struct there, where
 * EVP_MAC allocates memory three times for each packet.
 */

enum { BLOCK_BYTES = SHA_CBLOCK, TAG_BYTES = SHA_DIGEST_LENGTH };
enum { INNER_PAD = 0x36, OUTER_PAD = 0x5c };

struct hmac {
	srtp_auth_t base; /* what libsrtp2 holds; state points back here */
	SHA_CTX inner, outer, now;
};

static srtp_err_status_t make(srtp_auth_pointer_t *ret_auth, int key_len, int out_len)
{
	struct hmac *hmac;

	if (key_len > BLOCK_BYTES || out_len > TAG_BYTES)
		return srtp_err_status_bad_param;
	hmac = g_new0(struct hmac, 1);
	hmac->base = (srtp_auth_t) {
		.type = &tl_srtp_hmac, .state = hmac, .out_len = out_len, .key_len = key_len
	};
	*ret_auth = &hmac->base;
	return srtp_err_status_ok;
}

static srtp_err_status_t drop(srtp_auth_pointer_t base)
{
	struct hmac *hmac = base->state;

	explicit_bzero(hmac, sizeof *hmac);
	g_free(hmac);
	return srtp_err_status_ok;
}

static void begin(SHA_CTX *sha, const uint8_t *key, int key_len, uint8_t pad)
{
	uint8_t block[BLOCK_BYTES];

	memset(block, pad, sizeof block);
	for (int i = 0; i < key_len; i++)
		block[i] ^= key[i];
	SHA1_Init(sha);
	SHA1_Update(sha, block, sizeof block);
	explicit_bzero(block, sizeof block);
}

static srtp_err_status_t start(void *state)
{
	struct hmac *hmac = state;

	hmac->now = hmac->inner;
	return srtp_err_status_ok;
}

static srtp_err_status_t set_key(void *state, const uint8_t *key, int key_len)
{
	struct hmac *hmac = state;

	if (key_len > BLOCK_BYTES)
		return srtp_err_status_bad_param;
	begin(&hmac->inner, key, key_len, INNER_PAD);
	begin(&hmac->outer, key, key_len, OUTER_PAD);
	return start(state);
}

static srtp_err_status_t update(void *state, const uint8_t *bytes, int n)
{
	struct hmac *hmac = state;

	SHA1_Update(&hmac->now, bytes, (size_t)n);
	return srtp_err_status_ok;
}

static srtp_err_status_t compute(void *state, const uint8_t *bytes, int n, int tag_len,
				 uint8_t *tag)
{
	struct hmac *hmac = state;
	uint8_t digest[TAG_BYTES];

	if (tag_len > TAG_BYTES)
		return srtp_err_status_bad_param;
	SHA1_Update(&hmac->now, bytes, (size_t)n);
	SHA1_Final(digest, &hmac->now);
	hmac->now = hmac->outer;
	SHA1_Update(&hmac->now, digest, sizeof digest);
	SHA1_Final(digest, &hmac->now);
	memcpy(tag, digest, (size_t)tag_len);
	return start(state);
}

/* Of RFC 2202, the first. */
static const uint8_t key[TAG_BYTES] = { 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
					11, 11, 11, 11, 11, 11, 11, 11, 11, 11 };
static const uint8_t text[] = { 'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e' };
static const uint8_t digest_of_text[] = {
	0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
	0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00,
};
static const srtp_auth_test_case_t test_case = {
	sizeof key, key, sizeof text, text, sizeof digest_of_text, digest_of_text, NULL,
};

const srtp_auth_type_t tl_srtp_hmac = {
	make, drop, set_key, compute, update, start, "HMAC-SHA1", &test_case, SRTP_HMAC_SHA1,
};
