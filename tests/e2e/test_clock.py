"""The wall clock is set while calls are up: nothing ends, nothing waits, no record is wrong.

libfaketime shows the gateway a clock that is set by writing a file; the monotonic one goes on."""

import contextlib
import email.utils
import glob
import os
import tempfile
import time

from registrar import take
from sip_message import make_sdp
from world import World, wait_until

NUMBER = "+4930555100"
HOUR_S = 3600


class WallClock:
    """What the gateway takes for the wall clock."""

    def __init__(self):
        handle, self.path = tempfile.mkstemp(prefix="twinleg-e2e-", suffix=".clock")
        os.close(handle)
        self.set(0)
        [library] = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        # jemalloc asks for the time before libfaketime can tell: the C library's malloc() instead
        self.env = {"LD_PRELOAD": f"{library} libc.so.6", "FAKETIME_TIMESTAMP_FILE": self.path,
                    "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, step_s):
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(f"{step_s:+d}\n")
        os.rename(self.path + ".new", self.path)


@contextlib.contextmanager
def world(**more):
    clock = WallClock()
    try:
        with World(process={"env": clock.env}, **more) as w:
            yield w, clock
    finally:
        os.unlink(clock.path)


def check_call(step_s):
    with world() as (w, clock):
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        began = time.monotonic()
        clock.set(step_s)
        a.rtp.tone(440, 1.2)  # by its end, what the step ends has ended
        b.rtp.wait(40)
        assert b.rtp.heard(440) > 0.8
        w.hang_up(a, b)
        shown = w.record()
        lasted_ms = (time.monotonic() - began) * 1000
        assert 800 < shown["ended_ms"] - shown["answered_ms"] < lasted_ms + 1000, shown
        # who reads it finds the hour that the clock shows now
        assert abs(shown["ended_ms"] / 1000 - time.time() - step_s) < 60, shown


def test_a_call_goes_on_when_the_clock_is_set_back():
    check_call(-HOUR_S)


def test_a_call_goes_on_when_the_clock_is_set_forward():
    check_call(HOUR_S)


def test_a_lost_invite_is_repeated_when_the_clock_was_set_back():
    with world() as (w, clock):
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, w.rtp(w.carrier).port))
        b = w.alice.called()
        clock.set(-HOUR_S)
        wait_until(lambda: "INVITE" in b.repeats, what="an INVITE that is repeated")
        b.reply(486)
        b.expect("ACK")
        a.expect(486)


def test_a_telephone_stays_registered_when_the_clock_is_set_forward():
    with world() as (w, clock):
        clock.set(HOUR_S + 60)  # it registered for an hour
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)
        # RFC 3261 20.17: by this telephones set their clocks, so it is the wall clock's time
        date = email.utils.parsedate_to_datetime(w.alice.register().get("Date"))
        assert abs(date.timestamp() - time.time() - HOUR_S - 60) < 60, date


def test_trunks_register_anew_when_the_clock_was_set_forward():
    # a virtual machine that was halted for an hour: its bindings at the carrier have expired
    with world(carrier="register = yes\nuser = me\npassword = secret\n") as (w, clock):
        first = take(w.carrier)
        wait_until(lambda: "trunk=carrier registered" in w.gateway.log(), what="the registration")
        clock.set(HOUR_S)
        again = take(w.carrier)
        assert again.cseq[0] > first.cseq[0]


def test_a_restart_after_the_clock_was_set_forward_keeps_registrations():
    with world() as (w, clock):
        clock.set(HOUR_S + 60)
        assert w.alice.register().status == 200  # for an hour from now
        w.gateway.stop()
        w.gateway.start()
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)
