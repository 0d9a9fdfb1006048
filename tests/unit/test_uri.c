#include "b2bua/sip/stack.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <sofia-sip/url.h>

static const struct {
	const char *why, *uri;
	int strict; /* may we send there? */
	bool safe;  /* may others, further down a route? */
} cases[] = {
	{ "a host", "sip:example.org", 0, true },
	{ "a user and a port", "sip:1001@192.0.2.7:5062", 0, true },
	{ "IPv6", "sip:1001@[2001:db8::1]:5060", 0, true },
	{ "UDP said", "sip:a@192.0.2.7;transport=udp", 0, true },
	{ "TCP in capitals", "sip:a@192.0.2.7;transport=TCP", 0, true },
	{ "a loose route", "sip:192.0.2.7;lr", 0, true },
	{ "a loose route with a value", "sip:192.0.2.7;lr=on", 0, true },
	{ "unknown parameters", "sip:a@b.example;ob;x=1;line=sr-xyz", 0, true },
	{ "an underscore, as some networks have", "sip:my_host.example", 0, true },
	{ "a name with a final dot", "sip:example.org.", 0, true },
	{ "a number with a tag of its own", "sip:+4930;phone-context=x@example.org;user=phone", 0,
	  true },
	{ "TLS, which we have none of yet", "sip:a@b.example;transport=tls", -EBADMSG, true },
	{ "sips, likewise", "sips:a@b.example", -EPROTONOSUPPORT, true },
	{ "a telephone", "tel:+4930", -EPROTONOSUPPORT, false },
	{ "mail", "mailto:a@b.example", -EPROTONOSUPPORT, false },
	{ "port 0", "sip:a@b.example:0", -EBADMSG, false },
	{ "a port too large", "sip:a@b.example:65536", -EBADMSG, false },
	{ "numbers that are no address", "sip:a@300.1.1.1", -EBADMSG, false },
	{ "three numbers", "sip:a@1.2.3", -EBADMSG, false },
	{ "a name that ends in a number", "sip:a@example.12", -EBADMSG, false },
	{ "a label of dashes", "sip:a@-b.example", -EBADMSG, false },
	{ "two dots", "sip:a@b..example", -EBADMSG, false },
	{ "everybody", "sip:a@255.255.255.255", -EBADMSG, false },
	{ "a group", "sip:a@239.1.1.1", -EBADMSG, false },
	{ "a group of IPv6", "sip:a@[ff02::1]", -EBADMSG, false },
	{ "ourselves, whoever that is", "sip:a@0.0.0.0", -EBADMSG, false },
	{ "the same in IPv6", "sip:a@[::]", -EBADMSG, false },
	{ "maddr sends elsewhere", "sip:a@b.example;maddr=192.0.2.9", -EBADMSG, true },
	{ "what makes url_param() read on", "sip:b.example;lrx", -EBADMSG, false },
	{ "the same for another name", "sip:b.example;transportx", -EBADMSG, false },
	{ "harmless in the middle", "sip:b.example;lrx;lr", 0, true },
	{ "an empty parameter name", "sip:b.example;=1", -EBADMSG, false },
};

Test(uri, judges_targets_and_routes)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		su_home_t home[1] = { SU_HOME_INIT(home) };
		url_t *url = url_make(home, cases[i].uri);

		cr_assert_not_null(url, "%s", cases[i].uri);
		cr_expect_eq(tl_uri_check(url), cases[i].strict, "%s: %d", cases[i].why,
			     tl_uri_check(url));
		cr_expect_eq(tl_uri_is_safe(url), cases[i].safe, "%s", cases[i].why);
		su_home_deinit(home);
	}
}

Test(uri, long_parts_are_refused)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autofree char *many = g_strnfill(2000, 'a');

	cr_expect_eq(tl_uri_check(url_make(home, su_sprintf(home, "sip:%s@b.example", many))),
		     -EBADMSG);
	cr_expect_eq(tl_uri_check(url_make(home, su_sprintf(home, "sip:a@%s.example", many))),
		     -EBADMSG);
	cr_expect_eq(tl_uri_check(url_make(home, su_sprintf(home, "sip:b.example;%s", many))),
		     -EBADMSG);
	su_home_deinit(home);
}

Test(uri, takes_tls_once_there_is_a_transport_for_it)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	tl_uri_allow_tls();
	cr_expect_eq(tl_uri_check(url_make(home, "sips:a@192.0.2.1")), 0);
	cr_expect_eq(tl_uri_check(url_make(home, "sip:a@192.0.2.1;transport=tls")), 0);
	cr_expect_eq(tl_uri_check(url_make(home, "sip:a@192.0.2.1;transport=sctp")), -EBADMSG);
	cr_expect_eq(tl_uri_transport(url_make(home, "sips:a@192.0.2.1;transport=tcp")),
		     TL_TRANSPORT_TLS);
	cr_expect_eq(tl_uri_transport(url_make(home, "sip:a@192.0.2.1;transport=TCP")),
		     TL_TRANSPORT_TCP);
	su_home_deinit(home);
}
