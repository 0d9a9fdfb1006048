"""Hostile SIP beyond RFC 4475: the cases of RFC 5118, and some of our own. Form as in torture.py."""

from torture import ANYTHING, BAD, HEAD, REFUSED_OR_DROPPED, TAIL

SDP_V6 = """v=0
o=assistant 971731711378798081 0 IN IP6 2001:db8::20
s=-
c=IN IP6 2001:db8::20
t=3338481189 3370017201
m=audio 6000 RTP/AVP 8
a=sendrecv
"""


def options(name, statuses, uri="sip:x@{gw}", head=HEAD, more=""):
    return name, statuses, f"OPTIONS {uri} SIP/2.0\n{head}CSeq: 8 OPTIONS\n{more}l: 0\n\n"


def described(name, statuses, sdp, uri="sip:{number}@{gw}"):
    return name, statuses, (f"INVITE {uri} SIP/2.0\n{HEAD}CSeq: 8 INVITE\n"
                            "Contact: <sip:caller@{peer}>\nContent-Type: application/sdp\n"
                            f"Content-Length: {len(sdp) + sdp.count(chr(10))}\n\n{sdp}")


# RFC 5118: IPv6 addresses where SIP has them, and where brackets are missing.
IPV6 = [
    options("4.1 in the Request-URI", (200,), "sip:user@[2001:db8::10]"),
    options("4.2 without brackets", (400, 416), "sip:user@2001:db8::10"),
    # 4.3: a port that is meant becomes part of the address: valid, and not what was meant
    options("4.3 a port inside the brackets", (200,), "sip:[2001:db8::10:5070]"),
    options("4.4 a port behind the brackets", (200,), "sip:[2001:db8::10]:5070"),
    options("4.5 received with brackets", (200,), head=HEAD + "Via: SIP/2.0/UDP "
            "[2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111\n"),
    options("4.5 received without brackets", (200,), head=HEAD + "Via: SIP/2.0/UDP "
            "[2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3\n"),
    options("4.5 received in the first Via", (200,), head=HEAD.replace(
        "{peer};", "[2001:db8::9:1];received=[2001:db8::9:255];")),
    # 4.6: SDP has no brackets
    described("4.6 in SDP", (100, 180, 480, 488), SDP_V6),
    described("4.6 in SDP with brackets", (400, 488),
              SDP_V6.replace("IP6 2001:db8::20", "IP6 [2001:db8::20]")),
    options("4.7 several in SIP headers", (200,), "sip:user@[2001:db8:0:0:0:0:0:10]",
            HEAD + "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111\n"
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144\n"),
    described("4.8 several in SDP", (100, 180, 480, 488), SDP_V6.replace("m=audio", "m=video").replace(
        "a=sendrecv\n", "m=audio 7000 RTP/AVP 8\nc=IN IP4 192.0.2.1\n")),
    described("4.9 the families don't fit", (400, 480, 488), SDP_V6.replace("c=IN IP6", "c=IN IP4")),
    options("4.10 IPv4 in IPv6", (200,), "sip:user@[::ffff:192.0.2.10]",
            HEAD + "Contact: <sip:user@[::ffff:192.0.2.10]:5090>\n"),
    options("an address with a zone", (200, 400), "sip:user@[fe80::1%25eth0]"),
    options("too many colons", (200, 400), "sip:user@[2001:db8:::10]"),
    options("an open bracket", (400,), "sip:user@[2001:db8::10"),
]


def sized(name, statuses, start, header):
    return name, statuses, f"{start}\n{HEAD}CSeq: 1 {start.split()[0]}\n{header}{TAIL}"


def with_contact(name, contact, statuses=REFUSED_OR_DROPPED):
    return name, statuses, ("INVITE sip:{number}@{gw} SIP/2.0\n" + HEAD + "CSeq: 1 INVITE\n"
                            f"Contact: {contact}\n"
                            "Content-Type: application/sdp\nContent-Length: {length}\n\n{sdp}")


INVITE = "INVITE sip:{number}@{gw} SIP/2.0"
# Remote targets that can't be used: refused before a dialog exists (DESIGN.md, the traps).
TARGETS = [
    with_contact("contact-tel", "<tel:+4917011122>"),
    with_contact("contact-mailto", "<mailto:root@example.com>"),
    with_contact("contact-urn", "<urn:service:sos>"),
    with_contact("contact-empty", "<>"),
    with_contact("contact-bare-scheme", "<sip:>"),
    with_contact("contact-star", "*"),
    with_contact("contact-no-host", "<sip:user@>"),
    with_contact("contact-port", "<sip:a@192.0.2.1:99999>"),
    with_contact("contact-port-sign", "<sip:a@192.0.2.1:-5060>"),
    with_contact("contact-brackets", "<sip:a@[::1>"),
    with_contact("contact-v6-junk", "<sip:a@[fe80::gggg]>"),
    with_contact("contact-transport", "<sip:a@192.0.2.1;transport=sctp>"),
    with_contact("contact-non-ascii", "<sip:\u00fc\u00fc@\u0438\u043c\u044f.example>"),
    ("contact-none", BAD, "INVITE sip:{number}@{gw} SIP/2.0\n" + HEAD + "CSeq: 1 INVITE\n"
     "Content-Type: application/sdp\nContent-Length: {length}\n\n{sdp}"),
    sized("rr-scheme", REFUSED_OR_DROPPED, INVITE, "Record-Route: <http://example.com;lr>\n"),
    sized("rr-empty", REFUSED_OR_DROPPED, INVITE, "Record-Route: <>\n"),
    sized("rr-junk", REFUSED_OR_DROPPED, INVITE, "Record-Route: <sip:a@b;lr=%>, ;;<\n"),
    sized("rr-tel", REFUSED_OR_DROPPED, INVITE, "Record-Route: <tel:123;lr>\n"),
    sized("rr-param", ANYTHING, INVITE, "Record-Route: <sip:192.0.2.9;l>,<sip:192.0.2.9;lr;l\n"),
]

# Names that lead nowhere: such a call may be taken, and must end all the same.
UNREACHABLE = ["<sip:ghost@no-such-host.invalid>", "<sip:ghost@no-such-host.invalid:5999>",
               "<sip:ghost@" + "a" * 70 + ".invalid>", "<sip:ghost@0.0.0.0>",
               "<sip:ghost@255.255.255.255>", "<sip:ghost@224.0.0.1>", "<sip:ghost@127.0.0.1:1>",
               "<sip:ghost@[::]>", "<sip:ghost@192.0.2.1;transport=tcp>",
               "<sips:ghost@192.0.2.1>", "<sip:ghost@127.0.0.1:1;transport=tcp>"]

REFER_TO = ["<>", "", "tel:", "<tel:>", "<sip:>", "sip:", "<sip:%>", "\"", "<sip:a@b?Replaces=%>",
            "<sip:a@b?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>", "<urn:x>", "*", "<<sip:a@b>>",
            "<sip:a@no-such-host.invalid>", "sip:a@b,sip:c@d", "\u00ff\u00fe", "<sip:a@b;method=>",
            "<http://example.com/>", ";;;", "<sip:" + "x" * 4000 + "@b>"]

UNKNOWN_METHODS = ["PUBLISH", "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER", "INFO", "UPDATE", "PRACK",
                   "FOO", "A" * 200, "invite", "options"]
