"""Hostile SIP: the cases of RFC 4475, written from its descriptions, and some of our own.

Each case is (name, statuses, text). In the text {peer} is our host:port and {gw} the gateway's
address; {id} is new each time. statuses: what may be answered; NONE stands for no answer at all.
Lines end in CR LF when sent; "\\n" never occurs otherwise.
"""

NONE = None
ANY_REFUSAL = tuple(range(400, 700))
REFUSED_OR_DROPPED = (*ANY_REFUSAL, NONE)
ANYTHING = (*range(200, 700), NONE)
BAD = (400, NONE)

SDP = """v=0
o=mhandley 29739 7272939 IN IP4 {ip}
s=-
c=IN IP4 {ip}
t=0 0
m=audio 49217 RTP/AVP 8
"""

VALID = [
    # 3.1.1.1: compact forms, folding, odd case, escaped quotes, unknown headers and parameters
    ("wsinv", (481,), """INVITE sip:{number}@{gw} SIP/2.0
TO :
 sip:{number}@{gw} ;   tag    = 1918181833n
from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.{id}@192.0.2.1
Content-Length   : {length}
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    {peer} ;branch=z9hG4bK{id};rport
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \\"\\"" <sip:jdrosen@{peer}> ; newparam =
      newvalue ;
  secondparam ; q = 0.33

{sdp}"""),
    # 3.1.1.2: every character that a token may hold, and a quoted NUL
    ("intmeth", (501,), """!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@{gw} SIP/2.0
Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK{id}-.!%66*_+`'~
To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@{gw}>
From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%="\u0440\u0430\u0431\u043e\u0442\u0430\u044e\u0449\u0438\u0439";tag=_token~1'+`*%!-.
Call-ID: intmeth.{id}%ZK-!.*_+'@word`~)(><:\\/"][?}{
CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~
Max-Forwards: 255
extensionHeader-!.%*+_`'~:\ufeff\u5927\u505c\u96fb
Content-Length: 0

"""),
    # 3.1.1.3: escapes that must be kept apart from what they stand for
    ("esc01", (404,), """INVITE sip:sips%3Auser%40example.com@{gw} SIP/2.0
To: sip:%75se%72@example.com
From: <sip:I%20have%20spaces@example.net>;tag=938
Max-Forwards: 87
i: esc01.{id}
CSeq: 234234 INVITE
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
C: application/sdp
Contact: <sip:cal%6Cer@{peer};%6C%72;n%61me=v%61lue%25%34%31>
Content-Length: {length}

{sdp}"""),
    # 3.1.1.4: an escaped NUL is part of a user name like any other byte
    ("escnull", (401,), """REGISTER sip:{gw} SIP/2.0
To: sip:null-%00-null@{gw}
From: sip:null-%00-null@{gw};tag=839923423
Max-Forwards: 70
Call-ID: escnull.{id}
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Contact: <sip:%00@{peer}>
Contact: <sip:%00%00@{peer}>
L:0

"""),
    # 3.1.1.5: a percent sign in a method is only a percent sign
    ("esc02", (501,), """RE%47IST%45R sip:registrar@{gw} SIP/2.0
To: "%Z%45" <sip:resource@example.com>
From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23
Call-ID: esc02.{id}
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
CSeq: 29344 RE%47IST%45R
Max-Forwards: 70
Contact: <sip:alias1@{peer}>
Content-Length: 0

"""),
    ("lwsdisp", (200,), """OPTIONS sip:user@{gw} SIP/2.0
To: sip:user@example.com
From: caller<sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID: lwsdisp.{id}
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
l: 0

"""),
    # 3.1.1.7: long values, and 33 Vias behind ours
    ("longreq", (100, 404, 480), "INVITE sip:{number}@{gw} SIP/2.0\n"
     "To: \"I have a user name of extreme" + " extreme" * 30 + "\"<sip:user@{gw}:6000;"
     "unknownparam1=verylong" + "very" * 60 + "value;longparamname" + "extra" * 30 + ">\n"
     "F: sip:amazinglylongcallername" + "amazingly" * 25 + "@example.net;tag=12"
     + "982" * 50 + "424;unknownheaderparamname" + "very" * 40 + "long=v" + "a" * 300 + "lue\n"
     "Call-ID: longreq.one" + "really" * 40 + "longcallid.{id}\n"
     "CSeq: 3882340 INVITE\n"
     "Unknown-Long-Name" + "-long" * 30 + ": unknown" + "-long" * 40 + " value\n"
     "Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport\n"
     + "".join(f"Via: SIP/2.0/TCP sip{i}.example.com;branch=z9hG4bK{i}\n" for i in range(1, 34)) +
     "Max-Forwards: 70\n"
     "Contact: <sip:amazingly" + "long" * 40 + "@{peer}>\n"
     "Content-Type: application/sdp\nl: {length}\n\n{sdp}"),
    # 3.1.1.8: what stands behind Content-Length in a datagram is thrown away
    ("dblreq", (200,), """OPTIONS sip:example.com@{gw} SIP/2.0
To: sip:j.user@example.com
From: sip:j.user@example.com;tag=43251j3j324
Max-Forwards: 8
I: dblreq.{id}
Contact: sip:j.user@{peer}
CSeq: 8 OPTIONS
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Content-Length: 0


INVITE sip:joe@{gw} SIP/2.0
t: sip:joe@example.com
From: sip:caller@example.net;tag=141334
Content-Length: 150

"""),
    ("semiuri", (200,), """OPTIONS sip:user;par=u%40example.net@{gw} SIP/2.0
To: sip:j_user@example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Call-ID: semiuri.{id}
CSeq: 8 OPTIONS
Accept: application/sdp, application/pkcs7-mime,
        multipart/mixed, multipart/signed,
        message/sip, message/sipfrag
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
l: 0

"""),
    ("transports", (200,), """OPTIONS sip:user@{gw} SIP/2.0
To: sip:user@example.com
From: <sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID:  transports.{id}
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Via: SIP/2.0/SCTP t1.example.com;branch=z9hG4bKkdjuw
Via: SIP/2.0/TLS t2.example.com;branch=z9hG4bKklasjdhf
Via: SIP/2.0/UNKNOWN t3.example.com;branch=z9hG4bKasd0f3en
Via: SIP/2.0/TCP t4.example.com;branch=z9hG4bKbRt9a
l: 0

"""),
    # 3.1.1.11: a body that we cannot use is said to be so (415) or left aside
    ("mpart01", (404, 405, 415), """MESSAGE sip:kumiko@{gw} SIP/2.0
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Max-Forwards: 70
From: <sip:fluffy@example.com>;tag=2fb0dcc9
To: <sip:kumiko@example.org>
Call-ID: mpart01.{id}
CSeq: 1 MESSAGE
Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
Content-Length: 115

--7a9cbec02ceef655
Content-Type: text/plain

Hello
--7a9cbec02ceef655
Content-Type: image/gif

GIF89a
--7a9cbec02ceef655--
"""),
    ("unreason", (NONE,), """SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e
Via: SIP/2.0/UDP {gw};branch=z9hG4bK{id}
Call-ID: unreason.{id}
CSeq: 35 INVITE
From: <sip:user@example.com>;tag=11141343
To: <sip:user@example.edu>;tag=2229
Content-Length: 0
Contact: <sip:user@{peer}>

"""),
    ("noreason", (NONE,), """SIP/2.0 100 \nVia: SIP/2.0/UDP {gw};branch=z9hG4bK{id}
Call-ID: noreason.{id}
CSeq: 35 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@{peer}>

"""),
]

HEAD = """Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Max-Forwards: 70
To: <sip:{number}@{gw}>
From: <sip:caller@example.net>;tag=33242
Call-ID: {id}@example.net
"""
TAIL = """Contact: <sip:caller@{peer}>
Content-Type: application/sdp
Content-Length: {length}

{sdp}"""

INVALID = [
    # 3.1.2.1: an answer to as much of the Via as can be read
    ("badinv01", (400,), """INVITE sip:{number}@{gw} SIP/2.0
To: sip:j.user@example.com
From: sip:caller@example.net;tag=134161461246
Max-Forwards: 7
Call-ID: badinv01.{id}
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;;,;,,
Contact: "Joe" <sip:joe@example.org>;;;;
Content-Length: {length}
Content-Type: application/sdp

{sdp}"""),
    ("badinv01 with a good Contact", (400,), """INVITE sip:{number}@{gw} SIP/2.0
To: sip:j.user@example.com
From: sip:caller@example.net;tag=134161461246
Max-Forwards: 7
Call-ID: badinv01.{id}
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;;,;,, ; branch = z9hG4bK{id}
Contact: "Joe" <sip:joe@{peer}>
Content-Length: {length}
Content-Type: application/sdp

{sdp}"""),
    # 3.1.2.2: the datagram ends before the body does
    ("clerr", (400,), "INVITE sip:{number}@{gw} SIP/2.0\n" + HEAD + "CSeq: 8 INVITE\n"
     "Contact: <sip:caller@{peer}>\nContent-Type: application/sdp\nContent-Length: 9999\n\n{sdp}"),
    ("clerr with no body at all", (400,), "INVITE sip:{number}@{gw} SIP/2.0\n" + HEAD +
     "CSeq: 8 INVITE\nContact: <sip:caller@{peer}>\nContent-Length: 10\n\n"),
    ("ncl", (400,), "INVITE sip:{number}@{gw} SIP/2.0\n" + HEAD + "CSeq: 8 INVITE\n"
     "Contact: <sip:caller@{peer}>\nContent-Type: application/sdp\nContent-Length: -999\n\n{sdp}"),
    ("scalar02", (400,), """REGISTER sip:{gw} SIP/2.0
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
To: <sip:user@{gw}>
From: <sip:user@{gw}>;tag=239232jh3
CSeq: 36893488147419103232 REGISTER
Call-ID: scalar02.{id}
Max-Forwards: 300
Expires: 10000000000
Contact: <sip:user@{peer}>
  ;expires=280297596632815
Content-Length: 0

"""),
    ("scalarlg", (NONE,), """SIP/2.0 503 Service Unavailable
Via: SIP/2.0/UDP {gw};branch=z9hG4bK{id}
To: <sip:user@example.com>
From: <sip:other@example.net>;tag=2easdjfejw
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.{id}
Retry-After: 949302838503028349304023988
Warning: 1812 overture "In Progress"
Content-Length: 0

"""),
    ("quotbal", (400,), """INVITE sip:{number}@{gw} SIP/2.0
To: "Mr. J. User <sip:j.user@example.com>
From: sip:caller@example.net;tag=93334
Max-Forwards: 10
Call-ID: quotbal.{id}
CSeq: 8 INVITE
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
""" + TAIL),
    ("ltgtruri", (400,),
     "INVITE <sip:{number}@{gw}> SIP/2.0\n" + HEAD + "CSeq: 1 INVITE\n" + TAIL),
    ("lwsruri", (400,),
     "INVITE sip:{number}@{gw}; lr SIP/2.0\n" + HEAD + "CSeq: 1 INVITE\n" + TAIL),
    # 3.1.2.9, 3.1.2.10 (no length either): may be refused or put up with
    ("lwsstart", (400, 404), "INVITE  sip:nobody@{gw}  SIP/2.0\n" + HEAD + "CSeq: 1 INVITE\n" + TAIL),
    ("trws", (200, 400), "OPTIONS sip:nobody@{gw} SIP/2.0  \n" + HEAD + "CSeq: 1 OPTIONS\n\n"),
    ("escruri", (400, 404),
     "INVITE sip:nobody@{gw}?Route=%3Csip:example.com%3E SIP/2.0\n" + HEAD + "CSeq: 1 INVITE\n"
     + TAIL),
    ("baddate", (400, 404), "INVITE sip:nobody@{gw} SIP/2.0\n" + HEAD +
     "Date: Fri, 01 Jan 2010 16:00:00 EST\nCSeq: 1 INVITE\n" + TAIL),
    ("regbadct", (400,), "REGISTER sip:{gw} SIP/2.0\n" + HEAD +
     "CSeq: 1 REGISTER\nContact: sip:user@{peer}?Route=%3Csip:sip.example.com%3E\nl: 0\n\n"),
    ("badaspec", (200, 400), """OPTIONS sip:user@{gw} SIP/2.0
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Max-Forwards: 70
From: sip:user@example.org;tag=3232
To: "Watson, Thomas" < sip:t.watson@example.org >
Call-ID: badaspec.{id}
CSeq: 1 OPTIONS
Accept: ;;,,;,;
l: 0

"""),
    ("baddn", (200, 400), """OPTIONS sip:t.watson@{gw} SIP/2.0
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Max-Forwards: 70
From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43
To: Watson, Thomas <sip:t.watson@example.org>
Call-ID: baddn.{id}
CSeq: 31 OPTIONS
l: 0

"""),
    ("badvers", (505,), "OPTIONS sip:t.watson@{gw} SIP/7.0\n" +
     HEAD.replace("SIP/2.0/UDP {peer}", "SIP/7.0/UDP c.example.com") + "CSeq: 1 OPTIONS\nl: 0\n\n"),
    ("mismatch01", (400,), "OPTIONS sip:user@{gw} SIP/2.0\n" + HEAD + "CSeq: 8 INVITE\nl: 0\n\n"),
    ("mismatch02", (400,),
     "NEWMETHOD sip:user@{gw} SIP/2.0\n" + HEAD + "CSeq: 8 INVITE\nl: 0\n\n"),
    ("bigcode", (NONE,), """SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/UDP {gw};branch=z9hG4bK{id}
Call-ID: bigcode.{id}
CSeq: 353494 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@{peer}>

"""),
    # 3.2.1: the magic cookie, and nothing behind it
    ("badbranch", (200,), """OPTIONS sip:user@{gw} SIP/2.0
To: sip:user@example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Via: SIP/2.0/UDP {peer};branch=z9hG4bK;rport
Accept: application/sdp
Call-ID: badbranch.{id}
CSeq: 8 OPTIONS
l: 0

"""),
    ("insuf", (400,), """INVITE sip:{number}@{gw} SIP/2.0
CSeq: 193942 INVITE
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Content-Type: application/sdp
l: {length}

{sdp}"""),
    ("unkscm", (416,), "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\n" + HEAD +
     "CSeq: 3923423 OPTIONS\nContent-Length: 0\n\n"),
    ("novelsc", (416,), "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\n" + HEAD +
     "CSeq: 23 OPTIONS\nContent-Length: 0\n\n"),
    ("unksm2", (400,), """REGISTER sip:{gw} SIP/2.0
To: isbn:2983792873
From: <http://www.example.com>;tag=3234233
Call-ID: unksm2.{id}
CSeq: 234902 REGISTER
Max-Forwards: 70
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Contact: <name:John_Smith>
l: 0

"""),
    ("bext01", (420,), "OPTIONS sip:user@{gw} SIP/2.0\n" + HEAD.replace("UDP", "TLS") + "CSeq: 8 OPTIONS\n"
     "Require: nothingSupportsThis, nothingSupportsThisEither\n"
     "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\nContent-Length: 0\n\n"),
    ("invut", (415,), "INVITE sip:{number}@{gw} SIP/2.0\n" + HEAD + "CSeq: 8 INVITE\n"
     "Contact: <sip:caller@{peer}>\nContent-Type: application/unknownformat\n"
     "Content-Length: 40\n\n<audio>\n <pcmu port=\"443\"/>\n</audio> 123\n"),
    ("regaut01", (401,), "REGISTER sip:{gw} SIP/2.0\n" + HEAD + "CSeq: 9338 REGISTER\n"
     "Contact: <sip:user@{peer}>\nAuthorization: NoOneKnowsThisScheme opaque-data=here\n"
     "Content-Length: 0\n\n"),
    ("multi01", (400,), """INVITE sip:{number}@{gw} SIP/2.0
Contact: <sip:caller@{peer}>
Via: SIP/2.0/UDP {peer};branch=z9hG4bK{id};rport
Max-Forwards: 70
CSeq: 5 INVITE
Call-ID: multi01.{id}
CSeq: 59 INVITE
Call-ID: multi01.{id}b
From: sip:caller@example.com;tag=3413415
To: sip:{number}@example.com
To: sip:other@example.net
From: sip:caller@example.net;tag=2923420123
Content-Type: application/sdp
l: {length}
Contact: <sip:caller@{peer}>
Max-Forwards: 5

{sdp}"""),
    ("mcl01", (400,), "OPTIONS sip:user@{gw} SIP/2.0\n" + HEAD + "CSeq: 5 OPTIONS\n"
     "Content-Length: 13\nContent-Length: 5\n\nThere's no way to know how many octets are here."),
    ("bcast", (NONE,), """SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.{id}
CSeq: 35 INVITE
From: <sip:user@example.com>;tag=11141343
To: <sip:user@example.edu>;tag=2229
Content-Length: 0
Contact: <sip:user@{peer}>

"""),
    ("zeromf", (200,), "OPTIONS sip:user@{gw} SIP/2.0\n" +
     HEAD.replace("Max-Forwards: 70", "Max-Forwards: 0") + "CSeq: 8 OPTIONS\nl: 0\n\n"),
    ("sdp01", (406,), "INVITE sip:{number}@{gw} SIP/2.0\n" + HEAD +
     "CSeq: 8 INVITE\nAccept: text/nobodyKnowsThis\n" + TAIL),
    # 3.3.12, 3.3.13: parameters that nobody knows are no reason to refuse (it is asked who it is)
    ("cparam01", (401,), "REGISTER sip:{gw} SIP/2.0\n" + HEAD + "CSeq: 2 REGISTER\n"
     "Contact: sip:+19725552222@{peer};unknownparam\nl: 0\n\n"),
    ("cparam02", (401,), "REGISTER sip:{gw} SIP/2.0\n" + HEAD + "CSeq: 3 REGISTER\n"
     "Contact: <sip:+19725552222@{peer};unknownparam>\nl: 0\n\n"),
    # 3.3.14: an escaped header in a Contact is part of its URI
    ("regescrt", (401,), "REGISTER sip:{gw} SIP/2.0\n" + HEAD + "CSeq: 14398234 REGISTER\n"
     "Contact: <sip:user@{peer}?Route=%3Csip:sip.example.com%3E>\nl: 0\n\n"),
    # 3.4.1: as RFC 2543 wrote them: no cookie, no Max-Forwards, no tag, no Contact, no length
    ("inv2543", (100,), """INVITE sip:{number}@{gw} SIP/2.0
Via: SIP/2.0/UDP iftgw.example.com
From: <sip:+13035551111@ift.client.example.net;user=phone>
Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
To: sip:+16505552222@ss1.example.net;user=phone
Call-ID: inv2543.{id}@ift.client.example.com
CSeq: 56 INVITE
Content-Type: application/sdp

{sdp}"""),
]

# What a stream makes different: a body is waited for, one without a length is none (RFC 3261 18.3),
# and what follows a message is another one.
BY_TCP = {"clerr": (NONE,), "clerr with no body at all": (NONE,), "inv2543": (400,),
          "dblreq": (200, 407, 400)}


def render(text, peer, gateway, number, serial):
    """The bytes of a case."""
    host, _, port = peer.rpartition(":")
    sdp = SDP.replace("{ip}", host).replace("\n", "\r\n")
    for mark, value in (("{peer}", peer), ("{gw}", gateway), ("{number}", number),
                        ("{id}", serial), ("{length}", str(len(sdp)))):
        text = text.replace(mark, value)
    text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text.replace("{sdp}", sdp).encode("utf-8", "surrogateescape")
