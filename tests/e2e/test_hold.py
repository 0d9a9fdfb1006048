"""Hold: what the holder is answered, what the other party hears, and what it is told.

Rows of FIELD.md: freeswitch #323 and #779 of livekit (directions), telnyx #565 (a resume that says
nothing), siphon #345 (nobody on the other leg), jambonz #123 (silence after the called party has
resumed). Audio is measured both ways after every step that should leave any.
"""

from rtp import sine, wav
from sip_message import make_sdp
from test_modify import check_talks, reinvite
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
MUSIC_HZ, OTHER_HZ = 850, 1300
MUSIC = {"music.wav": wav(sine(MUSIC_HZ, 2.0)), "other.wav": wav(sine(OTHER_HZ, 2.0))}
ECHO = """
[route echo]
from = trunk:carrier
to = +4930555199
answer = echo
[route says]
from = trunk:carrier
to = +4930555198
play = music.wav
"""


def hears(dialog, hz, seconds=0.8):
    """The share of a tone in what comes in from now on."""
    since = len(dialog.rtp.packets)
    dialog.rtp.wait(since + round(seconds * 50), seconds + 2)
    return dialog.rtp.heard(hz, since=since, skip_ms=100)


def told(dialog, direction, status=200, **sdp):
    """Answers the re-INVITE that is to come with a direction; what it offered."""
    request = dialog.expect("INVITE")
    offer = request.sdp.audio
    if status == 200:
        dialog.version = getattr(dialog, "version", 1) + 1
        dialog.reply(200, make_sdp(dialog.agent.ip, dialog.rtp.port, version=dialog.version,
                                   direction=direction, **sdp), to=request)
    else:
        dialog.reply(status, to=request)
    dialog.expect("ACK")
    return offer.direction


def check_silence(listener, speaker):
    since = len(listener.rtp.packets)
    speaker.rtp.tone(500, 0.3)
    assert len(listener.rtp.packets) - since <= 2, "who holds is still sent to"


# --- the holder's leg ---

def test_the_hold_of_old_by_a_null_address():
    for holder_is_caller in (True, False):
        with World() as w:
            a, b = w.talk(w.carrier, NUMBER, w.alice)
            holder, held = (a, b) if holder_is_caller else (b, a)
            assert reinvite(holder, ip="0.0.0.0").direction == "recvonly"
            check_silence(holder, held)
            assert reinvite(holder).direction == "sendrecv"
            check_talks(a, b)
            w.hang_up(a, b)


def test_directions_follow_the_offer_at_hand_whatever_came_before():
    mirrored = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive",
                None: "sendrecv", "sendrecv": "sendrecv"}
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for direction in ("sendonly", None, "inactive", "recvonly", "sendonly", "inactive",
                          "sendrecv"):
            assert reinvite(a, direction=direction).direction == mirrored[direction], direction
        b.expect_nothing(0.1)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_holder_that_only_listens_hears():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(a, direction="recvonly")
        b.rtp.tone(660, 0.5)
        assert a.rtp.heard(660) > 0.9
        reinvite(a)
        check_talks(a, b)
        w.hang_up(a, b)


def test_hold_by_update_and_resume_by_an_offerless_reinvite():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        b.request("UPDATE", make_sdp(b.agent.ip, b.rtp.port, direction="inactive", version=2))
        assert b.expect(200).sdp.audio.direction == "inactive"
        check_silence(b, a)
        b.request("INVITE")
        assert b.expect(200).sdp.audio.direction == "sendrecv"
        b.ack(make_sdp(b.agent.ip, b.rtp.port, version=3))
        check_talks(a, b)
        w.hang_up(b, a)


# --- music ---

def test_who_is_held_hears_the_music_of_the_gateway_and_then_the_voice():
    for direction in ("sendonly", "inactive"):
        with World(gateway="hold-music = music.wav", prompts=MUSIC) as w:
            a, b = w.talk(w.carrier, NUMBER, w.alice)
            check_talks(a, b)
            reinvite(b, direction=direction)
            assert hears(a, MUSIC_HZ) > 0.9
            check_silence(b, a)
            reinvite(b)
            check_talks(a, b)
            a.expect_nothing(0.1)
            w.hang_up(a, b)


def test_each_holder_has_music_of_its_own():
    with World(gateway="hold-music = music.wav", extensions={"1001": "hold-music = other.wav"},
               register=("1001",), prompts=MUSIC) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="sendonly")
        assert hears(a, OTHER_HZ) > 0.9, "the extension holds"
        reinvite(b)
        reinvite(a, direction="inactive")
        assert hears(b, MUSIC_HZ) > 0.9, "the trunk holds, which has none of its own"
        reinvite(a)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_route_says_which_music_or_none():
    for line, hz in (("other.wav", OTHER_HZ), ("none", 440)):
        with World(routes=f"{RING_ALICE}hold-music = {line}\n", gateway="hold-music = music.wav",
                   prompts=MUSIC) as w:
            a, b = w.talk(w.carrier, NUMBER, w.alice)
            reinvite(a, direction="sendonly")
            tone = a.rtp.tone_start(440, 1.0)
            assert hears(b, hz) > 0.9, line
            tone.join()
            w.hang_up(a, b)


def test_music_in_the_codec_of_who_is_held():
    with World(carrier="codecs = PCMA", extensions={"1001": "codecs = PCMU"},
               register=("1001",), gateway="hold-music = music.wav", prompts=MUSIC) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",))
        reinvite(a, direction="inactive")
        since = len(b.rtp.packets)
        b.rtp.wait(since + 40)
        assert b.rtp.heard(MUSIC_HZ, "PCMU", since=since) > 0.9
        reinvite(a)
        check_talks(a, b, "PCMA", "PCMU")
        w.hang_up(a, b)


# --- the other leg is told, where it is to be ---

def test_a_leg_that_wants_to_know_gets_each_direction():
    for direction, answer in (("sendonly", "recvonly"), ("inactive", "inactive"),
                              ("recvonly", "sendonly")):
        with World(carrier="hold = pass") as w:
            a, b = w.talk(w.carrier, NUMBER, w.alice)
            reinvite(b, direction=direction)
            assert told(a, answer) == direction
            if direction == "recvonly":
                a.rtp.tone(440, 0.4)
                assert b.rtp.heard(440) > 0.9
            else:
                check_silence(b, a)
            reinvite(b)
            assert told(a, None) == "sendrecv"
            check_talks(a, b)
            a.expect_nothing(0.1)
            b.expect_nothing(0.1)
            w.hang_up(a, b)


def test_who_is_told_of_a_hold_still_hears_our_music():
    with World(carrier="hold = pass", gateway="hold-music = music.wav", prompts=MUSIC) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="inactive")
        assert told(a, "recvonly") == "sendonly"
        assert hears(a, MUSIC_HZ) > 0.9
        reinvite(b)
        told(a, None)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_refused_reinvite_of_ours_leaves_the_call_as_it_was():
    # RFC 6141 3.1
    with World(carrier="hold = pass") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="sendonly")
        assert told(a, None, status=488) == "sendonly"
        reinvite(b)
        assert told(a, None, status=488) == "sendrecv"
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_refused_reinvite_of_theirs_leaves_the_call_as_it_was():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port + 2, codecs=("speex",), version=2))
        a.expect(488)
        a.request("INVITE", "v=0\r\nnonsense\r\n")
        a.expect(400)
        a.request("INVITE", "x", [("Content-Type", "text/plain")])
        a.expect(415)
        check_talks(a, b)
        b.expect_nothing(0.1)
        w.hang_up(a, b)


def glare(own_call_id):
    """Meets our re-INVITE with 491; how long until it comes again, in s."""
    # leg a has the caller's Call-ID, leg b ours
    with World(carrier="hold = pass", extensions={"1001": "hold = pass"}, register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        holder, other = (a, b) if own_call_id else (b, a)
        holder.version = 2
        holder.request("INVITE", make_sdp(holder.agent.ip, holder.rtp.port, version=2,
                                          direction="sendonly"))
        holder.expect(200)
        holder.ack()
        ours = other.expect("INVITE")
        other.request("INVITE", make_sdp(other.agent.ip, other.rtp.port, version=2))
        other.expect(491)
        other.reply(491, to=ours)
        other.expect("ACK")
        again = other.expect("INVITE")
        other.reply(200, make_sdp(other.agent.ip, other.rtp.port, version=3,
                                  direction="recvonly"), to=again)
        other.expect("ACK")
        reinvite(holder)
        told(other, None)
        check_talks(a, b)
        w.hang_up(a, b)
        return again.at - ours.at


def test_glare_on_a_leg_whose_call_id_is_ours():
    # RFC 3261 14.1
    waited = glare(True)
    assert 2.0 < waited < 4.6, waited


def test_glare_on_a_leg_whose_call_id_is_the_peers():
    waited = glare(False)
    assert waited < 2.6, waited


def test_glare_without_an_end_is_given_up_and_a_call_that_is_gone():
    with World(carrier="hold = pass", register=("1001",)) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="sendonly")
        for _ in range(5):
            a.reply(491, to=a.expect("INVITE", 4))
            a.expect("ACK")
        a.expect_nothing(2.2)
        w.hang_up(a, b)
        # RFC 3261 12.2.1.2: a peer that knows nothing of the call has none
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="sendonly")
        a.reply(481, to=a.expect("INVITE"))
        a.expect("ACK")
        assert "481" in b.answer_request("BYE").get("Reason")


def test_a_hold_that_meets_the_other_legs_offer_waits_for_its_end():
    with World(carrier="hold = pass") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("INVITE")  # an offerless one is open until its ACK
        a.expect(200)
        reinvite(b, direction="sendonly")
        a.ack(make_sdp(a.agent.ip, a.rtp.port, version=2))
        assert told(a, "recvonly") == "sendonly"
        reinvite(b)
        told(a, None)
        check_talks(a, b)
        w.hang_up(a, b)


# --- nobody on the other leg ---

def one_leg(w, number):
    media = w.rtp(w.carrier)
    a = w.carrier.invite(number, make_sdp(w.carrier.ip, media.port))
    a.rtp = media
    a.rtp.remote = a.expect(200).sdp.audio.address
    a.ack()
    return a


def test_an_echo_call_is_held_and_resumed_by_all_means():
    with World(routes=ECHO, prompts=MUSIC) as w:
        a = one_leg(w, "+4930555199")
        assert reinvite(a, direction="sendonly").direction == "recvonly"
        check_silence(a, a)
        a.request("UPDATE", make_sdp(a.agent.ip, a.rtp.port, version=7))
        assert a.expect(200).sdp.audio.direction == "sendrecv"
        since = len(a.rtp.packets)
        a.rtp.tone(440, 0.5)
        assert a.rtp.heard(440, since=since) > 0.9
        a.request("INVITE")
        assert a.expect(200).sdp.audio.direction == "sendrecv"
        a.ack(make_sdp(a.agent.ip, a.rtp.port, version=8))
        since = len(a.rtp.packets)
        a.rtp.tone(440, 0.5)
        assert a.rtp.heard(440, since=since) > 0.9
        a.bye()


def test_an_announcement_goes_on_after_a_hold():
    with World(routes=ECHO, prompts=MUSIC) as w:
        a = one_leg(w, "+4930555198")
        wait_until(lambda: len(a.rtp.packets) > 20, what="the announcement")
        reinvite(a, direction="sendonly")
        since = len(a.rtp.packets)
        assert reinvite(a, codecs=("PCMU",)).codecs() == ["PCMU"]
        a.rtp.wait(since + 20)
        assert a.rtp.heard(MUSIC_HZ, "PCMU", since=since) > 0.9
        a.answer_request("BYE")
