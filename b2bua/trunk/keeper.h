#pragma once
/*
 * Keeps the way to a server open that we have registered with, and finds out when it is gone
 * (RFC 5626 3.5): a server behind the connection calls us by it and by nothing else.
 *
 *     TCP, TLS   CRLF CRLF every interval; CRLF comes back from a server that has ever sent one
 *                back (or says so by Flow-Timer) within 10 s, else the connection is closed. What
 *                the kernel can't get through in 20 s closes it, too.
 *     UDP        CRLF CRLF as well, for the NATs on the way. That nobody is there is found by
 *                the next REGISTER, or by OPTIONS (servers.h).
 *
 * Signalling thread.
 */
#include <sofia-sip/sip.h>
#include <sofia-sip/nta.h>

struct tl_stack;
struct tl_keeper;

/* The connection has closed. From the loop. */
typedef void tl_keeper_fn(void *user);

/* name: the trunk's, copied. interval_s 0: nothing is sent; a connection that closes is told of. */
struct tl_keeper *tl_keeper_new(struct tl_stack *stack, const char *name, unsigned interval_s,
				tl_keeper_fn *on_lost, void *user);
void tl_keeper_free(struct tl_keeper *keeper); /* before the stack; NULL ok */

/* orq has brought answer, a 2xx, from hop: that way is kept from now on. Again at each refresh. */
void tl_keeper_follow(struct tl_keeper *keeper, nta_outgoing_t *orq, const char *hop,
		      const sip_t *answer);
/* There is nothing to keep. */
void tl_keeper_rest(struct tl_keeper *keeper);
