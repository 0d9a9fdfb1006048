"""Who guesses passwords is turned away: for how long, who is spared, and what an operator can do."""

import sqlite3

from harness import run_twinleg
from sip_message import make_sdp
from world import World, wait_until

QUICK = "ban-failures = 3\nban-window = 1h\nban-time = 1s\n"
LONG = "ban-failures = 3\nban-window = 1h\nban-time = 1h\n"


def guess(phone, times=3):
    return [phone.register(password="wrong").status for _ in range(times)]


def is_silent(phone, seconds=0.4):
    """It gets no answer to a request that everybody else would get one for."""
    dialog = phone.dialog("REGISTER", "sip:pbx.test", "", [("Contact", phone.contact)])
    try:
        dialog.expect_any(seconds)
    except AssertionError:
        return True
    return False


def bans(w):
    return {ban["source"]: ban for ban in w.gateway.control("bans")}


def stored(w):
    with sqlite3.connect(f"{w.dir}/state/twinleg.db", timeout=5) as db:
        return db.execute("SELECT * FROM bans").fetchall()


def test_a_guesser_is_turned_away_and_the_time_doubles():
    with World(gateway=QUICK, routes="", register=("1001",)) as w:
        guesser = w.phone("1002", 66, register=False)
        lengths = []
        for _ in range(3):
            wait_until(lambda: guesser.ip not in bans(w), what="the end of the ban")
            assert set(guess(guesser)) <= {401, 403}
            lengths.append(bans(w)[guesser.ip]["ends_in_s"])
            assert is_silent(guesser, 0.2)
            assert w.alice.register().status == 200, "others are not concerned"
        assert lengths == [1, 2, 4], lengths
        assert w.gateway.log().count("banned src=") == 3, w.gateway.tail()


def test_a_ban_survives_a_restart_and_is_lifted_by_hand():
    with World(gateway=LONG, routes="", register=()) as w:
        guesser = w.phone("1002", 66, register=False)
        guess(guesser)
        wait_until(lambda: stored(w), what="the ban in the database")
        w.gateway.kill()
        w.start()
        ban = bans(w)[guesser.ip]
        assert ban["times"] == 1 and 3500 < ban["ends_in_s"] <= 3600, ban
        assert is_silent(guesser)
        status, text = w.gateway.verb("bans")
        assert status == 0 and guesser.ip in text, text
        assert w.gateway.verb("unban", "not-an-address")[0] == 1
        assert w.gateway.verb("unban", "192.0.2.1")[0] == 1
        status, text = w.gateway.verb("unban", guesser.ip)
        assert status == 0 and "unbanned" in text, text
        assert guesser.register().status == 200 and not bans(w)
        wait_until(lambda: not stored(w), what="the ban's end in the database")
        w.gateway.kill()
        w.start()
        assert not bans(w), "lifted for good"


def test_a_telephone_beside_a_guesser_stays_welcome():
    with World(gateway=QUICK, register=("1001",)) as w:
        guesser = w.phone("1002", 11, register=False)  # another port of Alice's address
        for _ in range(2):
            wait_until(lambda: guesser.ip not in bans(w), what="the end of the ban")
            guess(guesser)
            assert bans(w)[guesser.ip]["ends_in_s"] == 1, "no ban doubles beside honest telephones"
            assert is_silent(guesser, 0.2)
            assert w.alice.register().status == 200
        a, b = w.talk(w.carrier, "+4930555100", w.alice)
        w.hang_up(a, b)


def test_a_telephone_that_begins_to_guess_is_no_friend():
    with World(gateway=LONG, routes="", register=("1001",)) as w:
        guess(w.alice)
        assert is_silent(w.alice)


def test_nobody_can_have_another_one_banned():
    """Failures count only with a nonce that was sent to the address that they come from."""
    with World(gateway=LONG, routes="", register=()) as w:
        mallory = w.phone("1002", 66, register=False)
        victim = w.phone("1001", 11, register=False)
        forged = ('Digest username="1001", realm="pbx.test", nonce="{}", uri="sip:pbx.test", '
                  'response="00000000000000000000000000000000", algorithm=MD5')
        nonce = mallory.register(password="wrong").get("WWW-Authenticate").split('nonce="')[1]
        for value in (nonce.split('"')[0], "0123"):  # Mallory's own nonce, and none of ours
            for _ in range(5):
                victim.register(headers=[("Authorization", forged.format(value))], password="x")
        assert victim.ip not in bans(w), bans(w)


def test_trunks_and_those_named_are_never_banned():
    with World(gateway=LONG, routes="") as w:
        w.write_config(w.config().replace(LONG, f"{LONG}ban-never = {w.net}.66/32\n"))
        assert w.gateway.verb("reload")[0] == 0
        for last in (2, 66):
            phone = w.phone("1001", last, register=False)
            guess(phone, 5)
            assert phone.register().status == 200
        assert not bans(w)


def test_no_ban_with_a_limit_of_0():
    with World(gateway="ban-failures = 0", routes="", register=()) as w:
        phone = w.phone("1001", 11, register=False)
        guess(phone, 12)
        assert phone.register().status == 200 and not bans(w)


def test_wrong_passwords_of_calls_count_too():
    with World(gateway=LONG, routes="", register=("1002",)) as w:
        guesser = w.phone("1001", 66, register=False)
        for _ in range(3):
            a = guesser.invite("1002", make_sdp(guesser.ip, 4000), authenticate=False)
            a.authenticate(a.expect(407), make_sdp(guesser.ip, 4000), password="wrong")
            assert a.expect_any().status in (403, 407)
        assert guesser.ip in bans(w)


def test_mistakes_in_the_keys_are_told():
    with World(routes="", register=(), agents=False) as w:
        text = w.config().replace("domain = pbx.test",
                                  "domain = pbx.test\nban-time = 2h\nban-max = 1h\n"
                                  "digest = sha1\nservice-route = sip:x\n")
        w.write_config(text)
        status, said = run_twinleg("check", w.config_path)
        assert status == 1, said
        for key in ("ban-time", "digest", "service-route"):
            assert key in said, said
