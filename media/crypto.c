#include "media/crypto.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <glib.h>

static const struct {
	const char *name;
	size_t key_bytes, overhead;
} suites[_TL_SRTP_SUITE_MAX] = {
	[TL_SRTP_AEAD_AES_128_GCM] = { "AEAD_AES_128_GCM", 16 + 12, 16 },
	[TL_SRTP_AEAD_AES_256_GCM] = { "AEAD_AES_256_GCM", 32 + 12, 16 },
	[TL_SRTP_AES_CM_128_HMAC_SHA1_80] = { "AES_CM_128_HMAC_SHA1_80", 16 + 14, 10 },
	[TL_SRTP_AES_CM_128_HMAC_SHA1_32] = { "AES_CM_128_HMAC_SHA1_32", 16 + 14, 4 },
	[TL_SRTP_AES_256_CM_HMAC_SHA1_80] = { "AES_256_CM_HMAC_SHA1_80", 32 + 14, 10 },
	[TL_SRTP_AES_256_CM_HMAC_SHA1_32] = { "AES_256_CM_HMAC_SHA1_32", 32 + 14, 4 },
};

const char *tl_srtp_suite_name(enum tl_srtp_suite suite)
{
	return suite > TL_SRTP_NONE && suite < _TL_SRTP_SUITE_MAX ? suites[suite].name : NULL;
}

enum tl_srtp_suite tl_srtp_suite_from_name(const char *name)
{
	for (int i = TL_SRTP_NONE + 1; i < _TL_SRTP_SUITE_MAX; i++)
		if (g_ascii_strcasecmp(name, suites[i].name) == 0)
			return (enum tl_srtp_suite)i;
	return _TL_SRTP_SUITE_INVALID;
}

size_t tl_srtp_suite_key_bytes(enum tl_srtp_suite suite)
{
	return suites[suite].key_bytes;
}

size_t tl_srtp_suite_overhead(enum tl_srtp_suite suite)
{
	return suites[suite].overhead;
}

bool tl_crypto_equal(const struct tl_crypto *a, const struct tl_crypto *b)
{
	if (a->suite != b->suite || a->mki_bytes != b->mki_bytes || a->mki != b->mki ||
	    a->n_more != b->n_more || memcmp(a->key, b->key, suites[a->suite].key_bytes) != 0)
		return false;
	for (size_t i = 0; i < a->n_more; i++)
		if (a->more[i].mki != b->more[i].mki ||
		    memcmp(a->more[i].key, b->more[i].key, suites[a->suite].key_bytes) != 0)
			return false;
	return true;
}

void tl_srtp_keys_make(struct tl_srtp_keys *keys)
{
	uint8_t *at = &keys->v[0][0];
	size_t left = sizeof keys->v;

	while (left > 0) {
		ssize_t n = getrandom(at, left, 0); /* more than 256 bytes may come in parts */

		if (n < 0 && errno != EINTR)
			g_error("no random numbers for keys: %s", g_strerror(errno));
		at += MAX(n, 0);
		left -= (size_t)MAX(n, 0);
	}
}

static const struct tl_crypto *find(const struct tl_crypto *crypto, size_t n,
				    const struct tl_crypto *other)
{
	for (size_t i = 0; i < n; i++)
		if (crypto[i].tag == other->tag && crypto[i].suite == other->suite)
			return &crypto[i];
	return NULL;
}

bool tl_crypto_pair(const struct tl_crypto *local, size_t n_local, const struct tl_crypto *remote,
		    size_t n_remote, struct tl_crypto *ret_send, struct tl_crypto *ret_receive)
{
	const struct tl_crypto *ours = NULL, *theirs = NULL;

	if (n_remote == 1) {
		theirs = &remote[0];
		ours = find(local, n_local, theirs);
	} else if (n_local == 1) {
		ours = &local[0];
		theirs = find(remote, n_remote, ours);
	}
	if (!ours || !theirs)
		return false;
	*ret_send = *ours;
	*ret_receive = *theirs;
	return true;
}
