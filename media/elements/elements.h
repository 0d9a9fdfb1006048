#pragma once
/*
 * The GStreamer elements of our own. Private to media/: codec.c registers
 * them, chain.c drives them.
 */

/* Makes them known to GStreamer by name. After gst_init(). 0, or -EIO. */
int tl_elements_register(void);
/* Why an element is not there though this was built with it: its plugin does not load. NULL: that
 * is not why. */
const char *tl_elements_missing(const char *name);
