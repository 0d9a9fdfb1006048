#pragma once
/*
 * By which way a telephone was reached, kept for a while after its connection has closed, so that
 * its calls find it when it has registered over another one. Signalling thread; time comes in.
 */
#include <stdint.h>
#include "b2bua/registrar/location.h"

struct tl_ways;

struct tl_ways *tl_ways_new(void); /* never NULL */
void tl_ways_free(struct tl_ways *ways);
/* The connection of this binding has closed. Copies. With many of them at once the last are not
 * kept. */
void tl_ways_lose(struct tl_ways *ways, const struct tl_location_binding *binding, int64_t now_s);
/* The way of the telephone (RFC 5626 3.1: its instance and flow; else its Contact) that this
 * binding has taken the place of, or NULL. The caller frees it. */
char *tl_ways_find(struct tl_ways *ways, const struct tl_location_binding *binding);
/* Forgets those that nobody has come back for. */
void tl_ways_sweep(struct tl_ways *ways, int64_t now_s);
