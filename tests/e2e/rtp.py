"""RTP peers for tests: tones out, packets in, and what to ask of them.

    media = Rtp("127.0.1.2")
    media.remote = ("127.0.1.1", 16384)
    media.tone(440, seconds=1.0, codec="PCMA")        # paced, returns at its end
    assert media.heard(440, codec="PCMA") > 0.9       # the share of the energy at 440 Hz
"""

import contextlib
import io
import math
import os
import socket
import struct
import threading
import time
import wave

FRAME_S = 0.020
ON_ITS_WAY_S = 0.5
SILENT = 20  # at most: root mean square of what a codec makes of silence


@contextlib.contextmanager
def in_time():
    """What this thread sends meanwhile leaves when it should, whatever else the machine has to do,
    where that is allowed: a telephone has a machine to itself."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


# --- G.711 (ITU-T G.711: segment and step of a 13 or 14 bit sample) ---

def alaw_encode_sample(sample):
    sign = 0x80 if sample >= 0 else 0
    value = min((sample if sample >= 0 else -sample - 1) >> 3, 0xfff)
    segment = max(value.bit_length() - 5, 0)
    step = (value >> max(segment, 1)) & 0xf
    return (sign | segment << 4 | step) ^ 0x55


def alaw_decode_sample(code):
    code ^= 0x55
    segment, step = (code >> 4) & 7, code & 0xf
    value = (step << 4) + (8 if segment == 0 else 0x108)
    value <<= max(segment - 1, 0)
    return value if code & 0x80 else -value


def ulaw_encode_sample(sample):
    sign = 0x80 if sample < 0 else 0
    value = min(abs(sample), 32635) + 0x84
    segment = value.bit_length() - 8
    return ~(sign | segment << 4 | (value >> (segment + 3)) & 0xf) & 0xff


def ulaw_decode_sample(code):
    code = ~code & 0xff
    value = ((((code & 0xf) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return -value if code & 0x80 else value


ENCODE = {"PCMA": bytes(alaw_encode_sample(s) for s in range(-32768, 32768)),
          "PCMU": bytes(ulaw_encode_sample(s) for s in range(-32768, 32768))}
DECODE = {"PCMA": [alaw_decode_sample(c) for c in range(256)],
          "PCMU": [ulaw_decode_sample(c) for c in range(256)]}
TYPES = {"PCMA": 8, "PCMU": 0}


def encode(samples, codec):
    table = ENCODE[codec]
    return bytes(table[s + 32768] for s in samples)


def decode(payload, codec):
    table = DECODE[codec]
    return [table[c] for c in payload]


def sine(hz, seconds, level=8000, rate=8000):
    return [round(level * math.sin(2 * math.pi * hz * i / rate))
            for i in range(round(seconds * rate))]


def share(samples, hz, rate=8000):
    """How much of the energy stands at one frequency, 0 to 1 (Goertzel over the whole)."""
    energy = sum(s * s for s in samples)
    if not energy:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * hz / rate)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    power = before * before + last * last - factor * before * last
    return 2 * power / (energy * len(samples))


def share_in_windows(samples, hz, rate=8000, window_s=0.08):
    """The mean of the shares in short windows: a frame more or less, which moves the phase, then
    spoils one of them and not all."""
    size = round(rate * window_s)
    shares = [share(samples[i:i + size], hz, rate)
              for i in range(0, len(samples) - size + 1, size)]
    return sum(shares) / len(shares) if shares else 0.0


def level(samples):
    """Root mean square."""
    return math.sqrt(sum(s * s for s in samples) / len(samples)) if samples else 0.0


def sound_of(samples):
    """Without the silence around it, to 20 ms."""
    frames = [i for i in range(0, len(samples), 160) if level(samples[i:i + 160]) > SILENT]
    return samples[frames[0]:frames[-1] + 160] if frames else []


def wav(samples, rate=8000):
    """A mono WAV file's bytes."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


class Packet:
    """A received RTP packet."""

    def __init__(self, data, source, at):
        first, second, self.seq, self.ts, self.ssrc = struct.unpack_from("!BBHII", data)
        self.version, self.marker, self.pt = first >> 6, bool(second & 0x80), second & 0x7f
        start = 12 + 4 * (first & 0xf)
        if first & 0x10:
            start += 4 + 4 * struct.unpack_from("!H", data, start + 2)[0]
        end = len(data) - data[-1] if first & 0x20 else len(data)
        self.payload, self.source, self.at = data[start:end], source, at


class Rtp:
    """A socket pair for RTP and RTCP; receives all the time, sends when told."""

    said_s = {}  # how long each tone was, by its frequency, that was said last by anybody

    def __init__(self, ip, ssrc=0x7ee70001, seq=1000, ts=160000):
        self.ip, self.remote = ip, None
        self.ssrc, self.seq, self.ts = ssrc, seq, ts
        self.packets, self.rtcp_packets, self.open = [], [], True
        self.protect = self.unprotect = None  # of SRTP: from bytes to bytes
        self._bind(socket.AF_INET6 if ":" in ip else socket.AF_INET)
        self.sent = []  # payloads, in order
        self.threads = [threading.Thread(target=self._read, daemon=True, args=args) for args in
                        ((self.rtp, self.packets), (self.rtcp, self.rtcp_packets))]
        for thread in self.threads:
            thread.start()

    def _bind(self, family):
        for _ in range(50):
            self.rtp = socket.socket(family, socket.SOCK_DGRAM)
            self.rtp.bind((self.ip, 0))
            self.port = self.rtp.getsockname()[1]
            self.rtcp = socket.socket(family, socket.SOCK_DGRAM)
            try:
                if self.port % 2 == 0:
                    self.rtcp.bind((self.ip, self.port + 1))
                    return
            except OSError:
                pass
            self.rtp.close()
            self.rtcp.close()
        raise OSError("no even port with its neighbour free")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.open = False
        for thread in self.threads:
            thread.join(1)
        self.rtp.close()
        self.rtcp.close()

    def _read(self, sock, into):
        sock.settimeout(0.1)
        while self.open:
            try:
                data, source = sock.recvfrom(4096)
            except (TimeoutError, ConnectionError):
                continue
            if into is self.packets and self.unprotect:
                data = self.unprotect(data)
            if not data:
                continue
            if into is self.packets:
                into.append(Packet(data, source[:2], time.monotonic()))
            else:
                into.append(data)

    # --- what goes out ---

    def send(self, payload, pt, marker=False, samples=None, ts=None, remote=None):
        """One packet, at once; the clock goes on by samples (the payload's length by default)."""
        header = struct.pack("!BBHII", 0x80, pt | (0x80 if marker else 0), self.seq,
                             self.ts if ts is None else ts, self.ssrc)
        data = header + payload
        self.rtp.sendto(self.protect(data) if self.protect else data, remote or self.remote)
        self.sent.append(payload)
        self.seq = (self.seq + 1) & 0xffff
        step = len(payload) if samples is None else samples
        self.ts = (self.ts + step) & 0xffffffff

    def tone(self, hz, seconds=1.0, codec="PCMA", pt=None):
        """A sine at its own pace."""
        self.payloads(chunks(encode(sine(hz, seconds), codec), 160), TYPES[codec] if pt is None
                      else pt)
        Rtp.said_s[hz] = seconds

    def tone_start(self, hz, seconds=1.0, codec="PCMA", pt=None):
        """The same beside the test; join() what is returned."""
        thread = threading.Thread(target=self.tone, args=(hz, seconds, codec, pt), daemon=True)
        thread.start()
        return thread

    def payloads(self, payloads, pt, samples=None):
        """One packet each 20 ms."""
        next_at = time.monotonic()
        with in_time():
            for i, payload in enumerate(payloads):
                delay = next_at - time.monotonic()
                if delay > 0:
                    time.sleep(delay)
                self.send(payload, pt, marker=i == 0, samples=samples)
                next_at += FRAME_S

    def digit(self, digit, pt, clock=8000, ms=100, volume=10, ends=3):
        """RFC 4733: one event in packets 20 ms apart, the end so many times of three (the others are
        lost); what is longer than 16 bits goes on in another segment (2.5.1.3)."""
        event, step = "0123456789*#ABCD".index(digit), clock // 50
        count, start, lasted = ms // 20, self.ts, 0
        for i in range(1, count + 1):
            lasted += step
            if lasted > 0xffff:
                self.send(struct.pack("!BBH", event, volume, 0xffff), pt, samples=0, ts=start)
                start, lasted = start + 0xffff & 0xffffffff, lasted - 0xffff
            body = struct.pack("!BBH", event, volume, lasted)
            self.send(body, pt, marker=i == 1, samples=0, ts=start)
            time.sleep(FRAME_S)
        for _ in range(ends):
            body = struct.pack("!BBH", event, 0x80 | volume, min(lasted + step, 0xffff))
            self.send(body, pt, samples=0, ts=start)
        self.seq = self.seq + 3 - ends & 0xffff
        self.ts = start + lasted + step & 0xffffffff

    # --- what came in ---

    def audio(self, codec="PCMA", pt=None, since=0):
        """Decoded samples of the packets of one payload type, in the order of arrival."""
        pt = TYPES[codec] if pt is None else pt
        return [s for p in list(self.packets)[since:] if p.pt == pt
                for s in decode(p.payload, codec)]

    def heard(self, hz, codec="PCMA", pt=None, since=0, skip_ms=100):
        """The share of a tone in what was received, leaving out how it began and ended: 0 to 1. The
        silence before it and after it, which a gateway that transcodes sends for a while, is none
        of it. The last such tone that was said is waited for, all but two packets, while it may be
        on its way; what has not come of it by then, but for its beginning, counts as silence."""
        said, skip = round(Rtp.said_s.get(hz, 0) * 8000), skip_ms * 8
        deadline = time.monotonic() + ON_ITS_WAY_S
        while True:
            audio = sound_of(self.audio(codec, pt, since))
            if len(audio) >= said - 320 or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        there = min(1, (len(audio) + skip) / said) if said else 1
        return there * share_in_windows(audio[skip:-skip], hz)

    def digits(self, pt, since=0):
        """Digits received: one for each timestamp whose end bit came, or for each such chain of
        segments; with the durations."""
        ends, segments = {}, {}
        for packet in list(self.packets)[since:]:
            if packet.pt == pt and len(packet.payload) >= 4:
                event, flags, duration = struct.unpack_from("!BBH", packet.payload)
                before = segments.get(packet.ts, 0)
                if flags & 0x80:
                    ends.setdefault(packet.ts, ("0123456789*#ABCD"[event], before + duration))
                elif duration == 0xffff:
                    segments[packet.ts + 0xffff & 0xffffffff] = before + duration
        return list(ends.values())

    def wait(self, count, timeout=3.0, pt=None):
        """Until so many packets (of a payload type) are in; returns how many are."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            have = sum(1 for p in list(self.packets) if pt is None or p.pt == pt)
            if have >= count:
                return have
            time.sleep(0.01)
        return sum(1 for p in list(self.packets) if pt is None or p.pt == pt)


def chunks(data, size):
    return [data[i:i + size] for i in range(0, len(data) - size + 1, size)]


def continuity(packets):
    """What is wrong with a stream: a list of sentences, empty when nothing is."""
    wrong = []
    if len({p.ssrc for p in packets}) > 1:
        wrong.append(f"{len({p.ssrc for p in packets})} SSRCs")
    for before, after in zip(packets, packets[1:]):
        if (after.seq - before.seq) & 0xffff != 1:
            wrong.append(f"sequence {before.seq} then {after.seq}")
        step = (after.ts - before.ts) & 0xffffffff
        if step > 0x7fffffff:
            wrong.append(f"timestamp back from {before.ts} to {after.ts}")
    return wrong
