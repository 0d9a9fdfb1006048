/* Announcements and recordings of a call. */
#include "tests/support/sound.h"

Test(flow_files, plays_an_announcement_and_goes_on)
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

Test(flow_files, ends_an_announcement_when_its_side_goes)
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

Test(flow_files, says_which_announcement_is_missing)
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

Test(flow_files, records_a_relayed_call)
{
	record_both("PCMA", TL_PATH_RELAY);
}

Test(flow_files, records_a_transcoded_call)
{
	record_both("PCMU", TL_PATH_CHAIN);
}

Test(flow_files, records_what_an_announcement_says_to_the_caller)
{
	char *dir = make_dir(), *file = g_build_filename(dir, "call.wav", NULL);
	char *path = make_wav(dir, 1000, 1200);
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
	/* it takes a moment until the file is read */
	cr_expect_gt(purity_of(&rec, 1, 600, 300, 1000), 0.8, "what the caller hears: right");
	g_free(rec.frames);
	g_free(file);
	g_free(path);
	remove_dir(dir);
}

Test(flow_files, says_when_it_cannot_record)
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
