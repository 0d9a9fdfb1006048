#include "b2bua/sip/nameservers.h"
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/timer.h"

#define SYSTEM_FILE "/etc/resolv.conf"
#define FALLBACK    "127.0.0.1"

enum {
	SERVERS_MAX = 6, /* as many as Sofia reads */
	LOOK_MS = 30000,
	FILE_BYTES_MAX = 65536,
	DNS_PORT = 53,
};

struct tl_nameservers {
	int fd; /* the file that Sofia reads, in memory */
	char path[32];
	char *text; /* what is in it */
	struct sockaddr_storage servers[SERVERS_MAX];
	size_t n_servers;
	su_timer_t *timer;
};

static struct tl_nameservers *in_use; /* for tl_nameservers_reachable() */

/* connect() of a datagram socket only asks the routing table. */
static bool has_route(const struct sockaddr_storage *server)
{
	socklen_t bytes = server->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							: sizeof(struct sockaddr_in);
	int fd = socket(server->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)server, bytes) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* "nameserver 192.0.2.1" with a route to it: noted. */
static bool take_server(struct tl_nameservers *ns, const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
	struct sockaddr_storage addr;
	const char *host = NULL;

	for (char **word = words + 1; *words && *word && !host; word++)
		host = **word ? *word : NULL;
	if (!host || ns->n_servers == SERVERS_MAX || !tl_address_parse(host, DNS_PORT, &addr) ||
	    !has_route(&addr))
		return false;
	ns->servers[ns->n_servers++] = addr;
	return true;
}

static char *compose(struct tl_nameservers *ns)
{
	GString *out = g_string_new(NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	gsize bytes = 0;

	(void)g_file_get_contents(SYSTEM_FILE, &text, &bytes, NULL);
	lines = g_strsplit(text && bytes <= FILE_BYTES_MAX ? text : "", "\n", -1);
	ns->n_servers = 0;
	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(g_strchug(*line), "nameserver") && !take_server(ns, *line))
			continue;
		g_string_append_printf(out, "%s\n", *line);
	}
	if (ns->n_servers == 0) {
		(void)take_server(ns, "nameserver " FALLBACK);
		g_string_append(out, "nameserver " FALLBACK "\n");
	}
	return g_string_free(out, FALSE);
}

static void refresh(struct tl_nameservers *ns)
{
	char *text = compose(ns);
	size_t bytes = strlen(text);

	if (g_strcmp0(text, ns->text) == 0) {
		g_free(text);
		return;
	}
	g_free(ns->text);
	ns->text = text;
	if (ftruncate(ns->fd, 0) < 0 || pwrite(ns->fd, text, bytes, 0) != (ssize_t)bytes)
		g_warning("nameservers could not be noted: %s", g_strerror(errno));
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	refresh((struct tl_nameservers *)arg);
}

int tl_nameservers_new(su_root_t *root, struct tl_nameservers **ret_nameservers)
{
	struct tl_nameservers *ns = g_new0(struct tl_nameservers, 1);

	ns->fd = memfd_create("resolv.conf", MFD_CLOEXEC);
	if (ns->fd < 0) {
		tl_nameservers_free(ns);
		return -ENOMEM;
	}
	tl_timer_repeat(&ns->timer, root, LOOK_MS, on_timer, ns);
	g_snprintf(ns->path, sizeof(ns->path), "/proc/self/fd/%d", ns->fd);
	refresh(ns);
	in_use = ns;
	*ret_nameservers = ns;
	return 0;
}

void tl_nameservers_free(struct tl_nameservers *ns)
{
	if (!ns)
		return;
	if (in_use == ns)
		in_use = NULL;
	tl_timer_stop(&ns->timer);
	if (ns->fd >= 0)
		close(ns->fd);
	g_free(ns->text);
	g_free(ns);
}

const char *tl_nameservers_path(const struct tl_nameservers *ns)
{
	return ns->path;
}

bool tl_nameservers_reachable(void)
{
	for (size_t i = 0; in_use && i < in_use->n_servers; i++) {
		if (!has_route(&in_use->servers[i]))
			return false;
	}
	return true;
}
