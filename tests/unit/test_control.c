#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sofia-sip/su.h>
#include "b2bua/control/control.h"
#include "b2bua/control/control_table.h"

/* --- tables --- */

static const struct {
	const char *why, *json, *text;
} tables[] = {
	{ "a list of objects, numbers to the right, keys from all rows",
	  "[{\"id\":\"6f1c03\",\"lost\":3},{\"id\":\"x\",\"lost\":12,\"by\":\"a\"}]",
	  "ID      LOST  BY\n"
	  "6f1c03     3  -\n"
	  "x         12  a\n" },
	{ "an object, with another inside",
	  "{\"id\":\"6f1c03\",\"talk_s\":64,\"a\":{\"codec\":\"PCMA\",\"delay_us\":250}}",
	  "id    6f1c03\n"
	  "talk  1m04s\n"
	  "a\n"
	  "  codec  PCMA\n"
	  "  delay  0.25 ms\n" },
	{ "units", "{\"a_s\":59,\"b_s\":3600,\"c_s\":90000,\"d_ms\":812,\"e\":true,\"f\":0.7}",
	  "a  59s\nb  1h00m\nc  1d01h\nd  812 ms\ne  yes\nf  0.7\n" },
	{ "a moment", "{\"ended_ms\":1700000000000}", "ended  2023-11-14 22:13:20\n" },
	{ "one word", "\"draining\"", "draining\n" },
	{ "an empty list", "[]", "none\n" },
	{ "a list of words", "[\"one\",\"two\"]", "one\ntwo\n" },
	{ "text can't steer the terminal", "{\"a\":\"\\u001b[2J\"}", "a  \\x1b[2J\n" },
	{ "wide characters count once", "[{\"n\":\"Jörg\",\"x\":1},{\"n\":\"Al\",\"x\":2}]",
	  "N     X\n"
	  "Jörg  1\n"
	  "Al    2\n" },
};

Test(control, prints_what_people_read)
{
	g_setenv("TZ", "UTC", TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		json_t *value = json_loads(tables[i].json, JSON_DECODE_ANY, NULL);
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);

		cr_assert_not_null(value);
		tl_table_print(value, out);
		fclose(out);
		cr_expect_str_eq(text, tables[i].text, "%s:\n%s", tables[i].why, text);
		free(text);
		json_decref(value);
	}
}

/* --- the socket --- */

static char *dir, *path;
static su_root_t *root;
static struct tl_control *control;

static int on_verb(const char *verb, const json_t *request, json_t **ret_result,
		   const char **ret_error, void *user)
{
	if (strcmp(verb, "status") == 0) {
		*ret_result = json_pack("{s:i}", "calls", 7);
		return 0;
	}
	if (strcmp(verb, "calls") == 0) { /* more than a socket's buffer takes */
		*ret_result = json_array();
		for (int i = 0; i < 50000; i++)
			json_array_append_new(*ret_result, json_pack("{s:i}", "call", i));
		return 0;
	}
	if (strcmp(verb, "drain") == 0) {
		*ret_error = "too late";
		return -EBUSY;
	}
	*ret_error = "[\"a.ini:1: one\", \"a.ini:2: two\"]";
	return -EINVAL;
}

static void start(void)
{
	su_init();
	root = su_root_create(NULL);
	dir = g_dir_make_tmp(NULL, NULL);
	path = g_build_filename(dir, "control", NULL);
	cr_assert_eq(tl_control_new(root, path, on_verb, NULL, &control), 0);
}

static void stop(void)
{
	tl_control_free(control);
	cr_expect_neq(access(path, F_OK), 0, "the socket is unlinked");
	g_rmdir(dir);
	g_free(dir);
	g_free(path);
	su_root_destroy(root);
	su_deinit();
}

TestSuite(control_socket, .init = start, .fini = stop);

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
	cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Runs the loop and reads until the other end of the line, or the end. */
static char *read_answer(int fd)
{
	GString *text = g_string_new(NULL);
	char buf[4096];

	for (int i = 0; i < 20000; i++) {
		ssize_t n;

		su_root_step(root, 0);
		n = recv(fd, buf, sizeof(buf), 0);
		if (n == 0)
			break;
		if (n > 0)
			g_string_append_len(text, buf, n);
		if (text->len && text->str[text->len - 1] == '\n')
			break;
	}
	return g_string_free(text, FALSE);
}

static char *ask(const char *line)
{
	int fd = dial();
	char *answer;

	cr_assert_eq(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	answer = read_answer(fd);
	close(fd);
	su_root_step(root, 0);
	return answer;
}

static const struct {
	const char *why, *line, *answer;
} lines[] = {
	{ "an answer", "{\"verb\":\"status\"}\n", "{\"ok\":true,\"result\":{\"calls\":7}}\n" },
	{ "could not", "{\"verb\":\"drain\"}\n",
	  "{\"ok\":false,\"error\":\"too late\",\"exit\":2}\n" },
	{ "no JSON", "hello\n",
	  "{\"ok\":false,\"error\":\"a request is an object with a verb\",\"exit\":1}\n" },
	{ "no object", "[1]\n",
	  "{\"ok\":false,\"error\":\"a request is an object with a verb\",\"exit\":1}\n" },
	{ "an empty line", "\n",
	  "{\"ok\":false,\"error\":\"a request is an object with a verb\",\"exit\":1}\n" },
};

Test(control_socket, answers_lines)
{
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *answer = ask(lines[i].line);

		cr_expect_str_eq(answer, lines[i].answer, "%s: %s", lines[i].why, answer);
	}
}

Test(control_socket, is_for_its_owner_alone)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600u);
}

Test(control_socket, sends_long_answers_as_they_are_read)
{
	g_autofree char *answer = ask("{\"verb\":\"calls\"}\n");
	json_t *json = json_loads(answer, 0, NULL);

	cr_assert_not_null(json);
	cr_expect_eq(json_array_size(json_object_get(json, "result")), 50000u);
	json_decref(json);
}

Test(control_socket, answers_several_lines_in_order)
{
	static const char two[] = "{\"verb\":\"calls\"}\n{\"verb\":\"status\"}\n";
	int fd = dial();
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	cr_assert_eq(send(fd, two, strlen(two), 0), (ssize_t)strlen(two));
	first = read_answer(fd);
	cr_expect(g_str_has_prefix(first, "{\"ok\":true,\"result\":[{"));
	second = read_answer(fd);
	if (strstr(first, "\"calls\":7"))
		return; /* both came in one piece */
	cr_expect_str_eq(second, "{\"ok\":true,\"result\":{\"calls\":7}}\n");
	close(fd);
}

Test(control_socket, hangs_up_on_an_endless_line)
{
	g_autofree char *line = g_strnfill(8000, 'x');
	g_autofree char *answer = ask(line);

	cr_expect_str_eq(answer, "");
}

Test(control_socket, makes_room_for_a_newcomer)
{
	int fds[100];

	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = dial();
		su_root_step(root, 0);
	}
	for (size_t i = 0; i < 10; i++) {
		g_autofree char *answer = ask("{\"verb\":\"status\"}\n");

		cr_expect(g_str_has_prefix(answer, "{\"ok\":true"), "%s", answer);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
}

Test(control_socket, replaces_a_dead_gateway_and_not_a_live_one)
{
	struct tl_control *other = NULL;
	int fd;

	cr_expect_eq(tl_control_new(root, path, on_verb, NULL, &other), -EADDRINUSE);
	tl_control_free(control);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	{
		struct sockaddr_un addr = { .sun_family = AF_UNIX };

		g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
		cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	close(fd); /* the socket stays behind, as after a crash */
	cr_expect_eq(tl_control_new(root, path, on_verb, NULL, &control), 0);
}

Test(control_socket, never_replaces_a_file)
{
	g_autofree char *file = g_build_filename(dir, "file", NULL);
	struct tl_control *other = NULL;

	cr_assert(g_file_set_contents(file, "precious", -1, NULL));
	cr_expect_eq(tl_control_new(root, file, on_verb, NULL, &other), -EEXIST);
	cr_expect_eq(access(file, F_OK), 0);
	g_remove(file);
}

/* --- the client, against a gateway in another process --- */

static pid_t serve(const char *at)
{
	struct tl_control *theirs;
	pid_t child = fork();
	su_root_t *loop;

	if (child > 0) {
		while (access(at, F_OK) < 0)
			g_usleep(1000);
		return child;
	}
	loop = su_root_create(NULL);
	if (tl_control_new(loop, at, on_verb, NULL, &theirs) == 0)
		su_root_run(loop);
	_exit(1);
}

Test(control_socket, client_says_what_became_of_it)
{
	static char *const call[] = { "6f1c03" };
	g_autofree char *at = g_build_filename(dir, "other", NULL);
	pid_t child = serve(at);

	cr_redirect_stdout();
	cr_redirect_stderr();
	cr_expect_eq(tl_control_client(at, "status", 0, NULL, false), 0);
	cr_expect_eq(tl_control_client(at, "status", 0, NULL, true), 0);
	cr_expect_eq(tl_control_client(at, "reload", 0, NULL, false), 1);
	cr_expect_eq(tl_control_client(at, "drain", 0, NULL, false), 2);
	cr_expect_eq(tl_control_client(at, "show", 0, NULL, false), 1);
	cr_expect_eq(tl_control_client(at, "show", 1, call, false), 1);
	cr_expect_eq(tl_control_client(at, "status", 1, call, false), 1);
	cr_expect_eq(tl_control_client(at, "dance", 0, NULL, false), 1);
	cr_expect_eq(tl_control_client("/nowhere", "status", 0, NULL, false), 2);
	fflush(stdout);
	fflush(stderr);
	cr_expect_stdout_eq_str("calls  7\n{\n  \"calls\": 7\n}\n");
	cr_expect_stderr_eq_str("a.ini:1: one\na.ini:2: two\n"
				"2 mistakes, the configuration stays as it was\n"
				"twinleg: too late\n"
				"twinleg: show wants one word: show CALL\n"
				"a.ini:1: one\na.ini:2: two\n"
				"2 mistakes, the configuration stays as it was\n"
				"twinleg: status wants nothing after it\n"
				"twinleg: no such verb: dance\n"
				"twinleg: no gateway listens at /nowhere\n");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	g_remove(at);
}
