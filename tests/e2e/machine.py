"""Whether this machine gave everybody their time while something was measured.

    on_time(lambda: both_hear(a, b))        # fails as that does

A virtual machine may stand still for a fifth of a second, and other tests want its processors: a
tone that was said or heard meanwhile says nothing of the gateway. What fails while that was so is
measured again, some times; what fails while all had their time fails at once.
"""

import glob
import os
import threading
import time

import harness
from rtp import in_time

ATTEMPTS = 6
TICK_S = 0.005
LATE_S = 0.020            # less than a packet: telephones and jitter buffers live with it
SHARE_OF_WAITING = 0.005  # of the time that was watched, and LATE_S


def waited_s(pids):
    """How long the threads of these processes have been ready to run and did not."""
    total_ns = 0
    for path in (path for pid in pids for path in glob.glob(f"/proc/{pid}/task/*/schedstat")):
        try:
            with open(path, encoding="ascii") as file:
                total_ns += int(file.read().split()[1])
        except (OSError, IndexError):  # the thread has ended; a kernel that does not say
            continue
    return total_ns / 1e9


def stolen_s():
    """What other machines have taken of this one's processors."""
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Looks at the gateways, at other processes that matter, and at what this one's threads get."""

    def __init__(self, pids=()):
        self.pids = [*pids, *(gateway.process.pid for gateway in harness.Gateway.started
                              if gateway.running())]
        self.late_s, self.open = 0.0, True
        self.thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        self.begun = time.monotonic()
        self.waited_s, self.stolen_s = waited_s(self.pids), stolen_s()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.thread.join()

    def _tick(self):
        with in_time():
            while self.open:
                due = time.monotonic() + TICK_S
                time.sleep(TICK_S)
                self.late_s = max(self.late_s, time.monotonic() - due)

    def hindrance(self):
        """What kept somebody from being on time, in words; None: nothing did."""
        allowed_s = LATE_S + SHARE_OF_WAITING * (time.monotonic() - self.begun)
        for what, seconds, limit_s in (
                ("this process was late by", self.late_s, LATE_S),
                ("the gateway waited for a processor for", waited_s(self.pids) - self.waited_s,
                 allowed_s),
                ("others took of the machine", stolen_s() - self.stolen_s, allowed_s)):
            if seconds > limit_s:
                return f"{what} {1000 * seconds:.0f} ms"
        return None


def on_time(measure, attempts=ATTEMPTS):
    """What measure() returns. It may be called several times."""
    for left in reversed(range(attempts)):
        with Watch() as watch:
            try:
                return measure()
            except AssertionError as error:
                why = watch.hindrance()
                if not left or not why:
                    raise
                print(f"measured again, since {why}: {error}")
    return None
