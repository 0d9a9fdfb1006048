/*
 * Dialog state (RFC 4235), for busy lamps: always the full state, so that a dialog that
 * is not there has ended. With whom an extension talks is told only where its owner
 * allows it, and Call-ID and tags, which would let a watcher into the call, only while it
 * rings and where the others may pick it up.
 */
#include "b2bua/call/board.h"
#include "b2bua/event/package.h"
#include "b2bua/event/xml.h"
#include "b2bua/sip/utf8.h"

enum { NAME_BYTES = 1024 }; /* of a Call-ID or tag */

static void add_remote(GString *xml, const struct tl_event_subject *subject, const char *number)
{
	g_autofree char *user = NULL;

	if (!*number) { /* RFC 3323 4.1.1.3 */
		g_string_append(
			xml,
			"<remote><identity>sip:anonymous@anonymous.invalid</identity></remote>");
		return;
	}
	user = g_uri_escape_string(number, "!$&'()*+,;=?/", FALSE);
	tl_xml_add(xml,
		   "<remote><identity>sip:%s@%s</identity><target uri=\"sip:%s@%s\"/></remote>",
		   user, subject->domain, user, subject->domain);
}

/* Can it be written just as it is? A tag of a peer's may be a quoted string of any bytes. */
static bool is_text(const char *name)
{
	g_autofree char *copy = tl_utf8_copy(name, NAME_BYTES);

	return strcmp(copy, name) == 0;
}

/* A wrong name is of no use to anybody: none at all, then. */
static void add_names(GString *xml, const struct tl_board_entry *entry)
{
	const char *remote_tag = entry->remote_tag ? entry->remote_tag : "";

	if (is_text(entry->call_id) && is_text(entry->local_tag) && is_text(remote_tag))
		tl_xml_add(xml, " call-id=\"%s\" local-tag=\"%s\" remote-tag=\"%s\"",
			   entry->call_id, entry->local_tag, remote_tag);
}

static void add_dialog(GString *xml, const struct tl_event_subject *subject,
		       const struct tl_board_entry *entry)
{
	tl_xml_add(xml, " <dialog id=\"%s\"", entry->id);
	if (subject->with_names && entry->call_id)
		add_names(xml, entry);
	tl_xml_add(xml, " direction=\"%s\"><state>%s</state>",
		   entry->initiator ? "initiator" : "recipient", tl_board_state_name(entry->state));
	if (subject->with_numbers)
		add_remote(xml, subject, entry->remote);
	g_string_append(xml, "</dialog>\n");
}

char *tl_dialog_info_write(const struct tl_event_subject *subject, unsigned version)
{
	GString *xml = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

	tl_xml_add(xml,
		   "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"%u\""
		   " state=\"full\" entity=\"%s\">\n",
		   version, subject->uri);
	for (guint i = 0; subject->calls && i < subject->calls->len; i++)
		add_dialog(xml, subject, subject->calls->pdata[i]);
	g_string_append(xml, "</dialog-info>\n");
	return g_string_free(xml, FALSE);
}
