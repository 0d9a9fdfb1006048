"""The echo of a line: somebody behind a hybrid sends back what is sent to him, and the far side is
asked what it hears of itself. Loudness and the level meter."""

import threading
import time

import numpy

from rtp import chunks, encode, level, sine
from world import World, wait_until

ALICE, BOB = "+4930555100", "+4930555101"
ROUTES = f"""
[route alice]
from = trunk:carrier
to = {ALICE}
ring = 1001
[route bob]
from = trunk:carrier
to = {BOB}
ring = 1002
"""


def speech(seconds, pitch_hz=115, level_rms=2500):
    """Syllables of a gliding voice with hiss between them: all of the band."""
    rng = numpy.random.default_rng(pitch_hz)
    t = numpy.arange(round(seconds * 8000)) / 8000
    phase = 2 * numpy.pi * numpy.cumsum(pitch_hz * (1 + 0.2 * numpy.sin(4 * t))) / 8000
    voice = sum(numpy.sin(h * phase + h * h) / (1 + 0.01 * h * h)
                for h in range(1, int(3400 / pitch_hz)))
    voice += rng.standard_normal(len(t)) * (0.5 + numpy.maximum(0, numpy.sin(8 * t)))
    voice *= numpy.maximum(0.05, numpy.sin(13 * t) + 0.3)
    return (voice * level_rms / voice.std()).clip(-32000, 32000)


def hybrid():
    """9 dB down, 12 ms of ringing."""
    t = numpy.arange(120) / 8
    taps = numpy.exp(-t / 1.5) * numpy.cos(2 * numpy.pi * 0.8 * t) + \
        0.6 * numpy.exp(-numpy.abs(t - 3) / 1.0) * numpy.cos(2 * numpy.pi * 1.9 * t)
    return taps * 10 ** (-9 / 20) / numpy.sqrt((taps ** 2).sum())


class Line:
    """Answers each packet with one that holds its echo, and what is said on the line."""

    def __init__(self, rtp, said=()):
        self.rtp, self.said = rtp, list(said)
        self.taps, self.tail = hybrid(), numpy.zeros(119)
        self.echo, self.open = [], True
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        done = 0
        while self.open:
            packets = self.rtp.packets
            if done == len(packets):
                time.sleep(0.002)
                continue
            heard = numpy.array(self.rtp.audio(since=done)[:160], dtype=float)
            done += 1
            samples = numpy.concatenate([self.tail, heard])
            self.tail = samples[-119:]
            echo = numpy.convolve(samples, self.taps, "valid")
            self.echo.append(echo)
            said, self.said = self.said[:160], self.said[160:]
            echo[:len(said)] += said
            payload = encode(echo.clip(-32000, 32000).round().astype(int).tolist(), "PCMA")
            self.rtp.send(payload, 8)

    def close(self):
        self.open = False
        self.thread.join(1)


def say(rtp, samples):
    data = encode(numpy.asarray(samples).round().astype(int).tolist(), "PCMA")
    rtp.payloads(chunks(data, 160), 8)


def both_call(w):
    """(carrier, line) of a call to Alice and one to Bob, each behind a hybrid."""
    ends = []
    for number, phone in ((ALICE, w.alice), (BOB, w.bob)):
        a, b = w.talk(w.carrier, number, phone)
        ends.append((a, b))
    return ends


def shown(w):
    """Each call's record, by whom it was for."""
    records = [w.gateway.control("show", call["id"]) for call in w.gateway.control("calls")]
    return {record["callee"]: record for record in records}


def of_itself(a, seconds):
    """What the far side hears at the end: what half of the last blocks of 50 ms are louder than,
    so that a packet that this machine was late with spoils only its own."""
    heard = a.rtp.audio()[-round(seconds * 8000):]
    levels = sorted(level(heard[i:i + 400]) for i in range(0, len(heard) - 399, 400))
    return levels[len(levels) // 2]


def test_the_far_side_hears_no_echo_where_it_is_cancelled():
    with World(routes=ROUTES, extensions={"1001": "echo-cancel = auto", "1002": ""}) as w:
        (a, alice), (c, bob) = both_call(w)
        lines = [Line(alice.rtp), Line(bob.rtp)]
        talkers = [threading.Thread(target=say, args=(x.rtp, speech(3.6))) for x in (a, c)]
        for talker in talkers:
            talker.start()
        for talker in talkers:
            talker.join()
        with_it, without = of_itself(a, 1.1), of_itself(c, 1.1)
        assert without > 400, f"the echo is {without:.0f}"
        assert with_it < without / 17.8, f"25 dB: {without:.0f} to {with_it:.0f}"
        # and who speaks there is heard
        lines[0].said = sine(1000, 1.0)
        count = len(a.rtp.packets)
        say(a.rtp, [0] * 8000)
        wait_until(lambda: len(a.rtp.packets) >= count + 45)
        assert a.rtp.heard(1000, since=count, skip_ms=200) > 0.8
        assert abs(level(a.rtp.audio(since=count)[3200:5600]) / level(sine(1000, 1.0)) - 1) < 0.2
        records = shown(w)
        assert [records[n]["b"]["path"] for n in (ALICE, BOB)] == ["chain", "relay"], records
        assert all(record["a"]["path"] == "relay" for record in records.values()), records
        for line in lines:
            line.close()
        w.hang_up(a, alice)
        w.hang_up(c, bob)


def test_spandsp_cancels_it_on_the_leg_that_the_route_names():
    route = ROUTES.replace("ring = 1001", "ring = 1001\necho-cancel = callee")
    with World(routes=route, extensions={"1001": "echo-cancel = spandsp\necho-tail = 32ms",
                                         "1002": "echo-cancel = spandsp"}) as w:
        a, alice = w.talk(w.carrier, ALICE, w.alice)
        line = Line(alice.rtp)
        say(a.rtp, speech(4.0))
        heard, said = of_itself(a, 1.0), level(numpy.concatenate(line.echo[-50:]).tolist())
        assert heard < said / 4, f"{said:.0f} to {heard:.0f}"
        line.close()
        w.hang_up(a, alice)


def test_gains_and_the_meter():
    with World(routes=ROUTES, carrier="rx-gain = -12dB", extensions={
            "1001": "tx-gain = 6dB", "1002": "agc = -16dBm0"}) as w:
        (a, alice), (c, bob) = both_call(w)
        threads = [x.rtp.tone_start(440, 1.2) for x in (a, alice, c)]
        for thread in threads:
            thread.join()
        say(bob.rtp, speech(3.0, level_rms=300))  # -32.6 dBm0
        tone = level(sine(440, 1.0))
        assert abs(level(alice.rtp.audio()[4000:8000]) / tone * 2 - 1) < 0.1, "-12 and +6 dB"
        assert abs(level(a.rtp.audio()[4000:8000]) / tone - 1) < 0.1, "as it was"
        assert abs(level(bob.rtp.audio()[4000:8000]) / tone * 4 - 1) < 0.1, "-12 dB"
        louder = level(c.rtp.audio()[-8000:]) / 300
        assert 1.8 < louder < 3.2, f"{louder:.2f}: 3 dB a second, for 3 seconds"
        records = shown(w)
        first = records[ALICE]["a"]
        # 8000 of 32767: 12.2 dB under full scale, which is +3.14 dBm0
        assert abs(first["level_dbm0"] + 9.1) < 0.5 and abs(first["peak_dbfs"] + 12.2) < 0.5, first
        assert abs(records[BOB]["b"]["level_now_dbm0"] + 32.6) < 8, records[BOB]["b"]
        assert any("callee_dbm0" in call for call in w.gateway.control("calls"))
        w.hang_up(a, alice)
        w.hang_up(c, bob)
