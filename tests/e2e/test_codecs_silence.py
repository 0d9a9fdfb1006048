"""Silence that is left out (DTX): what is sent for it, and what is heard of it at the other side."""

import functools
import threading
import time

import libopus
from codecs_of_others import AMR_BITS, WIDE_BITS, amr_storage
from listen import share_of_clean, timeline
from machine import on_time
from rtp import chunks, decode, encode, in_time, level, sine
from test_codecs import call
from world import World

NUMBER = "+4930555100"
HZ = 700
TALK_S, PAUSE_S = 0.5, 1.2
SILENCE_A_LAW = bytes([0xd5])


WORD = encode(sine(HZ, TALK_S), "PCMA")
SPOKEN = chunks(WORD + SILENCE_A_LAW * round(PAUSE_S * 8000) + WORD, 160)


def word_pause_word(rtps):
    """A tone, digital silence, the tone again, as PCMA telephones say it."""
    together(*(functools.partial(rtp.payloads, SPOKEN, 8) for rtp in rtps))
    time.sleep(0.15)


def together(*deeds):
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def pause_of(packets, clock):
    """The packets of its inner second, by their timestamps."""
    first = packets[0].ts
    return [p for p in packets
            if TALK_S + 0.3 < ((p.ts - first) & 0xffffffff) / clock < TALK_S + PAUSE_S - 0.05]


def say_again(rtp, packets, clock):
    """What came, in the same rhythm."""
    begun, first, base = time.monotonic(), packets[0].ts, rtp.ts
    with in_time():
        for packet in packets:
            since = (packet.ts - first) & 0xffffffff
            time.sleep(max(0, begun + since / clock - time.monotonic()))
            rtp.send(packet.payload, packet.pt, marker=packet.marker, samples=0, ts=base + since)
    time.sleep(0.25)


def check_heard(rtp):
    """The word, hardly anything, and the word."""
    played = timeline([p for p in list(rtp.packets) if p.pt == 8],
                      lambda p: decode(p.payload, "PCMA")).tolist()
    loud = [level(played[at:at + 160]) > 1000 for at in range(0, len(played) - 159, 160)]
    begin, end = loud.index(True), len(loud) - loud[::-1].index(True)
    shown = "".join("#" if it else "." for it in loud)
    assert 0.7 * (2 * TALK_S + PAUSE_S) < (end - begin) / 50, shown
    gap = max("".join("#" if it else "." for it in loud[begin:end]).split("#"), key=len)
    assert len(gap) > 0.6 * PAUSE_S * 50, shown
    at = (begin + shown[begin:].index(gap)) * 160
    quiet = level(played[at + 1600:at + (len(gap) - 2) * 160])
    assert quiet < 60, f"level {quiet:.0f} in the pause: {shown}"
    after = played[at + (len(gap) + 4) * 160:end * 160 - 320]
    assert share_of_clean(after, HZ, least_db=6) > 0.3, shown  # pauses of this machine


def describes(codec, fmtp, payload):
    """Is it a description of silence?"""
    if codec == "G729":
        return len(payload) % 10 == 2
    if codec == "opus":
        return len(payload) < 20
    wide = codec == "AMR-WB"
    frames, _ = amr_storage(payload, WIDE_BITS if wide else AMR_BITS, "octet-align=1" in fmtp)
    return any(frame[0] >> 3 == (9 if wide else 8) for frame in frames)


ROWS = (("G729", 18, "G729/8000", "annexb=yes"),
        ("AMR", 96, "AMR/8000", ""),
        ("AMR", 96, "AMR/8000", "octet-align=1;mode-set=0,2,4"),
        ("AMR-WB", 97, "AMR-WB/16000", ""),
        ("opus", 98, "opus/48000/2", "usedtx=1"))


def check_described(w):
    calls = [(row, *call(w, *row[1:])[:2]) for row in ROWS]
    word_pause_word([b.rtp for _, _, b in calls])
    again = []
    for (codec, _, rtpmap, fmtp), a, _ in calls:
        clock, came = int(rtpmap.split("/")[1]), list(a.rtp.packets)
        pause = pause_of(came, clock)
        assert len(pause) < 0.5 * 50 * (PAUSE_S - 0.35), (codec, len(pause))
        assert any(describes(codec, fmtp, p.payload) for p in came), codec
        again.append(functools.partial(say_again, a.rtp, came, clock))
    together(*again)
    for row, a, b in calls:
        try:
            check_heard(b.rtp)
        except AssertionError as error:
            raise AssertionError(f"{row[0]} {row[3]}: {error}") from error
        w.hang_up(a, b)


def test_silence_is_described_and_left_out_and_heard_as_silence():
    keys = "codecs = G729, AMR, AMR-WB, opus\nsilence = leave-out"
    with World(carrier=keys, extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        on_time(lambda: check_described(w))


def check_all_is_sent(w):
    a, b, _ = call(w, 18, "G729/8000", "annexb=no")
    word_pause_word([b.rtp])
    assert {len(p.payload) for p in a.rtp.packets} == {20}
    assert len(pause_of(a.rtp.packets, 8000)) > 0.8 * 50 * (PAUSE_S - 0.35)
    w.hang_up(a, b)


def test_nothing_is_left_out_for_who_does_not_take_it():
    keys = "codecs = G729, opus\nsilence = leave-out"
    with World(carrier=keys, extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        on_time(lambda: check_all_is_sent(w))


# RFC 3389, for codecs that know no silence of their own: payload type, rtpmap
PLAIN = (("PCMU", 0, "PCMU/8000", ""), ("G722", 9, "G722/8000", ""), ("GSM", 3, "GSM/8000", ""),
         ("G726-32", 96, "G726-32/8000", ""), ("L16/16000", 97, "L16/16000", ""))


def noise_call(w, _, pt, rtpmap, fmtp):
    """call(), with comfort noise on the codec's clock; its payload type."""
    clock = int(rtpmap.split("/")[1])
    noise = 13 if clock == 8000 else 101
    a, b, answer = call(w, pt, rtpmap, fmtp, f"a=rtpmap:{noise} CN/{clock}", also=noise)
    assert answer.rtpmap().get(noise) == f"CN/{clock}", answer.rtpmap()
    return a, b, clock, noise


def check_noise(w):
    calls = [(row, *noise_call(w, *row)) for row in PLAIN]
    word_pause_word([b.rtp for _, _, b, _, _ in calls])
    again = []
    for row, a, _, clock, noise in calls:
        came = list(a.rtp.packets)
        pause = pause_of(came, clock)
        assert any(p.pt == noise for p in came), (row, "no description")
        assert all(p.pt == noise for p in pause) and len(pause) < 4, (row, len(pause))
        again.append(functools.partial(say_again, a.rtp, came, clock))
    together(*again)
    for row, a, b, *_ in calls:
        try:
            check_heard(b.rtp)
        except AssertionError as error:
            raise AssertionError(f"{row[0]}: {error}") from error
        w.hang_up(a, b)


def test_comfort_noise_beside_each_codec_that_has_no_silence_of_its_own():
    keys = f"codecs = {', '.join(row[0] for row in PLAIN)}\nsilence = leave-out"
    with World(carrier=keys, extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        on_time(lambda: check_noise(w))


WISHES = (("usedtx=1;useinbandfec=1", 1, {"dtx": 1, "fec": 1, "loss": 10}),
          ("stereo=1;sprop-stereo=1", 2, {"channels": 2, "bitrate": 64000}),
          ("cbr=1;maxaveragebitrate=16000", 1, {"vbr": 0, "bitrate": 16000}),
          ("maxaveragebitrate=9000", 1, {"bitrate": 9000}))


def check_wish(fmtp, came):
    """Is what came as the parameters wish it?"""
    decoder = libopus.Decoder()
    sizes = {len(p.payload) for p in came[3:]}
    heard = [s for p in came for s in decoder.decode(p.payload)]
    left_out = len(pause_of(came, 48000)) < 0.5 * 50 * (PAUSE_S - 0.35)
    assert share_of_clean(heard[1600:round(TALK_S * 8000)], HZ) > 0.4, fmtp
    assert not any(libopus.is_stereo(p.payload) for p in came), "one voice is mono"
    assert left_out == ("usedtx" in fmtp), (fmtp, len(came))
    assert (sizes == {40}) == ("cbr" in fmtp), (fmtp, sizes)
    word = [len(p.payload) for p in came[3:round(TALK_S * 50)]]
    rate = sum(word) * 8 / (len(word) * 0.02)
    assert (rate < 1.1 * 9000) == ("=9000" in fmtp), (fmtp, rate)


def spoken_by_libopus(channels, options):
    """Word, pause and word as packets."""
    word = [s for s in sine(HZ, TALK_S, rate=48000) for _ in range(channels)]
    encoder = libopus.Encoder(**options)
    pcm = word + [0] * round(PAUSE_S * 48000) * channels + word
    size = 960 * channels
    return [encoder.encode(pcm[at:at + size]) for at in range(0, len(pcm), size)]


def say_opus(rtp, payloads):
    begun = time.monotonic()
    with in_time():
        for i, payload in enumerate(payloads):
            time.sleep(max(0, begun + i * 0.02 - time.monotonic()))
            if len(payload) > 2:
                rtp.send(payload, 96, samples=960)
            else:
                rtp.ts += 960  # RFC 7587 3.1.3: nothing to be sent
    time.sleep(0.25)


def check_wishes(w, spoken):
    calls = [call(w, 96, "opus/48000/2", fmtp)[:2] for fmtp, *_ in WISHES]
    word_pause_word([b.rtp for _, b in calls])
    for (fmtp, *_), (a, _) in zip(WISHES, calls):
        check_wish(fmtp, list(a.rtp.packets))
    together(*(functools.partial(say_opus, a.rtp, payloads)
               for (a, _), payloads in zip(calls, spoken)))
    for a, b in calls:
        check_heard(b.rtp)
        w.hang_up(a, b)


def test_opus_as_it_is_asked_for():
    spoken = [spoken_by_libopus(channels, options) for _, channels, options in WISHES]
    assert [libopus.is_stereo(payloads[5]) for payloads in spoken] == [False, True, False, False]
    with World(carrier="codecs = opus",
               extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        on_time(lambda: check_wishes(w, spoken))
