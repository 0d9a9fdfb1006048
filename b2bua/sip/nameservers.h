#pragma once
/*
 * The resolver's configuration: what of /etc/resolv.conf can be reached, or
 * 127.0.0.1 when nothing can. Sofia's resolver goes round its servers for ever
 * when a socket to them can't be connected (an uplink that is down), and the
 * signalling thread with it: so it gets no server without a route, and no name is
 * given to it while one of its servers has lost its route. Signalling thread.
 */
#include <stdbool.h>
#include <sofia-sip/su_wait.h>

struct tl_nameservers; /* one a process */

/* Follows changes of the file and of routes, looking twice a minute. 0 or -errno. */
int tl_nameservers_new(su_root_t *root, struct tl_nameservers **ret_nameservers);
void tl_nameservers_free(struct tl_nameservers *ns); /* NULL ok */
/* For SRESTAG_RESOLV_CONF(); lent. */
const char *tl_nameservers_path(const struct tl_nameservers *ns);
/* May a name be resolved now? Asks the routing table; sends nothing. */
bool tl_nameservers_reachable(void);
