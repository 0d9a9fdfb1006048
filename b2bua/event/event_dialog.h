#pragma once
/*
 * The dialog that a SUBSCRIBE makes (RFC 6665 4.4.1): matching of what comes in
 * it by NTA, and the NOTIFYs that leave in it. Signalling thread.
 */
#include <jansson.h>
#include <sofia-sip/nta.h>
#include "b2bua/sip/request.h"

struct tl_event_dialog;

/* request has been taken. on_request gets what comes in the dialog; magic is its own. -EBADMSG:
 * the Contact or Record-Route can't be used; -ENOMEM. user stands in our Contact. */
int tl_event_dialog_new(struct tl_request *request, const char *user, nta_request_f *on_request,
			void *magic, struct tl_event_dialog **ret_dialog);
/* What another process needs to go on with it, a new reference; NULL: it can't be said. */
json_t *tl_event_dialog_save(const struct tl_event_dialog *dialog);
/* From that. source: where the watcher is. Our CSeq goes on from cseq, which must be beyond all
 * that were sent. -EBADMSG: it can't be used. */
int tl_event_dialog_restore(struct tl_stack *stack, const json_t *saved, const char *user,
			    const struct sockaddr *source, uint32_t cseq, nta_request_f *on_request,
			    void *magic, struct tl_event_dialog **ret_dialog);
/* A SUBSCRIBE in it has been taken: its CSeq and where it came from are to be remembered. */
void tl_event_dialog_took(struct tl_event_dialog *dialog, const struct tl_request *request);
const char *tl_event_dialog_id(const struct tl_event_dialog *dialog); /* our tag */
void tl_event_dialog_free(struct tl_event_dialog *dialog);            /* NULL ok */
const char *tl_event_dialog_contact(const struct tl_event_dialog *dialog);
/* A refresh brings a new Contact, perhaps. 0 or -EBADMSG: unusable. */
int tl_event_dialog_retarget(struct tl_event_dialog *dialog, const sip_t *sip);

struct tl_notify {                       /* what a NOTIFY says; lent */
	const char *event, *state;       /* values of Event and Subscription-State */
	const char *content_type, *body; /* NULL: none */
	const char *user_agent;
};
/* NULL: could not be sent. on_response gets magic, too. */
nta_outgoing_t *tl_event_dialog_notify(struct tl_event_dialog *dialog,
				       const struct tl_notify *notify, nta_response_f *on_response);
