#pragma once
/*
 * Nonces for digest challenges (RFC 7616). A nonce carries its own time of
 * issue and a MAC over that and the address that it was given to: handing them
 * out costs no memory, and one caught on the wire is of no use elsewhere.
 * Only nonces that somebody has proved a password with are remembered, with the
 * highest nonce count seen, so that an Authorization can't be used twice.
 * Signalling thread. Holds no clock: time comes in as now_us (monotonic).
 */
#include <stdint.h>
#include <sys/socket.h>

enum { TL_NONCE_BYTES = 64 }; /* as text, with NUL */

struct tl_nonces;

/* lifetime_s: of a nonce; max_used: nonces remembered at once. */
struct tl_nonces *tl_nonces_new(unsigned lifetime_s, unsigned max_used);
void tl_nonces_free(struct tl_nonces *nonces); /* NULL ok */

void tl_nonces_issue(struct tl_nonces *nonces, const struct sockaddr *source, int64_t now_us,
		     char ret_nonce[static TL_NONCE_BYTES]);
/* 0: we gave it to this source and it is still good. -ESTALE: ask again with a new one. */
int tl_nonces_check(struct tl_nonces *nonces, const char *nonce, const struct sockaddr *source,
		    int64_t now_us);
/*
 * The password was right: uses up nc of a nonce that tl_nonces_check() found
 * good. -ESTALE: nc isn't above the last one (a replay), or the nonce is
 * too old to be told from one that was used and forgotten.
 */
int tl_nonces_spend(struct tl_nonces *nonces, const char *nonce, uint32_t nc, int64_t now_us);
unsigned tl_nonces_used(const struct tl_nonces *nonces); /* remembered now */
