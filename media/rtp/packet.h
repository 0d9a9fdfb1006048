#pragma once
/*
 * Packets, and the worker's pool of them. A packet has one owner at a time;
 * who holds it last gives it back. A pool grows by slabs when it is empty and
 * keeps what it has: after a while nothing is allocated any more. One thread.
 * Private to media/.
 */
#include "media/address.h"
#include "media/rtp/rtp.h"

enum { TL_PACKET_BYTES = 1600 }; /* a packet longer than this is cut, and refused */

struct tl_packet {
	struct tl_packet *next; /* in the pool */
	int64_t arrived_us;     /* our own packets: when what is in it arrived; 0: never */
	union tl_address from;
	struct tl_rtp rtp;
	uint16_t bytes;
	uint16_t at; /* where in data it begins */
	_Alignas(8) uint8_t data[TL_PACKET_BYTES];
};

static inline const uint8_t *tl_packet_payload(const struct tl_packet *packet)
{
	return packet->data + packet->rtp.payload_at;
}

struct tl_pool {
	struct tl_packet *free;
	void *slabs; /* each begins with a pointer to the next */
};

void tl_pool_done(struct tl_pool *pool); /* with all the packets that came from it */
void tl_pool_grow(struct tl_pool *pool);

static inline struct tl_packet *tl_pool_take(struct tl_pool *pool)
{
	struct tl_packet *packet;

	if (!pool->free)
		tl_pool_grow(pool);
	packet = pool->free;
	pool->free = packet->next;
	packet->at = 0;
	return packet;
}

/* NULL ok. */
static inline void tl_pool_give(struct tl_pool *pool, struct tl_packet *packet)
{
	if (!packet)
		return;
	packet->next = pool->free;
	pool->free = packet;
}
