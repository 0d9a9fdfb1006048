"""Fax: T.38 passed on between two that have it, and between T.38 and a modem on G.711. What a leg
is asked, what it refuses, and the way back to audio."""

import socket
import struct
import time

import fax
import rtp
from sip_message import make_sdp
from test_modify import check_talks, reinvite
from world import World, wait_until

NUMBER = "+4930555100"
T38 = ("a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF",
       "a=T38FaxMaxBuffer:1024", "a=T38FaxMaxDatagram:400", "a=T38FaxUdpEC:t38UDPRedundancy")
PROBE = bytes([5 << 1])


class Wire:
    """A bare UDPTL socket."""

    def __init__(self, ip):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((ip, 0))
        self.sock.settimeout(3)
        self.ip, self.port = self.sock.getsockname()
        self.remote, self.udptl = None, fax.Udptl()

    def close(self):
        self.sock.close()

    def send(self, *ifps, lose=()):
        for number, ifp in enumerate(ifps):
            datagram = self.udptl.pack(ifp)
            if number not in lose:
                self.sock.sendto(datagram, self.remote)

    def take(self, count):
        """The next packets, recovered ones included, probes left out."""
        got = []
        while len(got) < count:
            got += [ifp for ifp in self.receive() if ifp != PROBE]
        return got

    def receive(self):
        return [ifp for _, ifp in self.udptl.unpack(self.sock.recv(2000))]

    def reaches(self, other):
        """Does a packet come through? A plan may be on its way to the worker when it is granted."""
        self.send(PROBE)
        other.sock.settimeout(0.2)
        try:
            return PROBE in other.receive()
        except TimeoutError:
            return False
        finally:
            other.sock.settimeout(3)


def fax_sdp(ip, port, version=1, audio_before=False, lines=T38):
    """m=image alone, as those who change over say it, or behind the audio line that was."""
    return "\r\n".join(["v=0", f"o=peer 4711 {version} IN IP4 {ip}", "s=-", f"c=IN IP4 {ip}",
                        "t=0 0", *(["m=audio 0 RTP/AVP 8"] if audio_before else []),
                        f"m=image {port} udptl t38", *lines]) + "\r\n"


def image(sdp):
    return next(m for m in sdp.media if m.kind == "image")


def attribute(media, name):
    return next((a.split(":", 1)[1] for a in media.attributes if a.startswith(name + ":")), None)


def next_version(dialog):
    dialog.version = getattr(dialog, "version", 1) + 1
    return dialog.version


def ask_t38(dialog, wire, **more):
    dialog.request("INVITE", fax_sdp(wire.ip, wire.port, next_version(dialog), **more))


def granted(dialog, wire):
    """The 200 that gives T.38; wire is aimed."""
    ok = dialog.expect(200)
    dialog.ack()
    media = image(ok.sdp)
    assert media.port, f"no T.38 in\n{ok}"
    wire.remote = media.address
    return media


def grant_t38(dialog, wire):
    """A re-INVITE to T.38 comes, and is accepted."""
    asked = dialog.expect("INVITE")
    media = image(asked.sdp)
    assert media.port and not any(m.port for m in asked.sdp.media if m.kind == "audio"), asked
    wire.remote = media.address
    dialog.reply(200, fax_sdp(wire.ip, wire.port, next_version(dialog)), to=asked)
    dialog.expect("ACK")
    return media


def refuse(dialog, status=488):
    asked = dialog.expect("INVITE")
    dialog.reply(status, to=asked)
    dialog.expect("ACK")
    return asked


def wires(w, a, b):
    pair = Wire(a.agent.ip), Wire(b.agent.ip)
    w.media.extend(pair)
    return pair


def loudest(media, hz, since):
    """The share of a tone where it is heard best."""
    audio = media.audio("PCMA", since=since)
    windows = (audio[i:i + 640] for i in range(0, len(audio) - 639, 320))
    return max((rtp.share(w, hz) for w in windows if rtp.level(w) > 100), default=0)


def paths(w):
    """The ways that media takes in the only call."""
    shown = w.gateway.control("show", w.gateway.control("calls")[0]["id"])
    return {shown[side]["path"] for side in "ab"}


def check_passes(one, other):
    """Packets go through as they are, and a lost one comes back on the way."""
    some = [bytes([kind << 1]) for kind in (3, 0, 1, 2, 0, 3)]
    wait_until(lambda: one.reaches(other), what="the way")
    wait_until(lambda: other.reaches(one), what="the way back")
    one.send(*some, lose=(2, 3))
    assert other.take(6) == some
    other.send(*some[:2])
    assert one.take(2) == some[:2]


def test_t38_is_passed_on_and_both_go_back_to_audio():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        check_talks(a, b)
        one, other = wires(w, a, b)
        ask_t38(a, one)
        media = grant_t38(b, other)
        assert attribute(media, "T38FaxUdpEC") == "t38UDPRedundancy"
        granted(a, one)
        check_passes(one, other)
        stranger = Wire(f"{w.net}.9")
        w.media.append(stranger)
        stranger.remote = one.remote
        stranger.send(b"\x02")
        one.send(b"\x04")
        assert other.take(1) == [b"\x04"], "a stranger is passed on"
        # the end of the fax: the callee goes back, and takes the caller with it
        b.version = next_version(b)
        b.request("INVITE", make_sdp(b.agent.ip, b.rtp.port, version=b.version))
        asked = a.expect("INVITE")
        assert asked.sdp.audio.port and asked.sdp.audio.codecs() == ["PCMA"]
        a.reply(200, make_sdp(a.agent.ip, a.rtp.port, version=next_version(a)), to=asked)
        a.expect("ACK")
        assert b.expect(200).sdp.audio.port
        b.ack()
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_leg_that_refuses_t38_meets_it_through_the_gateway():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        one, _ = wires(w, a, b)
        ask_t38(b, one, audio_before=True)
        refuse(a)
        media = granted(b, one)
        assert attribute(media, "T38FaxVersion") == "0"
        since = len(a.rtp.packets)
        # what the T.38 side calls with is heard as a tone: CNG, 1100 Hz
        for _ in range(3):
            one.send(bytes([fax.CNG << 1]))
        wait_until(lambda: len(a.rtp.packets) > since + 60, what="audio from the gateway's modems")
        assert loudest(a.rtp, 1100, since) > 0.9
        a.expect_nothing(0.1)  # is not asked a second time
        reinvite(b)
        check_talks(a, b)
        w.hang_up(a, b)


def test_t38_is_refused_where_it_is_switched_off():
    with World(carrier="t38 = off", extensions={"1001": ""}, register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        one, other = wires(w, a, b)
        ask_t38(a, one)
        a.expect(488)
        b.expect_nothing(0.1)
        check_talks(a, b)
        # the other leg may have it: the trunk stays on audio, and is asked nothing
        ask_t38(b, other)
        granted(b, other)
        a.expect_nothing(0.1)
        w.hang_up(a, b)


def test_where_fax_can_not_be_heard_t38_is_refused_and_the_call_stays():
    with World(carrier="t38 = off\ncodecs = G722", extensions={"1001": "codecs = PCMA"},
               register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, codecs=("G722",))
        _, other = wires(w, a, b)
        ask_t38(b, other)
        b.expect(488)
        since = len(a.rtp.packets)
        b.rtp.tone(440, 0.3)
        wait_until(lambda: len(a.rtp.packets) > since + 8, what="audio as before")
        w.hang_up(a, b)


def test_a_leg_on_another_codec_is_brought_to_g711_for_a_fax():
    with World(carrier="t38 = off\ncodecs = G722, PCMU", extensions={"1001": "codecs = PCMA"},
               register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, codecs=("G722",))
        _, other = wires(w, a, b)
        ask_t38(b, other)
        asked = a.expect("INVITE")
        assert asked.sdp.audio.codecs() == ["PCMU"], asked
        a.reply(200, make_sdp(a.agent.ip, a.rtp.port, ("PCMU",), version=next_version(a)), to=asked)
        a.expect("ACK")
        granted(b, other)
        w.hang_up(a, b)


def test_where_nobody_is_to_be_asked_a_fax_still_stops_delays_from_moving():
    with World(carrier="codecs = PCMU", extensions={"1001": "codecs = PCMA"},
               register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, codecs=("PCMU",))
        check_talks(a, b, "PCMU", "PCMA")
        a.rtp.tone(1100, 0.6, "PCMU")
        wait_until(lambda: "leg=a fax tone=calling" in w.gateway.log(), what="the calling tone")
        a.rtp.payloads([b"\xff" * 160] * 25, 0)
        since, begun = len(b.rtp.packets), time.monotonic()
        a.rtp.tone(440, 0.3, "PCMU")
        wait_until(lambda: rtp.level(b.rtp.audio("PCMA", since=since)) > 500, what="the next tone")
        loud = next(packet for packet in b.rtp.packets[since:]
                    if rtp.level(rtp.decode(packet.payload, "PCMA")) > 99)
        assert loud.at - begun > 0.08, f"{loud.at - begun:.3f} s: that is no delay for a modem"
        a.expect_nothing(0.05)
        b.expect_nothing(0.05)
        w.hang_up(a, b)


def test_a_caller_with_t38_only_is_led_to_g711_and_on_to_t38():
    with World() as w:
        wire = Wire(w.carrier.ip)
        w.media.append(wire)
        a = w.carrier.invite(NUMBER, fax_sdp(wire.ip, wire.port))
        b = w.alice.incoming()
        assert b.expect("INVITE").sdp.audio.codecs() == ["PCMA", "PCMU"], b.invite
        b.rtp = w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        b.reply(200, make_sdp(b.agent.ip, b.rtp.port))
        b.expect("ACK")
        other = Wire(w.alice.ip)
        w.media.append(other)
        grant_t38(b, other)
        granted(a, wire)  # maybe before b: up to then its packets are for modems
        wait_until(lambda: paths(w) == {"relay"}, what="T.38 passed on")
        check_passes(wire, other)
        w.hang_up(a, b)


def test_both_ask_for_t38_at_once():
    # RFC 3261 14.2: each refuses the other's, waits, and one of them comes again
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        one, other = wires(w, a, b)
        ask_t38(a, one)
        asked = b.expect("INVITE")
        b.request("INVITE", fax_sdp(other.ip, other.port, next_version(b)))
        b.expect(491)
        b.reply(491, to=asked)
        b.expect("ACK")
        time.sleep(0.3)
        ask_t38(b, other)
        granted(b, other)
        granted(a, one)
        check_passes(one, other)
        # ours comes again, and is welcome
        again = b.expect("INVITE", timeout=5)
        assert image(again.sdp).port
        b.reply(200, fax_sdp(other.ip, other.port, b.version), to=again)
        b.expect("ACK")
        check_passes(one, other)
        w.hang_up(a, b)


def test_refreshes_and_hold_change_nothing_for_a_fax():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        one, other = wires(w, a, b)
        ask_t38(a, one)
        grant_t38(b, other)
        granted(a, one)
        for dialog, wire in ((a, one), (b, other)):
            dialog.request("INVITE", fax_sdp(wire.ip, wire.port, dialog.version))
            granted(dialog, wire)
        one.send(b"\x02")
        assert other.take(1) == [b"\x02"]
        a.request("INVITE")  # without an offer: ours is the fax
        ok = a.expect(200)
        a.ack(body=fax_sdp(one.ip, one.port, a.version),
              headers=[("Content-Type", "application/sdp")])
        assert image(ok.sdp).port, ok
        one.send(b"\x04")
        assert other.take(1) == [b"\x04"]
        w.hang_up(a, b)


def test_junk_at_a_fax_port_harms_nobody():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        one, other = wires(w, a, b)
        ask_t38(a, one)
        refuse(b)
        granted(a, one)
        for junk in (b"", b"\0", bytes(12), b"\x80\x08" + bytes(170), b"\0\0\xc1" + bytes(60),
                     b"\0\0\x01\x06\0\xff", struct.pack("!HB", 7, 3) + b"\xc0\xff\x80\0\0",
                     b"\xff" * 1500, b"\0\1\4\xc0\1\x80\xff\0\0"):
            one.sock.sendto(junk, one.remote)
        since = len(b.rtp.packets)
        for _ in range(3):
            one.send(bytes([fax.CED << 1]))
        wait_until(lambda: len(b.rtp.packets) > since + 60, what="audio from the gateway's modems")
        assert loudest(b.rtp, 2100, since) > 0.9
        w.hang_up(a, b)
