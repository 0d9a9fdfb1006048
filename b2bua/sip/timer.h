#pragma once
/*
 * Timers on the loop of the signalling thread: a su_timer_t, made when it is first started.
 *
 * A timer belongs to whoever holds the pointer to it, which is NULL before its first start and
 * after each stop, and must be stopped before what its callback is handed goes. Want of memory ends
 * the program, as with GLib. Signalling thread only.
 */
#include <sofia-sip/su_wait.h>

/*
 * Calls on_timer(…, user) once, ms from now (0: at the next turn of the loop); what *timer waited
 * for before is forgotten. It may be stopped or started anew in its own callback.
 */
void tl_timer_start(su_timer_t **timer, su_root_t *root, unsigned ms, su_timer_f on_timer,
		    void *user);

/*
 * Calls on_timer(…, user) every ms, which isn't 0; *timer is NULL before. Not to be stopped in its
 * own callback: Sofia looks at it again.
 */
void tl_timer_repeat(su_timer_t **timer, su_root_t *root, unsigned ms, su_timer_f on_timer,
		     void *user);

/* *timer is NULL then, and may have been so before. */
void tl_timer_stop(su_timer_t **timer);
