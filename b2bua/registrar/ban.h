#pragma once
/*
 * Sources that guess passwords. Failures are counted by source address, one is
 * forgiven from time to time (a telephone with a mistyped password retries
 * every minute for ever, and must not lock out its whole office), and a source that
 * is faster than that is banned, twice as long each time. Signalling
 * thread; time comes in as now_us (monotonic).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "b2bua/sip/address.h"

struct tl_bans;

struct tl_bans_cfg {
	unsigned max_failures; /* the one that reaches it starts a ban; 0: none ever does */
	unsigned forgive_s;    /* after each so many seconds one failure counts no more */
	unsigned ban_s;        /* the first ban */
	unsigned ban_max_s;    /* the longest; a source quiet for as long after a ban starts anew */
	unsigned sources;      /* remembered at once; the least recent failure is forgotten first */
};

struct tl_bans *tl_bans_new(const struct tl_bans_cfg *cfg); /* copies */
void tl_bans_free(struct tl_bans *bans);                    /* NULL ok */
/* From now on; the number of sources stays as it was. Bans that run are not changed. */
void tl_bans_configure(struct tl_bans *bans, const struct tl_bans_cfg *cfg);

/* Seconds that the source is banned for yet; 0: not banned. */
unsigned tl_bans_left_s(struct tl_bans *bans, const struct sockaddr *source, int64_t now_us);
/* A failure. doubles: false keeps a ban at its first length. Returns how many count now;
 * *ret_ban_s is the length of the ban that it started, or 0. */
unsigned tl_bans_fail(struct tl_bans *bans, const struct sockaddr *source, bool doubles,
		      int64_t now_us, unsigned *ret_ban_s);
/* A ban of former days; until_us may be past. */
void tl_bans_restore(struct tl_bans *bans, const struct sockaddr *source, unsigned times,
		     int64_t until_us);
/* All is forgiven. False: nothing was known of the source. */
bool tl_bans_lift(struct tl_bans *bans, const struct sockaddr *source);

struct tl_ban {
	char source[TL_ADDRESS_BYTES]; /* an address, or an IPv6 block of 64 bits */
	unsigned times;                /* this is its how-manieth */
	unsigned left_s;
};
/* The bans that run. Returns their number, at most max. */
size_t tl_bans_list(struct tl_bans *bans, int64_t now_us, struct tl_ban *ret_bans, size_t max);
unsigned tl_bans_times(struct tl_bans *bans, const struct sockaddr *source); /* so far */
unsigned tl_bans_count(const struct tl_bans *bans); /* sources remembered */
