#include "b2bua/registrar/access.h"

#include <errno.h>
#include <string.h>
#include <glib.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include "b2bua/sip/address.h"
#include "b2bua/registrar/digest_verify.h"
#include "b2bua/log.h"
#include "b2bua/registrar/nonce.h"
#include "b2bua/registrar/warden.h"
#include "b2bua/sip/stack.h"

enum {
	NONCE_LIFETIME_S = 600,
	NONCES_USED = 20000,
	CLAIMS_PER_REQUEST = 4, /* Authorization headers looked at */
	/* From so many wrong attempts in a short time on, the answer is 403 and no new challenge: a
	 * telephone then tells its user, and stops. */
	ATTEMPTS_CHALLENGED = 3,
};
struct tl_access {
	struct tl_nonces *nonces;
	struct tl_warden *warden;
	struct tl_log_limit wrong_limit;
};

enum verdict {
	VERDICT_NO_CLAIM, /* no credentials for our realm */
	VERDICT_GOOD,
	VERDICT_STALE,     /* not our nonce, too old, or used: nothing is said of the password */
	VERDICT_WRONG,     /* wrong user, password or URI, with a nonce of ours */
	VERDICT_MALFORMED, /* can't be read */
};

/* One request at our door. */
struct visit {
	struct tl_access *access;
	const struct tl_dialplan *dp;
	struct tl_request *request;
	int64_t now_us;
	struct tl_claim claim; /* the one that verdict is about */
	/* whose the claim is, when it is good */
	const struct tl_extension_cfg *extension;
	const struct tl_trunk_cfg *trunk;
	bool trunks; /* a trunk will do */
};

struct tl_access *tl_access_new(struct tl_store *store, const struct tl_gateway *gateway)
{
	struct tl_access *access = g_new0(struct tl_access, 1);

	access->nonces = tl_nonces_new(NONCE_LIFETIME_S, NONCES_USED);
	access->warden = tl_warden_new(store, gateway, g_get_monotonic_time());
	return access;
}

void tl_access_free(struct tl_access *access)
{
	if (!access)
		return;
	tl_nonces_free(access->nonces);
	tl_warden_free(access->warden);
	g_free(access);
}

void tl_access_configure(struct tl_access *access, const struct tl_gateway *gateway)
{
	tl_warden_configure(access->warden, gateway);
}

struct tl_warden *tl_access_warden(struct tl_access *access)
{
	return access->warden;
}

/*
 * RFC 7616 3.4.6 wants the same resource, not the same spelling; clients differ
 * in port, parameters and case. What a strict comparison would keep out, a
 * response used for another request, the nonce count keeps out anyway.
 */
static bool uri_fits(const char *uri, const url_t *request_uri)
{
	char copy[sizeof(((struct tl_claim *)0)->uri)];
	url_t url;

	g_strlcpy(copy, uri, sizeof(copy));
	if (url_d(&url, copy) < 0 || !url.url_host || !request_uri->url_host)
		return false;
	return g_ascii_strcasecmp(url.url_host, request_uri->url_host) == 0 &&
	       g_strcmp0(url.url_user, request_uri->url_user) == 0;
}

/*
 * The nonce is judged first and the password only when it is good: a client
 * can't test passwords, or have failures counted against an address that it
 * merely pretends to have, without a nonce that was sent to that address.
 */
static enum verdict judge_claim(struct visit *visit)
{
	const struct tl_claim *claim = &visit->claim;
	const struct sockaddr *source = (const struct sockaddr *)&visit->request->source;
	const sip_request_t *request = visit->request->sip->sip_request;
	const struct tl_extension_cfg *extension;
	const struct tl_trunk_cfg *trunk = NULL;
	struct tl_secret secret = { 0 };
	bool fits;

	if (tl_nonces_check(visit->access->nonces, claim->nonce, source, visit->now_us) < 0)
		return VERDICT_STALE;

	extension = tl_dialplan_extension(visit->dp, claim->username);
	if (extension) {
		secret.password = extension->password;
		secret.ha1[TL_CLAIM_MD5] = extension->ha1;
		secret.ha1[TL_CLAIM_SHA256] = extension->ha1_sha256;
	} else if (visit->trunks) {
		trunk = tl_dialplan_trunk_by_user(visit->dp, claim->username);
		secret.password = trunk ? trunk->allow_password : NULL;
	}
	fits = tl_claim_verify(claim, request->rq_method_name, &secret);
	if (!fits || !(extension || trunk) || !uri_fits(claim->uri, request->rq_url))
		return VERDICT_WRONG;
	if (tl_nonces_spend(visit->access->nonces, claim->nonce, claim->nc, visit->now_us) < 0)
		return VERDICT_STALE;
	visit->extension = extension;
	visit->trunk = trunk;
	return VERDICT_GOOD;
}

static bool is_offered(const struct visit *visit, enum tl_claim_algorithm algorithm)
{
	enum tl_digest_offer digest = tl_dialplan_gateway(visit->dp)->digest;

	return digest == TL_DIGEST_BOTH ||
	       (digest == TL_DIGEST_SHA256) == (algorithm == TL_CLAIM_SHA256);
}

/* Of several headers for our realm (one for each algorithm offered) the first good one counts. */
static enum verdict judge_headers(struct visit *visit, const msg_auth_t *auth)
{
	const char *realm = tl_dialplan_gateway(visit->dp)->domain;
	enum verdict verdict = VERDICT_NO_CLAIM;
	int r;

	for (int i = 0; auth && i < CLAIMS_PER_REQUEST; i++, auth = auth->au_next) {
		if (!auth->au_scheme || g_ascii_strcasecmp(auth->au_scheme, "Digest") != 0)
			continue;
		r = tl_claim_parse(auth->au_params, &visit->claim);
		if (r == -ENOTSUP)
			continue; /* -sess, auth-int: the challenge says once more what we do */
		if (r < 0) {
			verdict = MAX(verdict, VERDICT_MALFORMED);
			continue;
		}
		if (g_ascii_strcasecmp(visit->claim.realm, realm) != 0)
			continue;
		if (!is_offered(visit, visit->claim.algorithm))
			continue; /* nobody talks us down to the weaker one */
		verdict = judge_claim(visit);
		if (verdict == VERDICT_GOOD)
			break;
	}
	return verdict;
}

static enum verdict judge(struct visit *visit)
{
	enum verdict verdict = judge_headers(visit, visit->request->sip->sip_proxy_authorization);

	if (verdict == VERDICT_NO_CLAIM)
		verdict = judge_headers(visit, visit->request->sip->sip_authorization);
	return verdict;
}

/* NULL: not this one. */
static char *format_challenge(const struct visit *visit, enum tl_claim_algorithm algorithm,
			      bool stale)
{
	char nonce[TL_NONCE_BYTES];

	if (!is_offered(visit, algorithm))
		return NULL;
	tl_nonces_issue(visit->access->nonces, (const struct sockaddr *)&visit->request->source,
			visit->now_us, nonce);
	return g_strdup_printf("Digest realm=\"%s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s",
			       tl_dialplan_gateway(visit->dp)->domain, nonce,
			       tl_claim_algorithm_name(algorithm), stale ? ", stale=true" : "");
}

/* 401 for REGISTER, whose registrar we are; 407 for what we pass on. RFC 8760 2.2: of several
 * algorithms the preferred one first. */
static int challenge(struct visit *visit, bool stale)
{
	g_autofree char *sha256 = format_challenge(visit, TL_CLAIM_SHA256, stale);
	g_autofree char *md5 = format_challenge(visit, TL_CLAIM_MD5, stale);
	bool www = visit->request->sip->sip_request->rq_method == sip_method_register;

	if (www)
		tl_request_reply(visit->request, SIP_401_UNAUTHORIZED,
				 TAG_IF(sha256, SIPTAG_WWW_AUTHENTICATE_STR(sha256)),
				 TAG_IF(md5, SIPTAG_WWW_AUTHENTICATE_STR(md5)), TAG_END());
	else
		tl_request_reply(visit->request, SIP_407_PROXY_AUTH_REQUIRED,
				 TAG_IF(sha256, SIPTAG_PROXY_AUTHENTICATE_STR(sha256)),
				 TAG_IF(md5, SIPTAG_PROXY_AUTHENTICATE_STR(md5)), TAG_END());
	return -EACCES;
}

static int refuse(struct visit *visit, int status, const char *phrase)
{
	tl_request_refuse(visit->request, status, phrase, NULL);
	return -EACCES;
}

static void log_wrong(struct visit *visit, unsigned failures)
{
	char user[128], source[TL_ADDRESS_BYTES];
	unsigned skipped;

	if (!tl_log_allow(&visit->access->wrong_limit, &skipped))
		return;
	tl_address_text((const struct sockaddr *)&visit->request->source, source);
	g_message("access: wrong credentials user=\"%s\" src=%s method=%s failures=%u skipped=%u",
		  tl_log_quote(visit->claim.username, user, sizeof(user)), source,
		  visit->request->sip->sip_request->rq_method_name, failures, skipped);
}

/*
 * A trunk's address is not banned: anybody could have it banned, by sending in its name.
 * With a transaction, for the nonce has shown that the address is the sender's: a
 * retransmission is no further failure.
 */
static int answer_wrong(struct visit *visit, bool from_trunk)
{
	unsigned failures = 0;

	if (!tl_request_take(visit->request))
		return -EACCES;
	if (!from_trunk)
		failures = tl_warden_note_failure(
			visit->access->warden, tl_dialplan_gateway(visit->dp),
			(const struct sockaddr *)&visit->request->source, visit->now_us);
	log_wrong(visit, failures);
	if (from_trunk || failures >= ATTEMPTS_CHALLENGED)
		return refuse(visit, SIP_403_FORBIDDEN);
	return challenge(visit, false);
}

static int admit_trunk(const struct tl_trunk_cfg *trunk, struct tl_source *ret_source)
{
	*ret_source = (struct tl_source) { .kind = TL_SOURCE_TRUNK, .trunk = trunk };
	return 0;
}

/* 0: extension or trunk in *ret_source. */
static int admit(struct visit *visit, struct tl_source *ret_source)
{
	const struct sockaddr *source = (const struct sockaddr *)&visit->request->source;
	const struct tl_trunk_cfg *trunk = tl_dialplan_trunk_by_address(visit->dp, source);
	struct tl_warden *warden = visit->access->warden;

	if (!trunk && tl_warden_bars(warden, tl_dialplan_gateway(visit->dp), source, visit->now_us))
		return -EACCES; /* silence costs least, and tells nothing */

	switch (judge(visit)) {
	case VERDICT_GOOD:
		visit->request->known = true;
		tl_warden_note_success(warden, source, visit->now_us);
		if (visit->trunk)
			return admit_trunk(visit->trunk, ret_source);
		*ret_source = (struct tl_source) { .kind = TL_SOURCE_EXTENSION,
						   .extension = visit->extension };
		return 0;
	case VERDICT_NO_CLAIM:
		if (!trunk || !visit->trunks)
			return challenge(visit, false);
		return admit_trunk(trunk, ret_source);
	case VERDICT_STALE:
		return challenge(visit, true);
	case VERDICT_WRONG:
		return answer_wrong(visit, trunk != NULL);
	case VERDICT_MALFORMED:
		if (trunk && visit->trunks) /* meant for somebody else, perhaps */
			return admit_trunk(trunk, ret_source);
		break;
	}
	return refuse(visit, SIP_400_BAD_REQUEST);
}

static struct visit visit_of(struct tl_access *access, const struct tl_dialplan *dp,
			     struct tl_request *request)
{
	return (struct visit) {
		.access = access, .dp = dp, .request = request, .now_us = g_get_monotonic_time()
	};
}

int tl_access_check(struct tl_access *access, const struct tl_dialplan *dp,
		    struct tl_request *request, struct tl_source *ret_source)
{
	struct visit visit = visit_of(access, dp, request);

	visit.trunks = true;
	return admit(&visit, ret_source);
}

int tl_access_check_extension(struct tl_access *access, const struct tl_dialplan *dp,
			      struct tl_request *request,
			      const struct tl_extension_cfg **ret_extension)
{
	struct visit visit = visit_of(access, dp, request);
	struct tl_source source;
	int r = admit(&visit, &source);

	if (r == 0)
		*ret_extension = source.extension;
	return r;
}
