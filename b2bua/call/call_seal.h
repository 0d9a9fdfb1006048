#pragma once
/*
 * Keys and rtcp-mux of a stream beside the audio: each leg's own affair, by its policy, as they are
 * for its audio. Private to call*.c.
 */
#include "b2bua/call/call_priv.h"

/* What we offer to the leg whose media m is. before: what it has been told last, whose keys go on,
 * or NULL. */
void tl_seal_offer(const struct tl_call_media *m, const struct tl_stream *before,
		   struct tl_stream *ours);
/* What we answer. False: it wants encryption and may not, or may not do without (RFC 4568 5.1). */
bool tl_seal_answer(const struct tl_call_media *m, const struct tl_stream *before,
		    const struct tl_stream *theirs, struct tl_stream *ours);
/* From what both have said. False: they have no key in common and one of them needs one. */
bool tl_seal_plan(const struct tl_stream *ours, const struct tl_stream *theirs,
		  struct tl_stream_side *ret);
