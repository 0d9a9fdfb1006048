#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>
#include "b2bua/event/publication.h"

static char etag[TL_ETAG_BYTES];
static unsigned n_changes;

static struct tl_summary *fresh(unsigned n)
{
	struct tl_summary *summary = g_new0(struct tl_summary, 1);

	summary->counts[TL_SUMMARY_VOICE] = (struct tl_summary_count) { .known = true, .fresh = n };
	return summary;
}

/* n < 0: without a body */
static int take(struct tl_publications *table, const char *tag, int n, unsigned expires_s,
		int64_t now_s)
{
	const struct tl_publish publish = {
		.event = "message-summary",
		.extension = "1001",
		.etag = tag,
		.summary = n < 0 ? NULL : fresh((unsigned)n),
		.expires_s = expires_s,
		.now_s = now_s,
	};

	return tl_publications_take(table, &publish, etag);
}

static size_t find(struct tl_publications *table, int64_t now_s, unsigned *ret_newest)
{
	const struct tl_publication *found[8];
	size_t n = tl_publications_find(table, "message-summary", "1001", now_s, found, 8);

	*ret_newest = n ? found[0]->summary->counts[TL_SUMMARY_VOICE].fresh : 0;
	return n;
}

static void on_change(const char *event, const char *extension, void *user)
{
	n_changes++;
}

Test(publication, follows_rfc_3903)
{
	struct tl_publications *table = tl_publications_new();
	char first[TL_ETAG_BYTES], second[TL_ETAG_BYTES];
	unsigned newest;

	cr_expect_eq(take(table, NULL, -1, 60, 0), 400, "nothing to refresh");
	cr_expect_eq(take(table, NULL, 3, 60, 0), 200);
	strcpy(first, etag);
	cr_expect_eq(find(table, 59, &newest), 1);
	cr_expect_eq(newest, 3);
	cr_expect_eq(find(table, 60, &newest), 0, "it has ended");
	cr_expect_eq(take(table, first, -1, 60, 50), 200, "refreshed");
	strcpy(second, etag);
	cr_expect_str_neq(first, second);
	cr_expect_eq(find(table, 109, &newest), 1);
	cr_expect_eq(take(table, first, 4, 60, 51), 412, "the old tag is worth nothing");
	cr_expect_eq(take(table, second, 5, 60, 51), 200, "modified");
	find(table, 52, &newest);
	cr_expect_eq(newest, 5);
	strcpy(second, etag);
	cr_expect_eq(take(table, second, -1, 0, 53), 200, "removed");
	cr_expect_eq(find(table, 53, &newest), 0);
	cr_expect_eq(take(table, second, -1, 60, 54), 412);
	tl_publications_free(table);
}

Test(publication, the_one_to_end_first_makes_room)
{
	struct tl_publications *table = tl_publications_new();
	unsigned newest;

	cr_expect_eq(take(table, NULL, 1, 50, 0), 200);
	for (unsigned i = 0; i < 20; i++)
		cr_expect_eq(take(table, NULL, (int)i + 2, 60 + i, 0), 200);
	cr_expect_eq(find(table, 1, &newest), TL_PUBLICATIONS_EACH);
	cr_expect_eq(newest, 21);
	tl_publications_free(table);
}

Test(publication, a_sweep_tells_what_has_changed_by_it)
{
	struct tl_publications *table = tl_publications_new();

	take(table, NULL, 1, 10, 0);
	tl_publications_sweep(table, 9, on_change, NULL);
	cr_expect_eq(n_changes, 0);
	tl_publications_sweep(table, 10, on_change, NULL);
	tl_publications_sweep(table, 11, on_change, NULL);
	cr_expect_eq(n_changes, 1);
	tl_publications_free(table);
}
