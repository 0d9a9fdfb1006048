#pragma once
/*
 * A stream beside the audio, such as video, that nobody here understands: what
 * comes in at one side goes out at the other as it is, headers, payload types
 * and SSRCs untouched, and so does its RTCP with all its feedback. Worker
 * thread. Private to media/.
 */
#include "media/flow/flow.h"

struct tl_relay;

struct tl_relay *tl_relay_new(struct tl_flow_env *env); /* lends env */
void tl_relay_free(struct tl_relay *relay);             /* closes its ports; NULL ok */
/* Takes the descriptors; those before them are closed. */
void tl_relay_set_port(struct tl_relay *relay, enum tl_side side, struct tl_flow_port port,
		       uint32_t rtp_tag, uint32_t rtcp_tag);
void tl_relay_apply(struct tl_relay *relay, const struct tl_stream_plan *plan); /* copies */
/* Takes packet. True: it was from who should send there. */
bool tl_relay_input(struct tl_relay *relay, enum tl_side side, bool rtcp, struct tl_packet *packet);
