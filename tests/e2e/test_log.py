"""Nobody who logs waits for who reads: a stopped terminal, a pipe that is full or closed."""

import collections
import contextlib
import fcntl
import glob
import os
import re
import signal

import harness
from sip_message import make_sdp
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


BUSY_CALLS = 150  # three lines each
FAST_LINES = 60   # in 100 ms: more than twice as many as are written one by one


def waits_of_log_thread(w):
    """How often it has lain down to wait."""
    for task in glob.glob(f"/proc/{w.gateway.pid}/task/*"):
        with open(f"{task}/comm", encoding="ascii") as name, \
                open(f"{task}/status", encoding="ascii") as status:
            if name.read().strip() == "log":
                return int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", status.read())[1])
    raise AssertionError("no thread writes the log")


def lines_of_fast_times(lines):
    """How many of them were said in tenths of a second that had FAST_LINES or more."""
    tenths = collections.Counter(line[:len("hh:mm:ss.t")] for line in lines)
    return sum(count for count in tenths.values() if count >= FAST_LINES)


def test_lines_that_come_fast_wake_nobody_for_each():
    with World() as w:
        body, before = make_sdp(w.carrier.ip, 4000), waits_of_log_thread(w)
        for _ in range(BUSY_CALLS):
            w.carrier.dialog("INVITE", w.carrier.uri(NUMBER), body)
        for _ in range(BUSY_CALLS):
            w.alice.incoming().reply(486)
        wait_until(lambda: len(re.findall(r"call=\w+ end ", w.gateway.log())) == BUSY_CALLS,
                   what="the end of every call")
        waits, lines = waits_of_log_thread(w) - before, w.gateway.log().splitlines()
        fast = lines_of_fast_times(lines)
        if fast < len(lines) / 3:
            raise harness.Skip("this machine is too slow to log fast")
        assert waits < fast / 2 + 2 * (len(lines) - fast), (waits, fast, len(lines))
