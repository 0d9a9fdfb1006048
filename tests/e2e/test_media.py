"""What is heard: relay, transcoding, digits, strangers, announcements, echo, recordings."""

import os
import random
import struct
import threading
import time
import wave

from rtp import TYPES, Rtp, chunks, continuity, encode, share_in_windows, sine, wav
from sip_message import make_sdp
from world import RING_ALICE, World, connect, wait_until

NUMBER = "+4930555100"
BOTH = ("PCMA", "PCMU")


def hello(seconds, rate=8000):
    """Prompts for a world: hello.wav, a tone of 500 Hz."""
    return {"hello.wav": wav(sine(500, seconds, rate=rate), rate)}


def channels(path):
    """Samples of each channel, and the rate."""
    with wave.open(path) as file:
        count, rate = file.getnchannels(), file.getframerate()
        data = file.readframes(file.getnframes())
    samples = struct.unpack(f"<{len(data) // 2}h", data)
    return [samples[i::count] for i in range(count)], rate


# --- relay ---

def test_relay_keeps_every_payload_bit_for_bit():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        noise = chunks(random.Random(1).randbytes(160 * 50), 160)
        a.rtp.payloads(noise, 8)
        b.rtp.wait(50)
        got = b.rtp.packets
        assert [p.payload for p in got] == noise, f"{len(got)} of 50 packets, or other bytes"
        assert not continuity(got), continuity(got)
        assert {(y.ts - x.ts) & 0xffffffff for x, y in zip(got, got[1:])} == {160}
        assert {p.pt for p in got} == {8} and got[0].ssrc != a.rtp.ssrc, "SSRC of the other leg"
        w.hang_up(a, b)


def test_relay_is_prompt():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for _ in range(5):  # latch and settle
            a.rtp.send(bytes(160), 8)
            time.sleep(0.02)
        b.rtp.wait(5)
        delays = []
        for i in range(20):
            before = len(b.rtp.packets)
            sent = time.monotonic()
            a.rtp.send(bytes([i]) * 160, 8)
            b.rtp.wait(before + 1, 1)
            delays.append(b.rtp.packets[-1].at - sent)
            time.sleep(0.02)
        assert sorted(delays)[10] < 0.010, sorted(delays)
        w.hang_up(a, b)


def test_relay_maps_payload_types_of_each_side():
    codecs = "codecs = opus, PCMA"
    with World(carrier=codecs, extensions={"1001": codecs, "1002": ""}) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, codecs=("opus",), answer=("opus",), events=None,
                      payload_types={"opus": 111},
                      answer_sdp={"payload_types": {"opus": 107}, "events": None})
        assert a.answer.sdp.audio.payload_type("opus") == 111
        offered = b.invite.sdp.audio.payload_type("opus")
        a.rtp.payloads([bytes([0x08, 1, i]) for i in range(25)], 111, samples=960)
        b.rtp.wait(25)
        assert {p.pt for p in b.rtp.packets} == {107}, {p.pt for p in b.rtp.packets}
        b.rtp.payloads([bytes([0x08, 2, i]) for i in range(25)], offered, samples=960)
        a.rtp.wait(25)
        assert [p.payload for p in a.rtp.packets] == [bytes([0x08, 2, i]) for i in range(25)]
        assert {p.pt for p in a.rtp.packets} == {111}
        w.hang_up(a, b)


def test_a_codec_with_a_number_of_its_own_goes_by_that_on_the_other_leg():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, payload_types={"PCMA": 99})
        assert a.answer.sdp.audio.payload_type("PCMA") == 99
        assert b.invite.sdp.audio.payload_type("PCMA") == 8
        tone = a.rtp.tone_start(440, 0.5, pt=99)
        b.rtp.tone(660, 0.5)
        tone.join()
        assert a.rtp.heard(660, pt=99) > 0.9 and b.rtp.heard(440) > 0.9
        a.request("INVITE")  # what we offer him goes by his number
        assert a.expect(200).sdp.audio.payload_type("PCMA") == 99
        a.ack(make_sdp(a.agent.ip, a.rtp.port, payload_types={"PCMA": 99}))
        w.hang_up(a, b)


def test_relay_carries_loss_and_disorder_as_they_are():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        base = a.rtp.seq
        for i in (0, 1, 2, 4, 3, 5, 8, 9):  # 6 and 7 are lost, 4 and 3 swapped
            a.rtp.seq, a.rtp.ts = base + i, 160000 + 160 * i
            a.rtp.send(bytes([i]) * 160, 8)
            time.sleep(0.02)
        b.rtp.wait(8)
        first = b.rtp.packets[0]
        seen = [((p.seq - first.seq) & 0xffff, ((p.ts - first.ts) & 0xffffffff) // 160,
                 p.payload[0]) for p in b.rtp.packets]
        assert sorted(seen) == [(i, i, i) for i in (0, 1, 2, 3, 4, 5, 8, 9)], seen
        w.hang_up(a, b)


# --- transcoding ---

def tone_of_uneven_packets(media, hz, seconds, codec):
    """No whole milliseconds: any number of samples is a packet (RFC 3551 4.3)."""
    data = encode(sine(hz, seconds), codec)
    cut = [part for pair in chunks(data, 320) for part in (pair[:161], pair[161:])]
    thread = threading.Thread(target=media.payloads, args=(cut, TYPES[codec]), daemon=True)
    thread.start()
    Rtp.said_s[hz] = seconds
    return thread


def check_transcoding(policy_a, policy_b, codec_a, codec_b):
    with World(carrier=f"codecs = {policy_a}",
               extensions={"1001": f"codecs = {policy_b}", "1002": ""}) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, codecs=(codec_a,), answer=(codec_b,))
        tones = [a.rtp.tone_start(440, 1.2, codec_a),
                 tone_of_uneven_packets(b.rtp, 660, 1.2, codec_b)]
        for tone in tones:
            tone.join()
        time.sleep(0.2)
        assert b.rtp.heard(440, codec_b, skip_ms=250) > 0.8, b.rtp.heard(440, codec_b)
        assert a.rtp.heard(660, codec_a, skip_ms=250) > 0.8, a.rtp.heard(660, codec_a)
        for media, codec in ((a.rtp, codec_a), (b.rtp, codec_b)):
            assert not continuity(media.packets), continuity(media.packets)
            assert 50 <= len(media.packets) <= 75, len(media.packets)
            assert {len(p.payload) for p in media.packets} == {160}
        w.hang_up(a, b)


def test_transcoding_pcma_to_pcmu():
    check_transcoding("PCMA", "PCMU", "PCMA", "PCMU")


def test_transcoding_pcmu_to_pcma():
    check_transcoding("PCMU", "PCMA", "PCMU", "PCMA")


def test_no_transcoding_when_a_common_codec_exists():
    with World(carrier="codecs = PCMA, PCMU", extensions={"1001": "codecs = PCMU, PCMA",
                                                           "1002": ""}) as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice, codecs=BOTH)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port, ("PCMU",)))
        chosen = a.expect(200).sdp.audio.codecs()
        assert chosen[0] == "PCMU", chosen
        a.ack()
        b.expect("ACK")
        w.hang_up(a, b)


def test_transcoding_hides_lost_and_late_packets():
    with World(carrier="codecs = PCMA", extensions={"1001": "codecs = PCMU", "1002": ""}) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",))
        for i, payload in enumerate(chunks(encode(sine(440, 1.6), "PCMA"), 160)):
            if i % 20 == 13:  # lost
                a.rtp.seq, a.rtp.ts = a.rtp.seq + 1, a.rtp.ts + 160
            else:
                a.rtp.send(payload, 8)
            time.sleep(0.0195)
        time.sleep(0.3)
        assert not continuity(b.rtp.packets), continuity(b.rtp.packets)
        assert b.rtp.heard(440, "PCMU", skip_ms=250) > 0.7, b.rtp.heard(440, "PCMU")
        w.hang_up(a, b)


# --- telephone-event ---

def event_type(description, clock=8000):
    """The payload type under which a side wants digits."""
    return description.audio.payload_type(f"telephone-event/{clock}")


def check_digits(a, b, wanted_a, wanted_b):
    """5 from a, # from b; each once at the other side, under the type that it wants them."""
    a.rtp.digit("5", event_type(a.answer.sdp))
    a.rtp.tone(440, 0.2)
    b.rtp.digit("#", event_type(b.invite.sdp))
    b.rtp.tone(660, 0.2)
    time.sleep(0.3)
    at_b, at_a = b.rtp.digits(wanted_b), a.rtp.digits(wanted_a)
    assert [d for d, _ in at_b] == ["5"], at_b
    assert [d for d, _ in at_a] == ["#"], at_a
    for _, duration in at_a + at_b:
        assert 0.08 < duration / 8000 < 0.25, duration


def test_digits_are_relayed_once_each_way():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        check_digits(a, b, 101, 101)
        w.hang_up(a, b)


def test_digits_cross_payload_types():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, events=97, answer_sdp={"events": 121})
        assert event_type(a.answer.sdp) == 97, "an answer keeps the offer's payload types"
        check_digits(a, b, 97, 121)
        w.hang_up(a, b)


def test_who_sends_by_the_numbers_of_his_own_answer_is_understood():
    """RFC 3264 6.1 wants him to send by those of the offer, and many don't. What he answers with has
    been offered to him, among more formats than anybody needs."""
    unknown = "\r\n".join(f"a=rtpmap:{pt} X-{pt}/8000" for pt in range(35, 64)) + "\r\n"
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port).replace(
            "AVP 8", f"AVP {' '.join(str(pt) for pt in range(35, 64))} 8") + unknown)
        a.rtp, b = media, w.alice.incoming()
        assert b.expect("INVITE").sdp.audio.payload_type("PCMA") == 8
        b.rtp = w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port, payload_types={"PCMA": 117}, events=121))
        a.rtp.tone(440, 0.4)
        b.rtp.tone(660, 0.4, pt=117)
        b.rtp.digit("#", 121)
        wait_until(lambda: a.rtp.digits(101), what="the digit")
        assert b.rtp.heard(440, pt=117) > 0.9, {p.pt for p in b.rtp.packets}
        assert a.rtp.heard(660) > 0.9, len(a.rtp.packets)
        assert [digit for digit, _ in a.rtp.digits(101)] == ["#"], a.rtp.digits(101)
        w.hang_up(a, b)


def test_digits_cross_a_transcoded_call():
    with World(carrier="codecs = PCMA", extensions={"1001": "codecs = PCMU", "1002": ""}) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",))
        a.rtp.tone(440, 0.3)
        a.rtp.digit("7", 101)
        a.rtp.tone(440, 0.3)
        time.sleep(0.3)
        assert [d for d, _ in b.rtp.digits(101)] == ["7"], b.rtp.digits(101)
        assert not continuity(b.rtp.packets), continuity(b.rtp.packets)
        w.hang_up(a, b)


def test_digits_cross_clocks_8000_and_48000():
    with World(carrier="codecs = PCMA", extensions={"1001": "codecs = opus", "1002": ""}) as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        assert event_type(b.invite.sdp, 48000), b.invite.sdp.text
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port, ("opus",), events=110, event_clock=48000,
                              payload_types={"opus": 107}))
        a.rtp.tone(440, 0.2)
        a.rtp.digit("5", 101)
        a.rtp.tone(440, 0.2)
        b.rtp.digit("#", event_type(b.invite.sdp, 48000), 48000)
        time.sleep(0.5)
        (digit, duration), = b.rtp.digits(110)
        assert digit == "5" and 0.08 < duration / 48000 < 0.25, (digit, duration)
        (digit, duration), = a.rtp.digits(101)
        assert digit == "#" and 0.08 < duration / 8000 < 0.25, (digit, duration)
        w.hang_up(a, b)


# --- who may send ---

def test_symmetric_rtp_follows_the_first_source():
    # The description names an address that leads nowhere (NAT); sound goes back where it came from.
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(f"{w.net}.200", 4000))
        b = w.called(w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        media.remote = a.expect(200).sdp.audio.address
        a.ack()
        b.expect("ACK")
        tone = media.tone_start(440, 0.6)
        b.rtp.tone(660, 0.6)
        tone.join()
        assert media.heard(660) > 0.9, "not latched"
        assert b.rtp.heard(440) > 0.9
        w.hang_up(a, b)


def test_a_strangers_packets_are_not_heard_and_do_not_move_the_stream():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        stranger = Rtp(f"{w.net}.66", ssrc=0x0bad0bad)
        w.media.append(stranger)
        stranger.remote = a.rtp.remote
        talk = [a.rtp.tone_start(440, 1.2), b.rtp.tone_start(660, 1.2)]
        time.sleep(0.4)
        stranger.tone(1500, 0.6)
        for tone in talk:
            tone.join()
        assert not stranger.packets, "the stream moved to a stranger"
        assert b.rtp.heard(440) > 0.98 and b.rtp.heard(1500) < 0.01, b.rtp.heard(1500)
        assert a.rtp.heard(660) > 0.95, a.rtp.heard(660)
        w.hang_up(a, b)


def test_rtp_junk_on_open_ports_is_ignored():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        rng = random.Random(7)
        a.rtp.tone(440, 0.1)
        before = len(b.rtp.packets)
        for i in range(2000):
            a.rtp.rtp.sendto(rng.randbytes(rng.choice((0, 1, 11, 12, 13, 100, 1400))),
                             a.rtp.remote)
            a.rtp.rtcp.sendto(rng.randbytes(rng.randrange(200)),
                              (a.rtp.remote[0], a.rtp.remote[1] + 1))
            if i % 50 == 0:
                time.sleep(0.005)
        # version 2, known type, but lengths that lie: CSRCs, extension, padding
        for head in (b"\x8f\x08", b"\x90\x08", b"\xa0\x08", b"\xbf\x08"):
            a.rtp.rtp.sendto(head + bytes(10) + b"\xff" * rng.randrange(8), a.rtp.remote)
        talk = a.rtp.tone_start(440, 0.8)
        b.rtp.tone(660, 0.8)
        talk.join()
        assert b.rtp.heard(440, since=before) > 0.9, b.rtp.heard(440, since=before)
        assert a.rtp.heard(660) > 0.9
        w.alive()
        w.hang_up(a, b)


# --- announcements and echo ---

def check_announcement(play_as, status):
    """Heard before the phone rings; the call that follows is heard too, on the same stream."""
    routes = RING_ALICE + f"play = hello.wav\nplay-as = {play_as}\n"
    with World(routes=routes, prompts=hello(1.0, 16000)) as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        media.remote = a.expect(status).sdp.audio.address
        if status == 200:
            a.ack()
        w.alice.expect_no_call(0.7)
        b = w.alice.called(timeout=3)
        assert media.heard(500) > 0.9, media.heard(500)
        assert 45 <= len(media.packets) <= 55, len(media.packets)
        b.rtp = w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        b.expect("ACK")
        if status != 200:
            a.expect(200)
            a.ack()
        since = len(media.packets)
        talk = media.tone_start(440, 0.5)
        b.rtp.tone(660, 0.5)
        talk.join()
        assert media.heard(660, since=since) > 0.9 and b.rtp.heard(440) > 0.9
        assert not continuity(media.packets), continuity(media.packets)
        w.hang_up(a, b)
        return a


def test_an_announcement_before_ringing_as_early_media():
    a = check_announcement("early", 183)
    assert a.ladder == ["> INVITE", "< 100", "< 183", "< 200", "> ACK", "> BYE", "< 200"], a.ladder


def test_an_announcement_before_ringing_answered():
    a = check_announcement("answer", 200)
    assert a.ladder == ["> INVITE", "< 100", "< 200", "> ACK", "> BYE", "< 200"], a.ladder


def test_a_caller_who_gives_up_during_the_announcement():
    with World(routes=RING_ALICE + "play = hello.wav\n", prompts=hello(2.0)) as w:
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        a.expect(183)
        a.cancel()
        a.expect(200)
        a.expect(487)
        w.alice.expect_no_call(0.3)


def test_a_number_that_only_announces():
    with World(routes=f"[route info]\nto = {NUMBER}\nplay = hello.wav\n",
               prompts=hello(0.8)) as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        a.expect(200)
        a.ack()
        a.answer_request("BYE", timeout=4)
        assert media.heard(500) > 0.9, media.heard(500)
        assert a.ladder == ["> INVITE", "< 100", "< 200", "> ACK", "< BYE", "> 200"], a.ladder


def test_an_announcement_that_cannot_be_read_does_not_stop_the_call():
    with World(routes=RING_ALICE + "play = broken.wav\n",
               prompts={"broken.wav": b"RIFF\xff\xff\xff\xffWAVEjunk"}) as w:
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        b = w.alice.called()
        b.reply(486)
        b.expect("ACK")
        assert [m for m in a.messages if m.status == 486] or a.expect_any(), a.ladder


def test_echo():
    with World(routes=f"[route echo]\nto = {NUMBER}\nanswer = echo\n") as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        media.remote = a.expect(200).sdp.audio.address
        a.ack()
        media.tone(440, 0.8)
        time.sleep(0.3)
        assert media.heard(440) > 0.9, (len(media.packets), media.heard(440))
        assert len(media.packets) >= 35, len(media.packets)
        a.bye()
        assert a.ladder == ["> INVITE", "< 100", "< 200", "> ACK", "> BYE", "< 200"], a.ladder


# --- recordings ---

def recordings(world):
    found = [os.path.join(folder, name) for folder, _, names in os.walk(f"{world.dir}/recordings")
             for name in names]
    return [path for path in found if path.endswith(".wav")]


def talk_recorded(w, seconds=1.2):
    a, b = w.talk(w.carrier, NUMBER, w.alice)
    tones = [a.rtp.tone_start(440, seconds), b.rtp.tone_start(660, seconds)]
    for tone in tones:
        tone.join()
    return a, b


def check_channels(path, least_s):
    (left, right), rate = channels(path)
    assert len(left) / rate >= least_s, len(left) / rate
    skip = rate // 4
    for side, hz, other in ((left, 440, 660), (right, 660, 440)):
        middle = side[skip:skip + round(rate * (least_s - 0.5))]
        assert share_in_windows(middle, hz, rate) > 0.8, (hz, share_in_windows(middle, hz, rate))
        assert share_in_windows(middle, other, rate) < 0.01, (other, share_in_windows(middle, other, rate))


def test_a_recording_has_the_caller_left_and_the_callee_right():
    with World(routes=RING_ALICE + "record = stereo\n") as w:
        a, b = talk_recorded(w)
        w.hang_up(a, b)
        path, = wait_until(lambda: recordings(w), what="recording")
        time.sleep(0.3)
        check_channels(path, 1.1)


def test_a_recording_of_a_transcoded_call():
    with World(routes=RING_ALICE + "record = stereo\n", carrier="codecs = PCMA",
               extensions={"1001": "codecs = PCMU", "1002": ""}) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",))
        tones = [a.rtp.tone_start(440, 1.2), b.rtp.tone_start(660, 1.2, "PCMU")]
        for tone in tones:
            tone.join()
        w.hang_up(a, b)
        path, = wait_until(lambda: recordings(w), what="recording")
        time.sleep(0.3)
        check_channels(path, 1.0)


def test_a_recording_is_playable_after_kill_9():
    with World(routes=RING_ALICE + "record = stereo\n") as w:
        talk_recorded(w, 3.0)
        w.gateway.kill()
        path, = recordings(w)
        check_channels(path, 1.5)


# --- ports ---

def test_when_ports_run_out_the_next_call_is_503_and_only_that():
    with World(rtp_ports="20000-20007") as w:  # four pairs: two calls
        calls = [w.talk(w.carrier, NUMBER, w.alice) for _ in range(2)]
        over = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        assert over.expect_any().status == 503, over.ladder
        w.alice.expect_no_call(0.2)
        for a, b in calls:
            a.rtp.tone(440, 0.5)
            assert b.rtp.heard(440) > 0.9, "a running call was hurt"
            w.hang_up(a, b)
        for _ in range(4):  # given back at hang-up
            a, b = w.talk(w.carrier, NUMBER, w.alice)
            w.hang_up(a, b)
            time.sleep(0.1)
