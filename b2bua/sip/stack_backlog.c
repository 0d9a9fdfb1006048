/* What waits in our sockets. Sofia keeps them to itself, so they are found among the process's. */
#include "b2bua/sip/stack_priv.h"
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include "b2bua/sip/address.h"

enum { FD_MAX = 1024 }; /* listen sockets are opened first */

static bool is_bound_to(int fd, const struct tl_port *port)
{
	struct sockaddr_storage bound, asked;
	socklen_t bytes = sizeof(bound);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t) { sizeof(type) }) < 0 ||
	    type != SOCK_DGRAM || getsockname(fd, (struct sockaddr *)&bound, &bytes) < 0)
		return false;
	return tl_address_parse(port->host, port->port, &asked) &&
	       tl_address_equal((struct sockaddr *)&bound, (struct sockaddr *)&asked);
}

int tl_port_find_fd(const struct tl_port *port)
{
	if (port->transport != TL_TRANSPORT_UDP)
		return -1;
	for (int fd = 0; fd < FD_MAX; fd++)
		if (is_bound_to(fd, port))
			return fd;
	return -1;
}

static unsigned backlog_permille(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &(socklen_t) { sizeof(info) }) < 0 ||
	    info[SK_MEMINFO_RCVBUF] == 0)
		return 0;
	return (unsigned)((uint64_t)info[SK_MEMINFO_RMEM_ALLOC] * 1000 / info[SK_MEMINFO_RCVBUF]);
}

unsigned tl_stack_backlog_permille(const struct tl_stack *stack)
{
	unsigned worst = 0;

	for (guint i = 0; i < stack->ports->len; i++) {
		const struct tl_port *port = stack->ports->pdata[i];

		if (port->fd >= 0)
			worst = MAX(worst, backlog_permille(port->fd));
	}
	return worst;
}
