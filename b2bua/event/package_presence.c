/* Presence (RFC 3856): what was published, registration and calls as one document. */
#include "b2bua/call/board.h"
#include "b2bua/event/package.h"

static bool is_on_the_phone(const struct tl_event_subject *subject)
{
	for (guint i = 0; subject->calls && i < subject->calls->len; i++) {
		const struct tl_board_entry *entry = subject->calls->pdata[i];

		if (entry->state == TL_BOARD_CONFIRMED || entry->initiator)
			return true;
	}
	return false;
}

char *tl_presence_write(const struct tl_event_subject *subject, unsigned version)
{
	const struct tl_pidf *published[TL_PUBLICATIONS_EACH];
	struct tl_pidf_facts facts = {
		.entity = subject->uri,
		.registered = subject->n_bindings > 0,
		.on_the_phone = is_on_the_phone(subject),
		.published = published,
	};

	for (size_t i = 0; i < subject->n_published; i++)
		if (subject->published[i]->pidf)
			published[facts.n_published++] = subject->published[i]->pidf;
	return tl_pidf_write(&facts);
}
