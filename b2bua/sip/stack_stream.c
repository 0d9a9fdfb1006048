#include "b2bua/sip/stack_stream.h"
#include <dlfcn.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/su.h>

enum { READ_BYTES = 8192 }; /* at once from a stream */

static size_t limit_bytes;
static msg_t *(*their_msg_next)(msg_t *msg);

bool tl_stream_limit(size_t bytes)
{
	limit_bytes = bytes;
	if (!their_msg_next)
		their_msg_next = (msg_t * (*)(msg_t *)) dlsym(RTLD_NEXT, "msg_next");
	return their_msg_next != NULL;
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
