"""What a call that is transcoded adds to the delay, unless it is told to: hardly anything."""

import time

from codecs_of_others import hear
from machine import on_time
from rtp import FRAME_S, TYPES, decode, encode, in_time, level, sine
from world import World

NUMBER = "+4930555100"
BURSTS, EVERY = 25, 3  # one packet of so many is loud
LOUD = 1500            # root mean square; a burst has 5600
MOST_S = 0.005         # a quarter of a packet


def say_bursts(rtp):
    """When each left."""
    loud, silent = encode(sine(1000, FRAME_S), "PCMA"), encode([0] * 160, "PCMA")
    left, next_at = [], time.monotonic()
    with in_time():
        for i in range(BURSTS * EVERY):
            time.sleep(max(0, next_at - time.monotonic()))
            burst = i % EVERY == 1
            if burst:
                left.append(time.monotonic())
            rtp.send(loud if burst else silent, TYPES["PCMA"], marker=i == 0)
            next_at += FRAME_S
    return left


def came(packets, samples):
    """When each burst did, by the packet that the most of it is in."""
    levels = [level(samples[160 * i:160 * i + 160]) for i in range(len(packets))]
    return [packet.at for packet, loudness in zip(packets, levels) if loudness > LOUD]


def delays_s(w, codec, pt, play):
    """Of each burst from PCMA to a codec."""
    a, b = w.talk(w.carrier, NUMBER, w.alice, answer=(codec,))
    b.rtp.send(bytes(160), pt)
    left = say_bursts(a.rtp)
    time.sleep(0.1)
    w.hang_up(a, b)
    packets = [p for p in b.rtp.packets if p.pt == pt]
    heard = came(packets, play([p.payload for p in packets]))
    assert len(heard) == BURSTS, f"{len(heard)} bursts of {BURSTS}"
    return [there - here for here, there in zip(left, heard)]


def check_delay(codec, pt, play):
    """The least of many: what this machine is late with is no delay of the gateway's."""
    def check():
        found = delays_s(w, codec, pt, play)
        assert 0 < min(found) < MOST_S, [round(1000 * s, 1) for s in found]

    with World(carrier="codecs = PCMA",
               extensions={"1001": f"codecs = {codec}", "1002": ""}) as w:
        on_time(check)


def test_from_pcma_to_pcmu():
    check_delay("PCMU", 0, lambda payloads: decode(b"".join(payloads), "PCMU"))


def test_from_pcma_to_g722():
    check_delay("G722", 9, lambda payloads: hear("G722", payloads))
