/*
 * Reads descriptions. A line is "x=value"; lines before the first m= speak for
 * the whole session, later ones for the m-line above them (RFC 8866 5).
 */
#include "b2bua/sip/sdp_priv.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
	VALUE_BYTES = 1024, /* a longer line is cut: none that matters is */
	MAX_PTIME_MS = 200,
};

/* What can be said for the session, and again for an m-line. */
struct scope {
	struct sockaddr_storage address; /* c=; family 0: none that we can read */
	bool has_address;                /* a c= line was there */
	int direction;                   /* -1: not said */
	unsigned ptime_ms, maxptime_ms;
	unsigned rtcp_port;
	struct sockaddr_storage rtcp_address;
	bool rtcp_mux, rtcp_xr;
};

struct reader {
	struct tl_sdp_lines lines;
	struct scope session, media;
	/* the m-line being read */
	bool is_audio;
	unsigned port;
	struct tl_sdp_types types;
	size_t n_crypto;
	struct tl_crypto crypto[TL_DESC_CRYPTO];
	struct tl_t38 t38;                       /* on: it is fax */
	struct tl_stream *streams[TL_SDP_MEDIA]; /* of the m-lines that may be passed on */
	/* the first usable one */
	bool found;
	struct tl_media_desc desc;
	/* the first of fax, which counts where there is no audio */
	bool found_fax;
	size_t fax_line;
	struct tl_media_desc fax;
};

bool tl_sdp_take_word(const char **p, char *word, size_t bytes)
{
	size_t n;

	while (**p == ' ' || **p == '\t')
		(*p)++;
	n = strcspn(*p, " \t");
	if (n == 0)
		return false;
	g_strlcpy(word, *p, MIN(bytes, n + 1));
	*p += n;
	return true;
}

bool tl_sdp_read_number(const char *text, const char *ends, unsigned max, unsigned *ret_number)
{
	guint64 number;
	char *end;

	if (!g_ascii_isdigit(*text))
		return false;
	number = g_ascii_strtoull(text, &end, 10);
	if (number > max || (*end && !strchr(ends, *end)))
		return false;
	*ret_number = (unsigned)number;
	return true;
}

/* "IN IP4 192.0.2.1[/ttl]". Family 0 when it is a name, which we won't wait for
 * a resolver to read, or a group: packets tell where the peer is, then. */
static bool read_address(const char *text, struct sockaddr_storage *ret_address)
{
	char net[8], type[8], host[INET6_ADDRSTRLEN + 8];
	struct sockaddr_in *in4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (!tl_sdp_take_word(&text, net, sizeof(net)) ||
	    !tl_sdp_take_word(&text, type, sizeof(type)) ||
	    !tl_sdp_take_word(&text, host, sizeof(host)) || strcmp(net, "IN") != 0)
		return false;
	host[strcspn(host, "/")] = '\0';
	if (strcmp(type, "IP4") == 0 && inet_pton(AF_INET, host, &in4->sin_addr) == 1 &&
	    !IN_MULTICAST(ntohl(in4->sin_addr.s_addr)))
		in4->sin_family = AF_INET;
	else if (strcmp(type, "IP6") == 0 && inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 &&
		 !IN6_IS_ADDR_MULTICAST(&in6->sin6_addr))
		in6->sin6_family = AF_INET6;
	return true;
}

static void set_port(struct sockaddr_storage *address, unsigned port)
{
	if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
}

static void read_rtcp(struct scope *scope, const char *text)
{
	unsigned port;

	if (!tl_sdp_read_number(text, " \t", 65535, &port))
		return;
	scope->rtcp_port = port;
	text += strcspn(text, " \t");
	if (*text)
		(void)read_address(text, &scope->rtcp_address);
}

static bool read_direction(struct scope *scope, const char *text)
{
	static const struct {
		const char *name;
		enum tl_direction direction;
	} names[] = {
		{ "sendrecv", TL_DIR_SENDRECV },
		{ "sendonly", TL_DIR_SENDONLY },
		{ "recvonly", TL_DIR_RECVONLY },
		{ "inactive", TL_DIR_INACTIVE },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(text, names[i].name) == 0) {
			scope->direction = names[i].direction;
			return true;
		}
	}
	return false;
}

static void read_crypto(struct reader *r, const char *text)
{
	if (r->n_crypto < TL_DESC_CRYPTO && tl_sdp_read_crypto(text, &r->crypto[r->n_crypto]))
		r->n_crypto++;
}

static void read_attribute(struct reader *r, struct scope *scope, const char *text)
{
	const char *value = strchr(text, ':');

	if (scope == &r->media && r->t38.on)
		tl_sdp_read_t38(text, &r->t38);
	if (!value) {
		if (!read_direction(scope, text) && strcmp(text, "rtcp-mux") == 0)
			scope->rtcp_mux = true;
		return;
	}
	value++;
	if (g_str_has_prefix(text, "ptime:"))
		(void)tl_sdp_read_number(value, ". \t", MAX_PTIME_MS, &scope->ptime_ms);
	else if (g_str_has_prefix(text, "maxptime:"))
		(void)tl_sdp_read_number(value, ". \t", MAX_PTIME_MS, &scope->maxptime_ms);
	else if (g_str_has_prefix(text, "rtcp-xr:"))
		scope->rtcp_xr = strstr(value, "voip-metrics") != NULL;
	else if (scope != &r->media)
		return; /* what follows has no meaning for a whole session */
	else if (g_str_has_prefix(text, "rtpmap:"))
		tl_sdp_read_rtpmap(&r->types, value);
	else if (g_str_has_prefix(text, "fmtp:"))
		tl_sdp_read_fmtp(&r->types, value);
	else if (g_str_has_prefix(text, "crypto:"))
		read_crypto(r, value);
	else if (g_str_has_prefix(text, "rtcp:"))
		read_rtcp(scope, value);
}

/* The one being read, or NULL. */
static struct tl_stream *open_stream(struct reader *r)
{
	return r->lines.n ? r->streams[r->lines.n - 1] : NULL;
}

/* An m-line has ended that is passed on: where its packets go. */
static void end_stream(struct reader *r, struct tl_stream *stream)
{
	const struct scope *media = &r->media, *session = &r->session;

	stream->rtp = media->has_address ? media->address : session->address;
	if (stream->rtp.ss_family != 0)
		set_port(&stream->rtp, r->port);
	if (media->rtcp_port) {
		stream->rtcp = media->rtcp_address.ss_family ? media->rtcp_address : stream->rtp;
		if (stream->rtcp.ss_family != 0)
			set_port(&stream->rtcp, media->rtcp_port);
	}
	stream->direction = (enum tl_direction)(media->direction >= 0     ? media->direction
						: session->direction >= 0 ? session->direction
									  : TL_DIR_SENDRECV);
	stream->rtcp_mux = media->rtcp_mux;
	stream->n_crypto = MIN(r->n_crypto, (size_t)TL_STREAM_CRYPTO);
	memcpy(stream->crypto, r->crypto, stream->n_crypto * sizeof(*stream->crypto));
	if (stream->savp && !stream->n_crypto) /* no key that we could use */
		g_clear_pointer(&r->streams[r->lines.n - 1], g_free);
}

static void fill_rtcp(const struct reader *r, struct tl_media_desc *desc)
{
	desc->rtcp_mux = r->media.rtcp_mux;
	desc->rtcp_xr = r->media.rtcp_xr || r->session.rtcp_xr;
	if (!r->media.rtcp_port)
		return;
	desc->rtcp = r->media.rtcp_address.ss_family ? r->media.rtcp_address : desc->rtp;
	if (desc->rtcp.ss_family != 0)
		set_port(&desc->rtcp, r->media.rtcp_port);
}

/* RFC 3264 8.4: c=0.0.0.0 is the hold of old, nothing may be sent there. */
static bool is_nowhere(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET &&
	       ((const struct sockaddr_in *)addr)->sin_addr.s_addr == htonl(INADDR_ANY);
}

/* Where and which way: the same for audio and fax. False: nobody says where. */
static bool fill_place(const struct reader *r, struct tl_media_desc *desc)
{
	const struct scope *media = &r->media, *session = &r->session;

	if (!media->has_address && !session->has_address)
		return false;
	desc->rtp = media->has_address ? media->address : session->address;
	if (desc->rtp.ss_family != 0)
		set_port(&desc->rtp, r->port);
	desc->direction = (enum tl_direction)(media->direction >= 0     ? media->direction
					      : session->direction >= 0 ? session->direction
									: TL_DIR_SENDRECV);
	if (is_nowhere(&desc->rtp))
		desc->direction &= TL_DIR_SENDONLY;
	return true;
}

static void end_fax(struct reader *r)
{
	struct tl_media_desc desc = { .t38 = r->t38 };

	if (r->found_fax || !fill_place(r, &desc))
		return;
	r->found_fax = true;
	r->fax_line = r->lines.n - 1;
	r->fax = desc;
}

/* The m-line has ended: is it the one to talk on? */
static void end_media(struct reader *r)
{
	const struct scope *media = &r->media, *session = &r->session;
	struct tl_media_desc desc = { 0 };

	if (open_stream(r))
		end_stream(r, open_stream(r));
	if (r->lines.n && r->t38.on && r->port)
		end_fax(r);
	if (r->lines.n == 0 || r->found || !r->is_audio || r->port == 0)
		return;
	tl_sdp_fill_formats(&r->types, &desc);
	desc.savp = tl_sdp_is_savp(r->lines.v[r->lines.n - 1].proto);
	desc.n_crypto = r->n_crypto;
	memcpy(desc.crypto, r->crypto, sizeof(desc.crypto));
	if (desc.n_formats == 0 || (desc.savp && desc.n_crypto == 0) || !fill_place(r, &desc))
		return;
	desc.ptime_ms = media->ptime_ms ? media->ptime_ms : session->ptime_ms;
	desc.maxptime_ms = media->maxptime_ms ? media->maxptime_ms : session->maxptime_ms;
	fill_rtcp(r, &desc);
	r->found = true;
	r->lines.audio = r->lines.n - 1;
	r->desc = desc;
}

static bool is_token(const char *text)
{
	for (; *text; text++)
		if (!g_ascii_isgraph(*text))
			return false;
	return true;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (!g_ascii_isgraph(*text) && *text != ' ')
			return false;
	return true;
}

/* formats: the rest of the m-line. Too many of them: it is not passed on. */
static void begin_stream(struct reader *r, const struct tl_sdp_line *line, const char *formats)
{
	struct tl_stream *stream;

	formats += strspn(formats, " \t");
	if (strlen(formats) >= TL_STREAM_FORMATS_BYTES || !is_printable(formats))
		return;
	stream = r->streams[r->lines.n - 1] = g_new0(struct tl_stream, 1);
	strcpy(stream->media, line->media);
	stream->savp = tl_sdp_is_savp(line->proto);
	strcpy(stream->proto, g_str_has_suffix(line->proto, "F") ? "RTP/AVPF" : "RTP/AVP");
	strcpy(stream->formats, formats);
}

/* With RTCP feedback or without (RFC 4585, RFC 5124): nothing obliges us to send any. */
static bool is_rtp(const char *proto)
{
	return strcmp(proto, "RTP/AVP") == 0 || strcmp(proto, "RTP/AVPF") == 0 ||
	       tl_sdp_is_savp(proto);
}

/* "audio 49170[/2] RTP/AVP 0 8 96" */
static int read_media(struct reader *r, const char *text)
{
	struct tl_sdp_line *line = &r->lines.v[r->lines.n];
	char port[16], word[TL_SDP_TOKEN_BYTES];
	unsigned pt;

	end_media(r);
	if (r->lines.n == TL_SDP_MEDIA)
		return -EBADMSG;
	if (!tl_sdp_take_word(&text, line->media, sizeof(line->media)) ||
	    !tl_sdp_take_word(&text, port, sizeof(port)) ||
	    !tl_sdp_read_number(port, "/", 65535, &r->port) ||
	    !tl_sdp_take_word(&text, line->proto, sizeof(line->proto)) || !is_token(line->media) ||
	    !is_token(line->proto))
		return -EBADMSG;
	r->lines.n++;
	r->media = (struct scope) { .direction = -1 };
	r->types.n_maps = r->types.n = r->n_crypto = 0;
	strcpy(line->format, "0");
	if (r->port && tl_sdp_is_passable(line))
		begin_stream(r, line, text);
	r->t38 = (struct tl_t38) { .on = tl_sdp_is_t38(line, text) };
	for (bool first = true; tl_sdp_take_word(&text, word, sizeof(word)); first = false) {
		if (first && is_token(word))
			g_strlcpy(line->format, word, sizeof(line->format));
		if (r->types.n < TL_SDP_PTS && tl_sdp_read_number(word, "", 127, &pt))
			r->types.v[r->types.n++] = (int)pt;
	}
	r->is_audio = strcmp(line->media, "audio") == 0 && is_rtp(line->proto);
	return 0;
}

static int read_line(struct reader *r, char type, const char *value)
{
	struct scope *scope = r->lines.n ? &r->media : &r->session;

	if (type == 'm')
		return read_media(r, value);
	if (open_stream(r) && strlen(value) < VALUE_BYTES - 1)
		tl_stream_add_line(open_stream(r), type, value);
	if (type == 'a')
		read_attribute(r, scope, value);
	if (type == 'c') {
		if (!read_address(value, &scope->address))
			return -EBADMSG;
		scope->has_address = true;
	}
	return 0;
}

/* Takes the next line off [*p, end) into value; its type, 0 at the end, or -EBADMSG. */
static int take_line(const char **p, const char *end, char *value)
{
	const char *start = *p, *stop;
	size_t n;
	char type;

	while (start < end && (*start == '\r' || *start == '\n'))
		start++;
	if (start == end)
		return 0;
	stop = memchr(start, '\n', (size_t)(end - start));
	*p = stop ? stop + 1 : end;
	n = (size_t)((stop ? stop : end) - start);
	while (n && (start[n - 1] == '\r' || start[n - 1] == ' '))
		n--;
	if (n < 2 || !g_ascii_isalpha(start[0]) || start[1] != '=')
		return -EBADMSG;
	type = start[0];
	for (size_t i = 2; i < n; i++)
		if ((unsigned char)start[i] < 0x20 && start[i] != '\t')
			return -EBADMSG;
	n = MIN(n - 2, (size_t)VALUE_BYTES - 1);
	memcpy(value, start + 2, n);
	value[n] = '\0';
	return type;
}

static int read_text(struct reader *reader, const char *text, size_t bytes)
{
	const char *p = text, *end = text + bytes;
	char value[VALUE_BYTES];
	int type, r;

	if (bytes > TL_SDP_BYTES || memchr(text, '\0', bytes))
		return -EBADMSG;
	if (take_line(&p, end, value) != 'v' || strcmp(value, "0") != 0)
		return -EBADMSG;
	while ((type = take_line(&p, end, value)) > 0) {
		r = read_line(reader, (char)type, value);
		if (r < 0)
			return r;
	}
	if (type < 0)
		return type;
	end_media(reader);
	if (!reader->found && reader->found_fax) {
		reader->lines.audio = reader->fax_line;
		reader->desc = reader->fax;
	}
	return reader->found || reader->found_fax ? 0 : -ENOENT;
}

/* What is left of it for us: an address for our o=. */
static void make_foreign(struct reader *r)
{
	r->desc = (struct tl_media_desc) {
		.foreign = true,
		.rtp = r->session.has_address ? r->session.address : r->media.address,
	};
}

static int parse(struct tl_sdp_session *sdp, const char *text, size_t bytes, bool any,
		 struct tl_media_desc *ret_desc)
{
	struct reader reader = { .session.direction = -1 };
	int r = read_text(&reader, text, bytes);

	if (r == -ENOENT && any) {
		make_foreign(&reader);
	} else if (r < 0) {
		for (size_t i = 0; i < TL_SDP_MEDIA; i++)
			g_free(reader.streams[i]);
		return r;
	}
	g_free(sdp->heard_before);
	sdp->heard_before = sdp->heard;
	sdp->heard = g_strndup(text, bytes);
	tl_sdp_take_streams(sdp, reader.streams);
	g_free(sdp->before);
	sdp->before = sdp->lines;
	sdp->lines = g_memdup2(&reader.lines, sizeof(reader.lines));
	*ret_desc = reader.desc;
	return 0;
}

int tl_sdp_parse(struct tl_sdp_session *sdp, const char *text, size_t bytes,
		 struct tl_media_desc *ret_desc)
{
	return parse(sdp, text, bytes, false, ret_desc);
}

int tl_sdp_parse_any(struct tl_sdp_session *sdp, const char *text, size_t bytes,
		     struct tl_media_desc *ret_desc)
{
	return parse(sdp, text, bytes, true, ret_desc);
}
