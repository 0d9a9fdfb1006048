"""Requests that come too late, too early, twice, or by a way round; and those that ask too much."""

import time

import torture
from bystander import NUMBER, Bystander, prove_service
from sip import MAGIC
from sip_message import Message, make_sdp, token
from world import RING_ALICE, World, connect, wait_until

EARLY = 0.3  # so long nothing may happen


# --- hops ---

def test_max_forwards_is_counted_down_and_carried_over():
    with World() as w:
        for given, carried in (("70", 69), ("7", 6), ("1", 0)):
            a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000), [("Max-Forwards", given)])
            b = w.alice.incoming()
            assert int(b.expect("INVITE").get("Max-Forwards")) == carried
            b.reply(486)
            b.expect("ACK")
            a.expect(486)


def test_no_hops_left_is_483():
    with World() as w:
        w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000),
                         [("Max-Forwards", "0")]).expect(483)
        w.alice.expect_no_call(EARLY)
        # an OPTIONS is for us, however few hops it may still go
        assert w.carrier.dialog("OPTIONS", w.carrier.uri("x"), "",
                                [("Max-Forwards", "0")]).expect_any().status == 200


class Proxy:
    """A proxy at the carrier's address that sends back to the gateway what comes from it, for a
    number of its choice, and the answers the other way."""

    def __init__(self, world, number):
        self.agent, self.number, self.turns, self.statuses = world.carrier, number, 0, []
        self.agent._take = self.take
        self.via, self.mine = f"SIP/2.0/UDP {self.agent.hostport};branch={MAGIC}", {}
        self.own = None

    def take(self, data, source, connection):
        text = data.decode()
        call_id = text.split("\r\nCall-ID: ")[1].split("\r\n")[0]
        if call_id == self.own or text.startswith("SIP/2.0"):
            self.back(text)
        elif text.startswith("INVITE"):
            self.turns += 1
            start, rest = text.split("\r\n", 1)
            hops = int(rest.split("Max-Forwards: ")[1].split("\r\n")[0])
            rest = rest.replace(f"Max-Forwards: {hops}", f"Max-Forwards: {hops - 1}")
            uri = f"sip:{self.number}@{self.agent.gateway[0]}"
            self.agent.send((f"INVITE {uri} SIP/2.0\r\nVia: {self.via}{token()};rport\r\n"
                             + rest).encode())

    def back(self, text):
        lines = text.split("\r\n")
        at = next(i for i, line in enumerate(lines) if line.startswith("Via:"))
        self.statuses.append(lines[0].split()[1])
        if sum(line.startswith("Via:") for line in lines) < 2:
            return  # of our own INVITE
        del lines[at]
        self.agent.send("\r\n".join(lines).encode())


LOOP = f"""
[route there]
from = trunk:carrier
to = {NUMBER}
ring = trunk:carrier

[route here]
from = trunk:carrier
to = 1001
ring = 1001
"""


def call_through(w, proxy):
    uri = w.carrier.uri(NUMBER)
    proxy.own = token()
    w.carrier.send((
        f"INVITE {uri} SIP/2.0\r\nVia: {proxy.via}{token()};rport\r\nMax-Forwards: 70\r\n"
        f"From: <sip:4711@{w.carrier.ip}>;tag={token()}\r\nTo: <{uri}>\r\nCall-ID: {proxy.own}\r\n"
        f"CSeq: 1 INVITE\r\nContact: {w.carrier.contact}\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(make_sdp(w.carrier.ip, 4000))}\r\n\r\n"
        f"{make_sdp(w.carrier.ip, 4000)}").encode())


def test_a_spiral_through_ourselves_is_a_call():
    with World(routes=LOOP) as w:
        proxy = Proxy(w, "1001")
        call_through(w, proxy)
        b = w.alice.incoming()
        assert int(b.expect("INVITE").get("Max-Forwards")) == 70 - 3
        b.reply(180)
        b.reply(200, make_sdp(w.alice.ip, w.rtp(w.alice).port))
        wait_until(lambda: proxy.statuses.count("200") == 2, what="the answer at both ends")
        assert len(w.gateway.control("calls")) == 2 and proxy.turns == 1


def test_a_loop_through_ourselves_ends_at_its_first_turn():
    with World(routes=LOOP) as w:
        proxy = Proxy(w, NUMBER)
        call_through(w, proxy)
        wait_until(lambda: "482" in proxy.statuses, what="482")
        wait_until(lambda: not w.gateway.control("calls"), what="the end of the call")
        assert proxy.turns == 1, proxy.turns


# --- twice ---

def again(dialog):
    """The INVITE as it was, once more."""
    dialog.agent.send(dialog.invite, *dialog.invite_hop)


def test_an_invite_that_comes_again_is_answered_as_before():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        again(a)
        wait_until(lambda: "180" in a.repeats, what="the 180 again")
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        a.repeats.clear()
        again(a)
        wait_until(lambda: "200" in a.repeats, what="the 200 again")
        a.ack()
        b.expect("ACK")
        w.alice.expect_no_call(EARLY)
        w.hang_up(a, b)


def test_an_invite_that_comes_by_two_ways_is_taken_once():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        text = a.invite.to_bytes().replace(a.invite.branch.encode(), b"z9hG4bKother")
        w.carrier.send(text, *a.invite_hop)
        a.expect(482)
        w.alice.expect_no_call(EARLY)
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        w.hang_up(a, b)


def test_a_lost_200_is_sent_again_and_acknowledged():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        wait_until(lambda: a.repeats.count("200") >= 2, what="two repeats")
        a.ack()
        b.expect("ACK")
        count = a.repeats.count("200")
        time.sleep(1.2)
        assert a.repeats.count("200") == count, "a 200 after its ACK"
        w.hang_up(a, b)


def test_an_ack_of_another_dialog_does_not_count():
    # RFC 3261 13.2.2.4: not even with the branch of the INVITE
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        ok = a.expect(200)
        b.expect("ACK")
        for branch in (a.invite.branch, None):
            a.request("ACK", headers=[("To", ok.get("To").replace(ok.to_tag, "another"))], cseq=1,
                      branch=branch)
        count = a.repeats.count("200")
        wait_until(lambda: a.repeats.count("200") >= count + 2, what="two repeats")
        a.ack()
        w.hang_up(a, b)


def test_a_200_of_the_callee_that_comes_again_gets_its_ack_again():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for _ in range(3):
            b._respond(*b.replies[("INVITE", b.invite.branch)])
        wait_until(lambda: b.repeats.count("ACK") == 3, what="three more ACKs")
        w.hang_up(a, b)


def test_without_an_ack_the_200_is_repeated_then_both_legs_end():
    # RFC 3261 13.3.1.4: for 64 T1, 32 s; then BYE
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        b.expect("ACK")
        begun = time.monotonic()
        a.answer_request("BYE", timeout=36)
        assert 30 < time.monotonic() - begun < 36
        assert a.repeats.count("200") >= 8, a.repeats
        b.answer_request("BYE", timeout=1)
        wait_until(lambda: not w.gateway.control("calls"), what="the end of the call")


# --- across one another ---

def test_bye_crosses_bye():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("BYE")
        b.request("BYE")
        seen = sorted(b.expect_any().title for _ in range(2))
        assert seen == ["200", "BYE"], seen
        b.reply(200, to=next(m for m in b.messages if m.title == "BYE"))
        a.expect(200)
        wait_until(lambda: not w.gateway.control("calls"), what="the end of the call")
        a.expect_nothing(EARLY)


def test_bye_before_ack():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        b.expect("ACK")
        a.request("BYE")
        b.answer_request("BYE")
        a.expect(200)
        a.ack()
        a.expect_nothing(EARLY)
        wait_until(lambda: not w.gateway.control("calls"), what="the end of the call")
        prove_service(w)


def test_the_callee_hangs_up_before_the_caller_has_acknowledged():
    # RFC 3261 15: our BYE to the caller waits for its ACK
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        b.expect("ACK")
        b.request("BYE")
        b.expect(200)
        a.expect_nothing(EARLY)
        a.ack()
        a.answer_request("BYE")


def test_a_cancel_that_comes_after_the_200_changes_nothing():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        a.cancel()
        # its transaction is gone (RFC 3261 17.2.1), or may be found yet (9.2)
        assert a.expect_any().status in (200, 481)
        a.answer = next(m for m in a.messages if m.status == 200 and m.cseq[1] == "INVITE")
        a.ack()
        b.expect("ACK")
        b.expect_nothing(EARLY)
        w.hang_up(a, b)


def test_a_cancel_that_comes_again_is_answered_again():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        cancel = a.cancel()
        a.expect(200)
        a.expect(487)
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")
        w.carrier.send(cancel, *a.invite_hop)
        wait_until(lambda: "200" in a.repeats, what="another 200")
        b.expect_nothing(EARLY)


# --- too late ---

def test_after_the_end_there_is_nothing():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)
        for method in ("INFO", "UPDATE", "OPTIONS", "BYE"):
            a.request(method)
            assert a.expect_any().status == 481, method
        b.request("INVITE", make_sdp(w.alice.ip, b.rtp.port))
        b.expect(481)


def test_prack_of_no_such_response_is_481():
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port),
                             [("Require", "100rel")])
        b = w.alice.called()
        b.reply(180)
        rseq = int(a.expect(180).get("RSeq"))
        number = a.invite.cseq[0]
        for wrong in (f"{rseq + 1} {number} INVITE", f"{rseq} {number + 1} INVITE"):
            a.request("PRACK", "", [("RAck", wrong)])
            a.expect(481)
        a.request("PRACK", "", [("RAck", f"{rseq} {number} INVITE")])
        a.expect(200)
        a.cancel()
        a.expect(200)
        a.expect(487)
        b.answer_request("CANCEL")


# --- too much ---

def test_an_unknown_scheme_is_416():
    with World() as w:
        bystander = Bystander(w)
        for uri in ("soap.beep://192.0.2.103:3002", "nobodyKnowsThisScheme:totallyopaque"):
            assert bystander.case(f"INVITE {uri} SIP/2.0\n" + torture.HEAD + "CSeq: 1 INVITE\n"
                                  + torture.TAIL, 0.5)[0] == 416, uri


def test_an_unknown_body_is_415_with_what_would_do():
    with World() as w:
        refused = w.carrier.invite(NUMBER, "hello", [("Content-Type", "text/plain")]).expect(415)
        assert "application/sdp" in refused.get("Accept"), refused
        refused = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000),
                                   [("Content-Encoding", "gzip")]).expect(415)
        assert refused.get("Accept-Encoding") is not None, refused
        w.alice.expect_no_call(EARLY)


def test_an_extension_that_we_lack_is_420_and_named():
    with World() as w:
        refused = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000),
                                   [("Require", "100rel, teleport, timer"),
                                    ("Require", "levitation")]).expect(420)
        assert refused.get("Unsupported") == "teleport, levitation", refused
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("INFO", "", [("Require", "teleport")])
        assert a.expect(420).get("Unsupported") == "teleport"
        w.hang_up(a, b)


def test_an_unknown_method_is_501_and_one_that_we_only_know_405():
    with World(routes=RING_ALICE) as w:
        assert "INVITE" in w.carrier.dialog("FLY", w.carrier.uri("x")).expect(501).get("Allow")
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("FLY")
        assert "INVITE" in a.expect(501).get("Allow")
        a.request("PUBLISH", "", [("Event", "presence")])
        assert "INVITE" in a.expect(405).get("Allow")
        w.hang_up(a, b)


def test_a_caller_that_would_not_take_an_answer_is_told_406():
    with World() as w:
        w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000),
                         [("Accept", "text/nobodyKnowsThis")]).expect(406)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000),
                             [("Accept", "text/plain, application/*;q=0.5")])
        b = w.alice.incoming()
        b.reply(486)
        a.expect(486)


def test_a_caller_without_a_tag_is_put_up_with():
    # RFC 3261 12.1.1: as RFC 2543 had it
    with World() as w:
        a = w.carrier.dialog("INVITE", w.carrier.uri(NUMBER), make_sdp(w.carrier.ip, 4000),
                             [("From", f"<sip:4711@{w.carrier.ip}>")])
        a.local = f"<sip:4711@{w.carrier.ip}>"
        b = w.alice.called()
        b.reply(180)
        a.expect(180)
        connect(a, b, make_sdp(w.alice.ip, w.rtp(w.alice).port))
        b.request("BYE")
        a.answer_request("BYE")
        b.expect(200)


def test_a_caller_of_rfc_2543_is_found_where_its_invite_came_from():
    # no cookie, no tag, no Contact, and a Record-Route that leads nowhere (RFC 4475 3.4.1)
    text = next(text for name, _, text in torture.INVALID if name == "inv2543")
    with World() as w:
        caller = Bystander(w)
        caller.socket.settimeout(5)

        def hear(title):
            while title not in (data := caller.socket.recv(65535)).split(b"\r\n")[0]:
                pass
            return Message.parse(data)

        invite = torture.render(text, caller.peer, w.ip, NUMBER, token())
        caller.send(invite)
        b = w.alice.called()
        b.reply(200, make_sdp(w.alice.ip, 4000))
        ok = hear(b" 200 ")
        head, _ = invite.split(b"\r\nContent-Type")
        caller.send(head.replace(b"INVITE", b"ACK").replace(
            b"\r\nTo: sip:+16505552222@ss1.example.net;user=phone",
            f"\r\nTo: {ok.get('To')}".encode()) + b"\r\n\r\n")
        b.expect("ACK")
        b.request("BYE")
        b.expect(200)
        bye = hear(b"BYE ")
        assert bye.get("From") == ok.get("To"), bye
        assert bye.uri == f"sip:{caller.peer}" and not bye.all("Route"), bye


def test_a_request_line_that_cannot_be_read_is_400_and_an_ack_silence():
    with World() as w:
        bystander = Bystander(w)
        for line, statuses in (("INVITE sip:a@{gw}; lr SIP/2.0", [400]),
                               ("IN\\VITE sip:a@{gw} SIP/2.0", [400]),
                               ("INVITE sip:a@{gw}", [400]),
                               ("ACK sip:a@{gw}; lr SIP/2.0", [])):
            text = line + "\n" + torture.HEAD + "CSeq: 1 INVITE\n" + torture.TAIL
            assert bystander.case(text) == statuses, line
        prove_service(w)
