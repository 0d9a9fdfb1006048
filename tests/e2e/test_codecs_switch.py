"""Payload types and codecs that change within one stream, and what the other side hears of it."""

import time

from codecs_of_others import say
from listen import timeline, windows
from machine import on_time
from rtp import FRAME_S, TYPES, chunks, decode, encode, in_time, sine
from test_codecs import call, sdp
from test_media import channels, recordings
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
HZ = 700
SPELL_S = 0.6


def spell(codec, seconds=SPELL_S):
    """Payloads of 20 ms of the tone, and the units of the RTP clock in each."""
    if codec in ("PCMA", "PCMU"):
        return chunks(encode(sine(HZ, seconds), codec), 160), 160
    return say(codec, HZ, seconds), 960 if codec == "opus" else 160


class Talker:
    """Says one spell after the other in one stream at its own pace. Between them whole packets are
    left out that it is too late for, since signalling took its time: paused_ms in all."""

    def __init__(self, rtp, codecs):
        self.rtp, self.next_at, self.paused_ms = rtp, None, 0
        self.spells = {codec: spell(codec) for codec in codecs}  # encoding takes its time

    def _leave_out(self, step):
        missed = max(0, int((time.monotonic() - self.next_at) / FRAME_S))
        self.next_at += missed * FRAME_S
        self.rtp.ts += missed * step
        self.paused_ms += missed * 20

    def say(self, codec, pt):
        self.next_at = self.next_at or time.monotonic()
        payloads, step = self.spells[codec]
        self._leave_out(step)
        with in_time():
            for i, payload in enumerate(payloads):
                time.sleep(max(0, self.next_at - time.monotonic()))
                self.rtp.send(payload, pt, samples=step, marker=i == 0)
                self.next_at += FRAME_S


def heard_by(rtp, pt=8, codec="PCMA"):
    """SNR of 20 ms each as the far end plays it."""
    packets = [p for p in list(rtp.packets) if p.pt == pt]
    assert len({p.ssrc for p in packets}) == 1, "one stream"
    seqs = [p.seq for p in packets]
    assert all((y - x) & 0xffff == 1 for x, y in zip(seqs, seqs[1:])), seqs
    return windows(timeline(packets, lambda p: decode(p.payload, codec)), HZ)


def check_clean(found, spells, missing_ms=0, least_db=20.0):
    """The tone all the time, but for a window where the codec changes (which moves its phase) and
    so much of a pause in all."""
    good = [i for i, db in enumerate(found) if db >= least_db]
    assert good, found
    talk = found[good[0]:good[-1] + 1]
    bad = sum(db < least_db for db in talk)
    shown = " ".join(f"{db:.0f}" for db in talk)
    assert len(talk) > 0.9 * spells * SPELL_S / 0.020, f"{len(talk)} windows: {shown}"
    assert bad <= spells + missing_ms // 20, f"{bad} windows are not clean: {shown}"


def test_the_callee_switches_between_what_it_has_agreed_to():
    keys = "codecs = PCMU, PCMA, G722, opus"
    order = ("PCMA", "PCMU", "PCMA", "G722", "opus", "PCMA", "opus", "PCMU")

    def switch_and_listen():
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMA", "PCMU", "G722", "opus"),
                      answer_sdp={"payload_types": {"opus": 111}})
        ours = b.invite.sdp.audio
        types = {name: ours.payload_type(name) for name in ("PCMA", "PCMU", "G722", "opus")}
        assert types["opus"] not in (None, 111), "numbers of both sides differ"
        talker = Talker(b.rtp, order)
        a.rtp.tone(HZ, 0.1)
        for codec in order:
            talker.say(codec, types[codec])
        time.sleep(0.2)
        w.hang_up(a, b)
        check_clean(heard_by(a.rtp), spells=len(order), missing_ms=60 + talker.paused_ms)

    with World(carrier="codecs = PCMA", extensions={"1001": keys, "1002": ""}) as w:
        on_time(switch_and_listen)


def test_a_recording_goes_on_while_the_callee_switches():
    order = ("PCMA", "PCMU", "PCMA", "opus")

    def switch_and_listen():
        before = set(recordings(w))
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMA", "PCMU", "opus"))
        ours = b.invite.sdp.audio
        talker = Talker(b.rtp, order)
        a.rtp.tone(HZ, 0.1)
        for codec in order:
            talker.say(codec, ours.payload_type(codec))
        time.sleep(0.2)
        w.hang_up(a, b)
        path, = wait_until(lambda: set(recordings(w)) - before, what="a recording")
        wait_until(lambda: not w.gateway.control("calls"), what="the end")
        (_, callee), rate = channels(path)
        for found in (heard_by(a.rtp), windows(callee, HZ, rate)):
            check_clean(found, spells=len(order), missing_ms=60 + talker.paused_ms)

    with World(carrier="codecs = PCMA", routes=RING_ALICE + "record = stereo\n",
               extensions={"1001": "codecs = PCMU, PCMA, opus", "1002": ""}) as w:
        on_time(switch_and_listen)


def test_what_was_not_agreed_upon_is_ignored():
    def talk_and_listen(codec):
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=(codec,))
        b.rtp.tone(HZ, 0.1, codec)
        payloads, next_at = spell("PCMA")[0], time.monotonic()
        for i, payload in enumerate(payloads):
            time.sleep(max(0, next_at - time.monotonic()))
            a.rtp.send(payload, 8)
            if i % 3 == 1:
                a.rtp.send(bytes(160), 120, samples=0)
                a.rtp.send(bytes(160), 9, samples=0)
            next_at += FRAME_S
        time.sleep(0.15)
        w.hang_up(a, b)
        check_clean(heard_by(b.rtp, TYPES[codec], codec), spells=1)

    with World(carrier="codecs = PCMA",
               extensions={"1001": "codecs = PCMA, PCMU", "1002": ""}) as w:
        on_time(lambda: talk_and_listen("PCMA"))  # relayed
        on_time(lambda: talk_and_listen("PCMU"))  # transcoded


def test_a_reinvite_gives_a_payload_type_to_another_codec():
    keys = {"1001": "codecs = PCMA", "1002": ""}
    order = (("opus", "opus/48000/2"), ("speex", "speex/8000"), ("G726-32", "G726-32/8000"),
             ("opus", "opus/48000/2"), ("PCMA", "PCMA/8000"))

    def change_and_listen():
        a, b, _ = call(w, 96, order[0][1], "")
        talker = Talker(a.rtp, [codec for codec, _ in order])
        for i, (codec, rtpmap) in enumerate(order):
            if i:
                a.request("INVITE", sdp(w.carrier, a.rtp.port, 96, rtpmap, ""))
                assert a.expect(200).sdp.audio.rtpmap() == {96: rtpmap}
                a.ack()
            talker.say(codec, 96)
        time.sleep(0.2)
        w.hang_up(a, b)
        check_clean(heard_by(b.rtp), spells=len(order), missing_ms=80 + talker.paused_ms)

    with World(carrier="codecs = opus, speex, G726-32, PCMA", extensions=keys) as w:
        on_time(change_and_listen)
