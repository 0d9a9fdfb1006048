"""A bad network between a peer and the gateway, for SIP over UDP, and peers that can live with it.

    peer ── front ─ Relay ─ back ── gateway      loses, doubles, delays and so reorders, both ways

The gateway sees the back's address, as it sees that of a NAT. What happens to which packet is drawn
from a seed. A Stubborn agent sends again what is not answered, as RFC 3261 17 and 13.3.1.4 and RFC
3262 3 want, and until() waits for one message among those that may or may not come.
"""

import heapq
import random
import select
import socket
import threading
import time

from sip import TIMEOUT_S, Agent
from sip_message import Message

T1_S, T2_S = 0.5, 4.0
PATIENCE_S = 25.0


class Weather:
    """What happens to which packet. loss, twice: shares; delay_s: up to so much, at random."""

    def __init__(self, seed, loss=0.1, twice=0.1, delay_s=0.05):
        self.random, self.lost, self.doubled, self.fates = random.Random(seed), 0, 0, []
        self.loss, self.twice, self.delay_s = loss, twice, delay_s

    def delays_s(self):
        """Those of the next packet: none, one, or two. Among twenty the shares are exact: chance
        says only which ones."""
        if not self.fates:
            lost, twice = round(20 * self.loss), round(20 * self.twice)
            self.fates = [0] * lost + [2] * twice + [1] * (20 - lost - twice)
            self.random.shuffle(self.fates)
        times = self.fates.pop()
        self.lost += times == 0
        self.doubled += times == 2
        return [self.random.random() * self.delay_s for _ in range(times)]


class Relay:
    """Impairs what goes either way."""

    def __init__(self, ip, gateway, seed, **weather):
        self.gateway, self.weather = gateway, Weather(seed, **weather)
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                                 for _ in range(2))
        self.front.bind((ip, 0))
        self.back.bind((ip, 5060))
        self.address, self.peer = self.front.getsockname(), None
        self.held, self.serial, self.open = [], 0, True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.open = False
        self.thread.join(2)
        self.front.close()
        self.back.close()

    def _impair(self, sock, data, target):
        for delay_s in self.weather.delays_s():
            self.serial += 1
            heapq.heappush(self.held, (time.monotonic() + delay_s, self.serial, sock, data, target))

    def _run(self):
        while self.open:
            wait = min(max(self.held[0][0] - time.monotonic(), 0), 0.02) if self.held else 0.02
            for sock in select.select([self.front, self.back], [], [], wait)[0]:
                data, source = sock.recvfrom(65535)
                if sock is self.front:
                    self.peer = source
                    self._impair(self.back, data, self.gateway)
                elif self.peer:
                    self._impair(self.front, data, self.peer)
            while self.held and self.held[0][0] <= time.monotonic():
                _, _, sock, data, target = heapq.heappop(self.held)
                sock.sendto(data, target)


class Stubborn(Agent):
    """An agent behind a relay."""

    def __init__(self, ip, gateway, relay, **more):
        self.relay, self.unanswered = relay, {}
        self.sorted, self.sorting = {}, threading.Lock()
        super().__init__(ip, gateway, **more)
        relay.peer = self.udp.getsockname()  # it may be called before it has said anything
        self.clock = threading.Thread(target=self._tick, daemon=True)
        self.clock.start()

    def close(self):
        super().close()
        self.clock.join(2)
        self.relay.close()

    def send(self, message, host=None, port=None, transport=None, connection=None):
        data = message if isinstance(message, bytes) else message.to_bytes()
        key = self._key(Message.parse(data))
        with self.lock:
            if key:
                self.unanswered[key] = [time.monotonic() + T1_S, T1_S, data]
            self.log.append((">", self.relay.address, data))
            self.udp.sendto(data, self.relay.address)

    @staticmethod
    def _key(message):
        """What ends its repetition; None: nothing repeats it."""
        if message.method:
            return None if message.method == "ACK" else (message.branch, message.method)
        if message.cseq[1] == "INVITE" and message.status >= 200:
            return message.call_id, "ACK", message.cseq[0], message.to_tag
        if message.get("RSeq") and message.status < 200:
            return message.call_id, "PRACK", message.get("RSeq")
        return None

    def _take(self, data, source, connection):
        message = Message.parse(data) if data.strip() else None
        with self.lock:
            if message and message.status:
                self.unanswered.pop((message.branch, message.cseq[1]), None)
            elif message and message.method == "ACK":
                self.unanswered.pop((message.call_id, "ACK", message.cseq[0], message.to_tag),
                                    None)
            elif message and message.method == "PRACK":
                rseq = message.get("RAck").split()[0]
                self.unanswered.pop((message.call_id, "PRACK", rseq), None)
        super()._take(data, source, connection)

    def _tick(self):
        while self.open:
            time.sleep(0.02)
            with self.lock:
                for entry in self.unanswered.values():
                    if entry[0] <= time.monotonic():
                        entry[1] = min(2 * entry[1], T2_S)
                        entry[0] = time.monotonic() + entry[1]
                        self.udp.sendto(entry[2], self.relay.address)

    def pick(self, tag, timeout=PATIENCE_S):
        """The incoming call whose X-Call header has this value; others wait for their turn."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self.sorting:
                while not self.arrivals.empty():
                    dialog = self.arrivals.get()
                    self.sorted[dialog.invite.get("X-Call")] = dialog
                if tag in self.sorted:
                    return self.sorted.pop(tag)
            time.sleep(0.02)
        raise AssertionError(f"call {tag} never came to {self.user}")


def until(dialog, *titles, timeout=PATIENCE_S):
    """The next message that is one of these, whatever comes before it."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        message = dialog.expect_any(deadline - time.monotonic(), skip=())
        if message.title in [str(title) for title in titles]:
            return message
    raise AssertionError(f"{titles} never came; ladder {dialog.ladder}")


def in_parallel(function, count):
    """Runs function(0) to function(count - 1) at the same time; raises what the first raised."""
    errors = []

    def run(number):
        try:
            function(number)
        except BaseException as error:  # an AssertionError, or anything else: a failed call
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True)
               for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(4 * PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads), "a call hangs"
    if errors:
        raise errors[0]


assert TIMEOUT_S < PATIENCE_S
