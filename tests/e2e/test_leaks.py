"""Calls of every kind, hundreds of them at once: afterwards nothing is left, of memory, of
descriptors, of state. tests/bench/bench_leak.py is the same with ten thousand."""

import random
import time

import crowd_kinds
from crowd import Crowd
from harness import is_sanitized
from rtp import sine, wav
from world import World, wait_until

HEAVY = True

COUNT, RATE = 280, 60  # the last 200 calls are remembered, for `show`
LINGER_S = 34  # an INVITE that has been answered is remembered for 64 T1 (RFC 6026)
GROWN_KB = 512
GIVEN_BACK_KB = 1024


def measure(w):
    wait_until(lambda: not w.gateway.control("calls"), what="calls empty")
    time.sleep(LINGER_S)
    status = w.gateway.control("status")
    assert status["calls"] == 0 and status["legs"] == 0 and status["rtp_ports_used"] == 0, status
    return status["heap_kb"], w.gateway.rss_kb(), w.gateway.descriptors()


def test_calls_of_every_kind_leave_nothing():
    kinds = (crowd_kinds.KINDS * 10)[:COUNT]
    random.Random(1).shuffle(kinds)
    with World(routes=crowd_kinds.ROUTES, register=(), agents=False,
               gateway="request-rate = 0\noverload-lag = 0", rtp_ports="20000-29999",
               prompts={"welcome.wav": wav(sine(400, 0.2))}) as w:
        with Crowd(w, "tcp") as crowd:
            crowd.run(kinds, RATE)
            heap, memory, files = measure(w)
            crowd.run(kinds, RATE)
            peak = w.gateway.rss_kb()
            heap_after, memory_after, _ = measure(w)
            w.gateway.no_new_descriptors(files)
            if not is_sanitized():
                wait_until(lambda: w.gateway.rss_kb() < peak - GIVEN_BACK_KB, 15,
                           f"less memory than the {peak} kB that it had")
        grown = heap_after - heap
        if is_sanitized():  # it has a heap of its own, and keeps what was freed
            grown = (memory_after - memory) // 128
        assert grown < GROWN_KB, f"{grown} kB more after {COUNT} calls"


test_calls_of_every_kind_leave_nothing.timeout_s = 240
