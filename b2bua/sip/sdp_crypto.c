/*
 * a=crypto, RFC 4568 9.1:
 *
 *   1 AES_CM_128_HMAC_SHA1_80 inline:<base64 of key and salt>[|2^20][|1:4] [KDR=1 ...]
 */
#include "b2bua/sip/sdp_priv.h"
#include <string.h>

enum { TAG_MAX = 999999999, WORDS = 8 };

/* Not those that we lack: key identifiers, several keys, and all that changes the algorithm. A
 * lifetime is the peer's to keep; parameters that begin with '-' may be ignored (6.3.7). */
static bool is_plain_key(const char *lifetime, char *const *parameters)
{
	if (lifetime && strpbrk(lifetime, ":;"))
		return false;
	for (; *parameters; parameters++)
		if (**parameters && **parameters != '-' && !g_str_has_prefix(*parameters, "WSH="))
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
	if (crypto.suite == _TL_SRTP_SUITE_INVALID || !is_plain_key(*end ? end : NULL, words + 3) ||
	    !read_key(key, (size_t)(end - key), &crypto))
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
