/* Arguments, signals, and the loop. */
#include "b2bua/app.h"
#include "b2bua/clock.h"
#include "b2bua/codecs.h"
#include "b2bua/control/control.h"
#include "b2bua/heap.h"
#include "b2bua/log.h"
#include "dialplan/dialplan.h"
#include "dialplan/manual.h"
#include "media/session.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { EXIT_WRONG_INPUT = 1, EXIT_COULD_NOT = 2 };
enum { EXPLAIN_HEADERS = 32 };

#define DEFAULT_CONFIG "/etc/twinleg/twinleg.ini"

static const char usage_text[] =
	"twinleg " TL_VERSION ", a SIP back-to-back user agent and media gateway\n"
	"\n"
	"  twinleg run [--debug] [FILE]      the gateway, in the foreground\n"
	"  twinleg check [FILE]              every mistake of a configuration\n"
	"  twinleg explain [FILE] --from SOURCE --to NUMBER [--caller NUMBER] [--at TIME]\n"
	"          [--header NAME:VALUE]... [--media audio,fax,video] [--transport udp|tcp|tls]\n"
	"                                    which route takes a call, and why not the others\n"
	"  twinleg keys [table|sample|man]   every key that a configuration may have\n"
	"  twinleg codecs                    what is transcoded here, and what is missing for the "
	"rest\n"
	"of a running gateway (--config FILE or --control SOCKET says which, --json for "
	"programs):\n"
	"  twinleg status | calls | show CALL | hangup CALL\n"
	"  twinleg registrations | trunks | subscriptions | bans | unban ADDRESS\n"
	"  twinleg reload | drain\n"
	"\n"
	"FILE is " DEFAULT_CONFIG " unless given. SOURCE is trunk:NAME or extension:NUMBER,\n"
	"TIME is \"2026-11-23 10:00\". Exit status: 0 done, 1 wrong input, 2 could not do it.\n";

struct arguments {
	bool debug, json;
	const char *from, *to, *caller, *at, *config, *control, *media, *transport;
	struct tl_fact_header headers[EXPLAIN_HEADERS]; /* "Name: value" of --header, cut in two */
	size_t n_headers;
	int argc;
	char **argv; /* the words that are no options, verb first */
};

static int wrong_input(const char *what)
{
	fprintf(stderr, "twinleg: %s\n\n%s", what, usage_text);
	return EXIT_WRONG_INPUT;
}

/* "Name: value" */
static bool add_header(struct arguments *args, char *text)
{
	char *colon = strchr(text, ':');

	if (!colon || colon == text || args->n_headers == EXPLAIN_HEADERS)
		return false;
	*colon = '\0';
	args->headers[args->n_headers++] =
		(struct tl_fact_header) { g_strstrip(text), g_strstrip(colon + 1) };
	return true;
}

/* "audio,video" as bits; false: it isn't so. */
static bool read_offered(const char *text, unsigned *ret_bits)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);

	for (size_t i = 0; words[i]; i++) {
		int kind = 0;

		while (kind < _TL_OFFERED_MAX &&
		       strcmp(g_strstrip(words[i]), tl_offered_name(kind)) != 0)
			kind++;
		if (kind == _TL_OFFERED_MAX)
			return false;
		*ret_bits |= 1u << kind;
	}
	return true;
}

static bool read_transport(const char *text, enum tl_transport *ret)
{
	for (int t = 0; t < _TL_TRANSPORT_MAX; t++) {
		if (strcmp(text, tl_transport_name(t)) == 0) {
			*ret = t;
			return true;
		}
	}
	return false;
}

static const struct option options[] = {
	{ "debug", no_argument, NULL, 'd' },           { "json", no_argument, NULL, 'j' },
	{ "from", required_argument, NULL, 'f' },      { "to", required_argument, NULL, 't' },
	{ "caller", required_argument, NULL, 'c' },    { "at", required_argument, NULL, 'a' },
	{ "config", required_argument, NULL, 'C' },    { "control", required_argument, NULL, 'S' },
	{ "header", required_argument, NULL, 'H' },    { "media", required_argument, NULL, 'm' },
	{ "transport", required_argument, NULL, 'T' }, { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },         { NULL, 0, NULL, 0 },
};

static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	int c;

	while ((c = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			ret->debug = true;
			break;
		case 'j':
			ret->json = true;
			break;
		case 'f':
			ret->from = optarg;
			break;
		case 't':
			ret->to = optarg;
			break;
		case 'c':
			ret->caller = optarg;
			break;
		case 'a':
			ret->at = optarg;
			break;
		case 'C':
			ret->config = optarg;
			break;
		case 'S':
			ret->control = optarg;
			break;
		case 'H':
			if (!add_header(ret, optarg))
				return -EINVAL;
			break;
		case 'm':
			ret->media = optarg;
			break;
		case 'T':
			ret->transport = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		case 'v':
			puts("twinleg " TL_VERSION);
			exit(0);
		default:
			return -EINVAL;
		}
	}
	ret->argc = argc - optind;
	ret->argv = argv + optind;
	return 0;
}

static const char *config_of(const struct arguments *args)
{
	if (args->argc > 1)
		return args->argv[1];
	return args->config ? args->config : DEFAULT_CONFIG;
}

/* Prints every mistake; NULL: there were some. */
static struct tl_dialplan *load_or_tell(const char *path)
{
	struct tl_dialplan *dp = NULL;
	struct tl_diags *diags = NULL;
	int r = tl_dialplan_load(path, &dp, &diags);
	size_t n = diags ? tl_diags_count(diags) : 0;

	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s\n", tl_diags_text(diags, i));
	if (r < 0 && n == 0)
		fprintf(stderr, "%s: %s\n", path, strerror(-r));
	else if (r < 0)
		fprintf(stderr, "%zu mistake%s\n", n, n == 1 ? "" : "s");
	tl_diags_free(diags);
	return r < 0 ? NULL : dp;
}

static int verb_check(const struct arguments *args)
{
	struct tl_dialplan *dp;

	if (tl_codec_init() < 0)
		return EXIT_COULD_NOT;
	dp = load_or_tell(config_of(args));
	if (!dp)
		return EXIT_WRONG_INPUT;
	for (size_t i = 0; i < tl_dialplan_warnings(dp); i++)
		fprintf(stderr, "%s\n", tl_dialplan_warning(dp, i));
	printf("%s: no mistakes\n", config_of(args));
	tl_dialplan_unref(dp);
	return 0;
}

static int verb_keys(const struct arguments *args)
{
	const char *form = args->argc > 1 ? args->argv[1] : tl_manual_form_name(TL_MANUAL_TABLE);

	for (int f = 0; f < _TL_MANUAL_MAX; f++) {
		if (strcmp(form, tl_manual_form_name(f)) == 0) {
			tl_manual_print(f, stdout);
			return 0;
		}
	}
	return wrong_input("keys wants table, sample or man");
}

static int verb_codecs(const struct arguments *args)
{
	if (tl_codec_init() < 0)
		return EXIT_COULD_NOT;
	tl_codecs_print(stdout, args->json);
	return 0;
}

static int verb_explain(const struct arguments *args)
{
	struct tl_facts facts = {
		.caller = args->caller ? args->caller : "",
		.callee = args->to,
		.at_s = g_get_real_time() / G_USEC_PER_SEC,
		.transport = TL_TRANSPORT_UDP,
	};
	struct tl_dialplan *dp;

	if (!args->from || !args->to)
		return wrong_input("explain needs --from SOURCE and --to NUMBER");
	if (tl_source_parse(args->from, &facts.source, &facts.source_name) < 0)
		return wrong_input("--from wants trunk:NAME or extension:NUMBER");
	if (args->at && tl_time_parse(args->at, &facts.at_s) < 0)
		return wrong_input("--at wants \"YYYY-MM-DD HH:MM\"");
	if (args->media && !read_offered(args->media, &facts.offered))
		return wrong_input("--media wants audio, fax or video; a list");
	if (args->transport && !read_transport(args->transport, &facts.transport))
		return wrong_input("--transport wants udp, tcp or tls");
	facts.headers = args->headers;
	facts.n_headers = args->n_headers;
	if (facts.source == TL_SOURCE_EXTENSION && !args->caller)
		facts.caller = facts.source_name;
	else if (!args->caller)
		fputs("no --caller NUMBER: a withheld one is meant\n", stderr);
	dp = load_or_tell(config_of(args));
	if (!dp)
		return EXIT_WRONG_INPUT;
	tl_dialplan_explain(dp, &facts, stdout);
	tl_dialplan_unref(dp);
	return 0;
}

static int on_signal(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct tl_app *app = (struct tl_app *)arg;
	struct signalfd_siginfo info;

	while (read(wait->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			(void)tl_app_reload(app, NULL);
		else
			tl_app_stop(app);
	}
	return 0;
}

/* Before any thread is made, so that all of them inherit it. */
static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* ulimit -f: like a full disk */
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Two sockets a side and two sides a call: the usual soft limit ends at 250 calls. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int run_loop(su_root_t *root, struct tl_app *app, int signal_fd)
{
	su_wait_t wait;
	int index;

	if (su_wait_create(&wait, signal_fd, SU_WAIT_IN) < 0)
		return -ENOMEM;
	index = su_root_register(root, &wait, on_signal, (su_wakeup_arg_t *)app, 0);
	if (index < 0)
		return -ENOMEM;
	sd_notifyf(0, "READY=1\nMAINPID=%d", (int)getpid());
	g_message("twinleg " TL_VERSION " ready");
	su_root_run(root);
	su_root_deregister(root, index);
	return 0;
}

static int run(const struct arguments *args, int signal_fd)
{
	struct tl_app *app = NULL;
	su_root_t *root;
	int r;

	raise_fd_limit();
	su_init();
	tl_clock_give_to_sofia();
	root = su_root_create(NULL);
	if (!root || signal_fd < 0)
		return EXIT_COULD_NOT;
	r = tl_app_new(root, config_of(args), &app);
	if (r == 0)
		r = run_loop(root, app, signal_fd);
	tl_app_free(app);
	su_root_destroy(root);
	su_deinit();
	close(signal_fd);
	if (r == 0)
		g_message("ended");
	return r == 0 ? 0 : r == -EINVAL || r == -ENOENT ? EXIT_WRONG_INPUT : EXIT_COULD_NOT;
}

static int verb_run(const struct arguments *args)
{
	int signal_fd = block_signals(), status; /* in every thread */

	tl_heap_begin();
	tl_log_init(args->debug);
	tl_log_detach();
	status = run(args, signal_fd);
	tl_log_end();
	tl_heap_end();
	return status;
}

static int verb_control(const struct arguments *args)
{
	const char *config = args->config ? args->config : DEFAULT_CONFIG;
	g_autofree char *path = g_strdup(args->control);
	int r = path ? 0 : tl_dialplan_control(config, &path);

	if (r < 0) {
		fprintf(stderr, "%s: can't be read: %s\n", config,
			r == -EINVAL ? "not a file" : strerror(-r));
		return EXIT_WRONG_INPUT;
	}
	return tl_control_client(path, args->argv[0], args->argc - 1, args->argv + 1, args->json);
}

static const struct {
	const char *verb;
	int (*fn)(const struct arguments *args);
} verbs[] = {
	{ "keys", verb_keys },
	{ "codecs", verb_codecs },
	{ "run", verb_run },
	{ "check", verb_check },
	{ "explain", verb_explain },
	{ "status", verb_control },
	{ "calls", verb_control },
	{ "show", verb_control },
	{ "hangup", verb_control },
	{ "trunks", verb_control },
	{ "registrations", verb_control },
	{ "reload", verb_control },
	{ "drain", verb_control },
	{ "bans", verb_control },
	{ "unban", verb_control },
	{ "subscriptions", verb_control },
};

int main(int argc, char **argv)
{
	struct arguments args = { 0 };

	if (parse_arguments(argc, argv, &args) < 0)
		return wrong_input("that is no option");
	if (args.argc == 0)
		return wrong_input("what shall be done?");
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(args.argv[0], verbs[i].verb) == 0)
			return verbs[i].fn(&args);
	}
	return wrong_input("no such verb");
}
