#include "b2bua/sip/sdp.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

/* What a description reads as, one line: "address direction formats events ptime". */
static const char *describe(const struct tl_media_desc *desc, char *buf, size_t bytes)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)&desc->rtp;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&desc->rtp;
	static const char *const directions[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	GString *s = g_string_new(NULL);
	char ip[INET6_ADDRSTRLEN] = "?";

	if (desc->rtp.ss_family == AF_INET)
		inet_ntop(AF_INET, &in4->sin_addr, ip, sizeof(ip));
	else if (desc->rtp.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
	g_string_append_printf(s, "%s#%u %s", ip, desc->rtp.ss_family ? ntohs(in4->sin_port) : 0,
			       directions[desc->direction]);
	for (size_t i = 0; i < desc->n_formats; i++) {
		g_string_append_printf(s, " %u=%s", desc->formats[i].pt,
				       desc->formats[i].codec->name);
		if (*desc->formats[i].fmtp)
			g_string_append_printf(s, "(%s)", desc->formats[i].fmtp);
	}
	for (size_t i = 0; i < desc->n_events; i++)
		g_string_append_printf(s, " event:%u/%u", desc->events[i].pt,
				       desc->events[i].clock_hz);
	if (desc->ptime_ms)
		g_string_append_printf(s, " ptime:%u", desc->ptime_ms);
	if (desc->rtcp_mux)
		g_string_append(s, " mux");
	if (desc->rtcp.ss_family)
		g_string_append_printf(s, " rtcp:%u",
				       ntohs(((const struct sockaddr_in *)&desc->rtcp)->sin_port));
	g_strlcpy(buf, s->str, bytes);
	g_string_free(s, TRUE);
	return buf;
}

static const struct {
	const char *why, *text;
	int result;
	const char *reads;
} cases[] = {
	{ "plain G.711 by static types", HEAD "m=audio 4000 RTP/AVP 8 0\r\n", 0,
	  "192.0.2.1#4000 sendrecv 8=PCMA 0=PCMU" },
	{ "bare line feeds", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n", 0,
	  "192.0.2.1#4000 sendrecv 0=PCMU" },
	{ "no line end at the end", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0", 0,
	  "192.0.2.1#4000 sendrecv 0=PCMU" },
	{ "rtpmap, fmtp and telephone-event",
	  HEAD "m=audio 4000 RTP/AVP 96 101 110\r\na=rtpmap:96 opus/48000/2\r\n"
	       "a=fmtp:96 useinbandfec=1;stereo=0\r\na=rtpmap:101 telephone-event/8000\r\n"
	       "a=fmtp:101 0-16\r\na=rtpmap:110 TELEPHONE-EVENT/48000\r\na=ptime:20\r\n",
	  0,
	  "192.0.2.1#4000 sendrecv 96=opus(useinbandfec=1;stereo=0) event:101/8000 "
	  "event:110/48000 ptime:20" },
	{ "an rtpmap may give a static type another meaning",
	  HEAD "m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMU/8000\r\n", 0,
	  "192.0.2.1#4000 sendrecv 8=PCMU" },
	{ "formats of no known codec are passed over",
	  HEAD "m=audio 4000 RTP/AVP 97 13 0\r\na=rtpmap:97 x-secret/8000\r\n", 0,
	  "192.0.2.1#4000 sendrecv 0=PCMU" },
	{ "a format named twice counts once", HEAD "m=audio 4000 RTP/AVP 0 0 0\r\n", 0,
	  "192.0.2.1#4000 sendrecv 0=PCMU" },
	{ "the line's address before the session's",
	  HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.77\r\n", 0,
	  "192.0.2.77#4000 sendrecv 0=PCMU" },
	{ "IPv6", "v=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP 0\r\n", 0,
	  "2001:db8::1#4000 sendrecv 0=PCMU" },
	{ "a name is not waited for: packets tell",
	  "v=0\r\nc=IN IP4 host.example\r\nm=audio 4000 RTP/AVP 0\r\n", 0, "?#0 sendrecv 0=PCMU" },
	{ "a group is no peer", "v=0\r\nc=IN IP4 224.2.1.1/127\r\nm=audio 4000 RTP/AVP 0\r\n", 0,
	  "?#0 sendrecv 0=PCMU" },
	{ "direction of the session", HEAD "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n", 0,
	  "192.0.2.1#4000 sendonly 0=PCMU" },
	{ "direction of the line before the session's",
	  HEAD "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\na=inactive\r\n", 0,
	  "192.0.2.1#4000 inactive 0=PCMU" },
	{ "RTCP elsewhere", HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp:53020 IN IP4 192.0.2.2\r\n", 0,
	  "192.0.2.1#4000 sendrecv 0=PCMU rtcp:53020" },
	{ "RTCP on the same port", HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n", 0,
	  "192.0.2.1#4000 sendrecv 0=PCMU mux" },
	{ "the first usable audio line",
	  HEAD "m=video 5000 RTP/AVP 31\r\na=inactive\r\nm=audio 0 RTP/AVP 8\r\n"
	       "m=audio 4002 RTP/SAVP 8\r\nm=audio 4004 RTP/AVP 0\r\nm=audio 4006 RTP/AVP 8\r\n",
	  0, "192.0.2.1#4004 sendrecv 0=PCMU" },
	{ "a port count", HEAD "m=audio 4000/2 RTP/AVP 0\r\n", 0,
	  "192.0.2.1#4000 sendrecv 0=PCMU" },
	{ "an absurd packet time is not believed",
	  HEAD "m=audio 4000 RTP/AVP 0\r\na=ptime:65000\r\n", 0, "192.0.2.1#4000 sendrecv 0=PCMU" },
	{ "nothing in common", HEAD "m=audio 4000 RTP/AVP 99\r\n", -ENOENT, NULL },
	{ "a refused stream", HEAD "m=audio 0 RTP/AVP 0\r\n", -ENOENT, NULL },
	{ "no address at all", "v=0\r\nm=audio 4000 RTP/AVP 0\r\n", -ENOENT, NULL },
	{ "no media", HEAD, -ENOENT, NULL },
	{ "empty", "", -EBADMSG, NULL },
	{ "not SDP", "hello\r\n", -EBADMSG, NULL },
	{ "another version", "v=1\r\n", -EBADMSG, NULL },
	{ "a port beyond 65535", HEAD "m=audio 70000 RTP/AVP 0\r\n", -EBADMSG, NULL },
	{ "a port that is none", HEAD "m=audio x RTP/AVP 0\r\n", -EBADMSG, NULL },
	{ "a non-ASCII byte in an m-line (signalwire/freeswitch #1518)",
	  HEAD "m=audio\xc3\xa9 4000 RTP/AVP 0\r\n", -EBADMSG, NULL },
	{ "a control character", HEAD "m=audio 4000 RTP/AVP 0\r\na=x:\x01\r\n", -EBADMSG, NULL },
	{ "an empty m-line", HEAD "m=\r\n", -EBADMSG, NULL },
	{ "a line without =", HEAD "nonsense\r\n", -EBADMSG, NULL },
};

Test(sdp, reads_what_matters_and_refuses_the_rest)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_sdp_session *sdp = tl_sdp_session_new();
		struct tl_media_desc desc;
		char buf[512];
		int r = tl_sdp_parse(sdp, cases[i].text, strlen(cases[i].text), &desc);

		cr_expect_eq(r, cases[i].result, "%s: %d", cases[i].why, r);
		if (r == 0 && cases[i].reads)
			cr_expect_str_eq(describe(&desc, buf, sizeof(buf)), cases[i].reads, "%s",
					 cases[i].why);
		r = tl_sdp_parse_any(sdp, cases[i].text, strlen(cases[i].text), &desc);
		cr_expect_eq(r, cases[i].result == -ENOENT ? 0 : cases[i].result, "%s: %d",
			     cases[i].why, r);
		cr_expect(r < 0 || desc.foreign == (cases[i].result == -ENOENT), "%s",
			  cases[i].why);
		tl_sdp_session_free(sdp);
	}
}

Test(sdp, never_reads_past_the_end)
{
	static const char text[] =
		HEAD "m=audio 4000 RTP/AVP 96 101\r\na=rtpmap:96 opus/48000/2\r\n"
		     "a=fmtp:96 useinbandfec=1\r\na=rtcp:53020 IN IP4 1.2.3.4\r\n";
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	struct tl_media_desc desc;

	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = g_memdup2(text, n ? n : 1); /* no NUL behind: a sanitizer sees it */

		(void)tl_sdp_parse(sdp, copy, n, &desc);
		g_free(copy);
	}
	tl_sdp_session_free(sdp);
}

Test(sdp, too_many_media_lines_are_refused)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	GString *text = g_string_new(HEAD);
	struct tl_media_desc desc;

	for (int i = 0; i < TL_SDP_MEDIA; i++)
		g_string_append(text, "m=audio 4000 RTP/AVP 0\r\n");
	cr_expect_eq(tl_sdp_parse(sdp, text->str, text->len, &desc), 0);
	g_string_append(text, "m=audio 4000 RTP/AVP 0\r\n");
	cr_expect_eq(tl_sdp_parse(sdp, text->str, text->len, &desc), -EBADMSG);
	g_string_free(text, TRUE);
	tl_sdp_session_free(sdp);
}

static struct tl_media_desc our_desc(const char *ip, uint16_t port)
{
	struct tl_media_desc desc = { .direction = TL_DIR_SENDRECV, .ptime_ms = 20 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&desc.rtp;

	in4->sin_family = AF_INET;
	in4->sin_port = htons(port);
	inet_pton(AF_INET, ip, &in4->sin_addr);
	desc.formats[desc.n_formats++] = (struct tl_format) {
		.codec = tl_codec_find("opus", 48000, 2), .pt = 96, .fmtp = "useinbandfec=1"
	};
	desc.formats[desc.n_formats++] =
		(struct tl_format) { .codec = tl_codec_find("PCMA", 8000, 1), .pt = 8 };
	desc.events[desc.n_events++] = (struct tl_event_format) { .pt = 101, .clock_hz = 8000 };
	return desc;
}

/* The part after o=, which holds a random number. */
static const char *after_origin(const char *text)
{
	return strstr(text, "s=-");
}

Test(sdp, writes_an_offer)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	struct tl_media_desc desc = our_desc("198.51.100.1", 16384);
	size_t bytes;
	const char *text = tl_sdp_print(sdp, &desc, false, &bytes);

	cr_expect_eq(strlen(text), bytes);
	cr_expect(g_str_has_prefix(text, "v=0\r\no=twinleg "));
	cr_expect(strstr(text, " 1 IN IP4 198.51.100.1\r\n"));
	cr_expect_str_eq(after_origin(text),
			 "s=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
			 "m=audio 16384 RTP/AVP 96 8 101\r\na=rtpmap:96 opus/48000/2\r\n"
			 "a=fmtp:96 useinbandfec=1\r\na=rtpmap:8 PCMA/8000\r\n"
			 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
			 "a=ptime:20\r\na=sendrecv\r\n");
	tl_sdp_session_free(sdp);
}

Test(sdp, what_is_written_reads_back_as_the_same)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	struct tl_media_desc desc = our_desc("198.51.100.1", 16384), back;
	char first[512], second[512];
	size_t bytes;
	const char *text = tl_sdp_print(sdp, &desc, false, &bytes);

	cr_assert_eq(tl_sdp_parse(sdp, text, bytes, &back), 0);
	cr_expect_str_eq(describe(&desc, first, sizeof(first)),
			 describe(&back, second, sizeof(second)));
	tl_sdp_session_free(sdp);
}

Test(sdp, refuses_other_media_in_their_places)
{
	static const char offer[] = HEAD "m=video 5000 RTP/AVP 31 34\r\nm=audio 4000 RTP/AVP 8\r\n"
					 "m=application 5002 UDP/BFCP *\r\n";
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	struct tl_media_desc desc, ours = our_desc("198.51.100.1", 16384);
	const char *text, *video, *audio, *application;
	size_t bytes;

	cr_assert_eq(tl_sdp_parse(sdp, offer, strlen(offer), &desc), 0);
	text = tl_sdp_print(sdp, &ours, true, &bytes);
	video = strstr(text, "m=video 0 RTP/AVP 31\r\n");
	audio = strstr(text, "m=audio 16384 RTP/AVP 96 8 101\r\n");
	application = strstr(text, "m=application 0 UDP/BFCP *\r\n");
	cr_assert(video && audio && application, "%s", text);
	cr_expect(video < audio && audio < application);
	tl_sdp_session_free(sdp);
}

Test(sdp, version_grows_only_with_a_change)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	struct tl_media_desc desc = our_desc("198.51.100.1", 16384);
	g_autofree char *first = NULL;
	size_t bytes;

	first = g_strdup(tl_sdp_print(sdp, &desc, false, &bytes));
	cr_expect_str_eq(tl_sdp_print(sdp, &desc, false, &bytes), first);
	desc.direction = TL_DIR_SENDONLY;
	cr_expect(strstr(tl_sdp_print(sdp, &desc, false, &bytes), " 2 IN IP4 "));
	tl_sdp_session_free(sdp);
}
