#include "b2bua/registrar/nonce.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <glib.h>
#include "b2bua/sip/address.h"

/*
 * A nonce as text:
 *
 *   0         16         24                              56
 *   | issued  |  serial  |  HMAC-SHA256, first 16 bytes  |
 *     us, hex    hex        hex, over the rest and the source
 */
enum {
	ISSUED_CHARS = 16,
	SERIAL_CHARS = 8,
	HEAD_CHARS = ISSUED_CHARS + SERIAL_CHARS,
	MAC_CHARS = 32,
	SECRET_BYTES = 32,
};
G_STATIC_ASSERT(HEAD_CHARS + MAC_CHARS < TL_NONCE_BYTES);

struct used_nonce {
	char text[TL_NONCE_BYTES];
	uint32_t nc;
};

struct tl_nonces {
	guint8 secret[SECRET_BYTES];
	int64_t lifetime_us;
	unsigned max_used;
	uint32_t serial;
	GHashTable *used; /* text -> struct used_nonce, owned */
	GQueue by_use;    /* the same, lent, first used first */
	int64_t floor_us; /* whatever was issued up to then and is not in used may have been used */
};

struct tl_nonces *tl_nonces_new(unsigned lifetime_s, unsigned max_used)
{
	struct tl_nonces *nonces = g_new0(struct tl_nonces, 1);

	if (getrandom(nonces->secret, SECRET_BYTES, 0) != SECRET_BYTES)
		g_error("no random numbers from the kernel");
	nonces->lifetime_us = (int64_t)lifetime_s * G_USEC_PER_SEC;
	nonces->max_used = max_used;
	nonces->used = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	nonces->floor_us = INT64_MIN;
	g_queue_init(&nonces->by_use);
	return nonces;
}

void tl_nonces_free(struct tl_nonces *nonces)
{
	if (!nonces)
		return;
	g_queue_clear(&nonces->by_use);
	g_hash_table_destroy(nonces->used);
	g_free(nonces);
}

static void sign(const struct tl_nonces *nonces, const char *head, const struct sockaddr *source,
		 char ret_mac[static MAC_CHARS + 1])
{
	struct tl_address_key key = tl_address_key(source);
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, nonces->secret, SECRET_BYTES);

	g_hmac_update(hmac, (const guchar *)head, HEAD_CHARS);
	g_hmac_update(hmac, (const guchar *)&key, sizeof(key));
	g_strlcpy(ret_mac, g_hmac_get_string(hmac), MAC_CHARS + 1);
	g_hmac_unref(hmac);
}

void tl_nonces_issue(struct tl_nonces *nonces, const struct sockaddr *source, int64_t now_us,
		     char ret_nonce[static TL_NONCE_BYTES])
{
	g_snprintf(ret_nonce, TL_NONCE_BYTES, "%016" G_GINT64_MODIFIER "x%08x", (guint64)now_us,
		   nonces->serial++);
	sign(nonces, ret_nonce, source, ret_nonce + HEAD_CHARS);
}

/* True: 16 hex digits as we write them, the time of issue. */
static bool read_issued(const char *nonce, int64_t *ret_issued_us)
{
	guint64 issued = 0;

	for (size_t i = 0; i < ISSUED_CHARS; i++) {
		int digit = g_ascii_xdigit_value(nonce[i]);

		if (digit < 0)
			return false;
		issued = issued << 4 | (guint64)digit;
	}
	*ret_issued_us = (int64_t)issued;
	return true;
}

int tl_nonces_check(struct tl_nonces *nonces, const char *nonce, const struct sockaddr *source,
		    int64_t now_us)
{
	char mac[MAC_CHARS + 1];
	int64_t issued_us;
	unsigned differ = 0;

	if (strlen(nonce) != HEAD_CHARS + MAC_CHARS || !read_issued(nonce, &issued_us))
		return -ESTALE;
	sign(nonces, nonce, source, mac);
	for (size_t i = 0; i < MAC_CHARS; i++)
		differ |= (unsigned)(mac[i] ^ nonce[HEAD_CHARS + i]);
	if (differ || issued_us > now_us || now_us - issued_us > nonces->lifetime_us)
		return -ESTALE;
	return 0;
}

static void forget_first(struct tl_nonces *nonces)
{
	struct used_nonce *first = g_queue_pop_head(&nonces->by_use);
	int64_t issued_us;

	if (read_issued(first->text, &issued_us))
		nonces->floor_us = MAX(nonces->floor_us, issued_us);
	g_hash_table_remove(nonces->used, first->text);
}

/* Nonces past their life can't come back; a few at each turn keep the table small. */
static void forget_expired(struct tl_nonces *nonces, int64_t now_us)
{
	const struct used_nonce *first;
	int64_t issued_us;

	for (int i = 0; i < 2; i++) {
		first = g_queue_peek_head(&nonces->by_use);
		if (!first || !read_issued(first->text, &issued_us) ||
		    now_us - issued_us <= nonces->lifetime_us)
			return;
		forget_first(nonces);
	}
}

unsigned tl_nonces_used(const struct tl_nonces *nonces)
{
	return nonces->by_use.length;
}

int tl_nonces_spend(struct tl_nonces *nonces, const char *nonce, uint32_t nc, int64_t now_us)
{
	struct used_nonce *used = g_hash_table_lookup(nonces->used, nonce);
	int64_t issued_us;

	if (used) {
		if (nc <= used->nc)
			return -ESTALE;
		used->nc = nc;
		return 0;
	}
	if (nc == 0 || !read_issued(nonce, &issued_us) || issued_us <= nonces->floor_us)
		return -ESTALE;

	forget_expired(nonces, now_us);
	if (nonces->by_use.length >= nonces->max_used)
		forget_first(nonces);
	used = g_new0(struct used_nonce, 1);
	g_strlcpy(used->text, nonce, sizeof(used->text));
	used->nc = nc;
	g_hash_table_insert(nonces->used, used->text, used);
	g_queue_push_tail(&nonces->by_use, used);
	return 0;
}
