/* The table of bindings, and what its observers hear. */
#include <criterion/criterion.h>
#include "b2bua/registrar/location.h"

enum { NOW_S = 1000000 };

static struct {
	struct tl_location *location;
	GString *heard; /* "added sip:a 1, " … the number: how many the table shows then */
} t;

static void on_change(enum tl_location_event event, const struct tl_location_binding *binding,
		      void *user)
{
	const GPtrArray *now = tl_location_find(t.location, binding->extension);

	cr_assert_eq(user, &t);
	g_string_append_printf(t.heard, "%s %s %u, ", tl_location_event_name(event),
			       binding->contact, now ? now->len : 0);
}

static void start(void)
{
	t.location = tl_location_new();
	t.heard = g_string_new(NULL);
	tl_location_observe(t.location, on_change, &t);
}

static void stop(void)
{
	tl_location_free(t.location);
	g_string_free(t.heard, TRUE);
}

TestSuite(location, .init = start, .fini = stop);

static void put(const char *contact, int64_t expires_s)
{
	const struct tl_location_binding binding = { .extension = "1001",
						     .contact = (char *)contact,
						     .call_id = "c",
						     .user_agent = "",
						     .q = 1,
						     .expires_s = expires_s };

	tl_location_put(t.location, &binding);
}

static bool is_over(const struct tl_location_binding *binding, void *user)
{
	return binding->expires_s <= NOW_S;
}

Test(location, observers_hear_of_each_change_when_it_is_made)
{
	put("sip:a", NOW_S + 60);
	put("sip:b", NOW_S);
	put("sip:a", NOW_S + 90);
	tl_location_filter(t.location, is_over, TL_LOCATION_EXPIRED, NULL);
	tl_location_remove(t.location, "1001", "sip:a", TL_LOCATION_REMOVED);
	cr_expect_str_eq(t.heard->str, "added sip:a 1, added sip:b 2, refreshed sip:a 2, "
				       "expired sip:b 1, removed sip:a 0, ");
	cr_expect_eq(tl_location_count(t.location), 0);
}

Test(location, says_nothing_of_what_is_not_there)
{
	tl_location_remove(t.location, "1001", "sip:a", TL_LOCATION_REMOVED);
	tl_location_remove(t.location, "4711", "sip:a", TL_LOCATION_WITHDRAWN);
	cr_expect_str_empty(t.heard->str);
}

Test(location, an_observer_that_has_left_hears_nothing)
{
	tl_location_unobserve(t.location, on_change, &t);
	put("sip:a", NOW_S + 60);
	cr_expect_str_empty(t.heard->str);
}
