"""Twinleg as a redirect server for a proxy that we did not write: Kamailio asks, gets 302 with the
bindings from the location lookup, and calls there by itself."""

import shutil

import harness
import test_kamailio
from sip_message import make_sdp, uri_of
from test_kamailio import PROXY, Kamailio, through
from world import World

ROUTES = """
[route where]
from = trunk:backup
to = 1XXX
redirect = extension
[route away]
from = trunk:backup
to = 9(X.)
redirect = sip:$1@{net}.11:{port}
"""
FOLLOW = ('loadmodule "acc.so"\nloadmodule "uac_redirect.so"\n'
          "request_route {{",
          'failure_route[moved] {{\n'
          '\tif (t_check_status("302") && get_redirects("*:1")) t_relay();\n}}\n')


class Follower(Kamailio):
    """It follows what the gateway says."""

    def __init__(self, world):
        plain = test_kamailio.CONFIG
        test_kamailio.CONFIG = plain.replace("request_route {{", FOLLOW[0]).replace(
            "\tt_relay();\n}}\n", '\tt_on_failure("moved");\n\tt_relay();\n}}\n' + FOLLOW[1])
        try:
            super().__init__(world)
        finally:
            test_kamailio.CONFIG = plain


def test_a_proxy_follows_to_where_the_extension_is_registered():
    if not shutil.which("kamailio"):
        raise harness.Skip("kamailio is not installed")
    with World(routes=ROUTES.replace("{port}", "5060"), spare_backup=True) as w, Follower(w):
        media = w.rtp(w.carrier)
        a = through(w, w.carrier).invite("1001", make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        assert b.invite.uri == uri_of(w.alice.contact), b.invite
        assert b.invite.source[0] == f"{w.net}.{PROXY}", "it comes from the proxy, not from us"
        b.rtp = w.rtp(w.alice)
        b.reply(180)
        a.expect(180)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        assert a.expect(200).sdp.audio.address == (w.alice.ip, b.rtp.port)
        a.ack()
        b.expect("ACK")
        w.hang_up(b, a)
        assert not w.gateway.control("calls"), "we are out of it"


def test_who_is_not_there_is_not_redirected_to():
    if not shutil.which("kamailio"):
        raise harness.Skip("kamailio is not installed")
    with World(routes=ROUTES.replace("{port}", "5060"), spare_backup=True,
               register=("1001",)) as w, Follower(w):
        a = through(w, w.carrier).invite("1002", make_sdp(w.carrier.ip, 4000))
        assert a.expect_any().status == 480
