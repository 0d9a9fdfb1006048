#include "b2bua/trunk/resolve.h"
#include <glib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sofia-resolv/sres_record.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/nameservers.h"

enum {
	QUERIES_MAX = 64, /* of one resolution: a chain of records may be long, and anybody's */
	NAME_BYTES = 256,
};

/* A question that is out, and what its answer is for. */
struct question {
	struct tl_resolve *resolve;
	uint16_t type;
	struct tl_server like; /* the address is still missing */
	uint16_t port;         /* of the server, when SRV or the configuration says it */
	char *fallback;        /* SRV: the name whose address counts when there is none */
};

struct tl_resolve {
	sres_resolver_t *resolver;
	tl_resolve_fn *fn; /* NULL: nobody waits any more */
	void *user;
	char *host;
	enum tl_transport transport;
	unsigned out, asked; /* questions */
	bool starting;
	unsigned ttl_s;
	struct tl_server servers[TL_RESOLVE_SERVERS];
	size_t n;
};

static const struct {
	enum tl_transport transport;
	const char *service, *prefix;
} services[] = {
	{ TL_TRANSPORT_UDP, "SIP+D2U", "_sip._udp." },
	{ TL_TRANSPORT_TCP, "SIP+D2T", "_sip._tcp." },
	{ TL_TRANSPORT_TLS, "SIPS+D2T", "_sips._tcp." },
};

static uint16_t default_port(enum tl_transport transport)
{
	return transport == TL_TRANSPORT_TLS ? 5061 : 5060;
}

static void resolve_done(struct tl_resolve *resolve)
{
	if (resolve->out > 0 || resolve->starting)
		return;
	if (resolve->fn)
		resolve->fn(resolve->user, resolve->servers, resolve->n,
			    CLAMP(resolve->ttl_s, TL_RESOLVE_TTL_MIN_S, TL_RESOLVE_TTL_MAX_S));
	g_free(resolve->host);
	g_free(resolve);
}

static void on_answer(sres_context_t *context, sres_query_t *query, sres_record_t **answers);

static void ask(struct tl_resolve *resolve, uint16_t type, const char *name,
		const struct tl_server *like, uint16_t port, const char *fallback)
{
	struct question *question;

	if (resolve->asked++ >= QUERIES_MAX || strlen(name) >= NAME_BYTES ||
	    !tl_nameservers_reachable())
		return;
	question = g_new0(struct question, 1);
	*question = (struct question) { .resolve = resolve,
					.type = type,
					.like = *like,
					.port = port,
					.fallback = g_strdup(fallback) };
	resolve->out++;
	if (!sres_query(resolve->resolver, on_answer, (sres_context_t *)question, type, name)) {
		resolve->out--;
		g_free(question->fallback);
		g_free(question);
	}
}

static void ask_addresses(struct tl_resolve *resolve, const char *name,
			  const struct tl_server *like, uint16_t port)
{
	ask(resolve, sres_type_a, name, like, port, NULL);
	ask(resolve, sres_type_aaaa, name, like, port, NULL);
}

static void add_server(const struct question *question, const sres_record_t *record)
{
	struct tl_resolve *resolve = question->resolve;
	struct tl_server server = question->like;
	uint16_t port = question->port ? question->port : default_port(server.transport);
	struct sockaddr_in *in4 = (struct sockaddr_in *)&server.addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&server.addr;

	if (resolve->n == TL_RESOLVE_SERVERS)
		return;
	if (question->type == sres_type_a) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		in4->sin_addr = record->sr_a->a_addr;
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, &record->sr_aaaa->aaaa_addr, sizeof(in6->sin6_addr));
	}
	resolve->servers[resolve->n++] = server;
}

static void follow_srv(const struct question *question, const sres_srv_record_t *srv)
{
	struct tl_server like = question->like;

	if (strcmp(srv->srv_target, ".") == 0) /* RFC 2782: decidedly not here */
		return;
	like.priority = srv->srv_priority;
	like.weight = srv->srv_weight;
	ask_addresses(question->resolve, srv->srv_target, &like, srv->srv_port);
}

/* Without a NAPTR: each transport that may have an SRV; without these, UDP at the name itself. */
static void ask_without_naptr(struct tl_resolve *resolve)
{
	for (unsigned i = 0; i < 2; i++) {
		struct tl_server like = { .transport = services[i].transport, .order = i };
		g_autofree char *name = g_strconcat(services[i].prefix, resolve->host, NULL);

		ask(resolve, sres_type_srv, name, &like, 0,
		    services[i].transport == TL_TRANSPORT_UDP ? resolve->host : NULL);
	}
}

static bool follow_naptr(const struct question *question, const sres_naptr_record_t *naptr)
{
	for (size_t i = 0; i < G_N_ELEMENTS(services); i++) {
		struct tl_server like = { .transport = services[i].transport,
					  .order = (unsigned)naptr->na_order << 16 |
						   naptr->na_prefer };

		if (g_ascii_strcasecmp(naptr->na_services, services[i].service) != 0 ||
		    g_ascii_strcasecmp(naptr->na_flags, "s") != 0)
			continue;
		ask(question->resolve, sres_type_srv, naptr->na_replace, &like, 0, NULL);
		return true;
	}
	return false;
}

/* Records of the type asked for, each used. Returns how many. */
static unsigned use_answers(const struct question *question, sres_record_t **answers)
{
	struct tl_resolve *resolve = question->resolve;
	unsigned used = 0;

	for (; answers && *answers; answers++) {
		const sres_record_t *record = *answers;

		if (record->sr_record->r_status || record->sr_record->r_type != question->type)
			continue;
		resolve->ttl_s = MIN(resolve->ttl_s, record->sr_record->r_ttl);
		used++;
		if (question->type == sres_type_srv)
			follow_srv(question, record->sr_srv);
		else if (question->type == sres_type_naptr)
			used -= !follow_naptr(question, record->sr_naptr);
		else
			add_server(question, record);
	}
	return used;
}

static void on_answer(sres_context_t *context, sres_query_t *query, sres_record_t **answers)
{
	struct question *question = (struct question *)context;
	struct tl_resolve *resolve = question->resolve;

	resolve->out--;
	if (resolve->fn && use_answers(question, answers) == 0) {
		if (question->type == sres_type_naptr)
			ask_without_naptr(resolve);
		else if (question->type == sres_type_srv && question->fallback)
			ask_addresses(resolve, question->fallback, &question->like, 0);
	}
	sres_free_answers(resolve->resolver, answers);
	g_free(question->fallback);
	g_free(question);
	resolve_done(resolve);
}

struct tl_resolve *tl_resolve_new(sres_resolver_t *resolver, const char *host, uint16_t port,
				  enum tl_transport transport, tl_resolve_fn *fn, void *user)
{
	bool any = transport == _TL_TRANSPORT_INVALID;
	struct tl_server like = { .transport = any ? TL_TRANSPORT_UDP : transport };
	struct tl_resolve *resolve;

	if (tl_address_parse(host, port ? port : default_port(like.transport), &like.addr)) {
		fn(user, &like, 1, TL_RESOLVE_TTL_MAX_S);
		return NULL;
	}
	resolve = g_new0(struct tl_resolve, 1);
	*resolve = (struct tl_resolve) { .resolver = resolver,
					 .fn = fn,
					 .user = user,
					 .host = g_strdup(host),
					 .starting = true,
					 .ttl_s = TL_RESOLVE_TTL_MAX_S };
	if (port) {
		ask_addresses(resolve, host, &like, port);
	} else if (any) {
		ask(resolve, sres_type_naptr, host, &like, 0, NULL);
	} else {
		g_autofree char *name = g_strconcat(services[transport].prefix, host, NULL);

		ask(resolve, sres_type_srv, name, &like, 0, host);
	}
	resolve->starting = false;
	if (resolve->out > 0)
		return resolve;
	resolve->ttl_s = 0;
	resolve_done(resolve);
	return NULL;
}

/* Its questions can't be taken back; the last answer frees it. */
void tl_resolve_free(struct tl_resolve *resolve)
{
	if (resolve)
		resolve->fn = NULL;
}

/* --- the order --- */

static int compare(const void *a, const void *b)
{
	const struct tl_server *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight > 0) - (y->weight > 0); /* RFC 2782: those without weight stand first */
}

static bool is_equal_rank(const struct tl_server *a, const struct tl_server *b)
{
	return a->place == b->place && a->order == b->order && a->priority == b->priority;
}

/* RFC 2782: the next is the first whose running sum reaches a number drawn from 0 to the sum. */
static size_t draw_one(const struct tl_server *servers, size_t n,
		       uint32_t (*draw)(void *user, uint32_t n), void *user)
{
	uint32_t sum = 0, mark;

	for (size_t i = 0; i < n; i++)
		sum += servers[i].weight;
	mark = draw(user, sum + 1);
	sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += servers[i].weight;
		if (sum >= mark)
			return i;
	}
	return 0;
}

void tl_servers_sort(struct tl_server *servers, size_t n, uint32_t (*draw)(void *user, uint32_t n),
		     void *user)
{
	qsort(servers, n, sizeof(*servers), compare);
	for (size_t i = 0; i + 1 < n; i++) {
		size_t equals = 1, chosen;
		struct tl_server first;

		while (i + equals < n && is_equal_rank(&servers[i], &servers[i + equals]))
			equals++;
		chosen = i + draw_one(&servers[i], equals, draw, user);
		first = servers[chosen];
		memmove(&servers[i + 1], &servers[i], (chosen - i) * sizeof(first));
		servers[i] = first;
	}
}
