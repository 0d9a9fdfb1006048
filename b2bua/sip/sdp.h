#pragma once
/*
 * SDP text <-> struct tl_media_desc. Our own reader of the few lines that
 * matter (v, c, m and some a), bounded: descriptions come from anybody. Media lines other than the
 * first usable audio line are streams (stream.h) that the owner may pass on to another leg; those
 * that it does not are refused with port 0 in answers, in their places (RFC 3264 6).
 *
 * Fax (m=image, T.38 Annex D) counts where there is no usable audio line, and takes its place.
 *
 * Pure but for the session's memory; one thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include "b2bua/sip/stream.h"

enum {
	TL_SDP_BYTES = 16384, /* longest description read */
	TL_SDP_MEDIA = 16,    /* most m-lines of one */
};

struct tl_sdp_session; /* a leg's side of o= and of m-line order: id, version, last text */

struct tl_sdp_session *tl_sdp_session_new(void);
void tl_sdp_session_free(struct tl_sdp_session *sdp); /* NULL ok */

/* Reads a peer's description; remembers its m-lines for the answer. -EBADMSG:
 * not SDP; -ENOENT: no audio line over RTP that we could use, nor fax (SIP 488). */
int tl_sdp_parse(struct tl_sdp_session *sdp, const char *text, size_t bytes,
		 struct tl_media_desc *ret_desc);
/* The same, but a description of other things than those is kept, too, for tl_sdp_pass():
 * ret_desc->foreign. */
int tl_sdp_parse_any(struct tl_sdp_session *sdp, const char *text, size_t bytes,
		     struct tl_media_desc *ret_desc);
/* The offer parsed last was declined: all stands as it did before it (RFC 3261 14.1). */
void tl_sdp_undo(struct tl_sdp_session *sdp);
/* A stream keeps its number, 0 to TL_STREAMS - 1, for the session: what the peer said last of it,
 * or NULL: nothing, or refused. Lent until the next parse. */
const struct tl_stream *tl_sdp_stream(const struct tl_sdp_session *sdp, unsigned number);
/* What prints say of it from now on; NULL: refused, or not offered. Copies. */
void tl_sdp_say_stream(struct tl_sdp_session *sdp, unsigned number, const struct tl_stream *stream);
const struct tl_stream *tl_sdp_said_stream(const struct tl_sdp_session *sdp, unsigned number);
/*
 * From now on what is written is what `from` has read last, as it is but for o=, which stays
 * ours: the peer of sdp must see one session whose versions grow (RFC 3264 8), whoever is behind.
 * True: it is something else than before.
 */
bool tl_sdp_pass(struct tl_sdp_session *sdp, const struct tl_sdp_session *from);
/* Back to what was passed on before that: it was refused. */
void tl_sdp_unpass(struct tl_sdp_session *sdp);
/* Writes our offer or answer. The version of o= grows when the text differs
 * from the last one. Lent until the next print. answer: in the m-line order of
 * the offer parsed last. An offer after an earlier exchange keeps that order too
 * (RFC 3264 8). */
const char *tl_sdp_print(struct tl_sdp_session *sdp, const struct tl_media_desc *desc, bool answer,
			 size_t *ret_bytes);
