#!/usr/bin/env python3
"""Ten thousand calls of every kind, and what they leave behind: nothing.

    bench_leak.py [--twinleg PATH] [--calls 10000] [--rate 300] [--transport tcp|udp]

A carrier and two phones in one script (tests/e2e/crowd.py) play each ladder of crowd_kinds.py: calls
that talk, are cancelled, refused, held, transferred, forked, recorded, transcoded, encrypted, with
video, reliable responses, session timers and so on. The heap in use (`heap_kb` of `twinleg status
--json`), the descriptors, legs and ports are counted before the first, and again when finished
transactions have lingered for their 32 s. The heap may have grown by 6 MB, whatever the number of
calls: codecs that were built once, pools and tables as large as the most calls at once wanted them,
half a megabyte of the database's cache, the records of the last 200 calls. For 10 000 calls that is
0.6 kB a call, and less than the smallest thing that a call could leave behind. The resident memory
may end at RESIDENT_KB more than it began with: what was free has gone back to the system.

Exit status: 0 nothing is left, 1 something is, 2 a call failed.
"""

import argparse
import os
import random
import sys
import time

os.umask(0o077)  # a configuration has passwords in it
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import crowd_kinds  # noqa: E402
import run  # noqa: E402
from crowd import Crowd  # noqa: E402
from rtp import sine, wav  # noqa: E402
from world import World, wait_until  # noqa: E402

LINGER_S = 38  # and what is free goes back to the system
GROWN_KB, RESIDENT_KB = 6144, 65536
SETTINGS = "request-rate = 0\nmax-calls = 10000\noverload-lag = 1s"


def shuffled(count):
    kinds = crowd_kinds.KINDS * (count // len(crowd_kinds.KINDS) + 1)
    random.Random(count).shuffle(kinds)
    return kinds[:count]


def measure(world):
    status = world.gateway.control("status")
    return {"heap_kb": status["heap_kb"], "rss_kb": world.gateway.rss_kb(), "legs": status["legs"],
            "calls": status["calls"], "ports": status["rtp_ports_used"],
            "descriptors": len(world.gateway.descriptors())}


def spend(world, transport, count, rate):
    """The figures before and after, and how long it took."""
    with Crowd(world, transport) as crowd:
        crowd.run([crowd_kinds.recorded])  # descriptors that are kept: the database's
        wait_until(lambda: not world.gateway.control("calls"), 10, "the end of the first call")
        time.sleep(1)
        before, begun = measure(world), time.monotonic()
        crowd.run(shuffled(count), rate)
        took_s = time.monotonic() - begun
        wait_until(lambda: not world.gateway.control("calls"), 10, "the end of all calls")
        time.sleep(LINGER_S)
        return before, measure(world), took_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--twinleg", default=os.environ.get("TWINLEG", "twinleg"))
    parser.add_argument("--calls", type=int, default=10000)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--transport", choices=["tcp", "udp"], default="tcp")
    given = parser.parse_args()
    os.environ["TWINLEG"] = given.twinleg
    run.enter_network()
    with World(routes=crowd_kinds.ROUTES, register=(), agents=False, rtp_ports="20000-49999",
               gateway=SETTINGS, prompts={"welcome.wav": wav(sine(400, 0.2))}) as world:
        try:
            before, after, took_s = spend(world, given.transport, given.calls, given.rate)
        except AssertionError as error:
            print(error)
            return 2
        print(f"{given.calls} calls of {len(crowd_kinds.KINDS)} kinds by {given.transport} in "
              f"{took_s:.1f} s ({given.calls / took_s:.0f} a second)")
        for name, value in before.items():
            print(f"  {name:12} {value:8} -> {after[name]:8}")
        same = all(after[name] <= before[name]
                   for name in ("legs", "calls", "ports", "descriptors"))
        grown = after["heap_kb"] - before["heap_kb"]
        print(f"heap in use: {grown:+} kB, {1024 * grown / given.calls:+.0f} bytes a call")
        small = grown < GROWN_KB and after["rss_kb"] - before["rss_kb"] < RESIDENT_KB
        return 0 if same and small and after["legs"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
