#include "b2bua/sip/tls_priv.h"
#include "b2bua/sip/stack.h"
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_errno.h>
#include <sofia-sip/tport_tag.h>

enum {
	IDLE_MS = 1800000, /* as with TCP */
	CHAIN_MAX = 8,     /* certificates above a peer's */
};

/* Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"
/* Where Sofia looks for files of its own: nowhere. */
#define NO_FOLDER "/var/empty/twinleg"

static SSL_CTX *appeared; /* the context made last, while a transport is added */
static bool watching;
static GHashTable *clients; /* a set of struct tl_tls */

static void on_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long l, void *p)
{
	if (watching)
		appeared = parent;
}

static void on_context_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long l,
			    void *p)
{
	struct tl_tls *tls = ptr;

	if (tls)
		tls->ctx = NULL;
}

int tl_tls_context_index(void)
{
	static int index = -1;

	if (index < 0)
		index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, on_context, NULL,
						on_context_free);
	return index;
}

void tl_tls_start(su_root_t *root)
{
	(void)tl_tls_context_index();
	tl_tls_connections_start(root);
}

void tl_tls_stop(void)
{
	tl_tls_connections_stop();
	tl_tls_forget_authorities();
}

/* --- files --- */

/* What OpenSSL says, the first of it. */
static int complain(const struct tl_tls_cfg *cfg, const char *what, const char *file)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		reason = g_strerror(ERR_GET_REASON(error));
	g_warning("%s tls: %s %s: %s", cfg->label, what, file, reason ? reason : "not usable");
	ERR_clear_error();
	return -EINVAL;
}

static const char *key_file(const struct tl_tls_cfg *cfg)
{
	return cfg->private_key ? cfg->private_key : cfg->certificate;
}

static int use_certificate(SSL_CTX *ctx, const struct tl_tls_cfg *cfg)
{
	if (!cfg->certificate)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(ctx, cfg->certificate) != 1)
		return complain(cfg, "certificate", cfg->certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, key_file(cfg), SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return complain(cfg, "private-key", key_file(cfg));
	return 0;
}

static int use_authorities(SSL_CTX *ctx, const struct tl_tls_cfg *cfg)
{
	X509_STORE *store = tl_tls_authorities(cfg->authorities);

	if (!store)
		return complain(cfg, "ca", cfg->authorities ? cfg->authorities : "of the system");
	SSL_CTX_set_cert_store(ctx, store); /* takes it */
	ERR_clear_error();
	return 0;
}

/* Both into a context that nobody uses: nothing of ours changes when they are no good. */
static int check_files(const struct tl_tls_cfg *cfg)
{
	SSL_CTX *trial = SSL_CTX_new(TLS_method());
	int r = use_certificate(trial, cfg);

	if (r == 0)
		r = use_authorities(trial, cfg);
	SSL_CTX_free(trial);
	return r;
}

/* --- the context --- */

void tl_tls_expect(X509_VERIFY_PARAM *param, const char *name)
{
	struct in6_addr in6;
	struct in_addr in4;
	bool literal = name && (inet_pton(AF_INET, name, &in4) == 1 ||
				inet_pton(AF_INET6, name, &in6) == 1);

	/* a wildcard stands for one whole label: RFC 6125 6.4.3, RFC 5922 7.2 forbids it, but
	 * carriers have them */
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	X509_VERIFY_PARAM_set1_host(param, literal ? NULL : name, 0);
	if (literal)
		X509_VERIFY_PARAM_set1_ip_asc(param, name);
	else
		X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
}

static void copy_text(char **text, const char *value)
{
	g_free(*text);
	*text = g_strdup(value);
}

int tl_tls_configure(struct tl_tls *tls, const struct tl_tls_cfg *cfg)
{
	SSL_CTX *ctx = tls->ctx;
	int r = ctx ? check_files(cfg) : -EINVAL;

	if (r < 0)
		return r;
	copy_text(&tls->label, cfg->label);
	copy_text(&tls->name, cfg->name);
	tls->name_of = cfg->name_of;
	tls->names = cfg->names;
	tls->verify = cfg->verify;
	tls->has_certificate = cfg->certificate != NULL;
	tls->on_failed = cfg->on_failed;
	tls->user = cfg->user;
	r = use_certificate(ctx, cfg);
	if (r == 0)
		r = use_authorities(ctx, cfg);
	SSL_CTX_set_verify(ctx,
			   cfg->verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
				       : SSL_VERIFY_NONE,
			   tl_tls_on_verify);
	if (!tls->server)
		tl_tls_expect(SSL_CTX_get0_param(ctx), cfg->name);
	return r;
}

static void harden(SSL_CTX *ctx)
{
	/* RFC 8996: nothing below 1.2 */
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_cipher_list(ctx, CIPHERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_dh_auto(ctx, 1);
	SSL_CTX_set_verify_depth(ctx, CHAIN_MAX);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_info_callback(ctx, tl_tls_on_info);
	SSL_CTX_set_msg_callback(ctx, tl_tls_on_record);
}

/* Adds the transport, and catches its context. */
static int add_transport(nta_agent_t *agent, const char *url, const char *ident, SSL_CTX **ret_ctx)
{
	int r;

	appeared = NULL;
	watching = true;
	if (url)
		r = nta_agent_add_tport(agent, URL_STRING_MAKE(url), TPTAG_IDENT(ident),
					TPTAG_IDLE(IDLE_MS), TPTAG_PONG2PING(1),
					TPTAG_CERTIFICATE(NO_FOLDER), TAG_END());
	else
		r = nta_agent_add_tport(agent, URL_STRING_MAKE("sips:*:*"), TPTAG_SERVER(0),
					TPTAG_IDENT(ident), TPTAG_IDLE(IDLE_MS),
					TPTAG_CERTIFICATE(NO_FOLDER), TAG_END());
	watching = false;
	ERR_clear_error(); /* of the files that Sofia did not find */
	if (r < 0)
		return su_errno() ? -su_errno() : -EADDRNOTAVAIL;
	if (!appeared)
		return -ENOTSUP;
	*ret_ctx = appeared;
	return 0;
}

int tl_tls_new(nta_agent_t *agent, const char *url, const char *ident, const struct tl_tls_cfg *cfg,
	       struct tl_tls **ret_tls)
{
	struct tl_tls *tls;
	SSL_CTX *ctx = NULL;
	int r = check_files(cfg);

	if (r < 0)
		return r;
	r = add_transport(agent, url, ident, &ctx);
	if (r < 0) {
		g_warning("%s tls: %s", cfg->label, g_strerror(-r));
		return r;
	}
	tls = g_new0(struct tl_tls, 1);
	tls->ctx = ctx;
	tls->server = url != NULL;
	SSL_CTX_set_ex_data(ctx, tl_tls_context_index(), tls);
	harden(ctx);
	r = tl_tls_configure(tls, cfg);
	if (r < 0) {
		tl_tls_free(tls);
		return r;
	}
	if (!clients)
		clients = g_hash_table_new(NULL, NULL);
	if (!tls->server)
		g_hash_table_add(clients, tls);
	tl_uri_allow_tls();
	*ret_tls = tls;
	return 0;
}

void tl_tls_free(struct tl_tls *tls)
{
	if (!tls)
		return;
	if (tls->ctx)
		SSL_CTX_set_ex_data(tls->ctx, tl_tls_context_index(), NULL);
	if (clients)
		g_hash_table_remove(clients, tls);
	g_free(tls->label);
	g_free(tls->name);
	g_free(tls);
}

void tl_tls_tell_failures(void)
{
	GHashTableIter iter;
	gpointer key;

	if (!clients)
		return;
	g_hash_table_iter_init(&iter, clients);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		struct tl_tls *tls = key;

		if (tls->failed && tls->on_failed)
			tls->on_failed(tls->user, tls->label);
		tls->failed = false;
	}
}
