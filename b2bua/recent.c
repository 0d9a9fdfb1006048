#include "b2bua/recent.h"
#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct ended {
	char *id;
	char *text; /* jansson's, from malloc() */
};

struct tl_recent {
	GQueue *ended; /* newest first */
	unsigned max;
};

static void free_ended(void *data)
{
	struct ended *ended = data;

	g_free(ended->id);
	free(ended->text);
	g_free(ended);
}

struct tl_recent *tl_recent_new(unsigned max)
{
	struct tl_recent *recent = g_new0(struct tl_recent, 1);

	recent->ended = g_queue_new();
	recent->max = max;
	return recent;
}

void tl_recent_free(struct tl_recent *recent)
{
	if (!recent)
		return;
	g_queue_free_full(recent->ended, free_ended);
	g_free(recent);
}

void tl_recent_add(struct tl_recent *recent, const json_t *record)
{
	struct ended *ended = g_new0(struct ended, 1);

	ended->id = g_strdup(json_string_value(json_object_get(record, "id")));
	ended->text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(6));
	g_queue_push_head(recent->ended, ended);
	if (g_queue_get_length(recent->ended) > recent->max)
		free_ended(g_queue_pop_tail(recent->ended));
}

json_t *tl_recent_find(const struct tl_recent *recent, const char *id)
{
	for (const GList *l = recent->ended->head; l; l = l->next) {
		const struct ended *ended = l->data;

		if (ended->text && g_strcmp0(ended->id, id) == 0)
			return json_loads(ended->text, 0, NULL);
	}
	return NULL;
}
