/* Registration state (RFC 3680): always full, so that a contact that is not there is gone. */
#include "b2bua/event/package.h"
#include "b2bua/event/xml.h"
#include "b2bua/sip/utf8.h"

static void add_contact(GString *xml, const struct tl_binding *binding)
{
	/* names the contact as long as its URI stays, and tells nothing */
	g_autofree char *id = g_compute_checksum_for_string(G_CHECKSUM_SHA1, binding->contact, -1);
	g_autofree char *uri = tl_utf8_copy(binding->contact, G_MAXSIZE);
	char q[G_ASCII_DTOSTR_BUF_SIZE];

	tl_xml_add(xml,
		   "  <contact id=\"%.16s\" state=\"active\" event=\"registered\" q=\"%s\">"
		   "<uri>%s</uri></contact>\n",
		   id, g_ascii_formatd(q, sizeof(q), "%.3g", binding->q), uri);
}

char *tl_reg_info_write(const struct tl_event_subject *subject, unsigned version)
{
	GString *xml = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

	tl_xml_add(xml,
		   "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"%u\""
		   " state=\"full\">\n"
		   " <registration aor=\"%s\" id=\"%s\" state=\"%s\">\n",
		   version, subject->uri, subject->extension,
		   subject->n_bindings > 0 ? "active" : "terminated");
	for (size_t i = 0; i < subject->n_bindings; i++)
		add_contact(xml, &subject->bindings[i]);
	g_string_append(xml, " </registration>\n</reginfo>\n");
	return g_string_free(xml, FALSE);
}
