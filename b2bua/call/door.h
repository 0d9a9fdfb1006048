#pragma once
/*
 * The door: how many requests outside dialogs one source may send before we
 * know who it is. Beyond its rate a source gets 503 with Retry-After; one that
 * does not care gets that at the same rate, and silence for the rest. Signalling
 * thread.
 */
#include <stdint.h>
#include <sys/socket.h>

struct tl_door;

enum tl_door_verdict {
	TL_DOOR_OPEN,
	TL_DOOR_LATER,  /* 503 */
	TL_DOOR_CLOSED, /* no answer */
	_TL_DOOR_MAX,
};

/* per_s: requests of a source, in the long run; ten times as many at once. 0: no limit. */
struct tl_door *tl_door_new(unsigned per_s);
void tl_door_free(struct tl_door *door); /* NULL ok */
/* Another rate; every source starts anew if it is another one. */
void tl_door_configure(struct tl_door *door, unsigned per_s);
/* One request. source: port ignored; IPv6 by its /64. */
enum tl_door_verdict tl_door_ask(struct tl_door *door, const struct sockaddr *source,
				 int64_t now_us);
/* The last one was by somebody whom we know: it doesn't count. */
void tl_door_forgive(struct tl_door *door, const struct sockaddr *source);
