#pragma once
/*
 * Sources that guess passwords. Failures are counted by source address, one is
 * forgiven from time to time (a telephone with a mistyped password retries
 * every minute for ever, and must not lock out its whole office), and a source that
 * is faster than that is banned, twice as long each time. Signalling
 * thread; time comes in as now_us (monotonic).
 */
#include <stdint.h>
#include <sys/socket.h>

struct tl_bans;

struct tl_bans_cfg {
	unsigned max_failures; /* the one that reaches it starts a ban */
	unsigned forgive_s;    /* after each so many seconds one failure counts no more */
	unsigned ban_s;        /* the first ban */
	unsigned ban_max_s;    /* the longest; a source quiet for as long after a ban starts anew */
	unsigned sources;      /* remembered at once; the least recent failure is forgotten first */
};

struct tl_bans *tl_bans_new(const struct tl_bans_cfg *cfg); /* copies */
void tl_bans_free(struct tl_bans *bans);                    /* NULL ok */

/* Seconds that the source is banned for yet; 0: not banned. */
unsigned tl_bans_left_s(struct tl_bans *bans, const struct sockaddr *source, int64_t now_us);
/* A failure. Returns how many count now; *ret_ban_s is the length of the ban that it started, or 0.
 */
unsigned tl_bans_fail(struct tl_bans *bans, const struct sockaddr *source, int64_t now_us,
		      unsigned *ret_ban_s);
unsigned tl_bans_count(const struct tl_bans *bans); /* sources remembered */
