#include "b2bua/trunk/keeper.h"
#include <glib.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/url.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/flow.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "b2bua/sip/tls.h"

enum {
	TICK_MS = 1000,
	PONG_S = 10, /* RFC 5626 4.4.1 */
	KERNEL_PATIENCE_MS = 20000,
	PONG_BYTES = 64, /* two bytes and what TLS makes of them; no SIP message is so short */
	FLOW_TIMER_MAX_S = 86400,
};

struct tl_keeper {
	struct tl_stack *stack;
	char *name, *label;          /* "carrier", "trunk=carrier" */
	unsigned interval_s, pace_s; /* pace_s: what the server wants, where that is less */
	tl_keeper_fn *on_lost;
	void *user;
	struct tl_flows *flows;
	su_timer_t *timer;

	char *hop; /* NULL: there is nothing to keep */
	struct sockaddr_storage peer;
	enum tl_transport transport;
	int fd;    /* TCP: of the connection, -1: not known */
	bool told; /* Flow-Timer: the server answers pings */
	bool answers;
	int64_t due_us, sent_us; /* the next ping; the one that is out, or 0 */
	guint64 received_bytes;  /* when it was sent */
};

static int64_t now_us(void)
{
	return g_get_monotonic_time();
}

/* --- the connection --- */

static bool leads_to(int fd, const struct sockaddr *peer)
{
	struct sockaddr_storage other = { 0 };
	socklen_t bytes = sizeof(other);

	return fd >= 0 && getpeername(fd, (struct sockaddr *)&other, &bytes) == 0 &&
	       tl_address_equal((struct sockaddr *)&other, peer);
}

/* Looked at anew each time, since it is Sofia who closes it. */
static int connection_of(struct tl_keeper *keeper)
{
	const struct sockaddr *peer = (struct sockaddr *)&keeper->peer;

	if (keeper->transport == TL_TRANSPORT_TLS)
		return tl_tls_dialled(keeper->label, peer);
	if (!leads_to(keeper->fd, peer))
		keeper->fd = tl_stack_connection(peer);
	return keeper->fd;
}

static guint64 received_on(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t bytes = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) < 0)
		return 0;
	return info.tcpi_bytes_received;
}

/* --- pings --- */

static void plan_next(struct tl_keeper *keeper)
{
	/* RFC 5626 4.4.1: 80 to 100 % of it, so that not all come in step */
	keeper->due_us = now_us() + (int64_t)((0.8 + 0.2 * g_random_double()) *
					      (double)keeper->pace_s * G_USEC_PER_SEC);
}

static void ping(struct tl_keeper *keeper)
{
	const struct sockaddr *peer = (struct sockaddr *)&keeper->peer;
	int fd, r;

	plan_next(keeper);
	if (keeper->transport == TL_TRANSPORT_UDP) {
		tl_stack_send_crlf(keeper->stack, peer);
		return;
	}
	fd = connection_of(keeper);
	if (fd < 0)
		return;
	keeper->received_bytes = received_on(fd);
	r = keeper->transport == TL_TRANSPORT_TLS ? tl_tls_send_crlf(keeper->label, peer)
						  : tl_stack_connection_send_crlf(fd);
	keeper->sent_us = r == 0 ? now_us() : 0;
}

/* Any bytes that have come since are a sign of life. */
static void judge_ping(struct tl_keeper *keeper)
{
	int fd = connection_of(keeper);
	guint64 more = fd < 0 ? 0 : received_on(fd) - keeper->received_bytes;
	bool late = now_us() - keeper->sent_us >= PONG_S * G_USEC_PER_SEC;

	if (more > 0 && more <= PONG_BYTES)
		keeper->answers = true;
	if (more == 0 && fd >= 0 && !late)
		return;
	keeper->sent_us = 0;
	if (more > 0 || fd < 0 || !(keeper->answers || keeper->told))
		return; /* fd -1: it has closed, and we are told so */
	g_message("trunk=%s connection dead server=%s", keeper->name, keeper->hop);
	(void)shutdown(fd, SHUT_RDWR); /* Sofia hears of it, closes, and tells us */
}

static void on_tick(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_keeper *keeper = (struct tl_keeper *)arg;

	if (!keeper->hop || !keeper->pace_s)
		return;
	if (keeper->sent_us)
		judge_ping(keeper);
	if (now_us() >= keeper->due_us && !keeper->sent_us)
		ping(keeper);
}

/* --- whom to keep --- */

static void on_closed(const char *hop, void *user)
{
	struct tl_keeper *keeper = user;

	if (g_strcmp0(hop, keeper->hop) != 0)
		return; /* that of a server that we have left */
	g_message("trunk=%s connection closed server=%s", keeper->name, hop);
	tl_keeper_rest(keeper);
	keeper->on_lost(keeper->user);
}

void tl_keeper_rest(struct tl_keeper *keeper)
{
	g_clear_pointer(&keeper->hop, g_free);
	keeper->fd = -1;
	keeper->sent_us = 0;
	keeper->answers = false;
}

/* Seconds, or 0: it says none. */
static unsigned flow_timer_of(const sip_t *sip)
{
	for (const sip_unknown_t *h = sip->sip_unknown; h; h = h->un_next)
		if (h->un_name && h->un_value && g_ascii_strcasecmp(h->un_name, "Flow-Timer") == 0)
			return (unsigned)MIN(g_ascii_strtoull(h->un_value, NULL, 10),
					     (guint64)FLOW_TIMER_MAX_S);
	return 0;
}

static bool read_hop(struct tl_keeper *keeper, const char *hop)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	url_t *url = url_make(home, hop);
	bool good = false;

	if (url && url->url_host) {
		keeper->transport = tl_uri_transport(url);
		good = tl_address_parse(url->url_host,
					(uint16_t)g_ascii_strtoull(
						url->url_port ? url->url_port : "5060", NULL, 10),
					&keeper->peer);
	}
	su_home_deinit(home);
	return good;
}

void tl_keeper_follow(struct tl_keeper *keeper, nta_outgoing_t *orq, const char *hop,
		      const sip_t *answer)
{
	bool same = g_strcmp0(keeper->hop, hop) == 0;
	unsigned flow_timer_s = flow_timer_of(answer), patience_ms = KERNEL_PATIENCE_MS;
	int fd;

	if (!same)
		tl_keeper_rest(keeper);
	if (!read_hop(keeper, hop))
		return;
	if (!same)
		keeper->hop = g_strdup(hop);
	keeper->told = flow_timer_s > 0;
	keeper->pace_s = keeper->interval_s;
	if (flow_timer_s > 0 && keeper->interval_s > 0)
		keeper->pace_s = MIN(keeper->interval_s, flow_timer_s);
	if (!same)
		plan_next(keeper);
	if (keeper->transport == TL_TRANSPORT_UDP)
		return;
	tl_flows_watch_sent(keeper->flows, orq, hop);
	fd = connection_of(keeper);
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
				 sizeof(patience_ms));
}

/* --- life --- */

struct tl_keeper *tl_keeper_new(struct tl_stack *stack, const char *name, unsigned interval_s,
				tl_keeper_fn *on_lost, void *user)
{
	struct tl_keeper *keeper = g_new0(struct tl_keeper, 1);

	keeper->stack = stack;
	keeper->name = g_strdup(name);
	keeper->label = g_strdup_printf("trunk=%s", name);
	keeper->interval_s = interval_s;
	keeper->on_lost = on_lost;
	keeper->user = user;
	keeper->fd = -1;
	keeper->flows = tl_flows_new(stack, on_closed, keeper);
	tl_timer_repeat(&keeper->timer, tl_stack_root(stack), TICK_MS, on_tick, keeper);
	return keeper;
}

void tl_keeper_free(struct tl_keeper *keeper)
{
	if (!keeper)
		return;
	tl_timer_stop(&keeper->timer);
	tl_flows_free(keeper->flows);
	g_free(keeper->hop);
	g_free(keeper->name);
	g_free(keeper->label);
	g_free(keeper);
}
