"""What carriers send that telephones do not: bodies of several parts, numbers with punctuation, tel
URIs, calls that expire."""

from sip_message import make_sdp
from world import World, connect

NUMBER = "+4930555100"
MIXED = ("Content-Type", 'multipart/mixed;boundary="cut here"')
LOCATION = ("Content-Type: application/pidf+xml\r\nContent-ID: <where@carrier.test>\r\n\r\n"
            "<presence xmlns='urn:ietf:params:xml:ns:pidf'/>\r\n")


def parts(*texts):
    return "preamble\r\n" + "".join(f"--cut here\r\n{text}" for text in texts) + "--cut here--\r\n"


def sdp_part(sdp):
    return f"Content-Type: application/sdp\r\n\r\n{sdp}\r\n"


def isup(handling):
    return ("content-type: application/isup;version=itu-t92+\r\n"
            f"Content-Disposition: signal;handling={handling}\r\n\r\n\x01\x11--cut here\r\n")


def check_sound(a, b):
    tone = a.rtp.tone_start(440, 0.4, "PCMA")
    b.rtp.tone(660, 0.4, "PCMA")
    tone.join()
    assert b.rtp.heard(440, "PCMA") > 0.9
    assert a.rtp.heard(660, "PCMA") > 0.9


def test_a_description_among_other_parts():  # RFC 5621, RFC 6442, RFC 3372
    with World() as w:
        a_rtp = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, parts(LOCATION, isup("optional"),
                                           sdp_part(make_sdp(w.carrier.ip, a_rtp.port))), [MIXED])
        b = w.alice.called()
        assert "multipart/mixed" in b.invite.get("Accept"), b.invite
        a.rtp, b.rtp = a_rtp, w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        ok = connect(a, b, parts(sdp_part(make_sdp(w.alice.ip, b.rtp.port)), isup("optional")),
                     [MIXED])
        assert ok.get("Content-Type") == "application/sdp", ok
        check_sound(a, b)
        w.hang_up(a, b)


def test_descriptions_in_parts_of_other_kinds():  # RFC 2046 5.1.3, 5.1.4
    with World() as w:
        sdps = [sdp_part(make_sdp(w.carrier.ip, 4000, codecs=(codec,)))
                for codec in ("PCMA", "PCMU")]
        for kind, taken in (("alternative", "PCMU"), ("related", "PCMA"), ("x-other", "PCMA")):
            kind = ("Content-Type", f'multipart/{kind};type="application/sdp";boundary="cut here"')
            a = w.carrier.invite(NUMBER, parts(*sdps, LOCATION), [kind])
            b = w.alice.called()
            b.reply(200, make_sdp(w.alice.ip, 5000))
            assert a.expect(200).sdp.audio.codecs() == [taken]
            a.ack()
            b.expect("ACK")
            w.hang_up(a, b)


def test_parts_that_must_be_understood_and_bodies_that_need_not():
    with World() as w:
        sdp = sdp_part(make_sdp(w.carrier.ip, 4000))
        for body, headers in ((parts(sdp, isup("required")), [MIXED]),
                              (parts(sdp), [("Content-Type", "multipart/mixed")]),
                              (parts(sdp), [MIXED, ("Content-Encoding", "gzip")]),
                              ("hello", [("Content-Type", "text/plain")])):
            refused = w.carrier.invite(NUMBER, body, headers).expect(415)
            assert "multipart/mixed" in refused.get("Accept"), refused
        for body, headers in ((parts(LOCATION), [MIXED]), (parts(), [MIXED]),
                              ("hello", [("Content-Type", "text/plain"), ("Content-Disposition",
                                                                         "render;handling=optional")])):
            a = w.carrier.invite(NUMBER, body, headers)  # the same as no offer
            b = w.alice.called()
            b.reply(200, make_sdp(w.alice.ip, 5000))
            assert a.expect(200).sdp
            a.ack(make_sdp(w.carrier.ip, 4000))
            b.expect("ACK")
            w.hang_up(a, b)


def test_parts_pass_nothing_but_the_description_where_media_is_direct():
    with World(routes="[route in]\nfrom = trunk:carrier\nring = 1001\nmedia = direct\n") as w:
        offer = make_sdp(w.carrier.ip, 4000, extra=["a=x-own:1"])
        a = w.carrier.invite(NUMBER, parts(sdp_part(offer), LOCATION), [MIXED])
        b = w.alice.called()
        assert b.invite.get("Content-Type") == "application/sdp"
        assert b.invite.body.decode().split("\r\n")[2:] == offer.split("\r\n")[2:], b.invite
        b.reply(486)
        b.expect("ACK")
        a.expect(486)


def ring(w, uri):
    """An INVITE with this Request-URI, sent to the gateway whatever it names."""
    agent = w.carrier
    a = agent.dialog("OPTIONS", agent.uri(""))
    a.expect(200)
    a.remote_target = uri
    hop = f"<sip:{w.address[0]}:{w.address[1]};lr>"
    a.route_set, a.remote = [hop], f"<{uri}>"
    a.request("INVITE", make_sdp(agent.ip, 4000))
    return a


def test_numbers_as_they_are_written():  # RFC 3966 5.1.1, RFC 3261 19.1.6
    with World() as w:
        for uri in ("tel:+4930555100", "tel:+49-(30)-555.100;phone-context=example.net",
                    "tel:+4930555100;npdi;rn=+4930199",
                    f"sip:+49-30-555-100@{w.ip};user=phone", f"sip:%2B4930555100@{w.ip}",
                    f"sip:+4930555100;npdi;rn=+4930199@{w.ip};transport=udp;USER=Phone"):
            a = ring(w, uri)
            b = w.alice.called()
            b.reply(486)
            b.expect("ACK")
            a.expect(486)
        for uri in (f"sip:+49-30-555-100@{w.ip}", f"sip:+49-30-x55-100@{w.ip};user=phone",
                    f"sip:+4930555100-@{w.ip};user=ip"):
            ring(w, uri).expect(404)  # names, where punctuation counts


def test_an_invite_expires():  # RFC 3261 13.3.1
    with World() as w:
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000), [("Expires", "1")])
        b = w.alice.called()
        b.reply(180)
        a.expect(180)
        a.expect(487)
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000), [("Expires", "1")])
        b = w.alice.called()
        connect(a, b, make_sdp(w.alice.ip, 5000))
        a.expect_nothing(1.2)  # an answered call goes on
        w.hang_up(a, b)
