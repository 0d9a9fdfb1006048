"""Turns of a call over a network that loses a tenth, doubles a tenth and reorders: changes from
either side, forks, transfers of every kind, redirections, video. The audio is heard after each."""

import re
import struct

from bad_world import (accept, aim, bad_network, BadWorld, called, CALLS, came, change, check_hears,
                       dial, escape, finish, hang_up, names_of, prack, released, ring, ring_early,
                       talk, told_of_success, until_of, WithBob)
from impair import in_parallel, until
from sip_message import make_sdp
from test_srtp import both_hear as check_talks
from test_video import line_of, video

EXTENSIONS = {"1001": "", "1002": ""}


@bad_network(21)
def test_codec_and_address_change(w, number):
    a, b = talk(w, number)
    first = a if number % 2 else b
    change(first, codecs=("PCMU",))
    codecs = ("PCMU", "PCMA") if first is a else ("PCMA", "PCMU")
    check_hears(a, b, 440, *codecs)
    check_hears(b, a, 660, *codecs[::-1])
    moved = w.rtp(first.agent)
    moved.remote, first.rtp = first.rtp.remote, moved
    change(first, codecs=("PCMA",))
    check_talks(a, b)
    hang_up(a, b)


@bad_network(31)
def test_a_refused_change_leaves_the_call_as_it_is(w, number):
    a, b = talk(w, number)
    for first in (a, b):
        body = make_sdp(first.agent.ip, first.rtp.port, version=2)
        first.request("INVITE", re.sub("RTP/AVP [0-9 ]+", "RTP/AVP 99", body))
        until(first, 488)
        check_talks(a, b)
    hang_up(a, b)


@bad_network(22)
def test_hold_by_update_and_an_offerless_reinvite(w, number):
    a, b = talk(w, number)
    holder = b if number % 2 else a
    assert change(holder, "UPDATE", direction="inactive").direction == "inactive"
    while True:
        holder.request("INVITE")
        offered = until(holder, 200, 500)
        if offered.status == 200:
            break
    assert offered.sdp.audio.direction == "sendrecv", offered
    holder.ack(make_sdp(holder.agent.ip, holder.rtp.port, version=9))
    assert change(holder, "UPDATE").direction == "sendrecv"
    check_talks(a, b)
    hang_up(b, a)


def test_both_sides_offer_at_once():
    with BadWorld(23, carrier="hold = pass", extensions={"1001": "hold = pass"}) as w:
        def serve(dialog, done):
            """Its own hold and resume, and what the other's bring, until both are over."""
            version, direction, wanted = 1, "sendonly", 2
            dialog.request("INVITE", make_sdp(dialog.agent.ip, dialog.rtp.port, version=2,
                                              direction=direction))
            while wanted:
                message = until(dialog, 200, 491, 500, "INVITE")
                if message.method:
                    version += 1
                    dialog.reply(200, make_sdp(dialog.agent.ip, dialog.rtp.port,
                                               version=20 + version, direction=direction),
                                 to=message)
                    continue
                if message.status == 200:
                    dialog.ack()
                    wanted -= 1
                    direction = None
                if wanted:
                    version += 1
                    dialog.request("INVITE", make_sdp(dialog.agent.ip, dialog.rtp.port,
                                                      version=20 + version, direction=direction))
            done.append(dialog)

        def call(number):
            a, b = talk(w, number)
            done = []
            in_parallel(lambda i: serve((a, b)[i], done), 2)
            for dialog in (a, b):  # what still comes of the other one's resume
                while not w_settled(dialog):
                    pass
            check_talks(a, b)
            hang_up(a, b)

        def w_settled(dialog):
            """Answers what comes within a moment. True: nothing did."""
            try:
                message = until(dialog, "INVITE", timeout=2.5)
            except AssertionError:
                return True
            dialog.version = getattr(dialog, "version", 60) + 1
            dialog.reply(200, make_sdp(dialog.agent.ip, dialog.rtp.port, version=dialog.version),
                         to=message)
            return False

        in_parallel(call, 2)
        w.check_over()


@bad_network(24)
def test_forks_and_the_late_200_of_one(w, number):
    a, b = ring(w, number)
    first, second = (f"{b.invite.get('To')};tag={tag}{number}" for tag in ("x", "y"))
    b.reply(180, headers=[("To", first)])
    b.reply(183, make_sdp(w.alice.ip, b.rtp.port), headers=[("To", second)])
    b.local = first
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port), [("To", first)])
    aim(a, until(a, 200))
    a.ack()
    assert until(b, "ACK").to_tag == f"x{number}"
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port), [("To", second)])
    acked = ended = False
    while not (acked and ended):
        message = until(b, "ACK", "BYE")
        assert message.to_tag == f"y{number}", message
        acked, ended = acked or message.method == "ACK", ended or message.method == "BYE"
        if message.method == "BYE":
            b.reply(200, to=message)
    check_talks(a, b)
    hang_up(a, b)


@bad_network(25)
def test_updates_before_the_answer(w, number):
    a, b, early = ring_early(w, number)
    prack(a, early)
    assert change(a, "UPDATE", direction="inactive").direction == "inactive"
    assert change(a, "UPDATE").direction == "sendrecv"
    moved = w.rtp(w.alice)
    moved.remote, b.rtp = b.rtp.remote, moved
    change(b, "UPDATE")
    check_talks(a, b)
    b.reply(200)
    until_of(a, "INVITE")
    finish(a, b)


# --- transfers ---

@bad_network(26, world=WithBob)
def test_an_attended_transfer(w, number):
    a, b1 = talk(w, number)
    b2 = dial(w, w.alice, "1002", f"second {number}")
    c = called(w, w.bob, f"second {number}")
    aim(b2, until(b2, 200))
    b2.ack()
    b1.request("REFER", headers=[
        ("Refer-To", f"<sip:1002@pbx.test?Replaces={escape(names_of(b2))}>")])
    accept(a, until(a, "INVITE"), version=2)
    gone = told_of_success(b1)
    released(b1, gone)
    released(b2)
    check_talks(a, c)
    hang_up(a, c)


@bad_network(27, world=WithBob)
def test_a_transfer_that_fails_comes_back(w, number):
    a, b = talk(w, number)
    b.request("REFER", headers=[("Refer-To", "<sip:1002@pbx.test>")])
    c = called(w, w.bob, str(number), audio=False)
    c.reply(486)
    until(c, "ACK")
    while True:
        message = until(b, 202, "NOTIFY")
        if message.method:
            b.reply(200, to=message)
        if b"486" in message.body:
            break
    check_talks(a, b)
    hang_up(b, a)


@bad_network(28, world=WithBob)
def test_invite_with_replaces(w, number):
    a, b = talk(w, number)
    c = dial(w, w.bob, "1001", "", [("Replaces", names_of(b))])
    aim(c, until(c, 200))
    c.ack()
    released(b)
    check_talks(a, c)
    hang_up(c, a)


@bad_network(29, extensions={**EXTENSIONS, "1001": "pickup = yes"}, world=WithBob)
def test_pickup(w, number):
    a, b = ring(w, number)
    b.reply(180)
    if number == 0:
        came(a, 180, timeout=1)  # if the network does not lose it: nobody repeats it
    while True:  # 481 as long as the 180, with the tag, has been lost
        c = dial(w, w.bob, "1001", "", [("Replaces", names_of(b))])
        taken = until(c, 200, 481)
        if taken.status == 200:
            break
        b.reply(180)
    aim(c, taken)
    c.ack()
    b.reply(200, to=until(b, "CANCEL"))
    b.reply(487)
    aim(a, until(a, 200))
    a.ack()
    until(b, "ACK")
    check_talks(a, c)
    hang_up(a, c)


def test_click_to_dial():
    with WithBob(30) as w:
        def call(number):
            to = [("Refer-To", "<sip:1002@pbx.test>")]
            asker = w.stubborn(40 + number, user="1001", password="secret1001",
                               domain="pbx.test")
            r = asker.dialog("REFER", asker.uri("1001"), "", to)
            r.authenticate(until(r, 407), "", to)
            b = w.alice.incoming(25)
            b.rtp = w.rtp(w.alice)
            accept(b, b.invite)
            c = w.bob.incoming(25)
            c.rtp = w.rtp(w.bob)
            accept(c, c.invite)
            told_of_success(r)
            check_talks(b, c)
            hang_up(b, c)

        for number in range(CALLS):
            call(number)
        w.check_over()


@bad_network(31, world=WithBob)
def test_redirections(w, number):
    a, b = ring(w, number)
    b.reply(302, headers=[("Contact", "<sip:1002@pbx.test>")])
    until(b, "ACK")
    c = called(w, w.bob, str(number))
    aim(a, until(a, 200))
    a.ack()
    check_talks(a, c)
    hang_up(a, c)


# --- video ---

def passes(speaker, listener):
    before = len(listener.video.packets)
    for i in range(5):
        speaker.video.send(struct.pack("!I", i) + b"picture", 96, samples=3000)
    listener.video.wait(before + 5, 2.0)
    assert len(listener.video.packets) == before + 5, "pictures are lost"


def add(a, b, lines=None):
    """Video, by a's re-INVITE with these lines, of which b is asked first; the 200."""
    lines = lines or video(a.video.port)
    answered = None
    while not answered or answered.status != 200:
        if not answered or answered.status == 500:  # its last ACK was still on its way
            a.version = getattr(a, "version", 1) + 1
            a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, version=a.version,
                                         extra=lines))
        answered = None
        while not answered:
            asked = came(b, "INVITE")
            if asked:
                b.video.remote = line_of(asked.sdp).address
                accept(b, asked, version=2, extra=video(b.video.port))
            answered = came(a, 200, 500)
    return answered


@bad_network(32)
def test_video_that_is_added_and_taken_away(w, number):
    a, b = talk(w, number)
    a.video, b.video = w.rtp(w.carrier), w.rtp(w.alice)
    ok = add(a, b)
    a.ack()
    a.video.remote = line_of(ok.sdp).address
    passes(a, b)
    passes(b, a)
    check_talks(a, b)
    line = change(a, extra=video(0))
    assert line.port, "the audio stays"
    check_talks(a, b)
    hang_up(a, b)


# --- a peer that is gone ---

@bad_network(33, gateway="session-expires = 8s\nsession-min = 4s", calls=2 * CALLS)
def test_a_dead_peer_is_found(w, number):
    grants = [("Allow", "INVITE, ACK, BYE, UPDATE"), ("Session-Expires", "8;refresher=uas")]
    a, b = talk(w, number, grants)
    b.dead = True  # it refreshes nothing, and answers no BYE
    bye = until(a, "BYE")
    a.reply(200, to=bye)
    assert bye.get("Reason"), bye
