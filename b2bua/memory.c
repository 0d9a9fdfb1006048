#include "b2bua/memory.h"
#include <glib.h>
#include <malloc.h>
#include "b2bua/sip/timer.h"

enum { LOOK_MS = 2000, KEPT_BYTES = 1 << 20 };

struct tl_memory {
	struct tl_memory_idle idle;
	tl_memory_ask_fn *ask;
	void *user;
	su_timer_t *timer;
};

bool tl_memory_is_due(struct tl_memory_idle *idle, unsigned calls, uint64_t total, int64_t now_s)
{
	if (calls > 0 || total != idle->total)
		idle->since_s = 0;
	idle->total = total;
	if (calls > 0 || total - idle->given < TL_MEMORY_CALLS)
		return false;
	if (idle->since_s == 0)
		idle->since_s = now_s;
	if (now_s - idle->since_s < TL_MEMORY_IDLE_S)
		return false;
	idle->given = total;
	return true;
}

static void give_back(void)
{
	size_t free_mb = mallinfo2().fordblks >> 20;
	int64_t begun_us = g_get_monotonic_time();

	if (free_mb < TL_MEMORY_FREE_MB || !malloc_trim(KEPT_BYTES))
		return;
	g_message("memory: no calls, what they left goes back to the system free_mb=%zu us=%u",
		  free_mb, (unsigned)(g_get_monotonic_time() - begun_us));
}

static void on_look(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_memory *memory = (struct tl_memory *)arg;
	unsigned calls;
	uint64_t total;

	memory->ask(&calls, &total, memory->user);
	if (tl_memory_is_due(&memory->idle, calls, total, g_get_monotonic_time() / G_USEC_PER_SEC))
		give_back();
}

struct tl_memory *tl_memory_start(su_root_t *root, tl_memory_ask_fn *ask, void *user)
{
	struct tl_memory *memory = g_new0(struct tl_memory, 1);

	memory->ask = ask;
	memory->user = user;
	tl_timer_repeat(&memory->timer, root, LOOK_MS, on_look, memory);
	return memory;
}

void tl_memory_free(struct tl_memory *memory)
{
	if (!memory)
		return;
	tl_timer_stop(&memory->timer);
	g_free(memory);
}
