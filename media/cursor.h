#pragma once
/*
 * Reads bytes of a peer in order and never beyond their end: a take that does
 * not fit gives -EBADMSG and takes nothing. Private to media/.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct tl_cursor {
	const uint8_t *at;
	size_t left;
};

static inline int tl_take_span(struct tl_cursor *c, size_t bytes, const uint8_t **ret_span)
{
	if (bytes > c->left)
		return -EBADMSG;
	*ret_span = c->at;
	c->at += bytes;
	c->left -= bytes;
	return 0;
}

static inline int tl_take_u8(struct tl_cursor *c, uint8_t *ret)
{
	const uint8_t *span;

	if (tl_take_span(c, 1, &span) < 0)
		return -EBADMSG;
	*ret = span[0];
	return 0;
}

static inline int tl_take_be16(struct tl_cursor *c, uint16_t *ret)
{
	const uint8_t *span;

	if (tl_take_span(c, 2, &span) < 0)
		return -EBADMSG;
	*ret = (uint16_t)(span[0] << 8 | span[1]);
	return 0;
}

static inline int tl_take_be32(struct tl_cursor *c, uint32_t *ret)
{
	const uint8_t *span;

	if (tl_take_span(c, 4, &span) < 0)
		return -EBADMSG;
	*ret = (uint32_t)span[0] << 24 | (uint32_t)span[1] << 16 | (uint32_t)span[2] << 8 | span[3];
	return 0;
}

/* The other way round: into space that the caller knows to be there. Return what follows. */
static inline uint8_t *tl_put_be16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
	return to + 2;
}

static inline uint8_t *tl_put_be32(uint8_t *to, uint32_t value)
{
	return tl_put_be16(tl_put_be16(to, (uint16_t)(value >> 16)), (uint16_t)value);
}
