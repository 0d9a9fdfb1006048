"""Nobody who logs waits for who reads: a stopped terminal, a pipe that is full or closed."""

import contextlib
import fcntl
import os
import re
import signal

from world import World, wait_until

NUMBER = "+4930555100"
CALLS = 25  # each logs some 500 bytes
PIPE_BYTES = 4096
NO_LEAK_REPORT = {"ASAN_OPTIONS": "detect_leaks=0"}  # which would wait for a reader


@contextlib.contextmanager
def piped_world():
    """The gateway logs to a pipe that nobody reads; its end to read from."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    try:
        with World(process={"stderr": into, "env": NO_LEAK_REPORT}) as w:
            os.close(into)
            into = None
            yield w, out
    finally:
        if into is not None:
            os.close(into)


def talk_often(w):
    for _ in range(CALLS):
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)


def read_what_is_there(out, enough):
    """The pipe's lines until `enough` says so."""
    os.set_blocking(out, False)
    text = b""

    def read():
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            text += os.read(out, 65536)
        return enough(text.decode())

    wait_until(read, what="the lines")
    return text.decode()


def test_a_log_that_nobody_reads_keeps_no_call_waiting():
    with piped_world() as (w, out):
        talk_often(w)
        text = read_what_is_there(out, lambda t: len(re.findall(r"call=\w+ end ", t)) == CALLS)
        assert len(text) > 2 * PIPE_BYTES  # or the pipe was never full
        asked, ended = (re.findall(rf"call=(\w+) {what} ", text) for what in ("invite", "end"))
        assert sorted(asked) == sorted(ended) and len(asked) == CALLS, text
        os.close(out)


def test_a_log_whose_reader_is_gone_keeps_no_call_waiting():
    with piped_world() as (w, out):
        os.close(out)
        talk_often(w)
        w.gateway.signal(signal.SIGHUP)  # and it says nothing of its reload to anybody
        w.alive()


def test_the_last_lines_are_written_before_the_end():
    out, into = os.pipe()
    with World(process={"stderr": into, "env": NO_LEAK_REPORT}) as w:
        os.close(into)
        talk_often(w)
    text = read_what_is_there(out, lambda t: "ended\n" in t)
    assert text.endswith(" ended\n"), text[-300:]
    os.close(out)


def test_an_end_waits_a_second_for_its_reader_and_no_longer():
    with piped_world() as (w, out):
        talk_often(w)
        w.gateway.stop(8)
        os.close(out)
