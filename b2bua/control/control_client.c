/* The other end of the control socket: `twinleg status` and its kin. */
#include "b2bua/control/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib.h>
#include "b2bua/control/control_table.h"

enum {
	EXIT_WRONG_INPUT = 1,
	EXIT_COULD_NOT = 2,
	ANSWER_WAIT_S = 10,
	ANSWER_BYTES = 64 * 1024 * 1024,
};

/* The words that follow a verb, as members of the request. */
static const struct {
	const char *verb, *argument;
} verbs[] = {
	{ "status", NULL },     { "calls", NULL },         { "show", "call" },
	{ "hangup", "call" },   { "trunks", NULL },        { "registrations", NULL },
	{ "reload", NULL },     { "drain", NULL },         { "bans", NULL },
	{ "unban", "address" }, { "subscriptions", NULL },
};

static const char *word_for(const char *argument)
{
	return strcmp(argument, "call") == 0 ? "CALL" : "ADDRESS";
}

static json_t *make_request(const char *verb, int argc, char *const *argv)
{
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verbs[i].verb, verb) != 0)
			continue;
		if (!verbs[i].argument && argc == 0)
			return json_pack("{s:s}", "verb", verb);
		if (verbs[i].argument && argc == 1)
			return json_pack("{s:s, s:s}", "verb", verb, verbs[i].argument, argv[0]);
		if (verbs[i].argument)
			fprintf(stderr, "twinleg: %s wants one word: %s %s\n", verb, verb,
				word_for(verbs[i].argument));
		else
			fprintf(stderr, "twinleg: %s wants nothing after it\n", verb);
		return NULL;
	}
	fprintf(stderr, "twinleg: no such verb: %s\n", verb);
	return NULL;
}

static int open_connection(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int send_line(int fd, const char *line)
{
	size_t bytes = strlen(line), sent = 0;

	while (sent < bytes) {
		ssize_t n = send(fd, line + sent, bytes - sent, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		sent += (size_t)n;
	}
	return 0;
}

/* Up to the end of the line. */
static int receive_line(int fd, GString *line)
{
	char buf[65536];

	do {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -EPIPE;
		g_string_append_len(line, buf, n);
	} while (line->str[line->len - 1] != '\n' && line->len < ANSWER_BYTES);
	return 0;
}

/* 0: *ret_answer is a new reference. */
static int ask(const char *path, const json_t *request, json_t **ret_answer)
{
	char *text = json_dumps(request, JSON_COMPACT);
	g_autofree char *question = g_strconcat(text ? text : "", "\n", NULL);
	g_autoptr(GString) line = g_string_new(NULL);
	int fd = open_connection(path), r;

	free(text);
	if (fd < 0)
		return fd;
	r = send_line(fd, question);
	if (r == 0)
		r = receive_line(fd, line);
	close(fd);
	if (r < 0)
		return r;
	*ret_answer = json_loadb(line->str, line->len, 0, NULL);
	return json_is_object(*ret_answer) ? 0 : -EBADMSG;
}

static void print_result(const json_t *result, bool json)
{
	if (json) {
		json_dumpf(result, stdout,
			   JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		tl_table_print(result, stdout);
	}
}

static void print_mistakes(const json_t *list)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		fprintf(stderr, "%s\n", text ? text : "?");
	}
	fprintf(stderr, "%zu mistake%s, the configuration stays as it was\n", n, n == 1 ? "" : "s");
}

/* An error may be a list of mistakes, as JSON text. */
static int print_error(const json_t *answer, bool json)
{
	const char *error = json_string_value(json_object_get(answer, "error"));
	const json_t *status = json_object_get(answer, "exit");
	json_t *list = error ? json_loads(error, 0, NULL) : NULL;

	if (json)
		print_result(answer, true);
	else if (json_is_array(list))
		print_mistakes(list);
	else
		fprintf(stderr, "twinleg: %s\n", error ? error : "the gateway gave no reason");
	json_decref(list);
	return json_integer_value(status) == EXIT_WRONG_INPUT ? EXIT_WRONG_INPUT : EXIT_COULD_NOT;
}

static int tell_unreachable(const char *path, int error)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		fprintf(stderr, "twinleg: no gateway listens at %s\n", path);
	else
		fprintf(stderr, "twinleg: %s: %s\n", path, strerror(-error));
	return EXIT_COULD_NOT;
}

int tl_control_client(const char *path, const char *verb, int argc, char *const *argv, bool json)
{
	json_t *request = make_request(verb, argc, argv), *answer = NULL;
	int r, status = 0;

	if (!request)
		return EXIT_WRONG_INPUT;
	r = ask(path, request, &answer);
	json_decref(request);
	if (r < 0)
		status = tell_unreachable(path, r);
	else if (json_is_true(json_object_get(answer, "ok")))
		print_result(json_object_get(answer, "result"), json);
	else
		status = print_error(answer, json);
	json_decref(answer);
	return status;
}
