/* Media lines beside the audio: what is read of them, what goes on to the other leg, what stays. */
#include "b2bua/sip/sdp.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#define HEAD  "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 8\r\n"
#define VIDEO                                                                                      \
	"m=video 5000 RTP/AVPF 96 97\r\nb=AS:512\r\na=rtpmap:96 VP8/90000\r\n"                     \
	"a=rtpmap:97 H264/90000\r\na=rtcp-fb:96 nack pli\r\n"

static struct tl_media_desc take(struct tl_sdp_session *sdp, const char *text)
{
	struct tl_media_desc desc;

	cr_assert_eq(tl_sdp_parse(sdp, text, strlen(text), &desc), 0, "%s", text);
	return desc;
}

static uint16_t port_of(const struct tl_stream *stream)
{
	return ntohs(((const struct sockaddr_in *)&stream->rtp)->sin_port);
}

/* The same at an address of ours. */
static struct tl_stream ours(const struct tl_stream *stream, uint16_t port)
{
	struct tl_stream copy = *stream;
	struct sockaddr_in *in4 = (struct sockaddr_in *)&copy.rtp;

	in4->sin_family = AF_INET;
	in4->sin_port = htons(port);
	inet_pton(AF_INET, "203.0.113.5", &in4->sin_addr);
	copy.rtcp = (struct sockaddr_storage) { 0 };
	copy.rtcp_mux = false; /* agreed upon with each leg by itself */
	copy.n_crypto = 0;
	return copy;
}

Test(sdp_stream, is_read_beside_the_audio)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	const struct tl_stream *video;

	take(sdp, HEAD AUDIO VIDEO "a=sendonly\r\na=rtcp:5007\r\n");
	video = tl_sdp_stream(sdp, 0);
	cr_assert_not_null(video);
	cr_expect_str_eq(video->media, "video");
	cr_expect_str_eq(video->proto, "RTP/AVPF");
	cr_expect_str_eq(video->formats, "96 97");
	cr_expect_eq(port_of(video), 5000);
	cr_expect_eq(video->direction, TL_DIR_SENDONLY);
	cr_expect_eq(ntohs(((const struct sockaddr_in *)&video->rtcp)->sin_port), 5007);
	cr_expect_null(tl_sdp_stream(sdp, 1));
	tl_sdp_session_free(sdp);
}

static const struct {
	const char *why, *lines;
} not_passed[] = {
	{ "refused", "m=video 0 RTP/AVPF 96\r\n" },
	{ "without an address to send to", "m=video 5000 RTP/AVP 31\r\nc=IN IP4 host.example\r\n" },
	{ "of another protocol", "m=video 5000 UDP/TLS/RTP/SAVPF 96\r\n" },
	{ "without RTP", "m=application 5000 UDP/BFCP *\r\n" },
	{ "fax", "m=image 5000 udptl t38\r\n" },
	{ "messages", "m=message 5000 TCP/MSRP *\r\n" },
	{ "a second audio line", "m=audio 5000 RTP/AVP 0\r\n" },
};

Test(sdp_stream, leaves_out_what_can_not_be_passed_on)
{
	for (size_t i = 0; i < G_N_ELEMENTS(not_passed); i++) {
		struct tl_sdp_session *sdp = tl_sdp_session_new();
		g_autofree char *text = g_strconcat(HEAD AUDIO, not_passed[i].lines, NULL);
		struct tl_media_desc desc = take(sdp, text);
		const struct tl_stream *stream = tl_sdp_stream(sdp, 0);
		size_t bytes;

		/* an address that only packets will tell is none: the line may stand, unsent to */
		cr_expect(!stream || !stream->rtp.ss_family, "%s", not_passed[i].why);
		cr_expect_not_null(strstr(tl_sdp_print(sdp, &desc, true, &bytes), " 0 "),
				   "%s: refused in its place", not_passed[i].why);
		tl_sdp_session_free(sdp);
	}
}

Test(sdp_stream, goes_on_without_what_belongs_to_one_hop)
{
	static const char hop[] =
		"a=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijkl\r\n"
		"a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host\r\na=mid:v\r\n"
		"a=setup:actpass\r\na=fingerprint:sha-256 AA\r\na=ssrc:1 cname:x\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n";
	static const char *const stays[] = { "mux",       "ice",       "candidate", "mid",
					     "setup",     "finger",    "ssrc",      "crypto",
					     "192.0.2.1", "192.0.2.9", "BUNDLE" };
	struct tl_sdp_session *a = tl_sdp_session_new(), *b = tl_sdp_session_new();
	g_autofree char *text = g_strconcat(HEAD "a=group:BUNDLE a v\r\n" AUDIO VIDEO, hop, NULL);
	struct tl_media_desc desc = take(a, text);
	struct tl_stream video = ours(tl_sdp_stream(a, 0), 6000);
	const char *said;
	size_t bytes;

	((struct sockaddr_in *)&desc.rtp)->sin_addr.s_addr = htonl(0xcb007105);
	tl_sdp_say_stream(b, 0, &video);
	said = tl_sdp_print(b, &desc, false, &bytes);
	cr_expect_not_null(strstr(said, "m=video 6000 RTP/AVPF 96 97\r\nc=IN IP4 203.0.113.5\r\n"
					"b=AS:512\r\n"),
			   "%s", said);
	cr_expect_not_null(strstr(said, "a=rtcp-fb:96 nack pli\r\n"), "%s", said);
	for (size_t i = 0; i < G_N_ELEMENTS(stays); i++)
		cr_expect_null(strstr(said, stays[i]), "%s in %s", stays[i], said);
	tl_sdp_session_free(a);
	tl_sdp_session_free(b);
}

#define KEY "inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk"

Test(sdp_stream, has_keys_of_its_own)
{
	struct tl_sdp_session *a = tl_sdp_session_new(), *b = tl_sdp_session_new();
	struct tl_media_desc desc = take(
		a, HEAD AUDIO "m=video 5000 RTP/SAVPF 96\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 " KEY
			      "\r\na=crypto:8 UNKNOWN inline:x\r\na=rtcp-mux\r\n");
	const struct tl_stream *video = tl_sdp_stream(a, 0);
	struct tl_stream said;
	const char *text;
	size_t bytes;

	cr_assert_not_null(video);
	cr_expect(video->savp && video->rtcp_mux);
	cr_expect_str_eq(video->proto, "RTP/AVPF");
	cr_assert_eq(video->n_crypto, 1);
	cr_expect_eq(video->crypto[0].tag, 7);
	cr_expect_eq(desc.n_crypto, 0, "the audio's keys are its own");
	said = ours(video, 6000);
	said.n_crypto = 1;
	tl_sdp_say_stream(b, 0, &said);
	text = tl_sdp_print(b, &desc, false, &bytes);
	cr_expect_not_null(strstr(text, "m=video 6000 RTP/SAVPF 96\r\n"), "%s", text);
	cr_expect_not_null(strstr(text, "a=crypto:7 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n"), "%s",
			   text);
	cr_expect_null(strstr(text, "rtcp-mux"), "%s", text);
	tl_sdp_session_free(a);
	tl_sdp_session_free(b);
}

Test(sdp_stream, is_refused_when_it_must_be_encrypted_and_has_no_key)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();

	take(sdp, HEAD AUDIO "m=video 5000 RTP/SAVPF 96\r\n");
	cr_expect_null(tl_sdp_stream(sdp, 0));
	tl_sdp_session_free(sdp);
}

Test(sdp_stream, keeps_its_number_through_offers_that_refuse_it)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();

	take(sdp, HEAD AUDIO "m=video 5000 RTP/AVP 31\r\nm=video 5002 RTP/AVP 32\r\n");
	take(sdp, HEAD AUDIO "m=video 0 RTP/AVP 31\r\nm=video 5002 RTP/AVP 32\r\n");
	cr_expect_null(tl_sdp_stream(sdp, 0));
	cr_assert_not_null(tl_sdp_stream(sdp, 1));
	cr_expect_eq(port_of(tl_sdp_stream(sdp, 1)), 5002);
	take(sdp, HEAD AUDIO "m=video 5004 RTP/AVP 31\r\nm=video 5002 RTP/AVP 32\r\n");
	cr_assert_not_null(tl_sdp_stream(sdp, 0));
	cr_expect_eq(port_of(tl_sdp_stream(sdp, 0)), 5004);
	tl_sdp_session_free(sdp);
}

Test(sdp_stream, stands_as_before_when_the_offer_was_declined)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();

	take(sdp, HEAD AUDIO "m=video 5000 RTP/AVP 31\r\n");
	take(sdp, HEAD AUDIO "m=video 0 RTP/AVP 31\r\n");
	tl_sdp_undo(sdp);
	cr_assert_not_null(tl_sdp_stream(sdp, 0));
	cr_expect_eq(port_of(tl_sdp_stream(sdp, 0)), 5000);
	tl_sdp_session_free(sdp);
}

Test(sdp_stream, counts_no_further_than_there_are_ports)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();
	GString *text = g_string_new(HEAD AUDIO);
	struct tl_media_desc desc;
	size_t bytes, refused = 0;
	const char *said;

	for (int i = 0; i < 10; i++)
		g_string_append_printf(text, "m=video %d RTP/AVP 31\r\n", 5000 + 2 * i);
	desc = take(sdp, text->str);
	for (unsigned n = 0; n < TL_STREAMS; n++) {
		struct tl_stream mine;

		cr_assert_not_null(tl_sdp_stream(sdp, n));
		mine = ours(tl_sdp_stream(sdp, n), (uint16_t)(6000 + 2 * n));
		tl_sdp_say_stream(sdp, n, &mine);
	}
	said = tl_sdp_print(sdp, &desc, true, &bytes);
	for (const char *p = said; (p = strstr(p, "m=video 0 ")); p++)
		refused++;
	cr_expect_eq(refused, 10 - TL_STREAMS, "%s", said);
	g_string_free(text, TRUE);
	tl_sdp_session_free(sdp);
}

Test(sdp_stream, is_restricted_to_what_both_know)
{
	struct tl_stream stream = { .formats = "96 97 98" };

	cr_expect(tl_stream_restrict(&stream, "98 31 96"));
	cr_expect_str_eq(stream.formats, "96 98");
	cr_expect_not(tl_stream_restrict(&stream, "9 6"));
	cr_expect_str_eq(stream.formats, "");
}

Test(sdp_stream, leaves_out_a_line_that_does_not_fit_whole)
{
	struct tl_stream stream = { 0 };
	g_autofree char *huge = g_strnfill(TL_STREAM_LINES_BYTES, 'x');
	g_autofree char *fmtp = g_strconcat("fmtp:96 ", huge, NULL);

	tl_stream_add_line(&stream, 'a', "rtpmap:96 VP8/90000");
	tl_stream_add_line(&stream, 'a', fmtp);
	tl_stream_add_line(&stream, 'b', "AS:100");
	tl_stream_add_line(&stream, 'k', "prompt");
	tl_stream_add_line(&stream, 'a', "x-own:1");
	cr_expect_str_eq(stream.lines, "a=rtpmap:96 VP8/90000\r\nb=AS:100\r\n");
}
