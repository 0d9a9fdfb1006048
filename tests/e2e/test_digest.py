"""Passwords are proved: algorithms, nonces that are stale or used, and nothing told to guessers."""

import hashlib
import re
import statistics
import time

from sip import Dialog
from sip_message import challenge_of, credentials, make_sdp
from world import World

ONLY_REGISTRAR = {"routes": "", "register": ()}
URI = "sip:pbx.test"
ROUNDS = 5


def ask(phone, user="1001", method="REGISTER"):
    """A dialog whose first request has been challenged, and the challenge."""
    dialog = Dialog(phone, role="uac", local=f"<sip:{user}@pbx.test>")
    dialog.remote, dialog.remote_target = f"<sip:{user}@pbx.test>", URI
    phone.dialogs[dialog.call_id] = dialog
    dialog.request(method, "", HEADERS(phone))
    return dialog, dialog.expect(401)


def HEADERS(phone):
    return [("Contact", phone.contact), ("Expires", 600)]


def answer(dialog, value):
    """What the gateway says to an Authorization."""
    dialog.request("REGISTER", "", [("Authorization", value), *HEADERS(dialog.agent)])
    return dialog.expect_any()


def prove(dialog, challenge, count=1, user="1001", password="secret1001"):
    return answer(dialog, credentials(challenge, "REGISTER", URI, user, password, count))


def challenges(response):
    """Whole headers: they hold commas."""
    return [value for name, value in response.headers if name == "WWW-Authenticate"]


def test_md5_alone_is_offered_unless_told_otherwise():
    with World(**ONLY_REGISTRAR) as w:
        dialog, refused = ask(w.phone("1001", 11, register=False))
        (challenge,) = challenges(refused)
        c = challenge_of(challenge)
        assert c["algorithm"] == "MD5" and c["qop"] == "auth" and "stale" not in c, challenge
        assert prove(dialog, challenge).status == 200


def test_sha256_first_when_both_are_offered():  # RFC 8760 2.2
    with World(gateway="digest = both", **ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        for at in (0, 1):  # a client may take either
            dialog, refused = ask(phone)
            offered = challenges(refused)
            names = [challenge_of(o)["algorithm"] for o in offered]
            assert names == ["SHA-256", "MD5"], offered
            assert prove(dialog, offered[at]).status == 200, offered[at]


def test_sha256_alone_cannot_be_talked_down():
    with World(gateway="digest = sha256", **ONLY_REGISTRAR) as w:
        dialog, refused = ask(w.phone("1001", 11, register=False))
        (challenge,) = challenges(refused)
        weaker = challenge.replace("SHA-256", "MD5")
        again = prove(dialog, weaker)
        assert again.status == 401, again
        assert prove(dialog, challenges(again)[0]).status == 200


def test_a_hash_instead_of_the_password():
    ha1 = hashlib.md5(b"1001:pbx.test:hidden").hexdigest()
    with World(extensions={}, routes=f"[extension 1001]\nha1 = {ha1}\n", register=()) as w:
        phone = w.phone("1001", 11, register=False)
        assert phone.register(password="wrong").status in (401, 403)
        assert phone.register(password="hidden").status == 200
        text = w.gateway.log()
        assert ha1 not in text and "hidden" not in text, "a secret in the log"


def test_a_hash_by_sha256():
    ha1 = hashlib.md5(b"1001:pbx.test:hidden").hexdigest()
    sha256 = hashlib.sha256(b"1001:pbx.test:hidden").hexdigest()
    for digest, keys in (("sha256", f"ha1-sha256 = {sha256}\n"),
                         ("both", f"ha1-sha256 = {sha256}\nha1 = {ha1}\n")):
        with World(extensions={}, routes=f"[extension 1001]\n{keys}", register=(),
                   gateway=f"digest = {digest}") as w:
            phone = w.phone("1001", 11, register=False)
            for at in range(2 if digest == "both" else 1):
                dialog, refused = ask(phone)
                offered = challenges(refused)[at]
                assert prove(dialog, offered, password="hidden").status == 200, offered
                dialog, refused = ask(phone)
                assert prove(dialog, challenges(refused)[at], password="wrong").status != 200
            assert sha256 not in w.gateway.log()


def test_what_was_not_offered_is_asked_for_anew():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        for was, made in (("MD5", "MD5-sess"), ("MD5", "SHA-512-256"), ("qop=auth", "qop=auth-int")):
            dialog, refused = ask(phone)
            value = credentials(challenges(refused)[0], "REGISTER", URI, "1001", "secret1001")
            again = answer(dialog, value.replace(was, made))
            assert again.status == 401 and "stale" not in str(again), again
            assert prove(dialog, challenges(again)[0]).status == 200, "and then it is let in"


def test_an_authorization_works_once():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        dialog, refused = ask(phone)
        value = credentials(challenges(refused)[0], "REGISTER", URI, "1001", "secret1001")
        assert answer(dialog, value).status == 200
        replayed = answer(dialog, value)
        assert replayed.status == 401, replayed
        fresh = challenge_of(challenges(replayed)[0])
        assert fresh["stale"] == "true" and fresh["nonce"] not in value, replayed
        assert phone.register(expires=None).all("Contact"), "and what was there stays"


def test_a_nonce_may_be_used_again_with_a_higher_count():
    with World(**ONLY_REGISTRAR) as w:
        dialog, refused = ask(w.phone("1001", 11, register=False))
        (challenge,) = challenges(refused)
        for count, status in ((1, 200), (2, 200), (5, 200), (4, 401), (5, 401), (6, 200)):
            got = prove(dialog, challenge, count)
            assert got.status == status, (count, got)


def test_an_authorization_of_another_place_is_stale_there():
    with World(**ONLY_REGISTRAR) as w:
        _, refused = ask(w.phone("1001", 11, register=False))
        thief, _ = ask(w.phone("1001", 66, register=False))
        stolen = prove(thief, challenges(refused)[0])
        assert stolen.status == 401 and "stale=true" in challenges(stolen)[0], stolen


def test_an_authorization_for_another_method_or_number_is_wrong():
    with World(routes="", register=()) as w:
        phone = w.phone("1001", 11, register=False)
        for method, uri in (("INVITE", URI), ("REGISTER", "sip:elsewhere.test")):
            dialog, refused = ask(phone)
            value = credentials(challenges(refused)[0], method, uri, "1001", "secret1001")
            got = answer(dialog, value)
            assert got.status in (401, 403), (method, uri, got)
            assert "stale" not in str(got), got


def test_one_realm_for_registrations_and_calls():
    with World(routes="") as w:
        a = w.alice.invite("1002", make_sdp(w.alice.ip, 4000), authenticate=False)
        challenge = a.expect(407).get("Proxy-Authenticate")
        assert challenge_of(challenge)["realm"] == "pbx.test", challenge


def plain(response, user):
    """A response without what chance or the request put into it."""
    text = str(response).replace(user, "USER")
    for chance in (r'nonce="[^"]*"', r"tag=\S*", r"branch=[^;\s]*", r"Call-ID: .*", r"CSeq: .*",
                   r"Date: .*", r"rport=\d+", r"127\.[\d.]+(:\d+)?"):
        text = re.sub(chance, "-", text)
    return text


def test_a_guesser_learns_nothing_of_users_and_passwords():
    with World(**ONLY_REGISTRAR) as w:
        seen = []
        for last, user, proves_as in ((21, "1001", "1001"), (22, "4711", "4711")):
            phone = w.phone("1001", last, register=False)
            steps = []
            for _ in range(5):
                dialog, refused = ask(phone, user)
                got = prove(dialog, challenges(refused)[0], user=proves_as, password="guess")
                steps += [plain(refused, user), plain(got, user)]
            seen.append(steps)
        assert seen[0] == seen[1], "wrong password and wrong user differ"
        assert seen[0][-1].startswith("SIP/2.0 403"), seen[0][-1]


def test_the_time_of_an_answer_tells_nothing():
    """A wrong password takes as long as a user that isn't there, and one with a hash."""
    hashed = hashlib.md5(b"1002:pbx.test:hidden").hexdigest()
    with World(extensions={"1001": ""}, routes=f"[extension 1002]\nha1 = {hashed}\n", register=(),
               gateway="ban-failures = 0") as w:
        phones = {user: w.phone(user, last, register=False)
                  for user, last in (("1001", 21), ("1002", 22), ("4711", 23))}
        times = {user: [] for user in phones}

        def ask_all():
            for user, phone in phones.items():
                dialog, refused = ask(phone, user)
                value = credentials(challenges(refused)[0], "REGISTER", URI, user, "guess")
                sent = time.monotonic()
                answered = answer(dialog, value)
                times[user].append(answered.at - sent)

        # What else the machine does only adds to the time, sometimes to one of them more than to
        # another: the quicker answers tell, and a difference that is the gateway's own stays.
        for _ in range(ROUNDS):
            for _ in range(60):
                ask_all()
            typical = {user: statistics.quantiles(seen, n=10)[0] for user, seen in times.items()}
            if max(typical.values()) < 1.5 * min(typical.values()):
                return
        raise AssertionError(typical)
