#include "b2bua/sip/digest.h"
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>

enum {
	PARAM_BYTES = 512, /* longest realm, nonce or opaque that we repeat */
	CHALLENGES = 8,    /* headers looked at */
	TRIES = 2,         /* with fresh nonces; a server that calls each one stale is broken */
};

/* Quality of protection: what else but the credentials the response covers. */
enum quality {
	QUALITY_NONE,      /* RFC 2069: not even a count */
	QUALITY_AUTH,      /* the request line */
	QUALITY_INTEGRITY, /* the body too: auth-int */
};

/* What one server (401) or proxy (407) wants. */
struct challenge {
	char *realm, *nonce, *opaque; /* realm NULL: not challenged */
	GChecksumType hash;
	const char *algorithm; /* as it was named, static; NULL: not named, MD5 */
	bool session;
	enum quality qop;
	unsigned count; /* of the nonce's use */
	unsigned tries; /* challenges met since the last success */
	char cnonce[17];
};

struct tl_digest {
	char *user, *password;
	struct challenge server, proxy;
};

static const struct {
	const char *name;
	GChecksumType hash;
	bool session;
} algorithms[] = {
	{ "MD5", G_CHECKSUM_MD5, false },
	{ "MD5-sess", G_CHECKSUM_MD5, true },
	{ "SHA-256", G_CHECKSUM_SHA256, false },
	{ "SHA-256-sess", G_CHECKSUM_SHA256, true },
};

static void challenge_clear(struct challenge *c)
{
	g_clear_pointer(&c->realm, g_free);
	g_clear_pointer(&c->nonce, g_free);
	g_clear_pointer(&c->opaque, g_free);
}

struct tl_digest *tl_digest_new(const char *user, const char *password)
{
	struct tl_digest *digest = g_new0(struct tl_digest, 1);

	digest->user = g_strdup(user);
	digest->password = g_strdup(password ? password : "");
	return digest;
}

void tl_digest_free(struct tl_digest *digest)
{
	if (!digest)
		return;
	challenge_clear(&digest->server);
	challenge_clear(&digest->proxy);
	g_free(digest->user);
	g_free(digest->password);
	g_free(digest);
}

/* The value of `name="value"` or `name=value`, unquoted; a new string, or NULL. A control
 * character, which can only come from a folded header, is left out: of what we hash as of what we
 * send. */
static char *take_param(const msg_auth_t *auth, const char *name)
{
	size_t n = strlen(name);

	for (const msg_param_t *p = auth->au_params; p && *p; p++) {
		const char *value = *p + n;
		GString *s;

		if (g_ascii_strncasecmp(*p, name, n) != 0 || *value != '=')
			continue;
		value++;
		if (strlen(value) >= PARAM_BYTES)
			return NULL;
		if (*value != '"')
			return g_strdup(value);
		s = g_string_new(NULL);
		for (value++; *value && *value != '"'; value++) {
			if (*value == '\\' && value[1])
				value++;
			if (!g_ascii_iscntrl(*value))
				g_string_append_c(s, *value);
		}
		return g_string_free(s, FALSE);
	}
	return NULL;
}

/* "auth,auth-int": auth where it is offered, since proxies on the way may touch a body; NONE: there
 * is none that we do. */
static enum quality choose_quality(const char *offered)
{
	g_auto(GStrv) items = g_strsplit(offered, ",", 8);
	enum quality chosen = QUALITY_NONE;

	for (char **item = items; *item; item++) {
		if (g_ascii_strcasecmp(g_strstrip(*item), "auth") == 0)
			return QUALITY_AUTH;
		if (g_ascii_strcasecmp(*item, "auth-int") == 0)
			chosen = QUALITY_INTEGRITY;
	}
	return chosen;
}

static bool read_algorithm(const msg_auth_t *auth, struct challenge *c)
{
	g_autofree char *name = take_param(auth, "algorithm");

	c->hash = G_CHECKSUM_MD5;
	c->session = false;
	c->algorithm = NULL;
	if (!name)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++) {
		if (g_ascii_strcasecmp(name, algorithms[i].name) != 0)
			continue;
		c->hash = algorithms[i].hash;
		c->session = algorithms[i].session;
		c->algorithm = algorithms[i].name;
		return true;
	}
	return false;
}

/* Fills *ret_c, realm and nonce set, when it is a challenge that we can meet. */
static bool read_challenge(const msg_auth_t *auth, struct challenge *ret_c)
{
	struct challenge c = { 0 };
	g_autofree char *qop = NULL;

	if (!auth->au_scheme || g_ascii_strcasecmp(auth->au_scheme, "Digest") != 0)
		return false;
	if (!read_algorithm(auth, &c))
		return false;
	qop = take_param(auth, "qop");
	c.qop = qop ? choose_quality(qop) : QUALITY_NONE;
	c.realm = take_param(auth, "realm");
	c.nonce = take_param(auth, "nonce");
	c.opaque = take_param(auth, "opaque");
	/* the session form needs the client's nonce, which goes with qop (RFC 7616 3.4.2) */
	if (!c.realm || !c.nonce || (qop && !c.qop) || (c.session && !c.qop)) {
		challenge_clear(&c);
		return false;
	}
	*ret_c = c;
	return true;
}

static bool is_stale(const msg_auth_t *auth)
{
	g_autofree char *stale = take_param(auth, "stale");

	return stale && g_ascii_strcasecmp(stale, "true") == 0;
}

static int take_challenges(struct challenge *kept, const msg_auth_t *auth)
{
	struct challenge c;

	for (unsigned i = 0; auth && i < CHALLENGES; auth = auth->au_next, i++) {
		if (!read_challenge(auth, &c))
			continue;
		c.tries = kept->tries + 1;
		if (c.tries > TRIES || (kept->tries > 0 && !is_stale(auth))) {
			challenge_clear(&c);
			return -EACCES;
		}
		g_snprintf(c.cnonce, sizeof(c.cnonce), "%08x%08x", g_random_int(), g_random_int());
		challenge_clear(kept);
		*kept = c;
		return 0;
	}
	return -EACCES;
}

int tl_digest_challenged(struct tl_digest *digest, const sip_t *response)
{
	if (!digest || !digest->user)
		return -EACCES;
	if (response->sip_status->st_status == 407)
		return take_challenges(&digest->proxy, response->sip_proxy_authenticate);
	return take_challenges(&digest->server, response->sip_www_authenticate);
}

void tl_digest_accepted(struct tl_digest *digest)
{
	if (!digest)
		return;
	digest->server.tries = digest->proxy.tries = 0;
}

/* H(a ":" b …); the caller frees it. */
static char *hash_of(GChecksumType type, const char *const *parts)
{
	g_autoptr(GChecksum) sum = g_checksum_new(type);

	for (size_t i = 0; parts[i]; i++) {
		if (i > 0)
			g_checksum_update(sum, (const guchar *)":", 1);
		g_checksum_update(sum, (const guchar *)parts[i], -1);
	}
	return g_strdup(g_checksum_get_string(sum));
}

static const char *qop_name(enum quality qop)
{
	return qop == QUALITY_INTEGRITY ? "auth-int" : "auth";
}

/* H(A2), RFC 7616 3.4.3 */
static char *hash_of_request(const struct challenge *c, const char *method, const char *uri,
			     const sip_payload_t *body)
{
	const guchar *data = body ? (const guchar *)body->pl_data : NULL;
	g_autofree char *of_body = NULL;

	if (c->qop != QUALITY_INTEGRITY)
		return hash_of(c->hash, (const char *[]) { method, uri, NULL });
	of_body = g_compute_checksum_for_data(c->hash, data ? data : (const guchar *)"",
					      data ? body->pl_len : 0);
	return hash_of(c->hash, (const char *[]) { method, uri, of_body, NULL });
}

/* RFC 7616 3.4.1 */
static char *response_of(const struct tl_digest *digest, const struct challenge *c, const char *a2,
			 const char *count)
{
	g_autofree char *a1 = NULL, *plain = NULL;

	a1 = hash_of(c->hash, (const char *[]) { digest->user, c->realm, digest->password, NULL });
	if (c->session) {
		plain = g_steal_pointer(&a1);
		a1 = hash_of(c->hash, (const char *[]) { plain, c->nonce, c->cnonce, NULL });
	}
	if (!c->qop)
		return hash_of(c->hash, (const char *[]) { a1, c->nonce, a2, NULL });
	return hash_of(c->hash, (const char *[]) { a1, c->nonce, count, c->cnonce, qop_name(c->qop),
						   a2, NULL });
}

/* `, name="value"`, with quotes and backslashes escaped. */
static void append_quoted(GString *s, const char *name, const char *value)
{
	g_string_append_printf(s, ", %s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			g_string_append_c(s, '\\');
		g_string_append_c(s, *value);
	}
	g_string_append_c(s, '"');
}

static const char *credentials(const struct tl_digest *digest, struct challenge *c, su_home_t *home,
			       const char *method, const char *uri, const sip_payload_t *body)
{
	GString *s = g_string_new("Digest ");
	g_autofree char *a2 = hash_of_request(c, method, uri, body), *response = NULL;
	char count[9], *copy;

	g_snprintf(count, sizeof(count), "%08x", ++c->count);
	response = response_of(digest, c, a2, count);
	append_quoted(s, "username", digest->user);
	g_string_erase(s, strlen("Digest "), strlen(", "));
	append_quoted(s, "realm", c->realm);
	append_quoted(s, "nonce", c->nonce);
	append_quoted(s, "uri", uri);
	append_quoted(s, "response", response);
	if (c->algorithm)
		g_string_append_printf(s, ", algorithm=%s", c->algorithm);
	if (c->opaque)
		append_quoted(s, "opaque", c->opaque);
	if (c->qop)
		g_string_append_printf(s, ", qop=%s, nc=%s, cnonce=\"%s\"", qop_name(c->qop), count,
				       c->cnonce);
	copy = su_strdup(home, s->str);
	g_string_free(s, TRUE);
	return copy;
}

const char *tl_digest_authorization(struct tl_digest *digest, su_home_t *home, const char *method,
				    const char *uri, const sip_payload_t *body)
{
	if (!digest || !digest->server.realm)
		return NULL;
	return credentials(digest, &digest->server, home, method, uri, body);
}

const char *tl_digest_proxy_authorization(struct tl_digest *digest, su_home_t *home,
					  const char *method, const char *uri,
					  const sip_payload_t *body)
{
	if (!digest || !digest->proxy.realm)
		return NULL;
	return credentials(digest, &digest->proxy, home, method, uri, body);
}
