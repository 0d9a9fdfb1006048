#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>
#include "b2bua/sip/address.h"
#include "b2bua/registrar/location.h"
#include "b2bua/registrar/registrar_plan.h"

enum { NOW_S = 1700000000 };

static msg_t *message;

/* A REGISTER with these headers beside the obligatory ones. */
static const sip_t *parse(const char *headers, const char *call_id, unsigned cseq)
{
	g_autofree char *text =
		g_strdup_printf("REGISTER sip:pbx.example.net SIP/2.0\r\n"
				"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKx\r\n"
				"From: <sip:1001@pbx.example.net>;tag=1\r\n"
				"To: <sip:1001@pbx.example.net>\r\n"
				"Call-ID: %s\r\n"
				"CSeq: %u REGISTER\r\n"
				"%s"
				"Content-Length: 0\r\n\r\n",
				call_id, cseq, headers);

	if (message)
		msg_destroy(message);
	message = msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text));
	cr_assert_not_null(message);
	return sip_object(message);
}

static struct tl_location *location;

/* What is bound before each case: two contacts, and one that has expired. */
static void start(void)
{
	struct tl_location_binding binding = { .extension = "1001",
					       .contact = "sip:1001@192.0.2.7:5062;transport=udp",
					       .call_id = "old",
					       .user_agent = "",
					       .instance = "\"<urn:uuid:1>\"",
					       .cseq = 10,
					       .q = 1,
					       .expires_s = NOW_S + 100 };

	location = tl_location_new();
	tl_location_put(location, &binding);
	binding.instance = NULL;
	binding.contact = "sip:1001@192.0.2.8";
	binding.expires_s = NOW_S + 50;
	tl_location_put(location, &binding);
	binding.contact = "sip:1001@192.0.2.9";
	binding.expires_s = NOW_S;
	tl_location_put(location, &binding);
}

static void stop(void)
{
	if (message)
		msg_destroy(message);
	tl_location_free(location);
}

TestSuite(registrar_plan, .init = start, .fini = stop);

static struct tl_register_facts facts_of(const sip_t *sip)
{
	return (struct tl_register_facts) { .sip = sip,
					    .bindings = tl_location_find(location, "1001"),
					    .min_s = 60,
					    .max_s = 7200,
					    .default_s = 1800,
					    .max_contacts = 3,
					    .now_s = NOW_S };
}

/* "put URI q EXPIRES (for OLD); del OLD", or the refusal. */
static char *describe(const struct tl_register_plan *plan)
{
	GString *text = g_string_new(NULL);

	if (plan->status) {
		g_string_append_printf(text, "%d", plan->status);
		if (plan->min_expires_s)
			g_string_append_printf(text, " min %u", plan->min_expires_s);
	}
	for (guint i = 0; !plan->status && i < plan->changes->len; i++) {
		const struct tl_register_change *c =
			&g_array_index(plan->changes, struct tl_register_change, i);

		g_string_append(text, i ? "; " : "");
		if (c->put)
			g_string_append_printf(text, "put %s q%g %d%s%s", c->contact, c->q,
					       (int)(c->expires_s - NOW_S),
					       *c->old_contact ? " for " : "", c->old_contact);
		else
			g_string_append_printf(text, "del %s", c->old_contact);
	}
	return g_string_free(text, FALSE);
}

#define OLD_A "sip:1001@192.0.2.7:5062;transport=udp"
#define OLD_B "sip:1001@192.0.2.8"
#define OLD_C "sip:1001@192.0.2.9"

static const struct {
	const char *why, *headers, *call_id;
	unsigned cseq;
	const char *plan;
} cases[] = {
	{ "a query changes nothing", "", "new", 1, "" },
	{ "a new contact gets the default", "Contact: <sip:1001@192.0.2.1>\r\n", "new", 1,
	  "put sip:1001@192.0.2.1 q1 1800" },
	{ "the Expires header counts", "Contact: <sip:1001@192.0.2.1>\r\nExpires: 300\r\n", "new",
	  1, "put sip:1001@192.0.2.1 q1 300" },
	{ "the parameter before the header",
	  "Contact: <sip:1001@192.0.2.1>;expires=120\r\nExpires: 300\r\n", "new", 1,
	  "put sip:1001@192.0.2.1 q1 120" },
	{ "never longer than the maximum", "Contact: <sip:1001@192.0.2.1>;expires=999999\r\n",
	  "new", 1, "put sip:1001@192.0.2.1 q1 7200" },
	{ "an endless number is only large",
	  "Contact: <sip:1001@192.0.2.1>;expires=99999999999999999999999\r\n", "new", 1,
	  "put sip:1001@192.0.2.1 q1 7200" },
	{ "what can't be read is an hour (RFC 3261 20.10)",
	  "Contact: <sip:1001@192.0.2.1>;expires=soon\r\n", "new", 1,
	  "put sip:1001@192.0.2.1 q1 3600" },
	{ "too brief", "Contact: <sip:1001@192.0.2.1>;expires=59\r\n", "new", 1, "423 min 60" },
	{ "two contacts with q, when there is room for one",
	  "Contact: <sip:1001@192.0.2.1>;q=0.5, <sip:1001@192.0.2.2>;q=0.125;expires=60\r\n", "new",
	  1, "403" },
	{ "two contacts with q, one of them known",
	  "Contact: <sip:1001@192.0.2.1>;q=0.5, <" OLD_B ">;q=0.125;expires=60\r\n", "new", 1,
	  "put sip:1001@192.0.2.1 q0.5 1800; put " OLD_B " q0.125 60 for " OLD_B },
	{ "a refresh", "Contact: <sip:1001@192.0.2.7:5062;transport=UDP>\r\n", "old", 11,
	  "put sip:1001@192.0.2.7:5062;transport=UDP q1 1800 for " OLD_A },
	{ "a refresh by another Call-ID, whatever its CSeq", "Contact: <" OLD_A ">\r\n", "new", 1,
	  "put " OLD_A " q1 1800 for " OLD_A },
	{ "one that comes late fails", "Contact: <" OLD_A ">\r\n", "old", 10, "500" },
	{ "and all of it fails", "Contact: <sip:1001@192.0.2.1>, <" OLD_A ">\r\n", "old", 9,
	  "500" },
	{ "what has expired can't be late", "Contact: <" OLD_C ">\r\n", "old", 1,
	  "put " OLD_C " q1 1800 for " OLD_C },
	{ "a removal", "Contact: <" OLD_A ">;expires=0\r\n", "old", 11, "del " OLD_A },
	{ "a late removal", "Contact: <" OLD_A ">\r\nExpires: 0\r\n", "old", 2, "500" },
	{ "a removal of what isn't there", "Contact: <sip:1001@192.0.2.1>;expires=0\r\n", "new", 1,
	  "" },
	{ "all of them", "Contact: *\r\nExpires: 0\r\n", "new", 1,
	  "del " OLD_A "; del " OLD_B "; del " OLD_C },
	{ "all of them, late", "Contact: *\r\nExpires: 0\r\n", "old", 10, "500" },
	{ "a star needs Expires", "Contact: *\r\n", "new", 1, "400" },
	{ "a star needs Expires: 0", "Contact: *\r\nExpires: 60\r\n", "new", 1, "400" },
	{ "a star stands alone", "Contact: *\r\nContact: <sip:1001@192.0.2.1>\r\nExpires: 0\r\n",
	  "new", 1, "400" },
	{ "a star stands alone, behind too",
	  "Contact: <sip:1001@192.0.2.1>\r\nContact: *\r\nExpires: 0\r\n", "new", 1, "400" },
	{ "the same contact twice counts once",
	  "Contact: <sip:1001@192.0.2.1>, <sip:1001@192.0.2.1>\r\n", "new", 1,
	  "put sip:1001@192.0.2.1 q1 1800" },
	{ "one goes as another comes",
	  "Contact: <sip:1001@192.0.2.1>, <sip:1001@192.0.2.2>, <" OLD_A ">;expires=0\r\n", "new",
	  1, "put sip:1001@192.0.2.1 q1 1800; put sip:1001@192.0.2.2 q1 1800; del " OLD_A },
	{ "a telephone that was restarted takes its own place",
	  "Contact: <sip:1001@192.0.2.1:7>;+sip.instance=\"<urn:uuid:1>\"\r\n", "new", 1,
	  "put sip:1001@192.0.2.1:7 q1 1800 for " OLD_A },
	{ "unless it has several flows (RFC 5626)",
	  "Contact: <sip:1001@192.0.2.1:7>;+sip.instance=\"<urn:uuid:1>\";reg-id=2\r\n", "new", 1,
	  "put sip:1001@192.0.2.1:7 q1 1800" },
	{ "another telephone takes nobody's place",
	  "Contact: <sip:1001@192.0.2.1:7>;+sip.instance=\"<urn:uuid:2>\"\r\n", "new", 1,
	  "put sip:1001@192.0.2.1:7 q1 1800" },
	{ "more than there may ever be",
	  "Contact: <sip:1@h.example>, <sip:2@h.example>, <sip:3@h.example>, "
	  "<sip:4@h.example>\r\n",
	  "new", 1, "403" },
	{ "q above 1", "Contact: <sip:1001@192.0.2.1>;q=1.5\r\n", "new", 1, "400" },
	{ "q that is no number", "Contact: <sip:1001@192.0.2.1>;q=high\r\n", "new", 1, "400" },
	{ "q of too many digits", "Contact: <sip:1001@192.0.2.1>;q=0.1234\r\n", "new", 1, "400" },
	{ "a scheme that we can't call", "Contact: <mailto:alice@example.org>\r\n", "new", 1,
	  "400" },
	{ "a telephone number is no place", "Contact: <tel:+4930555100>\r\n", "new", 1, "400" },
	{ "headers to be smuggled in", "Contact: <sip:1001@192.0.2.1?Route=%3Csip:x%3E>\r\n", "new",
	  1, "400" },
	{ "Path must be of use too",
	  "Contact: <sip:1001@192.0.2.1>\r\nPath: <mailto:alice@example.org>\r\n", "new", 1,
	  "400" },
	{ "some proxies on the way",
	  "Contact: <sip:1001@192.0.2.1>\r\n"
	  "Path: <sip:a.example>, <sip:b.example>, <sip:c.example>, <sip:d.example>\r\n",
	  "new", 1, "put sip:1001@192.0.2.1 q1 1800" },
	{ "more than anybody has",
	  "Contact: <sip:1001@192.0.2.1>\r\nPath: <sip:a.example>, <sip:b.example>, "
	  "<sip:c.example>, <sip:d.example>, <sip:e.example>\r\n",
	  "new", 1, "400" },
};

Test(registrar_plan, decides_by_rfc_3261)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_register_facts facts =
			facts_of(parse(cases[i].headers, cases[i].call_id, cases[i].cseq));
		struct tl_register_plan plan;
		g_autofree char *text = NULL;

		tl_register_plan_make(&facts, &plan);
		text = describe(&plan);
		cr_expect_str_eq(text, cases[i].plan, "%s: %s", cases[i].why, text);
		tl_register_plan_done(&plan);
	}
}

Test(registrar_plan, refuses_a_crowd_and_a_giant)
{
	GString *crowd = g_string_new("Contact: <sip:0@192.0.2.1>");
	g_autofree char *giant_user = g_strnfill(600, 'a');
	g_autofree char *giant = g_strdup_printf("Contact: <sip:%s@192.0.2.1>\r\n", giant_user);
	struct tl_register_plan plan;
	struct tl_register_facts facts;

	for (int i = 1; i < 100; i++)
		g_string_append_printf(crowd, ", <sip:%d@192.0.2.1>", i);
	g_string_append(crowd, "\r\n");
	facts = facts_of(parse(crowd->str, "new", 1));
	facts.max_contacts = 1000;
	tl_register_plan_make(&facts, &plan);
	cr_expect_eq(plan.status, 400);
	tl_register_plan_done(&plan);

	facts = facts_of(parse(giant, "new", 1));
	tl_register_plan_make(&facts, &plan);
	cr_expect_eq(plan.status, 400);
	tl_register_plan_done(&plan);
	g_string_free(crowd, TRUE);
}

Test(registrar_plan, calls_an_hour_long_enough)
{
	struct tl_register_facts facts =
		facts_of(parse("Contact: <sip:1001@192.0.2.1>;expires=3600\r\n", "new", 1));
	struct tl_register_plan plan;

	facts.min_s = 7200; /* RFC 3261 10.3: an hour can't be refused */
	tl_register_plan_make(&facts, &plan);
	cr_expect_eq(plan.status, 0);
	tl_register_plan_done(&plan);
	facts.sip = parse("Contact: <sip:1001@192.0.2.1>;expires=3599\r\n", "new", 2);
	tl_register_plan_make(&facts, &plan);
	cr_expect_eq(plan.status, 423);
	cr_expect_eq(plan.min_expires_s, 3600, "what would not be refused");
	tl_register_plan_done(&plan);
}

/* RFC 3261 19.1.4 */
static const struct {
	const char *a, *b;
	bool same;
} uris[] = {
	{ "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true },
	{ "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true },
	{ "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", true },
	{ "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false },
	{ "sip:ALICE@AtlanTa.CoM", "sip:alice@AtlanTa.CoM", false },
	{ "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false },
	{ "sip:bob@biloxi.com;transport=udp", "sip:bob@biloxi.com;transport=tcp", false },
	{ "sip:bob@biloxi.com:6000", "sip:bob@biloxi.com", false },
	{ "sip:bob@biloxi.com", "sips:bob@biloxi.com", false },
	{ "sip:bob@biloxi.com;maddr=1.2.3.4", "sip:bob@biloxi.com", false },
	{ "sip:bob@biloxi.com;ob", "sip:bob@biloxi.com", true },
	{ "sip:bob@biloxi.com;;=;", "sip:bob@biloxi.com", true },
	{ "sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::1]", true },
};

Test(registrar_plan, compares_uris)
{
	for (size_t i = 0; i < G_N_ELEMENTS(uris); i++) {
		g_autofree char *a = g_strdup(uris[i].a);
		g_autofree char *b = g_strdup(uris[i].b);
		url_t url_a, url_b;

		cr_assert_eq(url_d(&url_a, a), 0);
		cr_assert_eq(url_d(&url_b, b), 0);
		cr_expect_eq(tl_register_same_uri(&url_a, &url_b), uris[i].same, "%s %s", uris[i].a,
			     uris[i].b);
		cr_expect_eq(tl_register_same_uri(&url_b, &url_a), uris[i].same, "%s %s", uris[i].b,
			     uris[i].a);
	}
}

static const struct {
	const char *why, *via, *contact, *path, *source;
	uint16_t port;
	enum tl_transport transport;
	const char *route;
} routes[] = {
	{ "no NAT", "192.0.2.7:5060", "sip:1001@192.0.2.7:5060", "", "192.0.2.7", 5060,
	  TL_TRANSPORT_UDP, NULL },
	{ "default ports", "192.0.2.7", "sip:1001@192.0.2.7", "", "192.0.2.7", 5060,
	  TL_TRANSPORT_UDP, NULL },
	{ "another port by intent", "192.0.2.7:5060", "sip:1001@192.0.2.7:5090", "", "192.0.2.7",
	  5060, TL_TRANSPORT_UDP, NULL },
	{ "a Contact of another host", "192.0.2.7", "sip:1001@10.0.0.5", "", "192.0.2.7", 5060,
	  TL_TRANSPORT_UDP, "sip:192.0.2.7:5060;transport=udp" },
	{ "behind a NAT", "10.0.0.5:5060", "sip:1001@10.0.0.5:5060", "", "192.0.2.7", 40000,
	  TL_TRANSPORT_UDP, "sip:192.0.2.7:40000;transport=udp" },
	{ "behind a NAT that changes only the port", "192.0.2.7:5060", "sip:1001@192.0.2.7:5060",
	  "", "192.0.2.7", 40000, TL_TRANSPORT_UDP, "sip:192.0.2.7:40000;transport=udp" },
	{ "behind a NAT, and knows its outer address", "10.0.0.5:5060", "sip:1001@192.0.2.7:40000",
	  "", "192.0.2.7", 40000, TL_TRANSPORT_UDP, NULL },
	{ "a Via that names itself", "pc.example.org", "sip:1001@10.0.0.5", "", "192.0.2.7", 40000,
	  TL_TRANSPORT_UDP, "sip:192.0.2.7:40000;transport=udp" },
	{ "names all over", "pc.example.org", "sip:1001@pc.example.org", "", "192.0.2.7", 5060,
	  TL_TRANSPORT_UDP, NULL },
	{ "a connection is used again", "192.0.2.7:5060", "sip:1001@192.0.2.7:5060;transport=tcp",
	  "", "192.0.2.7", 40000, TL_TRANSPORT_TCP, "sip:192.0.2.7:40000;transport=tcp" },
	{ "registered by TCP, to be called by UDP", "192.0.2.7:5060", "sip:1001@192.0.2.7:5060", "",
	  "192.0.2.7", 40000, TL_TRANSPORT_TCP, NULL },
	{ "IPv6", "[2001:db8::7]", "sip:1001@[2001:db8::7];transport=tcp", "", "2001:db8::7", 40000,
	  TL_TRANSPORT_TCP, "sip:[2001:db8::7]:40000;transport=tcp" },
	{ "Path comes first", "10.0.0.5", "sip:1001@10.0.0.5", "Path: <sip:edge.example;lr>\r\n",
	  "192.0.2.7", 5060, TL_TRANSPORT_UDP, "sip:edge.example;lr" },
	{ "several proxies", "10.0.0.5", "sip:1001@10.0.0.5",
	  "Path: <sip:a.example;lr>, <sip:b.example;lr>\r\n", "192.0.2.7", 5060, TL_TRANSPORT_UDP,
	  "<sip:a.example;lr>,<sip:b.example;lr>" },
};

Test(registrar_plan, knows_where_calls_must_go)
{
	for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
		g_autofree char *text = g_strdup_printf(
			"REGISTER sip:pbx.example.net SIP/2.0\r\n"
			"Via: SIP/2.0/UDP %s;branch=z9hG4bKx\r\n%sContent-Length: 0\r\n\r\n",
			routes[i].via, routes[i].path);
		msg_t *msg = msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text));
		g_autofree char *contact = g_strdup(routes[i].contact);
		g_autofree char *route = NULL;
		struct sockaddr_storage source;
		url_t url;

		cr_assert_eq(url_d(&url, contact), 0);
		cr_assert(tl_address_parse(routes[i].source, routes[i].port, &source));
		route = tl_register_route(sip_object(msg), &url, (struct sockaddr *)&source,
					  routes[i].transport);
		cr_expect_eq(g_strcmp0(route, routes[i].route), 0, "%s: %s", routes[i].why,
			     route ? route : "NULL");
		msg_destroy(msg);
	}
}
