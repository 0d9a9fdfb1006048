"""The basic ladders once more with SIPp at both ends: a peer that shares no code with us or with the
other tests, and fails at the first message that its scenario does not expect."""

import os
import subprocess

from world import RING_ALICE, World, wait_until

SCENARIOS = os.path.join(os.path.dirname(__file__), "sipp")
NUMBER = "+4930555100"
PHONE, CARRIER, BACKUP = 11, 2, 3


class Sipp:
    """One run of a scenario at the address .last of a world's network; at_once: the most calls
    at a time."""

    def __init__(self, world, scenario, last, number=None, calls=1, rate=10, tcp=False,
                 at_once=0):
        self.scenario, self.errors = scenario, f"{world.dir}/{scenario}.{last}.log"
        own = f"{SCENARIOS}/{scenario}.xml"  # or one that SIPp has in it
        which = ["-sf", own] if os.path.exists(own) else ["-sn", scenario]
        command = ["sipp", *which, "-i", f"{world.net}.{last}",
                   "-p", "5060", "-m", str(calls), "-r", str(rate), "-l", str(at_once or calls),
                   "-timeout", "20", "-timeout_error", "-nostdin", "-trace_err",
                   "-error_file", self.errors, "-t", "t1" if tcp else "u1",
                   "-key", "caller", "+4917011122" if last == CARRIER else "1001"]
        if number:  # and what the digest says of the Request-URI
            command += ["-s", number, "-auth_uri", f"{number}@{world.ip}:5060"]
        self.process = subprocess.Popen(command + [f"{world.ip}:5060"], cwd=world.dir,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.STDOUT)

    def finish(self):
        """Waits; fails unless every call went as the scenario says."""
        status = self.process.wait(timeout=30)
        if status != 0:
            log = ""
            if os.path.exists(self.errors):
                with open(self.errors, encoding="utf-8", errors="replace") as file:
                    log = file.read(4000)
            raise AssertionError(f"sipp {self.scenario}: exit status {status}\n{log}")


def check(callee, caller, calls=1, rate=10, tcp=False, **more):
    """Registers the phone by SIPp, then runs both ends."""
    with World(register=(), agents=False, **more) as w:
        Sipp(w, "registers", PHONE, tcp=tcp).finish()
        b = Sipp(w, callee, PHONE, calls=calls, tcp=tcp)
        w.wait_for_port(PHONE)
        Sipp(w, caller, CARRIER, NUMBER, calls=calls, rate=rate, tcp=tcp).finish()
        b.finish()


def test_sipp_caller_hangs_up():
    check("answers", "caller_hangs_up")


def test_sipp_callee_hangs_up():
    check("answers_hangs_up", "callee_hangs_up")


def test_sipp_caller_cancels():
    check("cancelled", "caller_cancels")


def test_sipp_caller_holds_and_resumes():
    check("answers", "caller_holds")


def test_sipp_caller_requires_reliable_responses_and_a_timer():
    check("answers", "caller_requires_prack")


def test_sipp_busy():
    check("busy", "caller_finds_busy")


def test_sipp_over_tcp():
    check("answers", "caller_hangs_up", tcp=True, carrier="transport = tcp")


def test_sipp_phone_calls_the_trunk():
    routes = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
    with World(routes=routes, register=(), agents=False) as w:
        b = Sipp(w, "answers", CARRIER)
        w.wait_for_port(CARRIER)
        Sipp(w, "phone_calls", PHONE, "0123").finish()
        b.finish()


def test_sipps_own_scenarios():
    """Those that people try a gateway with first."""
    route = "[route r]\nfrom = trunk:carrier\nto = +4930555100\nring = trunk:backup\n"
    with World(routes=route, register=(), agents=False, spare_backup=True) as w:
        for caller, callee in (("uac", "uas"), ("regexp", "uas"), ("uac", "3pcc-A")):
            b = Sipp(w, callee, BACKUP)
            w.wait_for_port(BACKUP)
            Sipp(w, caller, CARRIER, NUMBER).finish()
            b.finish()


def test_sipp_two_hundred_calls_none_fails():
    check("answers", "caller_hangs_up", calls=200, rate=100, routes=RING_ALICE)


def test_sipp_watches_and_publishes_presence():
    with World(register=(), agents=False) as w:
        watcher = Sipp(w, "watches", 12, "1001")
        wait_until(lambda: any(s["notifies"] for s in w.gateway.control("subscriptions")), 10,
                   "the subscription")
        Sipp(w, "publishes", PHONE, "1001").finish()
        watcher.finish()
        wait_until(lambda: not w.gateway.control("subscriptions"), what="its end")


def test_sipp_picks_up_what_a_lamp_tells_of():
    with World(extensions={"1001": "pickup = yes", "1002": ""}, register=("1001",)) as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        picker = Sipp(w, "picks_up", 12, "1001")
        try:
            b.answer_request("CANCEL")
        except AssertionError:
            picker.finish()  # it knows why
            raise
        b.reply(487)
        a.expect(200)
        a.ack()
        a.request("BYE")
        a.expect(200)
        picker.finish()
