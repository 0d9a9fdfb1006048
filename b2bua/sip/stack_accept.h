#pragma once
/*
 * How many connections may be made to us. Sofia accepts every one, until no descriptor is left for
 * the next call's media; then it tries again without end. So accept() is ours as well (see
 * stack_stream.h how): of the descriptors that the process may have, connections get half, and one
 * source (IPv6: one /64) an eighth of that, but SOURCE_MIN at least. What is too much is closed as
 * it comes. Only listening sockets of Sofia's are accepted from by that name.
 */

/* From now on they are counted; before, none is accepted. */
void tl_accept_start(void);
void tl_accept_stop(void);
