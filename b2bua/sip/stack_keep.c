/* Keep-alives (RFC 5626 3.5.1) beside Sofia, which sends them on TCP alone. */
#include "b2bua/sip/stack_priv.h"
#include <dirent.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "b2bua/sip/address.h"

#define CRLF_CRLF "\r\n\r\n"

static bool is_connected_to(int fd, const struct sockaddr *peer)
{
	struct sockaddr_storage other = { 0 };
	socklen_t bytes = sizeof(other), type_bytes = sizeof(int);
	int type = 0;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes) == 0 &&
	       type == SOCK_STREAM && getpeername(fd, (struct sockaddr *)&other, &bytes) == 0 &&
	       tl_address_equal((struct sockaddr *)&other, peer);
}

int tl_stack_connection(const struct sockaddr *peer)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	while (dir && found < 0 && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > 2 && is_connected_to(fd, peer))
			found = fd;
	}
	if (dir)
		closedir(dir);
	return found;
}

int tl_stack_connection_send_crlf(int fd)
{
	int waiting = 0;

	/* Sofia may hold back half a message while the kernel's buffer is full */
	if (ioctl(fd, SIOCOUTQ, &waiting) < 0 || waiting > 0)
		return -EAGAIN;
	return send(fd, CRLF_CRLF, strlen(CRLF_CRLF), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void tl_stack_send_crlf(const struct tl_stack *stack, const struct sockaddr *peer)
{
	const struct tl_port *port = tl_stack_find_port(stack, TL_TRANSPORT_UDP, peer);
	socklen_t bytes = peer->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						      : sizeof(struct sockaddr_in);

	if (port && port->fd >= 0)
		(void)sendto(port->fd, CRLF_CRLF, strlen(CRLF_CRLF), MSG_DONTWAIT, peer, bytes);
}
