#pragma once
/*
 * Sofia-SIP's transaction engine (NTA) on one su_root: listen addresses,
 * dispatch of requests outside dialogs, guards against what the library does
 * badly with hostile messages. Signalling thread only.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>
#include <sys/socket.h>
#include "b2bua/sip/request.h"
#include "dialplan/settings.h"

struct tl_stack;
struct tl_leg;
struct tl_tls_cfg; /* tls.h */

typedef void tl_request_fn(struct tl_request *request, void *user);

struct tl_stack_cfg {
	const struct tl_gateway
		*gateway; /* listen, advertise, domain, user_agent; lent till the next configure */
	/* Each request outside dialogs, before anything else; false: it is answered, or not to be.
	 * NULL: all come in. */
	bool (*admit)(struct tl_request *request, void *user);
	tl_request_fn *on_invite; /* initial INVITE, before a leg exists: admission comes first */
	tl_request_fn *on_register;
	tl_request_fn *on_other; /* NULL member: 405 with Allow. MESSAGE, SUBSCRIBE, PUBLISH … */
	unsigned (*overloaded)(
		void *user); /* seconds for Retry-After of a 503, or 0; asked by OPTIONS too */
	void *user;
};

int tl_stack_new(su_root_t *root, const struct tl_stack_cfg *cfg, struct tl_stack **ret_stack);
/* Opens listen addresses that are new, reads certificates anew, and closes what is gone from the
 * configuration: at once, or when the last call that uses it has ended. -errno of the first that
 * can't be opened, or whose certificate is no good (logged each). Port 0 takes a free one. */
int tl_stack_configure(struct tl_stack *stack, const struct tl_gateway *gateway);
/* The port of the first listen address with this transport; 0: there is none. */
uint16_t tl_stack_port(const struct tl_stack *stack, enum tl_transport transport);
/* Ends all legs first, waits for nothing. NULL ok. */
void tl_stack_free(struct tl_stack *stack);
/* How full the fullest UDP socket is with what we have not read yet. */
unsigned tl_stack_backlog_permille(const struct tl_stack *stack);
unsigned tl_stack_legs(const struct tl_stack *stack); /* alive, released ones included */

const char *tl_stack_domain(const struct tl_stack *stack); /* ours; lent till a configure */
su_root_t *tl_stack_root(const struct tl_stack *stack);
const char *
tl_stack_resolv_conf(const struct tl_stack *stack); /* for SRESTAG_RESOLV_CONF(); lent */
nta_agent_t *tl_stack_agent(struct tl_stack *stack);

/* Makes a leg of an admitted INVITE. 0; when the INVITE can't become a leg (unusable Contact,
 * Record-Route or SDP, unknown Require …) it has been answered and the result is -EBADMSG. */
int tl_leg_new_incoming(struct tl_request *request, struct tl_leg **ret_leg);

/*
 * The same of an admitted REFER outside a dialog (RFC 3515 2.4): the dialog of its subscription.
 * ret_refer lives as long as the leg. The caller accepts or declines (leg.h) before the callback
 * returns, and may let it go at once: it lives until the last NOTIFY is answered.
 */
struct tl_refer;
int tl_leg_new_referred(struct tl_request *request, struct tl_leg **ret_leg,
			struct tl_refer *ret_refer);

/* Who was reached by one hop ("sip:192.0.2.1:40000;transport=tcp", as bindings name it) is by
 * another: what goes to it in a call goes there from now on. hop NULL: its Contact says where,
 * till there is another one. */
void tl_stack_rehop(struct tl_stack *stack, const char *old_hop, const char *hop);
/* Tells others than legs, too, one for each user, till the second. */
typedef void tl_rehop_fn(void *user, const char *old_hop, const char *hop);
void tl_stack_follow(struct tl_stack *stack, tl_rehop_fn *fn, void *user);
void tl_stack_unfollow(struct tl_stack *stack, void *user);

/* Our Contact URI towards a peer reached by this transport from this local IP,
 * advertise applied; user may be NULL. Result is allocated from home. */
char *tl_stack_contact(struct tl_stack *stack, su_home_t *home, const char *user,
		       enum tl_transport transport, const struct sockaddr *peer);
/* The local IP that packets to peer leave from (routing table as of a second ago at the most, no
 * packet sent). Port 0. 0 or -errno. */
int tl_stack_local_ip(const struct sockaddr *peer, struct sockaddr_storage *ret_ip);
/* Where media to peer should leave from: the same, but where we listen on addresses of our own
 * choice only, one of those. */
int tl_stack_media_ip(const struct tl_stack *stack, const struct sockaddr *peer,
		      struct sockaddr_storage *ret_ip);

/*
 * A client side for TLS of its own for those who know it by name, such as a trunk: its certificate,
 * and whom it expects (tls.h). Opens it, or reads its files anew. There is no closing one: it binds
 * no port. 0 or -errno, logged.
 */
int tl_stack_client(struct tl_stack *stack, const char *name, const struct tl_tls_cfg *cfg);

/*
 * Where a request to url (NULL ok) leaves from. client: the client side for TLS, unless the peer
 * has connected to us; NULL, and without it: none. ident: for TPTAG_IDENT(), the listen address;
 * lives for ever. via: for SIPTAG_VIA_STR() with NTATAG_USER_VIA(1), with the address that its
 * Contact names (a socket bound to all addresses has none of its own). Either is NULL when the
 * transports may choose: there is but one listen address, or the host is a name. via is allocated
 * from home.
 */
struct tl_origin {
	const char *ident, *via;
};
struct tl_origin tl_stack_origin(const struct tl_stack *stack, su_home_t *home, const url_t *url);
struct tl_origin tl_stack_client_origin(const struct tl_stack *stack, su_home_t *home,
					const url_t *url, const char *client);

/* Do we listen on an address of this family (AF_INET, AF_INET6)? */
bool tl_stack_speaks(const struct tl_stack *stack, int family);

/* Keep-alives (RFC 5626): the socket of the TCP connection to peer, Sofia's, or -1; CRLF CRLF on
 * it, 0 or -errno (-EAGAIN: not while something waits to be sent); and the same by UDP. */
int tl_stack_connection(const struct sockaddr *peer);
int tl_stack_connection_send_crlf(int fd);
void tl_stack_send_crlf(const struct tl_stack *stack, const struct sockaddr *peer);

/* A URI that may be used as a remote target or a route: sip or sips, a host that is an
 * IP literal or a well-formed name, sane port and parameters, a transport that we
 * have, and nothing that Sofia-SIP stumbles over. 0; -EPROTONOSUPPORT: other
 * scheme (416); -EBADMSG; -EHOSTUNREACH: a name, and no nameserver can be reached. */
int tl_uri_check(const url_t *url);
/* From the first transport for TLS on, sips and transport=tls can be used. */
void tl_uri_allow_tls(void);
/* What a URI with a literal host asks for: TLS when it is sips, UDP when it says nothing. */
enum tl_transport tl_uri_transport(const url_t *url);
/* One further down a route set, that others send to: well-formed, any transport. */
bool tl_uri_is_safe(const url_t *url);
