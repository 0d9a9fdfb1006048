#pragma once
/*
 * The control socket: what `twinleg status|calls|show|hangup|registrations|
 * trunks|reload|drain` speak to. A unix stream socket, mode 0600; one JSON
 * object a line each way: {"verb":"show","call":"6f1c03"} ->
 * {"ok":true,"result":…} or {"ok":false,"error":"…","exit":1|2}. Signalling thread, never waits.
 */
#include <stdbool.h>
#include <sofia-sip/su_wait.h>
#include <jansson.h>

struct tl_control;
/* Answers a verb: *ret_result is a new reference, or on failure a static or interned text in
 * *ret_error and -EINVAL (wrong input, exit 1) or another -errno (could not, exit 2). */
typedef int tl_control_fn(const char *verb, const json_t *request, json_t **ret_result,
			  const char **ret_error, void *user);
int tl_control_new(su_root_t *root, const char *path, tl_control_fn *fn, void *user,
		   struct tl_control **ret_control);
void tl_control_free(struct tl_control *control); /* unlinks the socket; NULL ok */

/* The other end: runs a verb against a running gateway and prints its answer, as a table
 * on a terminal or JSON with json. Returns the exit status (0, 1, 2). */
int tl_control_client(const char *path, const char *verb, int argc, char *const *argv, bool json);
