#include "media/elements/buffer.h"

#include <string.h>

enum { KEPT = 32 }; /* a push has at most a handful under way */

struct shelf {
	unsigned n;
	GstBuffer *v[KEPT];
};

static void free_shelf(void *data)
{
	struct shelf *shelf = data;

	while (shelf->n) {
		GstBuffer *buffer = shelf->v[--shelf->n];

		GST_MINI_OBJECT_CAST(buffer)->dispose = NULL;
		gst_buffer_unref(buffer);
	}
	g_free(shelf);
}

static GPrivate own_shelf = G_PRIVATE_INIT(free_shelf);

static struct shelf *this_shelf(void)
{
	struct shelf *shelf = g_private_get(&own_shelf);

	if (!shelf) {
		shelf = g_new0(struct shelf, 1);
		g_private_set(&own_shelf, shelf);
	}
	return shelf;
}

/* Is it as it was taken, so that the next one finds nothing of this use in it? A stock element may
 * have put its own memory in, or keep a part of ours beyond the buffer's life. */
static gboolean is_pristine(GstBuffer *buffer)
{
	gsize offset, room;

	return gst_buffer_n_memory(buffer) == 1 &&
	       GST_MINI_OBJECT_REFCOUNT(gst_buffer_peek_memory(buffer, 0)) == 1 &&
	       gst_buffer_get_sizes(buffer, &offset, &room) <= TL_BUFFER_BYTES &&
	       room == TL_BUFFER_BYTES;
}

static gboolean drop_meta(GstBuffer *buffer, GstMeta **meta, gpointer user)
{
	*meta = NULL;
	return TRUE;
}

/* The last reference is gone: to the shelf of the thread that dropped it, or (TRUE) to GStreamer.
 */
static gboolean put_back(GstMiniObject *object)
{
	GstBuffer *buffer = GST_BUFFER_CAST(object);
	struct shelf *shelf = this_shelf();

	if (shelf->n == KEPT || !is_pristine(buffer))
		return TRUE;
	gst_buffer_ref(buffer);
	gst_buffer_foreach_meta(buffer, drop_meta, NULL);
	gst_buffer_resize(buffer, 0, TL_BUFFER_BYTES);
	GST_BUFFER_FLAGS(buffer) = 0;
	GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
	GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
	GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
	shelf->v[shelf->n++] = buffer;
	return FALSE;
}

GstBuffer *tl_buffer_take(void **ret_bytes)
{
	struct shelf *shelf = this_shelf();
	GstBuffer *buffer;
	GstMapInfo map;

	if (shelf->n) {
		buffer = shelf->v[--shelf->n];
	} else {
		buffer = gst_buffer_new_wrapped(g_malloc(TL_BUFFER_BYTES), TL_BUFFER_BYTES);
		GST_MINI_OBJECT_CAST(buffer)->dispose = put_back;
	}
	/* System memory stays where it is after the unmap. */
	gst_buffer_map(buffer, &map, GST_MAP_WRITE);
	*ret_bytes = map.data;
	gst_buffer_unmap(buffer, &map);
	return buffer;
}

GstBuffer *tl_buffer_copy(const void *from, size_t bytes)
{
	void *to;
	GstBuffer *buffer = tl_buffer_take(&to);

	if (bytes)
		memcpy(to, from, bytes);
	tl_buffer_trim(buffer, bytes);
	return buffer;
}

void tl_buffer_trim(GstBuffer *buffer, size_t bytes)
{
	gst_buffer_resize(buffer, 0, (gssize)bytes);
}
