"""Digits in every form: as events, as tones in the audio, in INFO; any side, any form, once each."""

import functools
import math
import subprocess
import tempfile
import time

from rtp import decode, encode, sine, wav
from sip_message import make_sdp
from test_codecs_silence import together
from world import RING_ALICE, World, connect, wait_until

NUMBER, BOB = "+4930555100", "+4930555101"
TO_BOB = RING_ALICE + f"[route bob]\nfrom = trunk:carrier\nto = {BOB}\nring = 1002\n"
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYPAD = "123A456B789C*0#D"
ALL = "0123456789*#ABCD"


def tone(digit, ms=100, level=4000):
    row, column = divmod(KEYPAD.index(digit), 4)
    return [round(level * (math.sin(2 * math.pi * LOW[row] * i / 8000) +
                           math.sin(2 * math.pi * HIGH[column] * i / 8000)))
            for i in range(ms * 8)]


def press(rtp, digits, ms=100, pause_ms=100):
    """In-band: tones in PCMA, with silence around them."""
    samples = [0] * (pause_ms * 8)
    for digit in digits:
        samples += tone(digit, ms) + [0] * (pause_ms * 8)
    data = encode(samples, "PCMA")
    rtp.payloads([data[i:i + 160] for i in range(0, len(data), 160)], 8)


def read_tones(samples):
    """What an independent decoder hears."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as heard, \
            tempfile.NamedTemporaryFile(suffix=".raw") as raw:
        heard.write(wav(samples))
        heard.flush()
        subprocess.run(["sox", heard.name, "-t", "raw", "-e", "signed", "-b", "16", "-r", "22050",
                        "-c", "1", raw.name], check=True, stderr=subprocess.DEVNULL)
        out = subprocess.run(["multimon-ng", "-q", "-a", "DTMF", "-t", "raw", raw.name],
                             check=True, capture_output=True, text=True).stdout
    return "".join(line.split()[-1] for line in out.splitlines() if line.startswith("DTMF:"))


def loud_ms(samples):
    """The longest stretch that is anything but silence."""
    longest = run = 0
    for i in range(0, len(samples) - 39, 40):
        run = run + 5 if max(abs(s) for s in samples[i:i + 40]) > 500 else 0
        longest = max(longest, run)
    return longest


def talk(w, a_events=101, b_events=101):
    return w.talk(w.carrier, NUMBER, w.alice, events=a_events, answer_sdp={"events": b_events})


def test_the_independent_decoder_hears_tones():
    silence = [0] * 800
    assert read_tones(silence + tone("5") + silence + tone("#") + silence) == "5#"
    assert read_tones(sine(440, 1.0)) == ""


def test_tones_become_events_and_leave_the_audio():
    with World() as w:
        a, b = talk(w, a_events=None)
        press(a.rtp, ALL)
        wait_until(lambda: len(b.rtp.digits(101)) == len(ALL), what="16 digits")
        got = b.rtp.digits(101)
        assert "".join(digit for digit, _ in got) == ALL, got
        assert all(640 <= duration <= 1200 for _, duration in got), got
        heard = b.rtp.audio()
        assert read_tones(heard) == "", "heard a second time"
        assert loud_ms(heard) <= 15, loud_ms(heard)
        w.hang_up(a, b)


def test_a_long_tone_is_a_long_event():
    with World() as w:
        a, b = talk(w, a_events=None)
        press(a.rtp, "7", ms=800)
        (digit, duration), = wait_until(lambda: b.rtp.digits(101), what="digit")
        assert digit == "7" and 750 * 8 <= duration <= 850 * 8, duration
        w.hang_up(a, b)


def test_long_digits_keep_their_length_on_clocks_of_16_and_48_khz():
    # 2 s are 96000 units of 48 kHz: more than 16 bits hold, RFC 4733 2.5.1.3
    keys = {"1001": "codecs = opus", "1002": "codecs = speex/16000"}
    with World(extensions=keys, routes=TO_BOB) as w:
        ends = []
        for number, phone, codec, clock, a_events in (
                (NUMBER, w.alice, "opus", 48000, 101), (NUMBER, w.alice, "opus", 48000, None),
                (BOB, w.bob, "wide", 16000, 101)):
            a, b = w.ring(w.carrier, number, phone, events=a_events)
            connect(a, b, make_sdp(phone.ip, b.rtp.port, (codec,), events=110, event_clock=clock))
            ours = b.invite.sdp.audio.payload_type(f"telephone-event/{clock}")
            ends.append((a, b, ours, clock))
        (a, b, ours, clock), (tones, _, _, _), (c, d, its, _) = ends
        together(lambda: a.rtp.digit("5", 101, ms=2000), lambda: press(tones.rtp, "7", ms=2000),
                 lambda: b.rtp.digit("9", ours, clock, ms=2000),
                 lambda: c.rtp.digit("1", 101, ms=4600),
                 lambda: d.rtp.digit("3", its, 16000, ms=4600))
        for rtp, pt, digit, units in ((a.rtp, 101, "9", 16160), (b.rtp, 110, "5", 96960),
                                      (ends[1][1].rtp, 110, "7", 96000), (c.rtp, 101, "3", 36960),
                                      (d.rtp, 110, "1", 73920)):
            wait_until(lambda: rtp.digits(pt), what=f"digit {digit}")
            (got, lasted), = rtp.digits(pt)
            assert got == digit and abs(lasted / units - 1) < 0.03, (digit, got, lasted, units)
        for a, b, *_ in ends:
            w.hang_up(a, b)


def test_digits_whose_ends_are_lost_arrive_once_each():
    with World(extensions={"1001": "", "1002": "dtmf = info"}, routes=TO_BOB) as w:
        ends = [talk(w), talk(w, b_events=None),
                w.talk(w.carrier, BOB, w.bob, answer_sdp={"events": None})]

        def dial(rtp):
            rtp.tone(440, 0.1)
            for digit, ends in (("5", 0), ("6", 1), ("6", 0), ("7", 2)):
                rtp.digit(digit, 101, ends=ends)
                rtp.tone(440, 0.3)
        together(*(functools.partial(dial, a.rtp) for a, _ in ends))
        (_, events), (_, tones), (_, infos) = ends
        got = wait_until(lambda: len(events.rtp.digits(101)) == 4 and events.rtp.digits(101),
                         what="4 digits")
        assert [digit for digit, _ in got] == ["5", "6", "6", "7"], got
        assert read_tones(tones.rtp.audio()) == "5667"
        for digit in b"5667":
            assert bytes([digit]) in infos.answer_request("INFO").body.splitlines()[0]
        infos.expect_nothing(0.2)
        for a, b in ends:
            w.hang_up(a, b)


def test_a_tone_whose_sender_falls_silent_ends():
    with World() as w:
        a, b = talk(w, a_events=None)
        data = encode([0] * 1600 + tone("4", 200), "PCMA")
        a.rtp.payloads([data[i:i + 160] for i in range(0, len(data), 160)], 8)
        begun = time.monotonic()
        wait_until(lambda: b.rtp.digits(101), what="digit")
        assert time.monotonic() - begun < 1.0
        assert [digit for digit, _ in b.rtp.digits(101)] == ["4"]
        w.hang_up(a, b)


def test_speech_goes_on_around_tones():
    with World() as w:
        a, b = talk(w, a_events=None)
        a.rtp.tone(440, 0.6)
        press(a.rtp, "1")
        count = len(b.rtp.packets)
        a.rtp.tone(440, 0.6)
        wait_until(lambda: b.rtp.digits(101), what="digit")
        assert b.rtp.heard(440, since=count) > 0.9
        w.hang_up(a, b)


def test_events_become_tones():
    with World() as w:
        a, b = talk(w, b_events=None)
        b.rtp.tone(660, 0.1)
        for digit in "159#":
            a.rtp.tone(440, 0.14)
            a.rtp.digit(digit, 101)
            time.sleep(0.1)
        a.rtp.tone(440, 0.3)
        b.rtp.wait(60)
        assert read_tones(b.rtp.audio()) == "159#", read_tones(b.rtp.audio())
        assert not b.rtp.digits(101), "telephone-event without being asked for"
        w.hang_up(a, b)


def test_events_become_tones_in_a_transcoded_call():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",),
                      answer_sdp={"events": None})
        a.rtp.tone(440, 0.2)
        a.rtp.digit("3", 101)
        a.rtp.tone(440, 0.3)
        b.rtp.wait(30)
        assert read_tones(b.rtp.audio("PCMU")) == "3"
        w.hang_up(a, b)


def info(agent, digit, ms=120):
    agent.request("INFO", f"Signal={digit}\r\nDuration={ms}\r\n",
                  [("Content-Type", "application/dtmf-relay")])
    agent.expect(200)


def plain_info(agent, digit):
    agent.request("INFO", f"{digit}\r\n", [("Content-Type", "application/dtmf")])
    agent.expect(200)


def test_info_of_both_kinds_becomes_events_once_each():
    with World(carrier="dtmf = info") as w:
        a, b = talk(w, b_events=101)
        assert "telephone-event" not in a.answer.sdp.text
        a.rtp.tone(440, 0.2)
        info(a, "5", ms=200)
        wait_until(lambda: b.rtp.digits(101), what="digit")
        plain_info(a, "#")
        wait_until(lambda: len(b.rtp.digits(101)) == 2, what="second digit")
        time.sleep(0.2)
        (first, lasted), (second, _) = b.rtp.digits(101)
        assert first + second == "5#" and 180 * 8 <= lasted <= 220 * 8, (first, second, lasted)
        w.hang_up(a, b)


def test_events_become_info_with_their_length_and_leave_the_stream():
    with World(extensions={"1001": "dtmf = info"}, register=("1001",)) as w:
        a, b = talk(w, b_events=None)
        a.rtp.tone(440, 0.2)
        a.rtp.digit("3", 101, ms=260)
        got = b.answer_request("INFO")
        fields = dict(line.split("=") for line in got.body.decode().replace(" ", "").split())
        assert fields["Signal"] == "3" and 240 <= int(fields["Duration"]) <= 300, fields
        a.rtp.tone(440, 0.2)
        b.expect_nothing(0.2)
        assert {p.pt for p in b.rtp.packets} == {8} and read_tones(b.rtp.audio()) == ""
        w.hang_up(a, b)


def test_info_goes_through_in_the_kind_that_each_leg_speaks():
    with World(carrier="dtmf = info", extensions={"1001": "dtmf = info"},
               register=("1001",)) as w:
        a, b = talk(w, b_events=None)
        a.rtp.tone(440, 0.1)
        plain_info(a, "7")
        got = b.answer_request("INFO")
        assert got.get("Content-Type") == "application/dtmf-relay" and b"7" in got.body, got
        info(b, "9", ms=400)
        got = a.answer_request("INFO")
        assert got.get("Content-Type") == "application/dtmf", got
        assert got.body.strip() == b"9", got
        a.expect_nothing(0.2)
        b.expect_nothing(0.2)
        w.hang_up(a, b)


def test_info_becomes_tones():
    with World(carrier="dtmf = info") as w:
        a, b = talk(w, b_events=None)
        a.rtp.tone(440, 0.2)
        info(a, "8")
        a.rtp.tone(440, 0.5)
        b.rtp.wait(30)
        assert read_tones(b.rtp.audio()) == "8"
        w.hang_up(a, b)


def test_tones_become_info():
    with World(extensions={"1001": "dtmf = info"}, register=("1001",)) as w:
        a, b = talk(w, a_events=None)
        assert "telephone-event" not in b.invite.sdp.text
        press(a.rtp, "6")
        got = b.answer_request("INFO")
        assert b"Signal=6" in got.body.replace(b" ", b""), got
        b.expect_nothing(0.3)
        w.hang_up(a, b)


def test_a_leg_set_to_tones_is_offered_no_events_and_gets_tones():
    with World(extensions={"1001": "dtmf = inband"}, register=("1001",)) as w:
        a, b = talk(w, b_events=None)
        assert "telephone-event" not in b.invite.sdp.text, b.invite.sdp.text
        a.rtp.tone(440, 0.2)
        a.rtp.digit("9", 101)
        a.rtp.tone(440, 0.3)
        b.rtp.wait(30)
        assert read_tones(b.rtp.audio()) == "9"
        w.hang_up(a, b)


def test_tones_between_two_legs_that_want_tones_are_left_alone():
    with World() as w:
        a, b = talk(w, a_events=None, b_events=None)
        press(a.rtp, "A0")
        b.rtp.wait(20)
        assert read_tones(b.rtp.audio()) == "A0"
        w.hang_up(a, b)


def silenced(said, heard):
    """The share of speech, in blocks of 10 ms, that has become silence."""
    def loud(samples):
        return sum(max(map(abs, samples[i:i + 80])) > 500 for i in range(0, len(samples) - 79, 80))
    return 1 - loud(heard) / loud(said)


def test_speech_is_no_digit():
    # espeak-ng says digits and other things: talk-off
    with tempfile.NamedTemporaryFile(suffix=".wav") as spoken, World() as w:
        text = "nine one one, please call me back on zero four two. " \
               "The quick brown fox jumps over the lazy dog, and runs away with seven sheep."
        subprocess.run(["espeak-ng", "-w", spoken.name, text], check=True)
        raw = subprocess.run(["sox", spoken.name, "-t", "raw", "-e", "a-law", "-b", "8", "-r",
                              "8000", "-c", "1", "-"], check=True, capture_output=True).stdout
        a, b = talk(w, a_events=None)
        a.rtp.payloads([raw[i:i + 160] for i in range(0, len(raw) - 159, 160)], 8)
        assert not b.rtp.digits(101), b.rtp.digits(101)
        said, heard = decode(raw, "PCMA"), b.rtp.audio()
        assert silenced(said, heard) <= 0.01, silenced(said, heard)
        w.hang_up(a, b)
