#pragma once
/*
 * The event state compositor (RFC 3903), and what a trunk says of mailboxes
 * unasked. An extension publishes its own presence; a trunk publishes message
 * summaries, by PUBLISH or by a NOTIFY outside any dialog, for an extension's number
 * or for one that the routes lead to it. Signalling thread.
 */
#include "b2bua/event/publication.h"
#include "b2bua/registrar/access.h"
#include "b2bua/sip/request.h"

struct tl_publisher {
	struct tl_access *access;
	struct tl_dialplan *dp; /* referenced by whoever owns this */
	struct tl_publications *publications;
	/* Something was published; event and extension are lent. */
	tl_publication_fn *on_change;
	void *user;
};

void tl_publisher_on_publish(struct tl_publisher *publisher, struct tl_request *request);
void tl_publisher_on_notify(struct tl_publisher *publisher, struct tl_request *request);
