#include "b2bua/event/pidf.h"
#include <errno.h>
#include <string.h>
#include "b2bua/event/xml.h"
#include "b2bua/sip/utf8.h"

/* RFC 4480 3.2; the order is that of the bits. */
static const char *const activities[] = {
	"appointment", "away",
	"breakfast",   "busy",
	"dinner",      "holiday",
	"in-transit",  "looking-for-work",
	"lunch",       "meal",
	"meeting",     "on-the-phone",
	"performance", "permanent-absence",
	"playing",     "presentation",
	"shopping",    "sleeping",
	"spectator",   "steering",
	"travel",      "tv",
	"unknown",     "vacation",
	"working",     "worship",
};

uint32_t tl_pidf_activity(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(activities); i++)
		if (strcmp(name, activities[i]) == 0)
			return UINT32_C(1) << i;
	return 0;
}

/* --- reading --- */

enum place { /* where the text of an element goes */
	     PLACE_NOWHERE,
	     PLACE_BASIC,
	     PLACE_CONTACT,
	     PLACE_TUPLE_NOTE,
	     PLACE_NOTE,
};

struct reader {
	struct tl_pidf *pidf;
	struct tl_pidf_tuple *tuple; /* the one that is being read, or NULL */
	unsigned depth;
	bool in_activities;
	enum place place;
	GString *text;
};

static const char *local_name(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static void start_tuple(struct reader *reader)
{
	struct tl_pidf *pidf = reader->pidf;

	if (pidf->n_tuples < TL_PIDF_TUPLES)
		reader->tuple = &pidf->tuples[pidf->n_tuples++];
}

static void start_known(struct reader *reader, const char *name)
{
	reader->place = PLACE_NOWHERE;
	if (reader->in_activities)
		reader->pidf->activities |= tl_pidf_activity(name);
	else if (strcmp(name, "activities") == 0)
		reader->in_activities = true;
	else if (strcmp(name, "tuple") == 0 && reader->depth == 2)
		start_tuple(reader);
	else if (strcmp(name, "basic") == 0 && reader->tuple)
		reader->place = PLACE_BASIC;
	else if (strcmp(name, "contact") == 0 && reader->tuple)
		reader->place = PLACE_CONTACT;
	else if (strcmp(name, "note") == 0)
		reader->place = reader->tuple ? PLACE_TUPLE_NOTE : PLACE_NOTE;
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names,
		     const char **values, gpointer user, GError **error)
{
	struct reader *reader = user;
	const char *name = local_name(element);

	g_string_truncate(reader->text, 0);
	if (++reader->depth > TL_PIDF_DEPTH ||
	    (reader->depth == 1 && strcmp(name, "presence") != 0)) {
		g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "");
		return;
	}
	start_known(reader, name);
}

static void on_text(GMarkupParseContext *context, const char *text, gsize bytes, gpointer user,
		    GError **error)
{
	struct reader *reader = user;

	if (reader->place != PLACE_NOWHERE && reader->text->len < 4 * TL_PIDF_TEXT_BYTES)
		g_string_append_len(reader->text, text,
				    (gssize)MIN(bytes, (gsize)4 * TL_PIDF_TEXT_BYTES));
}

/* One line of bounded length, whatever stood there; NULL: nothing did. */
static char *clean(const char *text)
{
	g_autofree char *line = g_strdup(text);
	g_autofree char *copy = NULL;

	for (char *p = line; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = ' ';
	copy = tl_utf8_copy(g_strstrip(line), TL_PIDF_TEXT_BYTES - 1);
	g_strchomp(copy);
	return *copy ? g_steal_pointer(&copy) : NULL;
}

static void keep(char **field, char *text)
{
	g_free(*field);
	*field = text;
}

static void take_text(struct reader *reader)
{
	struct tl_pidf *pidf = reader->pidf;
	char *text = clean(reader->text->str);

	switch (reader->place) {
	case PLACE_BASIC:
		reader->tuple->open = text && g_ascii_strcasecmp(text, "open") == 0;
		break;
	case PLACE_CONTACT:
		if (reader->text->len < TL_PIDF_TEXT_BYTES)
			keep(&reader->tuple->contact, g_steal_pointer(&text));
		break;
	case PLACE_TUPLE_NOTE:
		keep(&reader->tuple->note, g_steal_pointer(&text));
		break;
	case PLACE_NOTE:
		if (text && pidf->n_notes < TL_PIDF_NOTES)
			pidf->notes[pidf->n_notes++] = g_steal_pointer(&text);
		break;
	case PLACE_NOWHERE:
		break;
	}
	g_free(text);
}

static void on_end(GMarkupParseContext *context, const char *element, gpointer user, GError **error)
{
	struct reader *reader = user;
	const char *name = local_name(element);

	if (reader->place != PLACE_NOWHERE)
		take_text(reader);
	reader->place = PLACE_NOWHERE;
	g_string_truncate(reader->text, 0);
	if (strcmp(name, "activities") == 0)
		reader->in_activities = false;
	if (reader->depth-- == 2)
		reader->tuple = NULL;
}

int tl_pidf_parse(const char *text, size_t bytes, struct tl_pidf **ret_pidf)
{
	static const GMarkupParser parser = { .start_element = on_start,
					      .end_element = on_end,
					      .text = on_text };
	struct reader reader = { .pidf = g_new0(struct tl_pidf, 1) };
	GMarkupParseContext *context;
	bool ok;

	if (bytes > TL_PIDF_BYTES) {
		tl_pidf_free(reader.pidf);
		return -E2BIG;
	}
	reader.text = g_string_new(NULL);
	context = g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &reader, NULL);
	/* for GLib lets a CDATA section that is none pass, but for its text */
	ok = bytes > 0 && g_utf8_validate(text, (gssize)bytes, NULL) &&
	     g_markup_parse_context_parse(context, text, (gssize)bytes, NULL) &&
	     g_markup_parse_context_end_parse(context, NULL);
	g_markup_parse_context_free(context);
	g_string_free(reader.text, TRUE);
	if (!ok) {
		tl_pidf_free(reader.pidf);
		return reader.depth > TL_PIDF_DEPTH ? -E2BIG : -EBADMSG;
	}
	*ret_pidf = reader.pidf;
	return 0;
}

void tl_pidf_free(struct tl_pidf *pidf)
{
	if (!pidf)
		return;
	for (size_t i = 0; i < pidf->n_tuples; i++) {
		g_free(pidf->tuples[i].contact);
		g_free(pidf->tuples[i].note);
	}
	for (size_t i = 0; i < pidf->n_notes; i++)
		g_free(pidf->notes[i]);
	g_free(pidf);
}

/* --- writing --- */

static void add_tuple(GString *xml, unsigned serial, const struct tl_pidf_tuple *tuple)
{
	tl_xml_add(xml, " <tuple id=\"t%u\"><status><basic>%s</basic></status>", serial,
		   tuple->open ? "open" : "closed");
	if (tuple->contact)
		tl_xml_add(xml, "<contact>%s</contact>", tuple->contact);
	if (tuple->note)
		tl_xml_add(xml, "<note>%s</note>", tuple->note);
	g_string_append(xml, "</tuple>\n");
}

/* What is published says whether somebody is there; else his registration does. */
static void add_tuples(GString *xml, const struct tl_pidf_facts *facts)
{
	unsigned serial = 0;

	for (size_t i = 0; i < facts->n_published; i++)
		for (size_t t = 0; t < facts->published[i]->n_tuples; t++)
			add_tuple(xml, ++serial, &facts->published[i]->tuples[t]);
	if (serial == 0)
		add_tuple(xml, ++serial,
			  &(struct tl_pidf_tuple) { .open = facts->registered,
						    .contact = (char *)facts->entity });
	for (size_t i = 0; i < facts->n_published; i++)
		for (size_t n = 0; n < facts->published[i]->n_notes; n++)
			tl_xml_add(xml, " <note>%s</note>\n", facts->published[i]->notes[n]);
}

static void add_person(GString *xml, const struct tl_pidf_facts *facts)
{
	uint32_t bits = facts->on_the_phone ? tl_pidf_activity("on-the-phone") : 0;

	for (size_t i = 0; i < facts->n_published; i++)
		bits |= facts->published[i]->activities;
	if (!bits)
		return;
	g_string_append(xml, " <dm:person id=\"person\"><rpid:activities>");
	for (size_t i = 0; i < G_N_ELEMENTS(activities); i++)
		if (bits & UINT32_C(1) << i)
			tl_xml_add(xml, "<rpid:%s/>", activities[i]);
	g_string_append(xml, "</rpid:activities></dm:person>\n");
}

char *tl_pidf_write(const struct tl_pidf_facts *facts)
{
	GString *xml = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

	tl_xml_add(xml,
		   "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\""
		   " xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\""
		   " xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"%s\">\n",
		   facts->entity);
	add_tuples(xml, facts);
	add_person(xml, facts);
	g_string_append(xml, "</presence>\n");
	return g_string_free(xml, FALSE);
}
