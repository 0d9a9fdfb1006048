#include "b2bua/call/load.h"
#include <glib.h>
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "media/session.h"

enum {
	LOOK_MS = 200,
	TURN_LOOKS = 5,            /* more of one kind than of the other: a second */
	DISK_LIMIT_MS = 4000,      /* for one open, read or write */
	FULL_QUEUE_PERMILLE = 500, /* the kernel drops messages at 1000 */
};

struct tl_load {
	unsigned lag_ms;
	bool high;
	bool disk_hangs; /* and that was told */
	unsigned bad;    /* looks, good ones taken off: 0 to TURN_LOOKS */
	uint64_t media_late_us;
	su_timer_t *timer; /* NULL: no looks of its own */
	struct tl_media *media;
	const struct tl_stack *stack;
	int64_t due_us;
};

struct tl_load *tl_load_new(unsigned lag_ms)
{
	struct tl_load *load = g_new0(struct tl_load, 1);

	load->lag_ms = lag_ms;
	return load;
}

static void on_look(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void look_again(struct tl_load *load, int64_t now_us)
{
	load->due_us = now_us + LOOK_MS * 1000;
	tl_timer_start(&load->timer, tl_stack_root(load->stack), LOOK_MS, on_look, load);
}

/* Calls go on without it; recordings and announcements wait. */
static void tell_disk(struct tl_load *load, int64_t busy_us)
{
	bool hangs = busy_us > DISK_LIMIT_MS * INT64_C(1000);

	if (hangs == load->disk_hangs)
		return;
	load->disk_hangs = hangs;
	if (hangs)
		g_warning("the disk of recordings and announcements has not answered for %d s",
			  DISK_LIMIT_MS / 1000);
	else
		g_message("the disk of recordings and announcements answers again");
}

static void on_look(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_load *load = (struct tl_load *)arg;
	int64_t now_us = g_get_monotonic_time();
	struct tl_load_sample sample = {
		.signalling_late_us = (uint64_t)MAX(now_us - load->due_us, 0),
		.queue_permille = tl_stack_backlog_permille(load->stack),
	};
	struct tl_media_load media;

	tl_media_load_get(load->media, &media);
	sample.media_late_us = media.tick_late_max_us;
	tl_load_add(load, &sample);
	tell_disk(load, media.storage_busy_us);
	look_again(load, now_us);
}

struct tl_load *tl_load_start(struct tl_media *media, const struct tl_stack *stack, unsigned lag_ms)
{
	struct tl_load *load = tl_load_new(lag_ms);

	load->media = media;
	load->stack = stack;
	look_again(load, g_get_monotonic_time());
	return load;
}

void tl_load_free(struct tl_load *load)
{
	if (!load)
		return;
	tl_timer_stop(&load->timer);
	g_free(load);
}

void tl_load_configure(struct tl_load *load, unsigned lag_ms)
{
	load->lag_ms = lag_ms;
}

void tl_load_add(struct tl_load *load, const struct tl_load_sample *sample)
{
	uint64_t limit_us = (uint64_t)load->lag_ms * 1000;
	bool bad = limit_us &&
		   (sample->signalling_late_us > limit_us || sample->media_late_us > limit_us ||
		    sample->queue_permille > FULL_QUEUE_PERMILLE);

	load->media_late_us = MAX(load->media_late_us, sample->media_late_us);
	if (bad && load->bad < TURN_LOOKS)
		load->bad++;
	else if (!bad && load->bad > 0)
		load->bad--;
	if (load->bad != (load->high ? 0 : TURN_LOOKS))
		return;
	load->high = bad;
	if (bad)
		g_warning("overload: no new calls; signalling late_ms=%u media late_ms=%u "
			  "queue_permille=%u",
			  (unsigned)(sample->signalling_late_us / 1000),
			  (unsigned)(sample->media_late_us / 1000), sample->queue_permille);
	else
		g_message("overload: over");
}

bool tl_load_is_high(const struct tl_load *load)
{
	return load->high;
}

uint64_t tl_load_take_media_late_us(struct tl_load *load)
{
	uint64_t late_us = load->media_late_us;

	load->media_late_us = 0;
	return late_us;
}
