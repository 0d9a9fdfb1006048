"""A stranger floods the port of a call: who talks is heard all the same."""

import socket
import struct
import time

from listen import share_of_clean, timeline
from machine import on_time
from rtp import FRAME_S, TYPES, chunks, decode, encode, in_time, sine
from world import World

NUMBER = "+4930555100"
HZ = 700
TALK_S = 1.5
SLOTS, BATCH = 10, 40  # between two packets of who talks: 20000 strange ones a second


def strange(number):
    """RTP of its own, as if it belonged there."""
    return struct.pack("!BBHII", 0x80, 8, number & 0xffff, number * 160 & 0xffffffff,
                       0xbad) + bytes(160)


def talk_in_a_flood(rtp, ip):
    """A tone, with a flood from another address in step with it: however slow this machine is, so
    many strange packets come to each of the tone's. How many in all."""
    payloads = chunks(encode(sine(HZ, TALK_S), "PCMA"), 160)
    next_at, sent = time.monotonic(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger, in_time():
        stranger.bind((ip, 0))
        for payload in payloads:
            rtp.send(payload, TYPES["PCMA"])
            for _ in range(SLOTS):
                for _ in range(BATCH):
                    stranger.sendto(strange(sent), rtp.remote)
                    sent += 1
                next_at += FRAME_S / SLOTS
                time.sleep(max(0, next_at - time.monotonic()))
            # what the machine has stood still for is made up for by nobody: the flood would be a
            # burst that no socket holds
            missed = max(0, int((time.monotonic() - next_at) / FRAME_S))
            next_at += missed * FRAME_S
            rtp.ts += missed * len(payload)
    return sent


def check_flood(w, codec):
    a, b = w.talk(w.carrier, NUMBER, w.alice, answer=(codec,))
    a.rtp.tone(HZ, 0.1)
    b.rtp.tone(HZ, 0.1, codec)
    before = len(b.rtp.packets)
    sent = talk_in_a_flood(a.rtp, f"{w.net}.99")
    b.rtp.wait(before + round(TALK_S * 50), 0.5)
    w.hang_up(a, b)
    packets = [p for p in list(b.rtp.packets)[before:] if p.pt == TYPES[codec]]
    clean = share_of_clean(timeline(packets, lambda p: decode(p.payload, codec)), HZ)
    assert len(packets) > 0.8 * TALK_S * 50, f"{len(packets)} packets, {sent} strange ones"
    assert clean > 0.5, f"{clean:.2f} clean, {sent} strange packets"


def test_a_flood_of_rtp_is_not_heard():
    with World(carrier="codecs = PCMA",
               extensions={"1001": "codecs = PCMA, PCMU", "1002": ""}) as w:
        on_time(lambda: check_flood(w, "PCMA"))  # relayed
        on_time(lambda: check_flood(w, "PCMU"))  # transcoded
