#pragma once
/*
 * The application: the running configuration and everything that lives as
 * long as the process. Signalling thread only.
 */
#include <glib.h>
#include <stdbool.h>
#include <sofia-sip/su_wait.h>
#include <jansson.h>
#include "b2bua/log.h"
#include "dialplan/dialplan.h"
#include "media/session.h"

enum { TL_APP_RECENT_CALLS = 200 }; /* ended calls that `show` still knows */

struct tl_call;
struct tl_request;

struct tl_app {
	su_root_t *root;
	char *config_path;
	struct tl_dialplan *dp; /* the running configuration */
	char *ringback;         /* prompts/ringback.wav where there is one, or NULL */
	struct tl_stack *stack;
	struct tl_access *access;
	struct tl_door *door;
	struct tl_load *load;
	struct tl_watchdog *watchdog; /* NULL: nobody watches */
	struct tl_log_limit door_limit;
	struct tl_store *store; /* NULL: memory only */
	struct tl_registrar *registrar;
	struct tl_trunks *trunks;
	struct tl_media *media;
	struct tl_board *board;     /* which extensions are in a call */
	struct tl_archive *archive; /* of subscriptions */
	struct tl_pager *pager;     /* MESSAGE */
	struct tl_events *events;   /* SUBSCRIBE, PUBLISH */
	struct tl_control *control;
	GHashTable *calls; /* id -> struct tl_call, lent */
	GHashTable *rung;  /* Call-ID of a leg that we have called -> struct tl_call, both lent */
	struct tl_recent *recent; /* of ended calls */
	uint64_t n_calls;         /* since the start */
	int64_t started_s;
	char *mistakes; /* of the last reload that failed, as the control socket told; or NULL */
	bool draining;  /* no new calls; ends when the last has ended */
	bool stopping;
	su_timer_t *stop_timer;
	unsigned stop_waited_ms;
	int media_wait; /* index of the registration on root */
};

/* Loads the configuration, opens everything, starts to listen. Mistakes are
 * logged. 0; -EINVAL: configuration; other -errno: could not. */
int tl_app_new(su_root_t *root, const char *config_path, struct tl_app **ret_app);
void tl_app_free(struct tl_app *app); /* NULL ok */

/* Reads the configuration again; a broken one changes nothing. Each mistake, or
 * else each difference, is logged, and appended to told (a JSON array) unless that is
 * NULL. */
int tl_app_reload(struct tl_app *app, json_t *told);
/* No new calls; the loop is broken when the last one has ended. */
void tl_app_drain(struct tl_app *app);
/* Ends every call now, and breaks the loop when they are gone or after two seconds. */
void tl_app_stop(struct tl_app *app);

/* For call.c. */
void tl_app_call_ended(struct tl_app *app, struct tl_call *call, json_t *record); /* takes record */

/* Seconds after which a caller may try again; 0: there is room. app_admission.c. */
unsigned tl_app_overloaded(void *user);
/* tl_stack_cfg.admit: the door. */
bool tl_app_admit(struct tl_request *request, void *user);
/* tl_request_fn. */
void tl_app_on_register(struct tl_request *request, void *user);
void tl_app_on_other(struct tl_request *request, void *user);
void tl_app_on_invite(struct tl_request *request, void *user);

/* tl_control_fn; user is the app. app_control.c. */
int tl_app_control(const char *verb, const json_t *request, json_t **ret_result,
		   const char **ret_error, void *user);
