/*
 * The floor alone: what relaying N calls' packets costs with recvmmsg and
 * sendmmsg on each socket and nothing else, on this machine, in this minute.
 *
 *   bench_relay_floor [CALLS]...
 */
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

int main(int argc, char **argv)
{
	static const char *const usual[] = { "1", "100", "500" };
	const char *const *counts = argc > 1 ? (const char *const *)argv + 1 : usual;
	int n = argc > 1 ? argc - 1 : 3;

	printf("bare relay, both directions, 20 ms PCMA\n");
	printf("%6s %15s %7s %10s %10s\n", "calls", "CPU-ms/call-s", "lost", "p50 us", "p99 us");
	for (int i = 0; i < n; i++) {
		struct rig_load load = { .calls = (unsigned)atoi(counts[i]),
					 .codec = "PCMA",
					 .warm_ms = 500,
					 .window_ms = 4000 };
		struct rig_result result;

		if (load.calls == 0 || load.calls > RIG_CALLS_MAX) {
			fprintf(stderr, "usage: bench_relay_floor [CALLS up to %d]...\n",
				RIG_CALLS_MAX);
			return EXIT_FAILURE;
		}
		if (rig_run(rig_floor, &load, &result) < 0)
			return EXIT_FAILURE;
		printf("%6u %15.3f %7llu %10u %10u\n", load.calls, result.cpu_ms,
		       (unsigned long long)result.phones.lost_pkts, result.phones.delay_p50_us,
		       result.phones.delay_p99_us);
	}
	return EXIT_SUCCESS;
}
