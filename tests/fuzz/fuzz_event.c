/*
 * Bodies of PUBLISH and of a NOTIFY that nobody asked for: presence and message
 * summaries, read and written anew. What we write must be something that we would take, with
 * the same in it.
 */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "b2bua/event/pidf.h"
#include "b2bua/event/summary.h"

/* libFuzzer has no header for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void write_and_read_presence(const struct tl_pidf *pidf)
{
	const struct tl_pidf *published[] = { pidf, pidf };
	g_autofree char *text = tl_pidf_write(&(struct tl_pidf_facts) {
		.entity = "sip:1001@pbx.test", .published = published, .n_published = 1 });
	struct tl_pidf *back;

	if (strlen(text) > TL_PIDF_BYTES)
		return;
	g_assert_cmpint(tl_pidf_parse(text, strlen(text), &back), ==, 0);
	g_assert_cmpuint(back->n_tuples, ==, MAX(pidf->n_tuples, 1u));
	g_assert_cmpuint(back->n_notes, ==, pidf->n_notes);
	g_assert_cmpuint(back->activities, ==, pidf->activities);
	tl_pidf_free(back);
}

static void write_and_read_summary(const struct tl_summary *summary)
{
	g_autofree char *text = tl_summary_write(summary, "sip:1001@pbx.test");
	g_autofree char *again = NULL;
	struct tl_summary back;

	g_assert_cmpint(tl_summary_parse(text, strlen(text), &back), ==, 0);
	again = tl_summary_write(&back, "sip:1001@pbx.test");
	g_assert_cmpstr(text, ==, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	/* an exact copy: a read past its end shows */
	char *text = g_malloc(bytes ? bytes : 1);
	struct tl_summary summary;
	struct tl_pidf *pidf;

	memcpy(text, data, bytes);
	if (tl_pidf_parse(text, bytes, &pidf) == 0) {
		write_and_read_presence(pidf);
		tl_pidf_free(pidf);
	}
	if (tl_summary_parse(text, bytes, &summary) == 0)
		write_and_read_summary(&summary);
	g_free(text);
	return 0;
}
