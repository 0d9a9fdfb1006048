/* Writes descriptions; the reader is in sdp_parse.c. */
#include "b2bua/sip/sdp_priv.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct tl_sdp_session *tl_sdp_session_new(void)
{
	struct tl_sdp_session *sdp = g_new0(struct tl_sdp_session, 1);

	/* Unique is all that RFC 8866 5.2 asks of the id; a clock would tell our start */
	sdp->id = (uint64_t)g_random_int() << 20 | g_random_int_range(0, 1 << 20);
	sdp->body = g_string_new(NULL);
	sdp->text = g_string_new(NULL);
	return sdp;
}

void tl_sdp_session_free(struct tl_sdp_session *sdp)
{
	if (!sdp)
		return;
	g_free(sdp->heard);
	g_free(sdp->heard_before);
	g_free(sdp->passed);
	g_free(sdp->passed_before);
	g_string_free(sdp->body, TRUE);
	g_string_free(sdp->text, TRUE);
	tl_sdp_free_streams(sdp);
	g_free(sdp->lines);
	g_free(sdp->before);
	g_free(sdp);
}

void tl_sdp_undo(struct tl_sdp_session *sdp)
{
	g_free(sdp->lines);
	sdp->lines = g_steal_pointer(&sdp->before);
	g_free(sdp->heard);
	sdp->heard = g_steal_pointer(&sdp->heard_before);
	tl_sdp_undo_streams(sdp);
}

/* "IP4 192.0.2.1", "IP6 2001:db8::1" */
void tl_sdp_append_address(GString *s, const struct sockaddr_storage *addr)
{
	char ip[INET6_ADDRSTRLEN] = "0.0.0.0";

	if (addr->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)addr)->sin6_addr, ip,
			  sizeof(ip));
		g_string_append_printf(s, "IP6 %s", ip);
		return;
	}
	if (addr->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)addr)->sin_addr, ip, sizeof(ip));
	g_string_append_printf(s, "IP4 %s", ip);
}

unsigned tl_sdp_port_of(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
	if (addr->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)addr)->sin_port);
	return 0;
}

static void append_format(GString *s, const struct tl_format *format)
{
	const struct tl_codec *codec = format->codec;

	g_string_append_printf(s, "a=rtpmap:%u %s/%u", format->pt, codec->name, codec->clock_hz);
	if (codec->channels > 1)
		g_string_append_printf(s, "/%u", codec->channels);
	g_string_append(s, "\r\n");
	if (*format->fmtp)
		g_string_append_printf(s, "a=fmtp:%u %s\r\n", format->pt, format->fmtp);
}

const char *tl_sdp_direction_name(enum tl_direction direction)
{
	switch (direction) {
	case TL_DIR_INACTIVE:
		return "inactive";
	case TL_DIR_SENDONLY:
		return "sendonly";
	case TL_DIR_RECVONLY:
		return "recvonly";
	case TL_DIR_SENDRECV:
		return "sendrecv";
	}
	return "sendrecv";
}

/* RFC 3605: said only when it is not the next port */
static void append_rtcp(GString *s, const struct tl_media_desc *desc)
{
	if (desc->rtcp_mux)
		g_string_append(s, "a=rtcp-mux\r\n");
	if (desc->rtcp_xr)
		g_string_append(s, "a=rtcp-xr:voip-metrics\r\n");
	if (desc->rtcp.ss_family == 0 ||
	    tl_sdp_port_of(&desc->rtcp) == tl_sdp_port_of(&desc->rtp) + 1)
		return;
	g_string_append_printf(s, "a=rtcp:%u IN ", tl_sdp_port_of(&desc->rtcp));
	tl_sdp_append_address(s, &desc->rtcp);
	g_string_append(s, "\r\n");
}

bool tl_sdp_is_savp(const char *proto)
{
	return strcmp(proto, "RTP/SAVP") == 0 || strcmp(proto, "RTP/SAVPF") == 0;
}

/* line: the peer's, whose word for the transport stays; NULL: it has said nothing yet. */
static void append_audio(GString *s, const struct tl_media_desc *desc,
			 const struct tl_sdp_line *line)
{
	const char *proto = line && tl_sdp_is_savp(line->proto) == desc->savp ? line->proto
			    : desc->savp                                      ? "RTP/SAVP"
									      : "RTP/AVP";

	g_string_append_printf(s, "m=audio %u %s", tl_sdp_port_of(&desc->rtp), proto);
	for (size_t i = 0; i < desc->n_formats; i++)
		g_string_append_printf(s, " %u", desc->formats[i].pt);
	for (size_t i = 0; i < desc->n_events; i++)
		g_string_append_printf(s, " %u", desc->events[i].pt);
	for (size_t i = 0; i < desc->n_noises; i++)
		g_string_append_printf(s, " %u", desc->noises[i].pt);
	g_string_append(s, "\r\n");
	for (size_t i = 0; i < desc->n_formats; i++)
		append_format(s, &desc->formats[i]);
	for (size_t i = 0; i < desc->n_events; i++)
		g_string_append_printf(s, "a=rtpmap:%u telephone-event/%u\r\na=fmtp:%u 0-15\r\n",
				       desc->events[i].pt, desc->events[i].clock_hz,
				       desc->events[i].pt);
	for (size_t i = 0; i < desc->n_noises; i++)
		g_string_append_printf(s, "a=rtpmap:%u CN/%u\r\n", desc->noises[i].pt,
				       desc->noises[i].clock_hz);
	if (desc->ptime_ms)
		g_string_append_printf(s, "a=ptime:%u\r\n", desc->ptime_ms);
	if (desc->maxptime_ms)
		g_string_append_printf(s, "a=maxptime:%u\r\n", desc->maxptime_ms);
	for (size_t i = 0; i < desc->n_crypto; i++)
		tl_sdp_append_crypto(s, &desc->crypto[i]);
	g_string_append_printf(s, "a=%s\r\n", tl_sdp_direction_name(desc->direction));
	append_rtcp(s, desc);
}

/* The stream to name on an m-line: ours, unless the offer that we answer has refused it. */
static const struct tl_stream *stream_of(const struct tl_sdp_session *sdp, size_t line, bool answer)
{
	int n = sdp->number[line] - 1;

	if (n < 0 || (answer && !sdp->theirs[n]))
		return NULL;
	return sdp->ours[n];
}

/* Streams of ours that have no m-line yet get theirs at the end (RFC 3264 8.1). */
static void append_new_streams(struct tl_sdp_session *sdp, GString *s, size_t n_lines)
{
	for (unsigned n = 0; n < TL_STREAMS && n_lines < TL_SDP_MEDIA; n++) {
		if (!sdp->ours[n] || memchr(sdp->number, (int)n + 1, n_lines))
			continue;
		sdp->number[n_lines++] = (uint8_t)(n + 1);
		tl_sdp_append_stream(s, sdp->ours[n]);
	}
}

/*
 * Where the audio or the fax of desc goes: in the place of the one before (RFC 3264 8.3.3), unless
 * the peer has a line of that kind already.
 */
static size_t place_of(const struct tl_sdp_lines *lines, const struct tl_media_desc *desc,
		       bool answer)
{
	const char *media = desc->t38.on ? "image" : "audio";

	if (answer || strcmp(lines->v[lines->audio].media, media) == 0)
		return lines->audio;
	for (size_t i = 0; i < lines->n; i++)
		if (strcmp(lines->v[i].media, media) == 0)
			return i;
	return lines->audio;
}

/* line: as for append_audio() */
static void append_own(GString *s, const struct tl_media_desc *desc, const struct tl_sdp_line *line)
{
	if (desc->t38.on)
		tl_sdp_append_t38(s, desc);
	else
		append_audio(s, desc, line && strcmp(line->media, "audio") == 0 ? line : NULL);
}

/* From s= to the end: what a change of makes a new version. */
static GString *print_body(struct tl_sdp_session *sdp, const struct tl_media_desc *desc,
			   bool answer)
{
	const struct tl_sdp_lines *lines = sdp->lines;
	GString *s = g_string_new("s=-\r\nc=IN ");
	size_t own = lines ? place_of(lines, desc, answer) : 0;

	tl_sdp_append_address(s, &desc->rtp);
	g_string_append(s, "\r\nt=0 0\r\n");
	if (!lines)
		append_own(s, desc, NULL);
	for (size_t i = 0; lines && i < lines->n; i++) {
		const struct tl_sdp_line *line = &lines->v[i];
		const struct tl_stream *stream = stream_of(sdp, i, answer);

		if (i == own)
			append_own(s, desc, line);
		else if (stream)
			tl_sdp_append_stream(s, stream);
		else
			g_string_append_printf(s, "m=%s 0 %s %s\r\n", line->media, line->proto,
					       line->format);
	}
	if (!answer)
		append_new_streams(sdp, s, lines ? lines->n : 1);
	return s;
}

bool tl_sdp_pass(struct tl_sdp_session *sdp, const struct tl_sdp_session *from)
{
	const char *rest = from->heard ? strstr(from->heard, "\no=") : NULL;

	rest = rest ? strchr(rest + 1, '\n') : NULL;
	g_free(sdp->passed_before);
	sdp->passed_before = sdp->passed;
	sdp->passed = rest ? g_strdup(rest + 1) : NULL;
	return g_strcmp0(sdp->passed_before, sdp->passed) != 0;
}

void tl_sdp_unpass(struct tl_sdp_session *sdp)
{
	g_free(sdp->passed);
	sdp->passed = g_steal_pointer(&sdp->passed_before);
}

/* Nobody will pass it on. */
static void forget_heard(struct tl_sdp_session *sdp)
{
	g_clear_pointer(&sdp->heard, g_free);
	g_clear_pointer(&sdp->heard_before, g_free);
}

const char *tl_sdp_print(struct tl_sdp_session *sdp, const struct tl_media_desc *desc, bool answer,
			 size_t *ret_bytes)
{
	GString *body = sdp->passed ? g_string_new(sdp->passed) : print_body(sdp, desc, answer);

	if (!sdp->passed)
		forget_heard(sdp);
	if (sdp->version == 0 || !g_string_equal(body, sdp->body)) {
		sdp->version++;
		g_string_free(sdp->body, TRUE);
		sdp->body = body;
	} else {
		g_string_free(body, TRUE);
	}
	g_string_printf(sdp->text, "v=0\r\no=twinleg %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " IN ",
			sdp->id, sdp->version);
	tl_sdp_append_address(sdp->text, &desc->rtp);
	g_string_append(sdp->text, "\r\n");
	g_string_append_len(sdp->text, sdp->body->str, (gssize)sdp->body->len);
	*ret_bytes = sdp->text->len;
	return sdp->text->str;
}
