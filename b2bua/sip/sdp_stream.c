/*
 * Media lines beside the audio that are passed on packet for packet, such as
 * video: read as text, and written for the other leg with our address in the
 * place of theirs. Payload types and their meaning stay, since nobody here
 * touches a packet. What belongs to one hop or needs more than RTP (ICE, BUNDLE)
 * stays behind; keys and rtcp-mux are agreed upon with each leg by itself.
 */
#include "b2bua/sip/sdp_priv.h"
#include <string.h>

static bool starts_with_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (g_str_has_prefix(text, *words))
			return true;
	return false;
}

bool tl_sdp_is_passable(const struct tl_sdp_line *line)
{
	return strcmp(line->media, "audio") != 0 &&
	       (strcmp(line->proto, "RTP/AVP") == 0 || strcmp(line->proto, "RTP/AVPF") == 0 ||
		tl_sdp_is_savp(line->proto));
}

void tl_stream_add_line(struct tl_stream *stream, char type, const char *value)
{
	static const char *const attributes[] = { "rtpmap:",    "fmtp:",      "rtcp-fb:",
						  "framerate:", "framesize:", "imageattr:",
						  "content:",   "extmap:",    NULL };
	size_t used = strlen(stream->lines);
	int n;

	if (type != 'b' && (type != 'a' || !starts_with_any(value, attributes)))
		return;
	n = g_snprintf(stream->lines + used, sizeof(stream->lines) - used, "%c=%s\r\n", type,
		       value);
	if ((size_t)n >= sizeof(stream->lines) - used)
		stream->lines[used] = '\0'; /* one that does not fit is left out whole */
}

static bool has_format(const char *formats, const char *format)
{
	g_auto(GStrv) words = g_strsplit(formats, " ", -1);

	return g_strv_contains((const char *const *)words, format);
}

bool tl_stream_restrict(struct tl_stream *stream, const char *formats)
{
	g_auto(GStrv) words = g_strsplit(stream->formats, " ", -1);
	g_autoptr(GString) kept = g_string_new(NULL);

	for (char **word = words; *word; word++)
		if (**word && has_format(formats, *word))
			g_string_append_printf(kept, "%s%s", kept->len ? " " : "", *word);
	g_strlcpy(stream->formats, kept->str, sizeof(stream->formats));
	return kept->len > 0;
}

/* The number of an m-line; a new one for one that has none yet. -1: none is left. */
static int number_of(struct tl_sdp_session *sdp, size_t line)
{
	bool used[TL_STREAMS] = { false };

	for (size_t i = 0; i < TL_SDP_MEDIA; i++)
		if (sdp->number[i])
			used[sdp->number[i] - 1] = true;
	for (int n = 0; !sdp->number[line] && n < TL_STREAMS; n++)
		if (!used[n])
			sdp->number[line] = (uint8_t)(n + 1);
	return sdp->number[line] - 1;
}

void tl_sdp_take_streams(struct tl_sdp_session *sdp, struct tl_stream *const *by_line)
{
	for (int n = 0; n < TL_STREAMS; n++) {
		g_free(sdp->before_streams[n]);
		sdp->before_streams[n] = g_steal_pointer(&sdp->theirs[n]);
	}
	for (size_t i = 0; i < TL_SDP_MEDIA; i++) {
		int n = by_line[i] ? number_of(sdp, i) : -1;

		if (n >= 0)
			sdp->theirs[n] = by_line[i];
		else
			g_free(by_line[i]);
	}
}

void tl_sdp_undo_streams(struct tl_sdp_session *sdp)
{
	for (int n = 0; n < TL_STREAMS; n++) {
		g_free(sdp->theirs[n]);
		sdp->theirs[n] = g_steal_pointer(&sdp->before_streams[n]);
	}
}

void tl_sdp_free_streams(struct tl_sdp_session *sdp)
{
	for (int n = 0; n < TL_STREAMS; n++) {
		g_free(sdp->theirs[n]);
		g_free(sdp->before_streams[n]);
		g_free(sdp->ours[n]);
	}
}

const struct tl_stream *tl_sdp_stream(const struct tl_sdp_session *sdp, unsigned number)
{
	return sdp->theirs[number];
}

const struct tl_stream *tl_sdp_said_stream(const struct tl_sdp_session *sdp, unsigned number)
{
	return sdp->ours[number];
}

void tl_sdp_say_stream(struct tl_sdp_session *sdp, unsigned number, const struct tl_stream *stream)
{
	struct tl_stream *copy = stream ? g_memdup2(stream, sizeof(*stream)) : NULL;

	g_free(sdp->ours[number]);
	sdp->ours[number] = copy;
}

void tl_sdp_append_stream(GString *s, const struct tl_stream *stream)
{
	const char *lines = stream->lines;

	g_string_append_printf(s, "m=%s %u RTP/%s%s %s\r\nc=IN ", stream->media,
			       tl_sdp_port_of(&stream->rtp), stream->savp ? "S" : "",
			       stream->proto + strlen("RTP/"), stream->formats);
	tl_sdp_append_address(s, &stream->rtp);
	g_string_append(s, "\r\n");
	for (const char *type = "ba"; *type; type++) /* RFC 8866 5: b= before a= */
		for (const char *p = lines; *p; p = strchr(p, '\n') + 1)
			if (*p == *type)
				g_string_append_len(s, p, strchr(p, '\n') + 1 - p);
	for (size_t i = 0; i < stream->n_crypto; i++)
		tl_sdp_append_crypto(s, &stream->crypto[i]);
	g_string_append_printf(s, "%sa=%s\r\n", stream->rtcp_mux ? "a=rtcp-mux\r\n" : "",
			       tl_sdp_direction_name(stream->direction));
}
