#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SOCKET_BUFFER_BYTES = 16 << 20, WORKERS_MAX = 64 };

struct child {
	pid_t pid;
	int fd;
};

void rig_write(int fd, const void *bytes, size_t n)
{
	const char *from = bytes;

	while (n > 0) {
		ssize_t done = write(fd, from, n);

		if (done <= 0)
			exit(EXIT_FAILURE);
		from += done;
		n -= (size_t)done;
	}
}

bool rig_read(int fd, void *bytes, size_t n)
{
	char *to = bytes;

	while (n > 0) {
		ssize_t done = read(fd, to, n);

		if (done <= 0)
			return false;
		to += done;
		n -= (size_t)done;
	}
	return true;
}

/* 0 in the child; its end of the line is then in child->fd. */
static pid_t spawn(struct child *child)
{
	int line[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, line) < 0)
		return -1;
	fflush(NULL);
	child->pid = fork();
	child->fd = line[child->pid == 0];
	close(line[child->pid != 0]);
	if (child->pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child->pid;
}

static void reap(struct child *child)
{
	int status = 0;

	close(child->fd);
	waitpid(child->pid, &status, 0);
	if (WIFSIGNALED(status))
		fprintf(stderr, "bench: a process died: %s\n", strsignal(WTERMSIG(status)));
}

double rig_in_child(double (*fn)(const void *), const void *argument)
{
	struct child child;
	double value = 0;

	if (spawn(&child) == 0) {
		value = fn(argument);
		rig_write(child.fd, &value, sizeof value);
		exit(EXIT_SUCCESS);
	}
	if (!rig_read(child.fd, &value, sizeof value))
		value = 0;
	reap(&child);
	return value;
}

static double cpu_ms(pid_t pid)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return 0;
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

double rig_thread_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* A line of /proc/PID/status. */
static unsigned long status_of(pid_t pid, const char *key)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	g_autofree char *text = NULL;
	const char *line;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !(line = strstr(text, key)))
		return 0;
	return strtoul(line + strlen(key), NULL, 10);
}

static int open_phones(struct rig_load *load)
{
	int bytes = SOCKET_BUFFER_BYTES, on = 1;

	for (size_t i = 0; i < 2 * RIG_SOCKETS; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct sockaddr_storage *where = &load->phones[i / RIG_SOCKETS][i % RIG_SOCKETS];
		socklen_t length = sizeof *where;
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

		load->phone_fds[i / RIG_SOCKETS][i % RIG_SOCKETS] = fd;
		if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
		    getsockname(fd, (struct sockaddr *)where, &length) < 0)
			return -errno;
		/* Past the system's limit when root, as far as it goes otherwise. */
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	}
	return 0;
}

static void close_phones(struct rig_load *load)
{
	for (size_t i = 0; i < 2 * RIG_SOCKETS; i++)
		close(load->phone_fds[i / RIG_SOCKETS][i % RIG_SOCKETS]);
}

/* CPU of each media worker by its number, and of all. A gateway of another kind has none. */
struct workers {
	unsigned n;
	double ms[WORKERS_MAX];
};

static struct workers workers_of(pid_t pid)
{
	g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)pid);
	g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
	struct workers workers = { 0 };
	const char *task;

	while (dir && (task = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_strdup_printf("%s/%s/comm", tasks, task);
		g_autofree char *name = NULL, *times = NULL;
		unsigned number;

		if (!g_file_get_contents(path, &name, NULL, NULL) ||
		    sscanf(name, "media-%u", &number) != 1 || number >= WORKERS_MAX)
			continue;
		g_free(path);
		path = g_strdup_printf("%s/%s/schedstat", tasks, task);
		if (!g_file_get_contents(path, &times, NULL, NULL))
			continue;
		workers.ms[number] = g_ascii_strtod(times, NULL) / 1e6;
		workers.n = MAX(workers.n, number + 1);
	}
	return workers;
}

static void share_of_workers(const struct workers *begin, const struct workers *end,
			     struct rig_result *result)
{
	double all = 0, least = INFINITY, most = 0;

	for (unsigned i = 0; i < end->n; i++) {
		double ms = end->ms[i] - begin->ms[i];

		all += ms;
		least = MIN(least, ms);
		most = MAX(most, ms);
	}
	if (all > 0) {
		result->workers_min = 100 * least / all;
		result->workers_max = 100 * most / all;
	}
}

/* Both children run: what the gateway spends between the phones' two bytes. */
static bool watch(const struct rig_load *load, const struct child *gateway,
		  const struct child *phones, double idle_kb, struct rig_result *result)
{
	struct workers workers_begin, workers_end;
	double begin_ms;
	char byte;

	if (!rig_read(phones->fd, &byte, 1))
		return false;
	workers_begin = workers_of(gateway->pid);
	begin_ms = cpu_ms(gateway->pid);
	if (!rig_read(phones->fd, &byte, 1))
		return false;
	result->cpu_ms = (cpu_ms(gateway->pid) - begin_ms) * 1000 / load->window_ms / load->calls;
	workers_end = workers_of(gateway->pid);
	share_of_workers(&workers_begin, &workers_end, result);
	result->rss_kb = ((double)status_of(gateway->pid, "VmRSS:") - idle_kb) / load->calls;
	result->threads = (unsigned)status_of(gateway->pid, "Threads:");
	return rig_read(phones->fd, &result->phones, sizeof result->phones);
}

static bool run_children(rig_gateway_fn *gateway_fn, const struct rig_load *load,
			 struct rig_result *result)
{
	g_autofree uint16_t *ports = g_new(uint16_t, (size_t)load->calls * 2);
	struct child gateway, phones;
	double idle_kb;
	bool done = false;
	char byte = 0;

	if (spawn(&gateway) == 0) {
		rig_take_cores(load, false);
		gateway_fn(load, gateway.fd);
		exit(EXIT_SUCCESS);
	}
	if (!rig_read(gateway.fd, &byte, 1)) {
		reap(&gateway);
		return false;
	}
	idle_kb = (double)status_of(gateway.pid, "VmRSS:");
	result->threads_idle = (unsigned)status_of(gateway.pid, "Threads:");
	rig_write(gateway.fd, &byte, 1);
	if (rig_read(gateway.fd, ports, load->calls * 2 * sizeof *ports)) {
		if (spawn(&phones) == 0) {
			rig_take_cores(load, true);
			rig_phones(load, (const uint16_t(*)[2])ports, phones.fd);
			exit(EXIT_SUCCESS);
		}
		done = watch(load, &gateway, &phones, idle_kb, result);
		reap(&phones);
		rig_write(gateway.fd, &byte, 1);
		done = rig_read(gateway.fd, &result->gateway, sizeof result->gateway) && done;
	}
	reap(&gateway);
	return done;
}

int rig_run(rig_gateway_fn *gateway, struct rig_load *load, struct rig_result *ret_result)
{
	struct rlimit files = { 65536, 65536 };
	struct rig_result result = { 0 };
	size_t keys_bytes = load->calls * sizeof *load->keys;
	int r;

	setrlimit(RLIMIT_NOFILE, &files);
	rig_go_first();
	signal(SIGPIPE, SIG_IGN);
	rig_loop_get("PCMA"); /* made before the fork, so once */
	rig_loop_get(load->codec);
	load->keys =
		mmap(NULL, keys_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load->keys == MAP_FAILED)
		return -errno;
	r = open_phones(load);
	if (r == 0 && !run_children(gateway, load, &result))
		r = -ECHILD;
	close_phones(load);
	munmap(load->keys, keys_bytes);
	if (r == 0)
		*ret_result = result;
	return r;
}
