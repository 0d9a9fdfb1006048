/*
 * How long a packet is under way in a relay, and whose fault that is:
 *
 *   bench_delay [--calls 100,500] [--rounds 3] [--seconds 2]
 *
 * From a phone's send call to the kernel's receive stamp at the other phone, of every packet. The
 * bare relay, the media engine and rtpengine (where it is installed) in turn, in each round twice:
 *
 *   apart   the phones have a core of their own, the gateway has the others, nothing else of the
 *           machine comes between (real-time priority, root only): the gateway's own delay.
 *           What is wanted is p99 under 1 ms with 500 calls.
 *   shared  gateway and phones on all cores, as equals. A packet then waits, too, until the
 *           scheduler takes the core from whoever has it: some ms, with the bare relay as well.
 *
 * Medians over the rounds. timer: how late the phones' own timers were, p99: on a machine that is a
 * guest of another the processor itself may be away, and no gateway can be better than that.
 */
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig.h"

enum { COUNTS_MAX = 8, ROUNDS_MAX = 9 };

struct delays {
	unsigned n, lost;
	double p50_ms[ROUNDS_MAX], p99_ms[ROUNDS_MAX], worst_ms[ROUNDS_MAX];
	double late_ms[ROUNDS_MAX]; /* p99 of the phones' own timers */
};

static const struct gateway {
	const char *name;
	rig_gateway_fn *run;
} gateways[] = {
	{ "bare relay", rig_floor },
	{ "twinleg", rig_engine },
	{ "rtpengine", rig_rtpengine },
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
	qsort(values, n, sizeof *values, compare);
	return n ? values[n / 2] : 0;
}

static void measure(const struct gateway *gateway, unsigned calls, unsigned seconds, bool apart,
		    struct delays *delays)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct rig_load load = {
		.calls = calls,
		.codec = "PCMA",
		.warm_ms = 1000,
		.window_ms = seconds * 1000,
		.workers = apart && cores > 1 ? (unsigned)cores - 1 : 0,
		.apart = apart,
	};
	struct rig_result result;

	if (rig_run(gateway->run, &load, &result) < 0)
		return;
	delays->p50_ms[delays->n] = result.phones.delay_p50_us / 1e3;
	delays->p99_ms[delays->n] = result.phones.delay_p99_us / 1e3;
	delays->late_ms[delays->n] = result.phones.late_p99_us / 1e3;
	delays->worst_ms[delays->n++] = result.phones.delay_max_us / 1e3;
	delays->lost += (unsigned)result.phones.lost_pkts;
}

static void bench_count(unsigned calls, unsigned rounds, unsigned seconds, unsigned n_gateways)
{
	struct delays delays[2][G_N_ELEMENTS(gateways)] = { 0 };

	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < 2 * n_gateways; i++)
			measure(&gateways[i / 2], calls, seconds, i % 2 == 0,
				&delays[i % 2][i / 2]);
	for (unsigned i = 0; i < 2 * n_gateways; i++) {
		struct delays *d = &delays[i / n_gateways][i % n_gateways];

		printf("%5u  %-7s %-11s %8.2f %8.2f %8.2f %6u %8.2f\n", calls,
		       i < n_gateways ? "apart" : "shared", gateways[i % n_gateways].name,
		       median(d->p50_ms, d->n), median(d->p99_ms, d->n), median(d->worst_ms, d->n),
		       d->lost, median(d->late_ms, d->n));
	}
	putchar('\n');
	fflush(stdout);
}

static bool parse_options(int argc, char **argv, char ***ret_counts, unsigned *ret_rounds,
			  unsigned *ret_seconds)
{
	static const struct option known[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const char *counts = "100,500";
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'c')
			counts = optarg;
		else if (c == 'r')
			*ret_rounds = (unsigned)CLAMP(atoi(optarg), 1, ROUNDS_MAX);
		else if (c == 's')
			*ret_seconds = (unsigned)CLAMP(atoi(optarg), 1, 60);
		else
			return false;
	}
	*ret_counts = g_strsplit(counts, ",", COUNTS_MAX);
	return optind == argc;
}

int main(int argc, char **argv)
{
	g_autofree char *peer = g_find_program_in_path("rtpengine");
	unsigned rounds = 3, seconds = 2;
	g_auto(GStrv) counts = NULL;

	if (!parse_options(argc, argv, &counts, &rounds, &seconds)) {
		fprintf(stderr, "usage: bench_delay [--calls N,N,...] [--rounds N] "
				"[--seconds N]\n");
		return EXIT_FAILURE;
	}
	printf("Added delay of a relay, PCMA, 20 ms packets.\n\n"
	       "%5s  %-7s %-11s %8s %8s %8s %6s %8s\n",
	       "calls", "cores", "gateway", "p50 ms", "p99 ms", "worst", "lost", "timer");
	for (unsigned i = 0; counts[i]; i++) {
		int calls = atoi(counts[i]);

		if (calls < 1 || calls > RIG_CALLS_MAX)
			return EXIT_FAILURE;
		bench_count((unsigned)calls, rounds, seconds, peer ? 3 : 2);
	}
	return EXIT_SUCCESS;
}
