"""Media lines beside the audio: passed on packet for packet when both legs want them, else refused
without harm to the audio."""

import struct

from sip_message import make_sdp
from test_modify import check_talks, reinvite
from world import World, connect, wait_until

NUMBER = "+4930555100"
PLI = struct.pack("!BBHII", 0x81, 206, 2, 0x11223344, 0x55667788)  # RFC 4585 6.3.1


def video(port, formats="96", direction=None, proto="RTP/AVPF", more=()):
    """Lines of a VP8 line, as telephones and FreeSWITCH write it."""
    lines = [f"m=video {port} {proto} {formats}", "b=AS:512", "a=rtpmap:96 VP8/90000",
             "a=rtcp-fb:96 nack pli", "a=fmtp:96 max-fr=30"]
    return lines + ([f"a={direction}"] if direction else []) + list(more)


WEBRTC = ["a=rtcp-mux", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=mid:video",
          "a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host", "a=setup:actpass",
          "a=fingerprint:sha-256 AA:BB", "a=ssrc:1 cname:x"]


def call(w, lines, answer):
    """A call whose caller offers these lines beside the audio; answer(offer, port): the callee's."""
    media, a_video, b_video = w.rtp(w.carrier), w.rtp(w.carrier), w.rtp(w.alice)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port, extra=lines(a_video.port)))
    b = w.alice.called()
    a.rtp, a.video, b.rtp, b.video = media, a_video, w.rtp(w.alice), b_video
    b.rtp.remote = b.invite.sdp.audio.address
    connect(a, b, make_sdp(w.alice.ip, b.rtp.port, extra=answer(b_video.port)))
    for dialog, sdp in ((a, a.answer.sdp), (b, b.invite.sdp)):
        line = line_of(sdp)
        dialog.video.remote = line.address if line else None
    return a, b


def line_of(sdp, kind="video"):
    return next((m for m in sdp.media if m.kind == kind), None)


def check_passes(from_, to, pt=96):
    """Packets and feedback of one direction, each bit of them."""
    sent = from_.video
    before, feedback = len(to.video.packets), len(to.video.rtcp_packets)
    ssrc, first, ts = sent.ssrc, sent.seq, sent.ts
    payloads = [bytes([i]) * (1100 + i) for i in range(5)]
    for payload in payloads:
        sent.send(payload, pt, marker=True, samples=3000)
    host, port = sent.remote
    sent.rtcp.sendto(PLI, (host, port + 1))
    wait_until(lambda: len(to.video.packets) >= before + 5, what="video")
    wait_until(lambda: len(to.video.rtcp_packets) > feedback, what="feedback")
    came = to.video.packets[before:]
    assert [p.payload for p in came] == payloads
    assert [p.seq for p in came] == [(first + i) & 0xffff for i in range(5)]
    assert [p.ts for p in came] == [(ts + 3000 * i) & 0xffffffff for i in range(5)]
    assert {(p.pt, p.marker, p.ssrc) for p in came} == {(pt, True, ssrc)}
    assert to.video.rtcp_packets[-1] == PLI
    assert to.video.remote == came[-1].source, "it comes from where we send to"


def test_video_is_passed_on_both_ways_with_its_feedback():
    with World() as w:
        a, b = call(w, video, video)
        offered, answered = line_of(b.invite.sdp), line_of(a.answer.sdp)
        for line in (offered, answered):
            assert line.proto == "RTP/AVPF" and line.formats == ["96"], line.formats
            assert "rtcp-fb:96 nack pli" in line.attributes, line.attributes
            assert "fmtp:96 max-fr=30" in line.attributes, line.attributes
        assert "b=AS:512" in b.invite.sdp.text
        check_passes(a, b)
        check_passes(b, a)
        check_talks(a, b)
        check_passes(a, b)
        w.hang_up(a, b)


def test_what_belongs_to_one_hop_stays_behind():
    with World() as w:
        group = ["a=group:BUNDLE audio video"]
        a, b = call(w, lambda port: group + video(port, more=WEBRTC), video)
        for word in ("ice", "candidate", "group", "mid", "setup", "fingerprint", "rtcp-mux",
                     "192.0.2.1", w.carrier.ip):
            assert word not in b.invite.sdp.text, word
        check_passes(a, b)
        check_talks(a, b)
        w.hang_up(a, b)


def test_video_that_the_callee_refuses_is_refused_to_the_caller():
    for answer in (lambda port: video(0), lambda port: []):
        with World() as w:
            a, b = call(w, video, answer)
            line = line_of(a.answer.sdp)
            assert line.port == 0 and line.formats == ["96"], line.formats
            check_talks(a, b)
            reinvite(a, extra=video(a.video.port))
            check_talks(a, b)
            w.hang_up(a, b)


def test_a_callee_that_takes_some_of_the_formats():
    def offer(port):
        return video(port, "96 97", more=["a=rtpmap:97 H264/90000",
                                          "a=fmtp:97 profile-level-id=42e01f"])

    with World() as w:
        a, b = call(w, offer, lambda port: [f"m=video {port} RTP/AVPF 97",
                                            "a=rtpmap:97 H264/90000",
                                            "a=fmtp:97 profile-level-id=42e00d"])
        line = line_of(a.answer.sdp)
        assert line.formats == ["97"] and "fmtp:97 profile-level-id=42e00d" in line.attributes
        check_passes(a, b, 97)
        check_passes(b, a, 97)
        w.hang_up(a, b)


def test_video_before_the_audio_and_lines_that_nobody_knows():
    others = ["m=application 5000 UDP/BFCP *", "m=message 5002 TCP/MSRP *",
              "m=image 5004 udptl t38", "m=video 5006 RTP/SAVPF 96", "m=whatever 5008 x/y z"]
    with World() as w:
        media, a_video, b_video = w.rtp(w.carrier), w.rtp(w.carrier), w.rtp(w.alice)
        plain = make_sdp(w.carrier.ip, media.port).split("m=audio")
        lines = [plain[0].strip(), *video(a_video.port), "m=audio" + plain[1].rstrip(), *others]
        a = w.carrier.invite(NUMBER, "\r\n".join(lines) + "\r\n")
        b = w.alice.called()
        assert [m.kind for m in b.invite.sdp.media] == ["audio", "video"], b.invite.sdp.text
        a.rtp, a.video, b.rtp, b.video = media, a_video, w.rtp(w.alice), b_video
        b.rtp.remote = b.invite.sdp.audio.address
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port, extra=video(b_video.port)))
        answer = a.expect(200).sdp
        a.ack()
        b.expect("ACK")
        assert [(m.kind, m.port > 0) for m in answer.media] == [
            ("video", True), ("audio", True), ("application", False), ("message", False),
            ("image", False), ("video", False), ("whatever", False)], answer.text
        a.rtp.remote, a.video.remote = answer.audio.address, line_of(answer).address
        b.video.remote = line_of(b.invite.sdp).address
        check_passes(b, a)
        check_passes(a, b)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_hold_with_video_and_its_resume_at_another_address():
    with World() as w:
        a, b = call(w, video, video)
        check_passes(a, b)
        check_passes(b, a)
        reinvite(a, direction="inactive", extra=video(a.video.port, direction="inactive"))
        assert line_of(a.answer.sdp).direction == "inactive"
        moved = w.rtp(w.carrier)
        moved.remote, old, a.video = a.video.remote, a.video, moved
        reinvite(a, extra=video(a.video.port))
        assert line_of(a.answer.sdp).direction == "sendrecv"
        check_passes(b, a)
        check_passes(a, b)
        check_talks(a, b)
        assert len(old.packets) == 5, "the old address is still sent to"
        w.hang_up(a, b)


def test_video_that_is_taken_away_and_comes_back():
    with World() as w:
        a, b = call(w, video, video)
        check_passes(a, b)
        reinvite(a, extra=video(0))
        assert line_of(a.answer.sdp).port == 0
        since = len(a.video.packets)
        b.video.send(b"x" * 100, 96)
        check_talks(a, b)
        assert len(a.video.packets) == since
        reinvite(a, extra=video(a.video.port))
        check_passes(a, b)
        check_passes(b, a)
        w.hang_up(a, b)


def add_video(a, b, answer):
    """A re-INVITE of a's that adds video; b answers ours with these lines, or a status."""
    a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, version=2, extra=video(a.video.port)))
    asked = b.expect("INVITE")
    assert [m.kind for m in asked.sdp.media] == ["audio", "video"], asked.sdp.text
    assert asked.sdp.audio.direction == "sendrecv"
    if isinstance(answer, int):
        b.reply(answer, to=asked)
    else:
        b.reply(200, make_sdp(b.agent.ip, b.rtp.port, version=2, extra=answer), to=asked)
    b.expect("ACK")
    ok = a.expect(200).sdp
    a.ack()
    a.video.remote, b.video.remote = line_of(ok).address, line_of(asked.sdp).address
    return line_of(ok).port > 0


def test_video_that_is_added_in_the_call_by_either_side():
    for caller in (True, False):
        with World() as w:
            a, b = call(w, lambda port: [], lambda port: [])
            first, other = (a, b) if caller else (b, a)
            assert add_video(first, other, video(other.video.port))
            check_passes(a, b)
            check_passes(b, a)
            check_talks(a, b)
            reinvite(first, direction="inactive",
                     extra=video(first.video.port, direction="inactive"))
            other.expect_nothing(0.1)
            w.hang_up(a, b)


def test_video_that_is_added_and_refused_leaves_the_call_as_it_was():
    for answer in (video(0), [], 488):
        with World() as w:
            a, b = call(w, lambda port: [], lambda port: [])
            assert not add_video(a, b, answer)
            check_talks(a, b)
            reinvite(a, extra=video(a.video.port))  # and nobody is asked twice
            b.expect_nothing(0.1)
            check_talks(a, b)
            w.hang_up(a, b)


def test_strangers_are_not_passed_on():
    with World() as w:
        a, b = call(w, video, video)
        check_passes(a, b)
        stranger = w.rtp(w.bob)
        stranger.remote = a.video.remote
        since = len(b.video.packets)
        stranger.send(b"spam", 96)
        a.video.rtp.sendto(b"not RTP at all", a.video.remote)
        check_passes(a, b)
        assert len(b.video.packets) == since + 5
        w.hang_up(a, b)


def test_all_video_ports_come_back():
    with World() as w:
        for _ in range(3):
            a, b = call(w, video, video)
            check_passes(a, b)
            w.hang_up(a, b)
        wait_until(lambda: not w.gateway.control("calls"), what="an empty list of calls")
