#pragma once
/*
 * The server's side of digest authentication (RFC 3261 22.4, RFC 7616, RFC
 * 8760): reads what a client claims and checks its response. Whether its nonce
 * is good is for b2bua/registrar/nonce.h. Pure; any thread. The other side, answering
 * challenges, is b2bua/sip/digest.h.
 */
#include <stdbool.h>
#include <stdint.h>

enum tl_claim_algorithm {
	TL_CLAIM_MD5,
	TL_CLAIM_SHA256,
	_TL_CLAIM_ALGORITHM_MAX,
	_TL_CLAIM_ALGORITHM_INVALID = -22,
};
const char *tl_claim_algorithm_name(enum tl_claim_algorithm algorithm); /* "MD5", "SHA-256" */

/* An Authorization or Proxy-Authorization, read. */
struct tl_claim {
	char username[128], realm[256], nonce[128], uri[512], cnonce[256];
	char response[65];
	char nc_text[9];
	enum tl_claim_algorithm algorithm;
	bool qop_auth; /* false: the client speaks RFC 2069 only; nc is 1 then */
	uint32_t nc;
};

/*
 * Reads the parameters of a Digest header, each as `name=value` or
 * `name="value"`, NULL after the last. -EBADMSG: something that the response needs
 * is missing, is there twice, or is too long; -ENOTSUP: algorithm or qop that we never offered.
 */
int tl_claim_parse(const char *const *params, struct tl_claim *ret_claim);

/* What the claim is checked against; a password or hashes, or none for a user that isn't there,
 * which takes as long and never fits. */
struct tl_secret {
	const char *password;
	/* H(username:realm:password) in hex, by the algorithm; NULL: not known */
	const char *ha1[_TL_CLAIM_ALGORITHM_MAX];
};
bool tl_claim_verify(const struct tl_claim *claim, const char *method,
		     const struct tl_secret *secret);
