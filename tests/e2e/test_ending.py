"""How a call goes on when its targets fail, how it ends, and what its record says of that."""

from rtp import sine, wav
from sip_message import make_sdp, param, uri_of
from world import RING_ALICE, World, connect, wait_until

NUMBER = "+4930555100"
TONE = {"busy.wav": wav(sine(700, 0.8)), "welcome.wav": wav(sine(400, 0.4)),
        "ringback.wav": wav(sine(900, 0.5))}


def route(**keys):
    keys = {"from": "trunk:carrier", "to": NUMBER, **keys}
    return "[route support]\n" + lines(keys)


def follow(**keys):
    return "[route voicebox]\n" + lines(keys)


def lines(keys):
    return "".join(f"{name.replace('_', '-')} = {value}\n" for name, value in keys.items())


def call(world, caller=None, number=NUMBER, **sdp):
    caller = caller or world.carrier
    media = world.rtp(caller)
    a = caller.invite(number, make_sdp(caller.ip, media.port, **sdp))
    a.rtp = media
    return a


def arrives(world, phone):
    b = world.called(phone)
    return b


def refuse(dialog, status):
    dialog.reply(status)
    dialog.expect("ACK")


def answer(world, a, b):
    connect(a, b, make_sdp(b.agent.ip, b.rtp.port))


def check(shown, **wanted):
    got = {key: shown.get(key) for key in wanted}
    assert got == wanted, (got, wanted)


# --- records ---

def test_the_record_of_a_call_that_the_caller_ends():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)
        shown = w.record()
        check(shown, status=200, ended_by="a", target="1001", route="support", callee=NUMBER,
              source="trunk:carrier", caller="+4917011122", call_id_a=a.call_id,
              call_id_b=b.call_id, talk_s=0)
        assert {"started_ms", "ringing_ms", "answered_ms", "ended_ms"} <= set(shown), shown


def test_the_record_of_a_call_that_the_callee_ends():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(b, a)
        check(w.record(), status=200, ended_by="b", target="1001")


def test_the_record_of_a_call_that_is_cancelled():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        a.cancel()
        a.expect(200)
        a.expect(487)
        b.answer_request("CANCEL")
        refuse(b, 487)
        shown = w.record()
        check(shown, status=487, ended_by="a", target="1001", answered_ms=None, talk_s=0,
              call_id_b=b.call_id)
        assert shown["ringing_ms"] >= shown["started_ms"]


def test_the_record_of_a_call_that_the_callee_refuses():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        refuse(b, 486)
        a.expect(486)
        check(w.record(), status=486, ended_by="b", target="1001", answered_ms=None,
              call_id_a=a.call_id, call_id_b=b.call_id)


def test_the_record_of_a_call_that_nobody_answers():
    with World(routes=route(ring="1001, 1002", ring_time="1s")) as w:
        a = call(w)
        for phone in (w.alice, w.bob):
            arrives(w, phone).reply(180)
        a.expect(180)
        assert a.expect_any().status == 480
        check(w.record(), status=480, ended_by="gateway", target="1001, 1002")


def test_the_record_of_a_call_to_an_unknown_number():
    with World() as w:
        call(w, number="+4999").expect(404)
        check(w.record(), status=404, ended_by="gateway", target=None, route=None,
              callee="+4999", ringing_ms=None, answered_ms=None)


def test_the_record_of_a_call_to_a_phone_that_is_not_there():
    with World(register=()) as w:
        call(w).expect(480)
        check(w.record(), status=480, ended_by="gateway", target="1001", ringing_ms=None)


def test_the_record_of_a_call_that_the_operator_ends():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.gateway.control("hangup", w.gateway.control("calls")[0]["id"])
        a.answer_request("BYE")
        b.answer_request("BYE")
        shown = w.record()
        check(shown, status=200, ended_by="gateway")
        assert "operator" in shown["reason"], shown


def test_the_record_of_a_call_that_lasts_too_long():
    with World(routes=RING_ALICE + "max-duration = 1s\n") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for leg in (a, b):
            bye = leg.answer_request("BYE", timeout=4)
            assert "maximum duration" in bye.get("Reason", ""), bye
        shown = w.record()
        check(shown, status=200, ended_by="gateway", talk_s=1)
        assert "maximum duration" in shown["reason"], shown


def test_the_record_names_who_answered_of_those_that_rang():
    with World(routes=route(ring="1001, 1002")) as w:
        a = call(w)
        b, other = arrives(w, w.alice), arrives(w, w.bob)
        other.reply(180)
        a.expect(180)
        answer(w, a, other)
        b.reply(180)
        b.answer_request("CANCEL")
        refuse(b, 487)
        w.hang_up(a, other)
        check(w.record(), status=200, target="1002", call_id_b=other.call_id)


def test_the_record_of_a_call_by_a_trunk():
    with World(routes="[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n") as w:
        a, b = w.talk(w.alice, "0123", w.carrier)
        w.hang_up(a, b)
        check(w.record(), source="extension:1001", caller="1001", target="trunk:carrier",
              status=200)


def test_a_recording_that_cannot_be_made_is_not_in_the_record_of_an_unanswered_call():
    with World(routes=RING_ALICE + "record = stereo\n") as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        refuse(b, 486)
        a.expect(486)
        check(w.record(), recording=None)


# --- what the caller is told ---

def test_the_best_refusal_of_all_steps_is_told():
    # RFC 3261 16.7: that the second was not to be had says less than that the first is busy.
    with World(routes=route(ring="1001 then 1002")) as w:
        a = call(w)
        refuse(arrives(w, w.alice), 486)
        refuse(arrives(w, w.bob), 500)
        a.expect(486)
        check(w.record(), status=486, ended_by="b")


def test_503_of_a_target_is_not_ours():
    # RFC 3261 16.7: a 503 would make the caller's carrier take the gateway for dead.
    with World() as w:
        a = call(w)
        refuse(arrives(w, w.alice), 503)
        a.expect(480)


def test_objections_to_our_own_request_are_not_the_callers():
    for status in (400, 415, 420):
        with World() as w:
            a = call(w)
            refuse(arrives(w, w.alice), status)
            a.expect(500)


def test_183_without_media_is_no_ringing():
    with World() as w:
        a = call(w)
        b = arrives(w, w.alice)
        a.expect(100)
        b.reply(183)
        a.expect_nothing(0.3)
        b.reply(180)
        a.expect(180)
        answer(w, a, b)
        w.hang_up(a, b)


def test_on_busy_reject():
    with World(routes=route(ring="1001", on_busy="reject 404 Gone Fishing")) as w:
        a = call(w)
        refuse(arrives(w, w.alice), 486)
        told = a.expect(404)
        assert told.phrase == "Gone Fishing", told.start
        check(w.record(), status=404, ended_by="gateway", target="1001")


# --- what follows ---

def test_welcome_then_ringing_then_busy_then_an_announcement():
    # The early answer is the final one: same codec, same port, as announcement and 200 say.
    routes = route(play="welcome.wav", ring="1001", on_busy="route:voicebox") + \
        follow(play="busy.wav")
    with World(routes=routes, prompts=TONE) as w:
        a = call(w, codecs=("PCMU", "PCMA"))
        early = a.expect(183)
        refuse(arrives(w, w.alice), 486)
        ok = a.expect_any()
        while ok.status == 183 or ok.status == 180:
            ok = a.expect_any()
        assert ok.status == 200, ok
        assert ok.sdp.audio.rtpmap() == early.sdp.audio.rtpmap(), "the answer has changed"
        assert ok.sdp.audio.address == early.sdp.audio.address
        a.ack()
        a.answer_request("BYE", timeout=5)
        codec = ok.sdp.audio.codecs()[0]
        assert a.rtp.heard(700, codec, since=25) > 0.8, a.rtp.heard(700, codec, since=25)
        check(w.record(), status=200, ended_by="gateway", route="voicebox")


def test_the_ringing_tone_gives_way_to_an_echo():
    routes = route(play="welcome.wav", ring="1001", ring_time="1s",
                   on_no_answer="route:voicebox") + follow(answer="echo")
    with World(routes=routes, prompts=TONE) as w:
        a = call(w)
        a.rtp.remote = a.expect(183).sdp.audio.address
        b = arrives(w, w.alice)
        b.reply(180)
        b.answer_request("CANCEL")
        refuse(b, 487)
        while a.expect_any().status != 200:
            pass
        a.ack()
        since = len(a.rtp.packets)
        a.rtp.tone(440, 0.6)
        assert a.rtp.heard(440, since=since) > 0.9, a.rtp.heard(440, since=since)
        a.bye()


def test_the_ringing_tone_is_heard_again_after_a_second_announcement():
    routes = route(play="welcome.wav", ring="1001", on_busy="route:voicebox") + \
        follow(play="busy.wav", ring="1002", play_as="early")
    with World(routes=routes, prompts=TONE) as w:
        a = call(w)
        a.expect(183)
        b = arrives(w, w.alice)
        b.reply(180)
        a.rtp.wait(40)
        refuse(b, 486)
        second = arrives(w, w.bob)
        second.reply(180)
        since = len(a.rtp.packets)
        a.rtp.wait(since + 25, 2.0)
        assert a.rtp.heard(900, since=since + 5) > 0.7, a.rtp.heard(900, since=since + 5)
        answer_after_early(w, a, second)
        w.hang_up(a, second)


def answer_after_early(world, a, b):
    b.reply(200, make_sdp(b.agent.ip, b.rtp.port))
    while a.expect_any().status != 200:
        pass
    a.ack()
    b.expect("ACK")


def test_an_offerless_invite_hears_the_announcement_and_talks():
    with World(routes=route(play="welcome.wav", ring="1001"), prompts=TONE) as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER)
        offer = a.expect(200).sdp.audio
        assert offer.direction == "sendrecv"
        media.remote, a.rtp = offer.address, media
        a.ack(make_sdp(w.carrier.ip, media.port))
        b = arrives(w, w.alice)
        assert media.heard(400) > 0.9, media.heard(400)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        b.expect("ACK")
        since = len(media.packets)
        tone = media.tone_start(440, 0.5)
        b.rtp.tone(660, 0.5)
        tone.join()
        assert b.rtp.heard(440) > 0.9 and media.heard(660, since=since) > 0.9
        w.hang_up(a, b)


def test_an_offerless_invite_whose_ack_answers_with_nothing_useful_is_ended():
    with World() as w:
        a = w.carrier.invite(NUMBER)
        b = arrives(w, w.alice)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(200)
        a.ack(make_sdp(w.carrier.ip, 4000, codecs=(), events=None,
                       extra=("m=audio 4000 RTP/AVP 98", "a=rtpmap:98 speex/8000")))
        b.expect("ACK")
        a.answer_request("BYE")
        b.answer_request("BYE")


def test_the_calling_trunks_limit_is_given_back_however_a_call_ends():
    with World(carrier="max-calls = 1") as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        refuse(b, 486)
        a.expect(486)
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        a.cancel()
        a.expect(200)
        a.expect(487)
        b.answer_request("CANCEL")
        refuse(b, 487)
        call(w, number="+4999").expect(404)
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        second = call(w)
        second.expect(503)
        w.hang_up(a, b)
        wait_until(lambda: not w.gateway.control("calls"))
        trunk = next(t for t in w.gateway.control("trunks") if t["name"] == "carrier")
        assert trunk["calls"] == 0, trunk


# --- who calls ---

def check_anonymous(invite):
    sender = invite.get("From")
    assert uri_of(sender) == "sip:anonymous@anonymous.invalid", sender
    assert sender.startswith('"Anonymous"') or sender.startswith("Anonymous"), sender
    assert param(sender, "tag")
    assert "id" in invite.get("Privacy", ""), invite
    assert "1001" not in str(invite.get("Contact")), invite.get("Contact")
    for name in ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"):
        assert not invite.get(name), invite


def test_a_withheld_number_is_shown_nowhere():
    routes = "[route out]\nfrom = extension\nto = 0X.\ncaller = withheld\nring = trunk:carrier\n"
    with World(routes=routes) as w:
        a, b = w.ring(w.alice, "0123", w.carrier)
        check_anonymous(b.invite)
        assert "1001@" not in str(b.invite) and "Phone" not in str(b.invite), b.invite
        refuse(b, 486)
        a.expect(486)


def test_who_comes_anonymous_goes_on_anonymous():
    with World() as w:
        a = w.carrier.dialog("INVITE", w.carrier.uri(NUMBER), make_sdp(w.carrier.ip, 4000),
                             local='"Anonymous" <sip:anonymous@anonymous.invalid>')
        b = arrives(w, w.alice)
        check_anonymous(b.invite)
        refuse(b, 486)
        a.expect(486)


def test_a_registration_with_bytes_of_no_language_is_still_listed():
    with World(register=()) as w:
        phone = w.phone("1001", 11, user_agent="Phone \udcff\udcfe 3")
        listed = w.gateway.control("registrations")
        assert [r["extension"] for r in listed] == ["1001"], listed
        assert phone.hostport in listed[0]["contact"], listed
