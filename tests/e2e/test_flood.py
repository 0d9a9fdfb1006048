"""Floods from strangers cost no memory, little log, and no call in progress; overload and drain are
told to callers and to load balancers."""

import os
import signal
import socket
import time

from bystander import NUMBER, check_log_is_bounded, prove_service
from harness import is_sanitized
from sip_message import make_sdp, token
from world import World, wait_until

HEAVY = True

STRANGER = 66
FLOOD = 20000
BATCH = 50


class Stranger:
    """A raw UDP socket at an address that nobody knows."""

    def __init__(self, world):
        self.world = world
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((f"{world.net}.{STRANGER}", 0))
        self.socket.settimeout(0.25)
        self.peer = "{}:{}".format(*self.socket.getsockname())
        self.statuses = {}

    def request(self, method, user="1001"):
        serial, uri = token(), f"sip:{user}@{self.world.ip}"
        return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.peer};branch=z9hG4bK{serial};"
                f"rport\r\nMax-Forwards: 70\r\nFrom: <sip:mallory@{self.peer}>;tag={serial}\r\n"
                f"To: <{uri}>\r\nCall-ID: {serial}\r\nCSeq: 1 {method}\r\n"
                f"Contact: <sip:mallory@{self.peer}>\r\nContent-Length: 0\r\n\r\n").encode()

    def send(self, data):
        self.socket.sendto(data, self.world.address)

    def ask(self, data):
        """Sends, and returns the answer's text; "" when none comes."""
        self.send(data)
        try:
            return self.socket.recv(65536).decode()
        except TimeoutError:
            return ""

    def flood(self, method, count):
        """As fast as it goes, some dozens under way at once. Returns how many were answered."""
        answered = 0
        for _ in range(0, count, BATCH):
            for _ in range(BATCH):
                self.send(self.request(method))
            answered += self.drain(BATCH)
        return answered

    def drain(self, count):
        found = 0
        try:
            while found < count:
                status = self.socket.recv(65536)[8:11].decode()
                self.statuses[status] = self.statuses.get(status, 0) + 1
                found += 1
        except TimeoutError:
            pass
        return found


def check_flood(method, statuses):
    """A warm gateway, then the flood: every one is answered, and nothing is kept."""
    with World(gateway="request-rate = 0") as w:
        stranger = Stranger(w)
        stranger.flood(method, 2000)
        before, since, begun = w.gateway.rss_kb(), len(w.gateway.log()), time.monotonic()
        answered = stranger.flood(method, FLOOD)
        assert answered > FLOOD * 0.98, f"{answered} answered"
        assert set(stranger.statuses) == statuses, stranger.statuses
        grown = w.gateway.rss_kb() - before
        limit = 8192 if is_sanitized() else 1024
        assert grown < limit, f"{grown} kB more after {FLOOD} {method}"
        check_log_is_bounded(w, since, time.monotonic() - begun)
        prove_service(w)


def test_a_flood_of_invites_keeps_no_memory():
    check_flood("INVITE", {"407"})


def test_a_flood_of_registers_keeps_no_memory():
    check_flood("REGISTER", {"401"})


def test_a_flood_of_options_keeps_no_memory():
    check_flood("OPTIONS", {"200"})


def test_a_source_that_asks_too_much_gets_503_then_silence_and_others_do_not_suffer():
    with World(gateway="request-rate = 5") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        stranger = Stranger(w)
        since, begun = len(w.gateway.log()), time.monotonic()
        for _ in range(2000):
            stranger.send(stranger.request("REGISTER"))
        stranger.drain(2000)
        taken = time.monotonic() - begun
        seen = stranger.statuses
        assert set(seen) == {"401", "503"}, seen
        assert all(50 <= n <= 52 + 5 * taken for n in seen.values()), f"{seen} in {taken} s"
        log = w.gateway.log()[since:]
        assert "door: too many requests src=" + stranger.peer in log, log
        check_log_is_bounded(w, since, taken)
        assert w.bob.register().status == 200
        w.hang_up(a, b)
        prove_service(w)


def test_a_503_of_the_door_says_when_to_come_again():
    with World(gateway="request-rate = 1") as w:
        stranger = Stranger(w)
        answers = [stranger.ask(stranger.request("INVITE")) for _ in range(12)]
        assert "Retry-After: 10\r\n" in answers[11], answers[11]


def test_who_shows_a_password_is_not_counted():
    with World(gateway="request-rate = 1") as w:
        # each registration is one request without a password, of which ten may come at once, and
        # one with it
        time.sleep(1.5)
        statuses = [w.alice.register().status for _ in range(9)]
        assert statuses == [200] * 9, statuses


def test_a_retransmitted_refusal_has_the_same_tag():
    with World() as w:
        stranger = Stranger(w)
        request = stranger.request("INVITE")
        tags = {stranger.ask(request).split("\r\nTo: ")[1].split("\r\n")[0] for _ in range(3)}
        assert len(tags) == 1 and ";tag=" in tags.pop(), tags
        other = stranger.ask(stranger.request("INVITE"))
        assert ";tag=" in other.split("\r\nTo: ")[1].split("\r\n")[0]


def test_the_ack_of_a_refusal_is_swallowed():
    with World() as w:
        stranger = Stranger(w)
        request = stranger.request("INVITE")
        refusal = stranger.ask(request)
        to = next(line for line in refusal.split("\r\n") if line.startswith("To:"))
        ack = request.replace(b"INVITE", b"ACK")
        lines = [to.encode() if line.startswith(b"To:") else line for line in ack.split(b"\r\n")]
        assert stranger.ask(b"\r\n".join(lines)) == ""
        assert stranger.ask(request.replace(b"INVITE", b"CANCEL")).startswith("SIP/2.0 481")


def refused_call(world):
    a = world.carrier.invite(NUMBER, make_sdp(world.carrier.ip, 4000))
    return a.expect(503)


def hold_up(world, seconds):
    """Keeps the gateway from its work most of the time, as a machine does that has too much."""
    pid, end = world.gateway.process.pid, time.monotonic() + seconds
    while time.monotonic() < end:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.35)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.03)


def test_a_gateway_that_is_behind_takes_no_new_calls_and_keeps_those_it_has():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        hold_up(w, 3)
        refused = refused_call(w)
        assert refused.get("Retry-After"), refused
        assert w.carrier.options().status == 503
        wait_until(lambda: w.carrier.options().status == 200, what="the end of overload")
        w.hang_up(a, b)
        prove_service(w)
        assert "overload: no new calls" in w.gateway.log()


def test_max_calls_is_told_to_callers_and_load_balancers():
    with World(gateway="max-calls = 1") as w:
        assert w.carrier.options().status == 200
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        answer = w.carrier.options()
        assert answer.status == 503 and answer.get("Retry-After"), answer
        refused = refused_call(w)
        assert refused.get("Retry-After"), refused
        w.hang_up(a, b)
        wait_until(lambda: w.carrier.options().status == 200, what="room again")
        prove_service(w)


def test_drain_lets_calls_end_in_peace_and_then_ends_the_gateway():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.gateway.control("drain")
        assert w.gateway.control("status")["state"] == "draining"
        answer = w.carrier.options()
        assert answer.status == 503 and answer.get("Retry-After"), answer
        assert refused_call(w)
        assert w.gateway.process.poll() is None
        w.hang_up(a, b)
        assert w.gateway.process.wait(5) == 0
