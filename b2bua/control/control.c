#include "b2bua/control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib.h>

enum {
	CLIENTS = 16,      /* at once; one more puts out the oldest */
	LINE_BYTES = 4096, /* of a request */
	BACKLOG = 16,
};

struct client {
	struct tl_control *control;
	int fd, index; /* index: of the registration with the loop; 0: none */
	GString *in;   /* up to the end of the line */
	GString *out;
	size_t sent;  /* of out */
	bool leaving; /* to be closed when out is sent */
};

struct tl_control {
	su_root_t *root;
	char *path;
	tl_control_fn *fn;
	void *user;
	int fd, index;
	GQueue clients; /* oldest first */
};

static void free_client(struct client *client)
{
	struct tl_control *control = client->control;

	if (client->index > 0)
		su_root_deregister(control->root, client->index);
	close(client->fd);
	g_queue_remove(&control->clients, client);
	g_string_free(client->in, TRUE);
	g_string_free(client->out, TRUE);
	g_free(client);
}

static json_t *run_request(struct tl_control *control, const json_t *request)
{
	const char *verb = json_string_value(json_object_get(request, "verb"));
	const char *error = "could not be done";
	json_t *result = NULL;
	int r;

	if (!verb)
		return json_pack("{s:b, s:s, s:i}", "ok", 0, "error",
				 "a request is an object with a verb", "exit", 1);
	r = control->fn(verb, request, &result, &error, control->user);
	if (r == 0)
		return json_pack("{s:b, s:o}", "ok", 1, "result", result ? result : json_null());
	return json_pack("{s:b, s:s, s:i}", "ok", 0, "error", error, "exit", r == -EINVAL ? 1 : 2);
}

static void answer_line(struct client *client, const char *line, size_t bytes)
{
	json_t *request = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);
	json_t *answer = run_request(client->control, request);
	char *text = answer ? json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;

	g_string_append(client->out,
			text ? text : "{\"ok\":false,\"error\":\"no answer\",\"exit\":2}");
	g_string_append_c(client->out, '\n');
	free(text);
	json_decref(answer);
	json_decref(request);
}

/* False: it has gone. */
static bool send_output(struct client *client)
{
	while (client->sent < client->out->len) {
		ssize_t n = send(client->fd, client->out->str + client->sent,
				 client->out->len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		client->sent += (size_t)n;
	}
	g_string_truncate(client->out, 0);
	client->sent = 0;
	return !client->leaving;
}

/* Every whole line that is there; later ones wait until the answer has left. */
static void answer_lines(struct client *client)
{
	char *end;

	while (client->out->len == 0 && (end = memchr(client->in->str, '\n', client->in->len))) {
		size_t bytes = (size_t)(end - client->in->str);

		answer_line(client, client->in->str, bytes);
		g_string_erase(client->in, 0, (gssize)bytes + 1);
		if (!send_output(client))
			client->leaving = true;
	}
	if (client->in->len >= LINE_BYTES && !memchr(client->in->str, '\n', client->in->len))
		client->leaving = true;
}

/* False: it has gone, or said more than a line may hold. */
static bool receive_input(struct client *client)
{
	char buf[LINE_BYTES];
	ssize_t n = recv(client->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	g_string_append_len(client->in, buf, n);
	return true;
}

/* Either there is something to send, or we listen; so a client that doesn't read its answers
 * can't make us hold more than one. */
static int on_client(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct client *client = (struct client *)arg;
	bool stays = client->out->len > 0 ? send_output(client) : receive_input(client);

	if (stays)
		answer_lines(client);
	if (!stays || (client->leaving && client->out->len == 0)) {
		free_client(client);
		return 0;
	}
	su_root_eventmask(client->control->root, client->index, client->fd,
			  client->out->len > 0 ? SU_WAIT_OUT : SU_WAIT_IN);
	return 0;
}

static int watch(su_root_t *root, int fd, su_wakeup_f fn, void *arg)
{
	su_wait_t wait = SU_WAIT_INIT;

	if (su_wait_create(&wait, fd, SU_WAIT_IN) < 0)
		return -1;
	return su_root_register(root, &wait, fn, (su_wakeup_arg_t *)arg, 0);
}

static int on_connection(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct tl_control *control = (struct tl_control *)arg;
	struct client *client;
	int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return 0;
	if (control->clients.length >= CLIENTS)
		free_client(g_queue_peek_head(&control->clients));

	client = g_new0(struct client, 1);
	client->control = control;
	client->fd = fd;
	client->in = g_string_new(NULL);
	client->out = g_string_new(NULL);
	g_queue_push_tail(&control->clients, client);
	client->index = watch(control->root, fd, on_client, client);
	if (client->index < 0)
		free_client(client);
	return 0;
}

/* A socket that a crash has left behind is in the way; one that answers is another gateway's. */
static int clear_path(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, r = 0;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN)
		r = -EADDRINUSE;
	close(fd);
	if (r == 0 && unlink(addr->sun_path) < 0)
		r = -errno;
	return r;
}

static int open_socket(const char *path, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	g_autofree char *dir = g_path_get_dirname(path);
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	if (g_mkdir_with_parents(dir, 0755) < 0)
		return -errno;
	r = clear_path(&addr);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0177); /* never open to others, not even before a chmod */
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		r = -errno;
	umask(mask);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

int tl_control_new(su_root_t *root, const char *path, tl_control_fn *fn, void *user,
		   struct tl_control **ret_control)
{
	struct tl_control *control;
	int fd = -1, r = open_socket(path, &fd);

	if (r < 0)
		return r;
	control = g_new0(struct tl_control, 1);
	control->root = root;
	control->path = g_strdup(path);
	control->fn = fn;
	control->user = user;
	control->fd = fd;
	control->index = watch(root, fd, on_connection, control);
	if (control->index < 0) {
		tl_control_free(control);
		return -ENOMEM;
	}
	*ret_control = control;
	return 0;
}

void tl_control_free(struct tl_control *control)
{
	if (!control)
		return;
	while (control->clients.length > 0)
		free_client(g_queue_peek_head(&control->clients));
	if (control->index > 0)
		su_root_deregister(control->root, control->index);
	close(control->fd);
	unlink(control->path);
	g_free(control->path);
	g_free(control);
}
