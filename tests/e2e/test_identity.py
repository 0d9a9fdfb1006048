"""Who a callee is told is calling: From, asserted identities, privacy, and the way a call has come."""

from sip_message import make_sdp, uri_of, user_of
from world import RING_ALICE, World

NUMBER, CALLER = "+4930555100", "+4917011122"
OUT = """
[route out]
from = extension
to = 0X.
caller = +4930555100
ring = trunk:backup
"""
ANONYMOUS = "anonymous@anonymous.invalid"


def ring(w, caller, number, callee, headers=(), **names):
    a = caller.invite(number, make_sdp(caller.ip, w.rtp(caller).port), headers, **names)
    b = callee.called()
    return a, b


def end(a, b):
    b.reply(486)
    b.expect("ACK")
    assert a.expect_any().status >= 400


def seen(headers=(), carrier="", route=RING_ALICE, **names):
    """The INVITE that Alice gets for a call of the carrier's."""
    with World(routes=route, carrier=carrier) as w:
        a, b = ring(w, w.carrier, NUMBER, w.alice, headers, **names)
        end(a, b)
        return b.invite


def sent(backup, headers=(), route=OUT):
    """The INVITE that the backup trunk gets for a call of Alice's."""
    with World(routes=route, backup=backup) as w:
        a, b = ring(w, w.alice, "0123", w.backup, headers)
        end(a, b)
        return b.invite


def number_in(value):
    return user_of(uri_of(value))


def test_a_trusted_trunks_asserted_identity_counts():
    headers = [("P-Asserted-Identity", '"Real, Name" <sip:+49301@carrier.test>, <tel:+49301>')]
    invite = seen(headers, "trust = yes")
    assert number_in(invite.get("From")) == "+49301", invite
    assert '"Real, Name"' in invite.get("From"), invite
    assert invite.get("P-Asserted-Identity") is None
    invite = seen([("Remote-Party-ID", "<sip:+49302@x.test>;party=calling;privacy=off")],
                  "trust = yes")
    assert number_in(invite.get("From")) == "+49302", invite


def test_nobody_elses_asserted_identity_counts():
    headers = [("P-Asserted-Identity", "<sip:112@carrier.test>"), ("Remote-Party-ID", "<sip:110@x>")]
    invite = seen(headers)
    assert number_in(invite.get("From")) == CALLER, invite
    assert "112" not in str(invite).partition("\r\n\r\n")[0].replace("49170111", ""), invite


def test_a_withheld_caller_is_withheld_from_telephones():
    for headers in ([("P-Asserted-Identity", "<sip:+49301@carrier.test>"), ("Privacy", "id")],
                    [("Privacy", "user; id")],
                    [("Remote-Party-ID", "<sip:+49301@x>;party=calling;privacy=full")]):
        invite = seen(headers, "trust = yes")
        assert ANONYMOUS in invite.get("From") and invite.get("Privacy") == "id", invite
        assert "49301" not in str(invite) and CALLER not in str(invite), invite


def test_a_route_may_lift_the_veil():
    invite = seen([("Privacy", "id")], route=RING_ALICE + "privacy = off\n")
    assert number_in(invite.get("From")) == CALLER and invite.get("Privacy") is None, invite


def test_a_route_may_withhold():
    for trust, shown in (("yes", True), ("no", False)):
        invite = sent(f"identity = pai\ntrust = {trust}", route=OUT + "privacy = id\n")
        assert ANONYMOUS in invite.get("From") and invite.get("Privacy") == "id", invite
        pai = invite.get("P-Asserted-Identity")
        assert (number_in(pai) == NUMBER) if shown else pai is None, invite
        assert shown or NUMBER not in str(invite), invite


def test_each_trunk_reads_the_identity_where_it_wants_it():
    wanted = {"from": {}, "pai": {"P-Asserted-Identity": f'"Phone 1001" <sip:{NUMBER}@pbx.test>'},
              "ppi": {"P-Preferred-Identity": f'"Phone 1001" <sip:{NUMBER}@pbx.test>'},
              "rpid": {"Remote-Party-ID": f'"Phone 1001" <sip:{NUMBER}@pbx.test>;party=calling;'
                                          "screen=yes;privacy=off"}}
    for mode, fields in wanted.items():
        invite = sent(f"identity = {mode}")
        assert number_in(invite.get("From")) == NUMBER, invite
        for name in ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"):
            assert invite.get(name) == fields.get(name), invite


def test_an_extension_that_asks_for_privacy_gets_it():
    for mode, name in (("pai", "P-Asserted-Identity"), ("rpid", "Remote-Party-ID")):
        invite = sent(f"identity = {mode}\ntrust = yes", [("Privacy", "id")])
        assert ANONYMOUS in invite.get("From"), invite
        assert number_in(invite.get(name)) == NUMBER, invite
        invite = sent(f"identity = {mode}", [("Privacy", "id")])
        assert invite.get(name) is None and "1001" not in invite.get("From"), invite
    # and it can't pass for another
    invite = sent("identity = pai", [("P-Asserted-Identity", "<sip:112@pbx.test>"),
                                     ("P-Preferred-Identity", "<sip:112@pbx.test>")])
    assert number_in(invite.get("P-Asserted-Identity")) == NUMBER, invite


def test_names_keep_their_letters_and_quotes():
    name = '"Zoë \\"Ł\\" 北京, ltd"'
    with World() as w:
        a, b = ring(w, w.carrier, NUMBER, w.alice, local=f"{name} <sip:{CALLER}@c.test>")
        assert b.invite.get("From").startswith(f"{name} <sip:"), b.invite.get("From")
        end(a, b)


def test_a_name_without_its_quotes_is_understood():
    with World() as w:
        a, b = ring(w, w.carrier, NUMBER, w.alice, [("Contact", f"Zoë <sip:x@{w.carrier.hostport}>")],
                    local=f"Zoë 北京  <sip:{CALLER}@c.test>")
        assert b.invite.get("From").startswith('"Zoë 北京" <sip:'), b.invite.get("From")
        end(a, b)


FORWARD = """
[route support]
from = trunk:carrier
to = +4930555100
ring = 1001
on-busy = route:mobile
[route mobile]
to = 9999
number = +49170999
ring = trunk:backup
"""


def forwarded(mode, headers=(), carrier=""):
    with World(routes=FORWARD, backup=f"diversion = {mode}", carrier=carrier) as w:
        a, first = ring(w, w.carrier, NUMBER, w.alice, headers)
        first.reply(486)
        b = w.backup.called()
        end(a, b)
        return b.invite


def test_a_forwarded_call_says_so():
    invite = forwarded("diversion")
    assert invite.all("Diversion") == [f"<sip:{NUMBER}@pbx.test>;reason=user-busy;counter=1"]
    assert number_in(invite.get("From")) == CALLER and invite.get("History-Info") is None
    invite = forwarded("no")
    assert invite.get("Diversion") is None and invite.get("History-Info") is None, invite
    assert forwarded("both").get("Diversion") and forwarded("both").get("History-Info")


def test_a_forwarded_call_tells_its_history():
    invite = forwarded("history-info")
    assert invite.all("History-Info") == [
        f"<sip:{NUMBER}@pbx.test?Reason=SIP%3Bcause%3D486>;index=1",
        "<sip:+49170999@pbx.test;cause=486>;index=1.1;mp=1"], invite


def test_diversions_of_a_trusted_trunk_go_on_below_ours():
    headers = [("Diversion", '"B" <sip:200@x.test>;reason=no-answer, <sip:100@x.test>'),
               ("History-Info", "<sip:100@x.test>;index=1, <sip:200@x.test>;index=1.1;mp=1")]
    invite = forwarded("both", headers, "trust = yes")
    assert invite.all("Diversion") == [
        f"<sip:{NUMBER}@pbx.test>;reason=user-busy;counter=1",
        '"B" <sip:200@x.test>;reason=no-answer', "<sip:100@x.test>"], invite
    assert [h.rpartition(";index=")[2].partition(";")[0] for h in invite.all("History-Info")] == \
        ["1", "1.1", "1.1.1", "1.1.1.1"], invite
    assert forwarded("both", headers).all("Diversion") == [
        f"<sip:{NUMBER}@pbx.test>;reason=user-busy;counter=1"]


def test_a_telephone_that_forwards_is_named():
    routes = RING_ALICE + OUT.replace("caller = +4930555100\n", "")
    with World(routes=routes, backup="diversion = diversion\nidentity = pai") as w:
        a, first = ring(w, w.carrier, NUMBER, w.alice)
        first.reply(302, headers=[("Contact", "<sip:0123@pbx.test>")])
        b = w.backup.called()
        end(a, b)
        assert b.invite.all("Diversion") == \
            [f"<sip:{NUMBER}@pbx.test>;reason=unconditional;counter=1"], b.invite
        assert number_in(b.invite.get("P-Asserted-Identity")) == CALLER, b.invite


def test_a_number_that_leads_out_again_is_a_diversion():
    routes = f"[route x]\nfrom = trunk:carrier\nto = {NUMBER}\nnumber = 0123\nring = trunk:backup\n"
    with World(routes=routes, backup="diversion = diversion") as w:
        a, b = ring(w, w.carrier, NUMBER, w.backup)
        end(a, b)
        assert b.invite.get("Diversion") == \
            f"<sip:{NUMBER}@pbx.test>;reason=unconditional;counter=1", b.invite
