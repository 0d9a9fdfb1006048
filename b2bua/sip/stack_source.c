/*
 * Where our own TLS connections come from.
 *
 * Sofia binds a connection that it makes to the address that its transport listens at. Those to
 * trunks by TLS belong to a transport that listens nowhere (each has a certificate and authorities
 * of its own), Sofia has no word for an address of theirs, and the routing table's choice may not
 * be the one that Via and Contact name, by which the other side knows us. So connect() is
 * defined here: the program's own definition stands before the C library's, for Sofia too.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack_priv.h"

/* Whose connections this thread's are, or NULL. */
static _Thread_local const struct tl_stack *dialling;

void tl_stack_sources_start(const struct tl_stack *stack)
{
	dialling = stack;
}

void tl_stack_sources_stop(void)
{
	dialling = NULL;
}

/* A TCP socket that has not been given an address yet. */
static bool is_unbound_stream(int fd)
{
	struct sockaddr_storage own = { 0 };
	socklen_t bytes = sizeof(own), type_bytes = sizeof(int);
	int type = 0;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes) == 0 &&
	       type == SOCK_STREAM && getsockname(fd, (struct sockaddr *)&own, &bytes) == 0 &&
	       (own.ss_family == AF_INET || own.ss_family == AF_INET6) &&
	       tl_address_port((const struct sockaddr *)&own) == 0;
}

static void give_address(int fd, const struct sockaddr *to)
{
	const struct tl_port *port = tl_stack_find_port(dialling, TL_TRANSPORT_TLS, to);
	struct sockaddr_storage own;

	if (port && tl_stack_literal(port->host, &own) && own.ss_family == to->sa_family &&
	    !tl_stack_is_wildcard(&own))
		/* should it fail, the routing table chooses */
		(void)bind(fd, (const struct sockaddr *)&own,
			   own.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						     : sizeof(struct sockaddr_in));
}

int tl_connect(int fd, const struct sockaddr *to, socklen_t bytes) __asm__("connect");

int tl_connect(int fd, const struct sockaddr *to, socklen_t bytes)
{
	if (dialling && (to->sa_family == AF_INET || to->sa_family == AF_INET6) &&
	    is_unbound_stream(fd))
		give_address(fd, to);
	return (int)syscall(SYS_connect, fd, to, bytes);
}
