"""Peers that send what they should not: the gateway answers where SIP has an answer, and serves on."""

import random
import re
import socket
import time

import torture
from rtp import Rtp
from sip_message import Message, make_sdp, token
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"


def prove_service(world):
    """A call from end to end, and OPTIONS."""
    world.alive()
    while not world.alice.arrivals.empty():  # calls that a hostile message made
        world.alice.arrivals.get()
    a, b = world.talk(world.carrier, NUMBER, world.alice)
    world.hang_up(a, b)


def check_log_is_bounded(world, since, seconds):
    """No kind of line more often than about once a second (kind: its words, numbers left out)."""
    kinds = {}
    for line in world.gateway.log()[since:].split("\n"):
        words = [w for w in line.split() if w.isalpha()]
        kind = " ".join(words[:6])
        kinds[kind] = kinds.get(kind, 0) + 1
    worst = max(kinds, key=kinds.get)
    assert kinds[worst] <= seconds * 2 + 5, f"{kinds[worst]} lines of {worst!r} in {seconds:.1f} s"


class Bystander:
    """A raw UDP socket at the carrier's address, for messages no agent would send."""

    def __init__(self, world, last=2):
        self.world = world
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((f"{world.net}.{last}", 0))
        self.peer = "{}:{}".format(*self.socket.getsockname())

    def send(self, data):
        self.socket.sendto(data, self.world.address)

    def case(self, text, wait_s=0.3):
        """Sends a case of torture.py; the statuses that came, refusals acknowledged."""
        serial = token()
        data = torture.render(text, self.peer, self.world.ip, NUMBER, serial)
        self.send(data)
        return self.statuses(serial, data, wait_s)

    def statuses(self, serial, data, wait_s):
        found, deadline = [], time.monotonic() + wait_s
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                answer = self.socket.recv(65535)
            except TimeoutError:
                break
            message = Message.parse(answer)
            if message.status and serial in message.call_id + (message.branch or ""):
                found.append(message.status)
                self._acknowledge(message, data)
        return found

    def _acknowledge(self, message, data):
        if message.status >= 200 and message.cseq[1] == "INVITE":
            uri = data.split(b" ", 2)[1].decode("utf-8", "replace")
            ack = Message(f"ACK {uri} SIP/2.0", [
                ("Via", message.all("Via")[0]), ("Max-Forwards", 70), ("Call-ID", message.call_id),
                ("From", message.get("From")), ("To", message.get("To")),
                ("CSeq", f"{message.cseq[0]} ACK")])
            self.send(ack.to_bytes())


def check_cases(cases):
    with World() as w:
        bystander, wrong = Bystander(w), []
        for name, allowed, text in cases:
            statuses = bystander.case(text) or [torture.NONE]
            if not set(statuses) <= {100, *allowed}:
                wrong.append(f"{name}: {statuses}, allowed {allowed}")
            if not w.gateway.running():
                raise AssertionError(f"the gateway died of {name}")
            drop_ringing(w)
        prove_service(w)
        assert not wrong, "\n".join(wrong)


def drop_ringing(world):
    """Refuses what rings at the phone, so that nothing piles up."""
    while not world.alice.arrivals.empty():
        world.alice.arrivals.get().reply(486)


def test_rfc_4475_valid_messages():
    check_cases(torture.VALID)


def test_rfc_4475_invalid_messages():
    check_cases(torture.INVALID)


def test_remote_targets_that_cannot_be_used():
    check_cases(torture.TARGETS)


def test_torture_by_tcp():
    with World() as w:
        for name, _, text in torture.VALID + torture.INVALID + torture.TARGETS:
            data = torture.render(text.replace("SIP/2.0/UDP", "SIP/2.0/TCP"),
                                  f"{w.carrier.ip}:9", w.ip, NUMBER, token())
            with socket.socket() as sock:
                sock.bind((w.carrier.ip, 0))
                sock.settimeout(5)
                sock.connect(w.address)
                sock.sendall(data)
            assert w.gateway.running(), f"the gateway died of {name}"
        drop_ringing(w)
        prove_service(w)


def test_dialogs_with_peers_that_cannot_be_reached():
    with World() as w:
        for contact in torture.UNREACHABLE:
            name, _, text = torture.with_contact("x", contact)
            bystander = Bystander(w)
            bystander.send(torture.render(text, bystander.peer, w.ip, NUMBER, token()))
            try:
                b = w.alice.incoming(timeout=0.5)
            except AssertionError:
                continue  # refused
            b.expect("INVITE")
            b.reply(200, make_sdp(w.alice.ip, 5000))
            b.expect("ACK")
            b.request("BYE")  # the gateway must now end the other leg, and can't
            b.expect(200)
        assert w.gateway.running()
        prove_service(w)


def test_refer_to_of_every_kind_in_a_call():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for value in torture.REFER_TO:
            for method in ("REFER", "NOTIFY"):
                b.request(method, "", [("Refer-To", value), ("Event", "refer")])
                assert b.expect_any().status >= 400, (value, b.ladder)
        outside = w.carrier.dialog("REFER", w.carrier.uri(NUMBER), "", [("Refer-To", "<>")])
        assert outside.expect_any().status >= 400
        w.hang_up(a, b)
        prove_service(w)


def test_replies_with_a_contact_that_cannot_be_used():
    for contact in ("<tel:1>", "<sip:>", "<>", "<sip:a@b:99999>", "<sip:x@no-such.invalid>"):
        with World() as w:
            a, b = w.ring(w.carrier, NUMBER, w.alice)
            b.reply(200, make_sdp(w.alice.ip, b.rtp.port), headers=[("Contact", contact)])
            answer = a.expect_any(timeout=10)
            if answer.status == 200:
                a.ack()
                a.request("BYE")
                a.expect(200)
            assert w.gateway.running()
            prove_service(w)


def test_unknown_methods_are_405_or_501():
    with World() as w:
        for method in torture.UNKNOWN_METHODS:
            dialog = w.carrier.dialog(method, w.carrier.uri(NUMBER))
            answer = dialog.expect_any()
            assert answer.status >= 400, (method, answer.status)
            if answer.status == 405:
                assert answer.get("Allow"), answer  # RFC 3261 21.4.6
        prove_service(w)


def test_garbage_over_udp():
    rng = random.Random(4)
    start = f"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{rng.random()}"
    good = torture.render(torture.VALID[5][2], "127.0.0.1:9", "127.0.0.1", NUMBER, "g").decode()
    with World() as w:
        since, begun = len(w.gateway.log()), time.monotonic()
        bystander = Bystander(w)
        for i in range(3000):
            kind = i % 6
            if kind == 0:
                data = rng.randbytes(rng.randrange(1400))
            elif kind == 1:
                data = good[:rng.randrange(len(good))].encode()
            elif kind == 2:
                data = bytearray(good.encode())
                for _ in range(4):
                    data[rng.randrange(len(data))] = rng.randrange(256)
            elif kind == 3:
                data = start.encode() + b"\r\n" + b"a" * rng.randrange(2000) + b"\r\n\r\n"
            elif kind == 4:
                data = b"\r\n" * rng.randrange(20)
            else:
                data = f"SIP/2.0 {rng.randrange(1000)} X\r\nVia: {'x' * (i % 60)}\r\n\r\n".encode()
            bystander.send(bytes(data))
            if i % 100 == 0:
                time.sleep(0.01)
        w.alive()
        check_log_is_bounded(w, since, time.monotonic() - begun)
        prove_service(w)


def test_oversized_messages():
    with World() as w:
        bystander = Bystander(w)
        text = torture.VALID[5][2]
        for size in (8000, 20000, 60000):
            filler = "X-Filler: " + "y" * size + "\n"
            bystander.case(text.replace("Max-Forwards", filler + "Max-Forwards"), 0.2)
        many = "".join(f"X-H{i}: {i}\n" for i in range(4000))
        bystander.case(text.replace("Max-Forwards", many + "Max-Forwards"), 0.2)
        vias = "".join(f"Via: SIP/2.0/UDP h{i}.invalid;branch=z9hG4bK{i}\n" for i in range(1200))
        bystander.case(text.replace("Max-Forwards", vias + "Max-Forwards"), 0.2)
        prove_service(w)


def test_a_stream_without_end_over_tcp():
    with World() as w:
        for head in (b"INVITE sip:x SIP/2.0\r\nX: ", b"", b"OPTIONS sip:x SIP/2.0\r\n"
                     b"Content-Length: 2000000000\r\n\r\n"):
            with socket.socket() as sock:
                sock.bind((w.carrier.ip, 0))
                sock.settimeout(5)
                sock.connect(w.address)
                try:
                    sock.sendall(head)
                    for _ in range(400):
                        sock.sendall(b"z" * 65536)
                except OSError:
                    pass  # it hung up on us: right so
            assert w.gateway.running()
        assert w.gateway.rss_kb() < 400_000, w.gateway.rss_kb()
        prove_service(w)


def test_many_idle_tcp_connections():
    with World() as w:
        idle = []
        for _ in range(300):
            sock = socket.socket()
            sock.bind((w.carrier.ip, 0))
            sock.settimeout(2)
            sock.connect(w.address)
            sock.sendall(b"INV")
            idle.append(sock)
        prove_service(w)
        for sock in idle:
            sock.close()
        prove_service(w)


# --- SDP ---

def hostile_descriptions(ip):
    """(name, description, may it be a call)"""
    good = make_sdp(ip, 4000)
    line = "m=audio 4000 RTP/AVP 8 101"
    yield "a byte that is not ASCII in the m-line", good.replace(line, "m=a\u00fcdio 4000 RTP/AVP 8")
    yield "only bytes that are not ASCII", "\u00ff\u00fe" * 200
    yield "high byte as format", good.replace(line, "m=audio 4000 RTP/AVP \u00e9")
    yield "negative port", good.replace("audio 4000", "audio -4000")
    yield "port too large", good.replace("audio 4000", "audio 99999999999999999999")
    yield "number of ports", good.replace("audio 4000", "audio 4000/4294967295")
    yield "no c=", good.replace(f"c=IN IP4 {ip}\r\n", "")
    yield "empty c=", good.replace(f"c=IN IP4 {ip}", "c=")
    yield "c= with junk", good.replace(f"c=IN IP4 {ip}", "c=IN IP4 not-an-address")
    yield "c= of the other family", good.replace(f"c=IN IP4 {ip}", "c=IN IP6 127.0.0.1")
    yield "c= with a multicast TTL", good.replace(f"c=IN IP4 {ip}", "c=IN IP4 224.2.1.1/127/3")
    yield "c= 0.0.0.0", good.replace(f"c=IN IP4 {ip}", "c=IN IP4 0.0.0.0")
    yield "no m=", good[:good.index("m=")]
    yield "no v=", good[5:]
    yield "no o=", "v=0\r\n" + good[good.index("s="):]
    yield "broken o=", good.replace("o=peer4000", "o=\x00\x01")
    yield "10 000 lines", good + "a=x:y\r\n" * 10000
    yield "10 000 m-lines", good + "m=audio 4000 RTP/AVP 8\r\n" * 10000
    yield "10 000 formats", good.replace(line, line + " 8" * 10000)
    yield "a long attribute", good + "a=fmtp:8 " + "x" * 20000 + "\r\n"
    yield "an rtpmap of nothing", good + "a=rtpmap:\r\na=rtpmap:8\r\na=rtpmap:8 /\r\n"
    yield "an rtpmap with a huge clock", good.replace("PCMA/8000", "PCMA/99999999999999")
    yield "clock 0", good.replace("PCMA/8000", "PCMA/0")
    yield "payload type 300", good.replace("AVP 8 101", "AVP 300 8")
    yield "negative payload type", good.replace("AVP 8 101", "AVP -8 8")
    yield "ptime 0", good + "a=ptime:0\r\n"
    yield "ptime huge", good + "a=ptime:4294967295\r\na=maxptime:1\r\n"
    yield "no line ends", good.replace("\r\n", "")
    yield "only CR", good.replace("\r\n", "\r")
    yield "NUL inside", good.replace("s=secret", "s=\x00\x00")
    yield "empty lines", good.replace("\r\n", "\r\n\r\n")
    yield "equals signs", "=" * 3000
    yield "port 0", good.replace("audio 4000", "audio 0")
    yield "SAVP", good.replace("RTP/AVP", "RTP/SAVP")
    yield "rtcp to nowhere", good + "a=rtcp:99999 IN IP4 300.300.300.300\r\n"


def test_descriptions_of_every_kind_in_an_offer():
    with World() as w:
        for name, text in hostile_descriptions(w.carrier.ip):
            a = w.carrier.invite(NUMBER, text)
            finish_offer(w, a, name)
        prove_service(w)


def finish_offer(w, a, name):
    """The call rings and is cancelled, or is refused."""
    try:
        answer = a.expect_any(timeout=0.15)
    except AssertionError:
        answer = None
    assert w.gateway.running(), f"the gateway died of {name}"
    if answer is None:
        try:
            b = w.alice.incoming(timeout=1)
        except AssertionError:
            raise AssertionError(f"{name}: neither refused nor rung") from None
        b.expect("INVITE")
        b.reply(486)
        b.expect("ACK")
        answer = a.expect_any()
    assert answer.status in (400, 413, 415, 486, 488, 500, 513, 606), (name, answer.status)


def test_descriptions_of_every_kind_in_an_answer():
    with World() as w:
        for name, text in hostile_descriptions(w.alice.ip):
            if len(text) > 60000:
                continue  # larger than a datagram
            a, b = w.ring(w.carrier, NUMBER, w.alice)
            b.reply(200, text)
            b.expect("ACK")
            answer = a.expect_any()
            assert w.gateway.running(), f"the gateway died of {name}"
            if answer.status == 200:
                a.ack()
                a.request("BYE")
                b.answer_request("BYE")
                a.expect(200)
            else:
                b.answer_request("BYE")
        prove_service(w)


def test_descriptions_of_every_kind_in_a_reoffer():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for name, text in hostile_descriptions(w.carrier.ip):
            if len(text) > 60000:
                continue
            a.request("INVITE", text)
            answer = a.expect_any()
            if answer.status == 200:
                a.ack()
            assert w.gateway.running(), f"the gateway died of {name}"
        a.request("INVITE", make_sdp(w.carrier.ip, a.rtp.port, version=99))
        a.expect(200)
        a.ack()
        a.rtp.tone(440, 0.4)
        assert b.rtp.heard(440) > 0.9, "the call did not outlive it"
        a.request("BYE")
        a.expect(200)


# --- RTP ---

def test_rtp_junk_on_every_open_port():
    with World(rtp_ports="20000-20015") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        stranger, rng = Rtp(f"{w.net}.66"), random.Random(5)
        w.media.append(stranger)
        since, begun = len(w.gateway.log()), time.monotonic()
        for _ in range(100):
            for port in range(20000, 20016):
                stranger.rtp.sendto(rng.randbytes(rng.randrange(300)), (w.ip, port))
            time.sleep(0.005)
        check_log_is_bounded(w, since, time.monotonic() - begun)
        tone = a.rtp.tone_start(440, 0.5)
        b.rtp.tone(660, 0.5)
        tone.join()
        assert b.rtp.heard(440) > 0.9 and a.rtp.heard(660) > 0.9
        w.hang_up(a, b)


# --- masses: resident memory is flat after warm-up (FIELD.md) ---

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


def request(method, uri, peer, extra=""):
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP {peer};branch=z9hG4bK{{id}};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:mass@{peer}>;tag={{id}}\r\nTo: <{uri}>\r\n"
            f"Call-ID: {{id}}\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:mass@{peer};transport=tcp>\r\n{extra}Content-Length: 0\r\n\r\n")


def check_memory(method, user, count, last=2, extra=""):
    """Grows by less than 100 bytes a request once warm."""
    with World() as w:
        mass = Mass(w, last)
        text = request(method, f"sip:{user}@{w.ip}", mass.peer, extra)
        warm = count // 2
        assert mass.run(warm, text) > warm * 0.99
        settle(w)
        before = w.gateway.rss_kb()
        since, begun = len(w.gateway.log()), time.monotonic()
        assert mass.run(count - warm, text) > (count - warm) * 0.99
        check_log_is_bounded(w, since, time.monotonic() - begun)
        settle(w)
        grown = w.gateway.rss_kb() - before
        assert grown < 1024 + count // 10, f"{grown} kB more after {count - warm} {method}"
        prove_service(w)


def settle(world):
    time.sleep(0.2)
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


def test_a_guesser_of_passwords_does_not_fill_the_log():
    with World(routes=RING_ALICE) as w:
        guesser = w.agent(77, "1001", password="wrong", domain="pbx.test")
        since, begun = len(w.gateway.log()), time.monotonic()
        for _ in range(60):
            guesser.register(password=token())
        check_log_is_bounded(w, since, time.monotonic() - begun)
        prove_service(w)


def test_the_callee_floods_with_answers():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        for status in [180, 183, 199, 182] * 100:
            b.reply(status)
        b.reply(486)
        b.expect("ACK")
        wait_until(lambda: any(m.status == 486 for m in a.messages), what="486")
        prove_service(w)
