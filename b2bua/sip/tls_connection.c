/*
 * Single TLS connections: SNI, a limit to the time of a handshake, one line in the log when it
 * fails, and the end of the SSL object, which Sofia forgets:
 *
 *     Sofia: BIO_new_socket(), SSL_new(), SSL_set_bio()  …  SSL_shutdown(), BIO_free(), close()
 *
 * Sofia believes the BIO to be its own, though the SSL object owns it. So the SSL object gets
 * another one to the same socket, and Sofia's is left to Sofia alone: when it frees it, the last
 * reference is gone, OpenSSL says so, and the SSL object can follow. Between SSL_new() and the
 * exchange, which waits for the loop to come round, a reference of ours keeps the BIO alive.
 *
 *     references to Sofia's BIO   | SSL | ours | Sofia |
 *     SSL_new() seen              |  –  |  1   |   1   |
 *     SSL_set_bio() takes Sofia's |  1  |  1   |   –   |  and Sofia's BIO_free() takes ours
 *     the exchange                |  –  |  1   |   –   |
 *     BIO_free()                  |  –  |  –   |   –   |  free the SSL object
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/timer.h"
#include "b2bua/sip/tls_priv.h"

enum {
	SWEEP_MS = 1000,
	SOON_MS = 1,
	HANDSHAKE_MAX_S = 10,
};

struct connection {
	SSL *ssl;
	BIO *bio; /* Sofia's, until it is gone */
	int fd;   /* Sofia's */
	bool exchanged, done;
	bool blamed; /* its failure has been logged */
	bool pinged; /* stands in the queue of those who wait for a CRLF */
	int64_t since_us;
	struct sockaddr_storage peer;
	char *name; /* whom its certificate must name; NULL: anybody */
};

static GHashTable *connections; /* a set of struct connection */
static GQueue *fresh;           /* those whose BIO has not been exchanged */
static GQueue *pinged;          /* those who have sent CRLF CRLF */
static su_root_t *loop;
static su_timer_t *sweep, *soon;
static unsigned users;         /* stacks: more than one in tests only */
static __thread BIO *last_bio; /* made by this thread */

static void on_bio(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long l, void *p)
{
	last_bio = parent;
}

static void on_soon(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void on_ssl(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long l, void *p)
{
	SSL *ssl = parent;
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	struct connection *c;

	if (!connections || !ctx || !SSL_CTX_get_ex_data(ctx, tl_tls_context_index()) ||
	    !last_bio || BIO_method_type(last_bio) != BIO_TYPE_SOCKET)
		return;
	c = g_new0(struct connection, 1);
	c->ssl = ssl;
	c->bio = last_bio;
	c->fd = (int)BIO_get_fd(last_bio, NULL);
	c->since_us = g_get_monotonic_time();
	BIO_up_ref(c->bio);
	SSL_CTX_up_ref(ctx); /* Sofia frees the context once for each connection, too */
	last_bio = NULL;
	CRYPTO_set_ex_data(data, index, c);
	g_hash_table_add(connections, c);
	g_queue_push_tail(fresh, c);
	tl_timer_start(&soon, loop, SOON_MS, on_soon, NULL);
}

static int ssl_index(void)
{
	static int index = -1;

	if (index < 0)
		index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, on_ssl, NULL, NULL);
	return index;
}

static struct tl_tls *context_of(const SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tl_tls_context_index());
}

/* --- its end --- */

static void end(struct connection *c)
{
	struct tl_tls *tls = context_of(c->ssl);

	if (tls && !c->done && !SSL_is_server(c->ssl)) {
		tls->failed = true;
		tl_timer_start(&soon, loop, SOON_MS, on_soon, NULL);
	}
	g_hash_table_remove(connections, c);
	if (c->pinged)
		g_queue_remove(pinged, c);
	SSL_set_ex_data(c->ssl, ssl_index(), NULL);
	SSL_free(c->ssl);
	g_free(c->name);
	g_free(c);
	ERR_clear_error();
}

static long on_bio_event(BIO *bio, int operation, const char *argp, size_t bytes, int argi,
			 long argl, int ret, size_t *processed)
{
	struct connection *c = (struct connection *)BIO_get_callback_arg(bio);

	if (operation == BIO_CB_FREE && c) {
		c->bio = NULL;
		if (c->exchanged)
			end(c);
	}
	return ret;
}

static void exchange(struct connection *c)
{
	BIO *own = BIO_new_socket(c->fd, BIO_NOCLOSE);
	socklen_t bytes = sizeof(c->peer);

	BIO_set_callback_ex(c->bio, on_bio_event);
	BIO_set_callback_arg(c->bio, (char *)c);
	(void)getpeername(c->fd, (struct sockaddr *)&c->peer, &bytes);
	SSL_set_bio(c->ssl, own, own); /* drops the reference on Sofia's; it may be the last */
	c->exchanged = true;
	if (!c->bio)
		end(c);
}

static int send_text(SSL *ssl, const char *text);

static void on_soon(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct connection *c;

	while ((c = g_queue_pop_head(fresh)))
		exchange(c);
	while ((c = g_queue_pop_head(pinged))) {
		c->pinged = false;
		(void)send_text(c->ssl, "\r\n");
	}
	tl_tls_tell_failures();
}

static void on_sweep(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	int64_t limit_us = g_get_monotonic_time() - HANDSHAKE_MAX_S * G_USEC_PER_SEC;
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, connections);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		struct connection *c = key;

		if (c->exchanged && !c->done && c->since_us < limit_us)
			(void)shutdown(c->fd, SHUT_RDWR); /* Sofia hears of it, and closes */
	}
}

/* --- the handshake --- */

static const char *peer_text(const struct connection *c, char buf[static TL_ADDRESS_BYTES])
{
	struct sockaddr_storage peer = c->peer;
	socklen_t bytes = sizeof(peer);

	if (peer.ss_family == AF_UNSPEC)
		(void)getpeername(c->fd, (struct sockaddr *)&peer, &bytes);
	return tl_address_text((struct sockaddr *)&peer, buf);
}

static void blame(struct tl_tls *tls, struct connection *c, const char *why, const char *what)
{
	char peer[TL_ADDRESS_BYTES];
	unsigned skipped;

	if (c->blamed || !tl_log_allow(&tls->limit, &skipped))
		return;
	c->blamed = true;
	g_warning("%s tls peer=%s %s: %s%s%s skipped=%u", tls->label, peer_text(c, peer), why, what,
		  c->name ? " name=" : "", c->name ? c->name : "", skipped);
}

int tl_tls_on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct connection *c = SSL_get_ex_data(ssl, ssl_index());
	struct tl_tls *tls = context_of(ssl);

	if (!ok && tls && c && !c->done && (tls->verify || tls->server))
		blame(tls, c, "certificate refused",
		      X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
	return ok;
}

static struct sockaddr_storage peer_of(const struct connection *c)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t bytes = sizeof(peer);

	(void)getpeername(c->fd, (struct sockaddr *)&peer, &bytes);
	return peer;
}

/* Of the hosts of a trunk each has its own name to show. */
static void expect(const struct tl_tls *tls, struct connection *c)
{
	struct sockaddr_storage peer = peer_of(c), literal;
	const char *name = tls->name_of
				   ? tls->name_of(tls->names, tls->label, (struct sockaddr *)&peer)
				   : NULL;

	g_free(c->name);
	c->name = g_strdup(name ? name : tls->name);
	tl_tls_expect(SSL_get0_param(c->ssl), c->name);
	if (c->name && !tl_address_parse(c->name, 0, &literal))
		SSL_set_tlsext_host_name(c->ssl, c->name); /* no literals: RFC 6066 3 */
}

static void begin(struct tl_tls *tls, SSL *ssl, struct connection *c)
{
	struct sockaddr_storage peer;
	char ip[INET6_ADDRSTRLEN];
	const void *addr;

	if (SSL_is_server(ssl))
		return;
	if (!tls->has_certificate)
		SSL_certs_clear(ssl);
	if (!tls->server) {
		expect(tls, c);
		return;
	}
	/* a connection to a peer whose name nobody has told us: it must be the address itself */
	peer = peer_of(c);
	addr = peer.ss_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)&peer)->sin6_addr
					  : (void *)&((struct sockaddr_in *)&peer)->sin_addr;
	if (inet_ntop(peer.ss_family, addr, ip, sizeof(ip)))
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), ip);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, tl_tls_on_verify);
}

void tl_tls_on_info(const SSL *const_ssl, int where, int value)
{
	SSL *ssl = (SSL *)const_ssl;
	struct connection *c = SSL_get_ex_data(ssl, ssl_index());
	struct tl_tls *tls = context_of(ssl);

	if (!c || !tls)
		return;
	if (where & SSL_CB_HANDSHAKE_START && !c->done)
		begin(tls, ssl, c);
	if (where & SSL_CB_HANDSHAKE_DONE) {
		c->done = true;
		g_debug("%s tls %s %s", tls->label, SSL_get_version(ssl), SSL_get_cipher(ssl));
	}
	/* by TLS 1.3 a peer looks at our certificate when the handshake is over for us */
	if (where & SSL_CB_ALERT && value >> 8 == SSL3_AL_FATAL &&
	    (!c->done || (where & SSL_CB_READ && !SSL_is_server(ssl))))
		blame(tls, c, where & SSL_CB_READ ? "peer refuses" : "refused",
		      SSL_alert_desc_string_long(value));
}

/* --- keep-alives --- */

/* One record, or nothing: what Sofia could not send at once must be sent first, and as it was. */
static int send_text(SSL *ssl, const char *text)
{
	int written;

	if (SSL_want_write(ssl))
		return -EAGAIN;
	written = SSL_write(ssl, text, (int)strlen(text));
	ERR_clear_error();
	return written > 0 ? 0 : -EAGAIN;
}

/* What a record is longer than its content; 0: not known. Our ciphers all have tags of 16 bytes. */
static size_t overhead_of(const SSL *ssl)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);

	if (!cipher || !SSL_CIPHER_is_aead(cipher))
		return 0;
	if (SSL_version(ssl) == TLS1_3_VERSION)
		return 16 + 1; /* RFC 8446 5.2: and the inner type */
	if (SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305)
		return 16;
	return 16 + 8; /* RFC 5288 3: the explicit nonce */
}

/*
 * RFC 5626 4.4.1: CRLF CRLF is answered by CRLF. Sofia does so by TCP; by TLS it takes it for the
 * beginning of a message. Nobody but Sofia reads what comes, yet a record's length says enough:
 * no message, and hardly ever a piece of one, has four bytes. A CRLF too many is no matter.
 */
void tl_tls_on_record(int written, int version, int type, const void *data, size_t bytes, SSL *ssl,
		      void *arg)
{
	const unsigned char *header = data;
	struct connection *c;
	size_t overhead;

	if (written || type != SSL3_RT_HEADER || bytes != SSL3_RT_HEADER_LENGTH ||
	    header[0] != SSL3_RT_APPLICATION_DATA || !SSL_is_server(ssl))
		return;
	c = SSL_get_ex_data(ssl, ssl_index());
	overhead = overhead_of(ssl);
	if (!c || !c->done || c->pinged || !overhead ||
	    (size_t)(header[3] << 8 | header[4]) != overhead + strlen("\r\n\r\n"))
		return;
	c->pinged = true;
	g_queue_push_tail(pinged, c);
	tl_timer_start(&soon, loop, SOON_MS, on_soon, NULL);
}

/* --- all of them --- */

void tl_tls_connections_start(su_root_t *root)
{
	static int bio_index = -1;

	if (users++ > 0)
		return;
	if (bio_index < 0)
		bio_index =
			CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_BIO, 0, NULL, on_bio, NULL, NULL);
	(void)ssl_index();
	connections = g_hash_table_new(NULL, NULL);
	fresh = g_queue_new();
	pinged = g_queue_new();
	loop = root;
	tl_timer_repeat(&sweep, root, SWEEP_MS, on_sweep, NULL);
}

void tl_tls_connections_stop(void)
{
	if (!connections || --users > 0)
		return;
	on_soon(NULL, NULL, NULL);
	tl_timer_stop(&sweep);
	tl_timer_stop(&soon);
	g_queue_free(fresh);
	g_queue_free(pinged);
	g_hash_table_destroy(connections);
	connections = NULL;
}

static bool is_connected(const struct sockaddr *peer, bool by_peer)
{
	GHashTableIter iter;
	gpointer key;

	if (!connections)
		return false;
	g_hash_table_iter_init(&iter, connections);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const struct connection *c = key;

		if (c->done && (!by_peer || SSL_is_server(c->ssl)) &&
		    tl_address_equal((const struct sockaddr *)&c->peer, peer))
			return true;
	}
	return false;
}

bool tl_tls_accepted(const struct sockaddr *peer)
{
	return is_connected(peer, true);
}

bool tl_tls_connected(const struct sockaddr *peer)
{
	return is_connected(peer, false);
}

static struct connection *find_dialled(const char *label, const struct sockaddr *peer)
{
	GHashTableIter iter;
	gpointer key;

	if (!connections)
		return NULL;
	g_hash_table_iter_init(&iter, connections);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		struct connection *c = key;
		const struct tl_tls *tls = context_of(c->ssl);

		if (c->done && c->exchanged && !SSL_is_server(c->ssl) && tls &&
		    g_strcmp0(tls->label, label) == 0 &&
		    tl_address_equal((const struct sockaddr *)&c->peer, peer))
			return c;
	}
	return NULL;
}

int tl_tls_dialled(const char *label, const struct sockaddr *peer)
{
	const struct connection *c = find_dialled(label, peer);

	return c ? c->fd : -1;
}

int tl_tls_send_crlf(const char *label, const struct sockaddr *peer)
{
	struct connection *c = find_dialled(label, peer);

	if (!c)
		return -ENOTCONN;
	return send_text(c->ssl, "\r\n\r\n");
}
