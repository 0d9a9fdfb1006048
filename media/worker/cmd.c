#include <glib.h>
#include <unistd.h>

#include "media/worker/worker.h"

void tl_cmd_done(struct tl_cmd *cmd)
{
	switch (cmd->op) {
	case TL_CMD_PORT:
		close(cmd->port.rtp_fd);
		close(cmd->port.rtcp_fd);
		break;
	case TL_CMD_APPLY:
		g_free(cmd->plan);
		break;
	case TL_CMD_STREAM:
		g_free(cmd->stream_plan);
		break;
	case TL_CMD_PLAY:
		tl_play_order_free(cmd->play);
		break;
	case TL_CMD_RECORD:
		g_free(cmd->record.path);
		break;
	case TL_CMD_OPEN:
	case TL_CMD_PLAY_STOP:
	case TL_CMD_DTMF:
	case TL_CMD_RECORD_STOP:
		break;
	}
}
