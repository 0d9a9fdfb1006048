"""Transfers asked for by linphonec, which holds, consults and refers as telephones with two lines do."""

from harness_net import Island
from rtp import Rtp
from sip_message import make_sdp
from test_event_phones import Office
from test_transfer import check_talks
from world import wait_until

CAROL = """
[extension 1003]
name = Carol
password = secret-1003
"""


class Desk(Office):
    """Linphone as bob (1002); alice (1001) and carol (1003) by hand."""

    def __init__(self, island=Island):
        super().__init__(CAROL, island)

    def __enter__(self):
        super().__enter__()
        with self.things:
            self.bob = self.linphone(self.islands[1])
            self.alice, self.carol = (self.person(number, ip) for number, ip in
                                      (("1001", "127.0.0.8"), ("1003", "127.0.0.9")))
            wait_until(lambda: len(self.gateway.control("registrations")) == 3, 20, "all phones")
            self.things = self.things.pop_all()
        return self

    def person(self, number, ip):
        agent = self.agent(number, ip=ip, password=f"secret-{number}")
        agent.register()
        return agent

    def rtp(self, agent):
        media = Rtp(agent.ip)
        self.things.callback(media.close)
        return media

    def calls_bob(self):
        """Alice calls; linphone answers."""
        media = self.rtp(self.alice)
        a = self.alice.invite("1002", make_sdp(self.alice.ip, media.port))
        a.rtp = media
        wait_until(lambda: "incoming call" in self.bob.said(), 20, "a call")
        self.bob.type("answer")
        while (ok := a.expect_any(20)).status != 200:
            pass
        a.rtp.remote = ok.sdp.audio.address
        a.ack()
        return a

    def answered_by_carol(self):
        c = self.carol.incoming(20)
        c.expect("INVITE")
        c.rtp = self.rtp(self.carol)
        c.rtp.remote = c.invite.sdp.audio.address
        c.reply(180)
        c.reply(200, make_sdp(self.carol.ip, c.rtp.port))
        c.expect("ACK")
        return c

    def who(self, number):
        return f"sip:{number}@{self.islands[1].here}"

    def has_one_call(self):
        wait_until(lambda: len(self.gateway.control("calls")) == 1, 20, "one call")
        return self.gateway.control("show", self.gateway.control("calls")[0]["id"])


def attended(island):
    with Desk(island) as desk:
        a = desk.calls_bob()
        desk.bob.type("pause")
        wait_until(lambda: "is now paused" in desk.bob.said(), 20, "a hold")
        desk.bob.type(f"call {desk.who(1003)}")
        c = desk.answered_by_carol()
        wait_until(lambda: "connected" in desk.bob.said().rpartition("paused")[2], 20, "an answer")
        desk.bob.type("transfer 1 --to-call 2")
        offer = a.expect("INVITE", 20)
        a.rtp.remote = offer.sdp.audio.address
        a.reply(200, make_sdp(a.agent.ip, a.rtp.port, version=2), to=offer)
        a.expect("ACK")
        record = desk.has_one_call()
        assert record["transferred_by"] == "extension:1002", record
        check_talks(a, c)
        a.request("BYE")
        c.answer_request("BYE")


def blind(island):
    with Desk(island) as desk:
        a = desk.calls_bob()
        desk.bob.type(f"transfer 1 {desk.who(1003)}")
        c = desk.answered_by_carol()
        record = desk.has_one_call()
        assert record["transferred_by"] == "extension:1002", record
        check_talks(a, c)
        a.request("BYE")
        c.answer_request("BYE")


def test_linphone_transfers_attended():
    attended(Island)


def test_linphone_transfers_blind():
    blind(Island)


for test in (test_linphone_transfers_attended, test_linphone_transfers_blind):
    test.timeout_s = 120
