#include "media/file/recorder.h"

#include <errno.h>
#include <glib.h>

#include "media/file/recorder_file.h"
#include "media/chain/resample.h"

/*
 * Every sample has a place: its frame number since the recording began. Two
 * blocks of a second are open at a time. Audio is laid into them as it comes, silence
 * where none has come before it, and a block is handed on when nothing can come for it any more:
 *
 *   left   ################..####|#####        ` next sample of the left channel
 *   right  #########.............|..##
 *          | block[0]            | block[1]           |
 *          base                  ^ now
 *
 * A channel whose next sample is within 30 ms of the clock carries on where it
 * was (packets come early and late). Beyond that, its talker's clock is not ours:
 * its audio is stretched or squeezed, too little to be heard, until it is back. Beyond 60 ms
 * something was left out: it moves to where the clock is.
 */

enum {
	DRIFT_MS = 60,
	SLACK_MS = 30,
	STRETCH_EVERY = 800, /* samples: one more or one less in so many */
	GRACE_MS = 450,      /* drift, a packet of 120 ms, and whoever decodes at leisure */
	CHUNK = 480,         /* samples resampled at a time */
	UPSAMPLED_MAX = CHUNK * 6 + 2, /* 8 kHz to 48 kHz */
	STRETCHED_MAX = UPSAMPLED_MAX + 1,
	RATE_MIN_HZ = 8000,
	RATE_MAX_HZ = 48000,
};

struct channel {
	int64_t next;                   /* frame of the next sample */
	size_t since;                   /* samples since it was stretched */
	bool begun;                     /* something was put */
	struct tl_resampler *resampler; /* NULL: rates fit */
};

struct page {
	struct tl_block *block;          /* NULL: none was free, its audio is lost */
	int64_t filled[_TL_CHANNEL_MAX]; /* frames of each that hold something; mono: of the left */
};

struct tl_recorder {
	struct tl_recording *file;
	unsigned rate_hz;
	bool mono;
	int64_t start_us;
	int64_t base; /* first frame of page[0] */
	int64_t block_frames;
	struct page page[2];
	struct channel channel[_TL_CHANNEL_MAX];
};

int tl_recorder_new(struct tl_storage *storage, const char *path, bool mono, unsigned rate_hz,
		    int64_t now_us, tl_recorder_failed_fn *on_failed, void *user,
		    struct tl_recorder **ret_recorder)
{
	struct tl_recorder *rec;
	int r;

	if (rate_hz < RATE_MIN_HZ || rate_hz > RATE_MAX_HZ)
		return -EINVAL;
	rec = g_new0(struct tl_recorder, 1);
	rec->rate_hz = rate_hz;
	rec->mono = mono;
	rec->start_us = now_us;
	rec->block_frames = rate_hz;
	r = tl_recording_new(storage, path, mono ? 1 : 2, rate_hz, on_failed, user, &rec->file);
	if (r < 0) {
		g_free(rec);
		return r;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(rec->page); i++)
		rec->page[i].block = tl_recording_take(rec->file);
	*ret_recorder = rec;
	return 0;
}

static int64_t frame_at(const struct tl_recorder *rec, int64_t now_us)
{
	int64_t us = MAX(now_us - rec->start_us, 0);

	/* In two steps: a product of microseconds and hertz would overflow in a long life. */
	return us / G_USEC_PER_SEC * rec->rate_hz +
	       us % G_USEC_PER_SEC * rec->rate_hz / G_USEC_PER_SEC;
}

static int64_t frames_in(const struct tl_recorder *rec, unsigned ms)
{
	return (int64_t)rec->rate_hz * ms / 1000;
}

static int16_t *samples_of(const struct tl_recorder *rec, const struct page *page,
			   enum tl_channel channel)
{
	return tl_block_samples(page->block) + channel * rec->block_frames;
}

/* Up to this frame of the page there is silence where nothing else is. */
static void fill(const struct tl_recorder *rec, struct page *page, enum tl_channel channel,
		 int64_t up_to)
{
	int64_t from = page->filled[channel];

	if (from >= up_to)
		return;
	memset(samples_of(rec, page, channel) + from, 0, (size_t)(up_to - from) * sizeof(int16_t));
	page->filled[channel] = up_to;
}

static void hand_on(struct tl_recorder *rec, unsigned i, int64_t frames)
{
	struct page *page = &rec->page[i];

	if (!page->block)
		return;
	for (unsigned c = 0; c < (rec->mono ? 1 : _TL_CHANNEL_MAX); c++)
		fill(rec, page, (enum tl_channel)c, frames);
	tl_recording_write(rec->file, page->block, rec->base + i * rec->block_frames,
			   (size_t)frames);
	page->block = NULL;
}

/* Hands page[0] on. */
static void advance(struct tl_recorder *rec)
{
	hand_on(rec, 0, rec->block_frames);
	rec->base += rec->block_frames;
	rec->page[0] = rec->page[1];
	rec->page[1] = (struct page) { .block = tl_recording_take(rec->file) };
	for (size_t c = 0; c < _TL_CHANNEL_MAX; c++)
		rec->channel[c].next = MAX(rec->channel[c].next, rec->base);
}

/* Makes page[1] or an earlier one hold the frame. After long silence on all
 * channels whole blocks are stepped over: a hole in a file reads as zeros. */
static void advance_to(struct tl_recorder *rec, int64_t frame)
{
	int64_t skip;

	for (unsigned i = 0; i < 2 && frame >= rec->base + 2 * rec->block_frames; i++)
		advance(rec);
	if (frame < rec->base + 2 * rec->block_frames)
		return;
	skip = (frame - rec->base) / rec->block_frames * rec->block_frames;
	rec->base += skip;
	for (size_t c = 0; c < _TL_CHANNEL_MAX; c++)
		rec->channel[c].next = MAX(rec->channel[c].next, rec->base);
}

/* What the other channel has said there already is heard through it. */
static void mix(const struct tl_recorder *rec, struct page *page, int64_t at, const int16_t *pcm,
		size_t n)
{
	int16_t *frames = samples_of(rec, page, TL_CHANNEL_LEFT) + at;
	size_t both = (size_t)CLAMP(page->filled[TL_CHANNEL_LEFT] - at, 0, (int64_t)n);

	for (size_t i = 0; i < both; i++) {
		int sum = frames[i] + pcm[i];

		frames[i] = (int16_t)CLAMP(sum, INT16_MIN, INT16_MAX);
	}
	memcpy(frames + both, pcm + both, (n - both) * sizeof *pcm);
}

static void lay(struct tl_recorder *rec, struct page *page, enum tl_channel channel, int64_t at,
		const int16_t *pcm, size_t n)
{
	if (rec->mono)
		channel = TL_CHANNEL_LEFT;
	fill(rec, page, channel, at);
	if (rec->mono)
		mix(rec, page, at, pcm, n);
	else
		memcpy(samples_of(rec, page, channel) + at, pcm, n * sizeof *pcm);
	page->filled[channel] = MAX(page->filled[channel], at + (int64_t)n);
}

static void append(struct tl_recorder *rec, enum tl_channel channel, const int16_t *pcm, size_t n)
{
	struct channel *ch = &rec->channel[channel];

	while (n > 0) {
		int64_t at;
		size_t some;
		unsigned i;

		advance_to(rec, ch->next);
		at = ch->next - rec->base;
		i = at >= rec->block_frames;
		at -= i * rec->block_frames;
		some = MIN(n, (size_t)(rec->block_frames - at));
		if (rec->page[i].block)
			lay(rec, &rec->page[i], channel, at, pcm, some);
		ch->next += some;
		pcm += some;
		n -= some;
	}
}

/* Returns how many of n samples are surplus. */
static size_t keep_time(struct tl_recorder *rec, struct channel *ch, size_t n, int64_t now_us)
{
	int64_t ahead = ch->next - frame_at(rec, now_us);

	if (ahead < -frames_in(rec, DRIFT_MS) || (!ch->begun && ahead < 0))
		ch->next -= ahead;
	else if (ahead > frames_in(rec, DRIFT_MS))
		return (size_t)MIN((int64_t)n, ahead);
	return 0;
}

/* Which way the channel must be stretched to come back to the clock: -1 squeezed, 0 neither. */
static int lean(const struct tl_recorder *rec, const struct channel *ch, int64_t now_us)
{
	int64_t ahead = ch->next - frame_at(rec, now_us), slack = frames_in(rec, SLACK_MS);

	return (ahead < -slack) - (ahead > slack);
}

/* The n samples drawn out, or together, to m. */
static void stretch(const int16_t *from, size_t n, int16_t *to, size_t m)
{
	uint32_t step = (uint32_t)(((n - 1) << 16) / (m - 1));

	for (size_t i = 0; i < m; i++) {
		uint32_t at = (uint32_t)i * step, whole = MIN(at >> 16, (uint32_t)n - 2);
		int32_t part = (int32_t)((at - (whole << 16)) >> 1);

		to[i] = (int16_t)((from[whole] * (0x8000 - part) + from[whole + 1] * part) >> 15);
	}
}

/* lean: as above. */
static void append_leaning(struct tl_recorder *rec, enum tl_channel channel, const int16_t *pcm,
			   size_t n, int lean)
{
	struct channel *ch = &rec->channel[channel];
	int16_t stretched[STRETCHED_MAX];

	ch->since += n;
	if (!lean || n < 3 || ch->since < STRETCH_EVERY) {
		append(rec, channel, pcm, n);
		return;
	}
	ch->since = 0;
	stretch(pcm, n, stretched, n + lean);
	append(rec, channel, stretched, n + lean);
}

/* The filter for what comes in at rate_hz; made anew when a codec change brings another rate. */
static int fit_rate(struct tl_recorder *rec, struct channel *ch, unsigned rate_hz)
{
	if (ch->resampler && tl_resampler_in_hz(ch->resampler) == rate_hz)
		return 0;
	tl_resampler_free(ch->resampler);
	ch->resampler = NULL;
	if (rate_hz == rec->rate_hz)
		return 0;
	if (rate_hz < RATE_MIN_HZ || rate_hz > RATE_MAX_HZ)
		return -ENOTSUP;
	return tl_resampler_new(rate_hz, rec->rate_hz, &ch->resampler);
}

void tl_recorder_put(struct tl_recorder *rec, enum tl_channel channel, const int16_t *pcm,
		     size_t samples, unsigned rate_hz, int64_t now_us)
{
	struct channel *ch = &rec->channel[channel];
	int16_t fitted[UPSAMPLED_MAX];
	size_t surplus;
	int way;

	if (fit_rate(rec, ch, rate_hz) < 0)
		return; /* its time stays silent */
	surplus = keep_time(rec, ch, samples * rec->rate_hz / rate_hz, now_us);
	surplus = MIN(samples, surplus * rate_hz / rec->rate_hz);
	pcm += surplus;
	samples -= surplus;
	way = lean(rec, ch, now_us);
	ch->begun = true;

	while (samples > 0) {
		size_t some = MIN(samples, (size_t)CHUNK);

		if (ch->resampler)
			append_leaning(rec, channel, fitted,
				       tl_resampler_run(ch->resampler, pcm, some, fitted), way);
		else
			append_leaning(rec, channel, pcm, some, way);
		pcm += some;
		samples -= some;
	}
}

void tl_recorder_tick(struct tl_recorder *rec, int64_t now_us)
{
	int64_t now = frame_at(rec, now_us), end = rec->base + rec->block_frames;
	bool all_past = true;

	for (size_t c = 0; c < _TL_CHANNEL_MAX; c++)
		all_past = all_past && rec->channel[c].next >= end;
	if (all_past)
		advance(rec);
	now -= frames_in(rec, GRACE_MS);
	if (now >= rec->base + rec->block_frames)
		advance_to(rec, now + rec->block_frames);
}

void tl_recorder_free(struct tl_recorder *rec, int64_t now_us)
{
	int64_t end;

	if (!rec)
		return;
	end = frame_at(rec, now_us);
	for (size_t c = 0; c < _TL_CHANNEL_MAX; c++) {
		end = MAX(end, rec->channel[c].next);
		tl_resampler_free(rec->channel[c].resampler);
	}
	advance_to(rec, end);
	hand_on(rec, 0, MIN(end - rec->base, rec->block_frames));
	hand_on(rec, 1, MAX(end - rec->base - rec->block_frames, 0));
	tl_recording_close(rec->file, end);
	g_free(rec);
}
