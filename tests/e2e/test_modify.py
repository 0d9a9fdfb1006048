"""Changes in mid-call: hold, resume, other codecs. Each leg is answered for itself; the other leg's
signalling stays as it is, and what it hears follows."""

from machine import on_time
from rtp import continuity
from sip_message import make_sdp
from test_dtmf import read_tones
from world import RING_ALICE, World, connect, wait_until

NUMBER = "+4930555100"
RECORD_OUT = """
[route out]
from = extension
to = 0X.
strip = 1
ring = trunk:carrier
"""


def reinvite(dialog, **sdp):
    """A re-INVITE that is accepted; its answer's audio."""
    codecs = sdp.pop("codecs", ("PCMA",))
    dialog.version = getattr(dialog, "version", 1) + 1
    dialog.request("INVITE", make_sdp(sdp.pop("ip", dialog.agent.ip), dialog.rtp.port, codecs,
                                      version=dialog.version, **sdp))
    audio = dialog.expect(200).sdp.audio
    dialog.ack()
    return audio


def both_ways(a, b, codec_a="PCMA", codec_b="PCMA", seconds=0.6):
    """What each hears of the other from now on, 0 to 1: (a, b)."""
    since_a, since_b = len(a.rtp.packets), len(b.rtp.packets)
    tone = a.rtp.tone_start(440, seconds, codec_a)
    b.rtp.tone(660, seconds, codec_b)
    tone.join()
    b.rtp.wait(since_b + round(seconds * 40), 1.0)
    return (a.rtp.heard(660, codec_a, since=since_a, skip_ms=150),
            b.rtp.heard(440, codec_b, since=since_b, skip_ms=150))


def check_talks(a, b, codec_a="PCMA", codec_b="PCMA"):
    def check():
        heard = both_ways(a, b, codec_a, codec_b)
        assert min(heard) > 0.9, heard

    on_time(check)


def test_a_phone_that_moves_late_in_a_call():
    # by then its socket hears nobody else than who has spoken so far
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        both_ways(a, b, seconds=2.2)
        before = a.rtp
        a.rtp = w.rtp(w.carrier)
        a.rtp.remote = before.remote
        reinvite(a)
        check_talks(a, b)
        since, moved = len(b.rtp.packets), len(before.packets)
        before.tone(1500, 0.3)
        assert len(b.rtp.packets) - since <= 2, "who has left is still heard"
        assert len(before.packets) == moved, "who has left is still sent to"
        w.hang_up(a, b)


def check_hold(holder_is_caller, direction, answered):
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        holder, held = (a, b) if holder_is_caller else (b, a)
        check_talks(a, b)
        assert reinvite(holder, direction=direction).direction == answered
        held.expect_nothing(0.2)
        since = len(holder.rtp.packets)
        held.rtp.tone(500, 0.3)
        assert len(holder.rtp.packets) - since <= 2, "who holds is still sent to"
        assert reinvite(holder).direction == "sendrecv"
        check_talks(a, b)
        held.expect_nothing(0.1)
        w.hang_up(a, b)


def test_the_caller_holds_and_resumes():
    check_hold(True, "sendonly", "recvonly")


def test_the_caller_holds_with_inactive_and_resumes():
    check_hold(True, "inactive", "inactive")


def test_the_callee_holds_and_resumes():
    check_hold(False, "sendonly", "recvonly")


def test_the_callee_holds_with_inactive_and_resumes():
    check_hold(False, "inactive", "inactive")


def test_music_of_who_holds_is_heard():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(a, direction="sendonly")
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.9, b.rtp.heard(440)
        w.hang_up(a, b)


def test_both_hold_and_resume_one_after_the_other():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(a, direction="sendonly")
        assert reinvite(b, direction="sendonly").direction == "recvonly"
        assert reinvite(a).direction == "sendrecv", "each answer comes from its own offer"
        assert reinvite(b).direction == "sendrecv"
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_resume_without_direction_and_on_another_port():
    # RFC 3264 8.3.1: the media may move with any offer.
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        check_talks(a, b)
        reinvite(a, direction="inactive")
        moved = w.rtp(w.carrier)
        moved.remote, old, a.rtp = a.rtp.remote, a.rtp, moved
        reinvite(a)
        since = len(old.packets)
        check_talks(a, b)
        assert len(old.packets) - since <= 2, "the old port still hears"
        w.hang_up(a, b)


def test_hold_of_a_transcoded_call():
    with World(carrier="codecs = PCMA", extensions={"1001": "codecs = PCMU"},
               register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",))
        check_talks(a, b, "PCMA", "PCMU")
        reinvite(b, codecs=("PCMU",), direction="sendonly")
        reinvite(b, codecs=("PCMU",))
        check_talks(a, b, "PCMA", "PCMU")
        w.hang_up(b, a)


def test_silence_on_hold_does_not_end_the_call():
    for direction in ("inactive", "sendonly"):
        with World(gateway="rtp-timeout = 1s") as w:
            a, b = w.talk(w.carrier, NUMBER, w.alice)
            check_talks(a, b)
            reinvite(a, direction=direction)
            b.expect_nothing(2.5)
            reinvite(a)
            check_talks(a, b)
            w.hang_up(a, b)


def check_silence_after(direction):
    with World(gateway="rtp-timeout = 1s") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        check_talks(a, b)
        reinvite(a, direction=direction)
        b.expect_nothing(2.0)
        reinvite(a)
        b.answer_request("BYE", timeout=4)
        a.answer_request("BYE")


def test_silence_after_a_hold_ends_the_call_again():
    check_silence_after("inactive")


def test_silence_after_a_hold_with_music_ends_the_call_again():
    check_silence_after("sendonly")


def test_the_caller_changes_to_a_codec_that_the_callee_does_not_speak():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        check_talks(a, b)
        assert reinvite(a, codecs=("PCMU",)).codecs() == ["PCMU"]
        b.expect_nothing(0.1)
        check_talks(a, b, "PCMU", "PCMA")
        assert reinvite(a, codecs=("PCMA",)).codecs() == ["PCMA"]
        check_talks(a, b)
        w.hang_up(a, b)


def test_of_what_is_offered_the_codec_of_the_other_leg_is_taken():
    # The caller offered PCMU and PCMA, and PCMA was agreed upon: that is what the callee gets,
    # though the caller named PCMU first.
    with World(extensions={"1001": "codecs = PCMA, PCMU"}, register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, codecs=("PCMU", "PCMA"), answer=("PCMA",))
        assert a.answer.sdp.audio.codecs() == ["PCMA"]
        assert reinvite(b, codecs=("PCMU", "PCMA")).codecs() == ["PCMA"]
        assert reinvite(a, codecs=("PCMU", "PCMA")).codecs() == ["PCMA"]
        check_talks(a, b)
        w.hang_up(a, b)


def test_an_offerless_reinvite_is_offered_what_both_legs_speak_first():
    with World(carrier="codecs = PCMU, PCMA") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(a, direction="sendonly")
        a.request("INVITE")
        offer = a.expect(200).sdp.audio
        assert offer.direction == "sendrecv", "the offer must not keep the hold"
        assert offer.codecs()[0] == "PCMA", offer.codecs()
        a.ack(make_sdp(a.agent.ip, a.rtp.port, version=7))
        check_talks(a, b)
        w.hang_up(a, b)


def test_an_offerless_reinvite_during_the_other_legs_hold_offers_both_ways():
    # RFC 6337 5.3: the offer says what we are able to do, not what somebody else does.
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="sendonly")
        a.request("INVITE")
        offer = a.expect(200).sdp.audio
        assert offer.direction == "sendrecv", offer.direction
        a.ack(make_sdp(a.agent.ip, a.rtp.port, version=2))
        reinvite(b)
        check_talks(a, b)
        w.hang_up(a, b)


def test_an_offerless_reinvite_without_answer_in_the_ack_changes_nothing():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("INVITE")
        a.expect(200)
        a.ack()
        a.expect_nothing(0.3)
        check_talks(a, b)
        reinvite(a)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_payload_type_keeps_its_meaning_in_our_own_later_offer():
    # RFC 3264 8.3.2: no number may come to stand for another codec.
    with World(routes=RING_ALICE, carrier="codecs = iLBC, PCMA",
               extensions={"1001": "codecs = opus, PCMA"}, register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, codecs=("iLBC", "PCMA"), answer=("PCMA",),
                      payload_types={"iLBC": 96}, answer_sdp={"payload_types": {}})
        b.request("INVITE")
        offer = b.expect(200).sdp.audio
        first = b.invite_offer = b.messages[0].sdp.audio
        numbers, later = first.rtpmap(), offer.rtpmap()
        for number in set(numbers) & set(later):
            assert numbers[number] == later[number], (numbers, later)
        b.ack(make_sdp(b.agent.ip, b.rtp.port, version=2))
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_callee_is_never_called_on_hold():
    # The caller's hold stays with the caller: a callee that was offered inactive would have to be
    # told of the resume.
    for direction in ("sendonly", "inactive"):
        with World() as w:
            a, b = w.ring(w.carrier, NUMBER, w.alice, direction=direction)
            assert b.invite.sdp.audio.direction == "sendrecv", b.invite.sdp.audio.direction
            ok = connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
            assert ok.sdp.audio.direction == {"sendonly": "recvonly"}.get(direction, direction)
            reinvite(a)
            check_talks(a, b)
            w.hang_up(a, b)


def test_update_changes_like_a_reinvite():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for version, direction, answered in ((2, "sendonly", "recvonly"), (3, None, "sendrecv")):
            b.request("UPDATE", make_sdp(b.agent.ip, b.rtp.port, direction=direction,
                                         version=version))
            assert b.expect(200).sdp.audio.direction == answered
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_change_overtakes_the_ack_of_the_answer():
    # RFC 5407 3.1.4: the offer and its answer are through, so the next one may come
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, make_sdp(b.agent.ip, b.rtp.port))
        a.rtp.remote = a.expect(200).sdp.audio.address
        b.expect("ACK")
        assert reinvite(a, direction="sendonly").direction == "recvonly"
        a.request("ACK", cseq=1)
        assert reinvite(a).direction == "sendrecv"
        check_talks(a, b)
        a.expect_nothing(0.6)  # each 200 has had its ACK
        w.hang_up(a, b)


def test_a_change_does_not_overtake_an_ack_that_answers():
    # RFC 5407 3.1.5: there is no answer yet to what our 200 has offered
    with World() as w:
        a = w.carrier.invite(NUMBER)
        a.rtp = w.rtp(w.carrier)
        b = w.called(w.alice)
        b.reply(200, make_sdp(b.agent.ip, b.rtp.port))
        a.rtp.remote = a.expect(200).sdp.audio.address
        b.expect("ACK")
        sdp = make_sdp(a.agent.ip, a.rtp.port)
        a.request("INVITE", sdp)
        a.expect(500)
        a.request("ACK", sdp, cseq=1)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_hold_of_a_call_out_by_a_trunk():
    with World(routes=RECORD_OUT) as w:
        a, b = w.talk(w.alice, "0123", w.carrier)
        reinvite(a, direction="sendonly")
        reinvite(a)
        check_talks(a, b)
        w.hang_up(a, b)


def test_one_stream_before_and_after_a_hold():
    # One SSRC, no sequence number twice: else the far jitter buffer starts anew.
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.rtp.tone(440, 0.3)
        reinvite(a, direction="inactive")
        reinvite(a)
        a.rtp.tone(440, 0.3)
        b.rtp.wait(28)
        wrong = continuity(list(b.rtp.packets))
        assert not wrong, wrong
        w.hang_up(a, b)


def test_digits_become_tones_once_a_leg_has_no_telephone_event():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        b.rtp.tone(660, 0.1)
        a.rtp.tone(440, 0.1)
        a.rtp.digit("5", 101)
        wait_until(lambda: b.rtp.digits(101), what="digit")
        b.expect_nothing(0.3)
        assert [digit for digit, _ in b.rtp.digits(101)] == ["5"]
        reinvite(b, events=None)
        count = len(b.rtp.packets)
        a.rtp.tone(440, 0.1)
        a.rtp.digit("7", 101)
        a.rtp.tone(440, 0.3)
        assert read_tones(b.rtp.audio(since=count)) == "7"
        assert len(b.rtp.digits(101)) == 1, "telephone-event without being asked for"
        w.hang_up(a, b)
