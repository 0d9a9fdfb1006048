#pragma once
/*
 * TLS for SIP: Sofia's transport moves the bytes, and everything that is a matter of trust is ours.
 *
 * Sofia 1.12.11 alone will not do: it reads certificate and key once, when it binds, and never the
 * chain above the certificate; it knows neither SNI nor a client certificate for each peer; it
 * compares no name by the rules of RFC 6125; and it frees no SSL object, some 40 kB a connection,
 * which anybody can make. A front of our own that hands plain bytes to Sofia by a local socket was
 * the other way, and a worse one: Sofia would see one source address for all, and Via, received and
 * the choice of a connection would have to be put right in the text.
 *
 * So: OpenSSL tells of each object that is made (CRYPTO_get_ex_new_index). While a transport is
 * added, the context that appears is the one of that transport, and struct tl_tls holds it from
 * then on: versions, ciphers, certificate, authorities, whom to expect. Since every connection
 * copies what its context has when it begins, giving the context a new certificate is all that a
 * renewal needs; calls in progress keep theirs. Each client side (a trunk) has a transport of its
 * own, so that no two trunks share a connection or a certificate. tls_connection.c sees to single
 * connections, their time limit and their memory.
 *
 * Signalling thread. Reads files when told to, at start and at a reload.
 */
#include <stdbool.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/su_wait.h>
#include <sys/socket.h>

struct tl_tls;

struct tl_tls_cfg {
	const char *label;       /* begins what is logged: "trunk=carrier" */
	const char *certificate; /* PEM, the chain after it; NULL: none */
	const char *private_key; /* PEM; NULL: in the same file */
	const char *authorities; /* PEM; NULL: those of the system */
	const char *name;        /* client side: SNI, and whom the certificate must name */
	/* Client side: the same for a peer at this address, lent until the next call; NULL, or NULL
	 * returned: name. It is asked as each connection begins. */
	const char *(*name_of)(void *names, const char *label, const struct sockaddr *peer);
	void *names;
	bool verify; /* the peer needs a certificate that holds */
	/* Client side: a connection could not be made, which Sofia tells nobody. From the loop. */
	void (*on_failed)(void *user, const char *label);
	void *user;
};

/* Once for a stack, before the first transport. */
void tl_tls_start(su_root_t *root);
void tl_tls_stop(void); /* after the agent is gone */

/*
 * Adds a transport to agent. url: "sips:host:port" to listen at, NULL for a client side. ident
 * names it to TPTAG_IDENT(). 0; -errno, logged: the files are no good, or the address can't be
 * bound.
 */
int tl_tls_new(nta_agent_t *agent, const char *url, const char *ident, const struct tl_tls_cfg *cfg,
	       struct tl_tls **ret_tls);
/* Forgets it; the transport stays with the agent. NULL ok. */
void tl_tls_free(struct tl_tls *tls);
/* Reads the files anew, for connections to come. -errno, logged: they are no good, all is as
 * before. */
int tl_tls_configure(struct tl_tls *tls, const struct tl_tls_cfg *cfg);

/* Is there a connection that this peer, port included, has made to us? */
bool tl_tls_accepted(const struct sockaddr *peer);
/* Is there a connection with this peer, whoever has made it? */
bool tl_tls_connected(const struct sockaddr *peer);
/* The connection that the client side with this label has to peer: its socket, Sofia's, or -1; and
 * CRLF CRLF on it (RFC 5626 3.5.1): 0, -ENOTCONN, or -EAGAIN, not just now. */
int tl_tls_dialled(const char *label, const struct sockaddr *peer);
int tl_tls_send_crlf(const char *label, const struct sockaddr *peer);
