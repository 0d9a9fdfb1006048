#pragma once
/*
 * Sofia's SDP parser and printer <-> struct tl_media_desc. Hostile input is
 * checked before Sofia sees it. Media lines other than the first usable audio
 * line are refused with port 0 in answers, in their places (RFC 3264 6).
 */
#include <stdbool.h>
#include <stddef.h>
#include "media/desc.h"

struct tl_sdp_session; /* a leg's side of o= and of m-line order: id, version, last text */

struct tl_sdp_session *tl_sdp_session_new(void);
void tl_sdp_session_free(struct tl_sdp_session *sdp); /* NULL ok */

/* Reads a peer's description; remembers its m-lines for the answer. -EBADMSG:
 * not SDP; -ENOENT: no audio line over RTP/AVP that we could use (SIP 488). */
int tl_sdp_parse(struct tl_sdp_session *sdp, const char *text, size_t bytes,
		 struct tl_media_desc *ret_desc);
/* Writes our offer or answer. The version of o= grows when the text differs
 * from the last one. Lent until the next print. answer: in the m-line order of
 * the offer parsed last. */
const char *tl_sdp_print(struct tl_sdp_session *sdp, const struct tl_media_desc *desc, bool answer,
			 size_t *ret_bytes);
