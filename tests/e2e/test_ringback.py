"""What a caller hears while it rings, by the key ringback: decoded and measured."""

import os

from rtp import level, share, sine, wav
from sip_message import make_sdp
from world import RING_ALICE, World

NUMBER = "+4930555100"
PROMPTS = os.path.join(os.path.dirname(__file__), "..", "..", "conf", "prompts")
FILE = {"tone.wav": wav(sine(700, 3.0))}
EARLY = "play = short.wav\n"
SHORT = {"short.wav": wav(sine(900, 0.3)), **FILE}


def ringing(w, codecs=("PCMA",)):
    """The call rings for a caller who already has early media: an announcement came first."""
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port, codecs))
    a.rtp = media
    early = a.expect(183)
    media.remote = early.sdp.audio.address
    b = w.alice.called()
    b.reply(180)
    return a, b


def end(a, b):
    b.reply(486)
    b.expect("ACK")
    while a.expect_any().status < 400:
        pass


def heard(a, seconds=1.0, codec="PCMA"):
    """The samples of the next seconds, a moment left out."""
    since = len(a.rtp.packets) + 10
    a.rtp.wait(since + round(seconds * 50), seconds + 2)
    return a.rtp.audio(codec, since=since)


def test_auto_is_a_ringing_tone_once_there_is_early_media():
    with open(f"{PROMPTS}/ringback.wav", "rb") as file:
        tone = {"ringback.wav": file.read()}
    with World(routes=RING_ALICE + EARLY, prompts={**SHORT, **tone}) as w:
        a, b = ringing(w)
        sound = heard(a, 0.6)
        assert share(sound, 425) > 0.8 and level(sound) > 300, (share(sound, 425), level(sound))
        end(a, b)


def test_auto_is_left_to_the_phone_when_there_is_none():
    with World(routes=RING_ALICE) as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        b.reply(180)
        assert a.expect(180).body == b""
        assert media.wait(1, 0.4) == 0, "RTP before any early media was told of"
        end(a, b)


def test_none_is_silence():
    with World(routes=RING_ALICE + EARLY + "ringback = none\n", prompts=SHORT) as w:
        a, b = ringing(w)
        since = len(a.rtp.packets) + 10
        a.rtp.wait(since + 25, 1.0)
        sound = a.rtp.audio("PCMA", since=since)
        assert not sound or level(sound) < 40, level(sound)
        end(a, b)


def test_a_file_is_heard_in_a_loop_and_in_the_callers_codec():
    with World(routes=RING_ALICE + EARLY + "ringback = short.wav\n", prompts=SHORT) as w:
        a, b = ringing(w, ("PCMU",))
        sound = heard(a, 1.0, "PCMU")
        assert share(sound, 900) > 0.7 and level(sound) > 1000, (share(sound, 900), level(sound))
        end(a, b)


def test_it_ends_where_the_callees_own_early_media_begins():
    with World(routes=RING_ALICE + "ringback = tone.wav\n", prompts=FILE) as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        a.rtp = media
        b = w.alice.called()
        b.reply(180)
        media.remote = a.expect(183).sdp.audio.address
        assert share(heard(a, 0.4), 700) > 0.8
        b.rtp = w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        b.reply(183, make_sdp(w.alice.ip, b.rtp.port))
        since = len(media.packets) + 5
        b.rtp.tone(440, 0.6)
        assert media.heard(440, since=since) > 0.8, media.heard(440, since=since)
        end(a, b)
