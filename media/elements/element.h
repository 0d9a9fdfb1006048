#pragma once
/*
 * What our codec elements share: two always-pads, a chain function that runs
 * the codec on the pushing thread, buffers from the thread's shelf, caps fixed
 * by configuration. No base class of GstAudio: its timestamps, latency and
 * tolerance to odd input cost more than most of these codecs.
 *
 *   decoder: payload -> decode() -> PCM      a GAP buffer -> conceal() -> PCM
 *   encoder: PCM -> gathered to a packet's worth -> encode() -> payload
 *
 * There are two ways to run one. Between pads, as in any pipeline: buffers are pushed. Or by hand,
 * which is what a chain does: tl_decoder_run() and tl_encoder_run() do what the pads' chain
 * functions do, on the caller's memory, with no buffer, lock or event; G.722 and G.711 cost less
 * than the pushes would.
 *
 * Not thread-safe, like any element between two pads. Private to media/.
 */
#include <stdbool.h>

#include <gst/gst.h>

#include "media/desc.h"
#include "media/elements/buffer.h"

/* decode() or encode() refused the bytes; nothing was pushed on. */
#define TL_FLOW_BAD_PAYLOAD GST_FLOW_CUSTOM_ERROR

struct tl_element_cfg {
	const struct tl_format *format; /* the codec, and what the remote said of it */
	unsigned rate_hz;               /* of the PCM side */
	unsigned ptime_ms;              /* encoders: audio in a packet */
	unsigned complexity;            /* Opus encoder, 0..10 */
	bool silence; /* encoders that can tell it: leave silence out, where the format allows */
};

typedef struct {
	GstElement parent;
	GstPad *sink, *src;
	GstEvent *caps; /* of the src pad */
	unsigned rate_hz;
} TlElement;

typedef struct {
	GstElementClass parent;
	/* Sets the codec up; once. 0 or -ENOTSUP. NULL: nothing to set up. */
	int (*configure)(TlElement *self, const struct tl_element_cfg *cfg);
} TlElementClass;

typedef struct {
	TlElement parent;
} TlDecoder;

typedef struct {
	TlElementClass parent;
	/* Samples written, at most TL_PCM_SAMPLES. -EBADMSG: not of this codec. bytes is 1..1500.
	 */
	int (*decode)(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm);
	/* Audio in the place of a hole. NULL: this codec has no concealment of its own. next: the
	 * payload after the hole, bytes 0 when it is not at hand. */
	int (*conceal)(TlDecoder *self, const uint8_t *next, size_t bytes, int16_t *pcm,
		       size_t samples);
	/* Is a faded repeat of what was said better now than what conceal() would make, which is
	 * then not called? NULL: never. */
	bool (*yields)(const TlDecoder *self);
	/* Does conceal() change what is decoded after it so much that audio which was late, and not
	 * lost, is spoilt? Then it is not called before that is known. */
	bool remembers;
	/* So much was made up by somebody else in the place of a hole, right behind what was
	 * decoded. NULL: that is nothing to this codec. */
	void (*follow)(TlDecoder *self, const int16_t *pcm, size_t samples);
} TlDecoderClass;

/* A packet of so many samples from an encoder that is run by hand; bytes 0: nothing is sent for
 * them. Lent. */
typedef void tl_encoder_out_fn(const uint8_t *payload, size_t bytes, size_t samples, void *user);

typedef struct {
	TlElement parent;
	tl_encoder_out_fn *on_packet; /* NULL: packets leave by the src pad */
	void *user;
	size_t packet_samples; /* what encode() is given */
	size_t filled;         /* of pcm */
	size_t pushed;         /* samples of this packet's that went out before its end */
	int16_t *pcm;          /* packet_samples, gathered */
} TlEncoder;

typedef struct {
	TlElementClass parent;
	/* Bytes written, at most TL_BUFFER_BYTES, for all that was not pushed meanwhile by
	 * tl_encoder_push(); 0: nothing is sent for it. Negative: the encoder is broken. */
	int (*encode)(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload);
	/* The far end reports this much lost. NULL: nothing can be done about it. */
	void (*set_loss)(TlEncoder *self, unsigned percent);
	/* The far end wishes this mode (AMR), TL_AMR_NO_REQUEST: none. NULL: there are none. */
	void (*set_request)(TlEncoder *self, unsigned mode);
} TlEncoderClass;

GType tl_element_get_type(void);
GType tl_decoder_get_type(void);
GType tl_encoder_get_type(void);

/* Sets up an element fresh from its factory. 0 or -ENOTSUP. */
int tl_element_configure(TlElement *self, const struct tl_element_cfg *cfg);

/* It will be run in a moment (fetch.h). */
void tl_element_fetch(const TlElement *self);
/* By hand: pcm has room for TL_PCM_SAMPLES. Samples written; 0 or less: not of this codec. */
int tl_decoder_run(TlElement *self, const uint8_t *payload, size_t bytes, int16_t *pcm);
/* Audio in the place of a hole, if tl_decoder_conceals(): see struct TlDecoderClass. */
int tl_decoder_conceal(TlElement *self, const uint8_t *next, size_t bytes, int16_t *pcm,
		       size_t samples);
/* The chain has made this up for a hole: see follow() there. */
void tl_decoder_follow(TlElement *self, const int16_t *pcm, size_t samples);
/* From now on by hand: packets go to on_packet, on the thread and within the call of ... */
void tl_encoder_set_output(TlElement *self, tl_encoder_out_fn *on_packet, void *user);
/* ... this one. Any number of samples. -EPIPE: the encoder is broken. */
int tl_encoder_run(TlElement *self, const int16_t *pcm, size_t samples);
/* Can the decoder fill holes by itself? */
gboolean tl_decoder_conceals(const TlElement *self);
/* May a repeat be better than what it conceals by? Is it for the hole at hand? See yields(). */
gboolean tl_decoder_may_yield(const TlElement *self);
gboolean tl_decoder_yields(const TlElement *self);
gboolean tl_decoder_remembers(const TlElement *self); /* that it concealed: see remembers there */
/* Packets that the far end misses, in per cent. */
void tl_encoder_set_loss(TlElement *self, unsigned percent);
void tl_encoder_set_request(TlElement *self, unsigned mode);
/* From inside encode(): a packet of fewer samples, or (0 bytes) so many of which nothing is sent.
 * What goes down the pad has its samples in the buffer's offset, and no bytes in the latter case.
 */
GstFlowReturn tl_encoder_push(TlEncoder *self, const uint8_t *payload, size_t bytes,
			      size_t samples);
/* Samples that wait for the rest of their packet. */
size_t tl_encoder_pending(const TlElement *self);

/* What opens a stream on a pad: events made once and shared by all. Transfer none. */
GstEvent *tl_stream_start(void);
GstEvent *tl_time_segment(void);
/* "audio/x-raw" of mono samples in host order. Transfer full. */
GstCaps *tl_pcm_caps(unsigned rate_hz);
/* The caps of a codec's payloads. Transfer full. */
GstCaps *tl_payload_caps(const struct tl_codec *codec);

/* For class_init: names the element and gives it its two pads. */
void tl_element_describe(GstElementClass *class, const char *name, const char *kind);

/* The codecs, registered by register.c. */
GType tl_amr_nb_dec_get_type(void);
GType tl_amr_nb_enc_get_type(void);
GType tl_amr_wb_dec_get_type(void);
GType tl_amr_wb_enc_get_type(void);
GType tl_g711_dec_get_type(void);
GType tl_g711_enc_get_type(void);
GType tl_g722_dec_get_type(void);
GType tl_g722_enc_get_type(void);
GType tl_g726_dec_get_type(void);
GType tl_g726_enc_get_type(void);
GType tl_gsm_dec_get_type(void);
GType tl_gsm_enc_get_type(void);
GType tl_ilbc_dec_get_type(void);
GType tl_ilbc_enc_get_type(void);
GType tl_l16_dec_get_type(void);
GType tl_l16_enc_get_type(void);
GType tl_opus_dec_get_type(void);
GType tl_opus_enc_get_type(void);
GType tl_speex_dec_get_type(void);
GType tl_speex_enc_get_type(void);
