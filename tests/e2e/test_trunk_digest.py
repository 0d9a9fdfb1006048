"""A carrier that has no address of its own calls with a name and a password."""

import hashlib

from sip_message import challenge_of, make_sdp
from world import RING_ALICE, World, connect

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


def test_a_trunk_calls_from_the_addresses_that_are_allowed():
    with World(RING_ALICE, agents=False, register=("1001",)) as w:
        text = w.config().replace(f"allow = {w.net}.2\n", f"allow = {w.net}.64/26, {w.net}.9\n", 1)
        w.write_config(text)
        assert w.gateway.verb("reload")[0] == 0
        for last, known in ((64, True), (127, True), (9, True), (63, False), (2, False)):
            caller = w.agent(last, "+4917011122")
            a = caller.invite(NUMBER, make_sdp(caller.ip, 4000))
            if not known:
                a.expect(407)
                continue
            b = w.alice.called()
            b.reply(486)
            a.expect(486)


OUT = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
ACCOUNT = "user = 4930555100\npassword = out-secret\n"


def call_out(w):
    """Alice calls by the trunk; what comes there."""
    media = w.rtp(w.alice)
    a = w.alice.invite("0123", make_sdp(w.alice.ip, media.port))
    b = w.carrier.incoming()
    return a, b, b.expect("INVITE")


def challenge(b, invite, status=407, nonce="n1", algorithm="MD5", more="", qop="auth"):
    name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
    b.reply(status, headers=[(name, f'Digest realm="carrier", nonce="{nonce}", qop="{qop}", '
                                    f'opaque="of theirs", algorithm={algorithm}{more}')], to=invite)
    b.expect("ACK")


def check_proof(invite, status, nonce, algorithm, qop="auth"):
    """RFC 7616 3.4.1 to 3.4.3, worked out here."""
    said = challenge_of(invite.get("Proxy-Authorization" if status == 407 else "Authorization"))
    digest = hashlib.sha256 if algorithm.startswith("SHA-256") else hashlib.md5

    def h(*parts):
        return digest(":".join(parts).encode()).hexdigest()
    assert (said["username"], said["nonce"], said["uri"]) == ("4930555100", nonce, invite.uri), said
    a1, a2 = h("4930555100", "carrier", "out-secret"), ("INVITE", said["uri"])
    if algorithm.endswith("-sess"):
        a1 = h(a1, nonce, said["cnonce"])
    if qop == "auth-int":
        a2 = (*a2, digest(invite.body).hexdigest())
    assert said["qop"] == qop and said.get("opaque") == "of theirs", said
    assert said["response"] == h(a1, nonce, said["nc"], said["cnonce"], qop, h(*a2)), said


def meets(status, algorithm, offered="auth", qop="auth"):
    with World(OUT, carrier=ACCOUNT) as w:
        a, b, invite = call_out(w)
        assert f"@{w.carrier.ip}>" in invite.get("From"), "an account is of its carrier's domain"
        challenge(b, invite, status, algorithm=algorithm, qop=offered)
        again = b.expect("INVITE")
        check_proof(again, status, "n1", algorithm, qop)
        connect(a, b, make_sdp(w.carrier.ip, w.rtp(w.carrier).port), to=again)
        w.hang_up(a, b)


def test_a_trunks_407_is_met():
    meets(407, "MD5")


def test_a_trunks_401_is_met():
    meets(401, "MD5")


def test_a_trunks_sha256_is_met():
    meets(407, "SHA-256")


def test_the_body_is_covered_where_a_trunk_wants_that_alone():
    meets(407, "MD5", "auth-int", "auth-int")
    meets(407, "SHA-256", "auth,auth-int")


def test_a_trunks_session_form_is_met():
    meets(401, "MD5-sess")
    meets(407, "SHA-256-sess", "auth-int", "auth-int")


def test_a_stale_nonce_is_met_once_more():
    with World(OUT, carrier=ACCOUNT) as w:
        a, b, invite = call_out(w)
        challenge(b, invite)
        challenge(b, b.expect("INVITE"), nonce="n2", more=", stale=true")
        again = b.expect("INVITE")
        check_proof(again, 407, "n2", "MD5")
        b.reply(486, to=again)
        b.expect("ACK")
        a.expect(486)


def test_a_trunk_that_challenges_for_ever_is_given_up_at_the_second_challenge():
    with World(OUT, carrier=ACCOUNT) as w:
        a, b, invite = call_out(w)
        challenge(b, invite)
        challenge(b, b.expect("INVITE"), nonce="n2")
        assert 400 <= a.expect_any().status < 700, a.ladder
        b.expect_nothing(0.5)
        assert b.ladder.count("< INVITE") == 2, b.ladder
