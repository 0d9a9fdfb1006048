#include "media/file/recorder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "media/file/wav.h"

enum {
	BLOCKS = 16,         /* seconds that a disk may stall; in good times two are in use */
	CHUNK_FRAMES = 8192, /* a write: a second of most recordings */
	FILE_MODE = 0640,
	DIR_MODE = 0750,
};

enum block_state { BLOCK_FREE, BLOCK_TAKEN, BLOCK_POSTED };

struct tl_block {
	struct tl_recording *recording;
	_Atomic int state;
	int64_t at; /* frame in the file */
	size_t frames;
	int16_t *samples; /* NULL until first taken */
};

struct tl_recording {
	/* fixed at creation */
	struct tl_storage *storage;
	char *path;
	unsigned channels, rate_hz, frame_bytes;
	tl_recorder_failed_fn *on_failed;
	void *user;

	/* the worker's one, and one for each posted job; the last one out closes */
	_Atomic unsigned refs;
	struct tl_block blocks[BLOCKS];
	_Atomic int64_t lost_frames; /* had no block, or no place in the queue */
	_Atomic int64_t end;         /* -1 until the worker closed */

	/* storage thread */
	int fd;
	uint32_t data_bytes; /* as the head says */
	bool failed;
	bool said; /* on_failed ran */
};

static void complain(struct tl_recording *rec, const char *what, int err)
{
	g_autofree char *why = err ? g_strdup_printf("%s: %s: %s", rec->path, what, g_strerror(err))
				   : g_strdup_printf("%s: %s", rec->path, what);

	g_debug("recording %s", why);
	if (!rec->said && rec->on_failed)
		rec->on_failed(why, rec->user);
	rec->said = true;
}

static void fail(struct tl_recording *rec, const char *what, int err)
{
	complain(rec, what, err);
	rec->failed = true;
}

static int write_all(int fd, const void *bytes, size_t n, off_t at)
{
	const uint8_t *from = bytes;

	while (n > 0) {
		ssize_t done = pwrite(fd, from, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		from += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_head(struct tl_recording *rec)
{
	uint8_t head[TL_WAV_HEAD_BYTES];

	tl_wav_head(head, rec->rate_hz, rec->channels, rec->data_bytes);
	return write_all(rec->fd, head, sizeof head, 0);
}

static void do_open(struct tl_recording *rec)
{
	g_autofree char *dir = g_path_get_dirname(rec->path);
	int r;

	if (g_mkdir_with_parents(dir, DIR_MODE) < 0) {
		fail(rec, "can't make its directory", errno);
		return;
	}
	rec->fd = open(rec->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (rec->fd < 0) {
		fail(rec, "can't be made", errno);
		return;
	}
	r = write_head(rec);
	if (r < 0)
		fail(rec, "can't be written", -r);
}

/*
 * The channels lie one after the other in memory, where each is laid down in one piece, and take
 * turns in the file, eight frames at a time:
 *
 *   l0 l1 l2 ... r0 r1 r2 ...  ->  l0 r0 l1 r1 l2 r2 ...
 */
static void interleave(const int16_t *left, const int16_t *right, size_t n, int16_t *to)
{
	typedef int16_t eight __attribute__((vector_size(16)));
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		eight l, r, low, high;

		memcpy(&l, left + i, sizeof l);
		memcpy(&r, right + i, sizeof r);
		low = __builtin_shufflevector(l, r, 0, 8, 1, 9, 2, 10, 3, 11);
		high = __builtin_shufflevector(l, r, 4, 12, 5, 13, 6, 14, 7, 15);
		memcpy(to + 2 * i, &low, sizeof low);
		memcpy(to + 2 * i + 8, &high, sizeof high);
	}
	for (; i < n; i++) {
		to[2 * i] = left[i];
		to[2 * i + 1] = right[i];
	}
}

static int write_stereo(struct tl_recording *rec, const struct tl_block *block, off_t at)
{
	const int16_t *left = block->samples, *right = left + rec->rate_hz;
	int16_t frames[CHUNK_FRAMES * 2];
	int r = 0;

	for (size_t done = 0, n; done < block->frames && r == 0; done += n) {
		n = MIN(block->frames - done, (size_t)CHUNK_FRAMES);
		interleave(left + done, right + done, n, frames);
		r = write_all(rec->fd, frames, n * rec->frame_bytes,
			      at + (off_t)(done * rec->frame_bytes));
	}
	return r;
}

/* Samples first, then the head: killed between the two, it says less than there is, never more. */
static void write_block(struct tl_recording *rec, const struct tl_block *block)
{
	uint64_t from = (uint64_t)block->at * rec->frame_bytes;
	uint64_t bytes = (uint64_t)block->frames * rec->frame_bytes;
	off_t at = (off_t)(TL_WAV_HEAD_BYTES + from);
	int r;

	if (from + bytes > TL_WAV_DATA_MAX_BYTES) {
		fail(rec, "has reached the size that a WAV file can have", 0);
		return;
	}
	r = rec->channels == 1 ? write_all(rec->fd, block->samples, bytes, at)
			       : write_stereo(rec, block, at);
	if (r == 0) {
		rec->data_bytes = MAX(rec->data_bytes, (uint32_t)(from + bytes));
		r = write_head(rec);
	}
	if (r < 0)
		fail(rec, "can't be written", -r);
}

static void mention_loss(struct tl_recording *rec)
{
	int64_t lost = atomic_exchange_explicit(&rec->lost_frames, 0, memory_order_relaxed);

	if (lost > 0)
		complain(rec, "the disk is too slow, some of the call is silence", 0);
}

/* Silence up to where the call ended: a file grown by truncation reads as zeros. */
static void finish(struct tl_recording *rec)
{
	uint64_t bytes = (uint64_t)MAX(atomic_load(&rec->end), 0) * rec->frame_bytes;

	mention_loss(rec);
	if (!rec->failed && bytes > rec->data_bytes && bytes <= TL_WAV_DATA_MAX_BYTES) {
		if (ftruncate(rec->fd, (off_t)(TL_WAV_HEAD_BYTES + bytes)) < 0) {
			fail(rec, "can't be extended", errno);
		} else {
			rec->data_bytes = (uint32_t)bytes;
			write_head(rec);
		}
	}
	if (rec->fd >= 0 && close(rec->fd) < 0)
		fail(rec, "can't be closed", errno);
}

static void unref(struct tl_recording *rec)
{
	if (atomic_fetch_sub_explicit(&rec->refs, 1, memory_order_acq_rel) != 1)
		return;
	finish(rec);
	for (size_t i = 0; i < BLOCKS; i++)
		g_free(rec->blocks[i].samples);
	g_free(rec->path);
	g_free(rec);
}

static void on_open(void *user)
{
	struct tl_recording *rec = user;

	do_open(rec);
	unref(rec);
}

static void on_block(void *user)
{
	struct tl_block *block = user;
	struct tl_recording *rec = block->recording;

	mention_loss(rec);
	if (!rec->failed)
		write_block(rec, block);
	atomic_store_explicit(&block->state, BLOCK_FREE, memory_order_release);
	unref(rec);
}

static void on_close(void *user)
{
	unref(user);
}

static int post(struct tl_recording *rec, tl_storage_fn *fn, void *user)
{
	int r;

	atomic_fetch_add_explicit(&rec->refs, 1, memory_order_relaxed);
	r = tl_storage_post(rec->storage, fn, user);
	if (r < 0)
		atomic_fetch_sub_explicit(&rec->refs, 1, memory_order_relaxed);
	return r;
}

int tl_recording_new(struct tl_storage *storage, const char *path, unsigned channels,
		     unsigned rate_hz, tl_recorder_failed_fn *on_failed, void *user,
		     struct tl_recording **ret_recording)
{
	struct tl_recording *rec;
	int r;

	if (!g_path_is_absolute(path))
		return -EINVAL;
	rec = g_new0(struct tl_recording, 1);
	rec->storage = storage;
	rec->path = g_strdup(path);
	rec->channels = channels;
	rec->rate_hz = rate_hz;
	rec->frame_bytes = channels * TL_WAV_SAMPLE_BYTES;
	rec->on_failed = on_failed;
	rec->user = user;
	rec->refs = 1;
	rec->end = -1;
	rec->fd = -1;
	for (size_t i = 0; i < BLOCKS; i++)
		rec->blocks[i].recording = rec;

	r = post(rec, on_open, rec);
	if (r < 0) {
		g_free(rec->path);
		g_free(rec);
		return r;
	}
	*ret_recording = rec;
	return 0;
}

struct tl_block *tl_recording_take(struct tl_recording *rec)
{
	size_t bytes = (size_t)rec->rate_hz * rec->frame_bytes;

	for (size_t i = 0; i < BLOCKS; i++) {
		struct tl_block *block = &rec->blocks[i];

		if (atomic_load_explicit(&block->state, memory_order_acquire) != BLOCK_FREE)
			continue;
		atomic_store_explicit(&block->state, BLOCK_TAKEN, memory_order_relaxed);
		if (!block->samples)
			block->samples = g_malloc(bytes);
		return block;
	}
	atomic_fetch_add_explicit(&rec->lost_frames, rec->rate_hz, memory_order_relaxed);
	return NULL;
}

int16_t *tl_block_samples(struct tl_block *block)
{
	return block->samples;
}

void tl_recording_write(struct tl_recording *rec, struct tl_block *block, int64_t at, size_t frames)
{
	if (frames == 0) {
		atomic_store_explicit(&block->state, BLOCK_FREE, memory_order_relaxed);
		return;
	}
	block->at = at;
	block->frames = frames;
	atomic_store_explicit(&block->state, BLOCK_POSTED, memory_order_relaxed);
	if (post(rec, on_block, block) == 0)
		return;
	atomic_fetch_add_explicit(&rec->lost_frames, (int64_t)frames, memory_order_relaxed);
	atomic_store_explicit(&block->state, BLOCK_FREE, memory_order_relaxed);
}

void tl_recording_close(struct tl_recording *rec, int64_t end)
{
	atomic_store(&rec->end, end);
	/* Only with a full queue does the worker itself close, when no block of this
	 * recording is in the queue to do it. */
	if (tl_storage_post(rec->storage, on_close, rec) < 0)
		unref(rec);
}
