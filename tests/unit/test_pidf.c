#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include "b2bua/event/pidf.h"

#define HEAD "<?xml version='1.0'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'>"

static struct tl_pidf *parse(const char *text)
{
	struct tl_pidf *pidf = NULL;

	cr_assert_eq(tl_pidf_parse(text, strlen(text), &pidf), 0, "%s", text);
	return pidf;
}

Test(pidf, reads_what_phones_publish)
{
	struct tl_pidf *pidf =
		parse(HEAD "<tuple id='x'><status><basic>open</basic></status>"
			   "<contact priority='0.8'>sip:a@192.0.2.1</contact><note>At &amp; "
			   "here</note></tuple>"
			   "<tuple id='y'><status><basic> CLOSED </basic></status></tuple>"
			   "<note xml:lang='en'>Be\nback</note>"
			   "<dm:person><rpid:activities><rpid:away/><rpid:juggling/><rpid:meeting/>"
			   "</rpid:activities><dm:note>not ours</dm:note></dm:person></presence>");

	cr_assert_eq(pidf->n_tuples, 2);
	cr_expect(pidf->tuples[0].open);
	cr_expect_str_eq(pidf->tuples[0].contact, "sip:a@192.0.2.1");
	cr_expect_str_eq(pidf->tuples[0].note, "At & here");
	cr_expect_not(pidf->tuples[1].open);
	cr_expect_null(pidf->tuples[1].contact);
	cr_assert_geq(pidf->n_notes, 1);
	cr_expect_str_eq(pidf->notes[0], "Be back");
	cr_expect_eq(pidf->activities, tl_pidf_activity("away") | tl_pidf_activity("meeting"));
	tl_pidf_free(pidf);
}

static const struct {
	const char *why, *text;
	int r;
} broken[] = {
	{ "nothing", "", -EBADMSG },
	{ "no XML", "hello", -EBADMSG },
	{ "another document", "<html/>", -EBADMSG },
	{ "cut short", HEAD "<tuple>", -EBADMSG },
	{ "ends crossed", HEAD "<tuple></presence></tuple>", -EBADMSG },
	{ "no UTF-8", HEAD "<note>\xff</note></presence>", -EBADMSG },
	{ "no UTF-8 in CDATA", HEAD "<note><![CDATA[\xe5r]]></note></presence>", -EBADMSG },
	{ "an entity of its own",
	  "<!DOCTYPE p [<!ENTITY a 'b'>]>" HEAD "<note>&a;</note></presence>", -EBADMSG },
	{ "too deep",
	  HEAD "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a>"
	       "</a></a></a></a></a></a></a></a></presence>",
	  -E2BIG },
};

Test(pidf, refuses_what_is_no_presence)
{
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
		struct tl_pidf *pidf;

		cr_expect_eq(tl_pidf_parse(broken[i].text, strlen(broken[i].text), &pidf),
			     broken[i].r, "%s", broken[i].why);
	}
}

Test(pidf, keeps_within_its_bounds)
{
	g_autoptr(GString) text = g_string_new(HEAD);
	g_autofree char *big = g_strnfill(TL_PIDF_BYTES + 1, ' ');
	g_autofree char *word = g_strnfill(4000, 'x');
	struct tl_pidf *pidf;

	cr_expect_eq(tl_pidf_parse(big, strlen(big), &pidf), -E2BIG);
	for (int i = 0; i < 40; i++)
		g_string_append(text, "<tuple><status><basic>open</basic></status></tuple>"
				      "<note>n</note>");
	g_string_append_printf(text, "<tuple><note>%s</note></tuple><note>%s</note></presence>",
			       word, word);
	pidf = parse(text->str);
	cr_expect_eq(pidf->n_tuples, TL_PIDF_TUPLES);
	cr_expect_eq(pidf->n_notes, TL_PIDF_NOTES);
	tl_pidf_free(pidf);

	g_string_assign(text, HEAD "<note>");
	g_string_append_printf(text, "%s</note></presence>", word);
	pidf = parse(text->str);
	cr_assert_eq(pidf->n_notes, 1);
	cr_expect_lt(strlen(pidf->notes[0]), TL_PIDF_TEXT_BYTES);
	tl_pidf_free(pidf);
}

Test(pidf, what_it_writes_it_reads_and_markup_stays_text)
{
	struct tl_pidf said = {
		.n_tuples = 1,
		.tuples = { { .open = true, .note = (char *)"</note>&<x a=\"'\">" } },
		.activities = tl_pidf_activity("busy"),
	};
	const struct tl_pidf *published[] = { &said };
	g_autofree char *text = tl_pidf_write(&(struct tl_pidf_facts) {
		.entity = "sip:\"<&>@b",
		.published = published,
		.n_published = 1,
		.on_the_phone = true,
	});
	struct tl_pidf *back = parse(text);

	cr_assert_eq(back->n_tuples, 1);
	cr_expect(back->tuples[0].open);
	cr_expect_str_eq(back->tuples[0].note, said.tuples[0].note);
	cr_expect_eq(back->activities, tl_pidf_activity("busy") | tl_pidf_activity("on-the-phone"));
	tl_pidf_free(back);
}

Test(pidf, without_a_publication_the_registration_speaks)
{
	for (int registered = 0; registered < 2; registered++) {
		g_autofree char *text = tl_pidf_write(&(struct tl_pidf_facts) {
			.entity = "sip:1001@b", .registered = registered });
		struct tl_pidf *back = parse(text);

		cr_assert_eq(back->n_tuples, 1);
		cr_expect_eq(back->tuples[0].open, registered);
		cr_expect_str_eq(back->tuples[0].contact, "sip:1001@b");
		tl_pidf_free(back);
	}
}
