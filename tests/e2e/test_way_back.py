"""Answers to those whose TCP connection is not what it was when they called: closed on their side
only, closed for good, or both after the answer."""

import socket

from sip import TIMEOUT_S, Dialog
from sip_message import Message, make_sdp
from world import World, wait_until

NUMBER = "+4930555100"


def invite(w, **names):
    """The carrier calls by TCP; its Via names the port where it listens."""
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port), **names)
    b = w.called(w.alice)
    a.expect("100")
    return a, b


def connections(w):
    """The gateway's, with the carrier, in any state."""
    return [name for name in w.gateway.descriptors().values()
            if name.startswith("tcp") and swapped(w.carrier.ip) in name.split()[2]]


def swapped(ip):
    return "".join(f"{int(part):02X}" for part in reversed(ip.split(".")))


def invite_and_close(w):
    a, b = invite(w)
    w.carrier.disconnect()
    wait_until(lambda: not connections(w), what="the end of the connection")
    return a, b


def test_a_caller_whose_connection_has_closed_is_answered_where_its_via_says():
    # RFC 3261 18.2.2
    with World(transport="tcp") as w:
        a, b = invite_and_close(w)
        b.reply(180)
        a.expect(180)
        way, = connections(w)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        assert connections(w) == [way], "one will do"
        a.ack()
        b.expect("ACK")
        w.hang_up(a, b)


def test_a_refusal_goes_there_too():
    with World(transport="tcp") as w:
        a, b = invite_and_close(w)
        b.reply(486)
        a.expect(486)


class Speaker:
    """A caller that says what it has to say and then listens only."""

    def __init__(self, w):
        self.world, self.socket = w, socket.socket()
        self.socket.bind((w.carrier.ip, 0))
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(w.address)
        self.buffer = b""

    def say(self, text, body=""):
        host, port = self.socket.getsockname()
        text = text.format(me=f"{host}:{port}", n=len(body))
        self.socket.sendall((text + "\r\n" + body).encode())

    def invite(self):
        self.say(f"INVITE sip:{NUMBER}@pbx.test SIP/2.0\r\n"
                 "Via: SIP/2.0/TCP {me};branch=z9hG4bKhalf\r\nMax-Forwards: 70\r\n"
                 "From: <sip:4711@pbx.test>;tag=half\r\nTo: <sip:x@pbx.test>\r\n"
                 "Call-ID: half\r\nCSeq: 1 INVITE\r\n"
                 f"Contact: <sip:4711@{self.world.carrier.hostport};transport=tcp>\r\n"
                 "Content-Type: application/sdp\r\nContent-Length: {n}\r\n",
                 make_sdp(self.world.carrier.ip, 4000))
        self.socket.shutdown(socket.SHUT_WR)

    def hear(self, status):
        while True:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                data = self.socket.recv(65536)
                assert data, f"{status} was to come, and the connection has closed"
                self.buffer += data
                continue
            message = Message.parse(head + end)
            size = int(message.get("Content-Length"))
            self.buffer = rest[size:]
            if message.status == status:
                return message

    def hear_the_end(self):
        while self.socket.recv(65536):
            pass
        self.socket.close()


def test_a_caller_that_only_listens_after_its_invite_hears_the_answers():
    with World() as w:
        speaker = Speaker(w)
        speaker.invite()
        b = w.called(w.alice)
        b.reply(180)
        speaker.hear(180)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        ok = speaker.hear(200)
        b.expect("ACK")
        w.carrier.send((  # as nothing can be said on the old connection, on a new one
            f"ACK sip:{NUMBER}@pbx.test SIP/2.0\r\n"
            f"Via: SIP/2.0/TCP {w.carrier.hostport};branch=z9hG4bKack\r\nMax-Forwards: 70\r\n"
            f"From: {ok.get('From')}\r\nTo: {ok.get('To')}\r\nCall-ID: half\r\nCSeq: 1 ACK\r\n"
            "Content-Length: 0\r\n\r\n").encode(), transport="tcp")
        speaker.hear_the_end()
        assert len(w.gateway.control("calls")) == 1
        b.request("BYE")
        b.expect(200)
        bye = w.carrier.others.get(timeout=TIMEOUT_S)
        Dialog(w.carrier, "uas", invite=bye).reply(200, to=bye)


def test_a_refusal_ends_such_a_connection():
    with World() as w:
        speaker = Speaker(w)
        speaker.invite()
        b = w.called(w.alice)
        b.reply(486)
        speaker.hear(486)
        speaker.hear_the_end()
        wait_until(lambda: not connections(w), what="the end of the connection")


def test_one_that_is_gone_altogether_leaves_nothing():
    with World() as w:
        speaker = Speaker(w)
        speaker.invite()
        b = w.called(w.alice)
        speaker.socket.close()
        for status in (180, 183, 180):
            b.reply(status)
        b.reply(486)
        b.expect("ACK")
        wait_until(lambda: not connections(w), what="the end of the connection")
        wait_until(lambda: not w.gateway.control("calls"), what="the end of the call")
