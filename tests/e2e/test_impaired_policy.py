"""What is said beside the media, and what is refused for want of room, over a network that loses a
tenth, doubles a tenth and reorders."""

from bad_world import (aim, bad_network, BadWorld, called, CALLS, hang_up, NUMBER, released, ring,
                       talk, told_of_success, WithBob)
from impair import in_parallel, until
from sip_message import make_sdp
from test_srtp import both_hear as check_talks
from world import wait_until

TAKES_UPDATES = [("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE"), ("Supported", "from-change")]


@bad_network(71, calls=3 * CALLS)
def test_headers_cross_in_every_message(w, number):
    ours = [("X-Campaign", "spring 1"), ("User-to-User", "0123ab;encoding=hex"),
            ("P-Asserted-Identity", "<sip:+49666@evil.test>")]
    a, b = ring(w, number, ours)
    assert [b.invite.get(name) for name, _ in ours] == ["spring 1", ours[1][1], None]
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port), [("X-Answer", "yes")])
    assert until(a, 200).get("X-Answer") == "yes"
    a.ack()
    until(b, "ACK")
    a.request("BYE", headers=[("X-Score", "5"), ("Reason", 'Q.850;cause=16;text="bye"')])
    bye = until(b, "BYE")
    b.reply(200, to=bye)
    until(a, 200)
    assert bye.get("X-Score") == "5" and bye.get("Reason").startswith("Q.850;cause=16")


@bad_network(72, world=WithBob)
def test_who_is_there_now_is_told(w, number):
    a, b = ring(w, number, TAKES_UPDATES)
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
    aim(a, until(a, 200))
    a.ack()
    until(b, "ACK")
    b.request("REFER", headers=[("Refer-To", "<sip:1002@pbx.test>")])
    c = called(w, w.bob, str(number))
    update = until(a, "UPDATE")
    a.reply(200, to=update)
    assert "1002" in update.get("From"), update
    released(b, told_of_success(b))
    check_talks(a, c)
    hang_up(a, c)


def refused(w, number):
    dialog = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000), [("X-Call", f"late {number}")])
    assert until(dialog, 503).get("Retry-After")


def test_there_is_room_again_after_a_call():
    with BadWorld(73, gateway="max-calls = 2") as w:
        calls = [talk(w, number) for number in range(2)]
        in_parallel(lambda number: refused(w, number), 3 * CALLS)
        for a, b in calls:
            check_talks(a, b)
            hang_up(a, b)
        wait_until(lambda: not w.gateway.control("calls"), 40, "the end of every call")
        hang_up(*talk(w, 2))
        w.check_over()


def test_drained_it_lets_calls_end_in_peace():
    with BadWorld(74) as w:
        calls = [talk(w, number) for number in range(2)]
        w.gateway.control("drain")
        in_parallel(lambda number: refused(w, number), 3 * CALLS)
        for a, b in calls:
            check_talks(a, b)
            hang_up(b, a)
        assert w.gateway.process.wait(45) == 0
