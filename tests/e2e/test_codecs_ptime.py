"""Packet times: what a side asks for it gets, whatever the other side sends, and no more than it
takes in a packet."""

import functools
import itertools
import time

from listen import share_of_clean, timeline
from rtp import TYPES, chunks, decode, encode, sine
from sip_message import make_sdp
from world import World

NUMBER = "+4930555100"
TIMES = (10, 20, 30, 40, 50, 60)
TALK_S = 0.8
HZ = 700


@functools.cache
def tone(codec):
    return encode(sine(HZ, TALK_S), codec)


class Voice:
    """A tone in packets of its own time: due() whenever the next one is."""

    def __init__(self, rtp, codec, ptime):
        self.rtp, self.pt, self.ptime = rtp, TYPES[codec], ptime
        self.payloads = chunks(tone(codec), ptime * 8)
        self.at = 0

    def due(self, ms):
        while self.at < len(self.payloads) and self.at * self.ptime <= ms:
            self.rtp.send(self.payloads[self.at], self.pt)
            self.at += 1


def talk_all(voices):
    """All of them at once, at the pace of speech."""
    begun = time.monotonic()
    while any(voice.at < len(voice.payloads) for voice in voices):
        ms = (time.monotonic() - begun) * 1000
        for voice in voices:
            voice.due(ms)
        time.sleep(0.005)
    time.sleep(0.3)


def faults(rtp, codec, ptime):
    """What is wrong with a tone that came in packets of that time; nothing: empty."""
    packets = [p for p in list(rtp.packets) if p.pt == TYPES[codec]]
    sizes = {len(p.payload) for p in packets}
    if sizes != {ptime * 8}:
        return [f"packets of {sorted(size / 8 for size in sizes)} ms instead of {ptime}"]
    played = timeline(packets, lambda p: decode(p.payload, codec))
    played = played[:int((TALK_S - 0.1) * 8000)]
    clean = share_of_clean(played, HZ)
    # a pause of this machine's is heard as a loss; test_chain_ptime is exact
    return [f"{clean:.2f} of {len(played) / 8:.0f} ms are clean"] if clean < 0.5 or (
        len(played) < 0.7 * 8000 * TALK_S) else []


def test_every_packet_time_to_every_other():
    keys = {"1001": "codecs = PCMA, PCMU", "1002": ""}
    with World(carrier="codecs = PCMA", extensions=keys) as w:
        calls = []
        for i, (one, other) in enumerate(itertools.product(TIMES, TIMES)):
            codec = "PCMA" if i % 2 else "PCMU"  # repacked, or transcoded too
            a, b = w.talk(w.carrier, NUMBER, w.alice, answer=(codec,), ptime=one,
                          answer_sdp={"ptime": other})
            calls.append((a, b, codec, one, other))
        talk_all([Voice(a.rtp, "PCMA", one) for a, _, _, one, _ in calls])
        bad = [f"{one} to {other} ms, {codec}: {fault}" for _, b, codec, one, other in calls
               for fault in faults(b.rtp, codec, other)]
        assert not bad, "\n".join(bad)
        for a, b, *_ in calls:
            w.hang_up(a, b)


def test_no_packet_is_longer_than_is_taken():
    with World(carrier="codecs = PCMA", extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        #        a says and sends, b says, and b hears
        rows = (({"ptime": 60}, 60, ["a=maxptime:40"], 40),
                ({}, 60, ["a=maxptime:20"], 20),  # did not say it
                ({"ptime": 20}, 40, ["a=ptime:20", "a=maxptime:30"], 20),  # nor kept to it
                ({}, 60, [], 60))
        calls = [w.talk(w.carrier, NUMBER, w.alice, answer_sdp={"extra": limits}, **offer)
                 for offer, _, limits, _ in rows]
        talk_all([Voice(a.rtp, "PCMA", row[1]) for (a, _), row in zip(calls, rows)])
        bad = [(row, faults(b.rtp, "PCMA", row[3])) for (_, b), row in zip(calls, rows)]
        assert not any(found for _, found in bad), bad
        for a, b in calls:
            w.hang_up(a, b)


def test_a_limit_is_told_to_the_other_side():
    with World(carrier="codecs = PCMA", extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice, extra=["a=maxptime:60"])
        assert "maxptime:60" in b.invite.sdp.audio.attributes, b.invite.sdp.text
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port, extra=["a=maxptime:30"]))
        answer = a.expect(200).sdp.audio
        assert "maxptime:30" in answer.attributes and "ptime:20" in answer.attributes, (
            answer.attributes)
        a.ack()
        b.expect("ACK")
        w.hang_up(a, b)
