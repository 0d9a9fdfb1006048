#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include "b2bua/sip/address.h"
#include "b2bua/registrar/nonce.h"

#define S ((int64_t)G_USEC_PER_SEC)

static struct sockaddr_storage address(const char *host)
{
	struct sockaddr_storage addr;

	cr_assert(tl_address_parse(host, 5060, &addr));
	return addr;
}
#define ADDR(host) ((const struct sockaddr *)(struct sockaddr_storage[]) { address(host) })

static struct tl_nonces *nonces;

static void start(void)
{
	nonces = tl_nonces_new(600, 4);
}

static void stop(void)
{
	tl_nonces_free(nonces);
}

TestSuite(nonce, .init = start, .fini = stop);

Test(nonce, is_good_for_its_source_and_its_time)
{
	char nonce[TL_NONCE_BYTES];

	tl_nonces_issue(nonces, ADDR("192.0.2.1"), 5 * S, nonce);
	cr_expect_eq(tl_nonces_check(nonces, nonce, ADDR("192.0.2.1"), 5 * S), 0);
	cr_expect_eq(tl_nonces_check(nonces, nonce, ADDR("192.0.2.1"), 605 * S), 0);
	cr_expect_eq(tl_nonces_check(nonces, nonce, ADDR("192.0.2.1"), 606 * S), -ESTALE, "late");
	cr_expect_eq(tl_nonces_check(nonces, nonce, ADDR("192.0.2.1"), 4 * S), -ESTALE, "early");
	cr_expect_eq(tl_nonces_check(nonces, nonce, ADDR("192.0.2.2"), 5 * S), -ESTALE, "stolen");
	cr_expect_eq(tl_nonces_check(nonces, nonce, ADDR("::ffff:192.0.2.1"), 5 * S), 0, "mapped");
}

Test(nonce, cannot_be_made_up)
{
	struct tl_nonces *others = tl_nonces_new(600, 4);
	char nonce[TL_NONCE_BYTES], changed[TL_NONCE_BYTES];

	tl_nonces_issue(nonces, ADDR("192.0.2.1"), S, nonce);
	for (size_t i = 0; i < strlen(nonce); i++) {
		g_strlcpy(changed, nonce, sizeof(changed));
		changed[i] = changed[i] == '0' ? '1' : '0';
		cr_expect_eq(tl_nonces_check(nonces, changed, ADDR("192.0.2.1"), 2 * S), -ESTALE);
	}
	cr_expect_eq(tl_nonces_check(nonces, "", ADDR("192.0.2.1"), S), -ESTALE);
	tl_nonces_issue(others, ADDR("192.0.2.1"), S, nonce);
	cr_expect_eq(tl_nonces_check(nonces, nonce, ADDR("192.0.2.1"), S), -ESTALE);
	tl_nonces_free(others);
}

Test(nonce, is_never_the_same_twice)
{
	char first[TL_NONCE_BYTES], second[TL_NONCE_BYTES];

	tl_nonces_issue(nonces, ADDR("192.0.2.1"), S, first);
	tl_nonces_issue(nonces, ADDR("192.0.2.1"), S, second);
	cr_expect_str_neq(first, second);
}

Test(nonce, counts_up_only)
{
	char nonce[TL_NONCE_BYTES];

	tl_nonces_issue(nonces, ADDR("192.0.2.1"), S, nonce);
	cr_expect_eq(tl_nonces_spend(nonces, nonce, 0, S), -ESTALE, "nc begins at 1");
	cr_expect_eq(tl_nonces_spend(nonces, nonce, 1, S), 0);
	cr_expect_eq(tl_nonces_spend(nonces, nonce, 1, S), -ESTALE, "replayed");
	cr_expect_eq(tl_nonces_spend(nonces, nonce, 7, S), 0, "gaps are fine");
	cr_expect_eq(tl_nonces_spend(nonces, nonce, 6, S), -ESTALE);
}

Test(nonce, that_was_forgotten_cannot_be_replayed)
{
	char nonce[6][TL_NONCE_BYTES];

	for (int i = 0; i < 6; i++) {
		tl_nonces_issue(nonces, ADDR("192.0.2.1"), (i + 1) * S, nonce[i]);
		cr_expect_eq(tl_nonces_spend(nonces, nonce[i], 1, 7 * S), 0);
	}
	cr_expect_eq(tl_nonces_used(nonces), 4u);
	for (int i = 0; i < 6; i++)
		cr_expect_eq(tl_nonces_spend(nonces, nonce[i], 1, 7 * S), -ESTALE);
}

Test(nonce, leaves_the_table_after_its_life)
{
	char nonce[TL_NONCE_BYTES];

	for (int i = 0; i < 3; i++) {
		tl_nonces_issue(nonces, ADDR("192.0.2.1"), S, nonce);
		tl_nonces_spend(nonces, nonce, 1, S);
	}
	tl_nonces_issue(nonces, ADDR("192.0.2.1"), 700 * S, nonce);
	cr_expect_eq(tl_nonces_spend(nonces, nonce, 1, 700 * S), 0);
	cr_expect_eq(tl_nonces_used(nonces), 2u, "two go for each that comes");
}
