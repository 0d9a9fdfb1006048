"""The dialplan on the wire: patterns and their order, hours by their own clock, what `explain` foretold,
expectations at a reload, a file with passwords that others may read."""

import datetime
import os
import re
import signal
import zoneinfo

import harness
from sip_message import make_sdp, uri_of, user_of
from test_call import ROUTE_OUT
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
PATTERNS = (  # in file order: who takes which number
    ("exact", "112", ("112",), ("1120", "11")),
    ("plus", "+4930Z", ("+49301", "+49309"), ("+49300", "4930", "+493011")),
    ("digit", "7X", ("70", "79"), ("7", "7a", "700")),
    ("from2", "8N", ("82", "89"), ("81", "80")),
    ("set", "9[1-35].", ("911", "93000", "9512345"), ("91", "940")),
    ("rest", "5!", ("5", "5123"), ("6",)),
    ("some", "6.", ("61", "6123456"), ("6",)),
    ("later", "11X", ("110", "113"), ()),  # 112 is taken before
    ("many", "300, 4[02]X, *98", ("300", "401", "429", "*98"), ("301", "411", "98")),
)


def reject_routes():
    return "".join(f"[route {name}]\nto = {pattern}\nreject = 488 Route {name}\n"
                   for name, pattern, _, _ in PATTERNS) + "[route else]\nreject = 488 Route else\n"


def test_numbers_meet_the_first_pattern_that_fits():
    with World(routes=reject_routes(), register=()) as w:
        def taken_by(number):
            answer = w.carrier.invite(number, make_sdp(w.carrier.ip, 4000)).expect_any()
            return answer.phrase.removeprefix("Route ")

        for name, pattern, fits, others in PATTERNS:
            for number in fits:
                assert taken_by(number) == name, f"{number} should meet {pattern}"
            for number in others:
                assert taken_by(number) != name, f"{number} should not meet {pattern}"


# --- hours ---

EAST, WEST = "Pacific/Kiritimati", "Pacific/Niue"  # 25 hours apart: never the same date


def hours_route(name, zone, line):
    return f"[hours {name}]\ntimezone = {zone}\n{line}\n[route {name}]\nwhen = {name}\n" \
           f"reject = 488 {name}\n"


def now_in(zone):
    return datetime.datetime.now(zoneinfo.ZoneInfo(zone))


def test_hours_go_by_their_own_clock():
    if now_in(EAST).minute == 59 and now_in(EAST).second > 40:
        raise harness.Skip("the hour ends just now")
    day = {zone: now_in(zone).strftime("%a").lower() for zone in (EAST, WEST)}
    date = {zone: now_in(zone).date() for zone in (EAST, WEST)}
    always = "mon-sun = 00:00-24:00\n"
    far = f"{date[EAST] + datetime.timedelta(200)}..{date[EAST] + datetime.timedelta(300)}"
    hour = now_in(EAST).hour
    routes = (
        hours_route("weekday-elsewhere", WEST, f"{day[EAST]} = 00:00-24:00"),
        hours_route("date-elsewhere", WEST, f"open = {date[EAST]}"),
        hours_route("on-a-holiday", EAST, f"{always}closed = {date[EAST]:%m-%d}"),
        hours_route("in-the-holidays", EAST, f"{always}closed = {date[WEST]}..{date[EAST]}"),
        hours_route("in-another-hour", EAST, f"mon-sun = {(hour + 2) % 24:02}:00-"
                    f"{(hour + 2) % 24 + 1:02}:00"),
        hours_route("here-now", EAST, f"{day[EAST]} = {hour:02}:00-{hour + 1:02}:00\n"
                    f"closed = {date[WEST]}, {far}"),
    )
    with World(routes="".join(routes), register=()) as w:
        def taken_by():
            return w.carrier.invite("7", make_sdp(w.carrier.ip, 4000)).expect_any().phrase

        assert taken_by() == "here-now"
        holiday = f"closed = {date[EAST]:%m-%d}\n"
        w.write_config(w.config().replace(holiday, f"{holiday}open = {date[EAST]}\n"))
        assert w.gateway.verb("reload")[0] == 0
        assert taken_by() == "on-a-holiday"


# --- explain, expect ---

OUT = ROUTE_OUT + "caller-name = Example Ltd\ncodecs = PCMA, G722\n"


def explained(w, *words):
    status, text = harness.run_twinleg("explain", w.config_path, *words)
    assert status == 0, text
    return dict(re.findall(r"(?m)^ {4}(\S.*?) += (.*)$", text))


def test_what_explain_foretells_is_what_is_dialled():
    with World(routes=OUT, carrier="identity = pai") as w:
        told = explained(w, "--from", "extension:1001", "--to", "030123456")
        a = w.alice.invite("030123456", make_sdp(w.alice.ip, 4000, ("PCMU", "PCMA", "G722")))
        b = w.carrier.called()
        invite = b.invite
        assert told["dials"] == user_of(invite.uri) == "+4930123456", told
        assert told["uri trunk:carrier"].partition(":")[2].split(":")[0] == \
            uri_of(invite.uri).partition(":")[2].split(":")[0], (told, invite)
        asserted = invite.get("P-Asserted-Identity")
        assert told["identity trunk:carrier"] == "from, pai" and asserted, (told, invite)
        assert told["shows"] == user_of(uri_of(asserted)) == "+4930555100", (told, asserted)
        assert told["caller-name"] in asserted, (told, asserted)
        assert sorted(told["codecs trunk:carrier"].split(", ")) == ["G722", "PCMA"], told
        assert sorted(invite.sdp.audio.codecs()) == ["G722", "PCMA"], invite
        b.reply(486)
        b.expect("ACK")
        a.expect(486)


EXPECT = f"[expect the desk]\ncall = trunk:carrier +49170 {NUMBER}\nroute = support\nrings = 1001\n"


def rings(w, phone):
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
    b = phone.called()
    b.reply(486)
    b.expect("ACK")
    a.expect(486)


def test_a_reload_that_breaks_an_expectation_is_refused():
    with World(routes=RING_ALICE + EXPECT) as w:
        w.write_config(w.config().replace("ring = 1001", "ring = 1002"))
        status, said = w.gateway.verb("reload")
        assert status == 1 and 'rings: expected "1001", and it is "1002"' in said, (status, said)
        rings(w, w.alice)
        w.write_config(w.config().replace("ring = 1001", "ring = 1002")
                       .replace("rings = 1001", "rings = 1002"))
        assert w.gateway.verb("reload")[0] == 0
        rings(w, w.bob)


# --- passwords that others may read ---

WORD = "others may read this file"


def test_a_file_with_passwords_that_others_may_read_is_refused():
    with World() as w:
        os.chmod(w.config_path, 0o644)
        for verb in ("check", "run"):
            status, said = harness.run_twinleg(verb, w.config_path)
            assert status == 1 and WORD in said and "secret1001" not in said, (verb, status, said)
        status, said = w.gateway.verb("reload")
        assert status == 1 and WORD in said and "secret1001" not in said, (status, said)
        w.gateway.signal(signal.SIGHUP)
        wait_until(lambda: w.gateway.log().count(WORD) == 2, what="word of it in the log")
        rings(w, w.alice)
        os.chmod(w.config_path, 0o640)
        assert w.gateway.verb("reload")[0] == 0
