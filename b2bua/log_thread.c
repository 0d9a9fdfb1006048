#include "b2bua/log_thread.h"
#include <errno.h>
#include <string.h>

enum {
	GATHER_US = 10000, /* while lines come fast, */
	PERIOD_US = 100000,
	FAST = 20, /* more than so many in a period */
};

struct line {
	GLogLevelFlags level;
	int64_t at_us;
	size_t bytes; /* of all this */
	char message[];
};

static struct {
	GMutex lock;
	GCond changed; /* a line came that is awaited, or the end, or the thread's own end */
	GQueue lines;
	size_t bytes;
	unsigned lost;
	bool awaited; /* the next line; else the thread looks for it by itself */
	bool runs, ends;
	void (*write)(GLogLevelFlags level, int64_t at_us, const char *message);
} log_thread;

static void append(GLogLevelFlags level, int64_t at_us, const char *message)
{
	size_t length = strlen(message), bytes = sizeof(struct line) + length + 1;
	struct line *line = g_malloc(bytes);

	*line = (struct line) { .level = level, .at_us = at_us, .bytes = bytes };
	memcpy(line->message, message, length + 1);
	log_thread.bytes += bytes;
	g_queue_push_tail(&log_thread.lines, line);
}

/* Where they would stand among the others. */
static void append_loss(int64_t at_us)
{
	char text[64];

	g_snprintf(text, sizeof text, "log: lines lost=%u", log_thread.lost);
	log_thread.lost = 0;
	append(G_LOG_LEVEL_WARNING, at_us, text);
}

bool tl_log_thread_put(GLogLevelFlags level, int64_t at_us, const char *message)
{
	bool runs;

	g_mutex_lock(&log_thread.lock);
	runs = log_thread.runs;
	if (runs && log_thread.bytes > TL_LOG_WAITING_BYTES) {
		log_thread.lost++;
	} else if (runs) {
		if (log_thread.lost)
			append_loss(at_us);
		append(level, at_us, message);
		if (log_thread.awaited)
			g_cond_broadcast(&log_thread.changed);
		log_thread.awaited = false;
	}
	g_mutex_unlock(&log_thread.lock);
	return runs;
}

/* How fast lines come, by their own times. */
struct pace {
	int64_t since_us;
	unsigned n, n_before; /* in this period and the one before */
};

static void note_line(struct pace *pace, int64_t at_us)
{
	int64_t gone_us = at_us - pace->since_us;

	if (gone_us < 0 || gone_us >= PERIOD_US) {
		pace->n_before = gone_us >= 0 && gone_us < 2 * PERIOD_US ? pace->n : 0;
		pace->n = 0;
		pace->since_us = at_us;
	}
	pace->n++;
}

/* A line goes at once. While they come fast they are left to gather, since to be woken for each
 * costs the caller and this thread several times what writing it does. */
static void await_lines(bool more)
{
	if (more) {
		g_cond_wait_until(&log_thread.changed, &log_thread.lock,
				  g_get_monotonic_time() + GATHER_US);
		return;
	}
	log_thread.awaited = true;
	g_cond_wait(&log_thread.changed, &log_thread.lock);
	log_thread.awaited = false;
}

static gpointer run(gpointer unused)
{
	struct pace pace = { 0 };
	bool more = false;

	g_mutex_lock(&log_thread.lock);
	for (;;) {
		g_autofree struct line *line = g_queue_pop_head(&log_thread.lines);

		if (line) {
			g_mutex_unlock(&log_thread.lock);
			log_thread.write(line->level, line->at_us, line->message);
			g_mutex_lock(&log_thread.lock);
			log_thread.bytes -= line->bytes;
			note_line(&pace, line->at_us);
			more = pace.n > FAST || pace.n_before > FAST;
		} else if (log_thread.lost) {
			append_loss(g_get_real_time());
		} else if (log_thread.ends) {
			break;
		} else {
			await_lines(more);
			more = false;
		}
	}
	log_thread.runs = false;
	g_cond_broadcast(&log_thread.changed);
	g_mutex_unlock(&log_thread.lock);
	return NULL;
}

int tl_log_thread_start(void (*write)(GLogLevelFlags level, int64_t at_us, const char *message))
{
	GThread *thread;

	log_thread.write = write;
	log_thread.runs = true;
	thread = g_thread_try_new("log", run, NULL, NULL);
	if (!thread) {
		log_thread.runs = false;
		return -EAGAIN;
	}
	g_thread_unref(thread); /* one that hangs can't be joined */
	return 0;
}

void tl_log_thread_end(int64_t patience_us)
{
	int64_t until_us = g_get_monotonic_time() + patience_us;

	g_mutex_lock(&log_thread.lock);
	log_thread.ends = true;
	g_cond_broadcast(&log_thread.changed);
	while (log_thread.runs &&
	       g_cond_wait_until(&log_thread.changed, &log_thread.lock, until_us))
		continue;
	g_mutex_unlock(&log_thread.lock);
}
