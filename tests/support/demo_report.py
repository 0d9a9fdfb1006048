"""What a person is shown of a demonstration's call, and whether it was as it should be."""

import dataclasses
import os

from capture import ladder
from score import read_wav, score


@dataclasses.dataclass
class Check:
    """One thing that should be so."""
    good: bool
    what: str
    detail: str = ""


def best_score(said, heard):
    """The score of the recording, of several, in which the speech is most itself."""
    sent, rate = said
    scores = [score(sent, samples, rate, its_rate) for samples, its_rate in heard]
    return max(scores, key=lambda found: found.correlation, default=None)


def check_speech(what, said, heard):
    found = best_score(said, heard)
    if found is None:
        return Check(False, what, "nothing was heard")
    faults = found.faults()
    return Check(not faults, what, found.line() if not faults else "; ".join(faults))


def check_digits(what, pressed, arrived):
    return Check(arrived == pressed, what,
                 f"pressed {pressed!r}, arrived {arrived!r}" if arrived != pressed else
                 f"{pressed!r}, once")


def check_codecs(record, call):
    got = (record.get("a", {}).get("codec"), record.get("b", {}).get("codec"))
    good = tuple(str(name).lower() for name in got) == ("pcma", call.codec.lower())
    return Check(good, "transcoded", f"{got[0]} ↔ {got[1]}")


def check_digest(messages):
    """Challenged, and then believed."""
    register = [message for message in messages if message.method == "REGISTER"]
    challenged = any(message.status == 401 for message in register)
    proved = any(message.get("Authorization") and not message.status for message in register)
    taken = any(message.status == 200 for message in register)
    return Check(challenged and proved and taken, "registered by digest",
                 "REGISTER, 401, REGISTER with a response, 200" if challenged and proved and taken
                 else " ".join(message.title for message in register))


def check_loss(capture, what):
    """No sequence number is missing in what the gateway sent."""
    streams = [stream for stream in capture.rtp() if stream.inward]
    packets, lost = sum(len(s.packets) for s in streams), sum(s.lost for s in streams)
    return Check(packets > 0 and lost == 0, what, f"{packets} packets, {lost} missing")


def check_recording(record, said):
    """Caller left, callee right, and nobody on the wrong side."""
    path = record.get("recording")
    if not path or not os.path.exists(path):
        return [Check(False, "recorded", f"there is no {path or 'recording'}")]
    checks = []
    for who, side in (("caller", "left"), ("callee", "right")):
        checks.append(check_speech(f"recording, {side}: the {who}", said[who],
                                   [read_wav(path, side)]))
        other = "right" if side == "left" else "left"
        crossed = best_score(said[who], [read_wav(path, other)])
        checks.append(Check(crossed.correlation < 0.5, f"recording, {other}: not the {who}",
                            f"correlation {crossed.correlation:.2f}"))
    return checks


def judge(seen, welcome):
    """Every check of a call."""
    call, record = seen.call, seen.record
    said = {"caller": seen.caller_said, "callee": seen.callee_said}
    return [
        check_digest(seen.phone_capture.sip()),
        check_speech("the caller heard the welcome", read_wav(welcome), seen.caller_heard),
        check_codecs(record, call),
        check_speech("the callee heard the caller", said["caller"], seen.callee_heard),
        check_speech("the caller heard the callee", said["callee"], seen.caller_heard),
        check_digits("digit from caller to callee", call.caller_digit, seen.callee_digits),
        check_digits("digit from callee to caller", call.callee_digit, seen.caller_digits),
        check_loss(seen.carrier_capture, "sent to the caller"),
        check_loss(seen.phone_capture, "sent to the callee"),
        *check_recording(record, said),
        Check(record.get("status") == 200, "ended in order",
              f"status {record.get('status')}, hung up by "
              f"{ {'a': 'the caller', 'b': 'the callee'}.get(record.get('ended_by'), '?') }"),
    ]


def media_table(record):
    """Packets, loss and delay of each way, as the gateway counted them."""
    yield (f"{'':21}{'packets':>8}{'lost':>6}{'late':>6}{'concealed':>11}{'jitter':>10}"
           f"{'delay in Twinleg':>24}")
    for side, other, names in (("a", "b", "caller → callee"), ("b", "a", "callee → caller")):
        one = record.get(side, {})
        mean, most = one.get("delay_us", 0) / 1000, one.get("delay_max_us", 0) / 1000
        yield (f"   {names:18}{one.get('rx_pkts', 0):>8}{one.get('lost_pkts', 0):>6}"
               f"{one.get('late_pkts', 0):>6}{one.get('concealed_ms', 0):>8} ms"
               f"{one.get('jitter_us', 0) / 1000:>7.1f} ms{mean:>8.1f} ms, most {most:.1f} ms")


def show(seen, checks, tell):
    """Ladder, media, checks, and where things lie."""
    messages = sorted(seen.carrier_capture.sip() + seen.phone_capture.sip(),
                      key=lambda message: message.at)
    tell("")
    call = seen.call
    for line in ladder(messages, (f"carrier, {call.carrier.name}", seen.carrier_capture.place),
                       "Twinleg", f"{call.extension}, baresip"):
        tell(line)
    tell("")
    for line in media_table(seen.record):
        tell(line)
    tell("")
    for check in checks:
        tell(f"   {'✓' if check.good else '✗'} {check.what:34} {check.detail}")
    tell(f"\n   recording  {seen.record.get('recording', '-')}")
    tell(f"   capture    {seen.pcap}")
