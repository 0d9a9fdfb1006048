/*
 * A peer's description -> what we make of it, our answer to it, and the answer
 * read back. Two descriptions, parted by a byte 0x1e, are an offer and a later one.
 */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "b2bua/sip/sdp.h"

/* libFuzzer has no header for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { SEPARATOR = 0x1e };

/* What we write must be something that we would take. */
static void print_and_read(struct tl_sdp_session *sdp, const struct tl_media_desc *desc)
{
	struct tl_sdp_session *peer = tl_sdp_session_new();
	struct tl_media_desc back;
	size_t bytes;
	const char *text = tl_sdp_print(sdp, desc, true, &bytes);

	g_assert_cmpuint(strlen(text), ==, bytes);
	if (tl_sdp_parse(peer, text, bytes, &back) == 0)
		g_assert_cmpuint(back.n_formats, ==, desc->n_formats);
	tl_sdp_session_free(peer);
}

static void take(struct tl_sdp_session *sdp, const uint8_t *data, size_t bytes)
{
	/* an exact copy: a read past its end shows */
	char *text = g_malloc(bytes ? bytes : 1);
	struct tl_media_desc desc;

	memcpy(text, data, bytes);
	if (tl_sdp_parse(sdp, text, bytes, &desc) == 0)
		print_and_read(sdp, &desc);
	else if (tl_sdp_parse_any(sdp, text, bytes, &desc) == 0)
		g_assert_true(desc.foreign);
	g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const uint8_t *parting = bytes ? memchr(data, SEPARATOR, bytes) : NULL;
	size_t first = parting ? (size_t)(parting - data) : bytes;
	struct tl_sdp_session *sdp = tl_sdp_session_new();

	take(sdp, data, first);
	if (parting) {
		take(sdp, parting + 1, bytes - first - 1);
		tl_sdp_undo(sdp);
	}
	tl_sdp_session_free(sdp);
	return 0;
}
