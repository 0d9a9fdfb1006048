"""Routes as a telephone that we did not write meets them: linphonec dials out with its number
rewritten, and follows a redirection of ours to somebody else."""

from sip_message import make_sdp, uri_of, user_of
from test_registration_peers import Linphone, registrations
from world import World, wait_until

ROUTES = """
[route out]
from = extension:1001
to = 0(X.)
number = +49$1
caller = +4930555100
caller-name = Example Ltd
add-header X-Desk = $0
ring = trunk:carrier
[route away]
from = extension
to = 9(X.)
redirect = sip:$1@{net}.1
[route there]
from = extension
to = 712
ring = trunk:backup
"""


def registered(w):
    wait_until(lambda: registrations(w), 15, "linphone's registration")


def test_linphone_dials_out():
    with World(routes=ROUTES, register=()) as w, Linphone(w, "udp") as linphone:
        registered(w)
        linphone.say(f"call sip:030123@{w.ip}")
        b = w.carrier.called(10)
        assert user_of(b.invite.uri) == "+4930123", b.invite
        assert user_of(uri_of(b.invite.get("From"))) == "+4930555100", b.invite
        assert "Example Ltd" in b.invite.get("From"), b.invite
        assert b.invite.get("X-Desk") == "030123", b.invite
        b.reply(180)
        b.reply(200, make_sdp(w.carrier.ip, w.rtp(w.carrier).port))
        b.expect("ACK")
        b.request("BYE")
        b.expect(200)


def test_linphone_follows_a_redirection():
    with World(routes=ROUTES, register=()) as w, Linphone(w, "udp") as linphone:
        registered(w)
        linphone.say(f"call sip:9712@{w.ip}")
        b = w.backup.called(10)
        assert user_of(b.invite.uri) == "712", b.invite
        assert "status=302" in w.gateway.log(), "it was to call anew, by itself"
        b.reply(486)
        b.expect("ACK")
