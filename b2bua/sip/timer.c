#include "b2bua/sip/timer.h"
#include <glib.h>

static su_timer_t *make(su_root_t *root, unsigned ms)
{
	su_timer_t *timer = su_timer_create(su_root_task(root), (su_duration_t)ms);

	g_assert(timer); /* only for want of memory */
	return timer;
}

void tl_timer_start(su_timer_t **timer, su_root_t *root, unsigned ms, su_timer_f on_timer,
		    void *user)
{
	if (!*timer)
		*timer = make(root, ms);
	su_timer_set_interval(*timer, on_timer, user, (su_duration_t)ms);
}

void tl_timer_repeat(su_timer_t **timer, su_root_t *root, unsigned ms, su_timer_f on_timer,
		     void *user)
{
	*timer = make(root, ms);
	su_timer_set_for_ever(*timer, on_timer, user);
}

void tl_timer_stop(su_timer_t **timer)
{
	su_timer_destroy(*timer);
	*timer = NULL;
}
