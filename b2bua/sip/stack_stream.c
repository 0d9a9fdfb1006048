#include "b2bua/sip/stack_stream.h"
#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/su.h>

enum {
	READ_BYTES = 8192, /* at once from a stream */
	LINES_MAX = 512,   /* of one message, its body left out */
	HEADER_BYTES = 8192,
};

static size_t limit_bytes;
static msg_t *(*their_msg_next)(msg_t *msg);
static int (*their_msg_extract)(msg_t *msg);

bool tl_stream_limit(size_t bytes)
{
	limit_bytes = bytes;
	if (!their_msg_next)
		their_msg_next = (msg_t * (*)(msg_t *)) dlsym(RTLD_NEXT, "msg_next");
	if (!their_msg_extract)
		their_msg_extract = (int (*)(msg_t *))dlsym(RTLD_NEXT, "msg_extract");
	return their_msg_next && their_msg_extract;
}

/* In Sofia's stead. What can be read: of a stream no more than READ_BYTES of it. */
issize_t su_getmsgsize(su_socket_t fd)
{
	int bytes = -1, type = 0;
	socklen_t size = sizeof(type);

	if (ioctl(fd, FIONREAD, &bytes) < 0)
		return -1;
	if (bytes > READ_BYTES && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	    type == SOCK_STREAM)
		bytes = READ_BYTES;
	return bytes;
}

/* In Sofia's stead. The message that follows in what was read. */
msg_t *msg_next(msg_t *msg)
{
	msg_t *next;

	if (!their_msg_next) {
		errno = ENOSYS;
		return NULL;
	}
	next = their_msg_next(msg);
	if (next)
		msg_maxsize(next, limit_bytes);
	return next;
}

/* --- lines --- */

/* What has been seen of a message stands where an application may keep what it likes. */
struct seen {
	unsigned lines : 31;
	bool cut : 1;
	unsigned pending; /* bytes that were there and not yet understood, when it was looked at
			     last */
};
union mark {
	struct seen seen;
	void *user;
};
_Static_assert(sizeof(struct seen) <= sizeof(void *), "a mark fits");

bool tl_stream_is_cut(const sip_t *sip)
{
	return ((union mark) { .user = sip->sip_user }).seen.cut;
}

/* Ends the headers here: what follows is none of them. */
static void cut(struct seen *seen, char *line)
{
	memcpy(line, "\r\n", 2);
	seen->cut = true;
}

/* Before a line too many, and before a header too long: its parser would take the square of its
 * length, 150 ms at worst. data begins with a header, or the first line of all. */
static void count_lines(struct seen *seen, bool is_first, char *data, size_t bytes)
{
	char *line = data, *p = data, *end = data + bytes, *newline;

	while (end - p >= 2) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if ((newline ? newline : end) - line > HEADER_BYTES &&
		    !(is_first && line == data)) {
			cut(seen, line);
			return;
		}
		if (!newline || end - newline < 3 || memcmp(newline + 1, "\r\n", 2) == 0)
			return;
		p = newline + 1;
		if (newline - data >= (ptrdiff_t)seen->pending && ++seen->lines >= LINES_MAX) {
			cut(seen, p);
			return;
		}
		if (*p != ' ' && *p != '\t') /* else it goes on */
			line = p;
	}
}

/* In Sofia's stead. Parses what has come of a message. */
int msg_extract(msg_t *msg)
{
	sip_t *sip = msg ? (sip_t *)msg_object(msg) : NULL;
	union mark mark = { .user = sip ? sip->sip_user : NULL };
	char *data = msg ? msg_buf_committed_data(msg) : NULL;
	int r;

	if (!their_msg_extract) {
		errno = ENOSYS;
		return -1;
	}
	if (!sip || !data || (sip->sip_flags & MSG_FLG_BODY))
		return their_msg_extract(msg);
	if (!mark.seen.cut)
		count_lines(&mark.seen, !(sip->sip_flags & MSG_FLG_HEADERS), data,
			    msg_buf_committed(msg));
	sip->sip_user = mark.user;
	r = their_msg_extract(msg);
	mark.seen.pending = (unsigned)msg_buf_committed(msg);
	sip->sip_user = r == 0 ? mark.user : NULL;
	return r;
}
