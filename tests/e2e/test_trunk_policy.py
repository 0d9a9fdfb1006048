"""What a trunk wants of calls is said in its section: codecs, form of digits, encryption, session timer."""

from sip_message import make_sdp
from world import World

OUT = """
[route one]
from = extension
to = 01X.
ring = trunk:carrier
[route two]
from = extension
to = 02X.
ring = trunk:backup
"""
ONE = "codecs = PCMU, G722\ndtmf = inband\nsrtp = required\nsession-expires = 600s\n"
TWO = "codecs = PCMA\ndtmf = rtp\nsrtp = off\nsession-expires = 0s\n"


def invited(w, number, trunk):
    """What the trunk gets for a call; it declines."""
    a = w.alice.invite(number, make_sdp(w.alice.ip, 4000))
    b = trunk.incoming()
    invite = b.expect("INVITE")
    b.reply(486)
    a.expect(486)
    return invite, invite.sdp.audio


def test_each_trunk_gets_what_it_wants():
    with World(OUT, carrier=ONE, backup=TWO, gateway="session-expires = 900s",
               register=("1001",)) as w:
        invite, audio = invited(w, "0123", w.carrier)
        assert audio.codecs() == ["PCMU", "G722"], audio.codecs()
        assert audio.payload_type("telephone-event") is None, audio.attributes
        assert audio.proto == "RTP/SAVP", audio.proto
        assert any(a.startswith("crypto:") for a in audio.attributes), audio.attributes
        assert invite.get("Session-Expires").startswith("600"), invite
        invite, audio = invited(w, "0223", w.backup)
        assert audio.codecs() == ["PCMA"], audio.codecs()
        assert audio.payload_type("telephone-event") is not None, audio.attributes
        assert audio.proto == "RTP/AVP", audio.proto
        assert not any(a.startswith("crypto:") for a in audio.attributes), audio.attributes
        assert invite.get("Session-Expires") is None, invite
