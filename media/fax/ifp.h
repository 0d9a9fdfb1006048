#pragma once
/*
 * The Internet Facsimile Protocol packet of T.38, as far as its bounds go: a
 * peer's packets reach spandsp only when they are whole. Pure. Private to media/.
 *
 *   indicator   |0|0|0| kind 4 |0|
 *   data        |1|1|0| type 4 |0| count 8 | field … field
 *   field       |d| kind 3 |…| then when d: octets - 1 in 16 bits, octets
 *
 * A version 0 field without octets is 4 bits long, and the next one may stand in the same byte.
 */
#include <stddef.h>
#include <stdint.h>

enum { TL_IFP_BYTES = 320 }; /* of one at the most: 40 ms at 33600 bit/s, and room for more */

/* How many bytes the packet at data takes, of n that are there (recovered ones are padded), or
 * -EBADMSG. version: of T.38, as agreed. */
int tl_ifp_measure(const uint8_t *data, size_t n, unsigned version);
