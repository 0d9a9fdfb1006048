/*
 * a=crypto, RFC 4568 9.1:
 *
 *   1 AES_CM_128_HMAC_SHA1_80 inline:<base64 of key and salt>[|2^20][|1:4] [KDR=1 ...]
 */
#include "b2bua/sip/sdp_priv.h"
#include <string.h>

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
static bool read_mki(const char *text, struct tl_crypto *crypto)
{
	g_auto(GStrv) parts = g_strsplit(text, ":", 3);
	guint64 mki, bytes;

	if (crypto->mki_bytes || g_strv_length(parts) != 2 ||
	    !g_ascii_string_to_unsigned(parts[0], 10, 0, UINT32_MAX, &mki, NULL) ||
	    !g_ascii_string_to_unsigned(parts[1], 10, 1, TL_SRTP_MKI_MAX, &bytes, NULL) ||
	    (bytes < sizeof(uint32_t) && mki >> (8 * bytes)))
		return false;
	crypto->mki = (uint32_t)mki;
	crypto->mki_bytes = (uint8_t)bytes;
	return true;
}

/* What may follow the key, behind '|' each: a lifetime, which is the peer's to keep, and an
 * identifier. Several keys, by ';', are none that we know. */
static bool read_rest(const char *text, struct tl_crypto *crypto)
{
	g_auto(GStrv) parts = g_strsplit(text, "|", WORDS);

	if (strchr(text, ';'))
		return false;
	for (char *const *part = parts; *part; part++)
		if (strchr(*part, ':') && !read_mki(*part, crypto))
			return false;
	return true;
}

static bool read_key(const char *text, size_t bytes, struct tl_crypto *crypto)
{
	gsize want = tl_srtp_suite_key_bytes(crypto->suite), got;
	g_autofree char *padded = NULL;
	g_autofree guchar *key = NULL;

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
	memcpy(crypto->key, key, want);
	return true;
}

bool tl_sdp_read_crypto(const char *value, struct tl_crypto *ret_crypto)
{
	g_auto(GStrv) words = g_strsplit_set(value, " \t", WORDS);
	struct tl_crypto crypto = { 0 };
	const char *key, *end;
	guint64 tag;

	if (g_strv_length(words) < 3 ||
	    !g_ascii_string_to_unsigned(words[0], 10, 0, TAG_MAX, &tag, NULL) ||
	    !g_str_has_prefix(words[2], "inline:"))
		return false;
	crypto.tag = (unsigned)tag;
	crypto.suite = tl_srtp_suite_from_name(words[1]);
	key = words[2] + strlen("inline:");
	end = key + strcspn(key, "|;");
	if (crypto.suite == _TL_SRTP_SUITE_INVALID || !is_plain(words + 3) ||
	    !read_rest(end, &crypto) || !read_key(key, (size_t)(end - key), &crypto))
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
