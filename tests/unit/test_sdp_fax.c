/* Fax in descriptions: read, answered, and changed to and from audio in one place. */
#include "b2bua/sip/sdp.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#define HEAD  "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 8\r\n"
#define FAX   "m=image 4002 udptl t38\r\n"

static const char *const recoveries[] = { "none", "redundancy", "fec" };

static char *describe(const struct tl_media_desc *desc)
{
	const struct tl_t38 *t = &desc->t38;

	if (!t->on)
		return g_strdup_printf("audio %zu", desc->n_formats);
	return g_strdup_printf(
		"fax#%u dir:%d v%u %u %s%s%s%s %u/%u %s",
		ntohs(((const struct sockaddr_in *)&desc->rtp)->sin_port), desc->direction,
		t->version, t->max_bit_rate, t->local_tcf ? "local" : "transferred",
		t->fill_bit_removal ? " fill" : "", t->mmr ? " mmr" : "", t->jbig ? " jbig" : "",
		t->max_buffer_bytes, t->max_datagram_bytes, recoveries[t->recovery]);
}

static const struct {
	const char *why, *text, *reads;
} cases[] = {
	{ "all of T.38 Annex D",
	  HEAD FAX "a=T38FaxVersion:3\r\na=T38MaxBitRate:14400\r\n"
		   "a=T38FaxFillBitRemoval:0\r\na=T38FaxTranscodingMMR:1\r\n"
		   "a=T38FaxTranscodingJBIG\r\na=T38FaxRateManagement:transferredTCF\r\n"
		   "a=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:320\r\n"
		   "a=T38FaxUdpEC:t38UDPRedundancy\r\na=T38VendorInfo:0 0 0\r\n",
	  "fax#4002 dir:3 v3 14400 transferred mmr jbig 2000/320 redundancy" },
	{ "nothing said", HEAD FAX, "fax#4002 dir:3 v0 0 transferred 0/0 none" },
	{ "any case, and parity",
	  HEAD "m=image 4002 UDPTL T38\r\na=t38faxudpec:T38UDPFEC\r\n"
	       "a=T38FaxRateManagement:localTCF\r\n",
	  "fax#4002 dir:3 v0 0 local 0/0 fec" },
	{ "numbers that are none, and huge ones",
	  HEAD FAX "a=T38FaxVersion:999999\r\na=T38MaxBitRate:x\r\n"
		   "a=T38FaxMaxDatagram:99999999999999999999\r\n",
	  "fax#4002 dir:3 v255 0 transferred 0/1000000 none" },
	{ "beside audio it does not count", HEAD FAX AUDIO, "audio 1" },
	{ "but where the audio is refused", HEAD "m=audio 0 RTP/AVP 8\r\n" FAX,
	  "fax#4002 dir:3 v0 0 transferred 0/0 none" },
	{ "sendonly", HEAD FAX "a=sendonly\r\n", "fax#4002 dir:1 v0 0 transferred 0/0 none" },
	{ "refused", HEAD "m=image 0 udptl t38\r\n", NULL },
	{ "over another transport", HEAD "m=image 4002 TCP t38\r\n", NULL },
	{ "another picture", HEAD "m=image 4002 udptl g3fax\r\n", NULL },
	{ "audio's attributes are not fax's", HEAD AUDIO "a=T38FaxVersion:3\r\n", "audio 1" },
};

Test(sdp_fax, is_read)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_sdp_session *sdp = tl_sdp_session_new();
		struct tl_media_desc desc;
		int r = tl_sdp_parse(sdp, cases[i].text, strlen(cases[i].text), &desc);
		g_autofree char *reads = r == 0 ? describe(&desc) : NULL;

		cr_expect_eq(r, cases[i].reads ? 0 : -ENOENT, "%s", cases[i].why);
		if (reads && cases[i].reads)
			cr_expect_str_eq(reads, cases[i].reads, "%s", cases[i].why);
		tl_sdp_session_free(sdp);
	}
}

static struct tl_media_desc describe_ours(bool fax)
{
	struct tl_media_desc desc = { .direction = TL_DIR_SENDRECV };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&desc.rtp;

	in4->sin_family = AF_INET;
	in4->sin_port = htons(7000);
	inet_pton(AF_INET, "192.0.2.5", &in4->sin_addr);
	if (fax)
		desc.t38 = tl_t38_ours();
	else
		desc.formats[desc.n_formats++] =
			(struct tl_format) { .codec = tl_codec_by_static_pt(8), .pt = 8 };
	return desc;
}

/* The m-lines of what is printed, one after another. */
static char *lines_of(struct tl_sdp_session *sdp, bool fax, bool answer)
{
	struct tl_media_desc desc = describe_ours(fax);
	GString *lines = g_string_new(NULL);
	size_t bytes;
	const char *text = tl_sdp_print(sdp, &desc, answer, &bytes);

	for (const char *m = strstr(text, "m="); m; m = strstr(m + 1, "\nm=")) {
		m += *m == '\n';
		g_string_append_printf(lines, "%.*s|", (int)strcspn(m, "\r"), m);
	}
	return g_string_free(lines, FALSE);
}

static void take(struct tl_sdp_session *sdp, const char *text)
{
	struct tl_media_desc desc;

	cr_assert_eq(tl_sdp_parse(sdp, text, strlen(text), &desc), 0);
}

#define EXPECT(sdp, fax, answer, lines)                                                            \
	do {                                                                                       \
		g_autofree char *got = lines_of(sdp, fax, answer);                                 \
		cr_expect_str_eq(got, lines);                                                      \
	} while (0)

Test(sdp_fax, takes_the_place_of_the_audio_and_gives_it_back)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();

	EXPECT(sdp, false, false, "m=audio 7000 RTP/AVP 8|");
	take(sdp, HEAD AUDIO);
	EXPECT(sdp, true, false, "m=image 7000 udptl t38|"); /* RFC 3264 8.3.3 */
	take(sdp, HEAD FAX);
	EXPECT(sdp, false, false, "m=audio 7000 RTP/AVP 8|");
	tl_sdp_session_free(sdp);
}

Test(sdp_fax, answers_line_by_line)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new();

	take(sdp, HEAD "m=audio 0 RTP/AVP 8\r\n" FAX);
	EXPECT(sdp, true, true, "m=audio 0 RTP/AVP 8|m=image 7000 udptl t38|");
	/* the peer has a line for audio: it is used */
	EXPECT(sdp, false, false, "m=audio 7000 RTP/AVP 8|m=image 0 udptl t38|");
	take(sdp, HEAD AUDIO "m=image 0 udptl t38\r\n");
	EXPECT(sdp, true, false, "m=audio 0 RTP/AVP 8|m=image 7000 udptl t38|");
	tl_sdp_session_free(sdp);
}

Test(sdp_fax, reads_back_what_it_writes)
{
	struct tl_sdp_session *sdp = tl_sdp_session_new(), *peer = tl_sdp_session_new();
	struct tl_media_desc desc = describe_ours(true), back;
	size_t bytes;
	const char *text;

	desc.t38.recovery = TL_T38_RECOVERY_FEC;
	desc.t38.mmr = true;
	text = tl_sdp_print(sdp, &desc, false, &bytes);
	cr_assert_eq(tl_sdp_parse(peer, text, bytes, &back), 0);
	cr_expect_eq(memcmp(&desc.t38, &back.t38, sizeof(back.t38)), 0);
	tl_sdp_session_free(sdp);
	tl_sdp_session_free(peer);
}
