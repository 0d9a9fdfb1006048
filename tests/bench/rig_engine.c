#include "rig.h"

#include <arpa/inet.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "media/plan/codec.h"
#include "media/session.h"

/* The media engine as the daemon runs it, with calls that nobody signalled. */

enum { PORT_MIN = 20000, PORT_MAX = 32767, JITTER_MIN_MS = 0, JITTER_MAX_MS = 200 };

static unsigned closed;

static void on_event(const struct tl_media_event *event, void *user)
{
	struct rig_gateway_report *report = user;

	if (event->type != TL_MEDIA_CLOSED) {
		fprintf(stderr, "bench: the engine reports event %d: %s\n", event->type,
			event->text ? event->text : "");
		return;
	}
	for (size_t side = 0; side < _TL_SIDE_MAX; side++) {
		report->lost_pkts += event->stats.side[side].lost_pkts;
		report->late_pkts += event->stats.side[side].late_pkts;
		report->concealed_ms += event->stats.side[side].concealed_ms;
		report->junk_pkts += event->stats.side[side].junk_pkts;
	}
	closed++;
}

static void stop_if(bool failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(EXIT_FAILURE);
}

static void describe(struct tl_media_desc *desc, const char *codec,
		     const struct sockaddr_storage *rtp)
{
	*desc = (struct tl_media_desc) {
		.rtp = *rtp,
		.direction = TL_DIR_SENDRECV,
		.ptime_ms = RIG_FRAME_MS,
		.n_formats = 1,
	};
	desc->formats[0].codec = tl_codec_by_name(codec);
	desc->formats[0].pt = rig_loop_get(codec)->pt;
	if (desc->formats[0].codec->fmtp)
		g_strlcpy(desc->formats[0].fmtp, desc->formats[0].codec->fmtp, TL_FMTP_BYTES);
}

static void encrypt(struct tl_media_desc *desc, enum tl_srtp_suite suite, bool phone)
{
	if (suite == TL_SRTP_NONE)
		return;
	desc->savp = true;
	desc->n_crypto = 1;
	rig_key(&desc->crypto[0], suite, phone);
}

static void record(struct tl_session *session, const char *folder, unsigned call)
{
	g_autofree char *path = g_strdup_printf("%s/%u.wav", folder, call);

	stop_if(tl_session_record(session, path, false) < 0, "tl_session_record");
}

/* A folder of this run's own for its recordings; NULL: there are to be none. */
static char *make_folder(const struct rig_load *load)
{
	g_autofree char *folder = NULL;

	if (!load->record_in)
		return NULL;
	folder = g_build_filename(load->record_in, "twinleg-bench-XXXXXX", NULL);
	stop_if(!g_mkdtemp(folder), "a folder for recordings");
	return g_steal_pointer(&folder);
}

static void remove_folder(const char *folder, unsigned calls)
{
	for (unsigned call = 0; folder && call < calls; call++) {
		g_autofree char *path = g_strdup_printf("%s/%u.wav", folder, call);

		g_unlink(path);
	}
	if (folder)
		g_rmdir(folder);
}

static struct tl_session *open_call(struct tl_media *media, const struct rig_load *load,
				    unsigned call, struct rig_gateway_report *report,
				    uint16_t ports[2])
{
	struct sockaddr_in loopback = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const char *codecs[] = { "PCMA", load->codec };
	struct tl_media_desc local[2], remote[2];
	struct tl_session *session;
	struct tl_plan plan;
	char id[16];

	snprintf(id, sizeof id, "%u", call);
	stop_if(tl_session_new(media, id, on_event, report, &session) < 0, "tl_session_new");
	for (size_t side = 0; side < 2; side++) {
		struct sockaddr_storage at;

		stop_if(tl_session_port(session, (enum tl_side)side, (struct sockaddr *)&loopback,
					&at) < 0,
			"tl_session_port");
		ports[side] = ntohs(((struct sockaddr_in *)&at)->sin_port);
		describe(&local[side], codecs[side], &at);
		describe(&remote[side], codecs[side], &load->phones[side][call % RIG_SOCKETS]);
	}
	encrypt(&local[1], load->suite, false);
	encrypt(&remote[1], load->suite, true);
	stop_if(tl_plan_make(&local[0], &remote[0], &local[1], &remote[1], &plan) < 0,
		"tl_plan_make");
	while (tl_session_apply(session, &plan) < 0)
		tl_media_dispatch(media); /* the worker's inbox is full: it is being emptied */
	return session;
}

static void serve(struct tl_media *media, int fd)
{
	struct pollfd polled[] = { { .fd = tl_media_fd(media), .events = POLLIN },
				   { .fd = fd, .events = POLLIN } };

	while (poll(polled, G_N_ELEMENTS(polled), -1) >= 0 && !polled[1].revents)
		tl_media_dispatch(media);
}

void rig_engine(const struct rig_load *load, int fd)
{
	struct tl_media_cfg cfg = {
		.workers = load->workers,
		.rtp_port_min = PORT_MIN,
		.rtp_port_max = PORT_MAX,
		.jitter_min_ms = JITTER_MIN_MS,
		.jitter_max_ms = JITTER_MAX_MS,
		.opus_complexity = load->opus_complexity,
	};
	g_autofree struct tl_session **sessions = g_new0(struct tl_session *, load->calls);
	g_autofree uint16_t *ports = g_new(uint16_t, (size_t)load->calls * 2);
	struct rig_gateway_report report = { 0 };
	g_autofree char *folder = make_folder(load);
	struct tl_media_load media_load;
	struct tl_media *media;
	char byte = 0;

	gst_init(NULL, NULL);
	stop_if(tl_codec_init() < 0, "tl_codec_init");
	stop_if(tl_media_new(&cfg, &media) < 0, "tl_media_new");
	rig_write(fd, &byte, 1);
	rig_read(fd, &byte, 1);

	for (unsigned i = 0; i < load->calls; i++) {
		sessions[i] = open_call(media, load, i, &report, ports + i * 2);
		if (folder)
			record(sessions[i], folder, i);
	}
	rig_write(fd, ports, load->calls * 2 * sizeof *ports);
	serve(media, fd);

	tl_media_load_get(media, &media_load);
	report.late_ticks = media_load.late_ticks;
	for (unsigned i = 0; i < load->calls; i++)
		tl_session_close(sessions[i]);
	while (closed < load->calls) {
		struct pollfd polled = { .fd = tl_media_fd(media), .events = POLLIN };

		if (poll(&polled, 1, 2000) <= 0)
			break;
		tl_media_dispatch(media);
	}
	tl_media_free(media);
	remove_folder(folder, load->calls);
	rig_write(fd, &report, sizeof report);
}
