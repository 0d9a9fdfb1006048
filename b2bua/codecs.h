#pragma once
/*
 * What this machine does of each codec, for people: `twinleg codecs`, and a line
 * in the log at the start. After tl_codec_init(). Any thread.
 */
#include <stdbool.h>
#include <stdio.h>

void tl_codecs_print(FILE *to, bool json);
/* Says which codecs this was meant to transcode and can't, and why. Nothing when there are none. */
void tl_codecs_complain(void);
