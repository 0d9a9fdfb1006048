"""UDP and TCP, IPv4 and IPv6, in every mix; and what one leg may not learn of the other."""

import itertools
import re
import select
import socket
import time

from sip import Agent
from sip_message import make_sdp
from test_transfer import refer
from world import RING_ALICE, World, connect, wait_until

NUMBER = "+4930555100"
ASKED = ["> INVITE", "< 100", "< 180", "< 200", "> ACK"]
TRUNK_OUT = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
BOTH = f"[route in]\nfrom = trunk:carrier\nto = {NUMBER}\nring = 1001, 1002\n"


counter = itertools.count(1)


def check_call(world, caller, callee, number=NUMBER):
    """Rings, talks both ways, ends."""
    a, b = world.talk(caller, number, callee)
    a.rtp.tone(440, 0.5)
    b.rtp.tone(660, 0.5)
    assert b.rtp.heard(440) > 0.9 and a.rtp.heard(660) > 0.9, "no sound"
    world.hang_up(a, b)
    assert a.ladder[-7:] == ASKED + ["> BYE", "< 200"], a.ladder
    return a, b


def test_tcp_on_both_legs():
    with World(transport="tcp", carrier="transport = tcp", phones="tcp") as w:
        a, b = check_call(w, w.carrier, w.alice)
        assert "transport=tcp" in a.answer.get("Contact").lower(), a.answer.get("Contact")
        assert b.invite.get("Via").upper().startswith("SIP/2.0/TCP"), b.invite.get("Via")


def test_udp_trunk_to_tcp_phone():
    with World(phones="tcp") as w:
        check_call(w, w.carrier, w.alice)


def test_tcp_trunk_to_udp_phone():
    with World(transport="tcp", carrier="transport = tcp") as w:
        check_call(w, w.carrier, w.alice)


def test_out_by_a_tcp_trunk():
    with World(routes=TRUNK_OUT, carrier="transport = tcp") as w:
        a, b = w.ring(w.alice, "0123", w.carrier)
        assert b.invite.connection is not None, "came by UDP"
        a.cancel()
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")


def free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        return sock.getsockname()[1]


class World6(World):
    """A world whose gateway listens on ::1 too, on a port of its own."""

    def __init__(self, **more):
        super().__init__(**more)
        self.port6 = free_port()

    def config(self, routes=None):
        text = super().config(routes)
        return text.replace("\ndomain =", f", udp:[::1]:{self.port6}, tcp:[::1]:{self.port6}"
                            "\ndomain =", 1)

    def phone6(self, extension, transport="udp"):
        phone = Agent("::1", ("::1", self.port6), user=extension, domain="pbx.test",
                      password=f"secret{extension}", transport=transport)
        self.agents.append(phone)
        answer = phone.register()
        assert answer.status == 200, answer
        return phone


def test_ipv6_on_both_legs_udp():
    with World6(routes="", register=()) as w:
        alice, bob = w.phone6("1001"), w.phone6("1002")
        check_call(w, alice, bob, "1002")


def test_ipv6_on_both_legs_tcp():
    with World6(routes="", register=()) as w:
        alice, bob = w.phone6("1001", "tcp"), w.phone6("1002", "tcp")
        check_call(w, alice, bob, "1002")


def test_ipv4_trunk_to_ipv6_phone():
    with World6(register=()) as w:
        alice = w.phone6("1001")
        a, b = check_call(w, w.carrier, alice)
        assert a.answer.sdp.origin[4] == "IP4" and b.invite.sdp.origin[4] == "IP6"


def test_ipv6_tcp_phone_to_ipv4_trunk():
    with World6(routes=TRUNK_OUT, register=()) as w:
        alice = w.phone6("1001", "tcp")
        check_call(w, alice, w.carrier, "0123")


def ring_both_families(w, winner):
    """1001 is registered by IPv4, 1002 by IPv6; both ring; each has been told a port of its own."""
    bob = w.phone6("1002")
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
    legs = []
    for phone in (w.alice, bob):
        b = w.called(phone)
        b.reply(180)
        legs.append(b)
    a.expect(180)
    b = legs[winner]
    b.reply(200, make_sdp(b.agent.ip, b.rtp.port))
    ok = a.expect(200)
    a.rtp = media
    media.remote = ok.sdp.audio.address
    a.ack()
    b.expect("ACK")
    tone = media.tone_start(440, 0.5)
    b.rtp.tone(660, 0.5)
    tone.join()
    assert media.heard(660) > 0.9 and b.rtp.heard(440) > 0.9
    sources = {p.source[:2] for p in b.rtp.packets}
    assert sources == {b.rtp.remote[:2]}, (sources, b.rtp.remote)
    w.hang_up(a, b)


def test_phones_of_both_families_ring_at_once_and_the_ipv4_one_answers():
    with World6(routes=BOTH, register=("1001",)) as w:
        ring_both_families(w, 0)


def test_phones_of_both_families_ring_at_once_and_the_ipv6_one_answers():
    with World6(routes=BOTH, register=("1001",)) as w:
        ring_both_families(w, 1)


def test_sound_and_pictures_of_another_family_than_signalling():
    with World6(register=("1001",)) as w:
        elsewhere = w.rtp(w.carrier)
        video = ("m=video 4002 RTP/AVP 96", "a=rtpmap:96 VP8/90000")
        offer = make_sdp(elsewhere.ip, elsewhere.port, extra=video)
        a = w.phone6("1002").invite("1001", offer)
        b = w.alice.incoming()
        b.expect("INVITE")
        b.reply(200, make_sdp(w.alice.ip, 4000, extra=video))
        said = {m.kind: m.connection for m in a.expect(200).sdp.media if m.port}
        assert said.get("audio") == w.ip, a.answer
        assert said.get("video") == w.ip, a.answer
        a.ack()
        b.expect("ACK")
        w.hang_up(a, b)


def test_a_call_changes_to_media_of_another_family_and_keeps_them_when_it_is_transferred():
    with World6(routes=TRUNK_OUT + RING_ALICE, register=("1001",),
                extensions={"1001": "pickup = yes", "1002": ""}) as w:
        elsewhere = w.rtp(w.carrier)
        a, b = w.talk(w.phone6("1002"), "1001", w.alice)
        a.rtp = elsewhere
        a.request("INVITE", make_sdp(elsewhere.ip, elsewhere.port, version=2))  # IPv4 from now on
        ok = a.expect(200)
        a.ack()
        elsewhere.remote = ok.sdp.audio.address
        assert elsewhere.remote[0] == w.ip, ok
        tone = a.rtp.tone_start(440, 0.5)
        b.rtp.tone(660, 0.5)
        tone.join()
        assert a.rtp.heard(660) > 0.9 and b.rtp.heard(440) > 0.9
        other, c = w.talk(w.alice, "0123", w.carrier)
        refer(b, "0123", replaces=other)  # he goes to another session
        offer = a.expect("INVITE")
        elsewhere.remote = offer.sdp.audio.address
        assert elsewhere.remote[0] == w.ip, offer
        a.reply(200, make_sdp(elsewhere.ip, elsewhere.port, version=3), to=offer)
        a.expect("ACK")
        a.rtp.tone(520, 0.3)
        assert c.rtp.heard(520) > 0.9
        a.bye()


def test_a_call_is_picked_up_with_media_of_another_family():
    with World6(register=("1001",), extensions={"1001": "pickup = yes", "1002": ""}) as w:
        bob = w.phone6("1002")
        _, b = w.ring(w.carrier, NUMBER, w.alice)
        names = f"{b.call_id};to-tag={b.remote.rpartition('tag=')[2]};from-tag={b.local_tag}"
        c = bob.invite("1001", make_sdp(w.alice.ip, 4000), [("Replaces", names)])
        assert c.expect(200).sdp.audio.address[0] == w.ip


def test_media_of_a_family_that_we_do_not_speak_are_refused():
    with World(routes=RING_ALICE + "[route echo]\nto = 600\nanswer = echo\n") as w:
        for number in (NUMBER, "600"):
            no = w.carrier.invite(number, make_sdp("2001:db8::1", 4000)).expect(488)
            assert "network address" in no.get("Warning"), no
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("INVITE", make_sdp("2001:db8::1", 4000, version=2))
        a.expect(488)
        b.expect_nothing(0.2)
        a.request("INVITE", make_sdp("::", 4000, version=3))  # the hold of old
        assert a.expect(200).sdp.audio.direction == "recvonly"
        a.ack()
        w.hang_up(a, b)


def traces(agent, media_port):
    """What must not be seen on the other leg: names of hosts, tags, agents, SDP origin."""
    return [agent.ip, agent.user_agent, f"secret{media_port}", f"peer{media_port}",
            f"4711{media_port}", "x-private", "via-of-"]


def test_nothing_of_one_leg_shows_on_the_other():
    private = [("Private-Note", "x-private-42"), ("Organization", "x-private-org"),
               ("Subject", "x-private-subject")]
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port), headers=[
            *private, ("Record-Route", f"<sip:via-of-a@{w.net}.2:5060;lr>")])
        b = w.alice.called()
        b.rtp = w.rtp(w.alice)
        b.reply(180, headers=private)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port), headers=private)
        a.expect(180)
        a.expect(200)
        a.route_set = []  # the way of its Record-Route ends at the carrier itself
        a.ack(headers=private)
        b.expect("ACK")
        a.request("BYE", headers=private)
        b.answer_request("BYE")
        a.expect(200)
        check_hidden(b.messages, [a.call_id, a.local_tag, a.invite.branch,
                                  *traces(w.carrier, media.port)])
        check_hidden(a.messages, [b.call_id, b.local_tag, b.invite.branch, b.invite.from_tag,
                                  *traces(w.alice, b.rtp.port)])


def check_hidden(messages, secrets):
    for message in messages:
        message.set("Record-Route", None)  # a response gives back its own leg's
        text = str(message).lower()
        for secret in secrets:
            assert secret.lower() not in text, f"{secret!r} leaked:\n{message}"


def test_our_own_identity_stands_in_every_message():
    with World(gateway="user-agent = Twinleg-Test/9") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)
        invite = b.invite
        assert re.match(rf"SIP/2.0/UDP {re.escape(w.ip)}(:5060)?;", invite.get("Via")), invite
        assert f"{w.ip}:5060" in invite.get("Contact"), invite.get("Contact")
        assert invite.get("User-Agent") == "Twinleg-Test/9", invite.get("User-Agent")
        assert a.answer.get("Server", a.answer.get("User-Agent")) == "Twinleg-Test/9", a.answer
        assert len(invite.all("Via")) == 1 and not invite.all("Record-Route")
        assert invite.sdp.audio.connection == w.ip, invite.sdp.text


def answer_challenge(world, status, headers):
    """The carrier challenges the INVITE; returns its second one, answered."""
    phone = world.alice
    media = world.rtp(phone)
    a = phone.invite("0123", make_sdp(phone.ip, media.port))
    b = world.carrier.incoming()
    first = b.expect("INVITE")
    b.reply(status, headers=headers)
    b.expect("ACK")
    second = b.expect("INVITE")
    b.invite = second
    assert second.cseq[0] > first.cseq[0] and second.branch != first.branch
    assert second.from_tag == first.from_tag and second.call_id == first.call_id
    return a, b, second


def check_digest(world, status, challenge, offered, answered, expect):
    a, b, second = answer_challenge(world, status, [(offered, challenge)])
    value = second.get(answered)
    assert value and 'username="twin"' in value and 'realm="carrier.test"' in value, second
    assert expect in value, value
    check_response(value, "INVITE")
    connect(a, b, make_sdp(world.carrier.ip, 5000))
    world.hang_up(a, b)


def check_response(value, method):
    """The response is the one that RFC 2617 computes from user, password and the rest."""
    import hashlib

    from sip_message import challenge_of

    def md5(*parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    c = challenge_of(value)
    ha1, ha2 = md5("twin", c["realm"], "leg"), md5(method, c["uri"])
    middle = [c["nonce"]] + ([c["nc"], c["cnonce"], c["qop"]] if "qop" in c else [])
    assert c["response"] == md5(ha1, *middle, ha2), value


TRUNK_KEYS = "user = twin\npassword = leg"


def test_a_trunks_407_is_answered():
    with World(routes=TRUNK_OUT, carrier=TRUNK_KEYS) as w:
        check_digest(w, 407, 'Digest realm="carrier.test", nonce="n1", opaque="o1", qop="auth"',
                     "Proxy-Authenticate", "Proxy-Authorization", 'opaque="o1"')


def test_a_trunks_401_without_qop_is_answered():
    with World(routes=TRUNK_OUT, carrier=TRUNK_KEYS) as w:
        check_digest(w, 401, 'Digest realm="carrier.test", nonce="n2", algorithm=MD5',
                     "WWW-Authenticate", "Authorization", 'nonce="n2"')


def test_a_password_that_the_trunk_refuses_is_not_tried_for_ever():
    with World(routes=TRUNK_OUT, carrier=TRUNK_KEYS) as w:
        challenge = [("Proxy-Authenticate", 'Digest realm="carrier.test", nonce="{}"')]
        a, b, _ = answer_challenge(w, 407, [(challenge[0][0], challenge[0][1].format("n1"))])
        b.reply(407, headers=[(challenge[0][0], challenge[0][1].format("n2"))])
        b.expect("ACK")
        assert a.expect_any().status in (403, 480, 502, 503), a.ladder
        b.expect_nothing(0.3)


def test_a_trunk_that_wants_a_registration_gets_one_and_loses_it_at_the_end():
    with World(routes="", carrier="register = yes\n" + TRUNK_KEYS) as w:
        register = w.carrier.others.get(timeout=6)
        assert register.method == "REGISTER", register
        answer(w.carrier, register, 401, [("WWW-Authenticate",
                                           'Digest realm="carrier.test", nonce="r1"')])
        register = w.carrier.others.get(timeout=6)
        check_response(register.get("Authorization"), "REGISTER")
        answer(w.carrier, register, 200, [("Contact", register.get("Contact") + ";expires=600")])
        wait_until(lambda: any(t.get("state") == "up" for t in w.gateway.control("trunks")),
                   what="trunk up")
        w.gateway.terminate()
        last = w.carrier.others.get(timeout=6)
        expires = last.get("Expires") or re.search(r"expires=(\d+)", last.get("Contact")).group(1)
        assert last.method == "REGISTER" and int(expires) == 0, last


def answer(agent, request, status, headers=()):
    """A response outside any dialog."""
    from sip import Dialog

    dialog = Dialog(agent, role="uas", invite=request)
    dialog.reply(status, headers=headers, to=request)


def test_two_messages_in_one_tcp_segment_and_one_in_many():
    with World(routes="") as w:
        text = ("OPTIONS sip:{ip} SIP/2.0\r\nVia: SIP/2.0/TCP {me};branch=z9hG4bK{n};rport\r\n"
                "Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:{ip}>\r\nCall-ID: s{n}\r\n"
                "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
        one, two, three = (text.format(ip=w.ip, me=w.carrier.hostport, n=n).encode()
                           for n in (1, 2, 3))
        with socket.create_connection(w.address, timeout=5) as sock:
            sock.sendall(one + two)
            sock.sendall(b"\r\n\r\n")
            for i in range(0, len(three), 40):
                sock.sendall(three[i:i + 40])
            received = b""
            while received.count(b"SIP/2.0 200") < 3:
                data = sock.recv(65536)
                assert data, received
                received += data


def test_a_large_message_over_udp_is_answered_and_one_over_tcp_too():
    long_headers = [(f"X-Filler-{i}", "x" * 500) for i in range(12)]
    for transport in ("udp", "tcp"):
        with World(transport=transport, routes=RING_ALICE,
                   carrier=f"transport = {transport}") as w:
            a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000), headers=long_headers)
            b = w.alice.called()
            b.reply(486)
            a.expect(486)


def answered_at(world, via, port, speak, *listen):
    """OPTIONS with that Via, sent by a socket; the index of the one that hears the answer."""
    number = next(counter)
    speak.sendto((f"OPTIONS sip:{world.ip} SIP/2.0\r\nVia: SIP/2.0/UDP {via}:{port}"
                  f";branch=z9hG4bK{number}\r\nFrom: <sip:a@{via}>;tag=1\r\nCSeq: 1 OPTIONS\r\n"
                  f"To: <sip:{world.ip}>\r\nCall-ID: {number}\r\nContent-Length: 0\r\n\r\n")
                 .encode(), world.address)
    ready, _, _ = select.select(listen, [], [], 5)
    assert len(ready) == 1 and ready[0].recv(4096).startswith(b"SIP/2.0 200"), ready
    return listen.index(ready[0])


def test_an_answer_goes_to_the_port_that_via_names_unless_there_is_a_nat():
    with World() as w, socket.socket(type=socket.SOCK_DGRAM) as speaks, \
            socket.socket(type=socket.SOCK_DGRAM) as listens:
        me = f"{w.net}.77"
        speaks.bind((me, 0))
        listens.bind((me, 0))
        port = listens.getsockname()[1]
        assert answered_at(w, me, port, speaks, speaks, listens) == 1, "RFC 3261 18.2.2"
        assert answered_at(w, "192.168.1.20", port, speaks, speaks, listens) == 0, "a NAT"
        assert answered_at(w, me, f"{port};rport", speaks, speaks, listens) == 0, "RFC 3581"


def test_a_browser_at_a_sip_address_is_told_of_in_the_log():
    with World() as w:
        for start, said in ((b"GET /ws HTTP/1.1", "no WebSocket here"), (b"HELLO THERE", "HELLO")):
            with socket.create_connection(w.address) as browser:
                browser.settimeout(6)
                browser.sendall(start + b"\r\nHost: pbx.test\r\nUpgrade: websocket\r\n"
                                b"Connection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
                assert browser.recv(100) == b"", "nothing that it could understand"
            wait_until(lambda said=said: said in w.gateway.log(), what=said)
            time.sleep(1.1)  # a line a second
        w.alive()
