"""Redirections: 3xx from a target, followed within bounds or passed on; 302 of our own."""

from sip_message import make_sdp, uri_of, user_of
from world import RING_ALICE, World

NUMBER = "+4930555100"
OUT = "\n[route out]\nfrom = extension:1001\nto = 0X.\nring = trunk:backup\n"
THREE = {"1001": "", "1002": "", "1003": ""}


def call(w, number=NUMBER, caller=None, headers=()):
    caller = caller or w.carrier
    a = caller.invite(number, make_sdp(caller.ip, w.rtp(caller).port), headers)
    return a


def rung(phone):
    b = phone.called()
    return b


def moved(b, *contacts, status=302):
    b.reply(status, headers=[("Contact", c) for c in contacts])
    b.expect("ACK")


def answered(w, a, b):
    b.reply(200, make_sdp(b.agent.ip, 5000))
    while a.expect_any().status != 200:
        pass
    a.ack()
    b.expect("ACK")
    w.hang_up(a, b)


def test_an_extension_forwards_to_another_and_the_caller_is_shown():
    with World() as w:
        a = call(w)
        moved(rung(w.alice), "<sip:1002@pbx.test>")
        b = rung(w.bob)
        assert user_of(uri_of(b.invite.get("From"))) == "+4917011122", b.invite
        answered(w, a, b)
        assert a.ladder[:3] == ["> INVITE", "< 100", "< 200"], a.ladder


def test_an_extension_forwards_where_it_may_call_and_nowhere_else():
    with World(routes=RING_ALICE + OUT) as w:
        a = call(w)
        moved(rung(w.alice), f"<sip:00123456@{w.ip}>")
        b = rung(w.backup)
        assert user_of(b.invite.uri) == "00123456", b.invite.uri
        answered(w, a, b)
        # 1002 has no such route: toll fraud by a telephone's forwarding is refused
        a = call(w, "1002", w.alice)
        moved(rung(w.bob), f"<sip:00123456@{w.ip}>")
        assert a.expect_any().status == 480, a.ladder
        w.backup.expect_no_call(0.3)


def test_a_contact_outside_is_not_followed():
    with World() as w:
        a = call(w)
        moved(rung(w.alice), f"<sip:1002@{w.net}.3:5060>")
        assert a.expect_any().status == 480, a.ladder
        w.backup.expect_no_call(0.3)
        w.bob.expect_no_call(0.1)


def test_contacts_are_tried_in_the_order_of_their_q():
    with World(extensions=THREE, register=("1001", "1002", "1003")) as w:
        a = call(w)
        moved(rung(w.alice), "<sip:1003@pbx.test>;q=0.3", "<sip:1002@pbx.test>;q=0.8")
        b = rung(w.bob)
        w.carol.expect_no_call(0.2)
        b.reply(486)
        answered(w, a, rung(w.carol))


def test_a_chain_of_redirections():
    with World(extensions=THREE, register=("1001", "1002", "1003")) as w:
        a = call(w)
        moved(rung(w.alice), "<sip:1002@pbx.test>", status=301)
        moved(rung(w.bob), "<tel:1003>")
        answered(w, a, rung(w.carol))


def test_a_circle_ends():
    with World() as w:
        a = call(w)
        moved(rung(w.alice), "<sip:1002@pbx.test>")
        moved(rung(w.bob), "<sip:1001@pbx.test>")
        assert a.expect_any().status == 480, a.ladder
        w.alice.expect_no_call(0.3)


def test_one_of_a_group_redirects_and_the_others_ring_on():
    routes = RING_ALICE.replace("ring = 1001", "ring = 1001, 1002")
    with World(routes=routes, extensions=THREE, register=("1001", "1002", "1003")) as w:
        a = call(w)
        first, second = rung(w.alice), rung(w.bob)
        moved(first, "<sip:1003@pbx.test>")
        third = rung(w.carol)
        third.reply(180)
        a.expect(180)
        third.reply(200, make_sdp(w.carol.ip, 5000))
        second.reply(100)
        assert "Call completed elsewhere" in second.answer_request("CANCEL").get("Reason")
        second.reply(487)
        a.expect(200)
        a.ack()
        third.expect("ACK")
        w.hang_up(third, a)


def test_a_trunk_is_followed_when_it_may():
    routes = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
    with World(routes=routes, carrier="on-redirect = follow\nmax-calls = 1") as w:
        a = call(w, "0123", w.alice)
        moved(rung(w.carrier), f"<sip:0999@{w.net}.3:5060>")
        b = rung(w.backup)
        assert user_of(b.invite.uri) == "0999", b.invite
        answered(w, a, b)
    with World(routes=routes) as w:
        a = call(w, "0123", w.alice)
        moved(rung(w.carrier), f"<sip:0999@{w.net}.3:5060>")
        assert a.expect_any().status == 480, a.ladder
        w.backup.expect_no_call(0.2)


def test_a_trunk_that_sends_in_circles_is_given_up():
    routes = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
    with World(routes=routes, carrier="on-redirect = follow") as w:
        a = call(w, "0123", w.alice)
        for _ in range(11):
            moved(rung(w.carrier), f"<sip:0123@{w.net}.2:5060>")
        assert a.expect_any().status == 480, a.ladder
        w.carrier.expect_no_call(0.2)


def test_a_redirection_is_passed_on_with_its_contacts():
    routes = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
    with World(routes=routes, carrier="on-redirect = pass") as w:
        a = call(w, "0123", w.alice)
        moved(rung(w.carrier), "<sip:1@other.test;user=phone>;q=0.2", "<sip:2@other.test>")
        answer = a.expect(302)
        assert [uri_of(c) for c in answer.all("Contact")] == \
            ["sip:2@other.test", "sip:1@other.test;user=phone"], answer


def test_busy_after_a_redirection_is_busy():
    routes = RING_ALICE.replace("ring = 1001", "ring = 1001\non-busy = route:second") + \
        "[route second]\nto = 9999\nring = 1003\n"
    with World(routes=routes, extensions=THREE, register=("1001", "1002", "1003")) as w:
        a = call(w)
        moved(rung(w.alice), "<sip:1002@pbx.test>")
        b = rung(w.bob)
        b.reply(486)
        answered(w, a, rung(w.carol))


def test_as_a_redirect_server_we_say_where_somebody_is():
    routes = "[route where]\nfrom = trunk:carrier\nto = 1XXX\nredirect = extension\n"
    with World(routes=routes) as w:
        answer = call(w, "1001").expect(302)
        assert [uri_of(c) for c in answer.all("Contact")] == [uri_of(w.alice.contact)], answer
        second = w.phone("1001", 14)
        answer = call(w, "1001").expect(302)
        assert {uri_of(c) for c in answer.all("Contact")} == \
            {uri_of(w.alice.contact), uri_of(second.contact)}, answer
        w.bob.register(expires=0)
        assert call(w, "1002").expect_any().status == 480


def test_a_refusal_by_6xx_ends_the_search_for_that_user():
    routes = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier then trunk:backup\n"
    with World(routes=routes) as w:
        second = w.phone("1002", 15)  # another telephone of Bob's
        a = call(w, "1002", w.alice)
        first, other = rung(w.bob), rung(second)
        other.reply(180)
        a.expect(180)
        first.reply(603)
        other.answer_request("CANCEL")
        other.reply(487)
        assert a.expect_any().status == 603, a.ladder
        a = call(w, "0123", w.alice)
        rung(w.carrier).reply(604)
        assert a.expect_any().status == 604, a.ladder
        w.backup.expect_no_call(0.3)
