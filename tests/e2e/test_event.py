"""SUBSCRIBE, NOTIFY and PUBLISH: busy lamps, presence, message lamps and registrations, as RFC 6665,
3856, 3903, 4235, 3842 and 3680 have them."""

import re
import time
import xml.etree.ElementTree as ElementTree

from sip import MAGIC
from sip_message import make_sdp, param, token
from world import RING_ALICE, World, connect, wait_until

TYPES = {"presence": "application/pidf+xml", "dialog": "application/dialog-info+xml",
         "message-summary": "application/simple-message-summary", "reg": "application/reginfo+xml"}
PIDF = """<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"
 xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" entity="sip:1001@pbx.test">
<tuple id="x"><status><basic>{basic}</basic></status><note>{note}</note></tuple>
<dm:person id="p"><r:activities><r:away/></r:activities></dm:person></presence>"""
SUMMARY = "Messages-Waiting: yes\r\nMessage-Account: sip:box@carrier\r\nVoice-Message: 2/8 (1/0)\r\n"


class Watch:
    """A subscription of one phone's."""

    def __init__(self, phone, number, event, expires=600, headers=()):
        self.phone, self.event = phone, event
        given = dict(headers)
        self.headers = [("Event", event), ("Expires", expires),
                        ("Accept", given.pop("Accept", TYPES.get(event.split(";")[0], "*/*"))),
                        *given.items()]
        self.dialog = phone.dialog("SUBSCRIBE", phone.uri(number), "", self.headers)
        answer = self.dialog.expect_any()
        if answer.status == 407 and phone.password:
            self.dialog.authenticate(answer, "", self.headers)
            answer = self.dialog.expect_any()
        self.answer = answer
        if answer.status == 200:
            self.dialog.remote = answer.get("To")
            self.dialog.remote_target = re.search("<(.*)>", answer.get("Contact")).group(1)

    def notify(self, status=200, timeout=8):
        """The next NOTIFY, answered."""
        request = self.dialog.answer_request("NOTIFY", status, timeout)
        assert request.get("Event") == self.event, request
        return request

    def until(self, condition):
        """NOTIFYs up to the one that condition holds for."""
        for _ in range(8):
            request = self.notify()
            if condition(request):
                return request
        raise AssertionError(f"never came; the last was\n{request}")

    def refresh(self, expires=600):
        headers = [h if h[0] != "Expires" else ("Expires", expires) for h in self.headers]
        self.dialog.request("SUBSCRIBE", "", headers)
        answer = self.dialog.expect_any()
        if answer.status == 407:
            self.dialog.authenticate(answer, "", headers)
            answer = self.dialog.expect_any()
        return answer


def names(request):
    """Every element's (local name, text, attributes)."""
    return [(e.tag.rpartition("}")[2], (e.text or "").strip(), e.attrib)
            for e in ElementTree.fromstring(request.body).iter()]


def texts(request, name):
    return [text for n, text, _ in names(request) if n == name]


def lamp(request):
    """[(direction, state)] of a dialog-info."""
    root = ElementTree.fromstring(request.body)
    space = "{urn:ietf:params:xml:ns:dialog-info}"
    return [(d.get("direction"), d.find(f"{space}state").text) for d in root.iter(f"{space}dialog")]


def publish(agent, number, body="", event="presence", etag=None, expires=600, content=None):
    """PUBLISH; the final response."""
    headers = [("Event", event), ("Expires", expires), ("Contact", None)]
    headers += [("SIP-If-Match", etag)] if etag else []
    headers += [("Content-Type", content or TYPES.get(event, "text/plain"))] if body else []
    dialog = agent.dialog("PUBLISH", agent.uri(number), body, headers)
    answer = dialog.expect_any()
    if answer.status == 407 and agent.password:
        dialog.authenticate(answer, body, headers)
        answer = dialog.expect_any()
    return answer


def test_a_busy_lamp_follows_a_call():  # RFC 4235
    with World() as w:
        watch = Watch(w.bob, "1001", "dialog")
        assert watch.answer.status == 200 and int(watch.answer.get("Expires")) == 600, watch.answer
        first = watch.notify()
        assert first.get("Subscription-State").startswith("active;expires="), first
        assert first.get("Content-Type") == TYPES["dialog"] and lamp(first) == [], first
        a, b = w.ring(w.carrier, "+4930555100", w.alice)
        ringing = watch.until(lambda n: lamp(n) == [("recipient", "early")])
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port, ("PCMA",)))
        talking = watch.until(lambda n: lamp(n) == [("recipient", "confirmed")])
        w.hang_up(b, a)
        idle = watch.until(lambda n: lamp(n) == [])
        versions = [int(names(n)[0][2]["version"]) for n in (first, ringing, talking, idle)]
        assert versions == sorted(set(versions)) and versions[0] == 0, versions
        assert names(idle)[0][2]["entity"] == "sip:1001@pbx.test" and b"full" in idle.body
        assert b"+49170" not in ringing.body + talking.body  # with whom is nobody's business


def test_numbers_are_shown_where_the_extension_allows_it():
    with World(extensions={"1001": "watch-numbers = yes", "1002": ""}) as w:
        watch = Watch(w.bob, "1001", "dialog")
        watch.notify()
        w.ring(w.carrier, "+4930555100", w.alice)
        ringing = watch.until(lambda n: lamp(n) == [("recipient", "early")])
        assert texts(ringing, "identity") == ["sip:+4917011122@pbx.test"], ringing


def test_a_caller_is_busy_too():
    with World(routes="") as w:
        watch = Watch(w.alice, "1002", "dialog")
        watch.notify()
        w.ring(w.bob, "1001", w.alice)
        watch.until(lambda n: lamp(n) == [("initiator", "early")])


def test_lamps_follow_a_transfer():
    phones = ("1001", "1002", "1003")
    with World(extensions=dict.fromkeys(phones, ""), register=phones) as w:
        w.carol.register()
        lamps = [Watch(w.carol, number, "dialog") for number in phones]
        for watch in lamps:
            watch.notify()
        a, b = w.talk(w.alice, "1002", w.bob)
        lamps[0].until(lambda n: lamp(n) == [("initiator", "confirmed")])
        lamps[1].until(lambda n: lamp(n) == [("recipient", "confirmed")])
        a.request("REFER", "", [("Refer-To", "<sip:1003@pbx.test>")])
        a.expect(202)
        a.answer_request("NOTIFY")
        c = w.carol.called()
        media = w.rtp(w.carol)
        c.reply(200, make_sdp(w.carol.ip, media.port, ("PCMA",)))
        c.expect("ACK")
        a.answer_request("NOTIFY")
        a.answer_request("BYE")
        lamps[0].until(lambda n: lamp(n) == [])
        lamps[2].until(lambda n: lamp(n) == [("recipient", "confirmed")])
        lamps[1].until(lambda n: lamp(n) == [("initiator", "confirmed")])
        w.hang_up(b, c)
        for watch in lamps[1:]:
            watch.until(lambda n: lamp(n) == [])


def test_presence_by_registration_calls_and_publication():  # RFC 3856, 3863, 3903
    with World() as w:
        watch = Watch(w.bob, "1001", "presence")
        assert texts(watch.notify(), "basic") == ["open"]
        # published: closed, and away
        answer = publish(w.alice, "1001", PIDF.format(basic="closed", note="A &lt;b&gt; &amp; c"))
        assert answer.status == 200 and answer.get("SIP-ETag"), answer
        closed = watch.until(lambda n: texts(n, "basic") == ["closed"])
        assert texts(closed, "note") == ["A <b> & c"] and ("away", "", {}) in names(closed), closed
        # refresh without a body: a new tag; the old one is worth nothing (412)
        etag = answer.get("SIP-ETag")
        again = publish(w.alice, "1001", etag=etag)
        assert again.status == 200 and again.get("SIP-ETag") != etag, again
        assert publish(w.alice, "1001", etag=etag).status == 412
        # taken back: the registration speaks again
        gone = publish(w.alice, "1001", etag=again.get("SIP-ETag"), expires=0)
        assert gone.status == 200 and gone.get("Expires") == "0", gone
        watch.until(lambda n: texts(n, "basic") == ["open"])


def test_presence_is_closed_when_nobody_is_registered_and_tells_of_calls():
    with World() as w:
        watch = Watch(w.bob, "1001", "presence")
        watch.notify()
        a, b = w.talk(w.carrier, "+4930555100", w.alice)
        busy = watch.until(lambda n: ("on-the-phone", "", {}) in names(n))
        assert texts(busy, "basic") == ["open"], busy
        w.hang_up(a, b)
        w.alice.register(contact="*", expires=0)
        closed = watch.until(lambda n: texts(n, "basic") == ["closed"])
        assert ("on-the-phone", "", {}) not in names(closed), closed


def test_who_may_publish_what():
    with World() as w:
        body = PIDF.format(basic="open", note="")
        assert publish(w.bob, "1001", body).status == 403  # another's presence
        assert publish(w.alice, "9999", body).status == 404
        assert publish(w.alice, "1001", body, event="dialog").status == 489
        assert publish(w.alice, "1001", "<presence", expires=600).status == 400
        assert publish(w.alice, "1001", body, content="text/xml").status == 415
        assert publish(w.alice, "1001", "x" * 20000).status == 413
        assert publish(w.alice, "1001").status == 400  # nothing to refresh
        brief = publish(w.alice, "1001", body, expires=5)
        assert brief.status == 423 and brief.get("Min-Expires") == "60", brief
        assert publish(w.carrier, "1001", body).status == 403
        assert publish(w.alice, "1001", SUMMARY, event="message-summary").status == 403
        stranger = w.agent(99, "1001")
        assert publish(stranger, "1001", body).status == 407


def test_message_lamp_by_publish_and_by_an_unasked_notify_of_a_trunk():  # RFC 3842
    with World() as w:
        watch = Watch(w.alice, "1001", "message-summary")
        first = watch.notify()
        assert b"Messages-Waiting: no\r\n" in first.body, first
        assert publish(w.carrier, "1001", SUMMARY, event="message-summary").status == 200
        lit = watch.notify()
        assert b"Messages-Waiting: yes\r\n" in lit.body, lit
        assert b"Voice-Message: 2/8 (1/0)\r\n" in lit.body, lit
        assert b"Message-Account: sip:1001@pbx.test\r\n" in lit.body, lit
        # the number that rings her, in a NOTIFY that nobody asked for
        headers = [("Event", "message-summary"), ("Subscription-State", "active"),
                   ("Content-Type", TYPES["message-summary"])]
        dialog = w.carrier.dialog("NOTIFY", w.carrier.uri("+4930555100"),
                                  "Messages-Waiting: no\r\n", headers)
        dialog.expect(200)
        assert b"Messages-Waiting: no\r\n" in watch.notify().body
        # from anybody else, and for nobody: there is no such subscription
        w.carrier.dialog("NOTIFY", w.carrier.uri("+49"), SUMMARY, headers).expect(481)
        w.bob.dialog("NOTIFY", w.bob.uri("1001"), SUMMARY, headers).expect(481)
        # nobody watches another's letter box
        assert Watch(w.bob, "1001", "message-summary").answer.status == 403


def test_registration_state():  # RFC 3680
    with World() as w:
        watch = Watch(w.alice, "1001", "reg")
        first = watch.notify()
        assert texts(first, "uri") == [f"sip:1001@{w.alice.hostport}"], first
        w.alice.register(contact=f"<sip:second@{w.net}.12:5070>;expires=600")
        both = watch.until(lambda n: len(texts(n, "uri")) == 2)
        assert f"sip:second@{w.net}.12:5070" in texts(both, "uri"), both
        assert [a["state"] for n, _, a in names(both) if n == "registration"] == ["active"]
        assert Watch(w.bob, "1001", "reg").answer.status == 403


def test_refresh_fetch_and_end():
    with World() as w:
        watch = Watch(w.bob, "1001", "dialog;id=7")
        watch.notify()
        assert watch.refresh(300).status == 200
        again = watch.notify()  # RFC 6665 4.2.1.2: the whole state after each refresh
        assert 290 <= int(param(again.get("Subscription-State"), "expires")) <= 300, again
        rows = w.gateway.control("subscriptions")
        assert len(rows) == 1 and rows[0]["watcher"] == "1002" and rows[0]["event"] == "dialog", rows
        status, table = w.gateway.verb("subscriptions")
        assert status == 0 and "WATCHER" in table and "1002" in table, table
        assert watch.refresh(0).status == 200
        last = watch.notify()
        assert last.get("Subscription-State") == "terminated;reason=timeout", last
        wait_until(lambda: w.gateway.control("subscriptions") == [], what="the end")
        assert watch.refresh(300).status == 481
        fetch = Watch(w.bob, "1001", "presence", expires=0)  # RFC 6665 4.4.3
        assert fetch.answer.status == 200 and fetch.answer.get("Expires") == "0", fetch.answer
        only = fetch.notify()
        assert only.get("Subscription-State") == "terminated;reason=timeout", only
        assert texts(only, "basic") == ["open"], only


def test_a_subscription_runs_out():
    with World(gateway="subscribe-min = 1s") as w:
        watch = Watch(w.bob, "1001", "dialog", expires=1)
        watch.notify()
        last = watch.notify()
        assert last.get("Subscription-State") == "terminated;reason=timeout", last
        wait_until(lambda: w.gateway.control("subscriptions") == [], what="the end")


def test_a_watcher_that_knows_of_nothing_is_let_go():  # RFC 6665 4.2.2
    with World() as w:
        watch = Watch(w.bob, "1001", "dialog")
        watch.notify(481)
        wait_until(lambda: w.gateway.control("subscriptions") == [], what="the end")


def test_what_is_refused():
    with World(extensions={"1001": "", "1002": "", "1003": "watchable = no"}) as w:
        bad = Watch(w.bob, "1001", "weather")
        assert bad.answer.status == 489, bad.answer
        assert set(bad.answer.all("Allow-Events")) == set(TYPES), bad.answer
        assert Watch(w.bob, "9999", "dialog").answer.status == 404
        assert Watch(w.bob, "1003", "dialog").answer.status == 403
        assert Watch(w.bob, "1003", "presence").answer.status == 403
        assert Watch(w.carrier, "1001", "presence").answer.status == 403
        assert Watch(w.agent(99, "1001"), "1001", "presence").answer.status == 407
        brief = Watch(w.bob, "1001", "dialog", expires=5).answer
        assert brief.status == 423 and brief.get("Min-Expires") == "60", brief
        assert Watch(w.bob, "1001", "dialog", headers=[("Accept", "text/html")]).answer.status == 406
        eventlist = Watch(w.bob, "1001", "presence", headers=[("Require", "eventlist")]).answer
        assert eventlist.status == 420 and eventlist.get("Unsupported") == "eventlist", eventlist
        lost = Watch(w.bob, "1001", "dialog", headers=[("Contact", "<mailto:bob@x>")]).answer
        assert lost.status == 400, lost
        assert w.gateway.control("subscriptions") == []


def test_a_watcher_that_is_gone_is_let_go():
    with World() as w:
        carol = w.phone("1002", 21)
        watch = Watch(carol, "1001", "dialog")
        watch.notify()
        carol.close()
        a, b = w.talk(w.carrier, "+4930555100", w.alice)
        wait_until(lambda: w.gateway.control("subscriptions") == [], 15, "the end")
        w.hang_up(a, b)


def test_a_trunk_watches_where_it_may():
    with World(carrier="may-watch = yes") as w:
        watch = Watch(w.carrier, "1001", "dialog")
        assert watch.answer.status == 200, watch.answer
        watch.notify()
        assert w.gateway.control("subscriptions")[0]["watcher"] == "trunk:carrier"
        assert Watch(w.carrier, "1001", "reg").answer.status == 403


def test_no_more_subscriptions_than_there_is_room_for():
    with World(gateway="max-subscriptions = 2") as w:
        watches = [Watch(w.bob, "1001", "dialog") for _ in range(3)]
        assert [watch.answer.status for watch in watches] == [200, 200, 503]
        assert watches[2].answer.get("Retry-After"), watches[2].answer


def test_another_cannot_refresh_ones_subscription():
    with World() as w:
        watch = Watch(w.bob, "1001", "dialog")
        watch.notify()
        watch.dialog.request("SUBSCRIBE", "", watch.headers)
        challenge = watch.dialog.expect(407)
        watch.dialog.authenticate(challenge, "", watch.headers, user="1001", password="secret1001")
        watch.dialog.expect(403)


def test_changes_are_told_no_faster_than_the_package_allows():
    with World() as w:
        watch = Watch(w.bob, "1001", "presence")
        watch.notify()
        for i in range(10):
            publish(w.alice, "1001", PIDF.format(basic="open", note=f"note {i}"))
        after = watch.notify()
        assert "note 9" in texts(after, "note"), after  # what came between is in the last
        watch.dialog.expect_nothing(0.5)
        assert len(texts(after, "basic")) == 4, after  # and no more pieces than are kept


def test_a_reload_keeps_subscriptions_and_ends_what_may_be_no_more():
    with World() as w:
        lamps = Watch(w.bob, "1001", "dialog")
        lamps.notify()
        presence = Watch(w.alice, "1002", "presence")
        presence.notify()
        w.extensions["1001"] = "watchable = no"
        w.write_config(w.config())
        assert w.gateway.verb("reload")[0] == 0
        last = lamps.notify()
        assert last.get("Subscription-State") == "terminated;reason=rejected", last
        assert not last.body, last
        w.bob.register(contact="*", expires=0)
        presence.until(lambda n: texts(n, "basic") == ["closed"])


def test_an_orderly_end_tells_the_watchers():
    with World() as w:
        watch = Watch(w.bob, "1001", "dialog")
        watch.notify()
        w.gateway.terminate()
        last = watch.notify()
        assert last.get("Subscription-State") == "terminated;reason=deactivated", last


def crash(w):
    time.sleep(0.5)  # the store writes behind
    w.gateway.kill()
    w.start()


def test_subscriptions_survive_a_crash():
    with World() as w:
        lamps = Watch(w.bob, "1001", "dialog;id=7")
        first = lamps.notify()
        presence = Watch(w.bob, "1001", "presence")
        presence.until(lambda n: texts(n, "basic") == ["open"])
        a, b = w.talk(w.carrier, "+4930555100", w.alice)
        busy = lamps.until(lambda n: ("recipient", "confirmed") in lamp(n))
        refreshed = Watch(w.alice, "1002", "presence")
        refreshed.notify()
        assert refreshed.refresh().status == 200
        refreshed.notify()
        crash(w)
        # the calls have gone with the process: the lamp is put right at once
        after = lamps.notify()
        assert not lamp(after), after
        assert after.cseq[0] > busy.cseq[0] and after.get("From") == first.get("From"), after

        def version(request):
            return int(re.search(r'version="(\d+)"', request.body.decode())[1])

        assert version(after) > version(busy), after
        expires = int(param(after.get("Subscription-State"), "expires"))
        assert 580 < expires <= 600, after
        assert texts(presence.notify(), "basic") == ["open"], "alice is registered"
        assert len(w.gateway.control("subscriptions")) == 3
        # the dialogs go on, in both directions
        refreshed.notify()
        assert refreshed.refresh().status == 200
        refreshed.notify()
        assert lamps.refresh().status == 200
        lamps.notify()
        a, b = w.talk(w.carrier, "+4930555100", w.alice)
        lamps.until(lambda n: ("recipient", "confirmed") in lamp(n))
        w.hang_up(a, b)
        assert presence.refresh(0).status == 200
        crash(w)
        assert len(w.gateway.control("subscriptions")) == 2, "one had ended"


def test_what_may_be_watched_no_more_does_not_survive_and_an_orderly_end_leaves_nothing():
    with World() as w:
        lamps = Watch(w.bob, "1001", "dialog")
        lamps.notify()
        others = Watch(w.alice, "1002", "dialog")
        others.notify()
        w.extensions["1001"] = "watchable = no"
        w.write_config(w.config())
        crash(w)
        (left,) = w.gateway.control("subscriptions")
        assert left["extension"] == "1002", left
        assert lamps.refresh().status == 481, "its phone subscribes anew (RFC 6665 4.1.2.2)"
        others.notify()
        w.gateway.stop()
        w.start()
        assert w.gateway.control("subscriptions") == []


def test_publications_end_with_the_process():
    with World() as w:
        etag = publish(w.alice, "1001", PIDF.format(basic="open", note="here")).get("SIP-ETag")
        crash(w)
        assert publish(w.alice, "1001", etag=etag).status == 412  # and is made anew: RFC 3903 4.1
        assert publish(w.alice, "1001", PIDF.format(basic="closed", note="gone")).status == 200


def test_subscribing_by_tcp_notifies_by_tcp():
    with World(phones="tcp") as w:
        watch = Watch(w.bob, "1001", "dialog")
        notify = watch.notify()
        assert notify.connection is not None and "SIP/2.0/TCP" in notify.get("Via"), notify


def test_a_watcher_behind_a_nat_is_reached_where_it_came_from():
    with World() as w:
        branch = f"SIP/2.0/UDP 10.9.8.7:5060;branch={MAGIC}{token()};rport"
        again = f"SIP/2.0/UDP 10.9.8.7:5060;branch={MAGIC}{token()};rport"
        contact = ("Contact", "<sip:1002@10.9.8.7:5060>")
        headers = [("Event", "dialog"), ("Expires", 600), contact]
        dialog = w.bob.dialog("SUBSCRIBE", w.bob.uri("1001"), "", [*headers, ("Via", branch)])
        dialog.authenticate(dialog.expect(407), "", [*headers, ("Via", again)])
        dialog.expect(200)
        dialog.answer_request("NOTIFY")


def test_strange_requests_in_a_subscription():
    with World() as w:
        watch = Watch(w.bob, "1001", "dialog")
        watch.notify()
        for method, status in (("NOTIFY", 405), ("OPTIONS", 405), ("FOO", 501)):
            watch.dialog.request(method)
            watch.dialog.expect(status)
        watch.dialog.request("SUBSCRIBE", "", [("Event", "presence")])
        watch.dialog.expect(481)
        watch.dialog.request("SUBSCRIBE", "", [("Event", "weather")])
        watch.dialog.expect(489)
