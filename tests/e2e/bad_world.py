"""A world whose network loses a tenth of the SIP packets, doubles a tenth and reorders; what its
peers do until it has come through; and the frame of a test there:

    @bad_network(21, world=WithBob)      # its seed
    def test_something(w, number):       # CALLS of these at the same time
        a, b = talk(w, number)
        …
        hang_up(a, b)
"""

import functools

from impair import Relay, Stubborn, in_parallel, until
from machine import on_time
from sip_message import make_sdp
from test_srtp import both_hear
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
CALLS = 4
REQUIRED = [("Require", "100rel"), ("Supported", "100rel")]
RELIABLE = [("Require", "100rel"), ("RSeq", 1)]
TO_BOB = "[route bob]\nfrom = any\nto = 1002\nring = 1002\n"


class BadWorld(World):
    """carrier and alice behind relays; audio is left alone."""

    def __init__(self, seed, **more):
        super().__init__(register=(), agents=False, **more)
        self.seed = seed

    def __enter__(self):
        super().__enter__()
        self.carrier = self.stubborn(2, user="+4917011122")
        self.alice = self.stubborn(11, user="1001", password="secret1001", domain="pbx.test")
        register(self.alice)
        return self

    def stubborn(self, last, **more):
        ip = f"{self.net}.{last}"
        agent = Stubborn(ip, self.address, Relay(ip, self.address, self.seed + last), **more)
        self.agents.append(agent)
        return agent

    def check_over(self):
        """Nothing is left of any call, and the network was as bad as it was to be."""
        wait_until(lambda: not self.gateway.control("calls"), 40, "the end of every call")
        assert sum(agent.relay.weather.lost for agent in self.agents) > 5
        assert sum(agent.relay.weather.doubled for agent in self.agents) > 5


class WithBob(BadWorld):
    def __init__(self, seed, **more):
        super().__init__(seed, routes=RING_ALICE + TO_BOB, **more)

    def __enter__(self):
        super().__enter__()
        self.bob = self.stubborn(12, user="1002", password="secret1002", domain="pbx.test")
        register(self.bob)
        return self


def bad_network(seed, world=None, calls=CALLS, **more):
    """Makes a test of what one call does, given the world and the call's number: so many do it at
    the same time, and nothing of them is left. more: keys of the world."""
    def decorate(call):
        @functools.wraps(call)
        def test():
            with (world or BadWorld)(seed, **more) as w:
                in_parallel(lambda number: call(w, number), calls)
                w.check_over()

        return test

    return decorate


def register(phone):
    record = f"<sip:{phone.user}@pbx.test>"
    dialog = phone.dialog("REGISTER", "sip:pbx.test", "", [("Contact", phone.contact)], to=record,
                          local=record)
    challenge = until(dialog, 401)
    dialog.authenticate(challenge, "", [("Contact", phone.contact)])
    until(dialog, 200)


def ring(w, number, headers=()):
    """Both dialogs of a call that has come to alice."""
    tag = str(number)
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port),
                         [("X-Call", tag), *headers])
    b = w.alice.pick(tag)
    a.rtp, b.rtp = media, w.rtp(w.alice)
    b.rtp.remote = b.invite.sdp.audio.address
    return a, b


def answer(w, a, b, headers=(), body=True):
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port) if body else "", headers)
    ok = until(a, 200)
    a.ack()
    until(b, "ACK")
    return ok


def talk(w, number, headers=()):
    a, b = ring(w, number)
    a.rtp.remote = answer(w, a, b, headers).sdp.audio.address
    return a, b


def aim(dialog, message):
    dialog.rtp.remote = message.sdp.audio.address


def change(dialog, method="INVITE", **sdp):
    """An offer that is accepted in the end: 500 while the one before is not over, 491 for glare."""
    while True:
        dialog.version = getattr(dialog, "version", 1) + 1
        dialog.request(method, make_sdp(dialog.agent.ip, dialog.rtp.port, version=dialog.version,
                                        **sdp))
        answered = until(dialog, 200, 491, 500)
        if answered.status == 200:
            if method == "INVITE":
                dialog.ack()
            return answered.sdp.audio


def accept(dialog, offer, **sdp):
    aim(dialog, offer)
    dialog.reply(200, make_sdp(dialog.agent.ip, dialog.rtp.port, **sdp), to=offer)
    until(dialog, "ACK")


def called(w, phone, tag, audio=True):
    """The INVITE of a call that was made by a turn, answered."""
    c = phone.pick(tag)
    c.rtp = w.rtp(phone)
    aim(c, c.invite)
    if audio:
        c.reply(200, make_sdp(phone.ip, c.rtp.port))
        until(c, "ACK")
    return c


def dial(w, phone, number, tag, headers=()):
    """An extension's INVITE, authenticated."""
    media = w.rtp(phone)
    body = make_sdp(phone.ip, media.port)
    headers = [("X-Call", tag), *headers]
    dialog = phone.dialog("INVITE", phone.uri(number), body, headers)
    dialog.authenticate(until(dialog, 407), body, headers)
    dialog.rtp = media
    return dialog


def send_prack(dialog, response, body=""):
    dialog.request("PRACK", body,
                   [("RAck", f"{response.get('RSeq')} {dialog.invite.get('CSeq')}")])


def prack(dialog, response, body=""):
    send_prack(dialog, response, body)
    return until_of(dialog, "PRACK")


def until_of(dialog, method, status=200):
    while True:
        message = until(dialog, status)
        if message.cseq[1] == method:
            return message


def ring_early(w, number):
    """Both dialogs, reliable on both legs, and the 183 with the answer as it reached a, who has yet
    to acknowledge it."""
    a, b = ring(w, number, REQUIRED)
    b.reply(183, make_sdp(w.alice.ip, b.rtp.port), RELIABLE)
    b.reply(200, to=until(b, "PRACK"))
    early = until(a, 183)
    aim(a, early)
    return a, b, early


def hang_up(first, other):
    first.request("BYE")
    other.reply(200, to=until(other, "BYE"))
    until(first, 200)


def finish(a, b, ended_by=None):
    """a acknowledges the 200 that it has got, b has that (for its last INVITE, where there were
    two), they talk, and a hangs up, or whoever is to."""
    a.ack()
    while until(b, "ACK").cseq[0] != b.invite.cseq[0]:
        pass
    both_hear(a, b)
    hang_up(ended_by or a, b if ended_by in (None, a) else a)


def came(dialog, *titles, timeout=0.1):
    """The same as until(), when it comes; else None."""
    try:
        return until(dialog, *titles, timeout=timeout)
    except AssertionError:
        return None


def told_of_success(dialog):
    """NOTIFYs and a BYE, answered in any order, up to 200 OK. True: the BYE was among them."""
    bye = False
    while True:
        message = until(dialog, "NOTIFY", "BYE", 202)
        if message.method:
            dialog.reply(200, to=message)
        bye = bye or message.method == "BYE"
        if b"200 OK" in message.body:
            return bye


def released(dialog, already=False):
    if not already:
        dialog.reply(200, to=until(dialog, "BYE"))


def escape(names):
    return names.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")


def names_of(dialog):
    tag = dialog.remote.rpartition("tag=")[2]
    return f"{dialog.call_id};to-tag={tag};from-tag={dialog.local_tag}"


def check_hears(speaker, listener, hz, said="PCMA", heard="PCMA"):
    def check():
        since = len(listener.rtp.packets)
        speaker.rtp.tone(hz, 0.4, said)
        listener.rtp.wait(since + 19)  # the last ones are on their way
        share = listener.rtp.heard(hz, heard, since=since)
        assert share > 0.9, (share, len(listener.rtp.packets) - since)

    on_time(check)
