"""A call that rings at one telephone is taken at another: INVITE with Replaces of an early dialog
(RFC 3891 3), named as the lamp says (RFC 4235)."""

from sip_message import make_sdp
from test_event import Watch, lamp, names
from test_transfer import NUMBER, THREE, check_talks, shown, three
from world import connect

PICKUP = {**THREE, "1001": "pickup = yes"}


def named(notify):
    """Replaces as RFC 4235 and RFC 5359 2.16 want it: the watched one's tag is our from-tag."""
    dialog, = [attributes for name, _, attributes in names(notify) if name == "dialog"]
    return dialog and (f"{dialog['call-id']};to-tag={dialog['remote-tag']};"
                       f"from-tag={dialog['local-tag']}")


def rings(w, watch=None):
    """The carrier's call rings at alice's: both dialogs, and how to replace hers."""
    a, b = w.ring(w.carrier, NUMBER, w.alice)
    if watch:
        return a, b, named(watch.until(lambda n: lamp(n) == [("recipient", "early")]))
    remote = b.remote.rpartition("tag=")[2]
    return a, b, f"{b.call_id};to-tag={remote};from-tag={b.local_tag}"


def pick(w, phone, replaces, codecs=("PCMA",), number="1001"):
    media = w.rtp(phone)
    c = phone.invite(number, make_sdp(phone.ip, media.port, codecs),
                     [("Replaces", replaces), ("Require", "replaces")])
    c.rtp = media
    return c


def check_taken(w, a, b, c, codec="PCMA"):
    ok = c.expect(200)
    c.rtp.remote = ok.sdp.audio.address
    c.ack()
    cancel = b.expect("CANCEL")
    assert "elsewhere" in cancel.get("Reason"), cancel
    b.reply(200, to=cancel)
    b.reply(487)
    b.expect("ACK")
    a.rtp.remote = a.expect(200).sdp.audio.address
    a.ack()
    check_talks(a, c, "PCMA", codec)
    return ok


def test_a_call_is_picked_up_as_the_lamp_says():
    with three(extensions=PICKUP) as w:
        watch = Watch(w.bob, "1001", "dialog")
        watch.notify()
        a, b, replaces = rings(w, watch)
        c = pick(w, w.bob, f"{replaces};early-only")
        ok = check_taken(w, a, b, c)
        assert "+4917011122" in ok.get("P-Asserted-Identity"), "he sees who is calling"
        talking, = shown(w, 1)
        assert (talking["source"], talking["target"]) == ("trunk:carrier", "1002"), talking
        watch.until(lambda n: lamp(n) == [])
        w.hang_up(a, c)


def test_the_picker_speaks_another_codec():
    with three(extensions=PICKUP) as w:
        a, b, replaces = rings(w)
        c = pick(w, w.bob, replaces, ("PCMU",))
        check_taken(w, a, b, c, "PCMU")
        w.hang_up(c, a)


DIRECT = ("[route office]\nfrom = any\nto = +4930555100\nmedia = direct\nring = 1001\n"
          "[route bob]\nfrom = any\nto = 1002\nring = 1002\n")


def test_a_call_with_direct_media():
    # there are two offers and no answer: so the media come to us
    with three(extensions=PICKUP, routes=DIRECT) as w:
        a, b, replaces = rings(w)
        assert b.invite.sdp.audio.address == (w.carrier.ip, a.rtp.port), b.invite
        c = pick(w, w.bob, replaces, ("PCMU",))
        check_taken(w, a, b, c, "PCMU")
        w.hang_up(a, c)


def test_a_call_with_direct_media_whose_early_media_flow():
    with three(extensions=PICKUP, routes=DIRECT) as w:
        a, b, replaces = rings(w)
        b.reply(183, make_sdp(w.alice.ip, b.rtp.port))
        assert a.expect(183).sdp.audio.address == (w.alice.ip, b.rtp.port)
        pick(w, w.bob, replaces).expect(488)
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        w.hang_up(a, b)


def late(w):
    """The picker has no offer: both dialogs, and his."""
    a, b, replaces = rings(w)
    c = w.bob.invite("1001", "", [("Replaces", replaces)])
    c.rtp = w.rtp(w.bob)
    c.rtp.remote = c.expect(200).sdp.audio.address
    a.rtp.remote = a.expect(200).sdp.audio.address
    a.ack()
    return a, b, c


def test_a_picker_without_an_offer():
    for routes in (None, DIRECT):
        with three(extensions=PICKUP, **({"routes": routes} if routes else {})) as w:
            a, _, c = late(w)
            c.ack(make_sdp(w.bob.ip, c.rtp.port, ("PCMU",)))
            check_talks(a, c, "PCMA", "PCMU")
            w.hang_up(a, c)


def test_a_picker_who_never_answers_our_offer():
    with three(extensions=PICKUP) as w:
        a, _, c = late(w)
        c.ack()
        a.answer_request("BYE")
        c.answer_request("BYE")


def test_the_caller_is_an_extension_and_sees_who_has_picked_up():
    with three(extensions=PICKUP) as w:
        a, b = w.ring(w.carol, "1001", w.alice)
        replaces = f"{b.call_id};to-tag={b.remote.rpartition('tag=')[2]};from-tag={b.local_tag}"
        c = pick(w, w.bob, replaces)
        check_taken(w, a, b, c)
        assert "sip:1002@pbx.test" in a.answer.get("P-Asserted-Identity"), a.answer
        w.hang_up(a, c)


def test_ones_own_other_telephone_may():
    with three() as w:
        a, b, replaces = rings(w)
        other = w.phone("1001", 20, register=False)
        c = pick(w, other, replaces)
        check_taken(w, a, b, c)
        w.hang_up(a, c)


def refused(status, phone="bob", replaces=None, **more):
    with three(**more) as w:
        a, b, right = rings(w)
        pick(w, getattr(w, phone), replaces or right).expect(status)
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        check_talks(a, b)
        w.hang_up(a, b)


def test_others_may_not_where_it_is_not_allowed():
    refused(403)


def test_a_trunk_may_not():
    refused(403, "backup", extensions=PICKUP)


def test_tags_must_fit():
    refused(481, replaces="nobody@nowhere;to-tag=1;from-tag=2", extensions=PICKUP)


def test_a_dialog_that_is_not_ours_to_cancel():
    # RFC 3891 3: an early dialog that the other side began
    with three(extensions=PICKUP) as w:
        a, b, _ = rings(w)
        early = [m for m in a.messages if m.status == 180][0]
        pick(w, w.bob, f"{a.call_id};to-tag={early.to_tag};from-tag={a.local_tag}").expect(481)
        b.reply(486)
        a.expect(486)


def test_a_picker_without_a_codec_in_common():
    with three(extensions=PICKUP, gateway="codecs = PCMA, PCMU") as w:
        a, b, replaces = rings(w)
        pick(w, w.bob, replaces, ("G722",)).expect(488)
        b.reply(486)
        a.expect(486)


def test_one_of_a_group_that_rings():
    routes = "[route office]\nfrom = any\nto = +4930555100\nring = 1001, 1003\n"
    with three(extensions=PICKUP, routes=routes) as w:
        a, b, replaces = rings(w)
        d = w.carol.called()
        d.reply(180)
        c = pick(w, w.bob, replaces)
        cancel = d.expect("CANCEL")
        d.reply(200, to=cancel)
        d.reply(487)
        check_taken(w, a, b, c)
        w.hang_up(a, c)


def test_the_caller_gives_up_while_it_is_picked_up():
    with three(extensions=PICKUP) as w:
        a, b, replaces = rings(w)
        a.cancel()
        answer = pick(w, w.bob, replaces).expect_any()
        assert answer.status in (481, 603), answer  # 603: known, and over
        w.alive()


def test_a_tag_of_any_bytes_leaves_the_lamp_readable():
    """It may be a quoted string: where XML can't say it, the lamp says that it rings, no more."""
    with three(extensions=PICKUP) as w:
        watch = Watch(w.bob, "1001", "dialog")
        watch.notify()
        for tag, told in (('"<a>&\\"b\\"\'é"', True), ('"\udcff\x01"', False)):
            a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
            b = w.alice.called()
            b.local_tag = tag
            b.reply(180)
            a.expect(180)
            early = watch.until(lambda n: lamp(n) == [("recipient", "early")])
            dialog, = [attributes for name, _, attributes in names(early) if name == "dialog"]
            assert dialog.get("local-tag") == (tag if told else None), early
            b.reply(486)
            b.expect("ACK")
            a.expect(486)
            watch.until(lambda n: lamp(n) == [])
