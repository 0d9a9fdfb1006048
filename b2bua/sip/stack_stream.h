#pragma once
/*
 * How much of a stream is read at once, how long a message in it may be, and how many lines, how
 * long ones, any message may have. Sofia 1.12.11 reads all
 * that has come into one buffer, which counts against the limit for a single message: when we are
 * behind by 64 kB of a trunk's requests, it would answer 413 to the first and close the connection.
 * Each message would also keep a copy of all that was read behind it. And of what follows the first
 * message of a buffer it forgets the limit: a header without end would take all memory. And each
 * header of a name is put behind all others of that name, which it walks: 60 kB of them took 170
 * ms.
 *
 * So three of its functions are ours: those of a program come before those of its libraries
 * wherever these call them by name (ld.so(8)), which holds for every build of Debian's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sofia-sip/sip.h>

/* The limit for one message in a stream, first line, headers and body; for all stacks. False: the
 * library's functions are not to be found. */
bool tl_stream_limit(size_t bytes);

/* This message had more or longer lines than it may have, and ends before those. For a parser's
 * hook at the empty line. */
bool tl_stream_is_cut(const sip_t *sip);
