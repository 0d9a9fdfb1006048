#pragma once
/* Between tls.c, contexts, and tls_connection.c. */
#include <openssl/ssl.h>
#include "b2bua/log.h"
#include "b2bua/sip/tls.h"

struct tl_tls {
	SSL_CTX *ctx; /* Sofia's; NULL once Sofia has freed it */
	bool server, verify, has_certificate;
	char *label, *name;
	const char *(*name_of)(void *names, const char *label, const struct sockaddr *peer);
	void *names;
	void (*on_failed)(void *user, const char *label);
	void *user;
	bool failed; /* on_failed() is due */
	struct tl_log_limit limit;
};

/* The ex_data of a context is its struct tl_tls, once tls.c has put it there. */
int tl_tls_context_index(void);

/* Whom a certificate must name: a host, an address, or NULL: nobody in particular. */
void tl_tls_expect(X509_VERIFY_PARAM *param, const char *name);

/* tls_authorities.c: what a PEM file holds, NULL: those of the system; the caller's reference on
 * what all share until the file is another one. NULL: it is no good, and OpenSSL's errors say why.
 */
X509_STORE *tl_tls_authorities(const char *file);
void tl_tls_forget_authorities(void);

/* Calls on_failed() of those for whom it is due. */
void tl_tls_tell_failures(void);

/* tls_connection.c */
void tl_tls_connections_start(su_root_t *root);
void tl_tls_connections_stop(void);
/* Given to OpenSSL for each of our contexts. */
void tl_tls_on_info(const SSL *ssl, int where, int value);
void tl_tls_on_record(int written, int version, int type, const void *data, size_t bytes, SSL *ssl,
		      void *arg);
int tl_tls_on_verify(int ok, X509_STORE_CTX *store);
