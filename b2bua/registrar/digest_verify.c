#include "b2bua/registrar/digest_verify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <glib.h>

enum { HASH_BYTES = 65 }; /* SHA-256 in hex, and NUL */

static const struct {
	const char *name;
	GChecksumType checksum;
	size_t hex_chars;
} algorithms[_TL_CLAIM_ALGORITHM_MAX] = {
	[TL_CLAIM_MD5] = { "MD5", G_CHECKSUM_MD5, 32 },
	[TL_CLAIM_SHA256] = { "SHA-256", G_CHECKSUM_SHA256, 64 },
};

const char *tl_claim_algorithm_name(enum tl_claim_algorithm algorithm)
{
	if ((int)algorithm < 0 || algorithm >= _TL_CLAIM_ALGORITHM_MAX)
		return "unknown";
	return algorithms[algorithm].name;
}

/* What is read, before it is judged. */
struct raw_claim {
	char algorithm[16], qop[16];
	struct tl_claim *claim;
};

#define IN_CLAIM(member)                                                                           \
	offsetof(struct tl_claim, member), sizeof(((struct tl_claim *)0)->member), false
#define IN_RAW(member)                                                                             \
	offsetof(struct raw_claim, member), sizeof(((struct raw_claim *)0)->member), true

static const struct claim_param {
	const char *name;
	size_t offset, bytes;
	bool raw;
} claim_params[] = {
	{ "username", IN_CLAIM(username) },
	{ "realm", IN_CLAIM(realm) },
	{ "nonce", IN_CLAIM(nonce) },
	{ "uri", IN_CLAIM(uri) },
	{ "cnonce", IN_CLAIM(cnonce) },
	{ "response", IN_CLAIM(response) },
	{ "nc", IN_CLAIM(nc_text) },
	{ "algorithm", IN_RAW(algorithm) },
	{ "qop", IN_RAW(qop) },
};

/* value, quoted or not, into buf. */
static int copy_value(const char *value, char *buf, size_t bytes)
{
	bool quoted = *value == '"';
	size_t n = 0;

	if (quoted)
		value++;
	for (; *value && !(quoted && *value == '"'); value++) {
		if (quoted && *value == '\\' && value[1])
			value++;
		if (n + 1 >= bytes)
			return -EBADMSG;
		buf[n++] = *value;
	}
	if (quoted && (value[0] != '"' || value[1]))
		return -EBADMSG;
	buf[n] = '\0';
	return 0;
}

static int read_param(struct raw_claim *raw, unsigned *seen, const char *param)
{
	const char *equals = strchr(param, '=');
	size_t n = equals ? (size_t)(equals - param) : 0;

	while (n > 0 && g_ascii_isspace(param[n - 1]))
		n--;
	for (size_t i = 0; n > 0 && i < G_N_ELEMENTS(claim_params); i++) {
		const struct claim_param *p = &claim_params[i];
		char *base = p->raw ? (char *)raw : (char *)raw->claim;

		if (strlen(p->name) != n || g_ascii_strncasecmp(p->name, param, n) != 0)
			continue;
		if (*seen & 1u << i)
			return -EBADMSG;
		*seen |= 1u << i;
		equals++;
		while (g_ascii_isspace(*equals))
			equals++;
		return copy_value(equals, base + p->offset, p->bytes);
	}
	return 0; /* opaque, and whatever comes to be */
}

static int judge_algorithm(const struct raw_claim *raw)
{
	if (!*raw->algorithm) /* RFC 7616 3.3: absent means MD5 */
		return TL_CLAIM_MD5;
	for (int i = 0; i < _TL_CLAIM_ALGORITHM_MAX; i++)
		if (g_ascii_strcasecmp(raw->algorithm, algorithms[i].name) == 0)
			return i;
	return -ENOTSUP;
}

static int judge_nc(struct tl_claim *claim)
{
	guint64 nc;

	if (strlen(claim->nc_text) != 8 ||
	    !g_ascii_string_to_unsigned(claim->nc_text, 16, 0, UINT32_MAX, &nc, NULL))
		return -EBADMSG;
	claim->nc = (uint32_t)nc;
	return 0;
}

int tl_claim_parse(const char *const *params, struct tl_claim *ret_claim)
{
	struct tl_claim claim = { .nc = 1 };
	struct raw_claim raw = { .claim = &claim };
	unsigned seen = 0;
	int r;

	for (; params && *params; params++) {
		r = read_param(&raw, &seen, *params);
		if (r < 0)
			return r;
	}
	if (!*claim.username || !*claim.realm || !*claim.nonce || !*claim.uri || !*claim.response)
		return -EBADMSG;

	r = judge_algorithm(&raw);
	if (r < 0)
		return r;
	claim.algorithm = (enum tl_claim_algorithm)r;

	if (*raw.qop) {
		if (g_ascii_strcasecmp(raw.qop, "auth") != 0)
			return -ENOTSUP;
		if (!*claim.cnonce)
			return -EBADMSG;
		r = judge_nc(&claim);
		if (r < 0)
			return r;
		claim.qop_auth = true;
	}
	*ret_claim = claim;
	return 0;
}

/* Hash of the parts, joined by colons, in hex. */
static void hash_parts(enum tl_claim_algorithm algorithm, const char *const *parts, size_t n,
		       char ret_hex[static HASH_BYTES])
{
	GChecksum *sum = g_checksum_new(algorithms[algorithm].checksum);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			g_checksum_update(sum, (const guchar *)":", 1);
		g_checksum_update(sum, (const guchar *)parts[i], (gssize)strlen(parts[i]));
	}
	g_strlcpy(ret_hex, g_checksum_get_string(sum), HASH_BYTES);
	g_checksum_free(sum);
}

#define HASH(algorithm, ret_hex, ...)                                                              \
	hash_parts(algorithm, (const char *const[]) { __VA_ARGS__ },                               \
		   sizeof((const char *const[]) { __VA_ARGS__ }) / sizeof(char *), ret_hex)

/* Takes the same time wherever the two differ. */
static bool equal_hex(const char *a, const char *b, size_t chars)
{
	unsigned differ = 0;

	if (strlen(a) != chars)
		return false;
	for (size_t i = 0; i < chars; i++)
		differ |= (unsigned)(g_ascii_tolower(a[i]) ^ b[i]);
	return differ == 0;
}

bool tl_claim_verify(const struct tl_claim *claim, const char *method,
		     const struct tl_secret *secret)
{
	enum tl_claim_algorithm algorithm = claim->algorithm;
	const char *password = secret->password ? secret->password : "";
	char ha1[HASH_BYTES], ha2[HASH_BYTES], response[HASH_BYTES];
	bool usable = secret->password != NULL;

	HASH(algorithm, ha1, claim->username, claim->realm, password);
	if (secret->ha1[algorithm]) {
		g_strlcpy(ha1, secret->ha1[algorithm], sizeof(ha1));
		for (char *c = ha1; *c; c++)
			*c = g_ascii_tolower(*c);
		usable = true;
	}
	HASH(algorithm, ha2, method, claim->uri);
	if (claim->qop_auth)
		HASH(algorithm, response, ha1, claim->nonce, claim->nc_text, claim->cnonce, "auth",
		     ha2);
	else
		HASH(algorithm, response, ha1, claim->nonce, ha2);

	return equal_hex(claim->response, response, algorithms[algorithm].hex_chars) && usable;
}
