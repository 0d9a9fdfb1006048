#include "b2bua/sip/stack_lenient.h"
#include <glib.h>
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/tls.h"

enum { KEPT_BYTES = 512 }; /* of a Via, in case it can't be read */

/* Sofia's classes with our parse functions. */
static struct msg_hclass_s cseq_class, via_class, from_class, to_class, contact_class;

/* --- names --- */

/*
 * A name with letters beyond ASCII must stand in quotes (RFC 3261 25.1), and some leave them out:
 *
 *   Jürgen <sip:1001@pbx.test>     becomes     "Jürgen" <sip:1001@pbx.test>
 */
static char *quote_name(su_home_t *home, char *text)
{
	size_t n = strcspn(text, "<\"\\,;");
	bool foreign = false;

	if (text[n] != '<')
		return text;
	for (size_t i = 0; i < n; i++)
		foreign |= (unsigned char)text[i] >= 0x80;
	if (!foreign)
		return text;
	while (g_ascii_isspace(text[n - 1]))
		n--;
	return su_sprintf(home, "\"%.*s\" %s", (int)n, text, strchr(text, '<'));
}

static issize_t parse_named(msg_hclass_t *theirs, su_home_t *home, msg_header_t *h, char *text)
{
	char *line = quote_name(home, text);

	h->sh_class = theirs;
	return line ? theirs->hc_parse(home, h, line, strlen(line)) : -1;
}

static issize_t parse_from(su_home_t *home, msg_header_t *h, char *text, isize_t bytes)
{
	return parse_named(sip_from_class, home, h, text);
}

static issize_t parse_to(su_home_t *home, msg_header_t *h, char *text, isize_t bytes)
{
	return parse_named(sip_to_class, home, h, text);
}

static issize_t parse_contact(su_home_t *home, msg_header_t *h, char *text, isize_t bytes)
{
	return parse_named(sip_contact_class, home, h, text);
}

/* --- methods --- */

/* RFC 3261 25.1, token; sip_method_d() knows fewer. */
static bool is_token(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("-.!%*_+`'~", c));
}

static bool is_odd(char c)
{
	return c && strchr("%+`.", c);
}

/*
 * A method that sip_method_d() would not take: its name is kept (from home), and what is odd in it
 * overwritten, so that the line can be read. NULL: it is none of those.
 */
static char *hide_odd_method(su_home_t *home, char *text)
{
	size_t n = 0;
	bool odd = false;
	char *name;

	for (; is_token(text[n]); n++)
		odd |= is_odd(text[n]);
	if (!odd || (text[n] && !strchr(" \t\r\n", text[n])))
		return NULL;
	name = su_strndup(home, text, n);
	for (size_t i = 0; name && i < n; i++)
		if (is_odd(text[i]))
			text[i] = 'x';
	return name;
}

issize_t tl_lenient_request(su_home_t *home, sip_request_t *request, char *text, isize_t bytes)
{
	const char *name = hide_odd_method(home, text);
	issize_t r = sip_request_class->hc_parse(home, (msg_header_t *)request, text, bytes);

	if (r >= 0 && name) {
		request->rq_method = sip_method_unknown;
		request->rq_method_name = name;
	}
	return r;
}

sip_method_t tl_lenient_method(const char *name)
{
	sip_method_t method = sip_method_code(name);

	return method == sip_method_invalid ? sip_method_unknown : method;
}

static issize_t parse_cseq(su_home_t *home, msg_header_t *h, char *text, isize_t bytes)
{
	size_t digits = strspn(text, "0123456789"), space = strspn(text + digits, " \t\r\n");
	const char *name = digits && space ? hide_odd_method(home, text + digits + space) : NULL;
	issize_t r;

	h->sh_class = sip_cseq_class;
	r = sip_cseq_class->hc_parse(home, h, text, bytes);
	if (r >= 0 && name) {
		((sip_cseq_t *)h)->cs_method = sip_method_unknown;
		((sip_cseq_t *)h)->cs_method_name = name;
	}
	return r;
}

/* --- quoted NULs --- */

void tl_lenient_strip_nuls(msg_t *msg)
{
	char *data = msg_buf_committed_data(msg), *end, *nul;
	size_t bytes = msg_buf_committed(msg);

	if (!data || bytes < 4)
		return;
	end = memmem(data, bytes, "\r\n\r\n", 4);
	end = end ? end : data + bytes;
	/* the first NUL of all ends the line that has been read */
	for (nul = memchr(data, '\0', (size_t)(end - data)); nul;
	     nul = memchr(nul + 1, '\0', (size_t)(end - nul - 1)))
		if (nul > data && nul[-1] == '\\')
			*nul = ' ';
}

/* --- Via --- */

static const char broken[] = "broken"; /* known by its address */

/* The value of the first parameter of this name, as far as it is a token; a new string or NULL. */
static char *param_of(su_home_t *home, const char *text, const char *name)
{
	const char *p = text;
	size_t n;

	while ((p = strchr(p, ';'))) {
		p += 1 + strspn(p + 1, " \t\r\n");
		if (g_ascii_strncasecmp(p, name, strlen(name)) != 0)
			continue;
		p += strlen(name);
		p += strspn(p, " \t\r\n");
		if (*p != '=')
			continue;
		p += 1 + strspn(p + 1, " \t\r\n");
		for (n = 0; is_token(p[n]); n++)
			;
		return n ? su_strndup(home, p, n) : NULL;
	}
	return NULL;
}

/* Where to, and for which transaction: that is what an answer needs. */
static issize_t rescue_via(su_home_t *home, sip_via_t *via, const char *text)
{
	size_t n = strcspn(text, ";,(");
	const char *branch = param_of(home, text, "branch");
	char *line = su_sprintf(home, "%.*s%s%s", (int)n, text, branch ? ";branch=" : "",
				branch ? branch : "");

	*via = (sip_via_t) { .v_common = { { .h_class = sip_via_class } } };
	if (!line || sip_via_class->hc_parse(home, (msg_header_t *)via, line, strlen(line)) < 0)
		return -1;
	via->v_comment = broken;
	return 0;
}

static issize_t parse_via(su_home_t *home, msg_header_t *h, char *text, isize_t bytes)
{
	char kept[KEPT_BYTES];
	issize_t r;

	g_strlcpy(kept, text, sizeof(kept));
	h->sh_class = sip_via_class;
	r = sip_via_class->hc_parse(home, h, text, bytes);
	return r < 0 ? rescue_via(home, (sip_via_t *)h, kept) : r;
}

bool tl_lenient_is_broken(const sip_via_t *via)
{
	return via->v_comment == broken;
}

/* NTA sends its 505 without having looked where the request came from. */
static void stamp(msg_t *msg, sip_via_t *via)
{
	char address[TL_ADDRESS_BYTES], *colon;

	tl_address_text(&msg_addr(msg)->su_sa, address);
	colon = strrchr(address, ':');
	if (!colon)
		return;
	*colon = '\0';
	msg_header_replace_param(msg_home(msg), via->v_common,
				 su_sprintf(msg_home(msg), "received=%s", address));
	msg_header_replace_param(msg_home(msg), via->v_common,
				 su_sprintf(msg_home(msg), "rport=%s", colon + 1));
}

/*
 * Without rport the answer goes to the port that Via names, RFC 3261 18.2.2: there are
 * telephones and gateways that send from one port and listen at another. But one whose Via names
 * another host than it came from is behind a NAT, where only the port that it came from leads in.
 */
static void ask_for_rport(msg_t *msg, sip_via_t *via)
{
	const struct sockaddr *from = &msg_addr(msg)->su_sa;
	struct sockaddr_storage named;

	if (via->v_rport || (tl_address_parse(via->v_host, 0, &named) &&
			     tl_address_same_host((struct sockaddr *)&named, from)))
		return;
	msg_header_replace_param(msg_home(msg), via->v_common,
				 su_sprintf(msg_home(msg), "rport=%u", tl_address_port(from)));
}

void tl_lenient_match_transport(msg_t *msg, sip_t *sip)
{
	sip_via_t *via = sip->sip_via;
	bool stream = msg_addrinfo(msg)->ai_socktype == SOCK_STREAM;

	if (g_ascii_strcasecmp(sip->sip_request->rq_version, sip_version_2_0) != 0)
		stamp(msg, via);
	if (!stream) {
		via->v_protocol = sip_transport_udp;
		ask_for_rport(msg, via);
		return;
	}
	via->v_protocol =
		tl_tls_connected(&msg_addr(msg)->su_sa) ? sip_transport_tls : sip_transport_tcp;
}

bool tl_lenient_supply_length(msg_t *msg, sip_t *sip)
{
	if (sip->sip_content_length || msg_addrinfo(msg)->ai_socktype != SOCK_STREAM)
		return true;
	if (sip->sip_content_type)
		return false;
	msg_header_insert(msg, (msg_pub_t *)sip,
			  (msg_header_t *)sip_content_length_create(msg_home(msg), 0));
	return true;
}

/* --- RFC 2543 --- */

static bool is_of_rfc_2543(const sip_t *sip)
{
	const char *branch = sip->sip_via ? sip->sip_via->v_branch : NULL;

	return !sip->sip_contact && sip->sip_request->rq_method == sip_method_invite &&
	       sip->sip_to && !sip->sip_to->a_tag &&
	       (!branch || g_ascii_strncasecmp(branch, "z9hG4bK", strlen("z9hG4bK")) != 0);
}

void tl_lenient_supply_contact(msg_t *msg, sip_t *sip)
{
	char address[TL_ADDRESS_BYTES];
	sip_contact_t *contact;
	bool stream = msg_addrinfo(msg)->ai_socktype == SOCK_STREAM;

	if (!is_of_rfc_2543(sip))
		return;
	tl_address_text(&msg_addr(msg)->su_sa, address);
	contact = sip_contact_format(msg_home(msg), "<sip:%s%s>", address,
				     stream ? ";transport=tcp" : "");
	if (!contact)
		return;
	msg_header_insert(msg, (msg_pub_t *)sip, (msg_header_t *)contact);
	while (sip->sip_record_route && tl_uri_check(sip->sip_record_route->r_url) < 0)
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip->sip_record_route);
}

/* --- the parser --- */

/*
 * Headers are found by name, and fields of a message by class, both by walking on from the place
 * that the name's hash has: ours goes into the place, theirs to the next one that is free.
 */
static void put_before(msg_mclass_t *mclass, msg_hclass_t *theirs, msg_hclass_t *ours)
{
	unsigned n = (unsigned)mclass->mc_hash_size, i = 0, j;

	while (i < n && mclass->mc_hash[i].hr_class != theirs)
		i++;
	if (i == n)
		return;
	for (j = (i + 1) % n; mclass->mc_hash[j].hr_class; j = (j + 1) % n)
		;
	mclass->mc_hash[j] = mclass->mc_hash[i];
	mclass->mc_hash[i].hr_class = ours;
	mclass->mc_hash_used++;
}

static void install(msg_mclass_t *mclass, msg_hclass_t *theirs, struct msg_hclass_s *ours,
		    msg_parse_f *parse)
{
	msg_href_t *brief = (msg_href_t *)mclass->mc_short;

	*ours = *theirs;
	ours->hc_parse = parse;
	put_before(mclass, theirs, ours);
	for (unsigned i = 0; brief && i < MC_SHORT_SIZE; i++)
		if (brief[i].hr_class == theirs)
			brief[i].hr_class = ours;
}

void tl_lenient_install(msg_mclass_t *mclass)
{
	install(mclass, sip_cseq_class, &cseq_class, parse_cseq);
	install(mclass, sip_via_class, &via_class, parse_via);
	install(mclass, sip_from_class, &from_class, parse_from);
	install(mclass, sip_to_class, &to_class, parse_to);
	install(mclass, sip_contact_class, &contact_class, parse_contact);
}
