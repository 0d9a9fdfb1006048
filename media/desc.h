#pragma once
/*
 * What one side says about its audio, or its fax: plain data, read from SDP or about to be
 * written as SDP by the layer above. Copied by value, but for kept ones.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "media/crypto.h"
#include "media/plan/codec.h"
#include "media/plan/t38.h"

enum {
	TL_DESC_FORMATS = 24, /* formats kept of an offer; more are ignored */
	TL_DESC_EVENTS = 4,   /* telephone-event, one a clock rate */
	TL_DESC_NOISES = 2,   /* comfort noise, one a clock rate */
};

enum tl_direction { /* as the describer says of itself, RFC 3264 5.1; bits: 1 sends, 2 receives */
		    TL_DIR_INACTIVE = 0,
		    TL_DIR_SENDONLY = 1,
		    TL_DIR_RECVONLY = 2,
		    TL_DIR_SENDRECV = 3,
};
/* What the other side must say at the most: sendonly <-> recvonly. */
enum tl_direction tl_direction_mirror(enum tl_direction d);

struct tl_format {
	const struct tl_codec *codec; /* never NULL */
	uint8_t pt;
	char fmtp[TL_FMTP_BYTES]; /* "" : none */
};

/* A parameter of an fmtp value, "mode=20; x=1" has mode and x; keys in any case. false: it is
 * not there, or does not fit (nothing is written). */
bool tl_fmtp_get(const char *fmtp, const char *key, char *value, size_t bytes);
bool tl_fmtp_get_uint(const char *fmtp, const char *key, unsigned *ret_value);
/* Same codec, with parameters that let the payloads of one go out as the other's. */
bool tl_format_compatible(const struct tl_format *a, const struct tl_format *b);
/* Same codec, with parameters that two ends of one stream may say to each other. */
bool tl_format_answers(const struct tl_format *a, const struct tl_format *b);
/* Can this machine decode and encode it, as its parameters lay it out? */
bool tl_format_can_transcode(const struct tl_format *format);
/* Packets hold whole multiples of this: iLBC by its mode, else the codec's. */
unsigned tl_format_frame_ms(const struct tl_format *format);
/* Packet time where nobody wishes another. */
unsigned tl_format_ptime_ms(const struct tl_format *format);

struct tl_event_format { /* telephone-event, RFC 4733 */
	uint8_t pt;
	unsigned clock_hz;
};

struct tl_noise_format { /* comfort noise, RFC 3389 */
	uint8_t pt;
	unsigned clock_hz;
};

struct tl_media_desc {
	bool foreign; /* nothing of all that follows is in it: fit only to be passed on as it is */
	struct tl_t38 t38; /* on: fax over UDPTL at the address rtp; no format counts then */
	struct sockaddr_storage rtp;  /* where it wants RTP; port 0: the stream is refused */
	struct sockaddr_storage rtcp; /* ss_family 0: RTP's port + 1 */
	enum tl_direction direction;  /* absent attribute means sendrecv */
	unsigned ptime_ms;            /* 0: not said */
	unsigned maxptime_ms;         /* 0: not said */
	bool rtcp_mux;
	bool rtcp_xr;    /* wants VoIP metrics reported to it, RFC 3611 5 */
	bool savp;       /* RTP/SAVP: encrypted or nothing; else a=crypto is an offer (RFC 8643) */
	size_t n_crypto; /* 0: plain */
	struct tl_crypto crypto[TL_DESC_CRYPTO]; /* in order of preference */
	size_t n_events;
	struct tl_event_format events[TL_DESC_EVENTS];
	size_t n_noises;
	struct tl_noise_format noises[TL_DESC_NOISES];
	size_t n_formats;
	struct tl_format formats[TL_DESC_FORMATS]; /* in order of preference; last, see below */
};

/* A copy that lasts, for g_free(). It ends behind the last format that there is, since each call
 * keeps several: it can be read and freed, and copied by this, but not by value. */
struct tl_media_desc *tl_media_desc_keep(const struct tl_media_desc *desc);
