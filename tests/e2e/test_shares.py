"""Calls shared out by weight, counted with SIPp at all three ends: a caller and the two trunks."""

import os
import subprocess

import harness
from world import World

SCENARIOS = os.path.join(os.path.dirname(__file__), "sipp")
NUMBER = "+4930555100"
ROUTES = """
[route shared]
from = trunk:source
to = +49X.
ring = trunk:carrier 75% or trunk:backup 25%
[trunk source]
host = {net}.4:5060
"""
CALLS = 200


def sipp(w, scenario, last, calls, *more, rate=100):
    """One run; callees are ended when the caller has done."""
    return harness.spawn(["sipp", f"{w.ip}:5060", "-sf", f"{SCENARIOS}/{scenario}.xml", "-i",
                          f"{w.net}.{last}", "-p", "5060", "-m", str(calls), "-l", "100", "-r",
                          str(rate), "-nostdin", "-timeout", "40", "-key", "caller", "4915",
                          "-trace_err", "-error_file", f"{w.dir}/{scenario}.{last}.log",
                          "-trace_stat", "-stf", f"{w.dir}/{last}.csv", *more],
                         cwd=w.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def counted(w, last):
    """Calls that a callee has had, by SIPp's own statistics."""
    with open(f"{w.dir}/{last}.csv", encoding="ascii") as file:
        rows = [line.rstrip("\n").split(";") for line in file]
    return int(rows[-1][rows[0].index("IncomingCall(C)")])


def run(w, scenarios, caller="caller_hangs_up", calls=CALLS):
    """How many calls each trunk had, by its own count."""
    callees = [sipp(w, scenario, last, 100 * calls) for scenario, last in scenarios]
    for _, last in scenarios:
        w.wait_for_port(last)
    assert sipp(w, caller, 4, calls, "-s", NUMBER).wait(45) == 0, "a call has failed"
    for callee in callees:
        callee.terminate()
        callee.wait(10)
    return [counted(w, last) for _, last in scenarios]


def world():
    return World(routes=ROUTES, register=(), agents=False)


def test_each_gets_its_share():
    with world() as w:
        carrier, backup = run(w, (("answers", 2), ("answers", 3)))
        assert carrier + backup == CALLS, (carrier, backup)
        # 25 % of 200: 50, and four standard deviations of 6.1
        assert 25 <= backup <= 75, (carrier, backup)


def test_when_one_is_busy_the_other_gets_the_call():
    with world() as w:
        carrier, backup = run(w, (("busy", 2), ("answers", 3)), calls=40)
        assert backup == 40 and 15 <= carrier <= 40, (carrier, backup)
