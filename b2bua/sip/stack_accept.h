#pragma once
/*
 * How many connections may be made to us. Sofia accepts every one, until no descriptor is left for
 * the next call's media; then it tries again without end. So accept() is ours as well (see
 * stack_stream.h how): of the descriptors that the process may have, connections get half, and one
 * source (IPv6: one /64) an eighth of that, but SOURCE_MIN at least. What is too much is closed as
 * it comes. Only listening sockets of Sofia's are accepted from by that name.
 */
#include <stdbool.h>
#include <sys/socket.h>

struct tl_accepted;

/* Counts connections against a limit for all. NULL ok for free. */
struct tl_accepted *tl_accepted_new(unsigned max);
void tl_accepted_free(struct tl_accepted *accepted);
/* A connection of this descriptor, from peer. False: there are too many, close it. Those that have
 * been closed meanwhile are found by looking at their descriptors. */
bool tl_accepted_add(struct tl_accepted *accepted, int fd, const struct sockaddr *peer);
unsigned tl_accepted_count(const struct tl_accepted *accepted);

/* From now on they are counted; before, none is accepted. */
void tl_accept_start(void);
void tl_accept_stop(void);
