"""SIP messages, digest credentials and session descriptions as plain values.

Nothing here opens a socket. Header names are kept as they were written; they are looked up without
regard to case and with their compact forms (RFC 3261 7.3.3).
"""

import hashlib
import itertools
import os
import re

COMPACT = {"i": "call-id", "m": "contact", "e": "content-encoding", "l": "content-length",
           "c": "content-type", "f": "from", "s": "subject", "k": "supported", "t": "to",
           "v": "via", "r": "refer-to", "b": "referred-by", "x": "session-expires"}
REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted",
           302: "Moved Temporarily", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           407: "Proxy Authentication Required", 408: "Request Timeout",
           480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
           486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
           491: "Request Pending", 500: "Server Internal Error", 503: "Service Unavailable",
           600: "Busy Everywhere", 603: "Decline"}

_serial = itertools.count(1)


def token():
    """A string that is used once: for tags, branches and Call-IDs."""
    return f"{next(_serial)}{os.urandom(5).hex()}"


def canonical(name):
    name = name.strip().lower()
    return COMPACT.get(name, name)


class Message:
    """A request (method, uri) or a response (status, phrase) with headers in order."""

    def __init__(self, start, headers=(), body=b""):
        self.start = start
        self.headers = [(name, str(value)) for name, value in headers]
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.method, self.uri, self.phrase = None, None, None, None
        if start.startswith("SIP/2.0 "):
            _, status, *phrase = start.split(" ", 2)
            self.status, self.phrase = int(status), "".join(phrase)
        else:
            self.method, self.uri, _ = start.split(" ", 2)

    @classmethod
    def parse(cls, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        headers = [(name.strip(), value.strip())
                   for name, _, value in (line.partition(":") for line in lines[1:])]
        return cls(lines[0], headers, body)

    def to_bytes(self):
        headers = [(n, v) for n, v in self.headers if canonical(n) != "content-length"]
        headers.append(("Content-Length", len(self.body)))
        lines = [self.start] + [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + self.body

    def __str__(self):
        return self.to_bytes().decode("utf-8", "replace")

    @property
    def title(self):
        """What a ladder shows: "180" or "INVITE"."""
        return str(self.status) if self.status else self.method

    def get(self, name, default=None):
        wanted = canonical(name)
        return next((v for n, v in self.headers if canonical(n) == wanted), default)

    def all(self, name):
        """Every value of a header, comma lists taken apart."""
        wanted = canonical(name)
        values = [v for n, v in self.headers if canonical(n) == wanted]
        return [part for value in values for part in split_list(value)]

    def set(self, name, value):
        """Replaces the header where it stood, or adds it; None removes it."""
        wanted = canonical(name)
        places = [i for i, (n, _) in enumerate(self.headers) if canonical(n) == wanted]
        self.headers = [h for i, h in enumerate(self.headers) if i not in places]
        if value is not None:
            self.headers.insert(places[0] if places else len(self.headers), (name, str(value)))
        return self

    @property
    def call_id(self):
        return self.get("Call-ID", "")

    @property
    def cseq(self):
        """(number, method)"""
        number, _, method = self.get("CSeq", "0 ?").partition(" ")
        return int(number), method.strip()

    @property
    def branch(self):
        return param(self.all("Via")[0], "branch") if self.get("Via") else None

    @property
    def from_tag(self):
        return param(self.get("From", ""), "tag")

    @property
    def to_tag(self):
        return param(self.get("To", ""), "tag")

    @property
    def sdp(self):
        return Sdp(self.body.decode("utf-8", "replace")) if self.body else None


def split_list(value):
    """Splits at commas that stand outside quotes and angle brackets."""
    parts, depth, quoted, start = [], 0, False, 0
    for i, char in enumerate(value):
        if char == '"':
            quoted = not quoted
        elif not quoted and char == "<":
            depth += 1
        elif not quoted and char == ">":
            depth -= 1
        elif char == "," and not quoted and depth == 0:
            parts.append(value[start:i].strip())
            start = i + 1
    return parts + [value[start:].strip()]


def param(value, name):
    """A header parameter (outside the angle brackets), or None."""
    tail = value.rpartition(">")[2]
    match = re.search(rf";\s*{re.escape(name)}\s*(?:=\s*(\"[^\"]*\"|[^;,\s]*))?(?=[;,\s]|$)", tail,
                      re.IGNORECASE)
    return None if not match else (match.group(1) or "").strip('"')


def uri_of(value):
    """sip:… of a name-addr or addr-spec, without header parameters."""
    match = re.search(r"<([^>]*)>", value)
    return match.group(1) if match else value.split(";")[0].strip()


def user_of(uri):
    return re.match(r"sips?:(?:([^@;?]*)@)?", uri).group(1) or ""


def hostport_of(uri, default=5060):
    """(host, port, transport) that a SIP URI names."""
    match = re.match(r"sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;?]*)(?::(\d+))?([^?]*)", uri)
    transport = re.search(r";transport=(\w+)", match.group(3), re.IGNORECASE)
    return (match.group(1).strip("[]"), int(match.group(2) or default),
            transport.group(1).lower() if transport else "udp")


def bracket(ip):
    return f"[{ip}]" if ":" in ip else ip


# --- Digest (RFC 2617, RFC 3261 22.4) ---

def challenge_of(value):
    """The parameters of a WWW-Authenticate or Proxy-Authenticate header."""
    return {name.lower(): quoted or plain for name, quoted, plain in
            re.findall(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', value)}


def credentials(challenge, method, uri, user, password, count=1):
    """An Authorization value that meets a challenge (MD5 or SHA-256, qop=auth when offered)."""
    c = challenge_of(challenge)
    algorithm = c.get("algorithm", "MD5")

    def digest(*parts):
        function = hashlib.sha256 if algorithm.upper() == "SHA-256" else hashlib.md5
        return function(":".join(parts).encode()).hexdigest()

    ha1, ha2 = digest(user, c["realm"], password), digest(method, uri)
    out = {"username": user, "realm": c["realm"], "nonce": c["nonce"], "uri": uri}
    bare = {"algorithm": algorithm}
    if "auth" in [q.strip() for q in c.get("qop", "").split(",")]:
        cnonce, nc = token(), f"{count:08x}"
        out.update(cnonce=cnonce, response=digest(ha1, c["nonce"], nc, cnonce, "auth", ha2))
        bare.update(qop="auth", nc=nc)
    else:
        out["response"] = digest(ha1, c["nonce"], ha2)
    if "opaque" in c:
        out["opaque"] = c["opaque"]
    return "Digest " + ", ".join([f'{k}="{v}"' for k, v in out.items()] +
                                 [f"{k}={v}" for k, v in bare.items()])


# --- SDP ---

CODECS = {"PCMU": (0, "PCMU/8000"), "PCMA": (8, "PCMA/8000"), "G722": (9, "G722/8000"),
          "GSM": (3, "GSM/8000"), "opus": (96, "opus/48000/2"), "iLBC": (97, "iLBC/8000"),
          "speex": (98, "speex/8000"), "wide": (102, "speex/16000"), "L16": (99, "L16/8000")}


def make_sdp(ip, port, codecs=("PCMA",), events=101, event_clock=8000, direction=None, ptime=None,
             version=1, payload_types=None, extra=()):
    """A session description with one audio line. direction None: no attribute (sendrecv)."""
    family = "IP6" if ":" in ip else "IP4"
    types = {name: (payload_types or {}).get(name, CODECS[name][0]) for name in codecs}
    formats = list(types.values()) + ([events] if events is not None else [])
    lines = ["v=0", f"o=peer{port} 4711{port} {version} IN {family} {ip}", f"s=secret{port}",
             f"c=IN {family} {ip}", "t=0 0",
             f"m=audio {port} RTP/AVP {' '.join(str(f) for f in formats)}"]
    lines += [f"a=rtpmap:{types[name]} {CODECS[name][1]}" for name in codecs]
    if events is not None:
        lines += [f"a=rtpmap:{events} telephone-event/{event_clock}", f"a=fmtp:{events} 0-15"]
    lines += [f"a=ptime:{ptime}"] if ptime else []
    lines += [f"a={direction}"] if direction else []
    return "\r\n".join(lines + list(extra)) + "\r\n"


class Media:
    """One m-line with its own c= and attributes."""

    def __init__(self, line, connection):
        self.kind, port, self.proto, *self.formats = line.split()
        self.port, self.connection, self.attributes = int(port), connection, []

    def rtpmap(self):
        """{payload type: "PCMA/8000"}"""
        maps = [a[7:].split(" ", 1) for a in self.attributes if a.startswith("rtpmap:")]
        names = {int(pt): name for pt, name in maps}
        static = {pt: name for pt, name in CODECS.values() if pt < 96}
        return {int(f): names.get(int(f), static.get(int(f), "?")) for f in self.formats}

    def payload_type(self, name):
        """Of a codec by its encoding name and clock; None: not there."""
        return next((pt for pt, n in self.rtpmap().items() if n.lower().startswith(name.lower())),
                    None)

    def codecs(self):
        """Encoding names in order, telephone-event left out."""
        return [n.split("/")[0] for n in self.rtpmap().values()
                if not n.startswith("telephone-event")]

    @property
    def direction(self):
        """The attribute as written, "sendrecv" when there is none."""
        return next((a for a in self.attributes
                     if a in ("sendrecv", "sendonly", "recvonly", "inactive")), "sendrecv")

    @property
    def address(self):
        return self.connection, self.port


class Sdp:
    """A session description read leniently: what a test wants to ask of it."""

    def __init__(self, text):
        self.text, self.origin, self.media = text, None, []
        session = None
        for line in text.replace("\r\n", "\n").strip().split("\n"):
            kind, value = line[0], line[2:].strip()
            if kind == "o":
                self.origin = value.split()
            elif kind == "m":
                self.media.append(Media(value, session))
            elif kind == "c" and self.media:
                self.media[-1].connection = value.split()[2]
            elif kind == "c":
                session = value.split()[2]
            elif kind == "a" and self.media:
                self.media[-1].attributes.append(value)

    @property
    def audio(self):
        return next(m for m in self.media if m.kind == "audio")

    @property
    def version(self):
        return int(self.origin[2])
