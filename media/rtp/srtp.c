#include "media/rtp/srtp.h"

#include <errno.h>

#include <glib.h>
#include <srtp2/srtp.h>

#include "media/rtp/srtp_ciphers.h"

enum { REPLAY_WINDOW = 512 }; /* packets that may come so late */

struct tl_srtp {
	srtp_t session;
	struct tl_crypto crypto;
};

static bool start(void)
{
	if (srtp_init() != srtp_err_status_ok)
		return false;
	if (tl_srtp_ciphers_use() < 0)
		g_debug("libsrtp2 does not take a cipher of ours");
	return true;
}

/* libsrtp2 refuses to be started a second time in a process. */
int tl_srtp_init(void)
{
	static gsize done;

	if (g_once_init_enter(&done))
		g_once_init_leave(&done, start() ? 1 : 2);
	return done == 1 ? 0 : -EIO;
}

/* SRTCP has the long tag also where RTP has the short one, RFC 4568 6.2. */
static bool set_suite(srtp_policy_t *policy, enum tl_srtp_suite suite)
{
	switch (suite) {
	case TL_SRTP_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
		return true;
	case TL_SRTP_AEAD_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
		return true;
	case TL_SRTP_AES_CM_128_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		return true;
	case TL_SRTP_AES_CM_128_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		return true;
	case TL_SRTP_AES_256_CM_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
		return true;
	case TL_SRTP_AES_256_CM_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
		return true;
	case TL_SRTP_NONE:
	case _TL_SRTP_SUITE_MAX:
	case _TL_SRTP_SUITE_INVALID:
		return false;
	}
	return false;
}

/* Big-endian. */
static void write_mki(uint32_t number, size_t bytes, uint8_t mki[TL_SRTP_MKI_MAX])
{
	for (size_t i = 0; i < bytes; i++) {
		size_t place = bytes - 1u - i;

		mki[i] = place < sizeof number ? (uint8_t)(number >> (8 * place)) : 0;
	}
}

/* A line's keys as the library wants them, which copies what it needs. */
struct keyring {
	srtp_master_key_t keys[TL_SRTP_KEYS_MAX], *list[TL_SRTP_KEYS_MAX];
	uint8_t mki[TL_SRTP_KEYS_MAX][TL_SRTP_MKI_MAX];
	unsigned n;
};

static void put(struct keyring *ring, uint8_t *key, uint32_t mki, uint8_t mki_bytes)
{
	unsigned i = ring->n++;

	write_mki(mki, mki_bytes, ring->mki[i]);
	ring->keys[i] = (srtp_master_key_t) { key, ring->mki[i], mki_bytes };
	ring->list[i] = &ring->keys[i];
}

int tl_srtp_new(const struct tl_crypto *crypto, bool outgoing, struct tl_srtp **ret_srtp)
{
	struct tl_srtp *srtp = g_new0(struct tl_srtp, 1);
	struct tl_crypto *own = &srtp->crypto;
	struct keyring ring = { .n = 0 };
	srtp_policy_t policy = {
		.ssrc.type = outgoing ? ssrc_any_outbound : ssrc_any_inbound,
		.keys = ring.list,
		.window_size = REPLAY_WINDOW,
		.allow_repeat_tx = 1, /* a relayed stream repeats what its sender did */
	};

	*own = *crypto;
	put(&ring, own->key, own->mki, own->mki_bytes);
	for (size_t i = 0; i < own->n_more; i++)
		put(&ring, own->more[i].key, own->more[i].mki, own->mki_bytes);
	policy.num_master_keys = ring.n;
	if (!set_suite(&policy, crypto->suite) ||
	    srtp_create(&srtp->session, &policy) != srtp_err_status_ok) {
		g_free(srtp);
		return -ENOTSUP;
	}
	*ret_srtp = srtp;
	return 0;
}

void tl_srtp_free(struct tl_srtp *srtp)
{
	if (!srtp)
		return;
	srtp_dealloc(srtp->session);
	explicit_bzero(srtp, sizeof *srtp);
	g_free(srtp);
}

bool tl_srtp_has(const struct tl_srtp *srtp, const struct tl_crypto *crypto)
{
	return srtp && tl_crypto_equal(&srtp->crypto, crypto);
}

int tl_srtp_protect(struct tl_srtp *srtp, struct tl_packet *packet, bool rtcp)
{
	uint8_t *begin = packet->data + packet->at;
	int bytes = packet->bytes;
	srtp_err_status_t status;

	if ((size_t)packet->at + packet->bytes + SRTP_MAX_TRAILER_LEN + 4 > sizeof packet->data)
		return -EBADMSG;
	status = rtcp ? srtp_protect_rtcp(srtp->session, begin, &bytes)
		      : srtp_protect(srtp->session, begin, &bytes);
	if (status != srtp_err_status_ok)
		return -EBADMSG;
	packet->bytes = (uint16_t)bytes;
	return 0;
}

int tl_srtp_unprotect(struct tl_srtp *srtp, struct tl_packet *packet, bool rtcp)
{
	uint8_t *begin = packet->data + packet->at;
	unsigned use_mki = srtp->crypto.mki_bytes > 0;
	int bytes = packet->bytes;
	srtp_err_status_t status;

	status = rtcp ? srtp_unprotect_rtcp_mki(srtp->session, begin, &bytes, use_mki)
		      : srtp_unprotect_mki(srtp->session, begin, &bytes, use_mki);
	if (status != srtp_err_status_ok)
		return -EBADMSG;
	packet->bytes = (uint16_t)bytes;
	return 0;
}
