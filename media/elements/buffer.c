#include "media/elements/buffer.h"

#include <string.h>

enum { KEPT = 32 }; /* a push has at most a handful under way */

/*
 * Memory of our own type: where its bytes are and how many count is at hand,
 * with no lock taken, map counted or memory list walked. GStreamer's elements
 * map it as they would any other.
 */
struct block {
	GstMemory memory;
	_Alignas(16) uint8_t bytes[TL_BUFFER_BYTES];
};

typedef GstAllocator TlAllocator;
typedef GstAllocatorClass TlAllocatorClass;

GType tl_allocator_get_type(void);
G_DEFINE_TYPE(TlAllocator, tl_allocator, GST_TYPE_ALLOCATOR)

static gpointer map_block(GstMemory *memory, gsize size, GstMapFlags flags)
{
	return ((struct block *)memory)->bytes;
}

static void unmap_block(GstMemory *memory)
{
}

static void free_block(GstAllocator *allocator, GstMemory *memory)
{
	g_free(memory);
}

static void tl_allocator_init(TlAllocator *allocator)
{
	allocator->mem_type = "TlBlock";
	allocator->mem_map = map_block;
	allocator->mem_unmap = unmap_block;
	GST_OBJECT_FLAG_SET(allocator, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static void tl_allocator_class_init(TlAllocatorClass *class)
{
	class->free = free_block;
}

static GstAllocator *our_allocator(void)
{
	static gsize allocator;

	if (g_once_init_enter(&allocator))
		g_once_init_leave(&allocator, (gsize)gst_object_ref_sink(
						      g_object_new(tl_allocator_get_type(), NULL)));
	return (GstAllocator *)allocator;
}

/* Not to be shared: whoever wants a part of it beyond the buffer's life gets a copy. */
static GstMemory *new_memory(void)
{
	struct block *block = g_new(struct block, 1);

	gst_memory_init(&block->memory, GST_MEMORY_FLAG_NO_SHARE, our_allocator(), NULL,
			TL_BUFFER_BYTES, 0, 0, TL_BUFFER_BYTES);
	return &block->memory;
}

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

/* The buffer's memory, if it is one block, whole and nobody else's; else NULL. A stock element may
 * have put its own memory in. */
static struct block *block_of(GstBuffer *buffer)
{
	GstMemory *memory;

	if (gst_buffer_n_memory(buffer) != 1)
		return NULL;
	memory = gst_buffer_peek_memory(buffer, 0);
	if (memory->allocator != our_allocator() || memory->offset ||
	    GST_MINI_OBJECT_REFCOUNT_VALUE(memory) != 1)
		return NULL;
	return (struct block *)memory;
}

static gboolean drop_meta(GstBuffer *buffer, GstMeta **meta, gpointer user)
{
	*meta = NULL;
	return TRUE;
}

/* The last reference is gone: to the shelf of the thread that dropped it, or (TRUE) to GStreamer.
 * What comes back is as it was when new, so that the next one finds nothing of this use in it. */
static gboolean put_back(GstMiniObject *object)
{
	GstBuffer *buffer = GST_BUFFER_CAST(object);
	struct shelf *shelf = this_shelf();
	struct block *block = block_of(buffer);

	if (shelf->n == KEPT || !block)
		return TRUE;
	gst_buffer_ref(buffer);
	gst_buffer_foreach_meta(buffer, drop_meta, NULL);
	block->memory.size = TL_BUFFER_BYTES;
	GST_BUFFER_FLAGS(buffer) = 0;
	GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
	GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
	GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
	shelf->v[shelf->n++] = buffer;
	return FALSE;
}

static GstBuffer *new_buffer(void)
{
	GstBuffer *buffer = gst_buffer_new();

	gst_buffer_append_memory(buffer, new_memory());
	GST_MINI_OBJECT_CAST(buffer)->dispose = put_back;
	return buffer;
}

GstBuffer *tl_buffer_take(void **ret_bytes)
{
	struct shelf *shelf = this_shelf();
	GstBuffer *buffer = shelf->n ? shelf->v[--shelf->n] : new_buffer();

	*ret_bytes = ((struct block *)gst_buffer_peek_memory(buffer, 0))->bytes;
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
	gst_buffer_peek_memory(buffer, 0)->size = bytes;
}

bool tl_buffer_open(GstBuffer *buffer, struct tl_bytes *bytes, GstMapFlags flags)
{
	struct block *block = block_of(buffer);

	bytes->mapped = !block;
	if (block) {
		bytes->v = block->bytes;
		bytes->n = block->memory.size;
		return true;
	}
	if (!gst_buffer_map(buffer, &bytes->map, flags))
		return false;
	bytes->v = bytes->map.data;
	bytes->n = bytes->map.size;
	return true;
}

void tl_buffer_close(GstBuffer *buffer, struct tl_bytes *bytes)
{
	if (bytes->mapped)
		gst_buffer_unmap(buffer, &bytes->map);
}
