#pragma once
/*
 * SRTP and SRTCP of one direction (RFC 3711, RFC 7714), over libsrtp2: packets
 * change in place. A context lives as long as its key does, so that the rollover
 * counter of each source goes on through re-INVITEs. One worker thread; memory is
 * taken when a context is made and for each new SSRC that proved to have the key.
 * Private to media/.
 */
#include "media/crypto.h"
#include "media/rtp/packet.h"

struct tl_srtp;

/* Before any other; again is harmless. -EIO: libsrtp2 does not work here. */
int tl_srtp_init(void);
/* outgoing: protects; else it unprotects. -ENOTSUP: libsrtp2 lacks the suite. */
int tl_srtp_new(const struct tl_crypto *crypto, bool outgoing, struct tl_srtp **ret_srtp);
void tl_srtp_free(struct tl_srtp *srtp);                                      /* NULL ok */
bool tl_srtp_has(const struct tl_srtp *srtp, const struct tl_crypto *crypto); /* NULL: no */
/* The packet that begins at packet->at. -EBADMSG: not authentic, replayed, or no packet; or, when
 * protecting, too long. */
int tl_srtp_protect(struct tl_srtp *srtp, struct tl_packet *packet, bool rtcp);
int tl_srtp_unprotect(struct tl_srtp *srtp, struct tl_packet *packet, bool rtcp);
