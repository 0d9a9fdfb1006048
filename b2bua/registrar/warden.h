#pragma once
/*
 * The warden at the door: who failed too often is turned away for a time, also
 * after a restart. What has been thought of:
 *
 *  - A source address can be forged over UDP, so only failures count that answer a nonce which
 *    was sent to that address (b2bua/registrar/access.h): nobody can have another one banned.
 *  - A trunk's address (judged by the caller) and those of `ban-never` are never banned.
 *  - Behind one NAT a guesser may sit beside honest telephones. An address and port that has
 *    proved a password within register-max stays welcome during a ban of its address, until it
 *    fails itself; and while there are such, a ban of their address is of the first length
 *    each time, so that a telephone that comes from a new port waits `ban-time` at most.
 *
 * Signalling thread. Time comes in as now_us (monotonic); the database has Unix time.
 */
#include <stdbool.h>
#include "b2bua/registrar/ban.h"
#include "dialplan/settings.h"

struct tl_store;
struct tl_warden;

/* Loads what the database holds. store is lent, NULL: memory only. */
struct tl_warden *tl_warden_new(struct tl_store *store, const struct tl_gateway *gateway,
				int64_t now_us);
void tl_warden_free(struct tl_warden *warden); /* NULL ok */
/* The keys ban-*, when they have changed. Lends gateway for the call. */
void tl_warden_configure(struct tl_warden *warden, const struct tl_gateway *gateway);

/* True: it is to hear nothing. */
bool tl_warden_bars(struct tl_warden *warden, const struct tl_gateway *gateway,
		    const struct sockaddr *source, int64_t now_us);
/* A wrong password. Returns how many failures count now. */
unsigned tl_warden_note_failure(struct tl_warden *warden, const struct tl_gateway *gateway,
				const struct sockaddr *source, int64_t now_us);
/* A right one. */
void tl_warden_note_success(struct tl_warden *warden, const struct sockaddr *source,
			    int64_t now_us);

/* The bans that run. Returns their number, at most max. */
size_t tl_warden_list(struct tl_warden *warden, int64_t now_us, struct tl_ban *ret_bans,
		      size_t max);
/* address: as listed, or any within it. -EINVAL: it can't be read; -ENOENT: not banned. */
int tl_warden_lift(struct tl_warden *warden, const char *address, int64_t now_us);
