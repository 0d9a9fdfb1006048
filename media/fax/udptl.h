#pragma once
/*
 * UDPTL (ITU-T T.38 9.1): T.38 packets over UDP, each numbered, and with them
 * what brings back those that were lost before it. Both ways of one peer.
 *
 *   | seq 16 | length | IFP n | 0x00 | count | length | IFP n-1 | length | IFP n-2 | …
 *   | seq 16 | length | IFP n | 0x80 | 1 | span | entries | length | parity | …
 *
 * Parity m of packet n is that of the span packets n - span * entries + m, n - span * entries + m
 * + entries, …: any one of them that is lost can be made of the others. Since every packet covers
 * all before it, what can come back does so at once, and nothing waits.
 *
 * Holds no clock and no socket. One thread; allocates at creation only. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

#include "media/fax/ifp.h"
#include "media/plan/t38.h"

enum {
	TL_UDPTL_BYTES = 1400, /* a datagram of ours at the most */
	TL_UDPTL_GAP = 500,    /* packets lost at once; more is taken for another stream */
};

struct tl_udptl;

/* One that came, or came back; in the order of their numbers. Lent. lost: packets right before it
 * that stay lost. */
typedef void tl_udptl_fn(const uint8_t *ifp, size_t bytes, unsigned lost, void *user);

/* Copies. */
struct tl_udptl *tl_udptl_new(const struct tl_t38 *agreed);
void tl_udptl_free(struct tl_udptl *udptl); /* NULL ok */
/* The same peer has agreed to something else: numbers go on. */
void tl_udptl_configure(struct tl_udptl *udptl, const struct tl_t38 *agreed);

/* Could it be one of this peer's? Changes nothing. 0 or -EBADMSG. */
int tl_udptl_check(const struct tl_udptl *udptl, const uint8_t *data, size_t n);
/* A datagram. How many packets on_ifp got; 0: nothing new; -EBADMSG: not UDPTL, or a number out of
 * all order, which counts from the second in a row on: then the peer has begun anew. */
int tl_udptl_read(struct tl_udptl *udptl, const uint8_t *data, size_t n, tl_udptl_fn *on_ifp,
		  void *user);
/* The next datagram for the peer, into data of TL_UDPTL_BYTES; its length. bytes: 1 to
 * TL_IFP_BYTES. */
size_t tl_udptl_write(struct tl_udptl *udptl, const uint8_t *ifp, size_t bytes, uint8_t *data);
/* So many packets that should have gone out are lost: the peer is to see that. */
void tl_udptl_skip(struct tl_udptl *udptl, unsigned lost);
