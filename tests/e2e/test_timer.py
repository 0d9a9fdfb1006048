"""Session timers, RFC 4028: each leg has its own, whoever asks for it; who is gone is found."""

from sip_message import make_sdp
from test_modify import check_talks, reinvite
from world import World, connect

NUMBER = "+4930555100"
SHORT = "session-expires = 6s\nsession-min = 4s"
ALLOW = ("Allow", "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK")
CAN = ("Supported", "timer")


def talk(w, answer_headers=(), invite_headers=()):
    """A call from the carrier to alice whose INVITE and 200 say this of timers."""
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port), invite_headers)
    a.rtp = media
    b = w.called(w.alice)
    connect(a, b, make_sdp(w.alice.ip, b.rtp.port), answer_headers)
    return a, b


def interval(message):
    value = message.get("Session-Expires")
    return value and value.replace(" ", "")


# --- we call ---

def test_our_invite_asks_for_a_timer_and_leaves_the_choice_to_the_peer():
    with World() as w:
        a, b = talk(w)
        assert interval(b.invite) == "1800", b.invite
        assert "timer" in b.invite.get("Supported"), b.invite
        assert interval(a.answer) is None, "who can't have a timer gets none"
        w.hang_up(a, b)


def test_a_leg_without_a_timer():
    with World(extensions={"1001": "session-expires = 0s"}, register=("1001",)) as w:
        a, b = talk(w)
        assert interval(b.invite) is None, b.invite
        w.hang_up(a, b)


def test_422_is_met_by_asking_for_more_once():
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        b.reply(422, headers=[("Min-SE", "3600")])
        b.expect("ACK")
        again = b.expect("INVITE")
        assert interval(again) == "3600" and again.get("Min-SE") == "3600", again
        b.reply(422, headers=[("Min-SE", "3600")], to=again)
        b.expect("ACK")
        a.expect(500)
        b.expect_nothing(0.2)


def test_we_refresh_by_update_where_the_peer_has_it():
    with World(gateway=SHORT) as w:
        a, b = talk(w, [ALLOW, ("Require", "timer"), ("Session-Expires", "6;refresher=uac")])
        for _ in range(2):
            update = b.expect("UPDATE", 4.5)
            assert not update.body and interval(update) == "6;refresher=uac", update
            b.reply(200, headers=[("Session-Expires", "6;refresher=uac")], to=update)
        a.expect_nothing(0.1)
        w.hang_up(a, b)


def test_the_answer_to_a_refresh_may_turn_the_roles():
    with World(gateway=SHORT) as w:
        a, b = talk(w, [ALLOW, ("Session-Expires", "6;refresher=uac")])
        update = b.expect("UPDATE", 4.5)
        b.reply(200, headers=[("Session-Expires", "6;refresher=uas")], to=update)
        b.answer_request("BYE", timeout=6)  # nobody refreshes: it has expired
        a.answer_request("BYE")


def test_we_refresh_by_a_reinvite_that_changes_nothing():
    with World(gateway=SHORT) as w:
        a, b = talk(w, [("Require", "timer"), ("Session-Expires", "6;refresher=uac")])
        b.request("INVITE", make_sdp(w.alice.ip, b.rtp.port, direction="sendonly", version=2),
                  [CAN, ("Session-Expires", "6;refresher=uas")])
        assert interval(b.expect(200)) == "6;refresher=uas"
        b.ack()
        again = b.expect("INVITE", 5)
        assert again.sdp.audio.direction == "recvonly", "the refresh ends the hold"
        assert again.sdp.version == b.answer.sdp.version, "o= has changed, so has the media"
        assert again.sdp.audio.codecs() == b.answer.sdp.audio.codecs()
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port, direction="sendonly", version=2),
                [("Session-Expires", "6;refresher=uas")], to=again)
        b.expect("ACK")
        reinvite(b)
        check_talks(a, b)
        a.expect_nothing(0.1)
        w.hang_up(a, b)


def test_update_that_is_not_known_is_followed_by_a_reinvite():
    with World(gateway=SHORT) as w:
        a, b = talk(w, [ALLOW, ("Session-Expires", "6;refresher=uac")])
        b.answer_request("UPDATE", 491, timeout=4.5)
        b.answer_request("UPDATE", 501, timeout=2)  # not as late as the next refresh
        again = b.expect("INVITE")
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port), to=again)
        b.expect("ACK")
        w.hang_up(a, b)


def test_a_refresh_that_meets_422_asks_for_more():
    with World(gateway=SHORT) as w:
        a, b = talk(w, [ALLOW, ("Session-Expires", "6;refresher=uac")])
        update = b.expect("UPDATE", 4.5)
        b.reply(422, headers=[("Min-SE", "10")], to=update)
        assert interval(b.answer_request("UPDATE")) == "10;refresher=uac"
        w.hang_up(a, b)


def test_a_peer_that_knows_the_call_no_more_ends_it_with_a_reason():
    with World(gateway=SHORT) as w:
        a, b = talk(w, [ALLOW, ("Session-Expires", "6;refresher=uac")])
        b.answer_request("UPDATE", 481, timeout=4.5)
        assert a.answer_request("BYE").get("Reason").startswith("SIP;cause=48")


def test_a_callee_that_stops_refreshing_is_gone_and_the_caller_is_told():
    with World(gateway=SHORT) as w:
        a, b = talk(w, [ALLOW, ("Require", "timer"), ("Session-Expires", "6;refresher=uas")])
        b.request("UPDATE", headers=[CAN, ("Session-Expires", "6;refresher=uac")])
        answer = b.expect(200)
        assert interval(answer) == "6;refresher=uac" and not answer.body, answer
        assert answer.get("Require") == "timer", answer  # RFC 4028 9: it is to refresh
        bye = b.expect("BYE", 6)  # not a word more from b: it is dead
        assert bye.at - answer.at < 6, "RFC 4028 10: before the session expires"
        reason = a.answer_request("BYE").get("Reason")
        assert "408" in reason and "Session Expired" in reason, reason


# --- they call ---

def test_a_caller_that_asks_refreshes_unless_it_wants_us_to():
    for asked, granted in (("1800", "1800;refresher=uac"),
                           ("1800;refresher=uas", "1800;refresher=uas"),
                           ("1800;refresher=uac", "1800;refresher=uac")):
        with World() as w:
            a, b = talk(w, invite_headers=[CAN, ("Session-Expires", asked)])
            assert interval(a.answer) == granted, a.answer
            assert a.answer.get("Require") == ("timer" if "uac" in granted else None), a.answer
            assert interval(b.invite) == "1800", "the other leg's is of no concern to it"
            w.hang_up(a, b)


def test_a_caller_that_could_and_does_not_ask_gets_ours():
    with World() as w:
        a, b = talk(w, invite_headers=[CAN, ("Min-SE", "2000")])
        assert interval(a.answer) == "2000;refresher=uas", a.answer
        w.hang_up(a, b)


def test_too_short_a_timer_is_422_in_an_invite_and_in_an_update():
    with World(gateway="session-min = 120s") as w:
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000),
                             [CAN, ("Session-Expires", "100")])
        assert a.expect(422).get("Min-SE") == "120"
        a, b = talk(w, invite_headers=[CAN, ("Session-Expires", "120")])
        a.request("UPDATE", headers=[CAN, ("Session-Expires", "119")])
        assert a.expect(422).get("Min-SE") == "120"
        a.request("UPDATE", headers=[CAN, ("Session-Expires", "130")])
        assert interval(a.expect(200)) == "130;refresher=uac"
        w.hang_up(a, b)
        # a proxy on the way has asked for one who can't: 422 would be beyond him, and so are refreshes
        a, b = talk(w, invite_headers=[("Session-Expires", "100")])
        assert interval(a.answer) == "120;refresher=uas", a.answer
        w.hang_up(a, b)


def test_a_refused_reinvite_moves_neither_timer_nor_target():
    # RFC 6141 3.1: they change with its 2xx.
    with World(gateway=SHORT) as w:
        a, b = talk(w, invite_headers=[CAN, ("Session-Expires", "30;refresher=uac")])
        elsewhere = w.agent(9, "elsewhere")
        a.request("INVITE", make_sdp(w.carrier.ip, a.rtp.port, codecs=("speex",), version=2),
                  [("Contact", elsewhere.contact), CAN, ("Session-Expires", "4;refresher=uac")])
        a.expect(488)
        a.expect_nothing(4.5)
        b.request("BYE")
        a.answer_request("BYE")
        b.expect(200)
