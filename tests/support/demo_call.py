"""One call of the demonstration: who takes part, what they do, and what was seen of it."""

import dataclasses
import os
import struct
import subprocess
import time
import wave

from capture import Capture, write_pcap
from harness_baresip import LEAD_S, Baresip
from harness_sipp import Sipp
from rtp import chunks, encode
from score import read_wav

CALLER = "+49170111222"
EVENTS_TYPE = 101  # payload type of telephone-event that SIPp offers
SETTLE_S = 0.8     # between one thing and the next, as people do


@dataclasses.dataclass
class Call:
    """What is to happen."""
    number: str
    extension: str
    codec: str
    carrier: type
    caller_digit: str
    callee_digit: str

    @property
    def title(self):
        return (f"{self.carrier.name} as carrier (PCMA) → {self.number} → {self.extension}, "
                f"a baresip with {self.codec} only")


@dataclasses.dataclass
class Seen:
    """What was seen."""
    call: Call
    carrier_capture: Capture
    phone_capture: Capture
    caller_said: tuple       # (samples, rate) that went into the encoder
    callee_said: tuple
    caller_heard: list       # [(samples, rate)], one a recording
    callee_heard: list
    caller_digits: str       # that arrived at the caller
    callee_digits: str
    record: dict             # the gateway's own, from `twinleg show`
    pcap: str

    def unevenness(self):
        """How unevenly the phones sent, if they did."""
        found = {"the caller sent with": self.carrier_capture.unevenness(),
                 "the callee sent with": self.phone_capture.unevenness()}
        return "; ".join(f"{who} {what}" for who, what in found.items() if what)


class BaresipCarrier:
    """A caller that is a person at a telephone."""
    name = "baresip"

    def __init__(self, island, target, speech, call):
        self.call, self.target, self.speech = call, target, speech
        self.agent = Baresip(island, f"{CALLER}@{island.here}", codecs="PCMA", register=False)

    def dial(self):
        self.agent.dial(f"sip:{self.call.number}@{self.target}")

    def talk(self):
        self.agent.wait("CALL_ESTABLISHED")
        self.agent.say(self.speech)

    def press(self):
        self.agent.press(self.call.caller_digit)

    def end(self, phone):
        """In this call it is the callee who hangs up."""
        phone.hang_up()
        self.agent.wait("CALL_CLOSED")

    def said(self):
        return loudest(self.agent.said_paths())

    def heard(self, capture):
        return [read_wav(path) for path in self.agent.heard_paths()]

    def digits(self, capture):
        return self.agent.digits()

    def close(self):
        self.agent.close()


class SippCarrier:
    """A caller that is a machine: it plays a capture of speech and a digit, then hangs up."""
    name = "SIPp"

    def __init__(self, island, target, speech, call):
        self.island, self.target, self.call = island, target, call
        folder = os.path.dirname(speech)
        self.pcap, self.narrow = f"{folder}/caller.pcap", f"{folder}/caller-narrow.wav"
        subprocess.run(["sox", "-D", speech, "-r", "8000", self.narrow], check=True)
        self.play_s = write_media_pcap(self.pcap, self.narrow, call.caller_digit)
        self.agent = None

    def dial(self):
        with open(os.path.join(os.path.dirname(__file__), "carrier.xml"), encoding="utf-8") as file:
            scenario = file.read()
        scenario = (scenario.replace("{pcap}", self.pcap).replace("{caller}", CALLER)
                    .replace("{events}", str(EVENTS_TYPE))
                    .replace("{talk_ms}", str(round(1000 * (self.play_s + 2 * SETTLE_S)))))
        self.agent = Sipp(scenario, self.target, self.island.there, port=self.island.sip_port,
                          service=self.call.number, island=self.island,
                          args=("-mp", str(self.island.media_ports[0])))

    def talk(self):
        """By the scenario, as soon as it is answered."""

    def press(self):
        """By the scenario, after the speech."""

    def end(self, phone):
        self.agent.wait(self.play_s + 20)
        phone.wait("CALL_CLOSED")

    def said(self):
        return read_wav(self.narrow)

    def heard(self, capture):
        return [(stream.pcma(), 8000) for stream in self._streams(capture)]

    def digits(self, capture):
        return "".join(stream.digits(EVENTS_TYPE) for stream in self._streams(capture))

    def _streams(self, capture):
        return [stream for stream in capture.rtp() if stream.inward]

    def close(self):
        if self.agent:
            self.agent.close()


CALLS = (Call("+4930555101", "1001", "opus", BaresipCarrier, "5", "8"),
         Call("+4930555102", "1002", "G722", SippCarrier, "7", "#"))


def write_media_pcap(path, speech, digit):
    """RTP for SIPp to play: the speech in A-law, a pause, a digit, a pause; its length in s."""
    with wave.open(speech, "rb") as file:
        samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    talk = chunks(encode([*samples, *[0] * 8000], "PCMA"), 160)
    packets, seq, ts = [], 1, 0
    for payload in talk:
        packets.append((seq, ts, 8, payload))
        seq, ts = seq + 1, ts + 160
    event = "0123456789*#ABCD".index(digit)
    for i in range(8):  # five while the key is down, and the end three times
        body = struct.pack("!BBH", event, 0x8a if i > 4 else 0x0a, 160 * min(i + 1, 6))
        packets.append((seq, ts, EVENTS_TYPE | (0x80 if i == 0 else 0), body))
        seq += 1
    for i in range(100):
        packets.append((seq, ts + 8 * 160 + 160 * i, 8, bytes([0xd5]) * 160))
        seq += 1
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, packet in enumerate(packets):
            write_rtp(file, i * 0.020, *packet)
    return len(packets) * 0.020


def write_rtp(file, at, seq, ts, pt, payload):
    rtp = struct.pack("!BBHII", 0x80, pt, seq, ts, 0x51bb0001) + payload
    udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1])) + udp
    frame = bytes(12) + b"\x08\x00" + ip
    file.write(struct.pack("<IIII", 1 + int(at), int(at % 1 * 1e6), len(frame), len(frame)))
    file.write(frame)


def wait_for_end(gateway, before, timeout=10.0):
    """The gateway's record of the call that ended."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not gateway.control("calls"):
            return gateway.control("show", before)
        time.sleep(0.1)
    raise AssertionError(f"the call did not end within {timeout} s: {gateway.control('calls')}")


def place(call, gateway, port, folder, speech, tell, places):
    """Places a call between two places; what was seen of it."""
    outside, inside = places
    with Capture(outside) as carrier_capture, Capture(inside) as phone_capture, \
            Baresip(inside, f"{call.extension}@{inside.here}:{port}",
                    password=f"quickstart-{call.extension}", codecs=call.codec) as phone:
        phone.wait_registered()
        tell(f"   {call.extension} has registered")
        carrier = call.carrier(outside, f"{outside.here}:{port}", speech["caller"], call)
        try:
            record = talk(call, gateway, carrier, phone, speech, tell)
            time.sleep(0.3)  # the last packets reach the captures
            pcap = f"{folder}/call-{call.extension}.pcap"
            write_pcap(pcap, carrier_capture.datagrams + phone_capture.datagrams)
            return Seen(call, carrier_capture, phone_capture,
                        carrier.said(), loudest(phone.said_paths()),
                        carrier.heard(carrier_capture),
                        [read_wav(path) for path in phone.heard_paths()],
                        carrier.digits(carrier_capture), phone.digits(), record, pcap)
        finally:
            carrier.close()


def loudest(paths):
    """Of several recordings the one with the speech in it."""
    return max((read_wav(path) for path in paths), key=lambda found: float((found[0] ** 2).sum()))


def talk(call, gateway, carrier, phone, speech, tell):
    """From dialling to hanging up; the gateway's record."""
    begun = time.monotonic()

    def say(text):
        tell(f"   {time.monotonic() - begun:5.1f} s  {text}")

    carrier.dial()
    say(f"{CALLER} dials {call.number}")
    phone.wait("CALL_INCOMING", 20)
    say(f"{call.extension} rings")
    name = gateway.control("calls")[0]["id"]
    time.sleep(SETTLE_S)
    phone.accept()
    phone.wait("CALL_ESTABLISHED")
    carrier.talk()
    say(f"{call.extension} has answered; both speak")
    time.sleep(SETTLE_S)
    phone.say(speech["callee"])
    time.sleep(LEAD_S + length_s(speech) + SETTLE_S)
    carrier.press()
    phone.press(call.callee_digit)
    say(f"the caller has pressed {call.caller_digit}, the callee {call.callee_digit}")
    time.sleep(SETTLE_S)
    carrier.end(phone)
    say("hung up")
    return wait_for_end(gateway, name)


def length_s(speech):
    def of(path):
        with wave.open(path, "rb") as file:
            return file.getnframes() / file.getframerate()
    return max(of(path) for path in speech.values())
