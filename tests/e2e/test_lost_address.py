"""An interface loses the gateway's address for a while: a cable, a VRRP switch, DHCP."""

import subprocess

from rtp import sine, wav
from sip_message import make_sdp
from world import RING_ALICE, World, wait_until

NUMBER, MUSIC_NUMBER = "+4930555100", "+4930555101"
MUSIC = f"""
[route music]
from = trunk:backup
to = {MUSIC_NUMBER}
play = music.wav
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Elsewhere(World):
    """Not in 127.0.0.0/8, whose addresses nobody can take away."""

    def __enter__(self):
        self.net = "10.77.0"
        self.ip, self.address = f"{self.net}.1", (f"{self.net}.1", 5060)
        # where packets for a lost address go
        ip("link", "add", "void", "type", "veth", "peer", "name", "nobody")
        ip("link", "set", "void", "up")
        ip("link", "set", "nobody", "up")
        ip("route", "add", f"{self.net}.0/24", "dev", "void")
        ip("neighbour", "add", self.ip, "lladdr", "02:00:00:00:00:01", "dev", "void")
        for last in (1, 2, 3, 11, 12):
            self.change("add", last)
        return super().__enter__()

    def change(self, verb, last=1):
        ip("address", verb, f"{self.net}.{last}/32", "dev", "lo")


def test_calls_go_on_when_the_address_is_back():
    with Elsewhere(routes=RING_ALICE + MUSIC, prompts={"music.wav": wav(sine(500, 6))}) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        listener = w.rtp(w.backup)  # to whom the gateway itself talks all the time
        c = w.backup.invite(MUSIC_NUMBER, make_sdp(w.backup.ip, listener.port))
        c.expect(200)
        c.ack()
        listener.wait(10)
        w.change("delete")
        a.rtp.tone(600, 1.5)
        lost = listener.packets[-1].seq
        w.change("add")
        began = len(b.rtp.packets)
        a.rtp.tone(440, 1.0)
        b.rtp.wait(began + 40)
        assert b.rtp.heard(440, since=began) > 0.8
        b.rtp.tone(880, 0.5)
        assert a.rtp.heard(880) > 0.8
        wait_until(lambda: listener.packets[-1].seq > lost + 50, what="more of the music")
        w.hang_up(a, b)
        c.answer_request("BYE", timeout=10)
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(b, a)
        assert len(w.gateway.log().splitlines()) < 40, w.gateway.log()
