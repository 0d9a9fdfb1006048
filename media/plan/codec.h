#pragma once
/*
 * The codec table: one row a codec. Adding a codec is adding a row.
 * The table is constant after tl_codec_init(); any thread may read it.
 */
#include <stdbool.h>
#include <stddef.h>

enum {
	TL_CODEC_NAME_BYTES = 24, /* longest encoding name kept, with NUL */
	TL_FMTP_BYTES = 160,      /* longest format parameters kept, with NUL */
	TL_PT_DYNAMIC = -1,       /* the codec has no static payload type */
	TL_CODECS_MAX = 32,       /* rows at the most */
};

struct tl_codec {
	const char *name;     /* RTP encoding name, as registered: "PCMA" */
	unsigned clock_hz;    /* RTP clock rate (G.722: 8000, RFC 3551 4.5.2) */
	unsigned channels;    /* in rtpmap: Opus 2 */
	int static_pt;        /* or TL_PT_DYNAMIC */
	unsigned rate_hz;     /* widest audio rate that it carries: G.722 16000, Opus 48000 */
	unsigned rates_hz[4]; /* PCM rates its elements take and give, ascending; 0 ends */
	const char *fmtp;     /* what our offer says, or NULL */
	const char *fmtp_too; /* of a second format in our offer, or NULL: there is one only */
	unsigned ptime_ms;    /* default packet time */
	unsigned frame_ms;    /* packets hold whole multiples of this */
	unsigned frame_bytes; /* bytes a frame when constant, else 0 */
	bool copies;          /* a packet may hold a copy of the one before: in-band FEC */
	unsigned quality;     /* 0..100: what is kept of the voice, for choosing a pair */
	unsigned impairment, loss_robustness; /* E-model: Ie, Bpl (with concealment) */
	unsigned encode_cost, decode_cost;    /* µs a 20 ms frame, measured (DESIGN: chains) */
	const char *encoder, *decoder;        /* GStreamer element names, or NULL: relay only */
	const char *note;                     /* library and licence */
	const char *needs; /* what its elements are built with, when that may be absent */
};

/* Registers our elements and finds which rows have theirs on this machine.
 * Signalling thread, once, before any other thread. 0 or -errno. */
int tl_codec_init(void);

const struct tl_codec *tl_codec_row(size_t i); /* NULL past the end */
/* By encoding name (case-insensitive), clock and channels (0: 1). NULL: unknown. */
const struct tl_codec *tl_codec_find(const char *name, unsigned clock_hz, unsigned channels);
/* By the name a configuration uses: the first row so named ("PCMA"), or with its clock
 * ("speex/16000") and channels ("L16/44100/2"). */
const struct tl_codec *tl_codec_by_name(const char *name);
const struct tl_codec *tl_codec_by_static_pt(int pt);
/* Can this machine both decode and encode it? A row that can't is still relayed. */
bool tl_codec_can_transcode(const struct tl_codec *codec);
/* What it lacks for that: a package at build time, a plugin now. NULL: nothing. Static. */
const char *tl_codec_missing(const struct tl_codec *codec);
