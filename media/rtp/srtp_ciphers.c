#include "media/rtp/srtp_ciphers.h"

#include <glib.h>
#include <openssl/evp.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdbool.h>
#include <string.h>

/*
 * libsrtp2 derives session keys, builds the IV of each packet, and asks for
 *
 *   AES-CM   set_iv, encrypt              key: AES key | 14 bytes of salt (RFC 3711 4.1.1)
 *   AES-GCM  set_iv, set_aad, encrypt, get_tag; or decrypt, which checks the tag
 *            key: AES key | 12 bytes of salt, which the IV has in it already (RFC 7714 8.1)
 *   HMAC     start, update, compute; or compute alone
 */

enum { CM_SALT_BYTES = 14, GCM_SALT_BYTES = 12, BLOCK_BYTES = 16 };

struct cipher {
	srtp_cipher_t base; /* what libsrtp2 holds; state points back here */
	EVP_CIPHER_CTX *evp;
	const EVP_CIPHER *kind;
	uint8_t salt[BLOCK_BYTES]; /* AES-CM: what the IV is added to */
	unsigned tag_bytes;
};

static srtp_err_status_t done(bool good)
{
	return good ? srtp_err_status_ok : srtp_err_status_cipher_fail;
}

static srtp_err_status_t make(const srtp_cipher_type_t *type, const EVP_CIPHER *kind, int key_len,
			      int tag_len, srtp_cipher_pointer_t *ret_cipher)
{
	int salt_bytes = type->set_aad ? GCM_SALT_BYTES : CM_SALT_BYTES;
	struct cipher *cipher;

	if (key_len != EVP_CIPHER_key_length(kind) + salt_bytes || tag_len > BLOCK_BYTES)
		return srtp_err_status_bad_param;
	cipher = g_new0(struct cipher, 1);
	cipher->base = (srtp_cipher_t) {
		.type = type, .state = cipher, .key_len = key_len, .algorithm = (int)type->id
	};
	cipher->kind = kind;
	cipher->tag_bytes = (unsigned)tag_len;
	cipher->evp = EVP_CIPHER_CTX_new();
	if (!cipher->evp) {
		g_free(cipher);
		return srtp_err_status_alloc_fail;
	}
	*ret_cipher = &cipher->base;
	return srtp_err_status_ok;
}

static srtp_err_status_t drop(srtp_cipher_pointer_t base)
{
	struct cipher *cipher = base->state;

	EVP_CIPHER_CTX_free(cipher->evp); /* wipes the key */
	explicit_bzero(cipher, sizeof *cipher);
	g_free(cipher);
	return srtp_err_status_ok;
}

static srtp_err_status_t set_key(void *state, const uint8_t *key)
{
	struct cipher *cipher = state;

	return done(EVP_CipherInit_ex(cipher->evp, cipher->kind, NULL, key, NULL, 1) == 1);
}

static srtp_err_status_t set_key_cm(void *state, const uint8_t *key)
{
	struct cipher *cipher = state;

	memcpy(cipher->salt, key + EVP_CIPHER_key_length(cipher->kind), CM_SALT_BYTES);
	return set_key(state, key);
}

static srtp_err_status_t set_iv_cm(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
	struct cipher *cipher = state;
	uint8_t counter[BLOCK_BYTES];

	for (size_t i = 0; i < BLOCK_BYTES; i++)
		counter[i] = iv[i] ^ cipher->salt[i];
	return done(EVP_CipherInit_ex(cipher->evp, NULL, NULL, NULL, counter, 1) == 1);
}

static srtp_err_status_t set_iv_gcm(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
	struct cipher *cipher = state;

	return done(EVP_CipherInit_ex(cipher->evp, NULL, NULL, NULL, iv,
				      direction == srtp_direction_encrypt) == 1);
}

static srtp_err_status_t set_aad(void *state, const uint8_t *aad, uint32_t bytes)
{
	struct cipher *cipher = state;
	int n;

	return done(EVP_CipherUpdate(cipher->evp, NULL, &n, aad, (int)bytes) == 1);
}

/* Either way where the key stream is all; the first half of GCM. */
static srtp_err_status_t run(void *state, uint8_t *buffer, unsigned *bytes)
{
	struct cipher *cipher = state;
	int n;

	return done(*bytes == 0 ||
		    EVP_CipherUpdate(cipher->evp, buffer, &n, buffer, (int)*bytes) == 1);
}

static srtp_err_status_t get_tag(void *state, uint8_t *tag, uint32_t *bytes)
{
	struct cipher *cipher = state;
	int n;

	*bytes = cipher->tag_bytes;
	return done(EVP_CipherFinal_ex(cipher->evp, tag, &n) == 1 &&
		    EVP_CIPHER_CTX_ctrl(cipher->evp, EVP_CTRL_AEAD_GET_TAG, (int)*bytes, tag) == 1);
}

static srtp_err_status_t open_gcm(void *state, uint8_t *buffer, unsigned *bytes)
{
	struct cipher *cipher = state;
	int n;

	if (*bytes < cipher->tag_bytes)
		return srtp_err_status_bad_param;
	*bytes -= cipher->tag_bytes;
	if (EVP_CIPHER_CTX_ctrl(cipher->evp, EVP_CTRL_AEAD_SET_TAG, (int)cipher->tag_bytes,
				buffer + *bytes) != 1 ||
	    run(state, buffer, bytes) != srtp_err_status_ok)
		return srtp_err_status_cipher_fail;
	return EVP_CipherFinal_ex(cipher->evp, buffer + *bytes, &n) == 1
		       ? srtp_err_status_ok
		       : srtp_err_status_auth_fail;
}

/* Key streams of RFC 3711 B.2 and RFC 6188 7.1; test cases 4 and 16 of the GCM specification. */
static uint8_t zero_iv[BLOCK_BYTES];
static const uint8_t zeros[32];
static const uint8_t key_cm_128[] = {
	0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f,
	0x3c, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd,
};
static const uint8_t stream_128[] = {
	0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1,
	0x6d, 0xd9, 0x2b, 0x4e, 0xb4, 0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02,
	0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab,
};
static const uint8_t key_cm_256[] = {
	0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c,
	0x40, 0xb1, 0xf0, 0x92, 0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82,
	0x72, 0x14, 0x7c, 0xc4, 0x38, 0x94, 0x4a, 0x98, 0xf0, 0xf1, 0xf2, 0xf3,
	0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd,
};
static const uint8_t stream_256[] = {
	0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77,
	0xd0, 0x8b, 0x55, 0x15, 0xa4, 0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8,
	0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac,
};
static const uint8_t key_gcm_128[] = {
	0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30,
	0x83, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t key_gcm_256[] = {
	0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83,
	0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30,
	0x83, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static uint8_t gcm_iv[] = {
	0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88,
};
static const uint8_t gcm_aad[] = {
	0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
	0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2,
};
static const uint8_t gcm_text[] = {
	0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26,
	0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31,
	0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
	0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39,
};
static const uint8_t sealed_128[] = {
	0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7, 0x84,
	0xd0, 0xd4, 0x9c, 0xe3, 0xaa, 0x21, 0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35, 0xc1,
	0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e, 0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66, 0x93,
	0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05, 0x1b, 0xa3, 0x0b, 0x39,
	0x6a, 0x0a, 0xac, 0x97, 0x3d, 0x58, 0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc, 0x32,
	0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47,
};
static const uint8_t sealed_256[] = {
	0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a,
	0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98,
	0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb,
	0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e, 0x63,
	0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce, 0x0f,
	0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b,
};

#define CM_CASE(name, key_bytes, stream)                                                           \
	static const srtp_cipher_test_case_t name = {                                              \
		sizeof key_bytes,                                                                  \
		key_bytes,                                                                         \
		zero_iv,                                                                           \
		sizeof zeros,                                                                      \
		zeros,                                                                             \
		sizeof stream,                                                                     \
		stream,                                                                            \
		0,                                                                                 \
		NULL,                                                                              \
		0,                                                                                 \
		NULL,                                                                              \
	}
#define GCM_CASE(name, key_bytes, sealed)                                                          \
	static const srtp_cipher_test_case_t                                                       \
		name = {                                                                           \
			sizeof key_bytes, key_bytes,     gcm_iv, sizeof gcm_text,                  \
			gcm_text,         sizeof sealed, sealed, sizeof gcm_aad,                   \
			gcm_aad,          BLOCK_BYTES,   NULL,                                     \
		}
CM_CASE(case_cm_128, key_cm_128, stream_128);
CM_CASE(case_cm_256, key_cm_256, stream_256);
GCM_CASE(case_gcm_128, key_gcm_128, sealed_128);
GCM_CASE(case_gcm_256, key_gcm_256, sealed_256);

static srtp_err_status_t make_cm_128(srtp_cipher_pointer_t *, int, int);
static srtp_err_status_t make_cm_256(srtp_cipher_pointer_t *, int, int);
static srtp_err_status_t make_gcm_128(srtp_cipher_pointer_t *, int, int);
static srtp_err_status_t make_gcm_256(srtp_cipher_pointer_t *, int, int);

static const srtp_cipher_type_t cm_128 = {
	make_cm_128,
	drop,
	set_key_cm,
	NULL,
	run,
	run,
	set_iv_cm,
	NULL,
	"AES-128 counter mode",
	&case_cm_128,
	SRTP_AES_ICM_128,
};
static const srtp_cipher_type_t cm_256 = {
	make_cm_256,
	drop,
	set_key_cm,
	NULL,
	run,
	run,
	set_iv_cm,
	NULL,
	"AES-256 counter mode",
	&case_cm_256,
	SRTP_AES_ICM_256,
};
static const srtp_cipher_type_t gcm_128 = {
	make_gcm_128, drop,          set_key,       set_aad,          run, open_gcm, set_iv_gcm,
	get_tag,      "AES-128 GCM", &case_gcm_128, SRTP_AES_GCM_128,
};
static const srtp_cipher_type_t gcm_256 = {
	make_gcm_256, drop,          set_key,       set_aad,          run, open_gcm, set_iv_gcm,
	get_tag,      "AES-256 GCM", &case_gcm_256, SRTP_AES_GCM_256,
};

static srtp_err_status_t make_cm_128(srtp_cipher_pointer_t *ret_cipher, int key_len, int tag_len)
{
	return make(&cm_128, EVP_aes_128_ctr(), key_len, tag_len, ret_cipher);
}

static srtp_err_status_t make_cm_256(srtp_cipher_pointer_t *ret_cipher, int key_len, int tag_len)
{
	return make(&cm_256, EVP_aes_256_ctr(), key_len, tag_len, ret_cipher);
}

static srtp_err_status_t make_gcm_128(srtp_cipher_pointer_t *ret_cipher, int key_len, int tag_len)
{
	return make(&gcm_128, EVP_aes_128_gcm(), key_len, tag_len, ret_cipher);
}

static srtp_err_status_t make_gcm_256(srtp_cipher_pointer_t *ret_cipher, int key_len, int tag_len)
{
	return make(&gcm_256, EVP_aes_256_gcm(), key_len, tag_len, ret_cipher);
}

int tl_srtp_ciphers_use(void)
{
	const srtp_cipher_type_t *types[] = { &cm_128, &cm_256, &gcm_128, &gcm_256 };
	int r = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (srtp_replace_cipher_type(types[i], types[i]->id) != srtp_err_status_ok) {
			g_debug("libsrtp2 keeps its own %s", types[i]->description);
			r = -EIO;
		}
	if (srtp_replace_auth_type(&tl_srtp_hmac, tl_srtp_hmac.id) != srtp_err_status_ok) {
		g_debug("libsrtp2 keeps its own %s", tl_srtp_hmac.description);
		r = -EIO;
	}
	return r;
}
