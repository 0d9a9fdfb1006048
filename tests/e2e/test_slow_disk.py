"""A disk that hangs keeps no caller waiting. strace holds the storage thread's open(2) back."""

import contextlib
import subprocess

from harness import spawn
from rtp import sine, wav
from sip_message import make_sdp
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
PROMPT = "welcome.wav"
HANGS_S = 6
RINGS_WITHIN_S = 5.5


@contextlib.contextmanager
def hanging(w, name):
    """Whoever of the gateway opens this file waits."""
    path = f"{w.dir}/prompts/{name}"
    tracer = spawn(["strace", "-f", "-p", str(w.gateway.pid), "-P", path, "-e", "trace=openat",
                    "-e", f"inject=openat:delay_enter={HANGS_S}s", "-o", f"{w.dir}/strace"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert b"attached" in tracer.stderr.readline()
    try:
        yield
    finally:
        tracer.terminate()
        tracer.wait(HANGS_S + 5)
        tracer.stderr.close()


def test_an_announcement_on_a_disk_that_hangs_is_left_out():
    with World(routes=RING_ALICE + f"play = {PROMPT}\n",
               prompts={PROMPT: wav(sine(700, 0.5))}) as w, hanging(w, PROMPT):
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called(timeout=RINGS_WITHIN_S)
        assert "announcement not played: the disk does not answer" in w.gateway.log()
        b.reply(486)
        b.expect("ACK")
        wait_until(lambda: a.expect_any().status == 486, what="the callee's answer")
        wait_until(lambda: "has not answered for 4 s" in w.gateway.log(), what="word of it")
        wait_until(lambda: "answers again" in w.gateway.log(), what="its end")
