#pragma once
/*
 * A call: the caller's leg (a), the legs of those it rings, of which one
 * becomes b, and one media session. Executes what call_fsm says; the only
 * place that knows that there are two legs. Signalling thread only.
 *
 * A call owns itself: it ends when its legs do and its media has reported, and
 * then tells the app by tl_app_call_ended().
 */
#include <jansson.h>
#include "b2bua/registrar/access.h"
#include "b2bua/call/call_fsm.h"
#include "dialplan/dialplan.h"

struct tl_app;
struct tl_call;
struct tl_leg;
struct tl_request;

/* Takes the leg of an admitted INVITE and starts. dp: the dialplan that admitted it (referenced).
 */
struct tl_call *tl_call_new(struct tl_app *app, struct tl_leg *leg, struct tl_dialplan *dp,
			    const struct tl_source *source);
/*
 * A REFER outside a dialog, of somebody who may come in. An extension may have its own telephones
 * called, and then, by the routes that it may call itself, whom Refer-To names. With Target-Dialog
 * (RFC 4538) of a call that the asker has, also a trunk, or Replaces of one, it transfers that.
 */
void tl_call_refer_outside(struct tl_app *app, struct tl_request *request,
			   const struct tl_source *source);
/*
 * Would this INVITE begin a loop? A proxy may send us back what we have sent it,
 * for another number or from another trunk: that is a spiral, and a call like any
 * other. But when a call in progress that it stems from came from the same source
 * for the same number, the dialplan would only say the same again (as RFC 3261 16.3
 * step 4). Who changes the Call-ID on the way is stopped by Max-Forwards.
 */
bool tl_call_is_loop(const struct tl_app *app, const char *call_id, const struct tl_source *source,
		     const char *callee);
const char *tl_call_id(const struct tl_call *call);
enum tl_call_state tl_call_state(const struct tl_call *call);
/* Ends it from our side; why stands in the record and in a Reason header. */
void tl_call_stop(struct tl_call *call, const char *why);
/* What `calls` and `show` print; a new reference. */
json_t *tl_call_json(const struct tl_call *call);
/* Frees without waiting for anything: for the end of the process. */
void tl_call_free(struct tl_call *call);
