#include "rig.h"

#include <glib.h>
#include <srtp2/srtp.h>
#include <string.h>

/*
 * libsrtp2 as both ends of a call use it: one context for what leaves, one for
 * what comes in, a key for each way. It is the phones' encryption, and by itself
 * the floor under the gateway's: with the ciphers that it was built with.
 */

enum {
	STREAMS = 100,
	FRAMES = 50,                               /* of each stream: a second */
	PACKET_BYTES = 512 + SRTP_MAX_TRAILER_LEN, /* and what a sealed one grows by */
	HEAD_BYTES = 12,
	REPLAY_WINDOW = 512,
};

struct rig_sealer {
	srtp_t out, in;
};

static void set_suite(srtp_policy_t *policy, enum tl_srtp_suite suite)
{
	if (suite == TL_SRTP_AEAD_AES_128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
	} else {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
	}
}

void rig_key(struct tl_crypto *crypto, enum tl_srtp_suite suite, bool phone)
{
	*crypto = (struct tl_crypto) { .tag = 1, .suite = suite };
	for (size_t i = 0; i < TL_SRTP_KEY_MAX; i++)
		crypto->key[i] = (uint8_t)(i * 7 + (phone ? 101 : 13));
}

static srtp_t open_context(struct tl_crypto *crypto, bool outgoing)
{
	srtp_policy_t policy = {
		.ssrc.type = outgoing ? ssrc_any_outbound : ssrc_any_inbound,
		.key = crypto->key,
		.window_size = REPLAY_WINDOW,
		.allow_repeat_tx = 1,
	};
	srtp_t context;

	set_suite(&policy, crypto->suite);
	if (srtp_create(&context, &policy) != srtp_err_status_ok)
		g_error("libsrtp2 lacks %s", tl_srtp_suite_name(crypto->suite));
	return context;
}

/* libsrtp2 as the distribution builds it. What is below it may refuse to work after a fork, so no
 * parent starts it. */
static void start(void)
{
	static bool started;

	if (!started && srtp_init() != srtp_err_status_ok)
		g_error("libsrtp2 does not start");
	started = true;
}

struct rig_sealer *rig_sealer_new(enum tl_srtp_suite suite, bool phone)
{
	struct rig_sealer *sealer = g_new(struct rig_sealer, 1);
	struct tl_crypto ours, theirs;

	start();
	rig_key(&ours, suite, phone);
	rig_key(&theirs, suite, !phone);
	sealer->out = open_context(&ours, true);
	sealer->in = open_context(&theirs, false);
	return sealer;
}

void rig_sealer_expect(struct rig_sealer *sealer, const struct tl_crypto *crypto)
{
	struct tl_crypto theirs = *crypto;

	srtp_dealloc(sealer->in);
	sealer->in = open_context(&theirs, false);
}

void rig_sealer_free(struct rig_sealer *sealer)
{
	srtp_dealloc(sealer->out);
	srtp_dealloc(sealer->in);
	g_free(sealer);
}

size_t rig_seal(struct rig_sealer *sealer, uint8_t *packet, size_t bytes)
{
	int n = (int)bytes;

	return srtp_protect(sealer->out, packet, &n) == srtp_err_status_ok ? (size_t)n : 0;
}

size_t rig_unseal(struct rig_sealer *sealer, uint8_t *packet, size_t bytes)
{
	int n = (int)bytes;

	return srtp_unprotect(sealer->in, packet, &n) == srtp_err_status_ok ? (size_t)n : 0;
}

static size_t write_packet(uint8_t *packet, unsigned stream, unsigned frame)
{
	const struct rig_loop *loop = rig_loop_get("PCMA");
	size_t bytes = loop->frames[frame % RIG_LOOP_FRAMES].bytes;
	uint8_t head[HEAD_BYTES] = { 0x80, loop->pt, (uint8_t)(frame >> 8), (uint8_t)frame };

	head[HEAD_BYTES - 1] = (uint8_t)stream;
	memcpy(packet, head, HEAD_BYTES);
	memcpy(packet + HEAD_BYTES, loop->frames[frame % RIG_LOOP_FRAMES].payload, bytes);
	return HEAD_BYTES + bytes;
}

/* Seals or opens a packet of every stream; returns the CPU time of that. */
static double run_all(struct rig_sealer **sealers, uint8_t (*packets)[PACKET_BYTES], size_t *bytes,
		      size_t (*run)(struct rig_sealer *, uint8_t *, size_t))
{
	double ms = rig_thread_cpu_ms();

	for (unsigned i = 0; i < STREAMS; i++) {
		bytes[i] = run(sealers[i], packets[i], bytes[i]);
		if (!bytes[i])
			g_error("libsrtp2 refuses a packet");
	}
	return rig_thread_cpu_ms() - ms;
}

static double measure(const void *argument)
{
	const enum tl_srtp_suite *suite = argument;
	g_autofree uint8_t(*packets)[PACKET_BYTES] = g_malloc(STREAMS * sizeof *packets);
	struct rig_sealer *gateways[STREAMS], *phones[STREAMS];
	size_t bytes[STREAMS];
	double ms = 0;

	for (unsigned i = 0; i < STREAMS; i++) {
		gateways[i] = rig_sealer_new(*suite, false);
		phones[i] = rig_sealer_new(*suite, true);
	}
	for (unsigned frame = 0; frame < FRAMES; frame++) {
		for (unsigned i = 0; i < STREAMS; i++)
			bytes[i] = write_packet(packets[i], i, frame);
		ms += run_all(gateways, packets, bytes, rig_seal);
		for (unsigned i = 0; i < STREAMS; i++)
			bytes[i] = write_packet(packets[i], i, frame);
		run_all(phones, packets, bytes, rig_seal);
		ms += run_all(gateways, packets, bytes, rig_unseal);
	}
	for (unsigned i = 0; i < STREAMS; i++) {
		rig_sealer_free(gateways[i]);
		rig_sealer_free(phones[i]);
	}
	return ms / STREAMS / (FRAMES * RIG_FRAME_MS / 1000.0);
}

double rig_bare_srtp_ms(enum tl_srtp_suite suite)
{
	return rig_in_child(measure, &suite);
}
