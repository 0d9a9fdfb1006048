#include "rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glib.h>
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

static char *make_sdp(const char *codec, const struct sockaddr_storage *phone)
{
	const struct rig_loop *loop = rig_loop_get(codec);
	bool opus = strcmp(codec, "opus") == 0;

	return g_strdup_printf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
			       "t=0 0\r\nm=audio %u RTP/AVP %u\r\na=rtpmap:%u %s/%s\r\n"
			       "a=ptime:%d\r\n",
			       ntohs(((const struct sockaddr_in *)phone)->sin_port), loop->pt,
			       loop->pt, codec, opus ? "48000/2" : "8000", RIG_FRAME_MS);
}

/* Sends a command, returns the port in the SDP that comes back; 0: none did. */
static uint16_t ask(int fd, const GString *command)
{
	char answer[ANSWER_BYTES];
	const char *media;
	ssize_t n;

	if (send(fd, command->str, command->len, 0) < 0)
		return 0;
	n = recv(fd, answer, sizeof answer - 1, 0);
	if (n <= 0)
		return 0;
	answer[n] = '\0';
	media = strstr(answer, "m=audio ");
	return media ? (uint16_t)strtoul(media + strlen("m=audio "), NULL, 10) : 0;
}

/* The side's description; what comes back is the port for the other side. */
static uint16_t describe(int fd, const struct rig_load *load, unsigned call, unsigned side)
{
	static unsigned cookie = 1; /* 0 was the ping: a cookie seen before gets its old answer */
	const char *codecs[] = { "PCMA", load->codec };
	g_autofree char *sdp = make_sdp(codecs[side], &load->phones[side][call % RIG_SOCKETS]);
	g_autofree char *id = g_strdup_printf("bench-%u", call);
	g_autoptr(GString) command = g_string_new(NULL);

	g_string_printf(command, "%u d", cookie++);
	add_pair(command, "call-id", id);
	add_pair(command, "command", side ? "answer" : "offer");
	add_pair(command, "from-tag", "a");
	if (side)
		add_pair(command, "to-tag", "b");
	add_pair(command, "sdp", sdp);
	if (!side && strcmp(codecs[0], codecs[1]) != 0) {
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
	g_string_append(command, "e");
	return ask(fd, command);
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

static void control(const struct rig_load *load, int fd)
{
	g_autofree uint16_t *ports = g_new0(uint16_t, (size_t)load->calls * 2);
	struct rig_gateway_report report = { 0 };
	g_autoptr(GString) ping = g_string_new("0 d7:command4:pinge");
	int ng = open_ng(), tries = 0;
	char byte = 0;

	while (send(ng, ping->str, ping->len, 0) < 0 || recv(ng, &byte, 1, 0) < 0) {
		if (++tries == TRIES)
			exit(EXIT_FAILURE);
		g_usleep(100000); /* until it listens */
	}
	rig_write(fd, &byte, 1);
	rig_read(fd, &byte, 1);
	for (unsigned call = 0; call < load->calls; call++)
		for (unsigned side = 0; side < 2; side++)
			ports[call * 2 + !side] = describe(ng, load, call, side);
	rig_write(fd, ports, load->calls * 2 * sizeof *ports);
	rig_read(fd, &byte, 1);
	rig_write(fd, &report, sizeof report);
}

void rig_rtpengine(const struct rig_load *load, int fd)
{
	pid_t engine = getpid();

	if (fork() != 0)
		become_rtpengine();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	control(load, fd);
	kill(engine, SIGTERM);
	exit(EXIT_SUCCESS);
}
