#pragma once
/*
 * What the two phones of phone.h say and hear as sound: tones in A-law, their
 * purity, and WAV files to play.
 */
#include <math.h>
#include <stdio.h>
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

static inline void start_with_codecs(void)
{
	cr_assert_eq(tl_codec_init(), 0);
	start_engine(0);
}

static inline void speak_format(struct call *call, enum tl_side side, const char *name, uint8_t pt)
{
	struct tl_format format = { .codec = codec(name), .pt = pt };

	call->plan.side[side].send_format = format;
	call->plan.side[side].receive_formats[0] = format;
	call->plan.side[side].event_clock_hz = format.codec->clock_hz;
}

static inline void set_path(struct call *call, enum tl_path path)
{
	call->plan.path[TL_SIDE_A] = call->plan.path[TL_SIDE_B] = path;
}

static inline int16_t from_alaw(uint8_t word)
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

static inline uint8_t to_alaw(int value)
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
static inline void hum(struct phone *phone, unsigned hz)
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

static inline void keep(struct tape *tape, const struct heard *heard)
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

/* How long this process's threads have been ready to run and did not, in µs (schedstat): others had
 * the processors. 0 where the kernel does not say. */
static inline guint64 waited_us(void)
{
	GDir *dir = g_dir_open("/proc/self/task", 0, NULL);
	guint64 sum_ns = 0;

	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_strdup_printf("/proc/self/task/%s/schedstat", name);
		g_autofree char *text = NULL;
		guint64 ran_ns, waited_ns;

		if (g_file_get_contents(path, &text, NULL, NULL) &&
		    sscanf(text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &ran_ns, &waited_ns) ==
			    2)
			sum_ns += waited_ns;
	}
	g_clear_pointer(&dir, g_dir_close);
	return sum_ns / 1000;
}

/* Speech has a beat: what comes late of one frame is made up for with the next. */
static gint64 beat_us;

static inline void next_beat(int ms)
{
	gint64 now_us = g_get_monotonic_time();

	beat_us += ms * 1000;
	if (now_us - beat_us > 200000)
		beat_us = now_us + ms * 1000; /* the test has just begun */
}

/* 0: it is over. */
static inline int beat_left_ms(void)
{
	return (int)((MAX(beat_us - g_get_monotonic_time(), 0) + 999) / 1000);
}

static inline void drain(struct phone *phone, struct tape *tape, int ms)
{
	struct heard heard;
	int left_ms;

	next_beat(ms);
	while ((left_ms = beat_left_ms()) > 0)
		if (listen_for(phone, left_ms, &heard))
			keep(tape, &heard);
}

static inline void talk(struct call *call, enum tl_side from, unsigned packets, struct tape *tape)
{
	for (unsigned i = 0; i < packets; i++) {
		hum(&call->phone[from], 400);
		drain(&call->phone[tl_side_other(from)], tape, PACE_MS);
	}
}

/* How much of a signal is a tone: 1 all of it. */
static inline double purity(const int16_t *pcm, size_t n, unsigned hz, unsigned rate_hz)
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

static inline int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of parts of 0.3 s or more: what is made up once, for a pause of this machine's, moves
 * the phase of all that follows. */
static inline double purity_of_tape(const struct tape *tape, unsigned hz)
{
	enum { FROM = 10, PART = 16 };
	size_t packets = MIN(tape->packets, (unsigned)G_N_ELEMENTS(tape->payloads)), parts, n;
	double shares[G_N_ELEMENTS(tape->payloads) / PART];

	cr_assert_geq(packets, FROM + PART);
	parts = (packets - FROM) / PART;
	n = (packets - FROM) / parts * FRAME;
	for (size_t part = 0; part < parts; part++) {
		g_autofree int16_t *pcm = g_new(int16_t, n);

		for (size_t i = 0; i < n; i++) {
			size_t at = FROM * FRAME + part * n + i;

			pcm[i] = from_alaw(tape->payloads[at / FRAME][at % FRAME]);
		}
		shares[part] = purity(pcm, n, hz, 8000);
	}
	qsort(shares, parts, sizeof *shares, by_size);
	return shares[(parts - 1) / 2];
}

static inline char *make_dir(void)
{
	char *dir = g_dir_make_tmp("twinleg-test-XXXXXX", NULL);

	cr_assert_not_null(dir);
	return dir;
}

static inline void put_le(FILE *file, unsigned value, int bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		fputc((int)(value & 0xff), file);
}

/* A tone of so many ms. */
static inline char *make_wav(const char *dir, unsigned hz, unsigned ms)
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

static inline void remove_dir(char *dir)
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
