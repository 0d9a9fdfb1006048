/* Which refusal of several counts, and what of it the caller is told. */
#include "b2bua/call/call_priv.h"
#include <criterion/criterion.h>

static struct tl_kept_cause kept;

static void clear(void)
{
	tl_kept_cause_clear(&kept);
}

/* RFC 3261 16.7 step 6. A later refusal must be better to count. */
static const struct {
	const char *why;
	int came[4];
	int best;
} rankings[] = {
	{ "the only one", { 404 }, 404 },
	{ "none", { 0 }, 0 },
	{ "busy says more than not there", { 480, 486 }, 486 },
	{ "in whatever order", { 486, 480 }, 486 },
	{ "busy says more than unknown here", { 404, 486 }, 486 },
	{ "not there says more than out of order", { 503, 480 }, 480 },
	{ "silence says more than out of order", { 500, 408, 503 }, 408 },
	{ "no common codec says more than silence", { 408, 488 }, 488 },
	{ "a 6xx is the callee's last word", { 486, 603, 404 }, 603 },
	{ "also after others of 4xx and 5xx", { 500, 404, 486, 600 }, 600 },
	{ "among equals the first", { 404, 410 }, 404 },
	{ "among 6xx too", { 603, 600 }, 603 },
	{ "a challenge says little", { 401, 480 }, 480 },
	{ "nor do objections to our own request", { 420, 404 }, 404 },
	{ "they still say more than out of order", { 503, 415 }, 415 },
	{ "a target that we cancelled says little", { 487, 480 }, 480 },
};

Test(call_cause, the_best_refusal_counts, .fini = clear)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rankings); i++) {
		tl_kept_cause_clear(&kept);
		for (size_t k = 0; k < 4 && rankings[i].came[k]; k++)
			(void)tl_kept_cause_better(
				&kept, &(struct tl_cause) { .status = rankings[i].came[k] });
		cr_expect_eq(kept.cause.status, rankings[i].best, "%s: %d", rankings[i].why,
			     kept.cause.status);
	}
}

Test(call_cause, says_whether_it_counts, .fini = clear)
{
	cr_expect(tl_kept_cause_better(&kept, &(struct tl_cause) { .status = 480 }));
	cr_expect_not(tl_kept_cause_better(&kept, &(struct tl_cause) { .status = 408 }));
	cr_expect(tl_kept_cause_better(&kept, &(struct tl_cause) { .status = 486 }));
	cr_expect_not(tl_kept_cause_better(&kept, &(struct tl_cause) { .status = 0 }));
}

Test(call_cause, its_texts_are_its_own, .fini = clear)
{
	char phrase[] = "Busy", reason[] = "Q.850;cause=17", warning[] = "w", uri[] = "sip:c",
	     x[] = "X-A";
	struct tl_contact contact = { .uri = uri };
	struct tl_header header = { x, warning };
	struct tl_cause cause = {
		.status = 486,
		.phrase = phrase,
		.reason = reason,
		.warning = warning,
		.contacts = &contact,
		.n_contacts = 1,
		.headers = &header,
		.n_headers = 1,
	};

	tl_kept_cause_set(&kept, &cause);
	phrase[0] = reason[0] = warning[0] = uri[0] = x[0] = '!';
	cr_expect_str_eq(kept.cause.phrase, "Busy");
	cr_expect_str_eq(kept.cause.reason, "Q.850;cause=17");
	cr_expect_str_eq(kept.cause.warning, "w");
	cr_expect_str_eq(kept.cause.contacts[0].uri, "sip:c");
	cr_expect_str_eq(kept.cause.headers[0].name, "X-A");
	cr_expect_str_eq(kept.cause.headers[0].value, "w");
	tl_kept_cause_set(&kept, &kept.cause); /* its own texts again */
	cr_expect_str_eq(kept.cause.phrase, "Busy");
	tl_kept_cause_clear(&kept);
	cr_expect_eq(kept.cause.status, 0);
	cr_expect_null(kept.cause.phrase);
}

static const struct {
	const char *why;
	int status, told;
} told[] = {
	{ "a plain end has none", 0, 0 },
	{ "our own redirection", 302, 302 },
	{ "bad: our request", 400, 500 },
	{ "challenge: between us and the callee", 401, 403 },
	{ "challenge by a proxy", 407, 403 },
	{ "forbidden", 403, 403 },
	{ "unknown", 404, 404 },
	{ "method: our request", 405, 500 },
	{ "silence", 408, 408 },
	{ "gone", 410, 410 },
	{ "body: our request", 415, 500 },
	{ "extension: our request", 420, 500 },
	{ "session timer: our request", 422, 500 },
	{ "anonymity refused", 433, 433 },
	{ "away", 480, 480 },
	{ "a dialog of ours", 481, 480 },
	{ "loop", 482, 482 },
	{ "hops", 483, 483 },
	{ "number too short", 484, 484 },
	{ "busy", 486, 486 },
	{ "cancelled by us", 487, 480 },
	{ "codecs", 488, 488 },
	{ "glare on our dialog", 491, 480 },
	{ "our limits", 503, 503 },
	{ "no prack", 504, 504 },
	{ "our SIP version", 505, 500 },
	{ "our size", 513, 500 },
	{ "busy everywhere", 600, 600 },
	{ "declined", 603, 603 },
};

Test(call_cause, the_caller_is_told_what_concerns_him)
{
	for (size_t i = 0; i < G_N_ELEMENTS(told); i++) {
		struct tl_cause cause = { .status = told[i].status };

		cr_expect_eq(tl_cause_for_caller(&cause).status, told[i].told, "%s: %d",
			     told[i].why, tl_cause_for_caller(&cause).status);
	}
}

Test(call_cause, words_go_with_the_status_that_they_belong_to)
{
	struct tl_cause busy = { .status = 486, .phrase = "Talking", .warning = "w" };
	struct tl_cause challenge = { .status = 401,
				      .phrase = "Log In",
				      .warning = "at home",
				      .reason = "Q.850;cause=21",
				      .retry_after_s = 5 };
	struct tl_cause shown = tl_cause_for_caller(&busy);

	cr_expect_str_eq(shown.phrase, "Talking");
	cr_expect_str_eq(shown.warning, "w");
	shown = tl_cause_for_caller(&challenge);
	cr_expect_null(shown.phrase);
	cr_expect_null(shown.warning);
	cr_expect_eq(shown.retry_after_s, 0);
	cr_expect_str_eq(shown.reason, "Q.850;cause=21");
}
