#pragma once
/* What the reader (sdp_parse.c) and the writer (sdp.c) share. */
#include <glib.h>
#include <stdint.h>
#include "b2bua/sip/sdp.h"

enum {
	TL_SDP_TOKEN_BYTES = 32,
	TL_SDP_PTS = 128, /* payload types looked at on an m-line */
};

/* An m-line of the peer, as far as refusing it needs. */
struct tl_sdp_line {
	char media[TL_SDP_TOKEN_BYTES], proto[TL_SDP_TOKEN_BYTES];
	char format[TL_SDP_TOKEN_BYTES]; /* the first: a line must name one */
};

struct tl_sdp_lines {
	size_t n; /* of the peer's last description; 0: none came yet */
	struct tl_sdp_line v[TL_SDP_MEDIA];
	size_t audio; /* which of them is ours */
};

/* What one rtpmap, fmtp pair says. */
struct tl_sdp_map {
	int pt;
	char name[TL_CODEC_NAME_BYTES];
	unsigned clock_hz, channels; /* 0: not mapped */
	char fmtp[TL_FMTP_BYTES];
};

/* The payload types of an m-line, in its order, and what its attributes say of them. */
struct tl_sdp_types {
	size_t n, n_maps;
	int v[TL_SDP_PTS];
	struct tl_sdp_map maps[TL_SDP_PTS];
};

struct tl_sdp_session {
	uint64_t id, version;
	struct tl_sdp_lines *lines, *before; /* before the last one; NULL: none */
	uint8_t number[TL_SDP_MEDIA]; /* of the stream of an m-line, plus 1; 0: it has none */
	struct tl_stream *theirs[TL_STREAMS], *before_streams[TL_STREAMS]; /* or NULL */
	struct tl_stream *ours[TL_STREAMS];                                /* what we say */
	char *heard;        /* the text read last, till one of ours is written; or NULL */
	char *heard_before; /* before that one; or NULL */
	char *passed; /* what is written in place of a description: another's, from its s= on */
	char *passed_before;
	GString *body; /* last text without v= and o= */
	GString *text; /* last text */
};

/* sdp.c */
bool tl_sdp_is_savp(const char *proto); /* RTP/SAVP, RTP/SAVPF */
unsigned tl_sdp_port_of(const struct sockaddr_storage *addr);
void tl_sdp_append_address(GString *s, const struct sockaddr_storage *addr); /* "IP4 192.0.2.1" */
const char *tl_sdp_direction_name(enum tl_direction direction);

/* sdp_parse.c */
/* Takes the next word; false at the end. A word that doesn't fit is cut. */
bool tl_sdp_take_word(const char **p, char *word, size_t bytes);
/* A decimal number up to max that ends at a character of ends, or at the end. */
bool tl_sdp_read_number(const char *text, const char *ends, unsigned max, unsigned *ret_number);

/* sdp_format.c */
void tl_sdp_read_rtpmap(struct tl_sdp_types *types, const char *text); /* "96 opus/48000/2" */
void tl_sdp_read_fmtp(struct tl_sdp_types *types, const char *text);   /* "96 useinbandfec=1" */
/* Adds what we know of them to the description's formats, events and noises, in their order. */
void tl_sdp_fill_formats(const struct tl_sdp_types *types, struct tl_media_desc *desc);

/* sdp_crypto.c */
/* The value of a=crypto. False: not one that we can use. */
bool tl_sdp_read_crypto(const char *value, struct tl_crypto *ret_crypto);
void tl_sdp_append_crypto(GString *s, const struct tl_crypto *crypto);

/* sdp_t38.c */
/* Is it fax over UDPTL? formats: what stands behind the m-line's transport. */
bool tl_sdp_is_t38(const struct tl_sdp_line *line, const char *formats);
/* An attribute of such a line, whichever; others change nothing. */
void tl_sdp_read_t38(const char *text, struct tl_t38 *t38);
void tl_sdp_append_t38(GString *s, const struct tl_media_desc *desc); /* the m-line and its own */

/* sdp_stream.c */
bool tl_sdp_is_passable(const struct tl_sdp_line *line);
/* Takes what a description said of its m-lines, TL_SDP_MEDIA pointers or NULL. */
void tl_sdp_take_streams(struct tl_sdp_session *sdp, struct tl_stream *const *by_line);
void tl_sdp_undo_streams(struct tl_sdp_session *sdp);
void tl_sdp_free_streams(struct tl_sdp_session *sdp);
void tl_sdp_append_stream(GString *s, const struct tl_stream *stream);
