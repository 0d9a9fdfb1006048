"""Masses of requests: resident memory is flat after warm-up (FIELD.md)."""

import re
import socket
import time

from harness import Skip, is_sanitized
from bystander import NUMBER, check_log_is_bounded, prove_service
from sip_message import Message, token
from test_event import PIDF, Watch, publish
from test_message import send, take
from test_sipp import CARRIER, PHONE, Sipp
from world import World, wait_until

HEAVY = True


class Mass:
    """One kind of request, again and again, some dozens under way at once. By TCP: there a finished
    transaction has nothing to linger for (RFC 3261 17.2.2, Timer J), so that whatever stays is a
    leak."""

    WINDOW = 40

    def __init__(self, world, last=2):
        self.socket = socket.socket()
        self.socket.bind((f"{world.net}.{last}", 0))
        self.socket.settimeout(5)
        self.socket.connect(world.address)
        self.peer = "{}:{}".format(*self.socket.getsockname())
        self.gateway, self.buffer = world.ip, b""

    def run(self, count, text):
        """Sends so many; {id} in text is new each time. Returns how many were answered."""
        answered = 0
        for start in range(0, count, self.WINDOW):
            ids = {token() for _ in range(min(self.WINDOW, count - start))}
            self.socket.sendall(b"".join(text.replace("{id}", i).encode() for i in ids))
            while ids:
                head = self.answer()
                if head and not head.startswith("SIP/2.0 1"):
                    ids.discard(re.search(r"branch=z9hG4bK(\w+)", head).group(1))
                    answered += 1
        return answered

    def answer(self):
        """The next response, an INVITE's acknowledged."""
        while b"\r\n\r\n" not in self.buffer:
            data = self.socket.recv(65536)
            assert data, "the connection was closed on us"
            self.buffer += data
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)\ncontent-length: *(\d+)", head).group(1))
        self.buffer = self.buffer[length:]
        text = head.decode("utf-8", "replace")
        if " INVITE\r\n" in text + "\r\n" and not text.startswith("SIP/2.0 1"):
            self.socket.sendall(self.ack(Message.parse(head + b"\r\n\r\n")))
        return text

    def ack(self, message):
        return Message(f"ACK sip:{self.gateway} SIP/2.0", [
            ("Via", message.all("Via")[0]), ("From", message.get("From")),
            ("To", message.get("To")), ("Call-ID", message.call_id), ("Max-Forwards", 70),
            ("CSeq", f"{message.cseq[0]} ACK")]).to_bytes()


def request(method, uri, peer):
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP {peer};branch=z9hG4bK{{id}};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:mass@{peer}>;tag={{id}}\r\nTo: <{uri}>\r\n"
            f"Call-ID: {{id}}\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:mass@{peer};transport=tcp>\r\nContent-Length: 0\r\n\r\n")


def check_memory(method, user, count, last=2):
    """Once warm it grows by less than 4 MB; 2 to 3 kB for each request were lost where it hurt."""
    with World() as w:
        mass = Mass(w, last)
        text = request(method, f"sip:{user}@{w.ip}", mass.peer)
        warm = count // 2
        assert mass.run(warm, text) > warm * 0.99
        settle(w, method)
        before = w.gateway.rss_kb()
        since, begun = len(w.gateway.log()), time.monotonic()
        assert mass.run(count - warm, text) > (count - warm) * 0.99
        check_log_is_bounded(w, since, time.monotonic() - begun)
        settle(w, method)
        grown = w.gateway.rss_kb() - before
        # a sanitizer's quarantine and its own records of what was allocated come on top
        limit = 16384 if is_sanitized() else 4096
        assert grown < limit, f"{grown} kB more after {count - warm} {method}"
        prove_service(w)


def settle(world, method):
    """Until finished transactions are gone: an INVITE's waits for T4, 5 s, in its last state."""
    time.sleep(6.0 if method == "INVITE" else 0.2)
    world.alive()


def test_memory_after_20000_options():
    check_memory("OPTIONS", "x", 20000)


def test_memory_after_20000_register():
    check_memory("REGISTER", "1001", 20000, last=77)


def test_memory_after_20000_rejected_invites():
    check_memory("INVITE", "4711", 20000)


def test_memory_after_strangers_invites():
    check_memory("INVITE", "1001", 6000, last=77)


def test_memory_after_20000_messages():
    check_memory("MESSAGE", "x", 20000)


def test_memory_after_strangers_subscriptions():
    check_memory("SUBSCRIBE", "1001", 6000, last=77)


LINGER_S = 33  # RFC 3261 timers B, F, H: 64 T1, and a little


def test_memory_after_subscriptions_publications_and_messages():
    with World(phones="tcp", gateway="nat-ping = 0s") as w:
        def spend(count):
            for i in range(count):
                watch = Watch(w.bob, "1001", ("dialog", "presence")[i % 2], expires=0)
                watch.notify()
                answer = publish(w.alice, "1001", PIDF.format(basic="open", note=f"note {i}"))
                publish(w.alice, "1001", etag=answer.get("SIP-ETag"), expires=0)
                sent = send(w.bob, "1001", "x" * 1000)
                take(w.alice)
                sent.expect(200)
            return w.gateway.rss_kb()

        spend(100)
        time.sleep(LINGER_S)
        before = w.gateway.rss_kb()
        grown = spend(100) - before
        assert grown < (8192 if is_sanitized() else 1024), f"{grown} kB more"
        assert w.gateway.control("subscriptions") == []


def whole_calls():
    return World(register=(), agents=False, carrier="transport = tcp",
                 gateway="overload-lag = 0ms")  # a busy machine refuses none


def call(w, count):
    """So many calls that SIPp makes and SIPp answers, some at a time, however slow this machine is;
    the memory after them."""
    b = Sipp(w, "answers", PHONE, calls=count, tcp=True)
    w.wait_for_port(PHONE)
    Sipp(w, "caller_hangs_up", CARRIER, NUMBER, calls=count, rate=100, tcp=True,
         at_once=20).finish()
    b.finish()
    wait_until(lambda: not w.gateway.control("calls"), what="calls empty")
    return w.gateway.rss_kb()


def test_memory_after_whole_calls():
    # What finished transactions keep for their time is there again for the next ones after it.
    if is_sanitized():
        raise Skip("a sanitizer build keeps what was freed: more of it than this test would find")
    with whole_calls() as w:
        Sipp(w, "registers", PHONE, tcp=True).finish()
        call(w, 300)
        time.sleep(LINGER_S)
        before = w.gateway.rss_kb()
        grown = call(w, 300) - before
        assert grown < 2048, f"{grown} kB more after 300 calls"


def test_memory_of_a_rush_goes_back_to_the_system():
    if is_sanitized():
        raise Skip("a sanitizer build has another allocator")
    with whole_calls() as w:
        Sipp(w, "registers", PHONE, tcp=True).finish()
        rush = call(w, 300)
        wait_until(lambda: w.gateway.rss_kb() < rush - 1024, LINGER_S + 30,
                   f"less memory than the {rush} kB of the rush")


test_memory_of_a_rush_goes_back_to_the_system.timeout_s = 120
for mass in (test_memory_after_20000_options, test_memory_after_20000_register,
             test_memory_after_20000_rejected_invites, test_memory_after_20000_messages):
    mass.timeout_s = 180
