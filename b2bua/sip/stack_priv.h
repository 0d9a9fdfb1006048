#pragma once
/* What the files of the stack and of its legs share. Private to stack*.c and leg*.c. */
#include <glib.h>
#include <sofia-sip/msg_mclass.h>
#include "b2bua/log.h"
#include "b2bua/sip/request.h"
#include "b2bua/sip/stack.h"

#define TL_ALLOW                                                                                   \
	"INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, MESSAGE, "                 \
	"SUBSCRIBE, NOTIFY, PUBLISH"
#define TL_ACCEPT    "application/sdp, multipart/mixed, application/dtmf-relay, application/dtmf"
#define TL_SUPPORTED "100rel, timer, replaces, norefersub, tdialog"

/* One listen address. */
struct tl_port {
	enum tl_transport transport;
	char *host;         /* an IP literal, without brackets */
	char *ident;        /* of its own: names it to the transports */
	unsigned serial;    /* counts all that were ever opened, from 1 */
	uint16_t asked;     /* 0: any */
	uint16_t port;      /* bound */
	int fd;             /* UDP: Sofia's socket; -1: not known */
	bool stays;         /* named by the configuration at hand */
	struct tl_tls *tls; /* NULL: not TLS */
	/* not configured any more: the legs that it waits for (a set), else NULL */
	GHashTable *users;
};

struct tl_forks;

struct tl_stack {
	su_root_t *root;
	struct tl_stack_cfg cfg;               /* gateway: not used after a configure */
	char *domain, *advertise, *user_agent; /* copies; advertise may be NULL */
	unsigned session_min_s;                /* Min-SE */
	nta_agent_t *agent;
	struct tl_nameservers *nameservers;
	guint8 tag_key[16];     /* of To tags that no dialog has */
	msg_mclass_t *mclass;   /* Sofia's, with our guard */
	GPtrArray *ports;       /* struct tl_port */
	unsigned opened;        /* ports so far */
	GHashTable *clients;    /* name -> struct tl_tls of a client side; both owned */
	GHashTable *legs;       /* struct tl_leg, a set */
	GHashTable *followers;  /* tl_stack_follow(): user -> function */
	struct tl_forks *forks; /* INVITEs of ours that are settled */
	GPtrArray *mutes;       /* stack_return.c: connections whose peers only listen */
	su_timer_t *mute_timer;
	struct tl_log_limit refused_limit;
};

/* stack_guard.c: a parser that leaves nothing dangerous in what NTA sees. Free it after the
 * agent is gone. */
msg_mclass_t *tl_guard_mclass_new(struct tl_stack *stack);
void tl_guard_mclass_free(msg_mclass_t *mclass); /* NULL ok */
/* The first header that could not be read and that matters to us, or NULL. */
const char *tl_guard_broken_header(const sip_t *sip);

/* stack_request.c: requests outside dialogs; nta_message_f */
int tl_stack_on_message(nta_agent_magic_t *magic, nta_agent_t *agent, msg_t *msg, sip_t *sip);

/* request.c: what Require names and supported (NULL-terminated) does not; NULL: nothing. */
char *tl_missing_extensions(const sip_t *sip, const char *const *supported);

/* stack_port.c: opens and closes what is listened to */
void tl_stack_ports_init(struct tl_stack *stack);
void tl_stack_ports_done(struct tl_stack *stack); /* after the agent is gone */
int tl_stack_ports_configure(struct tl_stack *stack, const struct tl_gateway *gateway);
/* A leg is gone: a port that waited for it may be closed. */
void tl_stack_ports_forget(struct tl_stack *stack, struct tl_leg *leg);

/* stack_source.c: from here on connections of the calling thread come from where we listen */
void tl_stack_sources_start(const struct tl_stack *stack);
void tl_stack_sources_stop(void);

/* stack_return.c: from here on responses find back over the calling thread's connections. False:
 * the library's functions are not to be found. Stop it before the agent goes. */
bool tl_stack_returns_start(struct tl_stack *stack);
void tl_stack_returns_stop(struct tl_stack *stack); /* may not have been started */

/* stack_address.c */
/* The socket that Sofia has opened for this port, or -1. */
int tl_port_find_fd(const struct tl_port *port);
struct tl_port *tl_stack_find_port(const struct tl_stack *stack, enum tl_transport transport,
				   const struct sockaddr *peer);
/* A literal host, with or without brackets. */
/* Where a request came from. */
void tl_stack_source(const struct tl_stack *stack, msg_t *msg, struct sockaddr_storage *ret_source,
		     enum tl_transport *ret_transport);
bool tl_stack_literal(const char *host, struct sockaddr_storage *ret_addr);
bool tl_stack_is_wildcard(const struct sockaddr_storage *addr); /* 0.0.0.0 or :: */
