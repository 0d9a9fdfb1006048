/*
 * a=crypto, RFC 4568 9.1:
 *
 *   1 AES_CM_128_HMAC_SHA1_80 inline:<base64 of key and salt>[|2^20][|1:4][;inline:...] [KDR=1 ...]
 */
#include "b2bua/sip/sdp_priv.h"
#include <string.h>

#define INLINE "inline:"

enum { TAG_MAX = 999999999, WORDS = 8 };

/* Not those that we lack: whatever changes the algorithm. Parameters that begin with '-' may be
 * ignored (6.3.7). */
static bool is_plain(char *const *parameters)
{
	for (; *parameters; parameters++)
		if (**parameters && **parameters != '-' && !g_str_has_prefix(*parameters, "WSH="))
			return false;
	return true;
}

/* "1:4": the key's number, as so many bytes of each packet. */
static bool read_mki(const char *text, uint32_t *ret_mki, uint8_t *ret_bytes)
{
	g_auto(GStrv) parts = g_strsplit(text, ":", 3);
	guint64 mki, bytes;

	if (*ret_bytes || g_strv_length(parts) != 2 ||
	    !g_ascii_string_to_unsigned(parts[0], 10, 0, UINT32_MAX, &mki, NULL) ||
	    !g_ascii_string_to_unsigned(parts[1], 10, 1, TL_SRTP_MKI_MAX, &bytes, NULL) ||
	    (bytes < sizeof(uint32_t) && mki >> (8 * bytes)))
		return false;
	*ret_mki = (uint32_t)mki;
	*ret_bytes = (uint8_t)bytes;
	return true;
}

static bool read_base64(const char *text, enum tl_srtp_suite suite, uint8_t *ret_key)
{
	size_t bytes = strlen(text), want = tl_srtp_suite_key_bytes(suite);
	g_autofree char *padded = NULL;
	g_autofree guchar *key = NULL;
	gsize got;

	while (bytes && text[bytes - 1] == '=')
		bytes--;
	if (bytes != (want * 4 + 2) / 3)
		return false;
	padded = g_strdup_printf("%.*s%s", (int)bytes, text,
				 bytes % 4 == 2   ? "=="
				 : bytes % 4 == 3 ? "="
						  : "");
	key = g_base64_decode(padded, &got);
	if (got != want)
		return false;
	memcpy(ret_key, key, want);
	return true;
}

/* "inline:KEY", and what may follow, behind '|' each: a lifetime, which is the peer's to keep, and
 * an identifier; *ret_mki_bytes 0: none. */
static bool read_key(const char *text, enum tl_srtp_suite suite, struct tl_crypto_key *ret_key,
		     uint8_t *ret_mki_bytes)
{
	g_auto(GStrv) parts = g_strsplit(text, "|", WORDS);

	*ret_mki_bytes = 0;
	if (!parts[0] || !g_str_has_prefix(parts[0], INLINE) ||
	    !read_base64(parts[0] + strlen(INLINE), suite, ret_key->key))
		return false;
	for (char *const *part = parts + 1; *part; part++)
		if (strchr(*part, ':') && !read_mki(*part, &ret_key->mki, ret_mki_bytes))
			return false;
	return true;
}

/* Of several keys each has an identifier of its own, all of one length (RFC 4568 6.1). */
static bool add_key(struct tl_crypto *crypto, const struct tl_crypto_key *key, uint8_t mki_bytes)
{
	if (mki_bytes == 0 || mki_bytes != crypto->mki_bytes || key->mki == crypto->mki)
		return false;
	for (size_t i = 0; i < crypto->n_more; i++)
		if (crypto->more[i].mki == key->mki)
			return false;
	crypto->more[crypto->n_more++] = *key;
	return true;
}

static bool read_keys(const char *text, struct tl_crypto *crypto)
{
	g_auto(GStrv) keys = g_strsplit(text, ";", TL_SRTP_KEYS_MAX + 1);

	for (guint i = 0; keys[i]; i++) {
		struct tl_crypto_key key = { 0 };
		uint8_t mki_bytes;

		if (i == TL_SRTP_KEYS_MAX || !read_key(keys[i], crypto->suite, &key, &mki_bytes))
			return false;
		if (i > 0) {
			if (!add_key(crypto, &key, mki_bytes))
				return false;
			continue;
		}
		memcpy(crypto->key, key.key, sizeof(crypto->key));
		crypto->mki = key.mki;
		crypto->mki_bytes = mki_bytes;
	}
	return *keys != NULL;
}

bool tl_sdp_read_crypto(const char *value, struct tl_crypto *ret_crypto)
{
	g_auto(GStrv) words = g_strsplit_set(value, " \t", WORDS);
	struct tl_crypto crypto = { 0 };
	guint64 tag;

	if (g_strv_length(words) < 3 ||
	    !g_ascii_string_to_unsigned(words[0], 10, 0, TAG_MAX, &tag, NULL))
		return false;
	crypto.tag = (unsigned)tag;
	crypto.suite = tl_srtp_suite_from_name(words[1]);
	if (crypto.suite == _TL_SRTP_SUITE_INVALID || !is_plain(words + 3) ||
	    !read_keys(words[2], &crypto))
		return false;
	*ret_crypto = crypto;
	return true;
}

void tl_sdp_append_crypto(GString *s, const struct tl_crypto *crypto)
{
	g_autofree char *key = g_base64_encode(crypto->key, tl_srtp_suite_key_bytes(crypto->suite));

	g_string_append_printf(s, "a=crypto:%u %s inline:%s\r\n", crypto->tag,
			       tl_srtp_suite_name(crypto->suite), key);
}
