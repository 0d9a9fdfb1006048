#!/usr/bin/env python3
"""More calls than the machine can carry: what becomes of those that talk, and of those that come.

    bench_overload.py [--twinleg PATH] [--rate 20] [--calls 400] [--seconds 3]

The gateway has the first core to itself and one worker, and codes G.722 as Opus at the greatest
complexity, so that some dozens of calls are enough. Calls come at a rate, each speaks and goes on
speaking, until one is refused: that takes a second of lateness, so there are too many by then. More
are tried, and a third hangs up. Printed: the gateway's share of its core, how late its ticks were
(`twinleg status`), what new calls were told, and how the loss is spread: per cent of its packets
that the least, the median and the most afflicted call missed. "Even" is when these are close
together. Nothing here fails when they are not. (sent/s is the generator's own: 50 a call, or the
machine is too busy for it.)
"""

import argparse
import collections
import itertools
import multiprocessing
import os
import queue
import socket
import struct
import sys
import threading
import time

os.umask(0o077)  # a configuration has passwords in it
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import run  # noqa: E402
from bench_setup import cores, cpu_ms  # noqa: E402
from sip_message import make_sdp  # noqa: E402
from world import World, wait_until  # noqa: E402

FRAME_S, SLOTS = 0.02, 4
G722, BYTES = 9, 160
ROUTES = """
[route out]
from = trunk:carrier
ring = trunk:backup
"""
KEYS = "workers = 1\nopus-complexity = 10\nmax-calls = 10000\nrequest-rate = 0"
MORE = 20  # calls that are tried when one has been refused


def open_socket(ip):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((ip, 0))
    sock.setblocking(False)
    return sock


class Talkers:
    """All that is said and heard, in a process of its own. Callers talk, callees listen."""

    def __init__(self, caller_ip, callee_ip):
        self.out, self.back = open_socket(caller_ip), open_socket(callee_ip)
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self._talk, args=(theirs,), daemon=True)

    def start(self):
        self.process.start()

    def close(self):
        self.process.terminate()
        self.process.join()

    def add(self, number, caller_to, callee_from):
        self.pipe.send(("add", number, caller_to, callee_from))

    def remove(self, number):
        self.pipe.send(("remove", number))

    def window(self, seconds):
        """Per call: packets that it sent and that came out."""
        time.sleep(0.3)  # what was on its way
        self.pipe.send(("begin",))
        time.sleep(seconds)
        self.pipe.send(("end",))
        return self.pipe.recv()

    def _talk(self, pipe):
        self.calls, self.by_port = [[] for _ in range(SLOTS)], {}
        self.sent, self.heard = collections.Counter(), collections.Counter()
        noise, seq, slot, next_at = os.urandom(BYTES), 0, 0, time.monotonic()
        while True:
            while pipe.poll():
                self._obey(pipe, *pipe.recv())
            head = struct.pack("!BBHI", 0x80, G722, seq & 0xffff, seq * BYTES & 0xffffffff)
            for number, to in self.calls[slot]:
                self.out.sendto(head + number.to_bytes(4, "big") + noise, to)
                self.sent[number] += 1
            self._listen()
            slot = (slot + 1) % SLOTS
            seq += slot == 0
            next_at = max(next_at + FRAME_S / SLOTS, time.monotonic() - FRAME_S)
            time.sleep(max(0, next_at - time.monotonic()))

    def _obey(self, pipe, word, *more):
        if word == "add":
            number, to, source = more
            self.calls[number % SLOTS].append((number, to))
            self.by_port[source[1]] = number
        elif word == "remove":
            rest = [call for call in self.calls[more[0] % SLOTS] if call[0] != more[0]]
            self.calls[more[0] % SLOTS] = rest
        elif word == "begin":
            self.sent.clear()
            self.heard.clear()
        else:
            pipe.send({n: (self.sent[n], self.heard[n]) for n in self.sent})

    def _listen(self):
        try:
            while True:
                _, source = self.back.recvfrom(2000)
                if source[1] in self.by_port:
                    self.heard[self.by_port[source[1]]] += 1
        except BlockingIOError:
            pass


class Calls:
    def __init__(self, w, talkers):
        self.w, self.talkers, self.pairs, self.refused = w, talkers, [], collections.Counter()
        self.answered, self.numbers = queue.Queue(), itertools.count()
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        callee, port = self.w.backup, self.talkers.back.getsockname()[1]
        while True:
            b = callee.arrivals.get()
            b.expect("INVITE")
            b.reply(200, make_sdp(callee.ip, port, ("opus",), events=None))
            self.answered.put(b)

    def place(self):
        """False: it is refused."""
        carrier, port = self.w.carrier, self.talkers.out.getsockname()[1]
        a = carrier.invite("0555", make_sdp(carrier.ip, port, ("G722",), events=None))
        answer = a.expect_any(timeout=30)
        if answer.status != 200:
            self.refused[f"{answer.status}, Retry-After {answer.get('Retry-After')}"] += 1
            return False
        a.ack()
        b = self.answered.get(timeout=30)
        b.expect("ACK", timeout=30)
        a.number = next(self.numbers)
        self.talkers.add(a.number, answer.sdp.audio.address, b.invite.sdp.audio.address)
        self.pairs.append((a, b))
        return True

    def hang_up(self, count):
        for a, b in self.pairs[:count]:
            self.talkers.remove(a.number)
            self.w.hang_up(a, b)
        del self.pairs[:count]


def pin(pid, on):
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), on)


def measure(w, calls, seconds, what):
    """One line: load, lateness, and how loss is spread over the calls that stand."""
    w.gateway.control("status")  # forgets how late it was before
    begun, used = time.monotonic(), cpu_ms(w.gateway.pid)
    counts = calls.talkers.window(seconds)
    share = (cpu_ms(w.gateway.pid) - used) / (time.monotonic() - begun) / 10
    status = w.gateway.control("status")
    lost = sorted(max(0, 100 * (sent - heard) / sent) for sent, heard in counts.values() if sent)
    spread = [lost[0], lost[len(lost) // 2], lost[-1]] if lost else [0, 0, 0]
    pace = sum(sent for sent, _ in counts.values()) / max(len(counts), 1) / seconds
    print(f"{what:22} {status['calls']:6} {pace:6.0f} {status['state']:>10} {share:6.0f} "
          f"{status['tick_late_max_us'] / 1000:8.0f} {spread[0]:7.1f} {spread[1]:7.1f} "
          f"{spread[2]:7.1f}", flush=True)


def bench(w, talkers, given):
    calls, begun = Calls(w, talkers), time.monotonic()
    print(f"{'':22} {'calls':>6} {'sent/s':>6} {'state':>10} {'core %':>6} {'late ms':>8} "
          f"{'lost %':>7} {'median':>7} {'most':>7}")
    while len(calls.pairs) < given.calls and calls.place():
        if len(calls.pairs) % 50 == 10:
            measure(w, calls, 1, "room for more")
            begun = time.monotonic() - len(calls.pairs) / given.rate
        time.sleep(max(0, begun + len(calls.pairs) / given.rate - time.monotonic()))
    if not calls.refused:
        print(f"{given.calls} calls fit on this core: try more")
        calls.hang_up(len(calls.pairs))
        return
    measure(w, calls, given.seconds, "the first is refused")
    calls.refused.clear()
    tried = len(calls.pairs)
    for _ in range(MORE):
        calls.place()
    told = ", ".join(f"{count} x {what}" for what, count in calls.refused.items())
    print(f"  of {MORE} new calls {len(calls.pairs) - tried} came in; the others: {told or '-'}")
    calls.hang_up(len(calls.pairs) // 3)
    wait_until(lambda: w.carrier.options().status == 200, what="room")
    measure(w, calls, given.seconds, "a third has hung up")
    calls.hang_up(len(calls.pairs))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twinleg", default=os.environ.get("TWINLEG", "twinleg"))
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=3)
    given = parser.parse_args()
    os.environ["TWINLEG"] = given.twinleg
    run.enter_network()
    mine, theirs = cores()
    os.sched_setaffinity(0, theirs)
    with World(routes=ROUTES, gateway=KEYS, carrier="codecs = G722", backup="codecs = opus",
               register=(), rtp_ports="16384-32767") as w:
        pin(w.gateway.pid, mine)
        talkers = Talkers(w.carrier.ip, w.backup.ip)
        w.media.append(talkers)
        talkers.start()
        bench(w, talkers, given)
        wait_until(lambda: not w.gateway.control("calls"), 10, "the end of all calls")


if __name__ == "__main__":
    main()
