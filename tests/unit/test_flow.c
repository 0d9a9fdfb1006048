#include <math.h>
#include <stdlib.h>

#include "../support/phone.h"

/* The same phones, at the pace of speech: chains, announcements, recordings. */

enum { FRAME_MS = 20, PACE_MS = 20 };

static const struct tl_codec *codec(const char *name)
{
	const struct tl_codec *row = tl_codec_by_name(name);

	cr_assert_not_null(row, "%s", name);
	return row;
}

static void start_with_codecs(void)
{
	cr_assert_eq(tl_codec_init(), 0);
	start_engine(0);
}

static void speak_format(struct call *call, enum tl_side side, const char *name, uint8_t pt)
{
	struct tl_format format = { .codec = codec(name), .pt = pt };

	call->plan.side[side].send_format = format;
	call->plan.side[side].receive_formats[0] = format;
	call->plan.side[side].event_clock_hz = format.codec->clock_hz;
}

static void set_path(struct call *call, enum tl_path path)
{
	call->plan.path[TL_SIDE_A] = call->plan.path[TL_SIDE_B] = path;
}

static int16_t from_alaw(uint8_t word)
{
	int value, segment;

	word ^= 0x55;
	segment = (word & 0x70) >> 4;
	value = (word & 0x0f) << 4;
	value += segment ? 0x108 : 8;
	if (segment > 1)
		value <<= segment - 1;
	return (int16_t)(word & 0x80 ? value : -value);
}

static uint8_t to_alaw(int value)
{
	uint8_t sign = value >= 0 ? 0x80 : 0, best = 0;
	int least = INT32_MAX;

	for (unsigned word = 0; word < 128; word++) {
		uint8_t code = (uint8_t)((word | sign) ^ 0x55);
		int off = abs(from_alaw(code) - value);

		if (off < least) {
			least = off;
			best = code;
		}
	}
	return best;
}

/* 20 ms of a tone in A-law, on and on. */
static void hum(struct phone *phone, unsigned hz)
{
	uint8_t payload[FRAME];

	for (unsigned i = 0; i < FRAME; i++)
		payload[i] = to_alaw((int)(8000 * sin(2 * G_PI * hz * (phone->ts + i) / 8000)));
	send_rtp(phone, phone->fd, PT_PCMA, false, payload, sizeof payload);
	phone->ts += FRAME;
}

/* What one side hears while the other hums: for each packet 20 ms are waited. */
struct tape {
	unsigned packets, markers, seq_gaps, units;
	struct tl_rtp first, last;
	uint8_t pt;
	unsigned bad_ssrc;
	uint8_t payloads[400][FRAME];
};

static void keep(struct tape *tape, const struct heard *heard)
{
	if (tape->packets == 0) {
		tape->first = heard->rtp;
	} else {
		tape->seq_gaps += heard->rtp.seq != (uint16_t)(tape->last.seq + 1);
		tape->bad_ssrc += heard->rtp.ssrc != tape->last.ssrc;
		tape->units = heard->rtp.ts - tape->last.ts;
	}
	tape->markers += heard->rtp.marker;
	tape->last = heard->rtp;
	if (tape->packets < G_N_ELEMENTS(tape->payloads))
		memcpy(tape->payloads[tape->packets], heard->payload, FRAME);
	tape->packets++;
}

/* Speech has a beat: what comes late of one frame is made up for with the next. */
static gint64 beat_us;

static void drain(struct phone *phone, struct tape *tape, int ms)
{
	gint64 now_us = g_get_monotonic_time();
	struct heard heard;

	beat_us += ms * 1000;
	if (now_us - beat_us > 200000)
		beat_us = now_us + ms * 1000; /* the test has just begun */
	while ((now_us = g_get_monotonic_time()) < beat_us)
		if (listen_for(phone, (int)((beat_us - now_us + 999) / 1000), &heard))
			keep(tape, &heard);
}

static void talk(struct call *call, enum tl_side from, unsigned packets, struct tape *tape)
{
	for (unsigned i = 0; i < packets; i++) {
		hum(&call->phone[from], 400);
		drain(&call->phone[tl_side_other(from)], tape, PACE_MS);
	}
}

/* How much of a signal is a tone: 1 all of it. */
static double purity(const int16_t *pcm, size_t n, unsigned hz, unsigned rate_hz)
{
	double re = 0, im = 0, power = 1e-9;

	for (size_t i = 0; i < n; i++) {
		double at = 2 * G_PI * hz * (double)i / rate_hz;

		re += pcm[i] * cos(at);
		im += pcm[i] * sin(at);
		power += (double)pcm[i] * pcm[i];
	}
	return 2 * (re * re + im * im) / ((double)n * power);
}

static double purity_of_tape(const struct tape *tape, unsigned hz)
{
	size_t from = 10,
	       packets = MIN(tape->packets, (unsigned)G_N_ELEMENTS(tape->payloads)) - from;
	g_autofree int16_t *pcm = g_new(int16_t, packets * FRAME);

	cr_assert_gt(tape->packets, from);
	for (size_t i = 0; i < packets * FRAME; i++)
		pcm[i] = from_alaw(tape->payloads[from + i / FRAME][i % FRAME]);
	return purity(pcm, packets * FRAME, hz, 8000);
}

Test(flow, transcodes_to_another_law)
{
	struct tape *tape = g_new0(struct tape, 1);
	struct tl_session_stats stats;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "PCMU", 0);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	talk(call, TL_SIDE_A, 50, tape);
	tl_session_stats(call->session, &stats);
	cr_expect_geq(tape->packets, 44);
	cr_expect_eq(tape->last.pt, 0);
	cr_expect_eq(tape->seq_gaps + tape->bad_ssrc, 0);
	cr_expect_eq(tape->markers, 1);
	cr_expect_eq(tape->last.ts - tape->first.ts, (tape->packets - 1) * FRAME);
	cr_expect_eq(stats.path[TL_SIDE_A], TL_PATH_CHAIN);
	cr_expect_eq(stats.side[TL_SIDE_A].concealed_ms, 0);
	cr_expect_geq(stats.side[TL_SIDE_A].delay_us, 10000, "%u", stats.side[TL_SIDE_A].delay_us);
	cr_expect_leq(stats.side[TL_SIDE_A].delay_us, 80000);
	close_call(call);
	stop_engine();
	g_free(tape);
}

Test(flow, transcodes_there_and_back)
{
	struct tape *tape = g_new0(struct tape, 1), *opus = g_new0(struct tape, 1);
	struct call *call;
	struct heard heard;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "opus", 96);
	call->plan.side[TL_SIDE_B].send_format.codec = codec("opus");
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	/* B says what it hears, so that A hears itself by way of both chains. */
	for (unsigned i = 0; i < 80; i++) {
		hum(&call->phone[TL_SIDE_A], 400);
		while (listen_for(&call->phone[TL_SIDE_B], 8, &heard)) {
			struct phone *b = &call->phone[TL_SIDE_B];

			keep(opus, &heard);
			b->ts = heard.rtp.ts;
			send_rtp(b, b->fd, 96, false, heard.payload, heard.rtp.payload_bytes);
		}
		drain(&call->phone[TL_SIDE_A], tape, PACE_MS);
	}
	cr_expect_eq(opus->units, 960, "Opus counts at 48 kHz");
	cr_expect_eq(opus->last.pt, 96);
	cr_expect_geq(tape->packets, 70);
	cr_expect_gt(purity_of_tape(tape, 400), 0.8, "%f", purity_of_tape(tape, 400));
	close_call(call);
	stop_engine();
	g_free(tape);
	g_free(opus);
}

Test(flow, fills_holes)
{
	struct tape *tape = g_new0(struct tape, 1);
	struct tl_session_stats stats;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "PCMU", 0);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	for (unsigned i = 0; i < 60; i++) {
		if (i % 20 == 10) { /* lost on its way */
			call->phone[TL_SIDE_A].seq++;
			call->phone[TL_SIDE_A].ts += FRAME;
		} else {
			hum(&call->phone[TL_SIDE_A], 400);
		}
		drain(&call->phone[TL_SIDE_B], tape, PACE_MS);
	}
	tl_session_stats(call->session, &stats);
	cr_expect_geq(tape->packets, 54);
	cr_expect_eq(tape->seq_gaps, 0);
	cr_expect_eq(stats.side[TL_SIDE_A].lost_pkts, 3);
	cr_expect_leq(stats.side[TL_SIDE_A].concealed_ms, 60);
	close_call(call);
	stop_engine();
	g_free(tape);
}

Test(flow, changes_the_path_within_one_stream)
{
	struct tape *tape = g_new0(struct tape, 1);
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	for (int i = 0; i < 3; i++) {
		/* B's codec changes by re-INVITE and back. */
		speak_format(call, TL_SIDE_B, i % 2 ? "PCMU" : "PCMA", i % 2 ? 0 : PT_PCMA);
		set_path(call, i % 2 ? TL_PATH_CHAIN : TL_PATH_RELAY);
		apply(call);
		talk(call, TL_SIDE_A, 20, tape);
	}
	cr_expect_eq(tape->seq_gaps, 0);
	cr_expect_eq(tape->bad_ssrc, 0);
	cr_expect_geq(tape->packets, 50);
	cr_expect_geq(tape->last.ts - tape->first.ts, 56 * FRAME, "time goes on");
	cr_expect_leq(tape->last.ts - tape->first.ts, 64 * FRAME);
	close_call(call);
	stop_engine();
	g_free(tape);
}

Test(flow, passes_digits_beside_a_chain_on_the_other_clock)
{
	struct heard heard;
	unsigned events = 0, ends = 0;
	uint32_t ts = 0;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "opus", 96);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	for (unsigned i = 0; i < 10; i++) {
		hum(&call->phone[TL_SIDE_A], 400);
		listen_for(&call->phone[TL_SIDE_B], PACE_MS, &heard);
	}
	press(&call->phone[TL_SIDE_A], 8, 5, 3);
	while (ends < 3) {
		heard = hear(&call->phone[TL_SIDE_B]);
		if (heard.rtp.pt != PT_EVENT)
			continue;
		cr_expect(events == 0 || heard.rtp.ts == ts);
		ts = heard.rtp.ts;
		events++;
		ends += heard.payload[1] >> 7;
	}
	cr_expect_eq(events, 8);
	cr_expect_eq(heard.payload[2] << 8 | heard.payload[3], 5 * 960);
	wait_event(call, TL_MEDIA_DTMF, 1);
	cr_expect_str_eq(call->digits->str, "8");
	/* Speech goes on behind it, later in time. */
	for (unsigned i = 0; i < 10; i++) {
		hum(&call->phone[TL_SIDE_A], 400);
		if (listen_for(&call->phone[TL_SIDE_B], PACE_MS, &heard) && heard.rtp.pt == 96)
			cr_expect_gt((int32_t)(heard.rtp.ts - ts), 0);
	}
	close_call(call);
	stop_engine();
}

static char *make_dir(void)
{
	char *dir = g_dir_make_tmp("twinleg-test-XXXXXX", NULL);

	cr_assert_not_null(dir);
	return dir;
}

static void put_le(FILE *file, unsigned value, int bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		fputc((int)(value & 0xff), file);
}

/* A tone of so many ms. */
static char *make_wav(const char *dir, unsigned hz, unsigned ms)
{
	char *path = g_build_filename(dir, "prompt.wav", NULL);
	FILE *file = fopen(path, "wb");
	unsigned n = 8 * ms;

	cr_assert_not_null(file);
	fputs("RIFF", file);
	put_le(file, 36 + 2 * n, 4);
	fputs("WAVEfmt ", file);
	put_le(file, 16, 4);
	put_le(file, 1 | 1 << 16, 4);
	put_le(file, 8000, 4);
	put_le(file, 16000, 4);
	put_le(file, 2 | 16 << 16, 4);
	fputs("data", file);
	put_le(file, 2 * n, 4);
	for (unsigned i = 0; i < n; i++)
		put_le(file, (unsigned)(int)(8000 * sin(2 * G_PI * hz * i / 8000)), 2);
	fclose(file);
	return path;
}

static void remove_dir(char *dir)
{
	g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(entries)) != NULL) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		unlink(path);
	}
	rmdir(dir);
	g_free(dir);
}

Test(flow, plays_an_announcement_and_goes_on)
{
	struct tape *tape = g_new0(struct tape, 1), *after = g_new0(struct tape, 1);
	char *dir = make_dir(), *path = make_wav(dir, 1000, 600);
	struct call *call;
	struct heard heard;

	start_with_codecs();
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	cr_assert_eq(
		tl_session_play(call->session, TL_SIDE_A, (const char *const *)&path, 1, false), 0);
	while (call->n_events[TL_MEDIA_PLAYED] == 0) {
		hum(&call->phone[TL_SIDE_B], 400); /* not heard meanwhile */
		drain(&call->phone[TL_SIDE_A], tape, PACE_MS);
		tl_media_dispatch(media);
	}
	cr_expect_geq(tape->packets, 30);
	cr_expect_leq(tape->packets, 34, "30 of the announcement, and B's before and after it");
	cr_expect_eq(tape->seq_gaps + tape->bad_ssrc, 0);
	cr_expect_gt(purity_of_tape(tape, 1000), 0.8);
	talk(call, TL_SIDE_B, 10, after);
	cr_expect_geq(after->packets, 9, "B is heard again");
	cr_expect_eq(after->first.seq, (uint16_t)(tape->last.seq + 1));
	cr_expect_eq(after->first.ssrc, tape->last.ssrc);
	cr_expect_eq(call->n_events[TL_MEDIA_PLAY_FAILED], 0);
	/* And it can be stopped. */
	tl_session_play(call->session, TL_SIDE_A, (const char *const *)&path, 1, true);
	drain(&call->phone[TL_SIDE_A], tape, 200);
	tl_session_play_stop(call->session, TL_SIDE_A);
	drain(&call->phone[TL_SIDE_A], tape, 60);
	cr_expect_not(listen_for(&call->phone[TL_SIDE_A], QUIET_MS, &heard));
	close_call(call);
	stop_engine();
	g_free(path);
	remove_dir(dir);
	g_free(tape);
	g_free(after);
}

Test(flow, ends_an_announcement_when_its_side_goes)
{
	struct tape *tape = g_new0(struct tape, 1);
	char *dir = make_dir(), *path = make_wav(dir, 1000, 600);
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	apply(call);
	tl_session_play(call->session, TL_SIDE_A, (const char *const *)&path, 1, true);
	drain(&call->phone[TL_SIDE_A], tape, 150);
	/* The codec changes under it. */
	speak_format(call, TL_SIDE_A, "PCMU", 0);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	drain(&call->phone[TL_SIDE_A], tape, 300);
	cr_expect_eq(tape->last.pt, 0, "%u packets", tape->packets);
	cr_expect_eq(tape->seq_gaps + tape->bad_ssrc, 0);
	call->plan.side[TL_SIDE_A].open = false;
	call->plan.side[TL_SIDE_A].send_format.codec = NULL;
	call->plan.side[TL_SIDE_A].n_receive_formats = 0;
	set_path(call, TL_PATH_CLOSED);
	apply(call);
	wait_event(call, TL_MEDIA_PLAYED, 1);
	close_call(call);
	stop_engine();
	g_free(path);
	remove_dir(dir);
	g_free(tape);
}

Test(flow, says_which_announcement_is_missing)
{
	const char *path = "/nonexistent/welcome.wav";
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	apply(call);
	cr_assert_eq(tl_session_play(call->session, TL_SIDE_A, &path, 1, false), 0);
	wait_event(call, TL_MEDIA_PLAYED, 1);
	cr_expect_eq(call->n_events[TL_MEDIA_PLAY_FAILED], 1);
	cr_expect(strstr(call->text, "welcome.wav") != NULL, "%s", call->text);
	close_call(call);
	stop_engine();
}

struct recording {
	int16_t *frames; /* left, right */
	size_t n;
	unsigned rate_hz;
};

static struct recording read_recording(const char *path)
{
	struct recording rec = { 0 };
	gsize bytes;
	char *data;

	cr_assert(g_file_get_contents(path, &data, &bytes, NULL), "%s", path);
	cr_assert_geq(bytes, 44);
	memcpy(&rec.rate_hz, data + 24, 4);
	rec.n = (bytes - 44) / 4;
	rec.frames = g_memdup2(data + 44, rec.n * 4);
	g_free(data);
	return rec;
}

static double purity_of(const struct recording *rec, unsigned channel, unsigned from_ms,
			unsigned ms, unsigned hz)
{
	size_t from = from_ms * rec->rate_hz / 1000, n = ms * rec->rate_hz / 1000;
	g_autofree int16_t *pcm = g_new(int16_t, n);

	cr_assert_geq(rec->n, from + n, "too short: %zu frames", rec->n);
	for (size_t i = 0; i < n; i++)
		pcm[i] = rec->frames[(from + i) * 2 + channel];
	return purity(pcm, n, hz, rec->rate_hz);
}

static void record_both(const char *codec_b, enum tl_path path)
{
	char *dir = make_dir(), *file = g_build_filename(dir, "call.wav", NULL);
	struct tape *tape = g_new0(struct tape, 1), *side_a = g_new0(struct tape, 1);
	struct recording rec;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, codec_b, path == TL_PATH_CHAIN ? 0 : PT_PCMA);
	call->plan.side[TL_SIDE_B].receive_formats[1] =
		(struct tl_format) { .codec = codec("PCMA"), .pt = PT_PCMA };
	call->plan.side[TL_SIDE_B].n_receive_formats = 2;
	set_path(call, path);
	apply(call);
	talk(call, TL_SIDE_A, 10, tape);
	cr_assert_eq(tl_session_record(call->session, file, false), 0);
	for (unsigned i = 0; i < 60; i++) {
		hum(&call->phone[TL_SIDE_A], 400);
		hum(&call->phone[TL_SIDE_B], 700);
		drain(&call->phone[TL_SIDE_B], tape, PACE_MS / 2);
		drain(&call->phone[TL_SIDE_A], side_a, PACE_MS / 2);
	}
	tl_session_record_stop(call->session);
	talk(call, TL_SIDE_A, 10, tape);
	cr_expect_eq(tape->seq_gaps + tape->bad_ssrc, 0, "nobody hears that it begins or ends");
	cr_expect_geq(tape->packets, 74);
	cr_expect_geq(side_a->packets, 54);
	close_call(call);
	stop_engine();

	rec = read_recording(file);
	cr_expect_geq(rec.n, rec.rate_hz, "over a second");
	cr_expect_gt(purity_of(&rec, 0, 200, 800, 400), 0.8, "left is the caller");
	cr_expect_gt(purity_of(&rec, 1, 200, 800, 700), 0.8, "right is the callee");
	g_free(rec.frames);
	g_free(file);
	remove_dir(dir);
	g_free(tape);
	g_free(side_a);
}

Test(flow, records_a_relayed_call)
{
	record_both("PCMA", TL_PATH_RELAY);
}

Test(flow, records_a_transcoded_call)
{
	record_both("PCMU", TL_PATH_CHAIN);
}

Test(flow, records_what_an_announcement_says_to_the_caller)
{
	char *dir = make_dir(), *file = g_build_filename(dir, "call.wav", NULL);
	char *path = make_wav(dir, 1000, 600);
	struct recording rec;
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	/* Only the caller is there. */
	call->plan.side[TL_SIDE_B].open = false;
	set_path(call, TL_PATH_CLOSED);
	apply(call);
	cr_assert_eq(tl_session_record(call->session, file, false), 0);
	cr_assert_eq(
		tl_session_play(call->session, TL_SIDE_A, (const char *const *)&path, 1, false), 0);
	while (call->n_events[TL_MEDIA_PLAYED] == 0) {
		struct heard heard;

		hum(&call->phone[TL_SIDE_A], 400);
		listen_for(&call->phone[TL_SIDE_A], PACE_MS, &heard);
		tl_media_dispatch(media);
	}
	close_call(call);
	stop_engine();
	rec = read_recording(file);
	cr_expect_gt(purity_of(&rec, 1, 200, 300, 1000), 0.8, "what the caller hears: right");
	g_free(rec.frames);
	g_free(file);
	g_free(path);
	remove_dir(dir);
}

Test(flow, says_when_it_cannot_record)
{
	struct call *call;

	start_with_codecs();
	call = open_call(AF_INET);
	apply(call);
	settle_both(call);
	cr_assert_eq(tl_session_record(call->session, "/proc/nowhere/call.wav", false), 0);
	wait_event(call, TL_MEDIA_RECORD_FAILED, 1);
	speak(&call->phone[TL_SIDE_A], 4);
	cr_expect_eq(hear(&call->phone[TL_SIDE_B]).payload[0], 4, "the call goes on");
	close_call(call);
	stop_engine();
}

/* One order drawn by lot; whatever it is, in whatever state the call is. */
static void order_at_random(struct call *call, const char *prompt, const char *dir)
{
	static const struct {
		const char *name;
		uint8_t pt;
	} codecs[] = { { "PCMA", PT_PCMA }, { "PCMU", 0 }, { "opus", 96 }, { "G722", 9 } };
	enum tl_side side = rand() % 2 ? TL_SIDE_A : TL_SIDE_B;
	unsigned i = (unsigned)rand() % G_N_ELEMENTS(codecs);
	g_autofree char *file = g_strdup_printf("%s/%d.wav", dir, rand());
	const char *paths[] = { prompt, rand() % 2 ? prompt : "/nonexistent.wav" };

	switch (rand() % 9) {
	case 0:
	case 1:
		speak_format(call, side, codecs[i].name, codecs[i].pt);
		break;
	case 2:
		call->plan.side[side].send = rand() % 4 != 0;
		call->plan.side[side].receive = rand() % 4 != 0;
		break;
	case 3:
		call->plan.side[side].open = rand() % 4 != 0;
		call->plan.echo = rand() % 2;
		break;
	case 4:
		tl_session_play(call->session, side, paths, 2, rand() % 2);
		return;
	case 5:
		tl_session_play_stop(call->session, side);
		return;
	case 6:
		tl_session_record(call->session, file, rand() % 2);
		return;
	case 7:
		tl_session_record_stop(call->session);
		return;
	case 8:
		tl_session_send_dtmf(call->session, side, "0123456789*#ABCD"[rand() % 16], 60);
		return;
	}
	set_path(call, call->plan.side[TL_SIDE_A].send_format.codec ==
				       call->plan.side[TL_SIDE_B].send_format.codec
			       ? TL_PATH_RELAY
			       : TL_PATH_CHAIN);
	apply(call);
}

static void send_at_random(struct call *call, enum tl_side side)
{
	struct phone *phone = &call->phone[side];
	uint8_t payload[FRAME];

	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)rand();
	phone->ts += FRAME;
	switch (rand() % 12) {
	case 0:
		press(phone, (uint8_t)(rand() % 17), 3, rand() % 4);
		break;
	case 1:
		phone->ssrc++;
		phone->seq = (uint16_t)rand();
		break;
	case 2:
		phone->seq = (uint16_t)(phone->seq + rand() % 200 - 100);
		break;
	case 3:
		phone->ts += (uint32_t)rand();
		break;
	case 4:
		send_rtp(phone, phone->fd, (uint8_t)(rand() % 128), rand() % 2, payload,
			 (size_t)rand() % sizeof payload);
		break;
	default:
		send_rtp(phone, phone->fd, call->plan.side[side].receive_formats[0].pt, false,
			 payload, rand() % 8 ? sizeof payload : (size_t)rand() % sizeof payload);
	}
}

/* No story: what must hold is that nothing breaks, and that all comes to an end. */
Test(flow, bears_any_order_at_any_time)
{
	char *dir = make_dir(), *prompt = make_wav(dir, 1000, 300);
	struct tape *tape = g_new0(struct tape, 1);
	struct call *calls[3];
	struct heard heard;

	srand(11);
	start_with_codecs();
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		calls[i] = open_call(AF_INET);
		apply(calls[i]);
	}
	for (unsigned beat = 0; beat < 300; beat++) {
		for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
			send_at_random(calls[i], TL_SIDE_A);
			send_at_random(calls[i], TL_SIDE_B);
			if (rand() % 4 == 0)
				order_at_random(calls[i], prompt, dir);
			while (listen_for(&calls[i]->phone[rand() % 2], 0, &heard))
				;
		}
		tl_media_dispatch(media);
		drain(&calls[0]->phone[TL_SIDE_A], tape, 10);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
		close_call(calls[i]);
	stop_engine();
	g_free(prompt);
	remove_dir(dir);
	g_free(tape);
}
