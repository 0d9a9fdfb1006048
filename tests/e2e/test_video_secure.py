"""Encrypted pictures (RTP/SAVPF with a=crypto of their own), rtcp-mux, on one leg or both: what goes
in at one side comes out at the other, feedback too."""

from pylibsrtp import Error, Policy
from sip_message import make_sdp
from test_modify import check_talks
from test_srtp import SUITES, Key, both_hear
from test_video import PLI, line_of, video
from world import World, wait_until

NUMBER = "+4930555100"


def secure(lines, key):
    """The same line with a key."""
    return [lines[0].replace("RTP/AVPF", "RTP/SAVPF"), *lines[1:], key.line()]


def keys_of(line):
    return [Key.read(a) for a in line.attributes
            if a.startswith("crypto:") and a.split()[1] in SUITES]


class Camera:
    """A telephone's pictures: keys None: in clear. mux: RTCP on RTP's port."""

    def __init__(self, rtp, ours=None, theirs=None, mux=False):
        self.rtp, self.mux = rtp, mux
        self.out = ours and ours.session(Policy.SSRC_ANY_OUTBOUND)
        self.into = theirs and theirs.session(Policy.SSRC_ANY_INBOUND)
        self.feedback = []
        rtp.protect, rtp.unprotect = self.protect, self.unprotect

    def protect(self, data):
        return self.out.protect(data) if self.out else data

    def unprotect(self, data):
        try:
            if 64 <= data[1] & 0x7f < 96:  # RFC 5761 4
                assert self.mux, "RTCP on the port of RTP"
                self.feedback.append(self.into.unprotect_rtcp(data) if self.into else data)
                return None
            return self.into.unprotect(data) if self.into else data
        except Error:
            return None

    def send_feedback(self):
        host, port = self.rtp.remote
        data = self.out.protect_rtcp(PLI) if self.out else PLI
        if self.mux:
            self.rtp.rtp.sendto(data, (host, port))
        else:
            self.rtp.rtcp.sendto(data, (host, port + 1))

    def got_feedback(self):
        came = [self.into.unprotect_rtcp(data) if self.into else data
                for data in self.rtp.rtcp_packets]
        del self.rtp.rtcp_packets[:]
        self.feedback += came
        return PLI in self.feedback


def check_passes(speaker, listener):
    before = len(listener.rtp.packets)
    payloads = [bytes([i]) * 900 for i in range(5)]
    for payload in payloads:
        speaker.rtp.send(payload, 96, marker=True, samples=3000)
    listener.rtp.wait(before + 5, 2.0)
    assert [p.payload for p in listener.rtp.packets[before:]] == payloads
    listener.feedback.clear()
    speaker.send_feedback()
    wait_until(listener.got_feedback, 2.0, "picture loss indication")


def call(w, a_key=None, mux=False, b_secure=False):
    """Cameras of both, with their dialogs."""
    media, a_video, b_video = w.rtp(w.carrier), w.rtp(w.carrier), w.rtp(w.alice)
    lines = video(a_video.port, more=["a=rtcp-mux"] if mux else ())
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port,
                                          extra=secure(lines, a_key) if a_key else lines))
    b = w.alice.called()
    a.rtp, b.rtp = media, w.rtp(w.alice)
    b.rtp.remote = b.invite.sdp.audio.address
    offered = line_of(b.invite.sdp)
    theirs, ours, lines = None, None, video(b_video.port)
    if b_secure:
        theirs = next(k for k in keys_of(offered) if k.suite == "AES_CM_128_HMAC_SHA1_80")
        ours = Key(tag=theirs.tag)
        lines = secure(lines, ours)
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port, extra=lines))
    ok = a.expect(200).sdp
    a.rtp.remote = ok.audio.address
    a.ack()
    b.expect("ACK")
    answered = line_of(ok)
    a_video.remote, b_video.remote = answered.address, offered.address
    a.camera = Camera(a_video, a_key, keys_of(answered)[0] if a_key else None, mux)
    b.camera = Camera(b_video, ours, theirs)
    return a, b, offered, answered


def check_call(w, a, b):
    check_passes(a.camera, b.camera)
    check_passes(b.camera, a.camera)
    check_talks(a, b)
    w.hang_up(a, b)


def test_encrypted_pictures_to_one_who_takes_them_plain():
    with World() as w:
        a, b, offered, answered = call(w, Key(tag=3))
        assert offered.proto == "RTP/AVPF" and not keys_of(offered)
        assert answered.proto == "RTP/SAVPF" and [k.tag for k in keys_of(answered)] == [3]
        check_call(w, a, b)


def test_encrypted_on_both_legs_each_under_keys_of_its_own():
    # the audio of alice's leg is plain where the peer wants it so: srtp = offer leaves the choice
    with World(extensions={"1001": "srtp = offer", "1002": ""}) as w:
        a, b, offered, answered = call(w, Key("AEAD_AES_128_GCM", 1), b_secure=True)
        seen = [k.key for k in keys_of(offered) + keys_of(answered)]
        assert len(set(seen)) == len(seen) == 3, "a key for each line and each leg"
        assert answered.proto == "RTP/SAVPF"
        check_call(w, a, b)


def test_feedback_on_the_port_of_the_pictures():
    with World() as w:
        a, b, offered, answered = call(w, mux=True)
        assert "rtcp-mux" in answered.attributes and "rtcp-mux" not in offered.attributes
        check_call(w, a, b)


def test_encrypted_and_on_one_port():
    with World() as w:
        a, b, _, answered = call(w, Key(), mux=True)
        assert "rtcp-mux" in answered.attributes
        check_call(w, a, b)


def test_what_is_not_encrypted_is_not_passed_on():
    with World() as w:
        a, b, _, _ = call(w, Key())
        check_passes(a.camera, b.camera)
        count = len(b.camera.rtp.packets)
        a.camera.out = None
        a.camera.rtp.send(b"forged", 96)
        a.camera.out = Key().session(Policy.SSRC_ANY_OUTBOUND)
        a.camera.rtp.send(b"forged", 96)
        both_hear(a, b)
        assert len(b.camera.rtp.packets) == count
        w.hang_up(a, b)


def test_encryption_that_is_off_or_required_is_obeyed():
    for keys, key in (("srtp = off", Key()), ("srtp = required", None)):
        with World(carrier=keys) as w:
            media = w.rtp(w.carrier)
            lines = video(5000)
            audio = Key()
            sdp = make_sdp(w.carrier.ip, media.port,
                           extra=secure(lines, key) if key else lines)
            if not key:  # the audio is as it must be, the pictures are not
                head, _, rest = sdp.partition("m=video")
                sdp = (head.replace("RTP/AVP", "RTP/SAVP") + audio.line() + "\r\nm=video" + rest)
            a = w.carrier.invite(NUMBER, sdp)
            b = w.alice.called()
            b.reply(200, make_sdp(w.alice.ip, 5000, extra=video(5002)))
            assert line_of(a.expect(200).sdp).port == 0, a.answer
            a.ack()
            b.expect("ACK")
            w.hang_up(a, b)
