/* Message summaries (RFC 3842): the newest word of the voice mail system counts. */
#include "b2bua/event/package.h"

char *tl_message_summary_write(const struct tl_event_subject *subject, unsigned version)
{
	static const struct tl_summary nothing;

	for (size_t i = 0; i < subject->n_published; i++)
		if (subject->published[i]->summary)
			return tl_summary_write(subject->published[i]->summary, subject->uri);
	return tl_summary_write(&nothing, subject->uri);
}
