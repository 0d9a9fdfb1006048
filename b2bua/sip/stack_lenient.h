#pragma once
/*
 * Where Sofia's parser is too strict. What RFC 3261 allows is read, and what it does not allow is
 * read as far as its sender needs to be told so. Private to stack_guard.c, which owns the parser.
 */
#include <stdbool.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/sip.h>

/* Puts our parse functions for CSeq, Via, From, To and Contact into a parser of our own. */
void tl_lenient_install(msg_mclass_t *mclass);

/* A request line, like sip_request_d(), with any token as the method (RFC 3261 25.1). */
issize_t tl_lenient_request(su_home_t *home, sip_request_t *request, char *text, isize_t bytes);
/* The method's code, of names too that sip_method_code() calls invalid. */
sip_method_t tl_lenient_method(const char *name);
/* The first line of this message has been read, and what has come of the rest stands in the buffer:
 * a quoted NUL, which may stand in a display name (RFC 4475 3.1.1.2), would end it there. */
void tl_lenient_strip_nuls(msg_t *msg);

/* This Via could only be read so far as to answer the message with 400. */
bool tl_lenient_is_broken(const sip_via_t *via);
/* A request whose Via names another transport than the one that brought it would be dropped: it is
 * answered where it came from. Over UDP, one without rport whose Via names another host, too. */
void tl_lenient_match_transport(msg_t *msg, sip_t *sip);

/* In a stream a message must say how long its body is (RFC 3261 18.3), and the parser would wait
 * for more: one that does not say has none, if it does not speak of a body. False: it does, and
 * where the next message begins can't be known. */
bool tl_lenient_supply_length(msg_t *msg, sip_t *sip);

/* RFC 2543 wanted no Contact: a caller of its time (no magic cookie in its branch) is found again
 * where its INVITE came from, and a Record-Route that we cannot follow is left aside. */
void tl_lenient_supply_contact(msg_t *msg, sip_t *sip);
