#pragma once
/*
 * The client side of digest authentication (RFC 3261 22, RFC 8760): answers
 * the 401 and 407 that our own requests get. One object for a dialog or a
 * registration; keeps the nonces and their counts. Signalling thread.
 *
 * MD5, SHA-256 and their -sess forms; qop auth, auth-int where a server
 * wants that alone, or none (RFC 2617's older form). Of several challenges by one server the first
 * that we can do counts.
 */
#include <sofia-sip/sip.h>

struct tl_digest;

struct tl_digest *tl_digest_new(const char *user, const char *password); /* copies */
void tl_digest_free(struct tl_digest *digest);                           /* NULL ok */

/*
 * Takes the challenges of a 401 or 407. 0: send the request again, with the
 * headers below. -EACCES: there is none that we can do, or the server has
 * seen our answer already, and its nonce wasn't stale: the password is wrong.
 */
int tl_digest_challenged(struct tl_digest *digest, const sip_t *response);
/* A request was let in: the next challenge is a new one. */
void tl_digest_accepted(struct tl_digest *digest);

/* Values of Authorization and Proxy-Authorization for the next request, from
 * home; each call raises the nonce's count. body: of the request, or NULL. NULL: not challenged (or
 * digest is NULL). */
const char *tl_digest_authorization(struct tl_digest *digest, su_home_t *home, const char *method,
				    const char *uri, const sip_payload_t *body);
const char *tl_digest_proxy_authorization(struct tl_digest *digest, su_home_t *home,
					  const char *method, const char *uri,
					  const sip_payload_t *body);
