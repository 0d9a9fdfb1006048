/*
 * What is read of a REGISTER, its credentials and the bindings it asks for; and of a server's
 * challenge. An input is one message or several, parted by a byte 0x1e, all of one extension: what
 * one binds, the next finds. What our own client answers to a challenge, our server must let in.
 */
#include <glib.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>
#include "b2bua/registrar/digest_verify.h"
#include "b2bua/registrar/location.h"
#include "b2bua/registrar/registrar_plan.h"
#include "b2bua/sip/digest.h"
#include "b2bua/sip/stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { SEPARATOR = 0x1e, MESSAGES = 8, NOW_S = 1700000000, MAX_S = 7200, CONTACTS = 3 };

static const struct tl_secret secret = { .password = "secret" };
static const char extension[] = "1001";

static void take_claims(const msg_auth_t *auth, const char *method)
{
	for (; auth; auth = auth->au_next) {
		struct tl_claim claim;

		if (tl_claim_parse(auth->au_params, &claim) == 0)
			(void)tl_claim_verify(&claim, method, &secret);
	}
}

/* A value of Authorization or Proxy-Authorization that we would send. */
static void check_answer(su_home_t *home, const char *value, const char *username)
{
	sip_authorization_t *auth = value ? sip_authorization_make(home, value) : NULL;
	struct tl_claim claim;

	if (!value)
		return;
	g_assert_nonnull(auth);
	/* longer than what our server ever says, or what it does not offer */
	if (tl_claim_parse(auth->au_params, &claim) < 0)
		return;
	g_assert_cmpstr(claim.username, ==, username);
	g_assert_true(tl_claim_verify(&claim, "REGISTER", &secret));
}

static void answer_challenge(const sip_t *sip)
{
	static const char username[] = "10\"0\\1";
	struct tl_digest *digest = tl_digest_new(username, secret.password);
	su_home_t home[1] = { SU_HOME_INIT(home) };

	if (tl_digest_challenged(digest, sip) == 0)
		for (int i = 0; i < 2; i++) { /* with the nonce's next count */
			check_answer(home,
				     tl_digest_authorization(digest, home, "REGISTER",
							     "sip:pbx.test", NULL),
				     username);
			check_answer(home,
				     tl_digest_proxy_authorization(digest, home, "REGISTER",
								   "sip:pbx.test", NULL),
				     username);
		}
	tl_digest_free(digest);
	su_home_deinit(home);
}

/* What is bound must be a URI that can be called, and the same that was asked for. */
static void check_contact(const struct tl_register_change *change)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const url_t *url = url_make(home, change->contact);

	g_assert_nonnull(url);
	g_assert_cmpint(tl_uri_check(url), ==, 0);
	g_assert_true(tl_register_same_uri(url, change->url));
	g_assert_true(change->q >= 0 && change->q <= 1);
	g_assert_true(change->expires_s > NOW_S && change->expires_s <= NOW_S + MAX_S);
	su_home_deinit(home);
}

static void put(struct tl_location *location, const sip_t *sip,
		const struct tl_register_change *change)
{
	static const struct sockaddr_in source = { .sin_family = AF_INET, .sin_port = 0x1234 };
	enum tl_transport transport = sip->sip_cseq->cs_seq % 3;
	g_autofree char *route =
		tl_register_route(sip, change->url, (const struct sockaddr *)&source, transport);
	const struct tl_location_binding binding = {
		.extension = (char *)extension,
		.contact = (char *)change->contact,
		.route = route,
		.call_id = (char *)sip->sip_call_id->i_id,
		.user_agent = "",
		.instance = *change->instance ? (char *)change->instance : NULL,
		.reg_id = change->reg_id,
		.cseq = sip->sip_cseq->cs_seq,
		.q = change->q,
		.expires_s = change->expires_s,
	};

	check_contact(change);
	if (route)
		(void)tl_register_outlives(change->contact, route);
	tl_location_put(location, &binding);
}

static void bind_contacts(struct tl_location *location, const sip_t *sip)
{
	const struct tl_register_facts facts = { .sip = sip,
						 .bindings = tl_location_find(location, extension),
						 .min_s = 60,
						 .max_s = MAX_S,
						 .default_s = 1800,
						 .max_contacts = CONTACTS,
						 .now_s = NOW_S };
	struct tl_register_plan plan;

	tl_register_plan_make(&facts, &plan);
	for (guint i = 0; !plan.status && i < plan.changes->len; i++) {
		const struct tl_register_change *change =
			&g_array_index(plan.changes, struct tl_register_change, i);

		if (change->put)
			put(location, sip, change);
		if (*change->old_contact &&
		    !(change->put && strcmp(change->contact, change->old_contact) == 0))
			tl_location_remove(location, extension, change->old_contact,
					   TL_LOCATION_REMOVED);
	}
	g_assert_cmpuint(tl_location_count(location), <=, CONTACTS);
	tl_register_plan_done(&plan);
}

static void take(struct tl_location *location, const uint8_t *data, size_t bytes)
{
	msg_t *msg = msg_make(sip_default_mclass(), 0, data, (ssize_t)bytes);
	const sip_t *sip = msg ? sip_object(msg) : NULL;

	if (sip && sip->sip_status) {
		answer_challenge(sip);
	} else if (sip && sip->sip_request) {
		take_claims(sip->sip_authorization, sip->sip_request->rq_method_name);
		take_claims(sip->sip_proxy_authorization, sip->sip_request->rq_method_name);
		/* the registrar answers 400 to what lacks one of these, and the stack before it */
		if (!sip->sip_error && sip->sip_to && sip->sip_call_id && sip->sip_cseq &&
		    sip->sip_via)
			bind_contacts(location, sip);
	}
	msg_destroy(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct tl_location *location = tl_location_new();

	for (unsigned i = 0; i < MESSAGES && bytes > 0; i++) {
		const uint8_t *parting = memchr(data, SEPARATOR, bytes);
		size_t n = parting ? (size_t)(parting - data) : bytes;

		take(location, data, n);
		data += n + (parting ? 1 : 0);
		bytes -= n + (parting ? 1 : 0);
	}
	tl_location_free(location);
	return 0;
}
