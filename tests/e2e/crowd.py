"""A crowd of SIP peers in one thread: thousands of calls, each a ladder of its own, at hundreds a
second.

    crowd = Crowd(world, transport="udp")
    crowd.run([kinds.busy, kinds.held] * 500, rate=200)

A kind of call is a generator over a Call. It says what it sends at once, and yields (leg, titles)
to wait for a message of that leg that has one of these titles, whatever comes before it, or (None,
seconds) to let time pass. Legs of phones are found by the header X-Call, which goes through the
gateway. A BYE gets its 200, a repeated request its answer once more, a refusal its ACK, by the
crowd itself.
"""

import collections
import heapq
import select
import socket
import struct
import time

from sip_message import Message, credentials, make_sdp, token, uri_of

PATIENCE_S = 20.0
MEDIA_PORT = 4000
BUFFER_BYTES = 8 << 20
REFUSED_MAX = 3  # calls whose failure is told in full


class Side:
    """One address: the carrier, or a phone. transport: how it meets the gateway."""

    def __init__(self, crowd, name, ip, user, transport, password=None):
        self.crowd, self.name, self.ip, self.user = crowd, name, ip, user
        self.transport, self.password, self.buffer = transport, password, b""
        if transport == "udp":
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            self.socket.bind((ip, 5060))
            self.socket.connect(crowd.gateway)
        else:
            self.socket = socket.socket()
            self.socket.bind((ip, 0))
            self.socket.connect(crowd.gateway)
        self.media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.media.bind((ip, MEDIA_PORT))
        self.port = self.socket.getsockname()[1]
        self.contact = f"<sip:{user}@{ip}:{self.port};transport={transport}>"

    def close(self):
        self.socket.close()
        self.media.close()

    def send(self, message):
        self.socket.sendall(message.to_bytes())

    def read(self):
        """The messages that are there."""
        try:
            data = self.socket.recv(1 << 20, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if self.transport == "udp":
            yield Message.parse(data)
            return
        assert data, f"the gateway closed the connection of {self.name}"
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            length = int(Message.parse(head).get("Content-Length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            yield Message.parse(head + b"\r\n\r\n" + rest[:length])

    def speak(self, message, payload_type=8, packets=3):
        """A little sound to where a message's SDP says: codecs are built when one is needed."""
        address = message.sdp.audio.address
        for number in range(packets):
            head = struct.pack("!BBHII", 0x80, payload_type, number, 160 * number, 4711)
            self.media.sendto(head + bytes(160), address)


class Leg:
    """One dialog of a call, seen from a side."""

    def __init__(self, call, side, invite=None):
        self.call, self.side, self.invite = call, side, invite
        self.inbox, self.seen, self.replies = collections.deque(), set(), {}
        self.tag, self.cseq = token(), 0
        self.call_id, self.remote, self.target = token(), None, None
        self.local = f"<sip:{side.user}@{side.ip}>;tag={self.tag}"
        self.last = None

    # --- as a caller ---

    def request(self, method, body="", headers=(), cseq=None, branch=None):
        """Sends a request in the dialog."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        side = self.side
        own = [("Via", f"SIP/2.0/{side.transport.upper()} {side.ip}:{side.port};"
                f"branch=z9hG4bK{branch or token()}"),
               ("Max-Forwards", 70), ("From", self.local), ("To", self.remote),
               ("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}"),
               ("Contact", side.contact)]
        own += [("Content-Type", "application/sdp")] if body else []
        given = {name.lower() for name, _ in headers}
        own = [(name, value) for name, value in own if name.lower() not in given]
        message = Message(f"{method} {self.target} SIP/2.0", own + list(headers), body)
        if method == "INVITE":
            self.invite = message
        self.last = message
        side.send(message)
        return message

    def ask(self, method, number, body="", headers=()):
        """A request outside any dialog, the number at the gateway."""
        self.target = f"sip:{number}@{self.side.crowd.gateway[0]}"
        self.remote = f"<{self.target}>"
        return self.request(method, body, [*headers, ("X-Call", self.call.tag)])

    def authenticate(self, challenge, headers=()):
        """The last request once more, with credentials."""
        offered, answer = (("WWW-Authenticate", "Authorization") if challenge.status == 401 else
                           ("Proxy-Authenticate", "Proxy-Authorization"))
        value = credentials(challenge.get(offered), self.last.method, self.target,
                            self.side.user, self.side.password)
        again = [(name, value) for name, value in self.last.headers
                 if name in ("X-Call", "Content-Type", "Event", "Expires", "Contact", "To", "From")]
        return self.request(self.last.method, self.last.body, [*again, (answer, value), *headers])

    def ack(self, answer, body=""):
        self.learn(answer)
        self.request("ACK", body, cseq=answer.cseq[0])

    def cancel(self):
        self.side.send(Message(f"CANCEL {self.target} SIP/2.0", [
            (name, self.invite.get(name))
            for name in ("Via", "Max-Forwards", "From", "To", "Call-ID")
        ] + [("CSeq", f"{self.invite.cseq[0]} CANCEL")]))

    def learn(self, answer):
        """What a response says of the dialog."""
        self.remote = answer.get("To")
        if answer.get("Contact"):
            self.target = uri_of(answer.get("Contact"))

    # --- as the one who is called ---

    def reply(self, status, body="", headers=(), to=None):
        """Answers a request, the INVITE unless told otherwise."""
        request = to or self.invite
        local = request.get("To")
        if "tag=" not in local:
            local += f";tag={self.tag}"
        own = [("Via", value) for value in request.all("Via")]
        own += [("From", request.get("From")), ("To", local), ("Call-ID", self.call_id),
                ("CSeq", request.get("CSeq")), ("Contact", self.side.contact)]
        own += [("Content-Type", "application/sdp")] if body else []
        response = Message(f"SIP/2.0 {status} Whatever", own + list(headers), body)
        self.replies[(request.method, request.cseq[0])] = response
        self.side.send(response)

    def take(self, message):
        """A message for this leg has come. True: it is news."""
        key = (message.title, message.cseq, message.get("RSeq"))
        if message.status and message.status >= 300 and message.cseq[1] == "INVITE":
            self._acknowledge(message)
        if key in self.seen and message.status != 401:
            answer = self.replies.get((message.method, message.cseq[0]))
            if answer:
                self.side.send(answer)
            return False
        self.seen.add(key)
        self.inbox.append(message)
        if message.method == "BYE":
            self.reply(200, to=message)
        return True

    def _acknowledge(self, refusal):
        self.side.send(Message(f"ACK {self.target} SIP/2.0", [
            ("Via", self.invite.get("Via")), ("Max-Forwards", 70), ("From", self.local),
            ("To", refusal.get("To")), ("Call-ID", self.call_id),
            ("CSeq", f"{refusal.cseq[0]} ACK")]))

    def sdp(self, *codecs, **more):
        return make_sdp(self.side.ip, MEDIA_PORT, codecs or ("PCMA",), **more)


class Call:
    """One run of a kind."""

    def __init__(self, crowd, kind):
        self.crowd, self.kind, self.tag = crowd, kind, token()
        self.legs, self.steps = {}, None
        self.waits_for, self.since, self.wake = None, 0.0, None

    def leg(self, name):
        """The leg at this side; it may not have been rung yet."""
        if name not in self.legs:
            self.legs[name] = Leg(self, self.crowd.sides[name])
            if not self.crowd.sides[name].password:
                self.crowd.legs[self.legs[name].call_id] = self.legs[name]
        return self.legs[name]

    def caller(self, name):
        """A leg at this side that will send the first request."""
        leg = Leg(self, self.crowd.sides[name])
        self.crowd.legs[leg.call_id] = leg
        return leg

    def rung(self, side, invite):
        leg = self.leg(side.name)
        if leg.invite is None:
            leg.invite, leg.call_id = invite, invite.call_id
            leg.remote, leg.target = invite.get("From"), uri_of(invite.get("Contact"))
            leg.local = f"{invite.get('To')};tag={leg.tag}"
            self.crowd.legs[leg.call_id] = leg
        return leg

    def begin(self):
        self.steps = self.kind(self)
        self._go(None)

    def proceed(self):
        """Whether it is over, with what has come."""
        while self.waits_for and self.waits_for[0] is not None:
            leg, titles = self.waits_for
            found = None
            while leg.inbox and not found:
                message = leg.inbox.popleft()
                if message.title in titles:
                    found = message
            if not found:
                return
            self._go(found)

    def _go(self, value):
        try:
            leg, what = self.steps.send(value)
        except StopIteration:
            self.waits_for = None
            return
        if leg is None:
            self.waits_for = (None, ())
            heapq.heappush(self.crowd.sleepers, (time.monotonic() + what, id(self), self))
            return
        titles = what if isinstance(what, tuple) else (what,)
        self.waits_for, self.since = (leg, tuple(str(t) for t in titles)), time.monotonic()
        self.proceed()

    def awake(self):
        self._go(None)

    def over(self):
        return self.waits_for is None


class Crowd:
    """The sides around a gateway: carrier at .2, alice at .11, bob at .12 of the network."""

    def __init__(self, world, transport="udp"):
        self.gateway = world.address
        self.sides, self.legs, self.calls, self.sleepers = {}, {}, {}, []
        for name, last, user, password in (("carrier", 2, "+4917011122", None),
                                           ("alice", 11, "1001", "secret1001"),
                                           ("bob", 12, "1002", "secret1002")):
            self.sides[name] = Side(self, name, f"{world.net}.{last}", user, transport, password)
        for name in ("alice", "bob"):
            self.run([register(name)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for side in self.sides.values():
            side.close()

    def run(self, kinds, rate=200.0, at_once=400):
        """All of them to their end, at most so many a second begun, and so many at once. Fails with
        the first that stands still."""
        waiting, due = collections.deque(kinds), time.monotonic()
        while waiting or self.calls:
            now = time.monotonic()
            while waiting and due <= now and len(self.calls) < at_once:
                call = Call(self, waiting.popleft())
                self.calls[call.tag] = call
                call.begin()
                due = max(due, now - 0.1) + 1 / rate
                self._bury(call)
            self._wake(now)
            self._listen(0.002 if waiting else 0.02)
            self._check(now)
        self.legs.clear()

    def _bury(self, call):
        if call.over():
            self.calls.pop(call.tag, None)
            for leg in call.legs.values():
                self.legs.pop(leg.call_id, None)

    def _wake(self, now):
        while self.sleepers and self.sleepers[0][0] <= now:
            call = heapq.heappop(self.sleepers)[2]
            call.awake()
            self._bury(call)

    def _listen(self, wait_s):
        by_socket = {side.socket: side for side in self.sides.values()}
        for sock in select.select(list(by_socket), [], [], wait_s)[0]:
            for _ in range(50):
                heard = False
                for message in by_socket[sock].read():
                    heard = True
                    self._sort(by_socket[sock], message)
                if not heard:
                    break

    def _sort(self, side, message):
        leg = self.legs.get(message.call_id)
        if not leg and message.method == "INVITE":
            call = self.calls.get(message.get("X-Call"))
            leg = call.rung(side, message) if call else None
        if not leg:
            self._turn_away(side, message)
        elif leg.take(message):
            leg.call.proceed()
            self._bury(leg.call)

    def _turn_away(self, side, message):
        """What belongs to a call that is over, or to nothing: OPTIONS, a late BYE."""
        if message.method and message.method != "ACK":
            own = [("Via", value) for value in message.all("Via")]
            side.send(Message(f"SIP/2.0 {200 if message.method != 'INVITE' else 481} Late", own + [
                (name, message.get(name)) for name in ("From", "To", "Call-ID", "CSeq")]))

    def _check(self, now):
        stuck = [c for c in self.calls.values()
                 if c.waits_for and c.waits_for[0] and now - c.since > PATIENCE_S]
        assert not stuck, "\n".join(
            f"{len(stuck)} calls stand still; {c.kind.__name__} waits for {c.waits_for[1]} of "
            f"{c.waits_for[0].side.name}, which saw {sorted(str(k) for k in c.waits_for[0].seen)}"
            for c in stuck[:REFUSED_MAX])


def register(name):
    """A kind: the phone of this name registers."""
    def steps(call):
        leg = call.caller(name)
        record = f"<sip:{leg.side.user}@pbx.test>"
        leg.local = f"{record};tag={leg.tag}"
        leg.target, leg.remote = "sip:pbx.test", record
        leg.request("REGISTER", headers=[("Expires", 600)])
        answer = yield leg, (200, 401)
        if answer.status == 401:
            leg.authenticate(answer)
            yield leg, 200
    return steps
