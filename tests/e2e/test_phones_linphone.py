"""linphonec with codecs that few telephones have, in a call with one of PCMA: what each hears."""

import struct

from listen import timeline, windows
from rtp import decode, sine, wav
from sip_message import make_sdp
from test_registration_peers import Linphone, registrations
from world import World, wait_until

NUMBER = "+4930555100"
HZ_THERE, HZ_HERE = 700, 500


def recorded(path):
    """Samples and rate of linphone's file, whose header may still be without its length."""
    with open(path, "rb") as file:
        data = file.read()
    rate, = struct.unpack_from("<I", data, 24)
    at = data.index(b"data") + 8
    return struct.unpack(f"<{(len(data) - at) // 2}h", data[at:len(data) - (len(data) - at) % 2]), rate


def talk(w, linphone, a, folder):
    """Each says a tone; what carrier and linphone heard of it, as shares that are clean."""
    heard = f"{folder}/heard.wav"
    linphone.say(f"play {folder}/said.wav")
    linphone.say(f"record {heard}")
    a.rtp.tone(HZ_THERE, 2.5)
    a.rtp.wait(120, 10)
    call, = w.gateway.control("calls")
    side = w.gateway.control("show", call["id"])["b"]
    a.request("BYE")
    a.expect(200)
    wait_until(lambda: "ended" in open(linphone.log_path, encoding="utf-8").read(), 10, "its end")
    here = timeline(list(a.rtp.packets), lambda p: decode(p.payload, "PCMA"))
    samples, rate = recorded(heard)
    return side, here, samples, rate


def clean_of(samples, hz, rate=8000):
    """Of the windows that are not silent: before and after a tone is nothing."""
    found = [db for db in windows(samples, hz, rate) if db > -20]
    return sum(db > 8 for db in found) / len(found) if len(found) > 50 else 0.0


def converse(codec):
    name = codec.split("/")[0]
    with World(register=(), extensions={"1001": f"codecs = {codec}"},
               carrier="codecs = PCMA") as w, Linphone(w, "udp") as linphone:
        wait_until(lambda: registrations(w), 15, "linphone's registration")
        with open(f"{w.dir}/said.wav", "wb") as file:
            file.write(wav(sine(HZ_HERE, 8)))
        linphone.say("soundcard use files")
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        a.expect(180, timeout=15)
        linphone.say("answer")
        a.rtp = media
        a.rtp.remote = a.expect(200, timeout=15).sdp.audio.address
        a.ack()
        side, here, there, rate = talk(w, linphone, a, w.dir)
        assert side["codec"].lower() == name.lower() and side["path"] == "chain", side
        assert clean_of(here, HZ_HERE) > 0.6, f"linphone to carrier: {clean_of(here, HZ_HERE):.2f}"
        assert clean_of(there, HZ_THERE, rate) > 0.6, (
            f"carrier to linphone: {clean_of(there, HZ_THERE, rate):.2f} at {rate} Hz")


def test_g729_of_linphone():
    converse("G729")


def test_wide_band_speex_of_linphone():
    converse("speex/16000")
