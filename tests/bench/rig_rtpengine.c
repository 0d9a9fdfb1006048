#include "rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <signal.h>
#include <unistd.h>

/*
 * A peer to compare with: rtpengine in userspace. This process becomes it, so
 * that what the bench measures is its; a child talks the ng protocol to it:
 * a cookie, and a bencoded dictionary, in a datagram each way.
 *
 * Where side B is encrypted, it is offered rtpengine's keys, a suite a line, and answers with the
 * phones' own by the suite that is asked for:
 *
 *   A: RTP/AVP  ->  rtpengine  ->  RTP/SAVP, a=crypto:N SUITE inline:its key
 *   A: RTP/AVP  <-  rtpengine  <-  RTP/SAVP, a=crypto:N SUITE inline:the phone's key
 */

enum { NG_PORT = 22223, PORT_MIN = 33000, PORT_MAX = 42000, ANSWER_BYTES = 8192, TRIES = 50 };

static void become_rtpengine(void)
{
	int null = open("/dev/null", O_RDWR);
	g_autofree char *ng = g_strdup_printf("--listen-ng=127.0.0.1:%d", NG_PORT);
	g_autofree char *low = g_strdup_printf("--port-min=%d", PORT_MIN);
	g_autofree char *high = g_strdup_printf("--port-max=%d", PORT_MAX);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execlp("rtpengine", "rtpengine", "--foreground", "--log-stderr", "--log-level=2",
	       "--table=-1", "--interface=127.0.0.1", ng, low, high, NULL);
	_exit(EXIT_FAILURE);
}

static void add_string(GString *to, const char *text)
{
	g_string_append_printf(to, "%zu:%s", strlen(text), text);
}

static void add_pair(GString *to, const char *key, const char *value)
{
	add_string(to, key);
	add_string(to, value);
}

/* crypto: NULL where the side is plain. */
static char *make_sdp(const char *codec, const struct sockaddr_storage *phone,
		      const struct tl_crypto *crypto)
{
	const struct rig_loop *loop = rig_loop_get(codec);
	bool opus = strcmp(codec, "opus") == 0;
	GString *sdp = g_string_new("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
				    "c=IN IP4 127.0.0.1\r\nt=0 0\r\n");

	g_string_append_printf(sdp, "m=audio %u RTP/%s %u\r\na=rtpmap:%u %s/%s\r\na=ptime:%d\r\n",
			       ntohs(((const struct sockaddr_in *)phone)->sin_port),
			       crypto ? "SAVP" : "AVP", loop->pt, loop->pt, codec,
			       opus ? "48000/2" : "8000", RIG_FRAME_MS);
	if (crypto) {
		g_autofree char *key =
			g_base64_encode(crypto->key, tl_srtp_suite_key_bytes(crypto->suite));

		g_string_append_printf(sdp, "a=crypto:%u %s inline:%s\r\n", crypto->tag,
				       tl_srtp_suite_name(crypto->suite), key);
	}
	return g_string_free(sdp, FALSE);
}

/* The key that rtpengine encrypts with by this suite; false: it did not offer that. */
static bool find_key(const char *sdp, enum tl_srtp_suite suite, struct tl_crypto *ret_crypto)
{
	char name[64], text[84]; /* with the padding that it may lack */

	for (const char *at = sdp; (at = strstr(at, "a=crypto:")) != NULL; at++) {
		g_autofree guchar *key = NULL;
		size_t bytes;

		if (sscanf(at, "a=crypto:%u %63s inline:%79[A-Za-z0-9+/=]", &ret_crypto->tag, name,
			   text) != 3 ||
		    strcmp(name, tl_srtp_suite_name(suite)) != 0)
			continue;
		while (strlen(text) % 4)
			g_strlcat(text, "=", sizeof text);
		key = g_base64_decode(text, &bytes);
		if (bytes != tl_srtp_suite_key_bytes(suite))
			continue;
		memcpy(ret_crypto->key, key, bytes);
		ret_crypto->suite = suite;
		return true;
	}
	return false;
}

/* Sends a command, returns the port in the SDP that comes back; 0: none did. */
static uint16_t ask(int fd, const GString *command, char answer[static ANSWER_BYTES])
{
	const char *media;
	ssize_t n;

	if (send(fd, command->str, command->len, 0) < 0)
		return 0;
	n = recv(fd, answer, ANSWER_BYTES - 1, 0);
	if (n <= 0)
		return 0;
	answer[n] = '\0';
	media = strstr(answer, "m=audio ");
	return media ? (uint16_t)strtoul(media + strlen("m=audio "), NULL, 10) : 0;
}

static void add_transcoding(GString *command, const char *const codecs[2])
{
	add_string(command, "codec");
	g_string_append(command, "d");
	add_string(command, "mask");
	g_string_append(command, "l");
	add_string(command, codecs[0]);
	g_string_append(command, "e");
	add_string(command, "transcode");
	g_string_append(command, "l");
	add_string(command, codecs[1]);
	g_string_append(command, "ee");
}

static GString *begin_command(unsigned call, unsigned side, const char *sdp)
{
	static unsigned cookie = 1; /* 0 was the ping: a cookie seen before gets its old answer */
	g_autofree char *id = g_strdup_printf("bench-%u", call);
	GString *command = g_string_new(NULL);

	g_string_printf(command, "%u d", cookie++);
	add_pair(command, "call-id", id);
	add_pair(command, "command", side ? "answer" : "offer");
	add_pair(command, "from-tag", "a");
	if (side)
		add_pair(command, "to-tag", "b");
	add_pair(command, "sdp", sdp);
	return command;
}

/* The side's description; what comes back is the port for the other side. crypto: side B's in its
 * answer; when A offers, its tag is filled in. NULL: plain. */
static uint16_t describe(int fd, const struct rig_load *load, unsigned call, unsigned side,
			 struct tl_crypto *crypto)
{
	const char *codecs[] = { "PCMA", load->codec };
	g_autofree char *sdp = make_sdp(codecs[side], &load->phones[side][call % RIG_SOCKETS],
					side ? crypto : NULL);
	g_autoptr(GString) command = begin_command(call, side, sdp);
	char answer[ANSWER_BYTES];
	uint16_t port;

	if (!side && crypto) {
		add_pair(command, "transport-protocol", "RTP/SAVP");
		add_pair(command, "DTLS", "off");
	}
	if (!side && strcmp(codecs[0], codecs[1]) != 0)
		add_transcoding(command, codecs);
	g_string_append(command, "e");
	port = ask(fd, command, answer);
	if (!side && crypto) {
		if (!find_key(answer, load->suite, &load->keys[call]))
			return 0;
		crypto->tag = load->keys[call].tag;
	}
	return port;
}

/* Both sides of a call. False: rtpengine does not do that. */
static bool open_call(int fd, const struct rig_load *load, unsigned call, uint16_t ports[2])
{
	bool sealed = load->suite != TL_SRTP_NONE;
	struct tl_crypto crypto;

	rig_key(&crypto, load->suite, true);
	ports[1] = describe(fd, load, call, 0, sealed ? &crypto : NULL);
	ports[0] = ports[1] ? describe(fd, load, call, 1, sealed ? &crypto : NULL) : 0;
	return ports[0] != 0;
}

static int open_ng(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(NG_PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = 2 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		exit(EXIT_FAILURE);
	return fd;
}

/* Opens all calls, and waits for the end. False: rtpengine does not do as it is told. */
static bool control(const struct rig_load *load, int fd)
{
	g_autofree uint16_t *ports = g_new0(uint16_t, (size_t)load->calls * 2);
	struct rig_gateway_report report = { 0 };
	g_autoptr(GString) ping = g_string_new("0 d7:command4:pinge");
	int ng = open_ng(), tries = 0;
	char byte = 0;

	while (send(ng, ping->str, ping->len, 0) < 0 || recv(ng, &byte, 1, 0) < 0) {
		if (++tries == TRIES)
			return false;
		g_usleep(100000); /* until it listens */
	}
	rig_write(fd, &byte, 1);
	rig_read(fd, &byte, 1);
	for (unsigned call = 0; call < load->calls; call++)
		if (!open_call(ng, load, call, ports + call * 2))
			return false;
	rig_write(fd, ports, load->calls * 2 * sizeof *ports);
	rig_read(fd, &byte, 1);
	rig_write(fd, &report, sizeof report);
	return true;
}

void rig_rtpengine(const struct rig_load *load, int fd)
{
	pid_t engine = getpid();

	if (fork() != 0)
		become_rtpengine();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!control(load, fd))
		fprintf(stderr, "bench: rtpengine does not do this\n");
	kill(engine, SIGTERM);
	exit(EXIT_SUCCESS);
}
