"""A carrier that has no address of its own calls with a name and a password."""

from sip_message import make_sdp
from world import RING_ALICE, World

NUMBER = "+4930555100"
KEYS = "allow-user = carrier7\nallow-password = carrier-secret\n"


def roaming(w, user="carrier7", password="carrier-secret"):
    return w.agent(99, user, password=password, domain="pbx.test")


def test_a_trunk_calls_by_digest_from_any_address():
    with World(RING_ALICE, carrier=KEYS) as w:
        caller = roaming(w)
        a, b = w.talk(caller, NUMBER, w.alice)
        assert "< 407" in a.ladder, a.ladder
        a.rtp.tone(440, 0.3)
        assert b.rtp.heard(440) > 0.9
        call, = w.gateway.control("calls")
        assert call["source"] == "trunk:carrier", call
        w.hang_up(a, b)


def test_a_wrong_password_or_name_is_nobody():
    with World(RING_ALICE, carrier=KEYS) as w:
        for user, password in (("carrier7", "wrong"), ("carrier8", "carrier-secret")):
            caller = roaming(w, user, password)
            media = w.rtp(caller)
            a = caller.invite(NUMBER, make_sdp(caller.ip, media.port))
            assert a.expect_any().status in (403, 407), a.ladder
            w.alice.expect_no_call(0.2)


def test_a_trunks_name_registers_nothing():
    with World(RING_ALICE, carrier=KEYS) as w:
        answer = roaming(w).register()
        assert answer.status in (401, 403, 404), answer
