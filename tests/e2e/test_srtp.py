"""SRTP by SDES: each suite, each wish, plain on one side and encrypted on the other."""

import base64
import os
import time

from machine import on_time
from pylibsrtp import Policy, Session, Error, ffi
from sip_message import make_sdp
from world import RING_ALICE, World, connect, wait_until

NUMBER = "+4930555100"
SUITES = {"AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
          "AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
          "AES_CM_128_HMAC_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
          "AES_CM_128_HMAC_SHA1_32": (Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 30),
          "AES_256_CM_HMAC_SHA1_80": (None, 46), "AES_256_CM_HMAC_SHA1_32": (None, 46)}


def aes_256_cm(policy, tag):
    """What the binding has no name for, RFC 6188: the fields of libsrtp's srtp_crypto_policy_t. With
    reports the tag is always the long one."""
    for part, size in ((policy._policy.rtp, tag), (policy._policy.rtcp, 10)):
        fields = ffi.cast("int *", ffi.addressof(part))
        fields[0], fields[1] = 5, 46  # AES-ICM 256: key and salt
        fields[2], fields[3], fields[4], fields[5] = 3, 20, size, 3  # HMAC-SHA1; both services


class Key:
    """One a=crypto line."""

    def __init__(self, suite="AES_CM_128_HMAC_SHA1_80", tag=1, key=None):
        self.suite, self.tag = suite, tag
        self.key = key or os.urandom(SUITES[suite][1])

    @classmethod
    def read(cls, line):
        tag, suite, inline = line.split(":", 1)[1].split()
        return cls(suite, int(tag), base64.b64decode(inline.split(":", 1)[1]))

    def line(self):
        return f"a=crypto:{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}"

    def session(self, ssrc_type):
        profile = SUITES[self.suite][0]
        if profile:
            return Session(Policy(key=self.key, ssrc_type=ssrc_type, srtp_profile=profile))
        policy = Policy(key=self.key, ssrc_type=ssrc_type)
        aes_256_cm(policy, 10 if self.suite.endswith("80") else 4)
        return Session(policy)


def secure_sdp(agent, rtp, keys, proto="RTP/SAVP", **more):
    text = make_sdp(agent.ip, rtp.port, extra=[key.line() for key in keys], **more)
    return text.replace("RTP/AVP", proto)


def keys_of(sdp):
    return [Key.read(a) for a in sdp.audio.attributes
            if a.startswith("crypto:") and a.split()[1] in SUITES]


def arm(rtp, ours, theirs):
    """From now on rtp speaks with our key, and believes only what theirs opens."""
    out, into = ours.session(Policy.SSRC_ANY_OUTBOUND), theirs.session(Policy.SSRC_ANY_INBOUND)

    def unprotect(data):
        try:
            return into.unprotect(data)
        except Error:
            rtp.refused = getattr(rtp, "refused", 0) + 1
            return None
    rtp.protect, rtp.unprotect, rtp.sessions = out.protect, unprotect, (out, into)


def call(w, sdp, status=200):
    """The carrier calls with an offer; Alice is plain."""
    a = w.carrier.invite(NUMBER, sdp)
    if status != 200:
        a.expect(status)
        return a, None
    b = w.called(w.alice)
    ok = connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
    return a, (b, ok)


def both_hear(a, b):
    on_time(lambda: _hear_each_other(a, b))


def _hear_each_other(a, b):
    since = len(a.rtp.packets), len(b.rtp.packets)
    tone = a.rtp.tone_start(440, 0.4)
    b.rtp.tone(660, 0.4)
    tone.join()
    a.rtp.wait(since[0] + 19)
    b.rtp.wait(since[1] + 19)
    heard = a.rtp.heard(660, since=since[0]), b.rtp.heard(440, since=since[1])
    assert min(heard) > 0.9, heard


def secure_call(w, keys, **more):
    media = w.rtp(w.carrier)
    a, (b, ok) = call(w, secure_sdp(w.carrier, media, keys, **more))
    a.rtp = media
    a.rtp.remote = ok.sdp.audio.address
    answered, = keys_of(ok.sdp)
    ours, = [key for key in keys if key.tag == answered.tag]
    assert ours.suite == answered.suite
    arm(a.rtp, ours, answered)
    return a, b, ok, ours, answered


def try_suite(suite):
    with World() as w:
        a, b, ok, _, _ = secure_call(w, [Key(suite, tag=7)])
        assert ok.sdp.audio.proto == "RTP/SAVP"
        assert b.invite.sdp.audio.proto == "RTP/AVP" and not keys_of(b.invite.sdp)
        both_hear(a, b)
        a.rtp.digit("5", 101)
        wait_until(lambda: b.rtp.digits(101), what="digit")
        assert not getattr(a.rtp, "refused", 0)
        w.hang_up(a, b)


def test_aes_cm_80():
    try_suite("AES_CM_128_HMAC_SHA1_80")


def test_aes_cm_32():
    try_suite("AES_CM_128_HMAC_SHA1_32")


def test_aes_gcm_128():
    try_suite("AEAD_AES_128_GCM")


def test_aes_gcm_256():
    try_suite("AEAD_AES_256_GCM")


def test_aes_cm_256():
    try_suite("AES_256_CM_HMAC_SHA1_80")
    try_suite("AES_256_CM_HMAC_SHA1_32")


def test_the_first_line_that_we_know_is_taken():
    with World() as w:
        keys = [Key("AEAD_AES_256_GCM", 2), Key("AES_CM_128_HMAC_SHA1_80", 1)]
        media = w.rtp(w.carrier)
        sdp = secure_sdp(w.carrier, media, keys).replace(
            "a=crypto:2", "a=crypto:9 F8_128_HMAC_SHA1_80 inline:AAAA\r\na=crypto:2", 1)
        a, (_, ok) = call(w, sdp)
        answered, = keys_of(ok.sdp)
        assert (answered.tag, answered.suite) == (2, "AEAD_AES_256_GCM")
        a.request("BYE")


def test_an_offer_beside_plain_rtp_is_taken_too():
    with World() as w:
        a, b, ok, _, _ = secure_call(w, [Key()], proto="RTP/AVP")
        assert ok.sdp.audio.proto == "RTP/AVP"
        both_hear(a, b)
        w.hang_up(a, b)


def test_a_hold_keeps_keys_and_streams():
    with World() as w:
        a, b, _, ours, theirs = secure_call(w, [Key()])
        both_hear(a, b)
        for direction in ("sendonly", None):
            a.request("INVITE", secure_sdp(w.carrier, a.rtp, [ours], version=2,
                                           direction=direction))
            ok = a.expect(200)
            a.ack()
            answered, = keys_of(ok.sdp)
            assert answered.key == theirs.key, "a new key for a stream that goes on"
        both_hear(a, b)
        assert not getattr(a.rtp, "refused", 0)
        w.hang_up(a, b)


def test_a_new_key_in_a_reinvite():
    with World() as w:
        a, b, _, _, theirs = secure_call(w, [Key()])
        both_hear(a, b)
        fresh = Key()
        a.request("INVITE", secure_sdp(w.carrier, a.rtp, [fresh], version=2))
        ok = a.expect(200)
        a.ack()
        out = fresh.session(Policy.SSRC_ANY_OUTBOUND)
        a.rtp.protect = out.protect
        assert keys_of(ok.sdp)[0].key == theirs.key
        both_hear(a, b)
        w.hang_up(a, b)


def settled(rtp):
    """How many packets have come, once no more do."""
    count = -1
    while count != len(rtp.packets):
        count = len(rtp.packets)
        time.sleep(0.2)
    return count


def test_what_is_not_encrypted_or_by_another_key_is_not_heard():
    with World() as w:
        a, b, _, _, theirs = secure_call(w, [Key()])
        both_hear(a, b)
        count = settled(b.rtp)
        a.rtp.protect = None
        a.rtp.tone(440, 0.2)
        a.rtp.protect = Key().session(Policy.SSRC_ANY_OUTBOUND).protect
        a.rtp.tone(440, 0.2)
        assert len(b.rtp.packets) == count, "forged audio was passed on"
        w.hang_up(a, b)


def test_off_refuses():
    with World(carrier="srtp = off") as w:
        call(w, secure_sdp(w.carrier, w.rtp(w.carrier), [Key()]), 488)


def test_required_refuses_plain():
    with World(carrier="srtp = required") as w:
        call(w, make_sdp(w.carrier.ip, w.rtp(w.carrier).port), 488)


def test_a_key_that_each_packet_names():
    # RFC 4568 6.1: a master key identifier, here one byte of value 1, before the tag
    with World() as w:
        key, media = Key(), w.rtp(w.carrier)
        sdp = secure_sdp(w.carrier, media, [key]).replace(key.line(), key.line() + "|2^31|1:1")
        a, (b, ok) = call(w, sdp)
        a.rtp = media
        media.remote = ok.sdp.audio.address
        answered, = keys_of(ok.sdp)
        arm(media, key, answered)
        protect = media.protect
        media.protect = lambda data: (lambda p: p[:-10] + b"\x01" + p[-10:])(protect(data))
        both_hear(a, b)
        w.hang_up(a, b)


def test_several_keys_of_which_each_packet_names_one():
    # RFC 4568 6.1: then each has an identifier, all of one length; RFC 3711 8.1.1: they take turns
    with World() as w:
        keys, media = [Key(), Key(), Key()], w.rtp(w.carrier)
        line = f"a=crypto:1 {keys[0].suite} " + ";".join(
            f"inline:{base64.b64encode(key.key).decode()}|2^31|{i}:2"
            for i, key in enumerate(keys, 7))
        sdp = secure_sdp(w.carrier, media, keys[:1]).replace(keys[0].line(), line)
        a, (b, ok) = call(w, sdp)
        a.rtp = media
        media.remote = ok.sdp.audio.address
        answered, = keys_of(ok.sdp)
        arm(media, keys[0], answered)
        for i, key in enumerate(keys, 7):
            session = key.session(Policy.SSRC_ANY_OUTBOUND)

            def protect(data, session=session, mki=bytes([0, i])):
                packet = session.protect(data)
                return packet[:-10] + mki + packet[-10:]
            media.protect = protect
            both_hear(a, b)
        w.hang_up(a, b)


def test_a_key_that_cannot_be_used_is_refused():
    def several(*ends):
        return "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " + ";".join(
            f"inline:{fill * 40}{end}" for fill, end in zip("ABCDE", ends))

    with World() as w:
        bad = ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
               "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "|1:4;inline:",
               "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "|2^31|300:1",
               "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "|2^31|1:129",
               "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + " UNENCRYPTED_SRTP",
               several("", ""), several("|1:1", ""), several("|1:1", "|1:1"),
               several("|1:1", "|2:2"), several(*[f"|{i}:1" for i in range(5)]),
               "a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40, "a=crypto:", "a=x:y")
        for line in bad:
            media = w.rtp(w.carrier)
            sdp = make_sdp(w.carrier.ip, media.port, extra=[line]).replace("RTP/AVP", "RTP/SAVP")
            call(w, sdp, 488)


def ring_secure(w):
    """A plain caller; Alice's leg is to be encrypted. Alice's view."""
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
    a.rtp = media
    b = w.called(w.alice)
    return a, b


def test_required_offers_only_encryption_and_each_call_has_keys_of_its_own():
    with World(extensions={"1001": "srtp = required"}, register=("1001",)) as w:
        seen = set()
        for _ in range(2):
            a, b = ring_secure(w)
            assert b.invite.sdp.audio.proto == "RTP/SAVP"
            offered = keys_of(b.invite.sdp)
            assert [key.suite for key in offered][0] == "AEAD_AES_128_GCM"
            assert len({key.key for key in offered}) == len(offered)
            seen |= {key.key for key in offered}
            theirs = next(k for k in offered if k.suite == "AES_CM_128_HMAC_SHA1_80")
            ours = Key(tag=theirs.tag)
            connect(a, b, secure_sdp(w.alice, b.rtp, [ours]))
            arm(b.rtp, ours, theirs)
            both_hear(a, b)
            w.hang_up(a, b)
        assert len(seen) == 2 * len(offered)
        assert "inline:" not in w.gateway.log()


def test_required_ends_with_who_answers_plain():
    with World(extensions={"1001": "srtp = required"}, register=("1001",)) as w:
        a, b = ring_secure(w)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        b.expect("ACK")
        b.answer_request("BYE")
        assert 400 <= a.expect_any().status < 700


def test_offer_leaves_the_choice_to_the_callee():
    with World(extensions={"1001": "srtp = offer"}, register=("1001",)) as w:
        a, b = ring_secure(w)
        assert b.invite.sdp.audio.proto == "RTP/AVP" and keys_of(b.invite.sdp)
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        both_hear(a, b)
        w.hang_up(a, b)


def test_a_route_wants_it_of_both_legs():
    with World(routes=RING_ALICE + "srtp = required\n") as w:
        call(w, make_sdp(w.carrier.ip, w.rtp(w.carrier).port), 488)
        media, key = w.rtp(w.carrier), Key()
        a = w.carrier.invite(NUMBER, secure_sdp(w.carrier, media, [key]))
        b = w.alice.incoming()
        assert b.expect("INVITE").sdp.audio.proto == "RTP/SAVP"
        b.reply(486)
        a.expect(486)
