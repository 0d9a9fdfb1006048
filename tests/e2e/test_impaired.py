"""The main ladders over a network that loses a tenth, doubles a tenth and reorders: every call
succeeds and ends on both sides."""

from impair import Relay, Stubborn, in_parallel, until
from sip_message import make_sdp, token
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
CALLS = 8
REQUIRED = [("Require", "100rel"), ("Supported", "100rel")]
RELIABLE = [("Require", "100rel"), ("RSeq", 1)]


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


def prack(dialog, response, body=""):
    dialog.request("PRACK", body,
                   [("RAck", f"{response.get('RSeq')} {dialog.invite.get('CSeq')}")])
    return until_of(dialog, "PRACK")


def until_of(dialog, method, status=200):
    while True:
        message = until(dialog, status)
        if message.cseq[1] == method:
            return message


def say_early(w, a, b):
    """A reliable 183 with the answer, as it reached a, who has yet to acknowledge it."""
    b.reply(183, make_sdp(w.alice.ip, b.rtp.port), RELIABLE)
    b.reply(200, to=until(b, "PRACK"))
    return until(a, 183)


def hang_up(first, other):
    first.request("BYE")
    other.reply(200, to=until(other, "BYE"))
    until(first, 200)


def check_audio(a, b, ok):
    a.rtp.remote = ok.sdp.audio.address
    for speaker, listener, hz in ((a, b, 440), (b, a, 660)):
        since = len(listener.rtp.packets)
        speaker.rtp.tone(hz, 0.3)
        listener.rtp.wait(since + 14)
        heard = listener.rtp.heard(hz, since=since, skip_ms=60)
        assert heard > 0.9, (heard, len(listener.rtp.packets) - since)


def test_calls_succeed_and_either_side_ends_them():
    with BadWorld(1) as w:
        def call(number):
            a, b = ring(w, number)
            b.reply(180)
            ok = answer(w, a, b)
            check_audio(a, b, ok)
            hang_up(*((a, b) if number % 2 else (b, a)))

        in_parallel(call, CALLS)
        w.check_over()


def test_calls_are_cancelled():
    with BadWorld(2) as w:
        def call(number):
            a, b = ring(w, number)
            b.reply(180)
            a.cancel()
            b.reply(200, to=until(b, "CANCEL"))
            b.reply(487)
            until(a, 487)
            until(b, "ACK")

        in_parallel(call, CALLS)
        w.check_over()


def test_calls_are_refused():
    with BadWorld(3) as w:
        def call(number):
            a, b = ring(w, number)
            b.reply(486)
            until(a, 486)
            until(b, "ACK")

        in_parallel(call, CALLS)
        w.check_over()


def reinvite(dialog, version, direction):
    dialog.request("INVITE", make_sdp(dialog.agent.ip, dialog.rtp.port, version=version,
                                      direction=direction))
    ok = until(dialog, 200, 500)
    if ok.status == 500:  # the ACK of the one before is still on its way
        return reinvite(dialog, version, direction)
    dialog.ack()
    return ok.sdp.audio.direction


def test_calls_are_held_and_resumed():
    with BadWorld(4) as w:
        def call(number):
            a, b = ring(w, number)
            ok = answer(w, a, b)
            holder = a if number % 2 else b
            assert reinvite(holder, 2, "sendonly") == "recvonly"
            assert reinvite(holder, 3, None) == "sendrecv"
            check_audio(a, b, ok)
            hang_up(a, b)

        in_parallel(call, CALLS)
        w.check_over()


def test_a_hold_is_passed_on():
    with BadWorld(5, carrier="hold = pass") as w:
        def call(number):
            a, b = ring(w, number)
            ok = answer(w, a, b)
            for version, direction, told in ((2, "sendonly", "recvonly"), (3, None, None)):
                reinvite(b, version, direction)
                request = until(a, "INVITE")
                assert request.sdp.audio.direction == (direction or "sendrecv")
                a.reply(200, make_sdp(w.carrier.ip, a.rtp.port, version=version,
                                      direction=told), to=request)
                until(a, "ACK")
            check_audio(a, b, ok)
            hang_up(b, a)

        in_parallel(call, CALLS)
        w.check_over()


def test_reliable_provisional_responses():
    with BadWorld(6) as w:
        def call(number):
            a, b = ring(w, number, REQUIRED)
            early = say_early(w, a, b)
            prack(a, early)
            check_audio(a, b, early)
            answer(w, a, b, body=False)
            hang_up(a, b)

        in_parallel(call, CALLS)
        w.check_over()


def test_session_timers_are_refreshed():
    with BadWorld(7, gateway="session-expires = 8s\nsession-min = 4s") as w:
        grants = [("Allow", "INVITE, ACK, BYE, UPDATE"), ("Session-Expires", "8;refresher=uac")]

        def call(number):
            a, b = ring(w, number)
            answer(w, a, b, grants)
            for _ in range(2):
                b.reply(200, headers=[("Session-Expires", "8;refresher=uac")],
                        to=until(b, "UPDATE"))
            hang_up(a, b)

        in_parallel(call, CALLS)
        w.check_over()


def test_a_blind_transfer():
    routes = f"{RING_ALICE}[route bob]\nfrom = any\nto = 1002\nring = 1002\n"
    with BadWorld(8, routes=routes) as w:
        bob = w.stubborn(12, user="1002", password="secret1002", domain="pbx.test")
        register(bob)

        def call(number):
            a, b = ring(w, number)
            answer(w, a, b)
            b.request("REFER", headers=[("Refer-To", "<sip:1002@pbx.test>")])
            c = bob.pick(str(number))
            c.rtp = w.rtp(bob)
            c.reply(200, make_sdp(bob.ip, c.rtp.port))
            until(c, "ACK")
            reports = []
            while not any(b"200 OK" in body for body in reports):
                message = until(b, 202, "NOTIFY", "BYE")
                if message.method:
                    b.reply(200, to=message)
                    reports.append(message.body)
            hang_up(c, a)

        in_parallel(call, 4)
        w.check_over()


def bye_crosses_bye(w, a, b):
    answer(w, a, b)
    a.request("BYE")
    b.request("BYE")
    for leg in (a, b):
        met = until(leg, "BYE", 200, 481)
        if met.method:
            leg.reply(200, to=met)
            until(leg, 200, 481)  # its own BYE may come when all is over


def cancel_crosses_200(w, a, b):
    b.reply(180)
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
    a.cancel()
    met = until(a, 487, 200)  # a 200 may be the INVITE's or the CANCEL's
    while met.status == 200 and met.cseq[1] != "INVITE":
        met = until(a, 487, 200)
    if met.status == 200:
        a.answer = met
        a.ack()
        until(b, "ACK")
        hang_up(a, b)
    else:  # answered too late: it is taken, and ended at once
        b.reply(200, to=until(b, "BYE"))


def bye_before_ack(w, a, b):
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
    until(a, 200)
    a.request("BYE")
    b.reply(200, to=until(b, "BYE"))
    a.ack()
    met = until(a, 200)
    while met.cseq[1] != "BYE":
        met = until(a, 200)


def requests_after_the_end(w, a, b):
    answer(w, a, b)
    hang_up(b, a)
    for method in ("INFO", "UPDATE", "OPTIONS"):
        a.request(method)
        until(a, 481)


def too_much_asked(w, a, b):
    answer(w, a, b)
    for headers, status in (([("Require", "teleport")], 420), ([("Max-Forwards", "0")], 200)):
        a.request("OPTIONS", headers=headers)
        until(a, status)
    a.request("PRACK", headers=[("RAck", "4711 1 INVITE")])
    until(a, 481)
    hang_up(a, b)


def invite_by_two_ways(w, a, b):
    """RFC 3261 8.2.2.2: the copy that came by another way is refused, the call goes on."""
    other = a.invite.to_bytes().replace(a.invite.branch.encode(), f"z9hG4bK{token()}".encode())
    w.carrier.send(other)
    until(a, 482)
    answer(w, a, b)
    hang_up(a, b)


def test_odd_turns():
    kinds = [bye_crosses_bye, cancel_crosses_200, bye_before_ack, requests_after_the_end,
             too_much_asked, invite_by_two_ways]
    with BadWorld(9) as w:
        def call(number):
            a, b = ring(w, number)
            kinds[number % len(kinds)](w, a, b)

        in_parallel(call, 2 * len(kinds))
        w.check_over()


def test_refusals_of_every_kind():
    asked = [([("Require", "teleport")], "v=0", 420), ([("Content-Type", "text/plain")], "x", 415),
             ([("Max-Forwards", "0")], "v=0", 483), ([("Accept", "text/html")], "v=0", 406)]
    with BadWorld(10) as w:
        def call(number):
            headers, body, status = asked[number % len(asked)]
            body = make_sdp(w.carrier.ip, 4000) if body == "v=0" else body
            until(w.carrier.invite(NUMBER, body, headers), status)

        in_parallel(call, 2 * len(asked))
        w.alice.expect_no_call(0.3)
        wait_until(lambda: not w.gateway.control("calls"), what="no call")
