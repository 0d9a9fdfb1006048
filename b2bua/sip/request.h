#pragma once
/*
 * A request outside any dialog, checked for form: it may come from anybody, in
 * any number, with a source address that is not the sender's. So it costs
 * nothing that outlasts its answer: refusals, challenges and answers to OPTIONS
 * go out without a transaction, a retransmission is answered anew with the same
 * To tag (RFC 3261 8.2.7), and the ACK of a refusal is dropped. Only who has
 * reason to believe the sender takes it, and then has a transaction.
 *
 * Lent to a callback. What it has neither answered nor taken when it returns
 * is dropped without a word. Signalling thread only.
 */
#include <stdbool.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/su_tag.h>
#include <sys/socket.h>
#include "dialplan/settings.h"

struct tl_stack;

struct tl_request {
	struct tl_stack *stack;
	msg_t *msg;
	const sip_t *sip; /* lives until the callback returns, answered or not */
	struct sockaddr_storage source;
	enum tl_transport transport;
	nta_incoming_t *irq; /* of a request that is taken and not yet handed out or answered */
	bool known;          /* its sender has shown that it is who it says: by credentials */
	bool answered;
};

/* Answers it for good; with a transaction where it has been taken. phrase NULL: the status's
 * own. Server stands in it, other headers come as tags. */
void tl_request_reply(struct tl_request *request, int status, const char *phrase, tag_type_t tag,
		      tag_value_t value, ...);
/* The same, logged (once a second at most). warning: text of a Warning 399, or NULL. */
void tl_request_refuse(struct tl_request *request, int status, const char *phrase,
		       const char *warning);
/* Refuses with 420 when it requires what is not in supported (NULL-terminated). True: refused. */
bool tl_request_refuse_required(struct tl_request *request, const char *const *supported);
/* From now on its retransmissions are known, and tl_request_reply() repeats itself. False: out of
 * memory or its connection is gone; it has been answered. */
bool tl_request_take(struct tl_request *request);
/* Hands the transaction of a taken request out: the caller replies and destroys it, when it
 * likes. */
nta_incoming_t *tl_request_steal(struct tl_request *request);

/*
 * One that NTA has sorted into a dialog, to be dealt with in the same way; for the dialog's
 * callback. Takes irq. True: tl_request_done() must follow before the callback returns. False: it
 * was malformed, or an ACK, and has been dealt with.
 */
bool tl_request_of_dialog(struct tl_stack *stack, nta_incoming_t *irq, const sip_t *sip,
			  struct tl_request *ret_request);
void tl_request_done(struct tl_request *request);
