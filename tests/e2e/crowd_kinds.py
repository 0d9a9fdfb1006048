"""Every turn that a call can take, as ladders for a Crowd. ROUTES is the dialplan that they want."""


NUMBER = "+4930555100"
ROUTES = """
[route support]
from = trunk:carrier
to = +4930555100
ring = 1001

[route recorded]
from = trunk:carrier
to = 71
ring = 1001
record = stereo

[route welcomed]
from = trunk:carrier
to = 72
play = welcome.wav
ring = 1001

[route both]
from = trunk:carrier
to = 77
ring = 1001, 1002

[route hunt]
from = trunk:carrier
to = 78
ring = 1001 then 1002

[route echo]
from = trunk:carrier
to = 99
answer = echo

[route bob]
from = any
to = 1002
ring = 1002
"""
RELIABLE = [("Require", "100rel")]
CRYPTO = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
VIDEO = ["m=video 4002 RTP/AVP 97", "a=rtpmap:97 VP8/90000", "a=rtcp-fb:97 nack pli"]


def rings(call, number=NUMBER, headers=(), body=None):
    """Both legs of a call that rings."""
    a, b = call.caller("carrier"), call.leg("alice")
    a.ask("INVITE", number, a.sdp() if body is None else body, headers)
    yield b, "INVITE"
    b.reply(180)
    return a, b


def talks(call, number=NUMBER, headers=(), body=None, answer=None, answer_headers=()):
    """Both legs of a call that talks, and the answer that the caller had."""
    a, b = yield from rings(call, number, headers, body)
    b.reply(200, b.sdp() if answer is None else answer, answer_headers)
    ok = yield a, 200
    a.ack(ok)
    yield b, "ACK"
    return a, b, ok


def hangs_up(first, other):
    first.request("BYE")
    yield other, "BYE"
    yield first, 200


# --- plain calls ---

def caller_hangs_up(call):
    a, b, _ = yield from talks(call)
    yield from hangs_up(a, b)


def callee_hangs_up(call):
    a, b, ok = yield from talks(call)
    a.side.speak(ok)
    b.side.speak(b.invite)
    yield from hangs_up(b, a)


def both_hang_up(call):
    a, b, _ = yield from talks(call)
    a.request("BYE")
    b.request("BYE")
    yield a, 200
    yield b, 200


def late_offer(call):
    a, b = call.caller("carrier"), call.leg("alice")
    a.ask("INVITE", NUMBER)
    yield b, "INVITE"
    b.reply(200, b.sdp())
    ok = yield a, 200
    a.ack(ok, a.sdp())
    yield b, "ACK"
    yield from hangs_up(a, b)


def from_a_phone(call):
    a, b = call.caller("bob"), call.leg("alice")
    a.ask("INVITE", "1001", a.sdp())
    a.authenticate((yield a, 407))
    yield b, "INVITE"
    b.reply(200, b.sdp())
    ok = yield a, 200
    a.ack(ok)
    yield b, "ACK"
    yield from hangs_up(b, a)


def echoed(call):
    a = call.caller("carrier")
    a.ask("INVITE", "99", a.sdp())
    ok = yield a, 200
    a.ack(ok)
    a.side.speak(ok)
    a.request("BYE")
    yield a, 200


# --- calls that come to nothing ---

def busy(call):
    a, b = yield from rings(call)
    b.reply(486)
    yield a, 486


def unacceptable(call):
    a = call.caller("carrier")
    body = a.sdp("PCMA", events=None).replace("AVP 8", "AVP 77").replace("8 PCMA", "77 FOO")
    a.ask("INVITE", NUMBER, body)
    yield a, 488


def cancelled(call):
    a, b = yield from rings(call)
    yield a, 180
    a.cancel()
    cancel = yield b, "CANCEL"
    b.reply(200, to=cancel)
    b.reply(487)
    yield a, 487


def cancelled_too_late(call):
    a, b = yield from rings(call)
    yield a, 180
    a.cancel()
    cancel = yield b, "CANCEL"
    b.reply(200, b.sdp())
    b.reply(200, to=cancel)
    yield b, "BYE"


def to_nobody(call):
    a = call.caller("carrier")
    a.ask("INVITE", "4711", a.sdp())
    yield a, 404




def redirected(call):
    a, b = yield from rings(call)
    c = call.leg("bob")
    b.reply(302, headers=[("Contact", "<sip:1002@pbx.test>")])
    yield c, "INVITE"
    c.reply(486)
    yield a, 486


def too_much_asked(call):
    a = call.caller("carrier")
    a.ask("INVITE", NUMBER, a.sdp(), [("Require", "teleport")])
    yield a, 420
    a.ask("INVITE", NUMBER, "hello", [("Content-Type", "text/plain")])
    yield a, 415


# --- forks ---

def one_of_two_lifts(call):
    a, b, c = call.caller("carrier"), call.leg("alice"), call.leg("bob")
    a.ask("INVITE", "77", a.sdp())
    yield b, "INVITE"
    yield c, "INVITE"
    c.reply(180)
    b.reply(200, b.sdp())
    ok = yield a, 200
    a.ack(ok)
    cancel = yield c, "CANCEL"
    c.reply(200, to=cancel)
    c.reply(487)
    yield b, "ACK"
    yield from hangs_up(a, b)


def the_second_answers(call):
    a, b, c = call.caller("carrier"), call.leg("alice"), call.leg("bob")
    a.ask("INVITE", "78", a.sdp())
    yield b, "INVITE"
    b.reply(480)
    yield c, "INVITE"
    c.reply(200, c.sdp())
    ok = yield a, 200
    a.ack(ok)
    yield c, "ACK"
    yield from hangs_up(c, a)


# --- reliable responses, early media ---

def early_media_by_prack(call):
    a, b = call.caller("carrier"), call.leg("alice")
    a.ask("INVITE", NUMBER, a.sdp(), RELIABLE)
    yield b, "INVITE"
    b.reply(183, b.sdp(), [*RELIABLE, ("RSeq", "1")])
    b.reply(200, to=(yield b, "PRACK"))
    early = yield a, 183
    a.learn(early)
    a.side.speak(early)
    a.request("PRACK", headers=[("RAck", f"{early.get('RSeq')} {a.invite.get('CSeq')}")])
    yield a, 200
    b.reply(200)
    ok = yield a, 200
    a.ack(ok)
    yield b, "ACK"
    yield from hangs_up(a, b)


def early_media_then_cancelled(call):
    a, b = call.caller("carrier"), call.leg("alice")
    a.ask("INVITE", NUMBER, a.sdp())
    yield b, "INVITE"
    b.reply(183, b.sdp())
    yield a, 183
    a.cancel()
    b.reply(200, to=(yield b, "CANCEL"))
    b.reply(487)
    yield a, 487


def announced_then_busy(call):
    a, b = call.caller("carrier"), call.leg("alice")
    a.ask("INVITE", "72", a.sdp())
    yield a, 183
    yield b, "INVITE"
    b.reply(486)
    yield a, 486


# --- within a call ---

def held(call):
    a, b, _ = yield from talks(call)
    for leg, direction in ((a, "sendonly"), (a, None), (b, "inactive"), (b, None)):
        leg.request("INVITE", leg.sdp(direction=direction, version=leg.cseq + 2))
        leg.ack((yield leg, 200))
    yield from hangs_up(a, b)


def hold_and_codec_by_update(call):
    a, b, _ = yield from talks(call)
    for codec in ("PCMU", "PCMA"):
        a.request("UPDATE", a.sdp(codec, version=a.cseq + 2))
        yield a, (200, 488)
    yield from hangs_up(b, a)


def session_timer(call):
    timer = [("Session-Expires", "1800;refresher=uac"), ("Supported", "timer")]
    a, b, _ = yield from talks(call, headers=timer, answer_headers=timer)
    a.request("UPDATE", headers=timer)
    yield a, 200
    yield from hangs_up(a, b)


def digits_and_messages(call):
    a, b, _ = yield from talks(call)
    a.request("INFO", "Signal=5\r\nDuration=100\r\n",
              [("Content-Type", "application/dtmf-relay")])
    yield a, 200
    a.request("OPTIONS")
    yield a, 200
    b.request("MESSAGE", "hello", [("Content-Type", "text/plain")])
    request = yield a, "MESSAGE"
    a.reply(200, to=request)
    yield b, (200, 202)
    yield from hangs_up(a, b)


def refused_in_a_call(call):
    a, b, _ = yield from talks(call)
    a.request("INVITE", "nonsense")
    yield a, (400, 488)
    a.request("FLY")
    yield a, 501
    a.request("INFO", headers=[("Require", "teleport")])
    yield a, 420
    yield from hangs_up(a, b)
    a.request("INFO")
    yield a, 481


# --- media ---

def transcoded(codec):
    def steps(call):
        b = call.leg("alice")
        a, b, ok = yield from talks(call, answer=b.sdp(codec))
        a.side.speak(ok)
        b.side.speak(b.invite, b.invite.sdp.audio.payload_type(codec))
        yield None, 0.1
        yield from hangs_up(a, b)
    steps.__name__ = f"transcoded to {codec}"
    return steps


def recorded(call):
    a, b, ok = yield from talks(call, "71")
    a.side.speak(ok)
    b.side.speak(b.invite)
    yield None, 0.1
    yield from hangs_up(a, b)


def encrypted(call):
    a, b = call.caller("carrier"), call.leg("alice")
    body = a.sdp(extra=[CRYPTO]).replace("RTP/AVP", "RTP/SAVP")
    a, b, _ = yield from talks(call, body=body)
    yield from hangs_up(a, b)


def with_video(call):
    a, b = call.caller("carrier"), call.leg("alice")
    a, b, _ = yield from talks(call, body=a.sdp(extra=VIDEO), answer=b.sdp(extra=VIDEO))
    yield from hangs_up(b, a)


def with_unknown_lines(call):
    a = call.caller("carrier")
    extra = ["m=application 4004 TCP/BFCP *", "m=text 0 RTP/AVP 98"]
    a, b, _ = yield from talks(call, body=a.sdp(extra=extra))
    yield from hangs_up(b, a)


# --- transfers ---

def transferred(call):
    a, b, _ = yield from talks(call)
    c = call.leg("bob")
    b.request("REFER", headers=[("Refer-To", "<sip:1002@pbx.test>")])
    yield b, 202
    yield c, "INVITE"
    c.reply(200, c.sdp())
    yield c, "ACK"
    while True:
        told = yield b, ("NOTIFY", "BYE")
        if told.method == "BYE":
            break
        b.reply(200, to=told)
        if b"200 OK" in told.body:
            break
    yield from hangs_up(a, c)


def transferred_in_vain(call):
    a, b, _ = yield from talks(call)
    c = call.leg("bob")
    b.request("REFER", headers=[("Refer-To", "<sip:1002@pbx.test>")])
    yield b, 202
    yield c, "INVITE"
    c.reply(486)
    while True:
        told = yield b, "NOTIFY"
        b.reply(200, to=told)
        if "terminated" in told.get("Subscription-State"):
            break
    yield from hangs_up(b, a)


# --- outside of calls ---

def asked_and_registered(call):
    a = call.caller("carrier")
    a.ask("OPTIONS", "x")
    yield a, 200
    b = call.caller("bob")
    record = f"<sip:{b.side.user}@pbx.test>"
    b.local, b.target, b.remote = f"{record};tag={b.tag}", "sip:pbx.test", record
    b.request("REGISTER", headers=[("Expires", 600)])
    b.authenticate((yield b, 401))
    yield b, 200


def watched(call):
    a = call.caller("bob")
    a.ask("SUBSCRIBE", "1001", headers=[("Event", "dialog"), ("Expires", "0")])
    challenge = yield a, (401, 407)
    a.authenticate(challenge)
    yield a, (200, 202)
    a.reply(200, to=(yield a, "NOTIFY"))




KINDS = [caller_hangs_up, callee_hangs_up, both_hang_up, late_offer, from_a_phone, echoed, busy,
         unacceptable, cancelled, cancelled_too_late, to_nobody, redirected, too_much_asked,
         one_of_two_lifts, the_second_answers, early_media_by_prack, early_media_then_cancelled,
         announced_then_busy, held, hold_and_codec_by_update, session_timer, digits_and_messages,
         refused_in_a_call, transcoded("PCMU"), transcoded("G722"), transcoded("opus"), recorded,
         encrypted, with_video, with_unknown_lines, transferred, transferred_in_vain,
         asked_and_registered, watched]
