"""Each codec against one of another's making (ffmpeg): what the gateway encodes is decoded there,
and what is encoded there is heard by a PCMA telephone."""

import time

import harness
from codecs_of_others import AMR_BITS, amr_storage, hear, say
from machine import on_time
from rtp import in_time, level, share
from world import World, connect

NUMBER = "+4930555100"
#        codec          payload type, rtpmap, fmtp
ROWS = (("G729", 18, "G729/8000", "annexb=no"),
        ("GSM", 3, "GSM/8000", ""),
        ("iLBC", 97, "iLBC/8000", "mode=20"),
        ("iLBC", 97, "iLBC/8000", "mode=30"),
        ("speex", 98, "speex/8000", ""),
        ("speex/16000", 99, "speex/16000", ""),
        ("G726-16", 100, "G726-16/8000", ""),
        ("G726-24", 101, "G726-24/8000", ""),
        ("G726-32", 102, "G726-32/8000", ""),
        ("G726-40", 103, "G726-40/8000", ""),
        ("AAL2-G726-32", 104, "AAL2-G726-32/8000", ""),
        ("AMR", 105, "AMR/8000", ""),
        ("AMR", 111, "AMR/8000", "octet-align=1"),
        ("AMR-WB", 106, "AMR-WB/16000", "octet-align=1"),
        ("AMR-WB", 112, "AMR-WB/16000", ""),
        ("L16", 107, "L16/8000", ""),
        ("L16/16000", 108, "L16/16000", ""),
        ("L16/44100", 11, "L16/44100", ""),
        ("L16/48000", 109, "L16/48000", ""))
HZ = 700


def sdp(agent, port, pt, rtpmap, fmtp, *more, also=None):
    """also: another payload type."""
    types = pt if also is None else f"{pt} {also}"
    lines = ["v=0", f"o=peer 1 1 IN IP4 {agent.ip}", "s=-", f"c=IN IP4 {agent.ip}", "t=0 0",
             f"m=audio {port} RTP/AVP {types}", f"a=rtpmap:{pt} {rtpmap}"]
    return "\r\n".join([*lines, *([f"a=fmtp:{pt} {fmtp}"] if fmtp else []), *more]) + "\r\n"


def call(w, pt, rtpmap, fmtp, *more, also=None):
    """carrier speaks the codec, alice PCMA; both dialogs."""
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, sdp(w.carrier, media.port, pt, rtpmap, fmtp, *more,
                                       also=also))
    a.rtp = media
    b = w.called(w.alice)
    ok = connect(a, b, sdp(w.alice, b.rtp.port, 8, "PCMA/8000", ""))
    return a, b, ok.sdp.audio


def pace(rtp, payloads, pt, samples, clock):
    """At the pace of what they hold, which rtp.payloads() takes for 20 ms."""
    next_at = time.monotonic()
    with in_time():
        for payload in payloads:
            time.sleep(max(0, next_at - time.monotonic()))
            rtp.send(payload, pt, samples=samples)
            next_at += samples / clock


def purity(samples):
    """Share of the tone in what was heard: the middle one of windows of 80 ms, so that a pause of
    this machine's, or the silence after the tone, counts for little."""
    samples = samples[1600:-800]
    windows = [samples[at:at + 640] for at in range(0, len(samples) - 640, 640)]
    shares = sorted(share(window, HZ) for window in windows if level(window) > 1000)
    return shares[len(shares) // 2] if shares else 0


def check_codec(w, codec, pt, rtpmap, fmtp):
    a, b, _ = call(w, pt, rtpmap, fmtp)
    aligned = "octet-align=1" in fmtp
    own = say(codec, HZ, 0.7, octet_align=aligned)
    clock = int(rtpmap.split("/")[1])
    talk = b.rtp.tone_start(HZ, 0.7)
    if own:
        pace(a.rtp, own, pt, clock // 50, clock)
    talk.join()
    got = [p.payload for p in a.rtp.packets if p.pt == pt]
    if not own:  # nobody else encodes it here: what was decoded elsewhere, sent back
        pace(a.rtp, got[5:], pt, a.rtp.packets[9].ts - a.rtp.packets[8].ts, clock)
    time.sleep(0.15)
    w.hang_up(a, b)
    heard = hear(codec, got, octet_align=aligned)
    there, here = purity(heard), purity(b.rtp.audio())
    assert there >= 0.9 and here >= 0.9 and len(heard) >= 0.55 * 8000, (
        f"{codec} {fmtp}: {len(heard)} samples, tone {there:.2f} at the other codec, {here:.2f} "
        "from it")


def test_what_is_encoded_others_decode_and_the_other_way_round():
    names = ", ".join(dict.fromkeys(row[0] for row in ROWS))
    with World(carrier=f"codecs = {names}", extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        bad = []
        for row in ROWS:
            try:
                on_time(lambda row=row: check_codec(w, *row))
            except AssertionError as error:
                bad.append(str(error))
        assert not bad, "\n".join(bad)


def test_what_comes_late_and_then_in_a_hurry_is_heard_as_it_was_said():
    # nothing of it is lost: what was made up for the wait is all that may be heard of it
    def talk_and_listen():
        a, b, _ = call(w, 98, "speex/8000", "")
        said = say("speex", HZ, 0.7)
        pace(a.rtp, said[:10], 98, 160, 8000)
        time.sleep(0.08)
        for payload in said[10:13]:
            a.rtp.send(payload, 98, samples=160)
        pace(a.rtp, said[13:], 98, 160, 8000)
        b.rtp.wait(len(said) + 3)
        w.hang_up(a, b)
        assert purity(b.rtp.audio()) > 0.9, purity(b.rtp.audio())

    with World(carrier="codecs = speex", extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        on_time(talk_and_listen)


def test_amr_sends_the_mode_that_is_asked_for_and_of_the_set():
    with World(carrier="codecs = AMR", extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        fmtp = "octet-align=1; mode-set=0,2,7"
        a, b, answer = call(w, 96, "AMR/8000", fmtp)
        agreed = next(line for line in answer.attributes if line.startswith("fmtp:96"))
        assert "octet-align=1" in agreed and "mode-set=0,2,7" in agreed, agreed
        talk = b.rtp.tone_start(HZ, 1.2)
        time.sleep(0.3)
        silence = bytes([0x30, 0x7c])  # request 3 (not of the set: 2 is the next below), no data
        for _ in range(10):
            a.rtp.send(silence, 96, samples=160)
            time.sleep(0.02)
        time.sleep(0.3)
        a.rtp.ts += 2400
        a.rtp.send(bytes([0xf0, 0x7c]), 96, samples=160)  # no request any more
        talk.join()
        modes = [amr_storage(p.payload, AMR_BITS, True)[0][0][0] >> 3 for p in a.rtp.packets]
        assert modes[3] == 7 and 2 in modes[12:40] and modes[-3] == 7, modes
        assert set(modes) <= {7, 2}, modes
        w.hang_up(a, b)


def test_ilbc_answers_and_packets_follow_the_mode_and_ptime():
    with World(carrier="codecs = iLBC", extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        for fmtp, ptime, size, step in (("mode=20", 60, 114, 480), ("mode=30", 60, 100, 480),
                                        ("mode=20", 30, 38, 160), ("", 20, 50, 240)):
            a, b, answer = call(w, 97, "iLBC/8000", fmtp, f"a=ptime:{ptime}")
            b.rtp.tone(HZ, 0.4)
            got = a.rtp.packets
            assert {len(p.payload) for p in got} == {size}, (fmtp, ptime, len(got[0].payload))
            assert {(y.ts - x.ts) & 0xffffffff for x, y in zip(got, got[1:])} == {step}
            w.hang_up(a, b)


def test_opus_in_packets_of_30_and_10_ms_and_in_constant_ones():
    with World(carrier="codecs = opus", extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        for ptime, fmtp in ((30, ""), (10, ""), (50, ""), (20, "cbr=1;maxaveragebitrate=12000")):
            a, b, _ = call(w, 96, "opus/48000/2", fmtp, f"a=ptime:{ptime}")
            b.rtp.tone(HZ, 0.5)
            got = a.rtp.packets
            steps = {(y.ts - x.ts) & 0xffffffff for x, y in zip(got[2:], got[3:])}
            assert steps == {ptime * 48}, (ptime, steps)
            if "cbr" in fmtp:
                assert {len(p.payload) for p in got[2:]} == {30}, [len(p.payload) for p in got]
            w.hang_up(a, b)


def test_comfort_noise_becomes_noise_and_silence_is_left_out():
    keys = "codecs = PCMU\nsilence = leave-out"
    with World(carrier=keys, extensions={"1001": "codecs = PCMA", "1002": ""}) as w:
        media = w.rtp(w.carrier)
        text = sdp(w.carrier, media.port, 0, "PCMU/8000", "").replace("AVP 0", "AVP 0 13")
        a = w.carrier.invite(NUMBER, text + "a=rtpmap:13 CN/8000\r\n")
        a.rtp = media
        b = w.called(w.alice)
        ok = connect(a, b, sdp(w.alice, b.rtp.port, 8, "PCMA/8000", ""))
        assert "CN/8000" in ok.sdp.audio.rtpmap().values(), "comfort noise is taken"
        # A says a word, describes its silence at -50 dBov, and says a word 1.5 s later.
        a.rtp.tone(HZ, 0.3, codec="PCMU")
        a.rtp.send(bytes([50]), 13, samples=12000)
        before = len(b.rtp.packets)
        time.sleep(1.4)
        a.rtp.tone(HZ, 0.2, codec="PCMU")
        noise = b.rtp.audio(since=before)[4000:9000]
        power = (sum(s * s for s in noise) / len(noise)) ** 0.5
        assert len(noise) == 5000 and 60 < power < 180, (len(noise), power)
        # B is silent after a word: A is told so, and hears nothing more.
        before = len(a.rtp.packets)
        b.rtp.tone(HZ, 0.3)
        b.rtp.payloads([bytes([0xd5]) * 160] * 50, 8)
        got = a.rtp.packets[before:]
        assert [p for p in got if p.pt == 13], "silence is described"
        assert len([p for p in got if p.pt == 0]) < 32, "and not sent"
        w.hang_up(a, b)


def test_the_program_says_what_it_lacks():
    status, out = harness.run_twinleg("codecs")
    assert status == 0, out
    rows = {line.split()[0]: line for line in out.splitlines() if "/" in line.split(" ")[0]}
    assert "transcoded" in rows["PCMA/8000"] and "lacks" in rows["G723/8000"], out
    for name in ("G729/8000", "AMR/8000", "AMR-WB/16000", "iLBC/8000", "speex/8000"):
        assert "transcoded" in rows[name] or "lacks" in rows[name], rows[name]
