/*
 * The media engine under N calls, beside its floors measured in the same run:
 *
 *   bench_media [--calls 1,100,500] [--rounds 2] [--seconds 2] [--workers 0]
 *               [--complexity 5]
 *               [--paths PCMA,record,srtp,PCMU,G722,opus] [--alone] [--apart]
 *
 * Each round measures, for each N, the bare relay and then every path, one
 * after another, so that a machine that is busy for a while slows all of them;
 * what is printed are medians over the rounds. Figures are of the engine's
 * process only. "wanted" is what a reader may expect of the ratio; nothing here
 * fails when it is missed.
 *
 * rtpengine in userspace, where it is installed, carries the same load in the same round (--alone:
 * not); it codes Opus at libavcodec's usual complexity, 10, and is fairly held against
 * --complexity 10 only.
 *
 * --apart: the phones have the last core for themselves, the gateway the others, as real-time
 * processes: figures for a machine that has other things to do besides, at fewer calls.
 *
 * The bare codec is measured three times, for what it costs depends on what the caches hold:
 *
 *   in a loop       100 streams in turn and nothing else: code and tables always warm. The figure
 *                   of many calls; with one call nobody gets it who sleeps between two frames.
 *   at the pace     of so many calls, a frame of each every 20 ms, asleep in between, as a gateway
 *                   is. Functions alone: to wake up and to sleep is in the bare relay's figure.
 *   in the relay    between the bare relay's recvmmsg and its sendmmsg, whose own memory and code
 *                   go through the same caches.
 *
 * With one call the second is half as much again as the first, or more: of two programs that do the
 * same one frame at a time, neither is slower than the other because a loop is faster than both.
 * libsrtp2 is measured in a loop and in the relay.
 */
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

enum {
	COUNTS_MAX = 8,
	ROUNDS_MAX = 9,
};

enum floor_kind {
	FLOOR_RELAY, /* the bare relay */
	FLOOR_CODEC, /* and the bare codec */
	FLOOR_SRTP,  /* and libsrtp2 */
	FLOOR_PLAIN, /* the engine's own relay, of the same round: the first path */
};

static const struct path {
	const char *name, *word, *codec;
	enum tl_srtp_suite suite;
	enum floor_kind floor;
	double wanted_ratio; /* of CPU, to the floor below it */
	double wanted_rss_kb;
	const char *record_in;
} paths[] = {
	{ "relay PCMA", "PCMA", "PCMA", TL_SRTP_NONE, FLOOR_RELAY, 1, 60, NULL },
	{ "recorded, RAM", "record", "PCMA", TL_SRTP_NONE, FLOOR_PLAIN, 1.15, 200, "/dev/shm" },
	{ "recorded, disk", "record", "PCMA", TL_SRTP_NONE, FLOOR_PLAIN, 1.15, 200, "/var/tmp" },
	{ "RTP-SRTP GCM", "srtp", "PCMA", TL_SRTP_AEAD_AES_128_GCM, FLOOR_SRTP, 1.1, 60, NULL },
	{ "RTP-SRTP SHA1", "srtp", "PCMA", TL_SRTP_AES_CM_128_HMAC_SHA1_80, FLOOR_SRTP, 1.1, 60,
	  NULL },
	{ "PCMA-PCMU", "PCMU", "PCMU", TL_SRTP_NONE, FLOOR_RELAY, 1.15, 200, NULL },
	{ "PCMA-G722", "G722", "G722", TL_SRTP_NONE, FLOOR_CODEC, 1.15, 200, NULL },
	{ "PCMA-opus", "opus", "opus", TL_SRTP_NONE, FLOOR_CODEC, 1.15, 400, NULL },
};

struct options {
	unsigned counts[COUNTS_MAX], n_counts;
	unsigned rounds, seconds, workers, complexity;
	char **paths; /* words of those that are measured; NULL: all */
	bool alone;   /* nobody to compare with */
	bool apart;
};

/* One path at one count, over the rounds. */
struct samples {
	unsigned n;
	double cpu_ms[ROUNDS_MAX], rss_kb[ROUNDS_MAX];
	double ratio[ROUNDS_MAX];  /* to bare relay and bare codec, each by itself */
	double warm[ROUNDS_MAX];   /* the same, the codec in a loop; 0: there is no codec */
	double beside[ROUNDS_MAX]; /* to both in one program; 0: not measured */
	struct rig_result last;
	uint64_t lost, late_slots, late_ticks, late_pkts;
	double delay_p50_ms[ROUNDS_MAX], delay_p99_ms[ROUNDS_MAX];
	double workers_min[ROUNDS_MAX], workers_max[ROUNDS_MAX];
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, unsigned n)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, n * sizeof *values);
	qsort(sorted, n, sizeof *sorted, compare);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* What a path is held against, in CPU milliseconds a call-second; 0: there is no such thing. */
struct floors {
	double sum;  /* bare relay, and what it can't do without at the calls' pace if it can */
	double warm; /* the same, in a loop */
	double one;  /* both in one program */
};

static void keep(struct samples *to, const struct rig_result *result, const struct floors *floors)
{
	to->cpu_ms[to->n] = result->cpu_ms;
	to->ratio[to->n] = result->cpu_ms / floors->sum;
	to->warm[to->n] = floors->warm > 0 ? result->cpu_ms / floors->warm : 0;
	to->beside[to->n] = floors->one > 0 ? result->cpu_ms / floors->one : 0;
	to->rss_kb[to->n] = result->rss_kb;
	to->delay_p50_ms[to->n] = result->phones.delay_p50_us / 1e3;
	to->delay_p99_ms[to->n] = result->phones.delay_p99_us / 1e3;
	to->workers_min[to->n] = result->workers_min;
	to->workers_max[to->n++] = result->workers_max;
	to->last = *result;
	to->lost += result->phones.lost_pkts + result->gateway.lost_pkts;
	to->late_slots += result->phones.late_slots;
	to->late_ticks += result->gateway.late_ticks;
	to->late_pkts += result->gateway.late_pkts;
}

/* More than the machine can carry beside the phones would measure the overload. */
static bool fits(double cpu_ms, unsigned calls)
{
	return cpu_ms * calls < 1000.0 * (double)sysconf(_SC_NPROCESSORS_ONLN) * 0.7;
}

static void print_figure(bool known, int decimals, double value)
{
	if (known)
		printf("%7.*f", decimals, value);
	else
		printf("%7s", "");
}

static void print_row(const char *name, unsigned calls, const struct samples *s,
		      const struct path *path)
{
	double beside = median(s->beside, s->n), warm = median(s->warm, s->n);

	printf("%-15s %5u %8.3f", name, calls, median(s->cpu_ms, s->n));
	print_figure(path, 2, median(s->ratio, s->n));
	print_figure(path && path->wanted_ratio > 0, 2, path ? path->wanted_ratio : 0);
	print_figure(path && warm > 0, 2, warm);
	print_figure(beside > 0, 2, beside);
	putchar(' ');
	print_figure(calls > 1, 0, median(s->rss_kb, s->n));
	print_figure(path, 0, path ? path->wanted_rss_kb : 0);
	printf(" %4u/%-4u %6llu %7.1f %7.1f", s->last.threads_idle, s->last.threads,
	       (unsigned long long)s->lost, median(s->delay_p50_ms, s->n),
	       median(s->delay_p99_ms, s->n));
	if (calls > 1 && s->last.workers_max > 0)
		printf("  %3.0f-%.0f%%", median(s->workers_min, s->n),
		       median(s->workers_max, s->n));
	if (s->late_pkts || s->late_ticks)
		printf("  late: %llu packets, %llu ticks", (unsigned long long)s->late_pkts,
		       (unsigned long long)s->late_ticks);
	if (s->late_slots)
		printf("  (phones late %llux: machine too busy)",
		       (unsigned long long)s->late_slots);
	putchar('\n');
	fflush(stdout);
}

static void print_head(const struct options *opt)
{
	printf("CPU-ms: of the engine's process, for each second of one call, both directions "
	       "of 20 ms packets.\n"
	       "ratio:  relay, PCMU: to the bare relay; G722, opus (complexity %u): to bare relay "
	       "+ "
	       "bare codec at the calls' pace;\n"
	       "        SRTP: to bare relay + libsrtp2 in a loop; recorded: to the engine's "
	       "relay.\n"
	       "warm:   to bare relay + bare codec in a loop, its code always in the caches.\n"
	       "in one: to the bare relay that calls the bare codec, or libsrtp2, itself.\n"
	       "delay:  relay: per packet; others: a tone burst, from its sending to its hearing "
	       "(jitter buffer, codec, packet).\n"
	       "        Of a relay, p99 is wanted under 1 ms at 500 calls.\n"
	       "workers: what the idlest and the busiest media worker did of the work of all.\n\n",
	       opt->complexity);
	printf("%-15s %5s %8s%7s%7s%7s%7s %7s%7s %9s %6s %7s %7s  %s\n", "path", "calls", "CPU-ms",
	       "ratio", "wanted", "warm", "in one", "kB/call", "wanted", "threads", "lost",
	       "p50 ms", "p99 ms", "workers");
}

static struct rig_load load_of(const struct options *opt, unsigned calls, const struct path *path)
{
	return (struct rig_load) {
		.calls = calls,
		.codec = path->codec,
		.suite = path->suite,
		.record_in = path->record_in,
		.warm_ms = 1000,
		.window_ms = opt->seconds * 1000,
		.workers = opt->workers,
		.apart = opt->apart,
		.opus_complexity = opt->complexity,
	};
}

static int measure(rig_gateway_fn *gateway, const struct options *opt, unsigned calls,
		   const struct path *path, struct rig_result *ret_result)
{
	struct rig_load load = load_of(opt, calls, path);
	int r = rig_run(gateway, &load, ret_result);

	if (r < 0)
		fprintf(stderr, "bench_media: %s with %u calls: a process of it failed\n",
			path->name, calls);
	return r;
}

/* All that is measured of a path at one count of calls. */
struct study {
	struct samples engine, one, peer; /* one: the floor as one program */
	double bare_ms[ROUNDS_MAX];       /* the functions that the floor calls, in a loop */
	double paced_ms[ROUNDS_MAX];      /* and at the calls' pace */
	bool too_much;
};

/* What rtpengine will take, about: it is left out where that is too much. */
static double peer_ms(double relay_ms, double floor_ms)
{
	return 6 * relay_ms + 2 * (floor_ms - relay_ms);
}

/* What is asked of the functions that the path can't do without. */
static double measure_bare(const struct options *opt, const struct path *path)
{
	return path->floor == FLOOR_SRTP ? rig_bare_srtp_ms(path->suite)
					 : rig_bare_codec_ms(path->codec, opt->complexity);
}

static bool has_bare(const struct path *path)
{
	return path->floor == FLOOR_CODEC || path->floor == FLOOR_SRTP;
}

/* Does rtpengine do the same, as the rig asks it to? */
static bool has_peer(const struct options *opt, const struct path *path)
{
	return !opt->alone && !path->record_in;
}

/* One more round of what the floor is made of. relay_ms: the bare relay; plain_ms: the engine's,
 * both of this round. False: it is too much for this machine. */
static bool study_floor(const struct options *opt, const struct path *path, unsigned calls,
			double relay_ms, double plain_ms, unsigned round, struct study *study,
			struct floors *ret_floors)
{
	struct floors floors = { .sum = path->floor == FLOOR_PLAIN ? plain_ms : relay_ms };

	if (has_bare(path)) {
		study->bare_ms[round] = measure_bare(opt, path);
		floors.sum += study->bare_ms[round];
	}
	study->too_much = !fits(floors.sum, calls);
	if (study->too_much)
		return false;
	if (path->floor == FLOOR_CODEC) {
		struct rig_load load = load_of(opt, calls, path);

		study->paced_ms[round] = rig_paced_codec_ms(&load);
		floors.warm = floors.sum;
		floors.sum = relay_ms + study->paced_ms[round];
	}
	*ret_floors = floors;
	return true;
}

static void study_path(const struct options *opt, const struct path *path, unsigned calls,
		       unsigned round, double relay_ms, double plain_ms, struct study *study)
{
	struct rig_result result;
	struct floors floors;

	if (!study_floor(opt, path, calls, relay_ms, plain_ms, round, study, &floors))
		return;
	/* The floor has one thread. */
	if (has_bare(path) && floors.sum * calls < 800 &&
	    measure(rig_floor, opt, calls, path, &result) == 0) {
		keep(&study->one, &result, &floors);
		floors.one = result.cpu_ms;
	}
	if (measure(rig_engine, opt, calls, path, &result) == 0)
		keep(&study->engine, &result, &floors);
	if (has_peer(opt, path) && fits(peer_ms(relay_ms, floors.sum), calls) &&
	    measure(rig_rtpengine, opt, calls, path, &result) == 0)
		keep(&study->peer, &result, &floors);
}

/* How many calls the engine carries for each of the peer's, round by round. */
static void print_factor(const struct study *study)
{
	double factors[ROUNDS_MAX];
	unsigned n = MIN(study->peer.n, study->engine.n);

	for (unsigned i = 0; i < n; i++)
		factors[i] = study->peer.cpu_ms[i] / study->engine.cpu_ms[i];
	if (n > 0)
		printf("%-15s       %8.1f times the calls of rtpengine a core\n", "",
		       median(factors, n));
}

static void print_study(const struct options *opt, const struct path *path, unsigned calls,
			const struct study *study)
{
	const char *bare = path->floor == FLOOR_SRTP ? "srtp" : path->codec;

	if (has_bare(path))
		printf("bare %-10s       %8.3f\n", bare, median(study->bare_ms, opt->rounds));
	if (path->floor == FLOOR_CODEC && !study->too_much)
		printf("at the pace     %5u %8.3f\n", calls, median(study->paced_ms, opt->rounds));
	if (study->one.n > 0) {
		g_autofree char *name = g_strdup_printf("bare relay+%s", bare);

		print_row(name, calls, &study->one, NULL);
	}
	if (study->engine.n > 0)
		print_row(path->name, calls, &study->engine, path);
	if (study->peer.n > 0)
		print_row("rtpengine", calls, &study->peer, NULL);
	print_factor(study);
	if (study->too_much)
		printf("%-15s %5u  left out: its floor alone fills this machine\n", path->name,
		       calls);
}

/* The first path is a floor of others. */
static bool is_asked_for(const struct options *opt, const struct path *path)
{
	return !opt->paths || path == paths ||
	       g_strv_contains((const char *const *)opt->paths, path->word);
}

static void study_round(const struct options *opt, unsigned calls, unsigned round, double relay_ms,
			struct study *studies)
{
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		const struct samples *plain = &studies[0].engine;

		if (is_asked_for(opt, &paths[i]))
			study_path(opt, &paths[i], calls, round, relay_ms,
				   plain->n > 0 ? plain->cpu_ms[plain->n - 1] : relay_ms,
				   &studies[i]);
	}
}

static void bench_count(const struct options *opt, unsigned calls)
{
	struct samples floor = { 0 };
	struct study studies[G_N_ELEMENTS(paths)] = { 0 };
	struct rig_result result;

	for (unsigned round = 0; round < opt->rounds; round++) {
		if (measure(rig_floor, opt, calls, &paths[0], &result) < 0)
			return;
		keep(&floor, &result, &(struct floors) { .sum = result.cpu_ms });
		study_round(opt, calls, round, result.cpu_ms, studies);
	}
	print_row("bare relay", calls, &floor, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
		if (is_asked_for(opt, &paths[i]))
			print_study(opt, &paths[i], calls, &studies[i]);
	putchar('\n');
}

static bool parse_counts(const char *text, struct options *opt)
{
	g_auto(GStrv) words = g_strsplit(text, ",", COUNTS_MAX);

	for (opt->n_counts = 0; words[opt->n_counts]; opt->n_counts++) {
		unsigned long count = strtoul(words[opt->n_counts], NULL, 10);

		if (count == 0 || count > RIG_CALLS_MAX)
			return false;
		opt->counts[opt->n_counts] = (unsigned)count;
	}
	return opt->n_counts > 0;
}

static bool parse_options(int argc, char **argv, struct options *opt)
{
	static const struct option known[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "workers", required_argument, NULL, 'w' },
		{ "complexity", required_argument, NULL, 'x' },
		{ "paths", required_argument, NULL, 'p' },
		{ "alone", no_argument, NULL, 'a' },
		{ "apart", no_argument, NULL, 'A' },
		{ NULL, 0, NULL, 0 },
	};
	bool good = true;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		switch (c) {
		case 'c':
			good = good && parse_counts(optarg, opt);
			break;
		case 'r':
			opt->rounds = CLAMP(number, 1, ROUNDS_MAX);
			break;
		case 's':
			opt->seconds = CLAMP(number, 1, 60);
			break;
		case 'w':
			opt->workers = number;
			break;
		case 'x':
			opt->complexity = MIN(number, 10);
			break;
		case 'p':
			g_strfreev(opt->paths);
			opt->paths = g_strsplit(optarg, ",", COUNTS_MAX);
			break;
		case 'a':
			opt->alone = true;
			break;
		case 'A':
			opt->apart = true;
			opt->workers = MAX((unsigned)sysconf(_SC_NPROCESSORS_ONLN), 2) - 1;
			break;
		default:
			good = false;
		}
	}
	return good && optind == argc;
}

int main(int argc, char **argv)
{
	struct options opt = {
		.counts = { 1, 100, 500 },
		.n_counts = 3,
		.rounds = 2,
		.seconds = 2,
		.complexity = 5,
	};
	g_autofree char *peer = g_find_program_in_path("rtpengine");

	if (!parse_options(argc, argv, &opt)) {
		fprintf(stderr, "usage: bench_media [--calls N,N,...] [--rounds N] [--seconds N] "
				"[--workers N] [--complexity 0-10] [--paths WORD,WORD,...] "
				"[--alone] [--apart]\n");
		return EXIT_FAILURE;
	}
	if (!peer && !opt.alone) {
		puts("rtpengine is not installed: no peer to compare with");
		opt.alone = true;
	}
	print_head(&opt);
	for (unsigned i = 0; i < opt.n_counts; i++)
		bench_count(&opt, opt.counts[i]);
	g_strfreev(opt.paths);
	return EXIT_SUCCESS;
}
