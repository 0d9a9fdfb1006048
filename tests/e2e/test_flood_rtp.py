"""A stranger floods the port of a call: who talks is heard all the same."""

import multiprocessing
import socket
import struct
import time

from listen import share_of_clean, timeline
from rtp import TYPES, decode
from world import World

NUMBER = "+4930555100"
HZ = 700
TALK_S, RATE = 1.5, 20000


def flood(ip, target, stop, ret_sent):
    """RTP of its own at RATE packets a second, as if it belonged there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ip, 0))
        begun, sent = time.monotonic(), 0
        while not stop.is_set():
            behind = int((time.monotonic() - begun) * RATE) - sent
            for _ in range(min(behind, 200)):
                sock.sendto(struct.pack("!BBHII", 0x80, 8, sent & 0xffff, sent * 160 & 0xffffffff,
                                        0xbad) + bytes(160), target)
                sent += 1
            time.sleep(0.001)
        ret_sent.value = sent


def check_flood(w, codec):
    a, b = w.talk(w.carrier, NUMBER, w.alice, answer=(codec,))
    a.rtp.tone(HZ, 0.1)
    b.rtp.tone(HZ, 0.1, codec)
    stop, sent = multiprocessing.Event(), multiprocessing.Value("i", 0)
    stranger = multiprocessing.Process(target=flood,
                                       args=(f"{w.net}.99", a.rtp.remote, stop, sent))
    stranger.start()
    before = len(b.rtp.packets)
    a.rtp.tone(HZ, TALK_S)
    stop.set()
    stranger.join()
    packets = [p for p in list(b.rtp.packets)[before:] if p.pt == TYPES[codec]]
    clean = share_of_clean(timeline(packets, lambda p: decode(p.payload, codec)), HZ)
    assert sent.value > 3000 * TALK_S, f"a flood of {sent.value} packets is none"
    assert len(packets) > 0.8 * TALK_S * 50, f"{len(packets)} packets, {sent.value} strange ones"
    assert clean > 0.5, f"{clean:.2f} clean, {sent.value} strange packets"
    w.hang_up(a, b)


def test_a_flood_of_rtp_is_not_heard():
    with World(carrier="codecs = PCMA",
               extensions={"1001": "codecs = PCMA, PCMU", "1002": ""}) as w:
        for codec in ("PCMA", "PCMU"):  # relayed, transcoded
            check_flood(w, codec)
