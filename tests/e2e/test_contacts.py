"""Several telephones of one extension: the q values say in which order they ring (RFC 3261 16.6)."""

from sip_message import make_sdp
from world import World

NUMBER = "+4930555100"
QUICK = """
[route support]
from = trunk:carrier
to = +4930555100
ring = 1001
ring-time = 3s
"""


def telephone(w, last, q):
    phone = w.phone("1001", last, register=False)
    assert phone.register(contact=f"{phone.contact};q={q};expires=600").status == 200
    return phone


def take(phone):
    """The INVITE that rings it."""
    dialog = phone.called()
    return dialog


def refuse(dialog, status):
    dialog.reply(status)
    dialog.expect("ACK")


def test_equal_ones_ring_together_and_lesser_ones_after_them():
    with World(register=()) as w:
        low = telephone(w, 13, "0.3")
        best, equal = telephone(w, 11, "0.8"), telephone(w, 12, "0.800")
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        first, second = take(best), take(equal)
        low.expect_no_call(0.2)
        refuse(first, 486)
        low.expect_no_call(0.2)
        refuse(second, 480)
        third = take(low)
        third.reply(200, make_sdp(low.ip, 4002))
        a.expect(200)
        a.ack()
        third.expect("ACK")
        w.hang_up(a, third)


def test_one_that_does_not_answer_gives_its_turn_away():
    with World(register=(), routes=QUICK) as w:
        best, low = telephone(w, 11, "1"), telephone(w, 12, "0.1")
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        first = take(best)
        first.reply(180)
        a.expect(180)
        second = take(low)
        first.answer_request("CANCEL")
        first.reply(487)
        first.expect("ACK")
        second.reply(200, make_sdp(low.ip, 4002))
        a.expect(200)
        a.ack()
        second.expect("ACK")
        w.hang_up(a, second)


def test_a_decline_holds_for_the_lesser_ones_too():  # RFC 3261 21.6
    with World(register=()) as w:
        best, low = telephone(w, 11, "1"), telephone(w, 12, "0.1")
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        refuse(take(best), 603)
        assert 400 <= a.expect_any().status < 700
        low.expect_no_call(0.2)


def test_the_caller_gives_up_in_the_second_turn():
    with World(register=()) as w:
        best, low = telephone(w, 11, "1"), telephone(w, 12, "0.1")
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        refuse(take(best), 486)
        second = take(low)
        second.reply(180)
        a.expect(180)
        a.cancel()
        second.answer_request("CANCEL")
        second.reply(487)
        second.expect("ACK")
        a.expect(200)
        a.expect(487)


def test_all_turns_in_vain():
    with World(register=()) as w:
        phones = [telephone(w, 11 + i, q) for i, q in enumerate(("1", "0.5", "0"))]
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        for phone in phones:
            refuse(take(phone), 486)
        a.expect(486)
