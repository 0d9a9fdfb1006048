#pragma once
/*
 * The ciphers and the authentication under libsrtp2, by OpenSSL. Debian builds libsrtp2 upon NSS,
 * which opens a session in a table of the whole process for each packet, under locks that all
 * workers share: several times the cost of the arithmetic, and 90 kB a call. libsrtp2 lets its
 * parts be replaced, and holds each new one against its own test vectors. Private to media/.
 */
#include <srtp2/auth.h>

/* HMAC-SHA1, RFC 2104. */
extern const srtp_auth_type_t tl_srtp_hmac;

/* After srtp_init(), before any context. 0; -EIO: a part failed its tests; what libsrtp2 has of its
 * own stays in its place. */
int tl_srtp_ciphers_use(void);
