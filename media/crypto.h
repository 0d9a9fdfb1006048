#pragma once
/*
 * What SDP says about encryption of media (SDES, RFC 4568, RFC 6188, RFC 7714):
 * plain data. Keys are never logged.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By cost, the cheapest first: the order in which they are offered. */
enum tl_srtp_suite {
	TL_SRTP_NONE,
	TL_SRTP_AEAD_AES_128_GCM,
	TL_SRTP_AEAD_AES_256_GCM,
	TL_SRTP_AES_CM_128_HMAC_SHA1_80,
	TL_SRTP_AES_CM_128_HMAC_SHA1_32,
	TL_SRTP_AES_256_CM_HMAC_SHA1_80,
	TL_SRTP_AES_256_CM_HMAC_SHA1_32,
	_TL_SRTP_SUITE_MAX,
	_TL_SRTP_SUITE_INVALID = -22,
};

enum {
	TL_SRTP_KEY_MAX = 46, /* master key and salt */
	TL_SRTP_MKI_MAX = 16, /* bytes of a key's identifier that are put up with */
	TL_SRTP_KEYS_MAX = 4, /* in one line; lines with more of them are none that we know */
	TL_DESC_CRYPTO = 8,   /* a=crypto lines kept of a description; more are ignored */
};

/* As SDP has it: "AES_CM_128_HMAC_SHA1_80". NULL: not one of them. */
const char *tl_srtp_suite_name(enum tl_srtp_suite suite);
enum tl_srtp_suite tl_srtp_suite_from_name(const char *name); /* any case */
/* Of master key and salt together, RFC 4568 6.2, RFC 6188, RFC 7714 12. */
size_t tl_srtp_suite_key_bytes(enum tl_srtp_suite suite);
/* What a packet of RTP grows by. */
size_t tl_srtp_suite_overhead(enum tl_srtp_suite suite);

struct tl_crypto { /* an a=crypto line */
	unsigned tag;
	enum tl_srtp_suite suite; /* TL_SRTP_NONE: no encryption */
	uint8_t key[TL_SRTP_KEY_MAX];
	uint8_t mki_bytes; /* what is encrypted by it names it (RFC 3711 3.1); 0: ours never do */
	uint32_t mki;
	uint8_t n_more; /* keys that may be used in its place: each packet says which */
	struct tl_crypto_key {
		uint8_t key[TL_SRTP_KEY_MAX];
		uint32_t mki; /* of mki_bytes, too */
	} more[TL_SRTP_KEYS_MAX - 1];
};

/* Of an offer and its answer, which has one line, with a tag of the offer's: what we encrypt and
 * decrypt with. False: they have no key in common. */
bool tl_crypto_pair(const struct tl_crypto *local, size_t n_local, const struct tl_crypto *remote,
		    size_t n_remote, struct tl_crypto *ret_send, struct tl_crypto *ret_receive);
bool tl_crypto_equal(const struct tl_crypto *a, const struct tl_crypto *b); /* the tag apart */

/* What a leg may do, and the keys that are its own as long as it is in one media session, one a
 * suite (a new key would begin a new stream at the peer: RFC 4568 7.1.4). */
enum tl_srtp_mode {
	TL_SRTP_MODE_OFF,      /* plain RTP only */
	TL_SRTP_MODE_OPTIONAL, /* plain RTP is offered; an offer's wish is followed */
	TL_SRTP_MODE_OFFER,    /* offered beside plain RTP (RFC 8643), and followed */
	TL_SRTP_MODE_REQUIRED,
};

struct tl_srtp_keys {
	uint8_t v[_TL_SRTP_SUITE_MAX][TL_SRTP_KEY_MAX];
};
/* From the kernel's random source. */
void tl_srtp_keys_make(struct tl_srtp_keys *keys);
