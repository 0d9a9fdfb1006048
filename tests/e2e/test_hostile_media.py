"""Session descriptions and RTP that no honest peer would send."""

import random
import time

from bystander import NUMBER, check_log_is_bounded, prove_service
from rtp import Rtp
from sip_message import make_sdp
from world import World


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
    yield "2000 m-lines", good + "m=audio 4000 RTP/AVP 8\r\n" * 2000
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
    with World(transport="tcp", carrier="transport = tcp") as w:  # some exceed a datagram
        for name, text in hostile_descriptions(w.carrier.ip):
            a = w.carrier.invite(NUMBER, text)
            finish_offer(w, a, name)
            if len(text) > 60000:
                w.carrier.disconnect()  # before the gateway does it, after its 413
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
