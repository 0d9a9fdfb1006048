#pragma once
/*
 * A fax machine on an audio line is led over into T.38 and the other way about
 * (ITU-T T.38 8), by spandsp: what the modem says is demodulated and goes out as
 * packets, and what the packets say is modulated.
 *
 *   audio line  -- pcm -->  rx  | modems |  on_ifp  -- packets -->  T.38
 *               <-- pcm --  tx  | V.17…  |  take    <-- packets --
 *
 * Runs on the audio line's clock: as many samples are to be given as are taken. 8000 Hz. One
 * worker thread. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

#include "media/plan/t38.h"

struct tl_fax_gateway;

/* A packet for the T.38 peer, TL_IFP_BYTES at the most; lent. copies: how often its datagram is to
 * be sent, since none may follow for long. */
typedef void tl_fax_ifp_fn(const uint8_t *ifp, size_t bytes, unsigned copies, void *user);

/* -ENOMEM: spandsp gives none. */
int tl_fax_gateway_new(const struct tl_t38 *agreed, tl_fax_ifp_fn *on_ifp, void *user,
		       struct tl_fax_gateway **ret_gateway);
void tl_fax_gateway_free(struct tl_fax_gateway *gateway); /* NULL ok */
/* Heard on the line; changed in place. */
void tl_fax_gateway_rx(struct tl_fax_gateway *gateway, int16_t *pcm, size_t samples);
/* So much of it was lost. */
void tl_fax_gateway_rx_lost(struct tl_fax_gateway *gateway, size_t samples);
/* To be said on the line: fills pcm, with silence where there is nothing to say. */
void tl_fax_gateway_tx(struct tl_fax_gateway *gateway, int16_t *pcm, size_t samples);
/* A packet of the peer's, whole (ifp.h); lost: so many right before it never came. */
void tl_fax_gateway_take(struct tl_fax_gateway *gateway, const uint8_t *ifp, size_t bytes,
			 unsigned lost);
/* Pages that have gone through so far. */
unsigned tl_fax_gateway_pages(struct tl_fax_gateway *gateway);
