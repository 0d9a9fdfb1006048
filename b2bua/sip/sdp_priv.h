#pragma once
/* What the reader (sdp_parse.c) and the writer (sdp.c) share. */
#include <glib.h>
#include <stdint.h>
#include "b2bua/sip/sdp.h"

enum { TL_SDP_TOKEN_BYTES = 32 };

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

struct tl_sdp_session {
	uint64_t id, version;
	struct tl_sdp_lines *lines, *before; /* before the last one; NULL: none */
	GString *body;                       /* last text without v= and o= */
	GString *text;                       /* last text */
};
