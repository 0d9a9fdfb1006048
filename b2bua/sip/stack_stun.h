#pragma once
/*
 * STUN on our SIP ports: telephones behind NAT ask for a binding to keep their flow open (RFC 5626
 * 3.5.2), and nothing else is answered. It stands in the place of Sofia's, which prints a line for
 * each datagram whose first byte is 0, and takes hostile ones apart.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { TL_STUN_BYTES = 44 }; /* of the longest answer */

/* Once in a process, before its first transport. */
void tl_stun_plug_in(void);

/* The answer to a datagram from peer: its length, 0 when there is none to give. Pure. */
size_t tl_stun_answer(const uint8_t *request, size_t bytes, const struct sockaddr *peer,
		      uint8_t answer[static TL_STUN_BYTES]);
