/* Recordings and disks that fill up, hang, refuse, or are cut off from us. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/recording.h"

TestSuite(recorder_disk, .init = set_up, .fini = tear_down);

Test(recorder_disk, leaves_a_playable_file_when_killed)
{
	struct recording rec;
	int ready[2], status;
	pid_t child;
	char byte;

	cr_assert_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct tl_storage *storage;
		struct tl_recorder *mine;

		tl_storage_new(&storage);
		tl_recorder_new(storage, path, false, RATE_HZ, start_us, NULL, NULL, &mine);
		for (int64_t t = 0; t < 5500 * MS; t += 20 * MS) {
			both_talk(mine, t);
			tl_recorder_tick(mine, start_us + t);
		}
		/* The queue is run to its end, then nothing more is said: no free, no close. */
		tl_storage_free(storage);
		if (write(ready[1], "", 1) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);

	rec = read_recording();
	cr_expect_eq(rec.frames, 5 * RATE_HZ, "all but the last, unfinished second");
	cr_expect_eq(next_silence(&rec, 0, 0), rec.frames);
	g_free(rec.file);
}

static void fails_once(const char *at, const char *expected)
{
	struct tl_storage *storage;
	struct tl_recorder *rec;

	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_assert_eq(tl_recorder_new(storage, at, false, RATE_HZ, start_us, on_failed, NULL, &rec),
		     0);
	for (int64_t t = 0; t < 5 * S; t += 20 * MS) {
		both_talk(rec, t);
		tl_recorder_tick(rec, start_us + t);
	}
	tl_recorder_free(rec, start_us + 5 * S);
	tl_storage_free(storage);
	cr_expect_eq(failures, 1);
	cr_expect(why && strstr(why, expected), "%s", why);
}

Test(recorder_disk, says_once_that_the_disk_is_full)
{
	g_autofree char *full = g_build_filename(dir, "full.wav", NULL);

	/* RLIMIT_FSIZE stands for the full disk: write fails in the same place. */
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit) { 100000, 100000 });
	fails_once(full, "File too large");
}

Test(recorder_disk, says_once_that_the_directory_cant_be_made)
{
	fails_once("/proc/nowhere/call.wav", "/proc/nowhere/call.wav");
}

Test(recorder_disk, never_writes_over_a_file_that_exists)
{
	g_autofree char *kept = g_build_filename(dir, "kept.wav", NULL);
	g_autofree char *content = NULL;

	cr_assert(g_file_set_contents(kept, "precious", -1, NULL));
	fails_once(kept, "File exists");
	cr_assert(g_file_get_contents(kept, &content, NULL, NULL));
	cr_expect_str_eq(content, "precious");
}

Test(recorder_disk, refuses_what_makes_no_sense)
{
	struct tl_storage *storage;
	struct tl_recorder *rec;

	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_expect_eq(tl_recorder_new(storage, "a.wav", false, RATE_HZ, 0, NULL, NULL, &rec),
		     -EINVAL, "relative to what?");
	cr_expect_eq(tl_recorder_new(storage, path, false, 0, 0, NULL, NULL, &rec), -EINVAL);
	tl_storage_free(storage);
	tl_recorder_free(NULL, 0);
}

struct stuck {
	GMutex mutex;
};

static void wait_for_gate(void *user)
{
	struct stuck *stuck = user;

	g_mutex_lock(&stuck->mutex);
	g_mutex_unlock(&stuck->mutex);
}

Test(recorder_disk, keeps_the_time_when_a_stuck_disk_costs_audio)
{
	struct stuck stuck = { 0 };
	struct tl_storage *storage;
	struct tl_recorder *rec;
	struct recording got;

	cr_assert_eq(tl_storage_new(&storage), 0);
	g_mutex_lock(&stuck.mutex);
	cr_assert_eq(tl_storage_post(storage, wait_for_gate, &stuck), 0);
	cr_assert_eq(
		tl_recorder_new(storage, path, false, RATE_HZ, start_us, on_failed, NULL, &rec), 0);
	for (int64_t t = 0; t < 60 * S; t += 20 * MS) {
		both_talk(rec, t);
		tl_recorder_tick(rec, start_us + t);
	}
	g_mutex_unlock(&stuck.mutex);
	tl_recorder_free(rec, start_us + 60 * S);
	tl_storage_free(storage);

	got = read_recording();
	cr_expect_eq(got.frames, 60 * RATE_HZ);
	cr_expect_geq(next_silence(&got, 0, 0), 10 * RATE_HZ, "a long stall costs nothing");
	cr_expect_eq(failures, 1);
	cr_expect(why && strstr(why, "too slow"), "%s", why);
	g_free(got.file);
}
