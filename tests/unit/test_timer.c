#include <criterion/criterion.h>
#include <sofia-sip/su.h>
#include "b2bua/sip/timer.h"

static struct {
	su_root_t *root;
	su_timer_t *timer;
	unsigned called;
} t;

static void open_loop(void)
{
	su_init();
	t.root = su_root_create(NULL);
}

static void close_loop(void)
{
	tl_timer_stop(&t.timer);
	su_root_destroy(t.root);
	su_deinit();
}

TestSuite(timer, .init = open_loop, .fini = close_loop, .timeout = 20);

static void on_third(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	cr_expect_eq(arg, &t);
	if (++t.called == 3)
		su_root_break(t.root);
}

static void on_again(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	if (++t.called < 3)
		tl_timer_start(&t.timer, t.root, 0, on_again, arg);
	else
		su_root_break(t.root);
}

static void on_stop(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	t.called++;
	tl_timer_stop(&t.timer);
	su_root_break(t.root);
}

static void on_never(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	cr_expect_fail("what was replaced was called");
}

Test(timer, repeats_until_it_is_stopped)
{
	tl_timer_repeat(&t.timer, t.root, 1, on_third, &t);
	su_root_run(t.root);
	tl_timer_stop(&t.timer);
	cr_expect_null(t.timer);
	cr_expect_eq(t.called, 3);
}

Test(timer, is_started_anew_in_its_own_callback)
{
	tl_timer_start(&t.timer, t.root, 0, on_again, &t);
	su_root_run(t.root);
	cr_expect_eq(t.called, 3);
}

Test(timer, is_stopped_in_its_own_callback)
{
	tl_timer_start(&t.timer, t.root, 1, on_stop, &t);
	su_root_run(t.root);
	cr_expect_null(t.timer);
	cr_expect_eq(t.called, 1);
}

Test(timer, forgets_what_it_waited_for)
{
	tl_timer_start(&t.timer, t.root, 1, on_never, &t);
	tl_timer_start(&t.timer, t.root, 2, on_stop, &t);
	su_root_run(t.root);
	cr_expect_eq(t.called, 1);
}

Test(timer, that_never_ran_may_be_stopped)
{
	tl_timer_stop(&t.timer);
	cr_expect_null(t.timer);
}
