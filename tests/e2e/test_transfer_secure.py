"""Transfers of encrypted legs: who is moved to another session gets keys of that session."""

from sip_message import make_sdp
from test_srtp import Key, arm, both_hear, keys_of, secure_sdp
from test_transfer import NUMBER, THREE, notified, refer, three


def secure_call(w, caller, number, callee, secure_callee=False):
    """A call whose caller's leg is encrypted, and the callee's if so said; .keys: what was said to
    each of ours."""
    media, key = w.rtp(caller), Key()
    a = caller.invite(number, secure_sdp(caller, media, [key]))
    b = callee.called()
    a.rtp, b.rtp = media, w.rtp(callee)
    b.rtp.remote = b.invite.sdp.audio.address
    b.keys = keys_of(b.invite.sdp)
    if secure_callee:
        theirs = next(k for k in b.keys if k.suite == "AES_CM_128_HMAC_SHA1_80")
        ours = Key(tag=theirs.tag)
        arm(b.rtp, ours, theirs)
        b.reply(200, secure_sdp(callee, b.rtp, [ours]))
    else:
        b.reply(200, make_sdp(callee.ip, b.rtp.port))
    ok = a.expect(200)
    a.rtp.remote = ok.sdp.audio.address
    a.keys = keys_of(ok.sdp)
    arm(a.rtp, key, a.keys[0])
    a.ack()
    b.expect("ACK")
    return a, b


def moved(dialog):
    """Its re-INVITE to another session, accepted with a key of its own; the keys offered."""
    offer = dialog.expect("INVITE")
    assert offer.sdp.audio.proto == "RTP/SAVP", offer
    offered = keys_of(offer.sdp)
    theirs = next(k for k in offered if k.suite == "AES_CM_128_HMAC_SHA1_80")
    ours = Key(tag=theirs.tag)
    arm(dialog.rtp, ours, theirs)
    dialog.rtp.remote = offer.sdp.audio.address
    dialog.reply(200, secure_sdp(dialog.agent, dialog.rtp, [ours], version=2), to=offer)
    dialog.expect("ACK")
    return {key.key for key in offered}


def check_attended(secure_target):
    keys = "srtp = required" if secure_target else ""
    with three(carrier="srtp = required", extensions={**THREE, "1002": keys}) as w:
        a, b1 = secure_call(w, w.carrier, NUMBER, w.alice)
        both_hear(a, b1)
        b2, c = (secure_call(w, w.alice, "1002", w.bob, True) if secure_target else
                 w.talk(w.alice, "1002", w.bob))
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        offered = moved(a)
        assert not offered & {key.key for key in a.keys}, "keys of the session before"
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        both_hear(a, c)
        w.hang_up(a, c)


def test_who_stays_is_encrypted_and_the_target_is_not():
    check_attended(False)


def test_both_are_encrypted():
    check_attended(True)


def test_who_comes_back_has_keys_of_neither_session():
    with three(carrier="srtp = required") as w:
        a, b1 = secure_call(w, w.carrier, NUMBER, w.alice)
        both_hear(a, b1)
        b2, c = w.ring(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        there = moved(a)
        notified(b1, "180")
        c.reply(486)
        c.expect("ACK")
        back = moved(a)
        assert not back & (there | {key.key for key in a.keys}), "used before"
        b2.expect(486)
        notified(b1, "486", "terminated")
        both_hear(a, b1)
        w.hang_up(a, b1)


def test_a_blind_transfer_keeps_the_session_and_its_keys():
    with three(carrier="srtp = required") as w:
        a, b = secure_call(w, w.carrier, NUMBER, w.alice)
        both_hear(a, b)
        refer(b, "1002")
        notified(b, "100")
        c = w.called(w.bob)
        c.reply(200, make_sdp(w.bob.ip, c.rtp.port))
        c.expect("ACK")
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        both_hear(a, c)
        a.expect_nothing(0.1)
        w.hang_up(a, c)
