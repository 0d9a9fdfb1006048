"""RFC 3665 section 2, message by message: what each step must and must not say."""

import email.utils
import re

from sip import Dialog
from sip_message import challenge_of, credentials, param, uri_of
from world import World

BARE = {"routes": "", "register": ()}


class Bob:
    """The telephone of RFC 3665 2, one dialog-like Call-ID for all its requests."""

    def __init__(self, w, last=11):
        self.phone = w.phone("1001", last, register=False)
        self.dialog = Dialog(self.phone, role="uac", local="<sip:1001@pbx.test>")
        self.dialog.remote, self.dialog.remote_target = "<sip:1001@pbx.test>", "sip:pbx.test"
        self.phone.dialogs[self.dialog.call_id] = self.dialog
        self.challenge, self.count = None, 0

    def send(self, *headers, password="secret1001"):
        """One REGISTER, with credentials as soon as there has been a challenge; its answer."""
        headers = list(headers)
        if self.challenge:
            self.count += 1
            headers.insert(0, ("Authorization", credentials(
                self.challenge, "REGISTER", "sip:pbx.test", "1001", password, self.count)))
        request = self.dialog.request("REGISTER", "", headers)
        answer = self.dialog.expect_any()
        check_answer(request, answer)
        if answer.status == 401:
            self.challenge, self.count = raw(answer, "WWW-Authenticate")[0], 0
        return answer

    def contact(self, **params):
        return "<" + self.uri() + ">" + "".join(f";{k}={v}" for k, v in params.items())

    def uri(self):
        return f"sip:1001@{self.phone.hostport}"


def raw(message, name):
    return [v for n, v in message.headers if n == name]


def check_answer(request, answer):
    """What RFC 3261 8.2.6 wants of every response."""
    for name in ("From", "Call-ID", "CSeq"):
        assert raw(answer, name) == raw(request, name), (name, answer)
    (via,), (asked,) = raw(answer, "Via"), raw(request, "Via")
    assert via.startswith(asked.split(";rport")[0]), via
    assert re.search(r";rport=\d+", via), "RFC 3581"
    assert raw(answer, "To")[0].startswith(raw(request, "To")[0] + ";tag="), answer
    assert answer.get("Content-Length") == "0" and not answer.body, answer
    for name in ("Authorization", "Record-Route", "Allow-Events"):
        assert not raw(answer, name), answer


def check_challenge(answer):
    assert answer.status == 401 and answer.title == "401", answer
    assert not raw(answer, "Contact") and not raw(answer, "Expires"), "a stranger is told nothing"
    (value,) = raw(answer, "WWW-Authenticate")
    assert value.startswith("Digest ")
    c = challenge_of(value)
    assert c["realm"] == "pbx.test" and c["qop"] == "auth" and c["algorithm"] == "MD5"
    assert re.fullmatch(r"[0-9a-f]{56}", c["nonce"]), c


def check_bindings(answer, *expected):
    """200 with just these (uri, most seconds) in that order, and nothing of the challenge."""
    assert answer.status == 200 and not raw(answer, "WWW-Authenticate"), answer
    assert email.utils.parsedate_to_datetime(answer.get("Date")).tzname() == "UTC", answer
    got = [(uri_of(c), int(param(c, "expires"))) for c in answer.all("Contact")]
    assert [uri for uri, _ in got] == [uri for uri, _ in expected], answer
    for (_, left), (_, most) in zip(got, expected):
        assert most - 5 <= left <= most, answer


def test_2_1_successful_new_registration():
    with World(**BARE) as w:
        bob = Bob(w)
        check_challenge(bob.send(("Contact", bob.contact())))
        check_bindings(bob.send(("Contact", bob.contact()), ("Expires", 3600)), (bob.uri(), 3600))
        assert bob.dialog.ladder == ["> REGISTER", "< 401", "> REGISTER", "< 200"]


def test_2_2_update_of_contact_list():
    second = "sip:1001@192.0.2.77:5070"
    with World(**BARE) as w:
        bob = Bob(w)
        bob.send(("Contact", bob.contact()))
        bob.send(("Contact", bob.contact(expires=3600)))
        answer = bob.send(("Contact", f"<{second}>;expires=1800;q=0.5"))
        check_bindings(answer, (bob.uri(), 3600), (second, 1800))
        assert param(answer.all("Contact")[1], "q") in ("0.5", "0.500"), answer
        # one that isn't a SIP URI is no place that we could call: refused, and nothing changed
        assert bob.send(("Contact", "<mailto:bob@pbx.test>")).status // 100 == 4
        check_bindings(bob.send(), (bob.uri(), 3600), (second, 1800))


def test_2_3_request_for_current_contact_list():
    with World(**BARE) as w:
        bob = Bob(w)
        check_challenge(bob.send())
        check_bindings(bob.send())
        bob.send(("Contact", bob.contact(expires=600)))
        check_bindings(bob.send(), (bob.uri(), 600))
        check_bindings(bob.send(), (bob.uri(), 600))


def test_2_4_cancellation_of_registration():
    with World(**BARE) as w:
        bob = Bob(w)
        check_challenge(bob.send(("Contact", "*"), ("Expires", 0)))
        bob.send(("Contact", bob.contact(expires=600)))
        bob.send(("Contact", "<sip:1001@192.0.2.77>;expires=600"))
        check_bindings(bob.send(("Contact", "*"), ("Expires", 0)))
        check_bindings(bob.send())
        check_bindings(bob.send(("Contact", "*"), ("Expires", 0)))


def test_2_5_unsuccessful_registration():
    with World(**BARE) as w:
        bob = Bob(w)
        check_challenge(bob.send(("Contact", bob.contact())))
        nonce = bob.challenge
        again = bob.send(("Contact", bob.contact()), password="wrong")
        check_challenge(again)
        assert bob.challenge != nonce and "stale" not in bob.challenge, again
        # the client tries on, and is told that it is in vain
        statuses = [bob.send(("Contact", bob.contact()), password="wrong").status
                    for _ in range(3)]
        assert statuses[-1] == 403, statuses
        # until it gives up; nothing has come of it
        assert not w.gateway.control("registrations")
        bob.challenge = None
        bob.send()
        check_bindings(bob.send())


def test_star_stands_alone_and_with_expires_0():  # RFC 3261 10.2.2
    with World(**BARE) as w:
        bob = Bob(w)
        bob.send()
        bob.send(("Contact", bob.contact(expires=600)))
        for headers in ((("Contact", "*"),), (("Contact", "*"), ("Expires", 60)),
                        (("Contact", "*"), ("Contact", bob.contact()), ("Expires", 0)),
                        (("Contact", bob.contact()), ("Contact", "*"), ("Expires", 0))):
            answer = bob.send(*headers)
            assert answer.status == 400, (headers, str(answer))
        check_bindings(bob.send(), (bob.uri(), 600))


def test_expires_default_maximum_and_minimum():  # RFC 3261 10.3 step 7
    keys = "register-min = 60s\nregister-max = 20m\nregister-default = 5m\n"
    with World(gateway=keys, **BARE) as w:
        bob = Bob(w)
        bob.send()
        check_bindings(bob.send(("Contact", bob.contact())), (bob.uri(), 300))
        check_bindings(bob.send(("Contact", bob.contact()), ("Expires", 7200)), (bob.uri(), 1200))
        check_bindings(bob.send(("Contact", bob.contact(expires=90)), ("Expires", 7200)),
                       (bob.uri(), 90))
        answer = bob.send(("Contact", bob.contact(expires=59)))
        assert answer.status == 423 and answer.get("Min-Expires") == "60", str(answer)
        assert not raw(answer, "Contact"), str(answer)
        check_bindings(bob.send(("Contact", bob.contact(expires=60))), (bob.uri(), 60))


def test_a_request_is_done_whole_or_not_at_all():  # RFC 3261 10.3 step 7: atomic
    with World(gateway="register-min = 60s", **BARE) as w:
        bob = Bob(w)
        bob.send()
        bob.send(("Contact", bob.contact(expires=600)))
        for bad in ("<sip:x@192.0.2.9>;expires=10", "<mailto:x@y>", "<sip:x@192.0.2.9>;q=7"):
            answer = bob.send(("Contact", "<sip:new@192.0.2.8>;expires=600"),
                              ("Contact", bob.contact(expires=0)), ("Contact", bad))
            assert 400 <= answer.status < 500, str(answer)
            check_bindings(bob.send(), (bob.uri(), 600))


def test_an_older_request_of_the_same_call_id_changes_nothing():  # RFC 3261 10.3 step 7
    with World(**BARE) as w:
        bob = Bob(w)
        bob.send()
        bob.dialog.cseq = 100
        bob.send(("Contact", bob.contact(expires=600)))
        bob.dialog.cseq = 50
        for headers in ((("Contact", bob.contact(expires=0)),), (("Contact", "*"), ("Expires", 0))):
            answer = bob.send(*headers)
            assert answer.status == 500, str(answer)
        bob.dialog.cseq = 200
        check_bindings(bob.send(), (bob.uri(), 600))


def test_more_contacts_than_allowed_are_refused():
    with World(extensions={"1001": "max-contacts = 2"}, **BARE) as w:
        bob = Bob(w)
        bob.send()
        places = [f"sip:1001@192.0.2.{i}" for i in range(1, 4)]
        for place in places[:2]:
            assert bob.send(("Contact", f"<{place}>;expires=600")).status == 200
        assert bob.send(("Contact", f"<{places[2]}>;expires=600")).status == 403
        check_bindings(bob.send(), *((p, 600) for p in places[:2]))
        # a refresh, and one in place of another, are no more than before
        assert bob.send(("Contact", f"<{places[1]}>;expires=600")).status == 200
        answer = bob.send(("Contact", f"<{places[0]}>;expires=0"),
                          ("Contact", f"<{places[2]}>;expires=600"))
        check_bindings(answer, (places[1], 600), (places[2], 600))
