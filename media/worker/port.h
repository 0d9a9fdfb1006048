#pragma once
/*
 * The range of RTP ports, in pairs: an even one for RTP, the next for RTCP
 * (RFC 3550 11). Pairs go round: one just given back is the last to be used
 * again, so that a late packet of an old call meets no new one. Signalling
 * thread. Private to media/.
 */
#include <stdint.h>

#include "media/address.h"

struct tl_ports;

/* The whole pairs within min..max. -EINVAL: not one. */
int tl_ports_new(uint16_t min, uint16_t max, struct tl_ports **ret_ports);
void tl_ports_free(struct tl_ports *ports); /* NULL ok */
/* Another range for calls to come. Pairs in use stay theirs. -EINVAL: nothing has changed. */
int tl_ports_resize(struct tl_ports *ports, uint16_t min, uint16_t max);
unsigned tl_ports_used(const struct tl_ports *ports);
unsigned tl_ports_free_count(const struct tl_ports *ports);

struct tl_port_pair {
	uint16_t port; /* of RTP; 0: none */
	int rtp_fd, rtcp_fd;
};

/*
 * Binds a pair to ip (its port is ignored): non-blocking sockets of ip's
 * family. Pairs that somebody else has bound are left for later.
 * -EADDRNOTAVAIL: none is left, or ip is not ours; other -errno of socket() and bind().
 */
int tl_ports_take(struct tl_ports *ports, const union tl_address *ip,
		  struct tl_port_pair *ret_pair);
/* Its sockets are closed; the pair may be used again. */
void tl_ports_give(struct tl_ports *ports, uint16_t port);
