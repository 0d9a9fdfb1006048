/* The ways of telephones whose connection has closed. */
#include <criterion/criterion.h>

#include "b2bua/registrar/ways.h"

static struct tl_ways *ways;

static void setup(void)
{
	ways = tl_ways_new();
}

static void teardown(void)
{
	tl_ways_free(ways);
}

TestSuite(ways, .init = setup, .fini = teardown);

static struct tl_location_binding binding(const char *extension, const char *contact,
					  const char *route)
{
	return (struct tl_location_binding) { .extension = (char *)extension,
					      .contact = (char *)contact,
					      .route = (char *)route };
}

static void expect(const struct tl_location_binding *b, const char *hop)
{
	g_autofree char *found = tl_ways_find(ways, b);

	cr_expect_str_eq(found ? found : "none", hop ? hop : "none");
}

Test(ways, finds_a_telephone_by_its_contact_once)
{
	struct tl_location_binding lost = binding("1001", "sip:a@h", "sip:1.1.1.1:5;transport=tcp"),
				   other = binding("1001", "sip:b@h", NULL),
				   stranger = binding("1002", "sip:a@h", NULL);

	tl_ways_lose(ways, &lost, 100);
	expect(&other, NULL);
	expect(&stranger, NULL);
	expect(&lost, lost.route);
	expect(&lost, NULL);
}

Test(ways, finds_a_flow_by_its_instance_whatever_the_contact)
{
	struct tl_location_binding lost = binding("1001", "sip:a@h", "sip:1.1.1.1:5;transport=tcp"),
				   again = binding("1001", "sip:b@h", NULL), second = again;

	lost.instance = again.instance = second.instance = (char *)"<urn:uuid:1>";
	lost.reg_id = again.reg_id = 1;
	second.reg_id = 2;
	tl_ways_lose(ways, &lost, 100);
	expect(&second, NULL);
	expect(&again, lost.route);
}

Test(ways, forgets_those_that_nobody_comes_back_for)
{
	struct tl_location_binding old = binding("1001", "sip:a@h", "sip:1.1.1.1:5;transport=tcp"),
				   young = binding("1002", "sip:a@h",
						   "sip:1.1.1.1:6;transport=tcp");

	tl_ways_lose(ways, &old, 100);
	tl_ways_lose(ways, &young, 400);
	tl_ways_sweep(ways, 500);
	expect(&old, NULL);
	expect(&young, young.route);
}

Test(ways, has_a_ceiling)
{
	struct tl_location_binding lost = binding("1001", "", "sip:1.1.1.1:5;transport=tcp");
	unsigned found = 0;

	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < 20000; i++) {
			g_autofree char *contact = g_strdup_printf("sip:%u@h", i), *hop = NULL;

			lost.contact = contact;
			if (pass == 0)
				tl_ways_lose(ways, &lost, 100);
			else
				found += (hop = tl_ways_find(ways, &lost)) != NULL;
		}
	cr_expect_eq(found, 16384);
}
