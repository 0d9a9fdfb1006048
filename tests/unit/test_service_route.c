/* What a registrar's Service-Route makes of our calls. Literal hosts only: nothing is looked up. */
#include "b2bua/trunk/service_route.h"
#include <criterion/criterion.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su.h>

#define EIGHT                                                                                      \
	"<sip:192.0.2.1;lr>,<sip:192.0.2.2;lr>,<sip:192.0.2.3;lr>,<sip:192.0.2.4;lr>,"             \
	"<sip:192.0.2.5;lr>,<sip:192.0.2.6;lr>,<sip:192.0.2.7;lr>,<sip:192.0.2.8;lr>"

/* value NULL: the answer has none. */
static void take(struct tl_service_route *route, const char *value)
{
	g_autofree char *line =
		value ? g_strdup_printf("Service-Route: %s\r\n", value) : g_strdup("");
	g_autofree char *text =
		g_strdup_printf("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\n"
				"To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 "
				"REGISTER\r\n%sContent-Length: 0\r\n\r\n",
				line);
	msg_t *msg = msg_make(sip_default_mclass(), 0, text, -1);

	cr_assert(msg && sip_object(msg) && sip_object(msg)->sip_status);
	tl_service_route_take(route, sip_object(msg));
	msg_destroy(msg);
}

static const struct {
	const char *why, *value, *text, *hop;
} cases[] = {
	{ "the first entry is where it goes",
	  "<sip:192.0.2.1:5070;transport=tcp;lr>, <sip:orig@scscf.example;lr>",
	  "<sip:192.0.2.1:5070;transport=tcp;lr>, <sip:orig@scscf.example;lr>",
	  "sip:192.0.2.1:5070;transport=tcp" },
	{ "UDP when it says nothing", "<sip:192.0.2.1;lr>", "<sip:192.0.2.1;lr>",
	  "sip:192.0.2.1:5060;transport=udp" },
	{ "sips is TLS", "<sips:[2001:db8::1];lr>", "<sips:[2001:db8::1];lr>",
	  "sip:[2001:db8::1]:5061;transport=tls" },
	{ "a strict router", "<sip:192.0.2.1>", NULL, NULL },
	{ "one strict router among them", "<sip:192.0.2.1;lr>, <sip:192.0.2.2>", NULL, NULL },
	{ "another scheme", "<tel:+4930>", NULL, NULL },
	{ "too many", EIGHT ",<sip:192.0.2.9;lr>", NULL, NULL },
	{ "none", NULL, NULL, NULL },
};

Test(service_route, is_taken_or_left)
{
	su_init();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_service_route *route = tl_service_route_new(NULL, "carrier");
		GPtrArray *hops;

		take(route, cases[i].value);
		hops = tl_service_route_hops(route);
		cr_expect_eq(g_strcmp0(tl_service_route_text(route), cases[i].text), 0, "%s: %s",
			     cases[i].why, tl_service_route_text(route));
		cr_expect_eq(hops->len, cases[i].hop != NULL, "%s", cases[i].why);
		if (cases[i].hop && hops->len)
			cr_expect_str_eq(hops->pdata[0], cases[i].hop, "%s", cases[i].why);
		g_ptr_array_unref(hops);
		tl_service_route_free(route);
	}
	su_deinit();
}

Test(service_route, each_answer_says_it_anew)
{
	struct tl_service_route *route;
	GPtrArray *hops;

	su_init();
	route = tl_service_route_new(NULL, "carrier");
	take(route, EIGHT);
	cr_expect_not_null(tl_service_route_text(route));
	take(route, "<sip:192.0.2.7;lr>");
	hops = tl_service_route_hops(route);
	cr_assert_eq(hops->len, 1);
	cr_expect_str_eq(hops->pdata[0], "sip:192.0.2.7:5060;transport=udp");
	g_ptr_array_unref(hops);
	take(route, NULL); /* RFC 3608 6.1 */
	cr_expect_null(tl_service_route_text(route));
	tl_service_route_free(route);
	su_deinit();
}
