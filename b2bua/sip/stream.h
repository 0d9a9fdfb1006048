#pragma once
/*
 * A media line beside the audio, such as video, as one leg says it: plain data,
 * kept as text where nobody here needs to understand it.
 */
#include <stdbool.h>
#include "media/plan/plan.h"

enum {
	TL_STREAM_WORD_BYTES = 32,
	TL_STREAM_FORMATS_BYTES = 128,
	TL_STREAM_LINES_BYTES = 2048,
	TL_STREAM_CRYPTO = 4, /* a=crypto lines kept; more are ignored */
};

struct tl_stream {
	char media[TL_STREAM_WORD_BYTES]; /* "video" */
	char proto[TL_STREAM_WORD_BYTES]; /* "RTP/AVP" or "RTP/AVPF", also where it is SAVP(F) */
	bool savp;                        /* it is: encrypted or nothing */
	bool rtcp_mux;
	size_t n_crypto; /* 0: plain */
	struct tl_crypto crypto[TL_STREAM_CRYPTO];
	struct sockaddr_storage rtp, rtcp; /* rtcp family 0: the next port */
	enum tl_direction direction;
	char formats[TL_STREAM_FORMATS_BYTES]; /* "96 97" */
	char lines[TL_STREAM_LINES_BYTES];     /* b= and a= that are passed on, each with CRLF */
};

/* Appends a line of the description, if it is one that is passed on. */
void tl_stream_add_line(struct tl_stream *stream, char type, const char *value);
/* Leaves the formats that stand in another list, too. False: none. */
bool tl_stream_restrict(struct tl_stream *stream, const char *formats);
