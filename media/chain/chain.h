#pragma once
/*
 * A GStreamer chain of codec elements for one direction:
 *
 *   payload -> [decoder] -> PCM -> (tap) -> [encoder] -> payload
 *
 * Each push runs the elements to completion on the calling thread and calls back
 * before it returns. The elements are ours, run by hand. Either half may be absent.
 * The PCM rate between the halves is the lowest that loses nothing of the
 * narrower codec. Built and used on one worker thread; creation is cheap
 * enough for a worker (pooled states), see tl_chain_new().
 * Private to media/.
 */
#include "media/desc.h"

struct tl_chain;

enum { TL_PAYLOAD_MAX = 1500, TL_PAYLOAD_MAX_MS = 120 }; /* more is refused as garbage */

/* One encoded packet: payload of so much at the out codec's RTP clock. Lent. bytes 0: so much
 * passes, and nothing is to be sent for it. */
typedef void tl_chain_packet_fn(const uint8_t *payload, size_t bytes, uint32_t rtp_duration,
				void *user);
/* Decoded audio, host byte order, mono; concealed: made up for a hole. Lent. May be changed in
 * place (same count): the encoder gets what the tap leaves. */
typedef void tl_chain_pcm_fn(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed,
			     void *user);

struct tl_chain_cfg {
	const struct tl_format *in;  /* NULL: PCM is pushed */
	const struct tl_format *out; /* NULL: PCM only comes out */
	unsigned out_ptime_ms;       /* packets leave with this much audio */
	unsigned rate_hz;            /* PCM rate; 0: chosen */
	unsigned opus_complexity;
	bool silence; /* leave silence out, where the codec's own means and the remote allow */
	/* Leave silence out of codecs that know none, and describe it by comfort noise (RFC 3389):
	 * payload and duration come here in the place of on_packet. NULL: no. */
	tl_chain_packet_fn *on_noise;
	tl_chain_packet_fn *on_packet;
	tl_chain_pcm_fn *on_pcm; /* NULL: no tap */
	void *user;
};

/* Copies cfg. -ENOTSUP: an element is missing or the pair can't be linked. */
int tl_chain_new(const struct tl_chain_cfg *cfg, struct tl_chain **ret_chain);
void tl_chain_free(struct tl_chain *chain); /* NULL ok */
/* A packet will be pushed in a moment (fetch.h). */
void tl_chain_fetch(const struct tl_chain *chain);
unsigned tl_chain_rate_hz(const struct tl_chain *chain);
/* The tap may come and go between pushes. */
void tl_chain_set_tap(struct tl_chain *chain, tl_chain_pcm_fn *on_pcm);
/* One packet's payload, any number of frames. 0; -EBADMSG: not of this codec
 * (nothing came out; conceal instead); -EPIPE: the chain is broken. */
int tl_chain_push(struct tl_chain *chain, const uint8_t *payload, size_t bytes);
/* PCM at the chain's rate, when cfg.in is NULL. */
int tl_chain_push_pcm(struct tl_chain *chain, const int16_t *pcm, size_t samples);
/* Comfort noise as this payload describes it, for ms; it goes on where holes are filled, until the
 * next payload is pushed. -EBADMSG: no such description; nothing came out. */
int tl_chain_noise(struct tl_chain *chain, const uint8_t *payload, size_t bytes, unsigned ms);
/* A hole of so much audio: the decoder's own concealment, or a faded repeat. */
int tl_chain_conceal(struct tl_chain *chain, unsigned ms);
/* The same, with the packet after the hole at hand (it is to be pushed afterwards): Opus may carry
 * in it what was lost (in-band FEC). */
int tl_chain_recover(struct tl_chain *chain, unsigned ms, const uint8_t *next, size_t bytes);
/* Nothing has come for so long, and it may still come, or be lost: a hole that leaves the audio
 * after it as it is. Speex, AMR and G.729 would err for half a second after each hole that they
 * filled for nothing. */
int tl_chain_wait(struct tl_chain *chain, unsigned ms);
/* What was waited for was lost. To be called before what comes after it is pushed. */
void tl_chain_lose(struct tl_chain *chain);
/* A packet was left out on purpose: the next one is joined to what came before it. */
void tl_chain_cut(struct tl_chain *chain);
/* Per cent of our packets that the far end reports lost (RTCP): an Opus encoder whose remote
 * understands in-band FEC then repeats itself as much as that needs. 0, at first: it does not,
 * since redundancy costs a quarter more CPU and some of the voice. */
void tl_chain_set_loss(struct tl_chain *chain, unsigned percent);
/* The far end asks for this mode of what we send it (AMR's CMR, RFC 4867 4.3.1); 15: for none. */
void tl_chain_set_request(struct tl_chain *chain, unsigned mode);
/* Such a request in a payload that came; 15 when there is none, or it is of another codec. */
unsigned tl_format_request(const struct tl_format *format, const uint8_t *payload, size_t bytes);
/* Does a payload say that silence follows, and no packets until it ends (DTX)? */
bool tl_format_ends_in_silence(const struct tl_format *format, const uint8_t *payload,
			       size_t bytes);
/* How much audio a payload holds, in units of the in codec's RTP clock; 0: can't tell. */
uint32_t tl_format_duration(const struct tl_format *format, const uint8_t *payload, size_t bytes);
