#include "b2bua/sip/stack_accept.h"
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "b2bua/log.h"
#include "b2bua/sip/address.h"

enum {
	SOURCE_MIN = 64,  /* connections that one source may always have */
	SOURCE_SHARE = 8, /* of all, one source gets the so-manieth part */
	AT_ONCE = 64,     /* that are turned away before others have their turn */
	LOOK_MS = 1000,   /* between two looks for those that are gone */
};

struct connection {
	struct sockaddr_storage peer;
	struct tl_address_key source;
};

/* Counts connections against a limit for all. */
struct accepted {
	unsigned max;
	GHashTable *connections; /* descriptor -> struct connection */
	GHashTable *sources;     /* struct tl_address_key -> how many */
	int64_t looked_us;
};

/* --- counting --- */

static struct accepted *accepted_new(unsigned max)
{
	struct accepted *accepted = g_new0(struct accepted, 1);

	accepted->max = max;
	accepted->connections = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	accepted->sources =
		g_hash_table_new_full(tl_address_key_hash, tl_address_key_equal, g_free, NULL);
	return accepted;
}

static void accepted_free(struct accepted *accepted)
{
	if (!accepted)
		return;
	g_hash_table_destroy(accepted->connections);
	g_hash_table_destroy(accepted->sources);
	g_free(accepted);
}

static unsigned accepted_count(const struct accepted *accepted)
{
	return g_hash_table_size(accepted->connections);
}

static unsigned count_of(const struct accepted *accepted, const struct tl_address_key *source)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(accepted->sources, source));
}

static void count(struct accepted *accepted, const struct tl_address_key *source, int more)
{
	unsigned n = count_of(accepted, source) + (unsigned)more;

	if (n == 0)
		g_hash_table_remove(accepted->sources, source);
	else
		g_hash_table_replace(accepted->sources, g_memdup2(source, sizeof(*source)),
				     GUINT_TO_POINTER(n));
}

static bool is_gone(int fd, const struct connection *c)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t bytes = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &bytes) < 0 ||
	       !tl_address_equal((struct sockaddr *)&peer, (const struct sockaddr *)&c->peer);
}

/* Takes all of them, so not more often than LOOK_MS. */
static void forget_gone(struct accepted *accepted)
{
	int64_t now_us = g_get_monotonic_time();
	GHashTableIter iter;
	gpointer fd, c;

	if (accepted->looked_us && now_us - accepted->looked_us < LOOK_MS * 1000)
		return;
	accepted->looked_us = now_us;
	g_hash_table_iter_init(&iter, accepted->connections);
	while (g_hash_table_iter_next(&iter, &fd, &c))
		if (is_gone(GPOINTER_TO_INT(fd), c)) {
			count(accepted, &((struct connection *)c)->source, -1);
			g_hash_table_iter_remove(&iter);
		}
}

static bool is_too_much(const struct accepted *accepted, const struct tl_address_key *source)
{
	return accepted_count(accepted) >= accepted->max ||
	       count_of(accepted, source) >=
		       MAX((unsigned)SOURCE_MIN, accepted->max / SOURCE_SHARE);
}

/* A connection of this descriptor, from peer. False: there are too many, close it. Those that have
 * been closed meanwhile are found by looking at their descriptors. */
static bool accepted_add(struct accepted *accepted, int fd, const struct sockaddr *peer)
{
	struct connection *c = g_hash_table_lookup(accepted->connections, GINT_TO_POINTER(fd));
	struct tl_address_key source = tl_address_key(peer);

	if (c) { /* the one that had this descriptor before */
		count(accepted, &c->source, -1);
		g_hash_table_remove(accepted->connections, GINT_TO_POINTER(fd));
	}
	if (is_too_much(accepted, &source))
		forget_gone(accepted);
	if (is_too_much(accepted, &source))
		return false;
	c = g_new0(struct connection, 1);
	memcpy(&c->peer, peer,
	       peer->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in));
	c->source = source;
	g_hash_table_insert(accepted->connections, GINT_TO_POINTER(fd), c);
	count(accepted, &source, 1);
	return true;
}

/* --- accepting --- */

static struct accepted *all;
static unsigned users; /* stacks: more than one in tests only */
static int spare = -1; /* a descriptor to let go when there is no other */
static struct tl_log_limit limit;

void tl_accept_start(void)
{
	struct rlimit descriptors = { .rlim_cur = 1024 };

	if (users++ > 0)
		return;
	(void)getrlimit(RLIMIT_NOFILE, &descriptors);
	all = accepted_new((unsigned)MIN(descriptors.rlim_cur, 1u << 20) / 2);
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void tl_accept_stop(void)
{
	if (--users > 0)
		return;
	g_clear_pointer(&all, accepted_free);
	if (spare >= 0)
		close(spare);
	spare = -1;
}

static void turn_away(int fd, const struct sockaddr *peer)
{
	char text[TL_ADDRESS_BYTES];
	unsigned skipped;

	close(fd);
	if (tl_log_allow(&limit, &skipped))
		g_message("door: too many connections src=%s all=%u skipped=%u",
			  tl_address_text(peer, text), all ? accepted_count(all) : 0, skipped);
}

/* With no descriptor left the connection would stay in the queue, and wake us for ever. */
static void turn_away_without(int listener)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t bytes = sizeof(peer);
	int fd;

	if (spare >= 0)
		close(spare);
	fd = accept4(listener, (struct sockaddr *)&peer, &bytes, SOCK_CLOEXEC);
	if (fd >= 0)
		turn_away(fd, (struct sockaddr *)&peer);
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* In the C library's stead. */
int accept(int listener, __SOCKADDR_ARG peer, socklen_t *bytes)
{
	for (unsigned n = 0; n < AT_ONCE; n++) {
		socklen_t room = *bytes;
		int fd = accept4(listener, peer, &room, SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
			turn_away_without(listener);
			continue;
		}
		if (fd < 0 || (all && accepted_add(all, fd, peer.__sockaddr__))) {
			*bytes = room;
			return fd;
		}
		turn_away(fd, peer.__sockaddr__);
	}
	errno = EAGAIN;
	return -1;
}
