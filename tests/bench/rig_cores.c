#include "rig.h"

#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Who runs where. A gateway is measured as users have it, with all cores; then the phones compete
 * with it for them, and a packet that waits for its turn waits for the phones. To see what delay
 * is the gateway's own, they are kept apart:
 *
 *   core      0 ... n-2         n-1
 *          gateway           phones
 *
 * Both are then real-time processes, so that nothing else of the machine comes between.
 */

enum { GATEWAY_PRIORITY = 1, PHONES_PRIORITY = 2 };

void rig_go_first(void)
{
	int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

	setpriority(PRIO_PROCESS, 0, -15);
	if (fd < 0)
		return; /* no such grouping: the priority alone decides */
	if (write(fd, "-15", 3) < 0)
		g_debug("no priority among sessions");
	close(fd);
}

void rig_take_cores(const struct rig_load *load, bool phones)
{
	struct sched_param priority = { phones ? PHONES_PRIORITY : GATEWAY_PRIORITY };
	long last = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	cpu_set_t cores;

	if (!load->apart || last < 1)
		return;
	CPU_ZERO(&cores);
	for (long core = 0; core <= last; core++)
		if (phones == (core == last))
			CPU_SET((size_t)core, &cores);
	if (sched_setaffinity(0, sizeof cores, &cores) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
		g_debug("not apart: this needs root");
}
