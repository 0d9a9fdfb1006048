#pragma once
/*
 * How much one source address may ask of us: a token bucket each, for calls
 * or whatever the owner counts. The table is bounded: the source that asked
 * least recently is forgotten first. Signalling thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct tl_limits;

struct tl_limits_cfg {
	unsigned per_s;   /* tokens that come back a second */
	unsigned burst;   /* tokens of a full bucket */
	unsigned sources; /* addresses remembered at once; 1 at least */
};

struct tl_limits *tl_limits_new(const struct tl_limits_cfg *cfg); /* copies */
void tl_limits_free(struct tl_limits *limits);                    /* NULL ok */
/* True: the source (port ignored; IPv6 by its /64) had a token left, and spent it. */
bool tl_limits_take(struct tl_limits *limits, const struct sockaddr *source, int64_t now_us);
/* Gives one back: what it was spent on has turned out to be welcome. */
void tl_limits_return(struct tl_limits *limits, const struct sockaddr *source);
unsigned tl_limits_count(const struct tl_limits *limits); /* sources remembered */
