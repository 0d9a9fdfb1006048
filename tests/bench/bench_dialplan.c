/*
 * What a decision costs with ten routes and with ten thousand: µs of CPU for
 * tl_dialplan_decide() and tl_decision_free(), for several ways in which the routes of
 * many customers differ from one another. Half of the calls fit a route drawn by
 * chance, half fit none. Prints a table; judges nothing.
 */
#include <stdio.h>
#include <time.h>

#include <glib.h>

#include "dialplan/dialplan.h"

enum { FEW = 10, MANY = 10000, CALLS = 4096, ROUNDS = 20, FIRST = 100000 };

/* A way for routes to differ: how the i-th is written, and a call that it takes. */
struct kind {
	const char *name;
	void (*write)(GString *text, unsigned i);
	void (*call)(unsigned i, char source[static 16], char callee[static 32]);
};

static void write_number(GString *text, unsigned i)
{
	g_string_append_printf(text, "to = +4930%u\nfrom = trunk\nring = %u\n", FIRST + i, FIRST);
}

static void call_number(unsigned i, char source[static 16], char callee[static 32])
{
	g_snprintf(source, 16, "trunk:carrier");
	g_snprintf(callee, 32, "+4930%u", FIRST + i);
}

static void write_prefix(GString *text, unsigned i)
{
	g_string_append_printf(text, "to = +49%uX.\nring = trunk:carrier\n", FIRST + i);
}

static void call_prefix(unsigned i, char source[static 16], char callee[static 32])
{
	g_snprintf(source, 16, "trunk:carrier");
	g_snprintf(callee, 32, "+49%u12", FIRST + i);
}

static void write_suffix(GString *text, unsigned i)
{
	g_string_append_printf(text, "to = [0-9]XX%u!\nring = trunk:carrier\n", FIRST + i);
}

static void call_suffix(unsigned i, char source[static 16], char callee[static 32])
{
	g_snprintf(source, 16, "trunk:carrier");
	g_snprintf(callee, 32, "%03u%u", i % 1000, FIRST + i);
}

static void write_caller(GString *text, unsigned i)
{
	g_string_append_printf(text,
			       "from = extension:%u\nto = 0[1-9]X.\nstrip = 1\n"
			       "ring = trunk:carrier\n",
			       FIRST + i);
}

static void call_caller(unsigned i, char source[static 16], char callee[static 32])
{
	g_snprintf(source, 16, "%u", FIRST + i);
	g_snprintf(callee, 32, "030123456");
}

static const struct kind kinds[] = {
	{ "a number each", write_number, call_number },
	{ "a prefix each", write_prefix, call_prefix },
	{ "wildcards first", write_suffix, call_suffix },
	{ "an extension each", write_caller, call_caller },
};

struct call {
	struct tl_facts facts;
	char source[16], callee[32];
};

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct tl_dialplan *load(const struct kind *kind, unsigned n, double *ret_ms)
{
	g_autoptr(GString) text = g_string_new("[trunk carrier]\nhost = 192.0.2.7\n");
	struct tl_dialplan *dp = NULL;
	struct tl_diags *diags = NULL;
	double start_us;

	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(text, "[extension %u]\npassword = x\n", FIRST + i);
	for (unsigned i = 0; i < n; i++) {
		g_string_append_printf(text, "[route r%u]\n", i);
		kind->write(text, i);
	}
	start_us = cpu_us();
	if (tl_dialplan_parse(text->str, text->len, "bench.ini", NULL, &dp, &diags) < 0)
		g_error("%s", tl_diags_text(diags, 0));
	*ret_ms = (cpu_us() - start_us) / 1e3;
	return dp;
}

/* Every second call dials what no route knows, but begins as one that it does. */
static void draw_calls(const struct kind *kind, unsigned n, struct call *calls)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(5060);

	for (unsigned i = 0; i < CALLS; i++) {
		struct call *call = &calls[i];

		*call = (struct call) { .facts.caller = "+49170111222" };
		kind->call(g_rand_int_range(rand, 0, n), call->source, call->callee);
		if (i % 2)
			call->callee[5] = 'x';
		if (tl_source_parse(call->source, &call->facts.source, &call->facts.source_name) <
		    0)
			g_error("%s is no source", call->source);
		call->facts.callee = call->callee;
	}
}

static double decide_us(struct tl_dialplan *dp, const struct call *calls)
{
	double best_us = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		double start_us = cpu_us();

		for (unsigned i = 0; i < CALLS; i++) {
			struct tl_decision *decision;

			if (tl_dialplan_decide(dp, &calls[i].facts, &decision) == 0)
				tl_decision_free(decision);
		}
		best_us = MIN(best_us, (cpu_us() - start_us) / CALLS);
	}
	return best_us;
}

static double measure(const struct kind *kind, unsigned n, double *ret_load_ms)
{
	g_autofree struct call *calls = g_new(struct call, CALLS);
	struct tl_dialplan *dp = load(kind, n, ret_load_ms);
	double us;

	draw_calls(kind, n, calls);
	us = decide_us(dp, calls);
	tl_dialplan_unref(dp);
	return us;
}

int main(void)
{
	printf("%-20s %12s %12s %8s %14s\n", "routes differ by", "10, us", "10000, us", "ratio",
	       "load 10000, ms");
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		double load_ms;
		double few_us = measure(&kinds[i], FEW, &load_ms);
		double many_us = measure(&kinds[i], MANY, &load_ms);

		printf("%-20s %12.2f %12.2f %8.2f %14.0f\n", kinds[i].name, few_us, many_us,
		       many_us / few_us, load_ms);
	}
	return 0;
}
