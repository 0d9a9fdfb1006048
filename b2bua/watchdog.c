#include "b2bua/watchdog.h"
#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-daemon.h>
#include "b2bua/sip/timer.h"
#include "media/session.h"

/* Told so often within the time that systemd allows: one that is late does no harm. */
enum { TELLINGS = 4 };

struct tl_watchdog {
	su_timer_t *timer;
	struct tl_media *media;
	bool hangs;
};

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_watchdog *watchdog = (struct tl_watchdog *)arg;
	bool hangs = !tl_media_come_round(watchdog->media);

	if (hangs && !watchdog->hangs)
		g_critical("a media worker hangs: systemd is not told that all is well");
	watchdog->hangs = hangs;
	if (!hangs)
		sd_notify(0, "WATCHDOG=1");
}

struct tl_watchdog *tl_watchdog_start(su_root_t *root, struct tl_media *media)
{
	struct tl_watchdog *watchdog;
	uint64_t limit_us;

	if (sd_watchdog_enabled(0, &limit_us) <= 0)
		return NULL;
	watchdog = g_new0(struct tl_watchdog, 1);
	watchdog->media = media;
	(void)tl_media_come_round(media);
	tl_timer_repeat(&watchdog->timer, root, (unsigned)MAX(limit_us / 1000 / TELLINGS, 1),
			on_timer, watchdog);
	return watchdog;
}

void tl_watchdog_free(struct tl_watchdog *watchdog)
{
	if (!watchdog)
		return;
	tl_timer_stop(&watchdog->timer);
	g_free(watchdog);
}
